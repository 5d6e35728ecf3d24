//! Alert rules: `/v1/alerts`. What a rule means and when it fires is in the crate `alerts`; looking at the records is
//! [`lookout`]'s, and telling is whoever implements [`Messenger`].

mod channels;
mod events;
mod lookout;
mod messenger;
pub(crate) mod question;
mod row;
mod trial;

pub(crate) use events::list as list_events;
pub use lookout::{Counts, Lookout};
pub use messenger::{Delivered, Messenger};
pub(crate) use trial::run as test;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_alerts::{Channel, RuleText};
use tidegate_store::entity::{AlertRule, Stored};
use tidegate_store::id::{AlertRuleId, EntityId, WorkspaceId};
use tidegate_store::{Expected, Scope};

use crate::call::Call;
use crate::find::{Place, id_of};
use crate::listing::{List, Paging, all, page};
use crate::patch::Patch;
use crate::principal::found;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use channels::ChannelText;
use row::Row;

/// Of one workspace: all are looked at within a minute.
const MOST_RULES: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    #[serde(default)]
    description: Patch<String>,
    /// True unless said otherwise.
    #[serde(default)]
    enabled: Option<bool>,
    rule: RuleText,
    /// Who is told, up to 10. Without any, the rule's history and the console say so only.
    #[serde(default)]
    channels: Vec<ChannelText>,
    #[serde(default)]
    workspace_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    enabled: Option<bool>,
    /// The whole of it.
    #[serde(default)]
    rule: Option<RuleText>,
    /// All of them. One with the `id` of one that is there keeps its address and its secret where they are left out.
    #[serde(default)]
    channels: Option<Vec<ChannelText>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
}

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Row> {
    let home = call.home(body.workspace_id.as_deref().or(place.workspace_id.as_deref())).await?;
    let workspace = home.workspace.ok_or_else(|| Problem::internal("a home outside of any workspace"))?;
    let scope = Scope::Workspace(call.organisation, workspace);
    if all::<AlertRule>(call.store(), &scope).await?.len() >= MOST_RULES {
        return Err(Problem::conflict(format!("the workspace has {MOST_RULES} alert rules; delete one")));
    }
    question::check(&body.rule)?;
    let channels = channels::entered(body.channels, &[])?;
    let rule = AlertRule {
        name: body.name,
        description: body.description.set(),
        enabled: body.enabled.unwrap_or(true),
        rule: json(&body.rule)?,
        channels: json(&channels)?,
        made_by: call.maker(),
    };
    let made = call.store().create(&call.by, home, rule).await?;
    ok(Row::of(&made, None)?)
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let home = call.home(filter.place.workspace_id.as_deref()).await?;
    let workspace = home.workspace.ok_or_else(|| Problem::internal("a home outside of any workspace"))?;
    let rules = rules_of(&call, workspace).await?;
    let (total, rules) = page(filter.paging, rules)?;
    let ids: Vec<AlertRuleId> = rules.iter().map(|rule| rule.id).collect();
    let states = call.store().alert_states(&ids).await?;
    let state = |rule: &Stored<AlertRule>| states.iter().find(|(id, _)| *id == rule.id).map(|(_, one)| one);
    let mut rows = Vec::with_capacity(rules.len());
    for rule in &rules {
        rows.push(Row::of(rule, state(rule))?);
    }
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    let rule = named(&call).await?;
    ok(shown(&call, &rule).await?)
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Row> {
    let rule = named(&call).await?;
    if let Some(text) = &body.rule {
        question::check(text)?;
    }
    let next = body.rule.as_ref().map(json).transpose()?;
    let channels = match body.channels {
        None => None,
        Some(entered) => Some(json(&channels::entered(entered, &channels_of(&rule)?)?)?),
    };
    let change = |stored: &mut AlertRule| {
        if let Some(name) = &body.name {
            stored.name.clone_from(name);
        }
        body.description.clone().apply(&mut stored.description);
        stored.enabled = body.enabled.unwrap_or(stored.enabled);
        if let Some(next) = &next {
            stored.rule.clone_from(next);
        }
        if let Some(channels) = &channels {
            stored.channels.clone_from(channels);
        }
        Ok(())
    };
    let expected = Expected::Version(rule.version);
    let changed = call.store().update(&call.by, &call.whole(), rule.id, expected, change).await?;
    ok(shown(&call, &changed).await?)
}

pub(crate) async fn delete(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    let rule = named(&call).await?;
    call.store().delete::<AlertRule>(&call.by, &call.whole(), rule.id, Expected::Latest).await?;
    done()
}

/// The rule of the path.
async fn named(call: &Call) -> Result<Stored<AlertRule>, Problem> {
    let missing = || Problem::not_found("this alert rule");
    let id = id_of(call.name(0)).ok_or_else(missing)?;
    let rule = found(call.store().get::<AlertRule>(&call.whole(), AlertRuleId::from_uuid(id)).await)?;
    let rule = rule.ok_or_else(missing)?;
    call.authorize(rule.home)?;
    Ok(rule)
}

async fn shown(call: &Call, rule: &Stored<AlertRule>) -> Result<Row, Problem> {
    let states = call.store().alert_states(&[rule.id]).await?;
    Row::of(rule, states.first().map(|(_, state)| state))
}

async fn rules_of(call: &Call, workspace: WorkspaceId) -> Result<Vec<Stored<AlertRule>>, Problem> {
    Ok(all::<AlertRule>(call.store(), &Scope::Workspace(call.organisation, workspace)).await?)
}

fn json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(value)
        .map_err(|error| Problem::internal(format!("an alert rule cannot be written: {error}")))
}

/// # Errors
/// 500: what is stored is not what was written.
pub(crate) fn rule_of(stored: &Stored<AlertRule>) -> Result<RuleText, Problem> {
    serde_json::from_value(stored.entity.rule.clone())
        .map_err(|error| Problem::internal(format!("alert rule {} cannot be read: {error}", stored.id)))
}

/// # Errors
/// 500: what is stored is not what was written. Its text is not in the cause: it holds secrets.
pub(crate) fn channels_of(stored: &Stored<AlertRule>) -> Result<Vec<Channel>, Problem> {
    serde_json::from_value(stored.entity.channels.clone())
        .map_err(|_| Problem::internal(format!("the channels of alert rule {} cannot be read", stored.id)))
}
