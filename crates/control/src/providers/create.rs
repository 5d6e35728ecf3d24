//! Making a provider: over an integration, or with a key of its own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::StoreError;
use tidegate_store::entity::{Backing, Limits, Provider, Stored};
use tidegate_store::id::{EntityId, make_slug};
use uuid::Uuid;

use super::integration_of;
use crate::call::Call;
use crate::connection::{self, Entered, Input, Members, Pool};
use crate::find::Place;
use crate::limits::{self, RateLimits, UsageLimits};
use crate::patch::Patch;
use crate::problem::Problem;
use crate::reply::{Answer, ok};
use crate::timestamp::Timestamp;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    /// The provider's own name unless said otherwise.
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) slug: Option<String>,
    /// Id or slug. In its place, `provider` and `key` make a provider with a key of its own.
    #[serde(default)]
    pub(crate) integration_id: Option<String>,
    /// Id in the catalogue: `openai`.
    #[serde(default)]
    pub(crate) provider: Option<String>,
    #[serde(default)]
    pub(crate) key: Patch<Entered>,
    /// Several keys, of which each request takes one by weight.
    #[serde(default)]
    pub(crate) credentials: Patch<Pool>,
    #[serde(default)]
    pub(crate) base_url: Patch<String>,
    #[serde(default)]
    pub(crate) workspace_id: Option<String>,
    #[serde(default)]
    pub(crate) note: Patch<String>,
    #[serde(default)]
    pub(crate) usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    pub(crate) rate_limits: Patch<RateLimits>,
    #[serde(default)]
    pub(crate) expires_at: Patch<Timestamp>,
    #[serde(default)]
    pub(crate) secret_mappings: Option<Vec<serde_json::Value>>,
    /// What the provider needs beside a key: `resource_name`, `api_version`, `aws_region` and so on.
    #[serde(flatten)]
    pub(crate) members: Members,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: Uuid,
    slug: String,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Provider,
}

/// The slug of a new provider.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// This one, or none.
    Chosen(String),
    /// This one if it is free.
    Hoped(String),
    Any,
}

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Created> {
    if body.integration_id.is_none() && body.provider.is_none() {
        let expected = "the id or slug of an integration, or provider and key in its place";
        return Err(Problem::field("integration_id", "is missing", expected));
    }
    let made = make(&call, &place, body).await?;
    ok(Created { id: made.id.uuid(), slug: made.entity.slug, object: Object::Provider })
}

/// # Errors
/// What is wrong with the body, or [`Call::home`] says.
pub(crate) async fn make(call: &Call, place: &Place, body: Create) -> Result<Stored<Provider>, Problem> {
    let wanted = body.workspace_id.as_deref().or(place.workspace_id.as_deref());
    let home = call.home(wanted).await?;
    let workspace =
        home.workspace.ok_or_else(|| Problem::internal("a provider is made outside of any workspace"))?;
    no_mappings(body.secret_mappings.as_deref())?;
    let now = call.now();
    let mut limits = Limits::default();
    limits::Change::read(body.usage_limits, body.rate_limits, now)?.apply(&mut limits);
    let (backing, usual_name, hoped) = match body.integration_id.as_deref() {
        Some(integration) => {
            let has_own = !matches!((&body.key, &body.credentials), (Patch::Keep, Patch::Keep));
            if body.provider.is_some() || has_own {
                let expected = "either an integration, or provider and key";
                return Err(Problem::field("integration_id", "stands beside a key", expected));
            }
            let integration = integration_of(call, integration, workspace).await?;
            (Backing::Integration(integration.id), integration.entity.name, integration.entity.slug)
        }
        None => {
            let provider = body.provider.as_deref();
            let missing =
                || Problem::field("provider", "is missing", "an id of the catalogue, such as openai");
            let row = connection::row_of("provider", provider.ok_or_else(missing)?)?;
            let input = Input {
                key: body.key,
                credentials: body.credentials,
                base_url: body.base_url,
                members: body.members,
                field: "",
            };
            let own = connection::Change::read(call, row, input)?.made(row.id, now)?;
            (Backing::Own(own), row.name.to_owned(), row.id.to_owned())
        }
    };
    let slug = match (body.slug.filter(|slug| !slug.is_empty()), &body.name) {
        (Some(slug), _) => Wanted::Chosen(slug),
        (None, Some(_)) => Wanted::Any,
        (None, None) => Wanted::Hoped(hoped),
    };
    let provider = Provider {
        name: body.name.unwrap_or(usual_name),
        slug: String::new(),
        note: body.note.set(),
        backing,
        limits,
        expires_at: body.expires_at.set().map(|at| at.0),
        disabled: false,
    };
    slug_for(call, home, provider, slug).await
}

/// Stores it under the slug that is wanted, or another where that is not said.
///
/// # Errors
/// 409 for a chosen slug that is taken, and the store's.
pub(crate) async fn slug_for(
    call: &Call,
    home: tidegate_store::Home,
    mut provider: Provider,
    wanted: Wanted,
) -> Result<Stored<Provider>, Problem> {
    let mut wanted = wanted;
    loop {
        provider.slug = match &wanted {
            Wanted::Chosen(slug) | Wanted::Hoped(slug) => slug.clone(),
            Wanted::Any => make_slug("", &provider.name)?,
        };
        match call.store().create(&call.by, home, provider.clone()).await {
            Err(StoreError::Taken { .. }) if !matches!(wanted, Wanted::Chosen(_)) => wanted = Wanted::Any,
            outcome => return Ok(outcome?),
        }
    }
}

/// References to secrets elsewhere are not there yet, and a key that never comes must not be expected.
///
/// # Errors
/// 400 where there is one.
pub(crate) fn no_mappings(mappings: Option<&[serde_json::Value]>) -> Result<(), Problem> {
    if mappings.is_none_or(<[_]>::is_empty) {
        return Ok(());
    }
    let problem = "references to secrets are not supported in this version";
    Err(Problem::field("secret_mappings", problem, "the secret itself, as key"))
}
