//! May this principal do this, to this object?
//!
//! Asked twice. [`admit`] when the route is known and nothing has been read or looked up: it needs no object, so what
//! it answers cannot depend on whether one exists. [`authorize`] when the object is known: what belongs to another
//! organisation, or to a workspace that is not the principal's, is not there.

use crate::id::{OrganisationId, UserId, WorkspaceId};
use crate::key::KeyKind;
use crate::permission::Permission;
use crate::principal::{Membership, Principal, Reach, Who};
use crate::refusal::{Reason, Refusal};
use crate::scope::{Scope, ScopeSet, UnknownScope};

/// Whose an object is.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    pub organisation: &'a OrganisationId,
    /// None for an object of the organisation as a whole.
    pub workspace: Option<&'a WorkspaceId>,
    /// For API keys.
    pub key: Option<(KeyKind, Option<&'a UserId>)>,
}

/// That it was asked, and for where. Only [`authorize`] makes one: functions that act can demand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    organisation: OrganisationId,
    workspace: Option<WorkspaceId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// Any one of these would have done.
    Missing(Vec<Scope>),
    /// Another's: not there as far as the caller can tell.
    NotFound,
}

impl Granted {
    pub fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    pub fn workspace(&self) -> Option<&WorkspaceId> {
        self.workspace.as_ref()
    }
}

/// # Errors
/// Denied when the principal could not do it to anything.
pub fn admit(principal: &Principal, permission: Permission) -> Result<(), Denied> {
    let could = |scopes| permission.check(scopes).map_err(Denied::Missing);
    match &principal.reach {
        Reach::Organisation(scopes) => could(*scopes),
        // All that is needed has to be held in one and the same workspace.
        Reach::Workspaces(places) if places.iter().any(|place| could(place.scopes).is_ok()) => Ok(()),
        // Named is what is held nowhere, or else the first of what is not held together.
        Reach::Workspaces(_) => could(principal.anywhere()).and_then(|()| could(ScopeSet::EMPTY)),
    }
}

/// # Errors
/// As [`admit`], whatever the object; then [`Denied::NotFound`] for what is not the principal's; then the scope that is
/// missing in that very workspace.
pub fn authorize(
    principal: &Principal,
    permission: Permission,
    resource: &Resource<'_>,
) -> Result<Granted, Denied> {
    admit(principal, permission)?;
    if principal.organisation != *resource.organisation {
        return Err(Denied::NotFound);
    }
    let kind = resource.key.map(|(kind, _)| kind);
    let narrowed = permission.narrowed(resource.workspace.is_some(), kind);
    let held = match (&principal.reach, resource.workspace) {
        (Reach::Organisation(scopes), _) => *scopes,
        (Reach::Workspaces(places), Some(workspace)) => {
            let place = places.iter().find(|place| place.workspace.id == *workspace);
            let place = place.ok_or(Denied::NotFound)?;
            if place.own_keys_only && is_of_another(principal, resource) {
                return Err(Denied::NotFound);
            }
            place.scopes
        }
        (Reach::Workspaces(places), None) => organisations(places, narrowed)?,
    };
    narrowed.check(held).map_err(Denied::Missing)?;
    Ok(Granted { organisation: principal.organisation.clone(), workspace: resource.workspace.cloned() })
}

/// # Errors
/// 400 for a scope that a key of this kind cannot hold; 403 naming the first one that `creator` would give away without
/// having it. Owners, admins and the admin key may give what fits the kind; an organisation's service key also what no
/// key of its own kind can hold, for otherwise it could hand out no key that calls a model.
pub fn may_grant(creator: &Principal, kind: KeyKind, wanted: ScopeSet) -> Result<(), Refusal> {
    if let Some(scope) = wanted.iter().find(|scope| !scope.fits(kind)) {
        let message = format!("a key of type {} cannot hold the scope {scope}", kind.word());
        return Err(Refusal::new(Reason::BadScope).about("scopes").saying(message));
    }
    let held = creator.anywhere();
    let may = |scope: Scope| match (&creator.who, &creator.reach) {
        (Who::Key { kind: KeyKind::Admin, .. }, _) | (Who::Person, Reach::Organisation(_)) => true,
        (Who::Key { kind: KeyKind::OrganisationService, .. }, _) => {
            held.allows(scope) || !scope.fits(KeyKind::OrganisationService)
        }
        _ => held.allows(scope),
    };
    match wanted.iter().find(|scope| !may(*scope)) {
        Some(scope) => Err(Denied::Missing(vec![scope]).into()),
        None => Ok(()),
    }
}

/// Objects of the organisation are seen from a workspace only by scopes that speak of the organisation: the list of
/// integrations it may use. Its policies, say, are not there.
fn organisations(places: &[Membership], permission: Permission) -> Result<ScopeSet, Denied> {
    let of_organisation = |scope: &Scope| scope.family().starts_with("organisation_");
    if !permission.scopes().iter().any(of_organisation) {
        return Err(Denied::NotFound);
    }
    Ok(places.iter().fold(ScopeSet::EMPTY, |all, place| all.union(place.scopes)))
}

fn is_of_another(principal: &Principal, resource: &Resource<'_>) -> bool {
    match resource.key {
        Some((_, owner)) => owner.is_none() || owner != principal.user.as_ref(),
        None => false,
    }
}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => Refusal::new(Reason::NotFound),
            Denied::Missing(scopes) => {
                let names: Vec<_> = scopes.iter().map(|scope| scope.text()).collect();
                Refusal::new(Reason::MissingScope).about(names.join(" or "))
            }
        }
    }
}

impl From<UnknownScope> for Refusal {
    fn from(unknown: UnknownScope) -> Self {
        let message = format!("unknown scope {:?}", unknown.0);
        Refusal::new(Reason::BadScope).about("scopes").saying(message)
    }
}

#[cfg(test)]
mod tests;
