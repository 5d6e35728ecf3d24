//! A key as lists and reads have it, and how it is found by name.

use serde::Deserialize;

use crate::client::segment;
use crate::failure::{Failure, FailureKind};
use crate::limit::{RateLimit, UsageLimit, Used, one_or_many};
use crate::row::{list, minute, text};
use crate::session::Session;
use crate::table::{fields, visible};

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
    #[serde(default)]
    pub(crate) current_usage: Vec<Used>,
    #[serde(default, deserialize_with = "list")]
    scopes: Vec<String>,
    #[serde(default, deserialize_with = "text")]
    created_at: String,
    #[serde(default, deserialize_with = "text")]
    expires_at: String,
}

pub(super) fn line(row: &KeyRow) -> Vec<String> {
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

pub(super) fn shown(row: &KeyRow) -> String {
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
