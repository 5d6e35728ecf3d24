//! Making and changing integrations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_access::Reach;
use tidegate_store::entity::{Grants, Integration, Stored};
use tidegate_store::id::{EntityId, make_slug};
use tidegate_store::{Expected, Home, StoreError};
use uuid::Uuid;

use super::find::named;
use super::lent::default_provider;
use super::prices::{ADJUSTMENTS, check_adjustments};
use crate::call::Call;
use crate::connection::{self, Entered, Input, Members, Pool};
use crate::find::Place;
use crate::flag::Flag;
use crate::patch::Patch;
use crate::problem::Problem;
use crate::providers::{DROPPED, no_mappings};
use crate::reply::{Answer, ok};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    /// Id in the catalogue: `openai`.
    ai_provider_id: String,
    #[serde(default)]
    slug: Option<String>,
    #[serde(default)]
    key: Patch<Entered>,
    /// Several keys, of which each request takes one by weight.
    #[serde(default)]
    credentials: Patch<Pool>,
    #[serde(default)]
    base_url: Patch<String>,
    #[serde(default)]
    description: Patch<String>,
    /// Makes it the workspace's alone.
    #[serde(default)]
    workspace_id: Option<String>,
    #[serde(default)]
    configurations: Members,
    #[serde(default)]
    secret_mappings: Option<Vec<Value>>,
    /// In the workspace, where it is a workspace's.
    #[serde(default)]
    create_default_provider: Option<Flag>,
    #[serde(default)]
    default_provider_slug: Option<String>,
    #[serde(default)]
    pricing_adjustments: Patch<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(default)]
    name: Option<String>,
    /// In place of all that were there.
    #[serde(default)]
    key: Patch<Entered>,
    /// In place of all that were there; one with the `id` of a stored credential keeps its key.
    #[serde(default)]
    credentials: Patch<Pool>,
    #[serde(default)]
    base_url: Patch<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    workspace_id: Option<String>,
    /// Members that are left out stay as they are, null clears one.
    #[serde(default)]
    configurations: Members,
    #[serde(default)]
    secret_mappings: Option<Vec<Value>>,
    #[serde(default)]
    pricing_adjustments: Patch<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: Uuid,
    slug: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Updated {
    /// What the caller should know: that a stored key was dropped, say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
}

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Created> {
    let wanted = body.workspace_id.as_deref().or(place.workspace_id.as_deref()).filter(|id| !id.is_empty());
    let home = match (&call.principal.reach, wanted) {
        (Reach::Organisation(_), None) => {
            let home = Home::organisation(call.organisation);
            call.authorize(home)?;
            home
        }
        (_, wanted) => call.home(wanted).await?,
    };
    no_mappings(body.secret_mappings.as_deref())?;
    adjustments(&body.pricing_adjustments)?;
    let row = connection::row_of("ai_provider_id", &body.ai_provider_id)?;
    let input = Input {
        key: body.key,
        credentials: body.credentials,
        base_url: body.base_url,
        members: body.configurations,
        field: "configurations",
    };
    let mut connection = connection::Change::read(&call, row, input)?.made(row.id, call.now())?;
    if let Patch::Set(adjustments) = body.pricing_adjustments {
        connection.settings.insert(ADJUSTMENTS.to_owned(), adjustments);
    }
    let integration = Integration {
        name: body.name,
        slug: String::new(),
        description: body.description.set(),
        connection,
        grants: Grants::default(),
        disabled: false,
    };
    let made = stored(&call, home, integration, body.slug.filter(|slug| !slug.is_empty())).await?;
    if let Some(workspace) = home.workspace
        && body.create_default_provider.is_none_or(|flag| flag.0)
    {
        default_provider(&call, &made, workspace, body.default_provider_slug.as_deref()).await?;
    }
    ok(Created { id: made.id.uuid(), slug: made.entity.slug })
}

async fn stored(
    call: &Call,
    home: Home,
    mut integration: Integration,
    slug: Option<String>,
) -> Result<Stored<Integration>, Problem> {
    let is_chosen = slug.is_some();
    integration.slug = slug.unwrap_or_default();
    loop {
        if !is_chosen {
            integration.slug = make_slug("", &integration.name)?;
        }
        match call.store().create(&call.by, home, integration.clone()).await {
            Err(StoreError::Taken { .. }) if !is_chosen => {}
            outcome => return Ok(outcome?),
        }
    }
}

pub(crate) async fn update(call: Call, place: Place, body: Update) -> Answer<Updated> {
    let wanted = body.workspace_id.as_deref().or(place.workspace_id.as_deref());
    let before = named(&call, wanted).await?;
    no_mappings(body.secret_mappings.as_deref())?;
    adjustments(&body.pricing_adjustments)?;
    let row = connection::row_of("ai_provider_id", &before.entity.connection.destination.provider)?;
    let input = Input {
        key: body.key,
        credentials: body.credentials,
        base_url: body.base_url,
        members: body.configurations,
        field: "configurations",
    };
    let connection = connection::Change::read(&call, row, input)?;
    connection.check(&before.entity.connection)?;
    let now = call.now();
    let change = |stored: &mut Integration| {
        if let Some(name) = &body.name {
            stored.name.clone_from(name);
        }
        body.description.clone().apply(&mut stored.description);
        match &body.pricing_adjustments {
            Patch::Keep => {}
            Patch::Clear => drop(stored.connection.settings.remove(ADJUSTMENTS)),
            Patch::Set(new) => {
                stored.connection.settings.insert(ADJUSTMENTS.to_owned(), new.clone());
            }
        }
        connection.apply(&mut stored.connection, now)
    };
    let after = call.store().update(&call.by, &call.whole(), before.id, Expected::Latest, change).await?;
    let (before, after) = (&before.entity.connection, &after.entity.connection);
    let dropped = before.destination != after.destination
        && !before.credentials.is_empty()
        && after.credentials.is_empty();
    ok(Updated { warnings: if dropped { vec![DROPPED] } else { Vec::new() } })
}

fn adjustments(adjustments: &Patch<Value>) -> Result<(), Problem> {
    match adjustments {
        Patch::Set(adjustments) => check_adjustments(ADJUSTMENTS, adjustments),
        Patch::Keep | Patch::Clear => Ok(()),
    }
}
