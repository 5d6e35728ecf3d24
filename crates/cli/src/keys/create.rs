//! Making a key, and what is told about it once.

use serde::{Deserialize, Serialize};

use crate::example;
use crate::expiry::Expiry;
use crate::failure::Failure;
use crate::limit::{Alert, Budget, RateLimit, Rates, UsageLimit};
use crate::metadata::Pairs;
use crate::row::text;
use crate::session::Session;
use crate::table::visible;

/// What an application needs.
const DEFAULT_SCOPES: [&str; 1] = ["completions.write"];

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
pub(super) struct Defaults<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metadata: Option<Pairs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) config_id: Option<&'a str>,
}

/// The answer that has the secret.
#[derive(Deserialize)]
pub(super) struct Made {
    pub(super) id: String,
    pub(super) key: String,
    #[serde(default, deserialize_with = "text")]
    pub(super) key_transition_expires_at: String,
}

pub(super) async fn make(create: &Create, session: &Session<'_>) -> Result<String, Failure> {
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
