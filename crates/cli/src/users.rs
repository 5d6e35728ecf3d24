//! `tidegate users`: people of the organisation, and invitations.

use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::client::segment;
use crate::failure::{Failure, FailureKind};
use crate::row::{minute, text};
use crate::session::Session;
use crate::table::{fields, table_or, visible};

#[derive(Debug, Clone, Subcommand)]
pub enum UsersCommand {
    /// All people of the organisation
    List,
    /// One person, by address or id
    Show { user: String },
    /// Invite somebody; prints the link for them
    Invite {
        email: String,
        #[arg(long, default_value = "member")]
        role: OrganisationRole,
        /// Workspace to join, with a role: my-team:member (repeat for several)
        #[arg(long = "join", value_name = "SLUG[:ROLE]")]
        join: Vec<String>,
    },
    /// Invitations that were sent
    Invites,
    /// Take an invitation back, by address or id
    CancelInvite { invite: String },
    /// Give somebody another role
    SetRole { user: String, role: OrganisationRole },
    /// Remove somebody from the organisation
    #[command(visible_alias = "delete")]
    Remove { user: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OrganisationRole {
    Admin,
    Member,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceRole {
    Admin,
    Manager,
    Member,
}

#[derive(Serialize)]
struct InviteBody<'a> {
    email: &'a str,
    role: OrganisationRole,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    workspaces: Vec<Membership<'a>>,
}

/// Somebody, or some workspace, and the role there.
#[derive(Serialize)]
pub(crate) struct Membership<'a> {
    pub(crate) id: &'a str,
    pub(crate) role: WorkspaceRole,
}

#[derive(Serialize)]
struct RoleBody {
    role: OrganisationRole,
}

#[derive(Deserialize)]
struct Invited {
    #[serde(default, deserialize_with = "text")]
    invite_link: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct UserRow {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "text")]
    pub(crate) email: String,
    #[serde(default, deserialize_with = "text")]
    first_name: String,
    #[serde(default, deserialize_with = "text")]
    last_name: String,
    #[serde(default, deserialize_with = "text")]
    role: String,
    #[serde(default, deserialize_with = "text")]
    created_at: String,
}

#[derive(Debug, Clone, Deserialize)]
struct InviteRow {
    id: String,
    #[serde(default, deserialize_with = "text")]
    email: String,
    #[serde(default, deserialize_with = "text")]
    role: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "text")]
    expires_at: String,
}

const PATH: &str = "/admin/users";
const INVITES: &str = "/admin/users/invites";

pub(crate) async fn run(command: &UsersCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        UsersCommand::List => {
            let list = session.list::<UserRow>(PATH, &[]).await?;
            let rows: Vec<_> = list
                .rows
                .iter()
                .map(|row| vec![row.email.clone(), row.full_name(), row.role.clone(), row.id.clone()])
                .collect();
            session.show_list(&list, || table_or(&["ADDRESS", "NAME", "ROLE", "ID"], &rows, "nobody"))
        }
        UsersCommand::Show { user } => {
            let row = find(user, session).await?;
            let answer = session.client.get(&path(&row.id), &[]).await?;
            let row: UserRow = answer.read()?;
            Ok(session.show(&answer, || {
                fields(&[
                    ("address", row.email.clone()),
                    ("name", row.full_name()),
                    ("role", row.role.clone()),
                    ("id", row.id.clone()),
                    ("since", minute(&row.created_at)),
                ])
            }))
        }
        UsersCommand::Invite { email, role, join } => {
            let workspaces = join.iter().map(|text| membership(text)).collect::<Result<_, _>>()?;
            let answer = session.client.post(INVITES, &InviteBody { email, role: *role, workspaces }).await?;
            let invited: Invited = answer.read()?;
            Ok(session.show(&answer, || {
                format!(
                    "invited {}; the link for them:\n\n  {}",
                    visible(email),
                    visible(&invited.invite_link)
                )
            }))
        }
        UsersCommand::Invites => {
            let list = session.list::<InviteRow>(INVITES, &[]).await?;
            let rows: Vec<_> = list
                .rows
                .iter()
                .map(|row| {
                    vec![
                        row.email.clone(),
                        row.role.clone(),
                        row.status.clone(),
                        minute(&row.expires_at),
                        row.id.clone(),
                    ]
                })
                .collect();
            session.show_list(&list, || {
                table_or(&["ADDRESS", "ROLE", "STATUS", "EXPIRES", "ID"], &rows, "no invitations")
            })
        }
        UsersCommand::CancelInvite { invite } => {
            let list = session.list::<InviteRow>(INVITES, &[]).await?;
            let is_open =
                |row: &&InviteRow| row.id == *invite || (row.email == *invite && row.status == "pending");
            let row = list.rows.iter().find(is_open).ok_or_else(|| none("open invitation", invite))?;
            let answer = session.client.delete(&format!("{INVITES}/{}", segment(&row.id)), &[]).await?;
            Ok(session.show(&answer, || format!("took back the invitation of {}", visible(&row.email))))
        }
        UsersCommand::SetRole { user, role } => {
            let row = find(user, session).await?;
            let answer = session.client.put(&path(&row.id), &[], &RoleBody { role: *role }).await?;
            Ok(session.show(&answer, || format!("{} has another role", visible(&row.email))))
        }
        UsersCommand::Remove { user } => {
            let row = find(user, session).await?;
            let answer = session.client.delete(&path(&row.id), &[]).await?;
            Ok(session.show(&answer, || format!("removed {}", visible(&row.email))))
        }
    }
}

/// The person of that id or address.
pub(crate) async fn find(user: &str, session: &Session<'_>) -> Result<UserRow, Failure> {
    let list = session.list::<UserRow>(PATH, &[]).await?;
    let found = list.rows.into_iter().find(|row| row.id == user || row.email.eq_ignore_ascii_case(user));
    found.ok_or_else(|| none("person", user))
}

impl UserRow {
    fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

fn membership(text: &str) -> Result<Membership<'_>, Failure> {
    let (id, role) = text.split_once(':').unwrap_or((text, "member"));
    let role = WorkspaceRole::from_str(role, true);
    let role = role.map_err(|_| {
        Failure::usage(format!("--join: `{text}` is not SLUG:ROLE with admin, manager or member"))
    })?;
    Ok(Membership { id, role })
}

fn none(what: &str, name: &str) -> Failure {
    Failure::new(FailureKind::NotFound, format!("there is no {what} `{}`", visible(name)))
}

fn path(id: &str) -> String {
    format!("{PATH}/{}", segment(id))
}
