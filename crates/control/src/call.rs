//! A request that was let in: who sends it, what it may do, and how its objects are found.

use std::net::IpAddr;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use tidegate_access::route::NAMES;
use tidegate_access::{
    Chosen, KeyKind, OrganisationId as PrincipalsOrganisation, Permission, Principal, Resource,
    UserId as PrincipalsUser, WorkspaceId as PrincipalsWorkspace, admit, authorize,
};
use tidegate_store::audit::{By, Origin};
use tidegate_store::entity::{Entity, Level, Stored, Workspace};
use tidegate_store::id::{OrganisationId, SessionId, UserId, WorkspaceId};
use tidegate_store::{Home, Scope, Store, StoreError};
use uuid::Uuid;

use crate::api::Inner;
use crate::authenticate::sender;
use crate::books::Books;
use crate::problem::Problem;
use crate::usage::Subject;

/// A request on a public route, and what is known of any request.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) api: Arc<Inner>,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: IpAddr,
    /// For audit entries.
    pub(crate) origin: Origin,
    pub(crate) names: [String; NAMES],
}

/// A request whose sender is known and may do what the route is for somewhere: [`tidegate_access::admit`] was asked.
/// That it may do so to an object is asked by the methods here.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    visit: Visit,
    pub(crate) principal: Principal,
    pub(crate) organisation: OrganisationId,
    permission: Permission,
    /// Who and from where, for every change.
    pub(crate) by: By,
    /// Of somebody who signed in.
    pub(crate) session: Option<SessionId>,
}

impl Deref for Call {
    type Target = Visit;

    fn deref(&self) -> &Visit {
        &self.visit
    }
}

impl Visit {
    pub(crate) fn store(&self) -> &Store {
        &self.api.store
    }

    /// # Errors
    /// 409: this gateway keeps none.
    pub(crate) fn books(&self) -> Result<&Books, Problem> {
        let none = || {
            Problem::conflict(
                "this gateway keeps no records of requests (records.enabled), so it keeps nothing about them",
            )
        };
        self.api.options.books.as_ref().ok_or_else(none)
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.api.clock.unix_ms()
    }

    /// Whether a budget of an object is used up, as far as anybody counts.
    pub(crate) fn is_exhausted(&self, subject: &Subject) -> bool {
        self.api.options.usage.standing(subject).iter().any(|budget| budget.is_exhausted)
    }

    /// The path's segment that stands for the `at`th name of the template.
    pub(crate) fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }
}

/// Percent escapes are resolved after the route was found, so that they cannot change it.
pub(crate) fn decoded(names: [&str; NAMES]) -> [String; NAMES] {
    names.map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned())
}

impl Call {
    pub(crate) fn new(
        visit: Visit,
        principal: Principal,
        organisation: OrganisationId,
        permission: Permission,
        by: By,
        session: Option<SessionId>,
    ) -> Self {
        Self { visit, principal, organisation, permission, by, session }
    }

    /// The same request as if it came now: its credential is looked at again.
    ///
    /// # Errors
    /// As when it came.
    pub(crate) async fn again(&self) -> Result<Self, Problem> {
        let visit = self.visit.clone();
        let sender = sender(&visit.api.store, &visit.api.uses, &Method::GET, &visit.headers).await?;
        admit(&sender.principal, self.permission)?;
        let session = sender.session.map(|session| session.id);
        Ok(Self::new(visit, sender.principal, sender.organisation, self.permission, self.by.clone(), session))
    }

    /// All of the organisation: for look-ups whose result is put to [`Call::authorize`].
    pub(crate) fn whole(&self) -> Scope {
        Scope::Organisation(self.organisation)
    }

    /// # Errors
    /// 403 naming the missing scope, or 404 for what is not the caller's.
    pub(crate) fn authorize(&self, home: Home) -> Result<(), Problem> {
        self.authorize_for(self.permission, home, None)
    }

    /// As [`Call::authorize`], for an API key of a kind and, if it is somebody's, of a user.
    ///
    /// # Errors
    /// As [`Call::authorize`].
    pub(crate) fn authorize_key(
        &self,
        home: Home,
        kind: KeyKind,
        user: Option<UserId>,
    ) -> Result<(), Problem> {
        self.authorize_for(self.permission, home, Some((kind, user)))
    }

    /// As [`Call::authorize`], for another permission than the route's.
    ///
    /// # Errors
    /// As [`Call::authorize`].
    pub(crate) fn authorize_for(
        &self,
        permission: Permission,
        home: Home,
        key: Option<(KeyKind, Option<UserId>)>,
    ) -> Result<(), Problem> {
        let organisation = PrincipalsOrganisation::new(home.organisation.to_string());
        let workspace = home.workspace.map(|id| PrincipalsWorkspace::new(id.to_string()));
        let user = key.and_then(|(_, user)| user).map(|id| PrincipalsUser::new(id.to_string()));
        let resource = Resource {
            organisation: &organisation,
            workspace: workspace.as_ref(),
            key: key.map(|(kind, _)| (kind, user.as_ref())),
        };
        authorize(&self.principal, permission, &resource)?;
        Ok(())
    }

    /// The workspace that the request is about: the one it names, by id or slug, or the caller's only one.
    ///
    /// # Errors
    /// 400 when it has to be named and is not, 403 for one that is not the caller's, 404 for one that is not there.
    pub(crate) async fn workspace(&self, named: Option<&str>) -> Result<Stored<Workspace>, Problem> {
        let named = match self.principal.choose(named)? {
            Chosen::Own(own) => own.id.text().to_owned(),
            Chosen::LookUp(text) => text.to_owned(),
        };
        self.look_up::<Workspace>(&self.whole(), &named).await
    }

    /// Where a new object goes: the workspace, if the caller's permission holds there.
    ///
    /// # Errors
    /// As [`Call::workspace`] and [`Call::authorize`].
    pub(crate) async fn home(&self, named: Option<&str>) -> Result<Home, Problem> {
        let workspace = self.workspace(named).await?;
        let home = Home::workspace(self.organisation, workspace.id);
        self.authorize(home)?;
        Ok(home)
    }

    /// An object by the id or slug in the path, if the caller's permission holds for it. `workspace` is what the
    /// request names; a slug needs one where the caller has several.
    ///
    /// # Errors
    /// 404 for what is not there or not the caller's, and what [`Call::workspace`] says.
    pub(crate) async fn find<E: Entity>(
        &self,
        id_or_slug: &str,
        workspace: Option<&str>,
    ) -> Result<Stored<E>, Problem> {
        let is_id = E::Id::from_text(id_or_slug).is_some();
        let named = workspace.filter(|text| !text.is_empty());
        let scope = if (is_id && named.is_none()) || E::LEVEL == Level::Organisation {
            self.whole()
        } else {
            Scope::Workspace(self.organisation, self.workspace(named).await?.id)
        };
        let stored = self.look_up::<E>(&scope, id_or_slug).await?;
        self.authorize(stored.home)?;
        Ok(stored)
    }

    /// By id or slug, with no question asked: the caller of this asks [`Call::authorize`].
    pub(crate) async fn look_up<E: Entity>(
        &self,
        scope: &Scope,
        id_or_slug: &str,
    ) -> Result<Stored<E>, Problem> {
        let missing = || Problem::not_found(&format!("this {}", E::KIND.as_str().replace('_', " ")));
        // Databases refuse some characters, and no slug has them.
        if id_or_slug.contains(char::is_control) {
            return Err(missing());
        }
        let found = match E::Id::from_text(id_or_slug) {
            Some(id) => self.store().get::<E>(scope, id).await,
            None => self.store().by_slug::<E>(scope, id_or_slug).await,
        };
        found.map_err(|error| match error {
            StoreError::NotFound { .. } => missing(),
            error => error.into(),
        })
    }

    /// The caller's own user, if the caller is somebody.
    pub(crate) fn user(&self) -> Option<UserId> {
        UserId::from_str(self.principal.user.as_ref()?.text()).ok()
    }

    /// The id of the person who asks, else of the key.
    pub(crate) fn maker(&self) -> String {
        match (&self.principal.who, &self.principal.user) {
            (_, Some(user)) => user.text().to_owned(),
            (tidegate_access::Who::Key { id, .. }, None) => id.text().to_owned(),
            _ => String::new(),
        }
    }

    /// Whether the caller reaches a workspace at all.
    pub(crate) fn reaches(&self, workspace: WorkspaceId) -> bool {
        self.authorize(Home::workspace(self.organisation, workspace)).is_ok()
    }
}

/// Ids from the text of a path.
trait FromText: Sized {
    fn from_text(text: &str) -> Option<Self>;
}

impl<I: tidegate_store::id::EntityId> FromText for I {
    /// In the one form in which ids are written: other readings of a UUID would be second names of the same object.
    fn from_text(text: &str) -> Option<Self> {
        let uuid = Uuid::try_parse(text).ok()?;
        (text.len() == 36).then(|| Self::from_uuid(uuid))
    }
}
