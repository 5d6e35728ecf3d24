//! Making and changing workspaces.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tidegate_access::{Permission, Scope as Right};
use tidegate_store::entity::{Member, User, Workspace, WorkspaceRole, WorkspaceState};
use tidegate_store::id::{EntityId, UserId, make_slug};
use tidegate_store::{Expected, Home, StoreError};
use uuid::Uuid;

use super::named;
use super::row::{INPUT, METADATA, OUTPUT, Row};
use crate::call::Call;
use crate::limits::{self, RateLimits, UsageLimits};
use crate::metadata::{self, Metadata};
use crate::patch::Patch;
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::retention;
use crate::switches::{self, Values};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    defaults: Patch<Defaults>,
    /// Ids of users of the organisation, who become members.
    #[serde(default)]
    users: Patch<Vec<Uuid>>,
    #[serde(default)]
    usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    rate_limits: Patch<RateLimits>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    defaults: Patch<Defaults>,
    #[serde(default)]
    usage_limits: Patch<UsageLimits>,
    #[serde(default)]
    rate_limits: Patch<RateLimits>,
    /// Switches of its own. Only for those who may change the organisation's.
    #[serde(default)]
    settings: Patch<Values>,
    /// What is kept of its requests. Only for those who may change the organisation's settings.
    #[serde(default)]
    records: Patch<retention::Wanted>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
struct Defaults {
    #[serde(default)]
    metadata: Patch<Metadata>,
    #[serde(default)]
    input_guardrails: Patch<Vec<String>>,
    #[serde(default)]
    output_guardrails: Patch<Vec<String>>,
}

pub(crate) async fn create(call: Call, _: Nothing, body: Create) -> Answer<Row> {
    let home = Home::organisation(call.organisation);
    call.authorize(home)?;
    check(&body.defaults)?;
    let limits = limits::Change::read(body.usage_limits, body.rate_limits, call.now())?;
    let users: Vec<UserId> =
        body.users.set().unwrap_or_default().into_iter().map(UserId::from_uuid).collect();
    for (at, user) in users.iter().enumerate() {
        if found(call.store().get::<User>(&call.whole(), *user).await)?.is_none() {
            let expected = "the id of a user of the organisation";
            return Err(Problem::field(&format!("users[{at}]"), "is not there", expected));
        }
    }
    let mut workspace = Workspace {
        slug: String::new(),
        name: body.name,
        description: body.description.set(),
        is_default: false,
        state: WorkspaceState::Active,
        defaults: Map::new(),
        limits: Default::default(),
        settings: Map::new(),
        records: Default::default(),
    };
    limits.apply(&mut workspace.limits);
    apply(&body.defaults, &mut workspace.defaults);
    let made = loop {
        workspace.slug = make_slug("ws-", &workspace.name)?;
        match call.store().create(&call.by, home, workspace.clone()).await {
            // One of sixteen million is taken: the next is not.
            Err(StoreError::Taken { .. }) => {}
            outcome => break outcome?,
        }
    };
    let within = Home::workspace(call.organisation, made.id);
    for user in users {
        let member = Member::new(user, WorkspaceRole::Member);
        match call.store().create(&call.by, within, member).await {
            // Named twice.
            Err(StoreError::Taken { .. }) => {}
            outcome => drop(outcome?),
        }
    }
    ok(Row::of(&call, &made))
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Row> {
    let workspace = named(&call).await?;
    check(&body.defaults)?;
    let limits = limits::Change::read(body.usage_limits, body.rate_limits, workspace.created_at)?;
    if body.settings != Patch::Keep || body.records != Patch::Keep {
        let above = Permission::Needs(Right::OrganisationSettingsUpdate);
        call.authorize_for(above, Home::organisation(call.organisation), None)?;
    }
    let settings = switches::read("settings", body.settings)?;
    let records = retention::Change::read(body.records, call.api.options.keep_days)?;
    let change = |stored: &mut Workspace| {
        if let Some(name) = &body.name {
            stored.name.clone_from(name);
        }
        body.description.clone().apply(&mut stored.description);
        limits.apply(&mut stored.limits);
        apply(&body.defaults, &mut stored.defaults);
        switches::apply(&settings, &mut stored.settings);
        records.apply(&mut stored.records);
        Ok(())
    };
    let changed =
        call.store().update(&call.by, &call.whole(), workspace.id, Expected::Latest, change).await?;
    ok(Row::of(&call, &changed))
}

fn check(defaults: &Patch<Defaults>) -> Result<(), Problem> {
    let Patch::Set(defaults) = defaults else { return Ok(()) };
    if let Patch::Set(metadata) = &defaults.metadata {
        metadata::check("defaults.metadata", metadata)?;
    }
    Ok(())
}

fn apply(defaults: &Patch<Defaults>, kept: &mut Map<String, Value>) {
    let defaults = match defaults {
        Patch::Keep => return,
        Patch::Clear => return kept.clear(),
        Patch::Set(defaults) => defaults.clone(),
    };
    let words = |words: Vec<String>| Value::Array(words.into_iter().map(Value::String).collect());
    for (name, change) in [
        (METADATA, defaults.metadata.map(|metadata| Value::Object(metadata::kept(metadata)))),
        (INPUT, defaults.input_guardrails.map(words)),
        (OUTPUT, defaults.output_guardrails.map(words)),
    ] {
        match change {
            Patch::Keep => {}
            Patch::Clear => drop(kept.remove(name)),
            Patch::Set(value) => drop(kept.insert(name.to_owned(), value)),
        }
    }
}
