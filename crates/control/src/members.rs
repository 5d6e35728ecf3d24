//! People in a workspace: `/v1/admin/workspaces/{slug}/users`.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_access::{Person, Scope as Right, ScopeSet};
use tidegate_store::entity::{ApiKey, KeyOwner, Member, Organisation, Stored, User, Workspace};
use tidegate_store::id::{EntityId, UserId};
use tidegate_store::{Expected, Home, StoreError};
use uuid::Uuid;

use crate::call::Call;
use crate::listing::{List, Paging, all, page};
use crate::principal::{found, organisation_role, switches, workspace_role};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use crate::roles;
use crate::timestamp::Timestamp;
use crate::workspaces::{named, within};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    /// `admin`, `manager` or `member`.
    role: Option<String>,
    email: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    object: Object,
    /// The user's.
    id: Uuid,
    first_name: String,
    last_name: String,
    org_role: &'static str,
    role: &'static str,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    status: &'static str,
    workspace_id: Uuid,
    email: String,
    /// What the person may do there.
    scopes: Vec<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
enum Object {
    #[serde(rename = "workspace-user")]
    WorkspaceUser,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Add {
    users: Vec<NewMember>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewMember {
    /// Of a user of the organisation.
    id: Uuid,
    /// `admin`, `manager` or `member`.
    role: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    /// `admin`, `manager` or `member`.
    role: String,
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let workspace = named(&call).await?;
    let role = filter.role.as_deref().map(|word| roles::workspace_word("role", word)).transpose()?;
    let fits = |row: &Row| {
        role.is_none_or(|role| row.role == role.word())
            && filter.email.as_ref().is_none_or(|email| row.email.eq_ignore_ascii_case(email))
    };
    let rows = rows(&call, &workspace).await?.into_iter().filter(fits).collect();
    let (total, rows) = page(filter.paging.clone(), rows)?;
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    let workspace = named(&call).await?;
    let member = member(&call, &workspace).await?;
    let user = call.store().get::<User>(&call.whole(), member.entity.user).await?;
    let organisation = call.store().get::<Organisation>(&call.whole(), call.organisation).await?;
    ok(Row::of(&workspace, &member, &user, &organisation.entity))
}

pub(crate) async fn add(call: Call, _: Nothing, body: Add) -> Answer<Nothing> {
    let workspace = named(&call).await?;
    let mut members = Vec::new();
    for (at, new) in body.users.iter().enumerate() {
        let role = roles::workspace_word(&format!("users[{at}].role"), &new.role)?;
        let user = UserId::from_uuid(new.id);
        roles::may_change_member(&call, &workspace, user, role).await?;
        let known = found(call.store().get::<User>(&call.whole(), user).await)?;
        if known.is_none() {
            let expected = "the id of a user of the organisation";
            return Err(Problem::field(&format!("users[{at}].id"), "is not there", expected));
        }
        if roles::member(&call, &workspace, user).await?.is_some() {
            return Err(
                Problem::conflict(format!("users[{at}].id: is in the workspace already")).about("users")
            );
        }
        members.push(Member::new(user, roles::stored_workspace_role(role)));
    }
    let home = Home::workspace(call.organisation, workspace.id);
    for member in members {
        call.store().create(&call.by, home, member).await?;
    }
    done()
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Nothing> {
    let workspace = named(&call).await?;
    let role = roles::workspace_word("role", &body.role)?;
    let member = member(&call, &workspace).await?;
    let user = member.entity.user;
    for role in [workspace_role(member.entity.role), role] {
        roles::may_change_member(&call, &workspace, user, role).await?;
    }
    let change = |stored: &mut Member| {
        stored.role = roles::stored_workspace_role(role);
        Ok(())
    };
    // Not from a later version: the role that was judged is the one that is changed.
    let expected = Expected::Version(member.version);
    call.store().update(&call.by, &within(&workspace), member.id, expected, change).await?;
    done()
}

/// The person's keys there are revoked.
pub(crate) async fn remove(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let workspace = named(&call).await?;
    let member = member(&call, &workspace).await?;
    let user = member.entity.user;
    roles::may_change_member(&call, &workspace, user, workspace_role(member.entity.role)).await?;
    let scope = within(&workspace);
    call.store().delete::<Member>(&call.by, &scope, member.id, Expected::Version(member.version)).await?;
    for key in all::<ApiKey>(call.store(), &scope).await? {
        if key.entity.owner == (KeyOwner::User { user }) && key.entity.revoked_at.is_none() {
            call.store().revoke_key(&call.by, &scope, key.id).await?;
        }
    }
    done()
}

/// The member that the path names by the user's id.
async fn member(call: &Call, workspace: &Stored<Workspace>) -> Result<Stored<Member>, Problem> {
    let missing = || Problem::not_found("this member");
    let user: UserId = call.name(1).parse().map_err(|_| missing())?;
    let found = call.store().by_slug::<Member>(&within(workspace), &user.to_string()).await;
    found.map_err(|error| match error {
        StoreError::NotFound { .. } => missing(),
        error => error.into(),
    })
}

/// Everybody who is in a workspace as its member, newest first.
pub(crate) async fn rows(call: &Call, workspace: &Stored<Workspace>) -> Result<Vec<Row>, Problem> {
    let organisation = call.store().get::<Organisation>(&call.whole(), call.organisation).await?;
    let users = all::<User>(call.store(), &call.whole()).await?;
    let users: HashMap<UserId, &Stored<User>> = users.iter().map(|user| (user.id, user)).collect();
    let members = all::<Member>(call.store(), &within(workspace)).await?;
    let row = |member: &Stored<Member>| {
        let user = users.get(&member.entity.user)?;
        Some(Row::of(workspace, member, user, &organisation.entity))
    };
    Ok(members.iter().filter_map(row).collect())
}

impl Row {
    fn of(
        workspace: &Stored<Workspace>,
        member: &Stored<Member>,
        user: &Stored<User>,
        organisation: &Organisation,
    ) -> Self {
        let role = workspace_role(member.entity.role);
        let person = Person { organisation: organisation_role(user.entity.role), workspace: Some(role) };
        let scopes: ScopeSet = person.scopes(switches(organisation, Some(&workspace.entity)));
        Self {
            object: Object::WorkspaceUser,
            id: user.id.uuid(),
            first_name: user.entity.first_name.clone(),
            last_name: user.entity.last_name.clone(),
            org_role: person.organisation.word(),
            role: role.word(),
            created_at: Timestamp(member.created_at),
            last_updated_at: Timestamp(member.updated_at),
            status: if user.entity.disabled { "disabled" } else { "active" },
            workspace_id: workspace.id.uuid(),
            email: user.entity.email.clone(),
            scopes: scopes.iter().map(Right::text).collect(),
        }
    }
}
