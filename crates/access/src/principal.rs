//! Who a request acts for, once its key, token or session was found good.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::id::{KeyId, OrganisationId, UserId, Workspace};
use crate::key::KeyKind;
use crate::refusal::{Reason, Refusal};
use crate::role::{OrganisationRole, Person, WorkspaceRole};
use crate::scope::{Scope, ScopeSet};
use crate::switch::Switches;

/// What of one workspace is open to a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub workspace: Workspace,
    pub scopes: ScopeSet,
    /// Of the workspace's user keys, only those of the principal's own user.
    pub own_keys_only: bool,
}

/// How far a principal reaches within its organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every workspace, those to come included.
    Organisation(ScopeSet),
    Workspaces(Box<[Membership]>),
}

/// What identified the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Key {
        id: KeyId,
        kind: KeyKind,
    },
    /// Signed in, by role.
    Person,
    /// A signed token in place of a key.
    Token,
    /// Nobody: the gateway serves without keys.
    Keyless,
}

/// What applies to a request that says nothing else. An administrator attached it to the key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Defaults {
    /// `pc-…`.
    pub config: Option<Arc<str>>,
    /// The request may not bring a config of its own: 400 if it does.
    pub config_is_fixed: bool,
    pub metadata: Option<Arc<Map<String, Value>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub organisation: OrganisationId,
    pub who: Who,
    pub reach: Reach,
    /// To whom the request is attributed.
    pub user: Option<UserId>,
    pub defaults: Defaults,
}

/// Somebody's place in a workspace, and the switches that hold there.
#[derive(Debug, Clone)]
pub struct Place {
    pub workspace: Workspace,
    pub role: WorkspaceRole,
    pub switches: Switches,
}

impl Principal {
    /// By an organisation's or an admin's key. An admin key has every scope there is for it, whatever its row says.
    pub fn organisation_key(
        organisation: OrganisationId,
        id: KeyId,
        kind: KeyKind,
        scopes: ScopeSet,
    ) -> Self {
        let held = if kind == KeyKind::Admin { ScopeSet::of_kind(kind) } else { fitting(scopes, kind) };
        Self::new(organisation, Who::Key { id, kind }, Reach::Organisation(held))
    }

    /// By a program's key in one workspace.
    pub fn service_key(
        organisation: OrganisationId,
        id: KeyId,
        workspace: Workspace,
        scopes: ScopeSet,
    ) -> Self {
        let kind = KeyKind::WorkspaceService;
        let membership = Membership { workspace, scopes: fitting(scopes, kind), own_keys_only: false };
        Self::new(organisation, Who::Key { id, kind }, Reach::Workspaces([membership].into()))
    }

    /// By a person's key in one workspace. What a switch takes from the person's role it takes from the key; otherwise
    /// the key may hold more than the role, for an administrator gave it.
    pub fn user_key(
        organisation: OrganisationId,
        id: KeyId,
        workspace: Workspace,
        scopes: ScopeSet,
        user: UserId,
        denied: ScopeSet,
    ) -> Self {
        let kind = KeyKind::WorkspaceUser;
        let scopes = fitting(scopes, kind).without(denied);
        let membership = Membership { workspace, scopes, own_keys_only: true };
        let mut principal =
            Self::new(organisation, Who::Key { id, kind }, Reach::Workspaces([membership].into()));
        principal.user = Some(user);
        principal
    }

    /// A person who signed in. `places` are the workspaces of a member; an owner or admin is in all.
    pub fn person(
        organisation: OrganisationId,
        user: UserId,
        role: OrganisationRole,
        switches: Switches,
        places: impl IntoIterator<Item = Place>,
    ) -> Self {
        let reach = if role == OrganisationRole::Member {
            Reach::Workspaces(places.into_iter().map(|place| place.membership(role)).collect())
        } else {
            let everywhere = Person { organisation: role, workspace: None }.scopes(switches);
            Reach::Organisation(everywhere.union(role.scopes()))
        };
        let mut principal = Self::new(organisation, Who::Person, reach);
        principal.user = Some(user);
        principal
    }

    /// Whoever is served without a key: calls models, and nothing else.
    pub fn keyless(organisation: OrganisationId, workspace: Workspace) -> Self {
        let scopes = ScopeSet::EMPTY.with(Scope::CompletionsWrite);
        let membership = Membership { workspace, scopes, own_keys_only: true };
        Self::new(organisation, Who::Keyless, Reach::Workspaces([membership].into()))
    }

    /// By a token that was verified.
    pub fn token(organisation: OrganisationId, workspace: Workspace, scopes: ScopeSet) -> Self {
        let scopes = fitting(scopes, KeyKind::WorkspaceUser);
        let membership = Membership { workspace, scopes, own_keys_only: true };
        Self::new(organisation, Who::Token, Reach::Workspaces([membership].into()))
    }

    #[must_use]
    pub fn with_defaults(mut self, defaults: Defaults) -> Self {
        self.defaults = defaults;
        self
    }

    fn new(organisation: OrganisationId, who: Who, reach: Reach) -> Self {
        Self { organisation, who, reach, user: None, defaults: Defaults::default() }
    }

    /// Everything it may do somewhere.
    pub fn anywhere(&self) -> ScopeSet {
        match &self.reach {
            Reach::Organisation(scopes) => *scopes,
            Reach::Workspaces(places) => {
                places.iter().fold(ScopeSet::EMPTY, |all, place| all.union(place.scopes))
            }
        }
    }

    /// The workspace a request is about, from what it names (an id or a slug) and what is the principal's own.
    ///
    /// # Errors
    /// 403 for a workspace that is not the principal's, existing or not; 400 when one has to be named and is not.
    pub fn choose<'a>(&'a self, named: Option<&'a str>) -> Result<Chosen<'a>, Refusal> {
        let named = named.filter(|text| !text.is_empty());
        match (&self.reach, named) {
            (Reach::Organisation(_), Some(text)) => Ok(Chosen::LookUp(text)),
            (Reach::Workspaces(places), Some(text)) => places
                .iter()
                .find(|place| place.workspace.id.text() == text || &*place.workspace.slug == text)
                .map(|place| Chosen::Own(&place.workspace))
                .ok_or_else(|| Refusal::new(Reason::OtherWorkspace).about("workspace_id")),
            (Reach::Workspaces(places), None) if places.len() == 1 => Ok(Chosen::Own(&places[0].workspace)),
            (_, None) => Err(Refusal::new(Reason::NoWorkspace).about("workspace_id")),
        }
    }
}

/// Which workspace a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen<'a> {
    Own(&'a Workspace),
    /// To be found among the organisation's, by id or slug.
    LookUp(&'a str),
}

impl Place {
    fn membership(self, organisation: OrganisationRole) -> Membership {
        let person = Person { organisation, workspace: Some(self.role) };
        Membership {
            workspace: self.workspace,
            scopes: person.scopes(self.switches),
            own_keys_only: person.own_keys_only(),
        }
    }
}

/// A row that says more than its kind may hold is not believed.
fn fitting(scopes: ScopeSet, kind: KeyKind) -> ScopeSet {
    scopes.intersection(ScopeSet::of_kind(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::WorkspaceId;

    fn workspace(id: &str) -> Workspace {
        Workspace { id: WorkspaceId::new(id), slug: format!("ws-{id}").into() }
    }

    #[test]
    fn the_workspace_of_a_request() {
        let everything: ScopeSet = Scope::all().collect();
        let (organisation, id) = (OrganisationId::new("o"), KeyId::new("k"));
        let key = Principal::service_key(organisation.clone(), id.clone(), workspace("a"), everything);
        assert_eq!(key.choose(None), Ok(Chosen::Own(&workspace("a"))));
        for own in ["a", "ws-a", ""] {
            assert_eq!(key.choose(Some(own)), Ok(Chosen::Own(&workspace("a"))));
        }
        for other in ["b", "ws-b", "A", "nowhere"] {
            assert_eq!(key.choose(Some(other)).unwrap_err().status(), 403);
        }
        let admin = Principal::organisation_key(organisation.clone(), id, KeyKind::Admin, ScopeSet::EMPTY);
        assert_eq!(admin.choose(Some("b")), Ok(Chosen::LookUp("b")));
        assert_eq!(admin.choose(None).unwrap_err().reason, Reason::NoWorkspace);
        let places = ["a", "b"].map(|id| Place {
            workspace: workspace(id),
            role: WorkspaceRole::Member,
            switches: Switches::default(),
        });
        let person = |places: Vec<Place>| {
            let role = OrganisationRole::Member;
            Principal::person(organisation.clone(), UserId::new("u"), role, Switches::default(), places)
        };
        assert_eq!(person(places.to_vec()).choose(None).unwrap_err().status(), 400);
        assert_eq!(person(places.to_vec()).choose(Some("b")), Ok(Chosen::Own(&workspace("b"))));
        assert_eq!(person(vec![]).choose(Some("b")).unwrap_err().status(), 403);
    }

    #[test]
    fn a_row_is_not_believed_beyond_its_kind() {
        let everything: ScopeSet = Scope::all().collect();
        let (organisation, id) = (OrganisationId::new("o"), KeyId::new("k"));
        let of = |kind| Principal::organisation_key(organisation.clone(), id.clone(), kind, everything);
        assert!(!of(KeyKind::OrganisationService).anywhere().contains(Scope::CompletionsWrite));
        assert!(!of(KeyKind::Admin).anywhere().contains(Scope::CompletionsWrite));
        let key = Principal::service_key(organisation.clone(), id.clone(), workspace("a"), everything);
        assert!(!key.anywhere().contains(Scope::AuditLogsList));
        let denied = ScopeSet::EMPTY.with(Scope::LogsList);
        let user = UserId::new("u");
        let key = Principal::user_key(organisation.clone(), id, workspace("a"), everything, user, denied);
        assert!(!key.anywhere().contains(Scope::LogsList) && key.anywhere().contains(Scope::LogsView));
        let keyless = Principal::keyless(organisation, workspace("a"));
        assert_eq!(keyless.anywhere().iter().collect::<Vec<_>>(), [Scope::CompletionsWrite]);
    }
}
