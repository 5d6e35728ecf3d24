//! `tidegate keys`: API keys, with limits and budgets in words.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

use crate::client::segment;
use crate::example;
use crate::expiry::Expiry;
use crate::failure::{Failure, FailureKind};
use crate::limit::{Alert, Budget, RateLimit, Rates, UsageLimit, one_or_many};
use crate::metadata::Pairs;
use crate::row::{list, minute, text};
use crate::session::{Session, in_workspace};
use crate::table::{fields, table_or, visible};

/// What an application needs.
const DEFAULT_SCOPES: [&str; 1] = ["completions.write"];

#[derive(Debug, Clone, Subcommand)]
pub enum KeysCommand {
    /// Make a key; it is shown once
    Create(Box<Create>),
    /// All keys of the workspace
    List {
        /// Keys of the whole organisation too
        #[arg(long)]
        all: bool,
    },
    /// One key, by name or id
    Show { key: String },
    /// Change a key; what is not named stays
    Update(Box<Update>),
    /// A new secret for a key; the old one works for a while
    Rotate {
        key: String,
        /// Minutes for which the old secret works, 30 at least [default: 30]
        #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(30..))]
        overlap: Option<u64>,
    },
    /// End a key at once
    #[command(visible_alias = "delete")]
    Revoke { key: String },
}

#[derive(Debug, Clone, clap::Args)]
pub struct Create {
    name: String,
    /// At most so many: 100/minute, 20000tokens/hour (repeat for several)
    #[arg(long, value_name = "LIMIT")]
    limit: Vec<Rates>,
    /// What it may use up: 5usd/month, 1000000tokens/day
    #[arg(long, value_name = "BUDGET")]
    budget: Option<Budget>,
    /// Notice when so much of the budget is used: 80%, 4usd
    #[arg(long, value_name = "AMOUNT", requires = "budget")]
    alert: Option<Alert>,
    /// Who gets notice, beside the owners
    #[arg(long, value_name = "ADDRESS")]
    alert_email: Vec<String>,
    /// What it may do [default: completions.write]
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Config that its requests use, by slug
    #[arg(long = "use-config", value_name = "SLUG")]
    default_config: Option<String>,
    /// Metadata of its requests
    #[arg(long, value_name = "NAME=VALUE")]
    metadata: Vec<String>,
    /// Day or time at which it ends: 2027-01-31
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
    #[arg(long)]
    description: Option<String>,
    /// A key for this person, by id
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// A key that administers the organisation and calls no models; needs --scope
    #[arg(long, conflicts_with = "user", requires = "scope")]
    admin: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub struct Update {
    key: String,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// The scopes it has from now on
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Config that its requests use, by slug
    #[arg(long = "use-config", value_name = "SLUG")]
    default_config: Option<String>,
    /// Day or time at which it ends: 2027-01-31, or never
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
    /// Who gets notice, beside the owners
    #[arg(long, value_name = "ADDRESS")]
    alert_email: Vec<String>,
}

#[derive(Serialize)]
struct CreateBody<'a> {
    name: &'a str,
    scopes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rate_limits: Vec<&'a RateLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_limits: Option<UsageLimit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    defaults: Option<Defaults<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    alert_emails: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a Expiry>,
}

#[derive(Serialize)]
struct Defaults<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Pairs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_id: Option<&'a str>,
}

#[derive(Serialize)]
struct UpdateBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    defaults: Option<Defaults<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a Expiry>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    alert_emails: &'a [String],
}

#[derive(Serialize)]
struct RotateBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    key_transition_period_ms: Option<u64>,
}

/// The answer that has the secret.
#[derive(Deserialize)]
struct Made {
    id: String,
    key: String,
    #[serde(default, deserialize_with = "text")]
    key_transition_expires_at: String,
}

/// A key as the list has it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "text")]
    key: String,
    #[serde(default, rename = "type", deserialize_with = "text")]
    kind: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default)]
    pub(crate) workspace_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) status: String,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) rate_limits: Vec<RateLimit>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub(crate) usage_limits: Vec<UsageLimit>,
    #[serde(default, deserialize_with = "list")]
    scopes: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    created_at: String,
    #[serde(default, deserialize_with = "text")]
    expires_at: String,
}

pub(crate) async fn run(command: &KeysCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        KeysCommand::Create(create) => make(create, session).await,
        KeysCommand::List { all } => show_all(*all, session).await,
        KeysCommand::Show { key } => {
            let row = find(key, session).await?;
            let answer =
                session.client.get(&path(&row.id), &in_workspace(row.workspace_id.as_deref())).await?;
            let row: KeyRow = answer.read()?;
            Ok(session.show(&answer, || shown(&row)))
        }
        KeysCommand::Update(update) => change(update, session).await,
        KeysCommand::Rotate { key, overlap } => {
            let row = find(key, session).await?;
            let body = RotateBody {
                key_transition_period_ms: overlap.map(|minutes| minutes.saturating_mul(60_000)),
            };
            let answer = session.client.post(&format!("{}/rotate", path(&row.id)), &body).await?;
            let made: Made = answer.read()?;
            Ok(session.show(&answer, || {
                let until = match made.key_transition_expires_at.as_str() {
                    "" => "for a while".to_owned(),
                    time => format!("until {}", minute(time)),
                };
                format!(
                    "new secret of {}, shown once; the old one works {until}:\n\n  {}",
                    visible(&row.name),
                    visible(&made.key)
                )
            }))
        }
        KeysCommand::Revoke { key } => {
            let row = find(key, session).await?;
            let answer =
                session.client.delete(&path(&row.id), &in_workspace(row.workspace_id.as_deref())).await?;
            Ok(session.show(&answer, || format!("revoked {} ({})", visible(&row.name), row.id)))
        }
    }
}

async fn make(create: &Create, session: &Session<'_>) -> Result<String, Failure> {
    let metadata = Pairs::parse("--metadata", &create.metadata)?;
    let usage_limits = match &create.budget {
        Some(budget) => Some(budget.clone().with_alert(create.alert).map_err(Failure::usage)?),
        None => None,
    };
    let workspace = if create.admin { None } else { session.workspace().await? };
    let path = match (create.admin, &create.user) {
        (true, _) => "/api-keys/organisation/service",
        (false, Some(_)) => "/api-keys/workspace/user",
        (false, None) => "/api-keys/workspace/service",
    };
    let scopes: Vec<&str> = match create.scope.as_slice() {
        [] => DEFAULT_SCOPES.to_vec(),
        scopes => scopes.iter().map(String::as_str).collect(),
    };
    let has_defaults = !metadata.is_empty() || create.default_config.is_some();
    let body = CreateBody {
        name: &create.name,
        scopes,
        description: create.description.as_deref(),
        workspace_id: workspace.as_deref(),
        user_id: create.user.as_deref(),
        rate_limits: create.limit.iter().flat_map(|rates| &rates.0).collect(),
        usage_limits,
        defaults: has_defaults.then(|| Defaults {
            metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
            config_id: create.default_config.as_deref(),
        }),
        alert_emails: &create.alert_email,
        expires_at: create.expires.as_ref(),
    };
    let answer = session.client.post(path, &body).await?;
    let made: Made = answer.read()?;
    let model = if create.admin { None } else { Some(example::model(session, workspace.as_deref()).await) };
    Ok(session.show(&answer, || {
        let name = visible(&create.name);
        let mut text = format!("key {name} ({}), shown once:\n\n  {}\n", made.id, visible(&made.key));
        if let Some(model) = &model {
            text.push_str(&example::text(session.client.base(), &visible(&made.key), model));
        }
        text.truncate(text.trim_end().len());
        text
    }))
}

async fn show_all(all: bool, session: &Session<'_>) -> Result<String, Failure> {
    let list = if all {
        session.list::<KeyRow>("/api-keys", &[]).await?
    } else {
        session.list_here("/api-keys").await?
    };
    let rows: Vec<_> = list.rows.iter().map(line).collect();
    session.show_list(&list, || {
        let header = ["NAME", "ID", "KEY", "KIND", "STATUS", "LIMITS", "BUDGET", "EXPIRES"];
        table_or(&header, &rows, "no keys; make one with `tidegate keys create NAME`")
    })
}

fn line(row: &KeyRow) -> Vec<String> {
    vec![
        row.name.clone(),
        row.id.clone(),
        row.key.clone(),
        row.kind.clone(),
        row.status.clone(),
        rates(&row.rate_limits),
        budgets(&row.usage_limits),
        minute(&row.expires_at),
    ]
}

fn shown(row: &KeyRow) -> String {
    fields(&[
        ("name", row.name.clone()),
        ("id", row.id.clone()),
        ("key", row.key.clone()),
        ("kind", row.kind.clone()),
        ("status", row.status.clone()),
        ("description", row.description.clone()),
        ("scopes", row.scopes.join(", ")),
        ("limits", rates(&row.rate_limits)),
        ("budget", budgets_in_full(&row.usage_limits)),
        ("created", minute(&row.created_at)),
        ("expires", minute(&row.expires_at)),
    ])
}

pub(crate) fn rates(limits: &[RateLimit]) -> String {
    limits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

pub(crate) fn budgets(limits: &[UsageLimit]) -> String {
    limits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// With the thresholds for notices.
pub(crate) fn budgets_in_full(limits: &[UsageLimit]) -> String {
    limits.iter().map(UsageLimit::with_threshold).collect::<Vec<_>>().join("; ")
}

async fn change(update: &Update, session: &Session<'_>) -> Result<String, Failure> {
    let row = find(&update.key, session).await?;
    let body = UpdateBody {
        name: update.name.as_deref(),
        description: update.description.as_deref(),
        scopes: &update.scope,
        defaults: update.default_config.as_deref().map(|id| Defaults { metadata: None, config_id: Some(id) }),
        expires_at: update.expires.as_ref(),
        alert_emails: &update.alert_email,
    };
    let answer =
        session.client.put(&path(&row.id), &in_workspace(row.workspace_id.as_deref()), &body).await?;
    Ok(session.show(&answer, || format!("changed {} ({})", visible(&row.name), row.id)))
}

pub(crate) fn path(id: &str) -> String {
    format!("/api-keys/{}", segment(id))
}

/// The key of that name or id: of the workspace, else of the organisation.
pub(crate) async fn find(key: &str, session: &Session<'_>) -> Result<KeyRow, Failure> {
    let fits = |row: &KeyRow| row.id == key || row.name == key;
    let here = session.list_here::<KeyRow>("/api-keys").await?;
    let mut found: Vec<_> = here.rows.into_iter().filter(fits).collect();
    if found.is_empty() && session.named_workspace().is_none() {
        match session.list::<KeyRow>("/api-keys", &[]).await {
            Ok(everywhere) => found = everywhere.rows.into_iter().filter(fits).collect(),
            Err(error) if error.kind == FailureKind::Forbidden => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(at) = found.iter().position(|row| row.id == key) {
        found = vec![found.swap_remove(at)];
    }
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        0 => {
            let problem = format!("there is no key `{}`; `tidegate keys list` has them", visible(key));
            Err(Failure::new(FailureKind::NotFound, problem))
        }
        _ => {
            let ids: Vec<_> = found.iter().map(|row| row.id.as_str()).collect();
            Err(Failure::usage(format!(
                "several keys are called `{}`; name one by its id: {}",
                visible(key),
                ids.join(", ")
            )))
        }
    }
}
