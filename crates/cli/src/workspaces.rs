//! `tidegate workspaces`: workspaces and who works there.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

use crate::client::segment;
use crate::failure::Failure;
use crate::keys::{budgets, budgets_in_full, rates};
use crate::limit::{Budget, RateLimit, Rates, UsageLimit, one_or_many};
use crate::row::{Flag, minute, text};
use crate::session::Session;
use crate::table::{fields, table_or, visible};
use crate::users::{self, Membership, WorkspaceRole};

#[derive(Debug, Clone, Subcommand)]
pub enum WorkspacesCommand {
    /// All workspaces
    List,
    /// One workspace, by slug or id
    Show { name: String },
    /// Make a workspace
    Create {
        name: String,
        #[arg(long)]
        description: Option<String>,
        /// At most so many for all its keys: 100/minute (repeat for several)
        #[arg(long, value_name = "LIMIT")]
        limit: Vec<Rates>,
        /// What all its keys may use up: 100usd/month (repeat for several)
        #[arg(long, value_name = "BUDGET")]
        budget: Vec<Budget>,
    },
    /// Change a workspace; what is not named stays
    Update {
        name: String,
        #[arg(long = "name", value_name = "NAME")]
        new_name: Option<String>,
        #[arg(long)]
        description: Option<String>,
    },
    /// Delete a workspace
    #[command(visible_alias = "delete")]
    Remove {
        name: String,
        /// With everything in it
        #[arg(long)]
        force: bool,
    },
    /// Who works there
    Members { name: String },
    /// Add somebody of the organisation, by address or id
    AddMember {
        name: String,
        user: String,
        #[arg(long, default_value = "member")]
        role: WorkspaceRole,
    },
    /// Give a member another role
    SetRole { name: String, user: String, role: WorkspaceRole },
    /// Take a member out
    RemoveMember { name: String, user: String },
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rate_limits: Vec<&'a RateLimit>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    usage_limits: Vec<&'a UsageLimit>,
}

#[derive(Serialize)]
struct RemoveBody<'a> {
    name: &'a str,
    force_delete: bool,
}

#[derive(Serialize)]
struct MembersBody<'a> {
    users: [Membership<'a>; 1],
}

#[derive(Serialize)]
struct RoleBody {
    role: WorkspaceRole,
}

#[derive(Debug, Clone, Deserialize)]
struct WorkspaceRow {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    slug: String,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default)]
    is_default: Flag,
    #[serde(default, deserialize_with = "one_or_many")]
    rate_limits: Vec<RateLimit>,
    #[serde(default, deserialize_with = "one_or_many")]
    usage_limits: Vec<UsageLimit>,
    #[serde(default, deserialize_with = "text")]
    created_at: String,
}

#[derive(Debug, Clone, Deserialize)]
struct MemberRow {
    id: String,
    #[serde(default, deserialize_with = "text")]
    email: String,
    #[serde(default, deserialize_with = "text")]
    role: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
}

const PATH: &str = "/admin/workspaces";

pub(crate) async fn run(command: &WorkspacesCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        WorkspacesCommand::List => {
            let list = session.list::<WorkspaceRow>(PATH, &[]).await?;
            let rows: Vec<_> = list.rows.iter().map(line).collect();
            session.show_list(&list, || {
                table_or(&["SLUG", "NAME", "DEFAULT", "LIMITS", "BUDGET", "ID"], &rows, "no workspaces")
            })
        }
        WorkspacesCommand::Show { name } => {
            let answer = session.client.get(&path(name), &[]).await?;
            let row: WorkspaceRow = answer.read()?;
            Ok(session.show(&answer, || shown(&row)))
        }
        WorkspacesCommand::Create { name, description, limit, budget } => {
            let body = Body {
                name: Some(name),
                description: description.as_deref(),
                rate_limits: limit.iter().flat_map(|rates| &rates.0).collect(),
                usage_limits: budget.iter().map(|budget| &budget.0).collect(),
            };
            let answer = session.client.post(PATH, &body).await?;
            let row: WorkspaceRow = answer.read()?;
            Ok(session.show(&answer, || {
                let slug = visible(&row.slug);
                format!("made {}; commands work in it with --workspace {slug}", visible(name))
            }))
        }
        WorkspacesCommand::Update { name, new_name, description } => {
            let body = Body {
                name: new_name.as_deref(),
                description: description.as_deref(),
                rate_limits: Vec::new(),
                usage_limits: Vec::new(),
            };
            let answer = session.client.put(&path(name), &[], &body).await?;
            Ok(session.show(&answer, || format!("changed {}", visible(name))))
        }
        WorkspacesCommand::Remove { name, force } => {
            let row: WorkspaceRow = session.client.get(&path(name), &[]).await?.read()?;
            let answer = session
                .client
                .delete_with(&path(name), &RemoveBody { name: &row.name, force_delete: *force })
                .await?;
            Ok(session.show(&answer, || format!("removed {}", visible(name))))
        }
        WorkspacesCommand::Members { name } => {
            let list = session.list::<MemberRow>(&members(name), &[]).await?;
            let rows: Vec<_> = list
                .rows
                .iter()
                .map(|row| vec![row.email.clone(), row.role.clone(), row.status.clone(), row.id.clone()])
                .collect();
            session.show_list(&list, || table_or(&["ADDRESS", "ROLE", "STATUS", "ID"], &rows, "nobody"))
        }
        WorkspacesCommand::AddMember { name, user, role } => {
            let user = users::find(user, session).await?;
            let body = MembersBody { users: [Membership { id: &user.id, role: *role }] };
            let answer = session.client.post(&members(name), &body).await?;
            Ok(session.show(&answer, || format!("{} works in {} now", visible(&user.email), visible(name))))
        }
        WorkspacesCommand::SetRole { name, user, role } => {
            let user = users::find(user, session).await?;
            let answer = session.client.put(&member(name, &user.id), &[], &RoleBody { role: *role }).await?;
            Ok(session
                .show(&answer, || format!("{} has another role in {}", visible(&user.email), visible(name))))
        }
        WorkspacesCommand::RemoveMember { name, user } => {
            let user = users::find(user, session).await?;
            let answer = session.client.delete(&member(name, &user.id), &[]).await?;
            Ok(session.show(&answer, || format!("{} is out of {}", visible(&user.email), visible(name))))
        }
    }
}

fn line(row: &WorkspaceRow) -> Vec<String> {
    let is_default = if row.is_default.0 { "yes" } else { "" };
    vec![
        row.slug.clone(),
        row.name.clone(),
        is_default.to_owned(),
        rates(&row.rate_limits),
        budgets(&row.usage_limits),
        row.id.clone(),
    ]
}

fn shown(row: &WorkspaceRow) -> String {
    fields(&[
        ("slug", row.slug.clone()),
        ("name", row.name.clone()),
        ("description", row.description.clone()),
        ("limits", rates(&row.rate_limits)),
        ("budget", budgets_in_full(&row.usage_limits)),
        ("id", row.id.clone()),
        ("created", minute(&row.created_at)),
    ])
}

fn path(name: &str) -> String {
    format!("{PATH}/{}", segment(name))
}

fn members(name: &str) -> String {
    format!("{}/users", path(name))
}

fn member(name: &str, user: &str) -> String {
    format!("{}/{}", members(name), segment(user))
}
