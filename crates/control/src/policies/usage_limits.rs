//! Budgets by condition and group: `/v1/policies/usage-limits`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use tidegate_store::entity::{Policy, PolicyKind, Stored};

use super::rule::{Condition, For, Group, Period, UsageRule, UsageType, check};
use super::{
    Changed, Core, Created, Status, archive, changed, home, listed, made, named, rule_of, unchanged,
};
use crate::call::Call;
use crate::find::Place;
use crate::listing::{List, Paging, page};
use crate::patch::Patch;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use crate::standing;
use crate::timestamp::Timestamp;
use crate::usage::{Counted, Subject};

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: String,
    #[serde(default)]
    description: Patch<String>,
    conditions: Vec<Condition>,
    group_by: Vec<Group>,
    r#type: UsageType,
    #[schemars(with = "f64")]
    credit_limit: Number,
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    alert_threshold: Option<Number>,
    #[serde(default)]
    periodic_reset: Option<Period>,
    #[serde(default)]
    periodic_reset_days: Option<u32>,
    #[serde(default)]
    next_usage_reset_at: Option<Timestamp>,
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
    group_by: Option<Vec<Group>>,
    /// Cannot be changed.
    #[serde(default)]
    r#type: Option<UsageType>,
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    credit_limit: Option<Number>,
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    alert_threshold: Patch<Number>,
    #[serde(default)]
    periodic_reset: Patch<Period>,
    #[serde(default)]
    periodic_reset_days: Patch<u32>,
    #[serde(default)]
    next_usage_reset_at: Patch<Timestamp>,
    #[serde(default)]
    status: Option<Status>,
    /// Of one value of the group, such as `metadata._user:alice`.
    #[serde(default)]
    reset_usage_for_value: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Filter {
    #[serde(flatten)]
    paging: Paging,
    #[serde(flatten)]
    place: Place,
    status: Option<Status>,
    r#type: Option<UsageType>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Look {
    status: Option<Status>,
    include_usage: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    #[serde(flatten)]
    core: Core,
    conditions: Vec<Condition>,
    group_by: Vec<Group>,
    r#type: UsageType,
    /// US dollars, tokens or requests.
    #[schemars(with = "f64")]
    credit_limit: Number,
    #[schemars(with = "Option<f64>")]
    alert_threshold: Option<Number>,
    periodic_reset: Option<Period>,
    periodic_reset_days: Option<u32>,
    next_usage_reset_at: Option<Timestamp>,
    last_reset_at: Option<Timestamp>,
    /// Where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_key_usage_map: Option<BTreeMap<String, Value>>,
}

/// One value of the group.
#[derive(Debug, Serialize, JsonSchema)]
struct Value {
    #[schemars(with = "f64")]
    current_usage: Number,
    status: standing::Status,
    is_threshold_alerts_sent: bool,
    is_exhausted_alerts_sent: bool,
}

const KIND: PolicyKind = PolicyKind::UsageLimit;

pub(crate) async fn create(call: Call, place: Place, body: Create) -> Answer<Created> {
    let home = home(&call, body.workspace_id.as_deref().or(place.workspace_id.as_deref())).await?;
    let rule = UsageRule {
        conditions: body.conditions,
        group_by: body.group_by,
        r#type: body.r#type,
        credit_limit: body.credit_limit,
        alert_threshold: body.alert_threshold,
        periodic_reset: body.periodic_reset,
        periodic_reset_days: body.periodic_reset_days,
        next_usage_reset_at: body.next_usage_reset_at,
        last_reset_at: None,
    };
    check(&rule.conditions, &rule.group_by, For::Usage)?;
    rule.limit(call.now())?;
    ok(made(&call, home, body.name, body.description.set(), KIND, &rule).await?)
}

pub(crate) async fn list(call: Call, filter: Filter, _: Nothing) -> Answer<List<Row>> {
    let policies = listed(&call, filter.place.workspace_id.as_deref(), KIND, filter.status).await?;
    let mut rows = Vec::with_capacity(policies.len());
    for policy in &policies {
        rows.push(Row::of(policy)?);
    }
    rows.retain(|row| filter.r#type.is_none_or(|wanted| row.r#type == wanted));
    let (total, rows) = page(filter.paging, rows)?;
    ok(List::new(total, rows))
}

pub(crate) async fn retrieve(call: Call, look: Look, _: Nothing) -> Answer<Row> {
    let policy = named(&call, KIND).await?;
    if look.status.is_some_and(|status| status.state() != policy.entity.state) {
        return Err(Problem::not_found("this policy"));
    }
    let mut row = Row::of(&policy)?;
    if look.include_usage == Some(true) {
        let counted = call.api.options.usage.counted(policy.id);
        row.value_key_usage_map =
            Some(counted.iter().map(|one| (one.value_key.clone(), Value::of(one))).collect());
    }
    ok(row)
}

pub(crate) async fn update(call: Call, _: Nothing, body: Update) -> Answer<Nothing> {
    let policy = named(&call, KIND).await?;
    let before: UsageRule = rule_of(&policy)?;
    unchanged("group_by", body.group_by.as_ref(), &before.group_by)?;
    unchanged("type", body.r#type.as_ref(), &before.r#type)?;
    let rule = body.applied(before);
    check(&rule.conditions, &rule.group_by, For::Usage)?;
    rule.limit(policy.created_at)?;
    if let Some(value) = &body.reset_usage_for_value {
        standing::reset(&call, &Subject::Policy(policy.id, value.clone()))?;
    }
    let with = Changed { name: body.name.as_ref(), description: body.description, status: body.status };
    changed(&call, &policy, &rule, with).await?;
    done()
}

pub(crate) async fn delete(call: Call, _: Nothing, _: Nothing) -> Answer<Nothing> {
    archive(&call, KIND).await?;
    done()
}

impl Update {
    fn applied(&self, mut rule: UsageRule) -> UsageRule {
        if let Some(conditions) = &self.conditions {
            rule.conditions.clone_from(conditions);
        }
        if let Some(limit) = &self.credit_limit {
            rule.credit_limit = limit.clone();
        }
        self.alert_threshold.clone().apply(&mut rule.alert_threshold);
        self.periodic_reset.clone().apply(&mut rule.periodic_reset);
        self.periodic_reset_days.clone().apply(&mut rule.periodic_reset_days);
        self.next_usage_reset_at.clone().apply(&mut rule.next_usage_reset_at);
        rule
    }
}

impl Row {
    fn of(stored: &Stored<Policy>) -> Result<Self, Problem> {
        let rule: UsageRule = rule_of(stored)?;
        Ok(Self {
            core: Core::of(stored),
            conditions: rule.conditions,
            group_by: rule.group_by,
            r#type: rule.r#type,
            credit_limit: rule.credit_limit,
            alert_threshold: rule.alert_threshold,
            periodic_reset: rule.periodic_reset,
            periodic_reset_days: rule.periodic_reset_days,
            next_usage_reset_at: rule.next_usage_reset_at,
            last_reset_at: rule.last_reset_at.map(Timestamp),
            value_key_usage_map: None,
        })
    }
}

impl Value {
    fn of(counted: &Counted) -> Self {
        Self {
            current_usage: standing::number(counted.standing.used),
            status: standing::status(&counted.standing),
            is_threshold_alerts_sent: counted.threshold_alerted,
            is_exhausted_alerts_sent: counted.exhausted_alerted,
        }
    }
}
