//! The organisation and its switches: `/v1/admin/organisation`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_access::Switch;
use tidegate_store::entity::{Organisation, Stored};
use tidegate_store::id::EntityId;
use tidegate_store::{Expected, Home};
use uuid::Uuid;

use crate::call::Call;
use crate::flag::Flag;
use crate::patch::Patch;
use crate::principal::{OVERRIDES, switches as effective};
use crate::reply::{Answer, Nothing, ok};
use crate::switches::{self, Values};
use crate::timestamp::Timestamp;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    id: Uuid,
    slug: String,
    name: String,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    /// Whether workspaces may have switches of their own.
    allow_workspace_overrides: bool,
    /// All switches with the values that hold.
    settings: Values,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    Organisation,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    allow_workspace_overrides: Option<Flag>,
    #[serde(default)]
    settings: Patch<Values>,
}

impl Row {
    fn of(stored: &Stored<Organisation>) -> Self {
        let organisation = &stored.entity;
        let values = effective(organisation, None);
        let may = organisation.settings.get(OVERRIDES).and_then(Value::as_bool);
        Self {
            id: stored.id.uuid(),
            slug: organisation.slug.clone(),
            name: organisation.name.clone(),
            created_at: Timestamp(stored.created_at),
            last_updated_at: Timestamp(stored.updated_at),
            allow_workspace_overrides: may.unwrap_or(false),
            settings: Switch::all().map(|one| (one.word().to_owned(), Some(values.is_on(one)))).collect(),
            object: Object::Organisation,
        }
    }
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    call.authorize(Home::organisation(call.organisation))?;
    ok(Row::of(&call.store().get::<Organisation>(&call.whole(), call.organisation).await?))
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Row> {
    call.authorize(Home::organisation(call.organisation))?;
    let settings = switches::read("settings", body.settings)?;
    let change = |stored: &mut Organisation| {
        if let Some(name) = &body.name {
            stored.name.clone_from(name);
        }
        if let Some(Flag(may)) = body.allow_workspace_overrides {
            stored.settings.insert(OVERRIDES.to_owned(), Value::Bool(may));
        }
        switches::apply(&settings, &mut stored.settings);
        Ok(())
    };
    let (store, id) = (call.store(), call.organisation);
    ok(Row::of(&store.update(&call.by, &call.whole(), id, Expected::Latest, change).await?))
}
