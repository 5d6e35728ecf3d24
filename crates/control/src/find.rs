//! Objects by the id or slug of the path, for callers who name no workspace.

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_access::Reach;
use tidegate_store::Scope;
use tidegate_store::entity::{Entity, Stored, Workspace};
use uuid::Uuid;

use crate::call::Call;
use crate::listing::all;
use crate::principal::found;
use crate::problem::Problem;

/// The query of a route whose object is in some workspace.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Place {
    /// Id or slug of the workspace; only callers of several workspaces need one.
    pub(crate) workspace_id: Option<String>,
}

/// What some clients send where others send a query.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct InBody {
    #[serde(default)]
    pub(crate) workspace_id: Option<String>,
}

impl InBody {
    /// The workspace that is named in either.
    pub(crate) fn or<'a>(&'a self, place: &'a Place) -> Option<&'a str> {
        self.workspace_id.as_deref().or(place.workspace_id.as_deref())
    }
}

/// An id in the one form in which ids are written: other readings would be second names of the same object.
pub(crate) fn id_of(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}

/// The object of the path's first name. Official clients do not say which workspace they mean when they name a slug:
/// for a caller of the whole organisation it is looked for in every one, and must be in one only.
///
/// # Errors
/// 404 for what is not there or not the caller's, 400 for a slug that several workspaces have.
pub(crate) async fn named<E: Entity>(call: &Call, workspace: Option<&str>) -> Result<Stored<E>, Problem> {
    let (name, named) = (call.name(0), workspace.filter(|text| !text.is_empty()));
    let is_slug = id_of(name).is_none();
    if named.is_some() || !is_slug || matches!(call.principal.reach, Reach::Workspaces(_)) {
        return call.find::<E>(name, named).await;
    }
    let mut hits = Vec::new();
    for workspace in all::<Workspace>(call.store(), &call.whole()).await? {
        let scope = Scope::Workspace(call.organisation, workspace.id);
        hits.extend(found(call.store().by_slug::<E>(&scope, name).await)?);
    }
    let Some(hit) = hits.pop() else { return call.look_up::<E>(&call.whole(), name).await };
    if !hits.is_empty() {
        let problem = "is missing, and several workspaces have this slug";
        return Err(Problem::field("workspace_id", problem, "the id or slug of a workspace"));
    }
    call.authorize(hit.home)?;
    Ok(hit)
}
