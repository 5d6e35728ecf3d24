//! `tidegate audit list`: who changed what.

use clap::{Args, ValueEnum};
use serde::Deserialize;
use tidegate_core::clock::rfc3339_text;

use crate::failure::Failure;
use crate::instant::Instant;
use crate::row::{minute, text};
use crate::session::Session;
use crate::table::table_or;

/// Without --since.
const DAY_MS: u64 = 24 * 3_600 * 1_000;

#[derive(Debug, Clone, Args)]
pub struct AuditList {
    /// From then on: 24h, 7d, 2026-12-31 [default: 24h]
    #[arg(long, value_name = "TIME")]
    since: Option<Instant>,
    /// Until then [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<Instant>,
    /// Only this: create, update, delete, rotate, …
    #[arg(long)]
    action: Option<String>,
    /// Only of this kind: configs, workspaces, "api keys", …
    #[arg(long)]
    resource: Option<String>,
    /// Only by this person or key, by id
    #[arg(long, value_name = "ID")]
    by: Option<String>,
    /// Only with this method
    #[arg(long)]
    method: Option<ChangeMethod>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChangeMethod {
    Post,
    Put,
    Delete,
}

#[derive(Debug, Clone, Deserialize)]
struct AuditRow {
    #[serde(default, deserialize_with = "text")]
    timestamp: String,
    #[serde(default, deserialize_with = "text")]
    action: String,
    #[serde(default, deserialize_with = "text")]
    resource_type: String,
    #[serde(default, deserialize_with = "text")]
    user_type: String,
    #[serde(default, deserialize_with = "text")]
    user_id: String,
    #[serde(default, deserialize_with = "text")]
    uri: String,
    #[serde(default)]
    response_status_code: Option<u16>,
    #[serde(default, deserialize_with = "text")]
    client_ip: String,
}

pub(crate) async fn list(command: &AuditList, session: &Session<'_>) -> Result<String, Failure> {
    let now = session.context.clock.unix_ms();
    let since = command.since.clone().unwrap_or(Instant::Ago(DAY_MS)).text(now);
    // Servers that count in whole seconds leave out the running one otherwise.
    let until = command.until.as_ref().map_or_else(|| rfc3339_text(now + 1_000), |until| until.text(now));
    let mut query = vec![("start_time", since.as_str()), ("end_time", until.as_str())];
    let method = command.method.map(|method| match method {
        ChangeMethod::Post => "POST",
        ChangeMethod::Put => "PUT",
        ChangeMethod::Delete => "DELETE",
    });
    let filters = [
        ("action", command.action.as_deref()),
        ("resource_type", command.resource.as_deref()),
        ("user_id", command.by.as_deref()),
        ("method", method),
        ("workspace_id", session.named_workspace()),
    ];
    query.extend(filters.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let list = session.list::<AuditRow>("/audit-logs", &query).await?;
    let rows: Vec<_> = list.rows.iter().map(line).collect();
    let header = ["TIME", "ACTION", "OF", "BY", "FROM", "STATUS", "PATH"];
    session.show_list(&list, || table_or(&header, &rows, "nothing was changed in that time"))
}

fn line(row: &AuditRow) -> Vec<String> {
    vec![
        minute(&row.timestamp),
        row.action.clone(),
        row.resource_type.clone(),
        format!("{} {}", row.user_type, row.user_id).trim().to_owned(),
        row.client_ip.clone(),
        row.response_status_code.map_or_else(String::new, |status| status.to_string()),
        row.uri.clone(),
    ]
}
