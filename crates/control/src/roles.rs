//! Who may give which role. Nobody gives one above his own, nobody changes his own, and the last owner stays.

use tidegate_access::{OrganisationRole, Reach, Who, WorkspaceRole};
use tidegate_store::entity::{self, Member, Stored, User, Workspace};
use tidegate_store::{Scope, Store};

use crate::call::Call;
use crate::listing::all;
use crate::principal::{found, organisation_role, workspace_role};
use crate::problem::Problem;
use crate::workspaces::within;
use tidegate_access::KeyKind;
use tidegate_store::id::UserId;

/// The role in the organisation as which the caller counts. The admin key is an owner, other keys of the organisation
/// are admins: whoever could be more would not need a key.
pub(crate) async fn in_organisation(call: &Call) -> Result<OrganisationRole, Problem> {
    match (&call.principal.who, &call.principal.reach) {
        (Who::Key { kind: KeyKind::Admin, .. }, _) => Ok(OrganisationRole::Owner),
        (Who::Person, _) => match call.user() {
            Some(user) => {
                let user = call.store().get::<User>(&call.whole(), user).await?;
                Ok(organisation_role(user.entity.role))
            }
            None => Ok(OrganisationRole::Member),
        },
        (_, Reach::Organisation(_)) => Ok(OrganisationRole::Admin),
        (_, Reach::Workspaces(_)) => Ok(OrganisationRole::Member),
    }
}

/// # Errors
/// 403 for a change that is not the caller's to make.
pub(crate) async fn may_change_user(
    call: &Call,
    user: &Stored<User>,
    to: OrganisationRole,
) -> Result<(), Problem> {
    if call.user() == Some(user.id) {
        return Err(Problem::forbidden("nobody changes or removes himself"));
    }
    let own = in_organisation(call).await?;
    if own.may_change(organisation_role(user.entity.role), to) {
        return Ok(());
    }
    Err(Problem::forbidden(format!(
        "somebody of the role {} may not change a {} into a {}",
        own.word(),
        user.entity.role,
        to.word()
    )))
}

/// Another owner, who has to stay one while this user ceases to be one; `None` for somebody who is none.
///
/// # Errors
/// 409 when this user is the only owner.
pub(crate) async fn another_owner(
    store: &Store,
    whole: &Scope,
    user: &Stored<User>,
) -> Result<Option<Stored<User>>, Problem> {
    if user.entity.role != entity::OrganisationRole::Owner {
        return Ok(None);
    }
    let is_other = |other: &Stored<User>| {
        other.id != user.id && other.entity.role == entity::OrganisationRole::Owner && !other.entity.disabled
    };
    match all::<User>(store, whole).await?.into_iter().find(is_other) {
        Some(other) => Ok(Some(other)),
        None => Err(Problem::conflict("the last owner stays one")),
    }
}

/// Whether the caller may give this role in a workspace to a user, or take it away.
///
/// # Errors
/// 403 for a role above the caller's own, and for the caller's own.
pub(crate) async fn may_change_member(
    call: &Call,
    workspace: &Stored<Workspace>,
    user: UserId,
    role: WorkspaceRole,
) -> Result<(), Problem> {
    let is_self = call.user() == Some(user);
    let own = match (&call.principal.reach, call.user()) {
        (Reach::Organisation(_), _) => return Ok(()),
        // A program's key: it does what its scopes say.
        (_, None) => WorkspaceRole::Admin,
        (_, Some(own)) => member(call, workspace, own).await?.unwrap_or(WorkspaceRole::Member),
    };
    if is_self {
        return Err(Problem::forbidden("nobody changes his own role, or removes himself"));
    }
    if rank(role) <= rank(own) {
        return Ok(());
    }
    Err(Problem::forbidden(format!(
        "a {} of a workspace may not make or change a {}",
        own.word(),
        role.word()
    )))
}

/// A user's role in a workspace, as its member.
pub(crate) async fn member(
    call: &Call,
    workspace: &Stored<Workspace>,
    user: UserId,
) -> Result<Option<WorkspaceRole>, Problem> {
    let scope: Scope = within(workspace);
    let member = found(call.store().by_slug::<Member>(&scope, &user.to_string()).await)?;
    Ok(member.map(|member| workspace_role(member.entity.role)))
}

fn rank(role: WorkspaceRole) -> u8 {
    match role {
        WorkspaceRole::Member => 0,
        WorkspaceRole::Manager => 1,
        WorkspaceRole::Admin => 2,
    }
}

/// As the store has it.
pub(crate) fn stored_workspace_role(role: WorkspaceRole) -> entity::WorkspaceRole {
    match role {
        WorkspaceRole::Admin => entity::WorkspaceRole::Admin,
        WorkspaceRole::Manager => entity::WorkspaceRole::Manager,
        WorkspaceRole::Member => entity::WorkspaceRole::Member,
    }
}

/// As the store has it.
pub(crate) fn stored_organisation_role(role: OrganisationRole) -> entity::OrganisationRole {
    match role {
        OrganisationRole::Owner => entity::OrganisationRole::Owner,
        OrganisationRole::Admin => entity::OrganisationRole::Admin,
        OrganisationRole::Member => entity::OrganisationRole::Member,
    }
}

/// A role in a workspace, in a body.
///
/// # Errors
/// 400 naming the member.
pub(crate) fn workspace_word(field: &str, word: &str) -> Result<WorkspaceRole, Problem> {
    WorkspaceRole::of_word(word).ok_or_else(|| {
        let problem = format!("{} is no role", tidegate_core::field::shown(word));
        Problem::field(field, problem, "\"admin\", \"manager\" or \"member\"")
    })
}

/// A role in the organisation, in a body. Owners are made by owners.
///
/// # Errors
/// 400 naming the member.
pub(crate) fn organisation_word(field: &str, word: &str) -> Result<OrganisationRole, Problem> {
    OrganisationRole::of_word(word).ok_or_else(|| {
        let problem = format!("{} is no role", tidegate_core::field::shown(word));
        Problem::field(field, problem, "\"admin\", \"member\" or \"owner\"")
    })
}
