//! `tidegate keys`: API keys, with limits and budgets in words.

mod create;
mod row;

use clap::Subcommand;
use serde::Serialize;

use crate::expiry::Expiry;
use crate::failure::Failure;
use crate::row::minute;
use crate::session::{Session, in_workspace};
use crate::table::{table_or, visible};

use create::{Create, Defaults, Made};
pub(crate) use row::{KeyRow, budgets, budgets_in_full, find, path, rates};

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

pub(crate) async fn run(command: &KeysCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        KeysCommand::Create(create) => create::make(create, session).await,
        KeysCommand::List { all } => show_all(*all, session).await,
        KeysCommand::Show { key } => {
            let row = find(key, session).await?;
            let answer =
                session.client.get(&path(&row.id), &in_workspace(row.workspace_id.as_deref())).await?;
            let row: KeyRow = answer.read()?;
            Ok(session.show(&answer, || row::shown(&row)))
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

async fn show_all(all: bool, session: &Session<'_>) -> Result<String, Failure> {
    let list = if all {
        session.list::<KeyRow>("/api-keys", &[]).await?
    } else {
        session.list_here("/api-keys").await?
    };
    let rows: Vec<_> = list.rows.iter().map(row::line).collect();
    session.show_list(&list, || {
        let header = ["NAME", "ID", "KEY", "KIND", "STATUS", "LIMITS", "BUDGET", "EXPIRES"];
        table_or(&header, &rows, "no keys; make one with `tidegate keys create NAME`")
    })
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
