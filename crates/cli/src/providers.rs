//! `tidegate providers`: provider keys that the gateway holds.
//!
//! A provider of a workspace is an integration (which has the credential) and its use there, as the admin API has it.
//! People see one thing: `add` makes both, `remove` takes both away.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

use crate::client::segment;
use crate::expiry::Expiry;
use crate::failure::{Failure, FailureKind};
use crate::key_body::Shown;
use crate::keys::{budgets_in_full, rates};
use crate::limit::{Alert, Budget, RateLimit, Rates, UsageLimit, Used, one_or_many};
use crate::metadata::Pairs;
use crate::row::{minute, text};
use crate::secret_input::SecretInput;
use crate::session::{Session, in_workspace};
use crate::table::{fields, table_or, visible};

#[derive(Debug, Clone, Subcommand)]
pub enum ProvidersCommand {
    /// Keep a key for a provider; asks for it without showing it
    Add(Box<Add>),
    /// All providers of the workspace
    List,
    /// One provider, by slug
    Show { slug: String },
    /// Change a provider; what is not named stays
    Update {
        slug: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        note: Option<String>,
        /// Day or time at which it ends: 2027-01-31, or never
        #[arg(long, value_name = "TIME")]
        expires: Option<Expiry>,
    },
    /// Put a new key in the place of the one that is kept
    Rotate {
        slug: String,
        #[command(flatten)]
        key: SecretInput,
    },
    /// Forget a provider and its key
    #[command(visible_alias = "delete")]
    Remove {
        slug: String,
        /// Keep the key, for other workspaces that use it
        #[arg(long)]
        keep_key: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
pub struct Add {
    /// Which: openai, anthropic, azure-openai, bedrock, …
    provider: String,
    /// How requests name it: @slug/model [default: the provider's id]
    #[arg(long)]
    slug: Option<String>,
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    key: SecretInput,
    /// The provider wants no key (a server of one's own)
    #[arg(long, conflicts_with_all = ["key_env", "key_file"])]
    no_key: bool,
    /// Address of a server that speaks this provider's API
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// What else the provider wants: aws_region=us-east-1 (repeat for several)
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// At most so many: 100/minute, 20000tokens/hour (repeat for several)
    #[arg(long, value_name = "LIMIT")]
    limit: Vec<Rates>,
    /// What it may use up: 5usd/month, 1000000tokens/day
    #[arg(long, value_name = "BUDGET")]
    budget: Option<Budget>,
    /// Notice when so much of the budget is used: 80%, 4usd
    #[arg(long, value_name = "AMOUNT", requires = "budget")]
    alert: Option<Alert>,
}

#[derive(Serialize)]
struct IntegrationBody<'a> {
    name: &'a str,
    ai_provider_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Pairs::is_empty")]
    configurations: Pairs,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<&'a str>,
    create_default_provider: bool,
    default_provider_slug: &'a str,
}

#[derive(Serialize)]
struct NewKey<'a> {
    key: Shown<'a>,
}

#[derive(Serialize)]
struct Change<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a Expiry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rate_limits: Vec<&'a RateLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_limits: Option<UsageLimit>,
}

#[derive(Deserialize)]
struct Integration {
    #[serde(default, deserialize_with = "text")]
    id: String,
    slug: String,
    #[serde(default, rename = "type", deserialize_with = "text")]
    kind: String,
}

/// A provider as lists and reads have it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ProviderRow {
    pub(crate) slug: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "text")]
    integration_id: String,
    /// The provider's id in the catalogue.
    #[serde(default, rename = "ai_provider_name", deserialize_with = "text")]
    pub(crate) provider: String,
    #[serde(default, deserialize_with = "text")]
    note: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) status: String,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) rate_limits: Vec<RateLimit>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) usage_limits: Vec<UsageLimit>,
    #[serde(default)]
    pub(crate) current_usage: Vec<Used>,
    #[serde(default, deserialize_with = "text")]
    created_at: String,
    #[serde(default, deserialize_with = "text")]
    expires_at: String,
}

pub(crate) async fn run(command: &ProvidersCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        ProvidersCommand::Add(add) => keep(add, session).await,
        ProvidersCommand::List => {
            let list = session.list_here::<ProviderRow>("/providers").await?;
            let rows: Vec<_> = list.rows.iter().map(line).collect();
            let header = ["MODELS", "PROVIDER", "NAME", "STATUS"];
            session.show_list(&list, || {
                table_or(&header, &rows, "no providers; keep a key with `tidegate providers add openai`")
            })
        }
        ProvidersCommand::Show { slug } => {
            let workspace = session.workspace().await?;
            let answer = session.client.get(&path(slug), &in_workspace(workspace.as_deref())).await?;
            let row: ProviderRow = answer.read()?;
            Ok(session.show(&answer, || shown(&row)))
        }
        ProvidersCommand::Update { slug, name, note, expires } => {
            let workspace = session.workspace().await?;
            let body = Change {
                name: name.as_deref(),
                note: note.as_deref(),
                expires_at: expires.as_ref(),
                rate_limits: Vec::new(),
                usage_limits: None,
            };
            let answer = session.client.put(&path(slug), &in_workspace(workspace.as_deref()), &body).await?;
            Ok(session.show(&answer, || format!("changed @{}", bare(slug))))
        }
        ProvidersCommand::Rotate { slug, key } => {
            let workspace = session.workspace().await?;
            let query = in_workspace(workspace.as_deref());
            let row: ProviderRow = session.client.get(&path(slug), &query).await?.read()?;
            let key = key.read(session, &format!("new key for @{}: ", bare(slug)))?;
            let answer = session
                .client
                .put(&integration(&row.integration_id), &query, &NewKey { key: Shown(&key) })
                .await?;
            Ok(session.show(&answer, || format!("@{} has a new key", bare(slug))))
        }
        ProvidersCommand::Remove { slug, keep_key } => forget(slug, *keep_key, session).await,
    }
}

async fn keep(add: &Add, session: &Session<'_>) -> Result<String, Failure> {
    let mut configurations = Pairs::parse("--set", &add.settings)?;
    if let Some(url) = &add.base_url {
        configurations.insert("custom_host", url.clone());
    }
    let usage_limits = match &add.budget {
        Some(budget) => Some(budget.clone().with_alert(add.alert).map_err(Failure::usage)?),
        None => None,
    };
    let slug = add.slug.as_deref().map_or(add.provider.as_str(), bare);
    let workspace = session.workspace().await?;
    // Asked for last: nobody types a key for nothing.
    let key = match add.no_key {
        true => None,
        false => Some(add.key.read(session, &format!("key for {}: ", visible(&add.provider)))?),
    };
    let body = IntegrationBody {
        name: add.name.as_deref().unwrap_or(slug),
        ai_provider_id: &add.provider,
        key: key.as_ref().map(Shown),
        configurations,
        workspace_id: workspace.as_deref(),
        create_default_provider: true,
        default_provider_slug: slug,
    };
    let answer = session.client.post("/integrations", &body).await?;
    let made: Integration = answer.read()?;
    let query = in_workspace(workspace.as_deref());
    // The gateway may have given it another slug than was asked for.
    let list = session.list::<ProviderRow>("/providers", &query).await?;
    let belongs = |row: &&ProviderRow| {
        row.integration_id == made.slug || (!made.id.is_empty() && row.integration_id == made.id)
    };
    let slug = list.rows.iter().find(belongs).map_or(slug, |row| row.slug.as_str());
    if usage_limits.is_some() || !add.limit.is_empty() {
        let rate_limits = add.limit.iter().flat_map(|rates| &rates.0).collect();
        let limits = Change { name: None, note: None, expires_at: None, rate_limits, usage_limits };
        session.client.put(&path(slug), &query, &limits).await?;
    }
    Ok(session.show(&answer, || {
        let slug = visible(slug);
        format!(
            "kept a key for {}; requests use it as @{slug}/MODEL\n\nGive an application a key of its own:\n\n  \
             tidegate keys create my-app --limit 100/minute --budget 5usd/month",
            visible(&add.provider)
        )
    }))
}

async fn forget(slug: &str, keep_key: bool, session: &Session<'_>) -> Result<String, Failure> {
    let workspace = session.workspace().await?;
    let query = in_workspace(workspace.as_deref());
    let row: ProviderRow = session.client.get(&path(slug), &query).await?.read()?;
    let answer = session.client.delete(&path(slug), &query).await?;
    let removed = format!("removed @{}", bare(slug));
    if keep_key || row.integration_id.is_empty() {
        return Ok(session.show(&answer, || format!("{removed}; its key is kept")));
    }
    let list = session.list::<ProviderRow>("/providers", &query).await?;
    let others: Vec<_> = list
        .rows
        .iter()
        .filter(|other| other.integration_id == row.integration_id)
        .map(|other| other.slug.as_str())
        .collect();
    if !others.is_empty() {
        return Ok(
            session.show(&answer, || format!("{removed}; its key is kept for @{}", others.join(", @")))
        );
    }
    // One of the organisation may serve other workspaces.
    let found = session.client.get(&integration(&row.integration_id), &query).await;
    let is_own = found
        .and_then(|answer| answer.read::<Integration>())
        .is_ok_and(|integration| integration.kind == "workspace");
    if !is_own {
        return Ok(
            session.show(&answer, || format!("{removed}; its key is kept, it belongs to the organisation"))
        );
    }
    match session.client.delete(&integration(&row.integration_id), &query).await {
        Ok(_) => Ok(session.show(&answer, || format!("{removed} and its key"))),
        Err(error) => {
            Err(Failure::new(FailureKind::Failed, format!("{removed}, but its key is still kept: {error}")))
        }
    }
}

/// Without limits, which lists of providers do not say: typed clients of the API expect another shape there.
fn line(row: &ProviderRow) -> Vec<String> {
    vec![format!("@{}/…", row.slug), row.provider.clone(), row.name.clone(), row.status.clone()]
}

fn shown(row: &ProviderRow) -> String {
    fields(&[
        ("models", format!("@{}/…", row.slug)),
        ("provider", row.provider.clone()),
        ("name", row.name.clone()),
        ("note", row.note.clone()),
        ("status", row.status.clone()),
        ("limits", rates(&row.rate_limits)),
        ("budget", budgets_in_full(&row.usage_limits)),
        ("integration", row.integration_id.clone()),
        ("created", minute(&row.created_at)),
        ("expires", minute(&row.expires_at)),
    ])
}

/// People write `@openai` as they do in models.
fn bare(slug: &str) -> &str {
    slug.strip_prefix('@').unwrap_or(slug)
}

pub(crate) fn path(slug: &str) -> String {
    format!("/providers/{}", segment(bare(slug)))
}

fn integration(id: &str) -> String {
    format!("/integrations/{}", segment(id))
}
