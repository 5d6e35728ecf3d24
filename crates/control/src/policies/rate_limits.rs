//! Rate limits by condition and group: `/v1/policies/rate-limits`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::entity::{Policy, PolicyKind, Stored};

use super::rule::{Condition, For, Group, RateRule, RateType, RateUnit, Target, check};
use super::{
    Changed, Core, Created, Status, archive, changed, home, listed, made, named, rule_of, unchanged,
};
use crate::call::Call;
use crate::find::Place;
use crate::listing::{List, Paging, page};
use crate::patch::Patch;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    #[serde(default)]
    description: Patch<String>,
    #[serde(default)]
    target: Option<Target>,
    conditions: Vec<Condition>,
    group_by: Vec<Group>,
    r#type: RateType,
    unit: RateUnit,
    /// From 1.
    value: u64,
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
    conditions: Option<Vec<Condition>>,
    /// Cannot be changed.
    #[serde(default)]
    target: Option<Target>,
    /// Cannot be changed.
    #[serde(default)]
    group_by: Option<Vec<Group>>,
    /// Cannot be changed.
    #[serde(default)]
    r#type: Option<RateType>,
    #[serde(default)]
    unit: Option<RateUnit>,
    #[serde(default)]
    value: Option<u64>,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
    status: Option<Status>,
    r#type: Option<RateType>,
    unit: Option<RateUnit>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    #[serde(flatten)]
    core: Core,
    target: Target,
    conditions: Vec<Condition>,
    group_by: Vec<Group>,
    r#type: RateType,
    unit: RateUnit,
    value: u64,
}

const KIND: PolicyKind = PolicyKind::RateLimit;

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Created> {
    let home = home(&call, body.workspace_id.as_deref().or(place.workspace_id.as_deref())).await?;
    let rule = RateRule {
        target: body.target.unwrap_or_default(),
        conditions: body.conditions,
        group_by: body.group_by,
        r#type: body.r#type,
        unit: body.unit,
        value: body.value,
    };
    good(&rule)?;
    ok(made(&call, home, body.name, body.description.set(), KIND, &rule).await?)
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let policies = listed(&call, filter.place.workspace_id.as_deref(), KIND, filter.status).await?;
    let mut rows = Vec::with_capacity(policies.len());
    for policy in &policies {
        rows.push(Row::of(policy)?);
    }
    rows.retain(|row| {
        filter.r#type.is_none_or(|wanted| row.r#type == wanted)
            && filter.unit.is_none_or(|wanted| row.unit == wanted)
    });
    let (total, rows) = page(filter.paging, rows)?;
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, _: Nothing, _: Nothing) -> Answer<Row> {
    ok(Row::of(&named(&call, KIND).await?)?)
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Nothing> {
    let policy = named(&call, KIND).await?;
    let mut rule: RateRule = rule_of(&policy)?;
    unchanged("target", body.target.as_ref(), &rule.target)?;
    unchanged("group_by", body.group_by.as_ref(), &rule.group_by)?;
    unchanged("type", body.r#type.as_ref(), &rule.r#type)?;
    if let Some(conditions) = body.conditions {
        rule.conditions = conditions;
    }
    rule.unit = body.unit.unwrap_or(rule.unit);
    rule.value = body.value.unwrap_or(rule.value);
    good(&rule)?;
    let with = Changed { name: body.name.as_ref(), description: body.description, status: body.status };
    changed(&call, &policy, &rule, with).await?;
    done()
}

pub(crate) async fn delete(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    archive(&call, KIND).await?;
    done()
}

fn good(rule: &RateRule) -> Result<(), Problem> {
    check(&rule.conditions, &rule.group_by, For::Rate(rule.target))?;
    if !(1..=tidegate_limits::Rule::MAX_AMOUNT).contains(&rule.value) {
        let expected = format!("a whole number from 1 to {}", tidegate_limits::Rule::MAX_AMOUNT);
        return Err(Problem::field("value", format!("{} is not accepted", rule.value), expected));
    }
    Ok(())
}

impl Row {
    fn of(stored: &Stored<Policy>) -> Result<Self, Problem> {
        let rule: RateRule = rule_of(stored)?;
        Ok(Self {
            core: Core::of(stored),
            target: rule.target,
            conditions: rule.conditions,
            group_by: rule.group_by,
            r#type: rule.r#type,
            unit: rule.unit,
            value: rule.value,
        })
    }
}
