//! Nobody gets more through a key than he has: to make one, widen it or learn its new text is to be given what it
//! opens.

use tidegate_access::{
    KeyKind, OrganisationRole, Principal, Reach, Scope, ScopeSet, UnknownScope, may_grant,
};
use tidegate_store::Home;
use tidegate_store::entity::{ApiKey, Stored};

use super::owner;
use crate::call::Call;
use crate::principal::kind_of;
use crate::problem::Problem;
use crate::roles;

/// The scopes that a body names.
///
/// # Errors
/// 400 for a word that names none.
pub(crate) fn scopes(words: &[String]) -> Result<ScopeSet, Problem> {
    let scopes: Result<ScopeSet, UnknownScope> = words.iter().map(|word| Scope::parse(word)).collect();
    scopes.map_err(|unknown| tidegate_access::Refusal::from(unknown).into())
}

/// Whether the caller may give these scopes to a key in this place.
///
/// # Errors
/// 400 for a scope that such a key cannot have, 403 for one that the caller does not have there.
pub(super) fn to_give(call: &Call, home: Home, kind: KeyKind, wanted: ScopeSet) -> Result<(), Problem> {
    Ok(may_grant(&there(&call.principal, home), kind, wanted)?)
}

/// Whether the caller may be told a new text of a key.
///
/// # Errors
/// 403 naming what the key opens and the caller does not, or that it takes an owner.
pub(super) async fn to_learn(call: &Call, key: &Stored<ApiKey>) -> Result<(), Problem> {
    if owner(&key.entity).is_some() && owner(&key.entity) == call.user() {
        // His own: an administrator may have given it more than his role has.
        return Ok(());
    }
    to_touch(call, key).await?;
    let kind = kind_of(&key.entity, key.home);
    let known = key.entity.scopes.iter().filter_map(|word| Scope::parse(word).ok());
    let opens = known.collect::<ScopeSet>().intersection(ScopeSet::of_kind(kind));
    to_give(call, key.home, kind, opens)
}

/// Whether the caller may do away with a key. Whoever may revoke keys may revoke those that open more, in an emergency
/// above all; the admin key counts as an owner.
///
/// # Errors
/// 403 when it takes an owner.
pub(super) async fn to_touch(call: &Call, key: &Stored<ApiKey>) -> Result<(), Problem> {
    if kind_of(&key.entity, key.home) != KeyKind::Admin {
        return Ok(());
    }
    match roles::in_organisation(call).await? {
        OrganisationRole::Owner => Ok(()),
        _ => Err(Problem::forbidden("the admin key is an owner's to change, rotate or revoke")),
    }
}

/// What the caller is in one place: what he may elsewhere does not count.
fn there(principal: &Principal, home: Home) -> Principal {
    let mut principal = principal.clone();
    if let (Reach::Workspaces(places), Some(workspace)) = (&principal.reach, home.workspace) {
        let workspace = workspace.to_string();
        let places = places.iter().filter(|place| place.workspace.id.text() == workspace);
        principal.reach = Reach::Workspaces(places.cloned().collect());
    }
    principal
}
