//! Saved configs: `/v1/configs`.

mod diff;
mod dry_run;
mod grammar;
mod row;
mod secrets;
mod versions;

pub(crate) use dry_run::dry_run;
pub(crate) use versions::{compare, rollback, version, versions};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_store::entity::{Config, Stored};
use tidegate_store::id::{EntityId, WorkspaceId, make_slug, version_id};
use tidegate_store::{Expected, Scope, StoreError};
use uuid::Uuid;

use crate::call::Call;
use crate::find::{InBody, Place, named};
use crate::flag::Flag;
use crate::listing::{List, Paging, all, page};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use grammar::Names;
use row::{Object, Row, Status, Whole};
use secrets::unmasked;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    config: Content,
    #[serde(default)]
    is_default: Option<Flag>,
    #[serde(default)]
    workspace_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    config: Option<Content>,
    #[serde(default)]
    status: Option<Status>,
    #[serde(default)]
    is_default: Option<Flag>,
    #[serde(default)]
    workspace_id: Option<String>,
}

/// A config: an object, or its JSON as text.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Content(#[schemars(with = "ObjectOrText")] Value);

#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the description only")]
enum ObjectOrText {
    Object(serde_json::Map<String, Value>),
    Text(String),
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Created {
    id: Uuid,
    version_id: Uuid,
    slug: String,
    object: Object,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Updated {
    version_id: Uuid,
    /// From 1.
    version: u64,
    object: Object,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content(***)")
    }
}

impl Content {
    fn object(self) -> Result<Value, Problem> {
        let value = match self.0 {
            Value::String(text) => serde_json::from_str(&text).map_err(|error| {
                Problem::field("config", format!("is not JSON: {error}"), "a JSON object {…}")
            })?,
            value => value,
        };
        match value {
            Value::Object(_) => Ok(value),
            _ => Err(Problem::field("config", "is not an object", "a JSON object {…}, or its text")),
        }
    }
}

impl Updated {
    fn of(stored: &Stored<Config>) -> Self {
        let version_id = version_id(stored.id.uuid(), stored.version);
        Self { version_id, version: stored.version, object: Object::Config }
    }
}

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Created> {
    let home = call.home(body.workspace_id.as_deref().or(place.workspace_id.as_deref())).await?;
    let workspace = workspace_of(home.workspace)?;
    let content = unmasked(body.config.object()?, None)?;
    grammar::check(&call, &Names::of(&call, workspace).await?, &content)?;
    let is_default = body.is_default.is_some_and(|flag| flag.0);
    let mut config = Config { name: body.name, slug: String::new(), is_default, archived: false, content };
    let made = loop {
        config.slug = make_slug(Config::SLUG_PREFIX, &config.name)?;
        match call.store().create(&call.by, home, config.clone()).await {
            // One of sixteen million is taken: the next is not.
            Err(StoreError::Taken { .. }) => {}
            outcome => break outcome?,
        }
    };
    if is_default {
        only_default(&call, &made).await?;
    }
    ok(Created {
        id: made.id.uuid(),
        version_id: version_id(made.id.uuid(), made.version),
        slug: made.entity.slug,
        object: Object::Config,
    })
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let workspace = call.home(filter.place.workspace_id.as_deref()).await?.workspace;
    let scope = Scope::Workspace(call.organisation, workspace_of(workspace)?);
    let (total, configs) = page(filter.paging, all::<Config>(call.store(), &scope).await?)?;
    let mut rows = Vec::with_capacity(configs.len());
    for config in &configs {
        rows.push(Row::of(&call, config).await?);
    }
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, place: Place, _: Nothing) -> Answer<Whole> {
    let config = named::<Config>(&call, place.workspace_id.as_deref()).await?;
    ok(Whole::of(&call, &config).await?)
}

pub(crate) async fn update(call: Call, place: Place, body: Update) -> Answer<Updated> {
    let wanted = body.workspace_id.as_deref().or(place.workspace_id.as_deref());
    let config = named::<Config>(&call, wanted).await?;
    let content = match body.config {
        Some(content) => {
            let content = unmasked(content.object()?, Some(&config.entity.content))?;
            let names = Names::of(&call, workspace_of(config.home.workspace)?).await?;
            grammar::check(&call, &names, &content)?;
            Some(content)
        }
        None => None,
    };
    let change = |stored: &mut Config| {
        if let Some(name) = &body.name {
            stored.name.clone_from(name);
        }
        if let Some(content) = &content {
            stored.content.clone_from(content);
        }
        if let Some(status) = body.status {
            stored.archived = status == Status::Archived;
        }
        if let Some(is_default) = body.is_default {
            stored.is_default = is_default.0;
        }
        Ok(())
    };
    let changed = call.store().update(&call.by, &call.whole(), config.id, Expected::Latest, change).await?;
    if body.is_default.is_some_and(|flag| flag.0) {
        only_default(&call, &changed).await?;
    }
    ok(Updated::of(&changed))
}

pub(crate) async fn delete(call: Call, place: Place, body: InBody) -> Answer<Nothing> {
    let config = named::<Config>(&call, body.or(&place)).await?;
    call.store().delete::<Config>(&call.by, &call.whole(), config.id, Expected::Latest).await?;
    done()
}

/// A workspace has one default.
async fn only_default(call: &Call, chosen: &Stored<Config>) -> Result<(), Problem> {
    let scope = Scope::Workspace(call.organisation, workspace_of(chosen.home.workspace)?);
    for other in all::<Config>(call.store(), &scope).await? {
        if other.entity.is_default && other.id != chosen.id {
            let change = |stored: &mut Config| {
                stored.is_default = false;
                Ok(())
            };
            call.store().update(&call.by, &scope, other.id, Expected::Latest, change).await?;
        }
    }
    Ok(())
}

fn workspace_of(workspace: Option<WorkspaceId>) -> Result<WorkspaceId, Problem> {
    workspace.ok_or_else(|| Problem::internal("a config outside of any workspace"))
}
