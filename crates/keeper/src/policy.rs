//! From policies as they are stored to policies that are enforced, and the budgets that they have already.

use std::collections::HashMap;
use std::sync::Arc;

use tidegate_control::policy::{
    self as rule, Condition as Stated, RateRule, RateType, RateUnit, Target, UsageRule, UsageType,
};
use tidegate_directory::policy::{Budgets, Condition, Counted, Holds, Key, Measure, Pattern, Policy};
use tidegate_ledger::{Budget, BudgetId, Scope};
use tidegate_limits::{Algorithm, Period, Rule, Span, Window};
use tidegate_store::entity::{Policy as Entity, PolicyKind, PolicyState, Stored};

use crate::bounds::{Books, nothing};
use crate::pool::News;

/// The policy as requests meet it; `None` for one that no request does: it is in the archive, or for tools of MCP. One that
/// this program cannot read refuses everything: a newer one wrote it, and somebody relies on it.
pub(crate) fn of(stored: &Stored<Entity>, budgets: &Arc<dyn Budgets>) -> Option<Policy> {
    let entity = &stored.entity;
    if entity.state == PolicyState::Archived {
        return None;
    }
    let name = (stored.id.to_string().into(), entity.name.as_str().into());
    let read = match entity.kind {
        PolicyKind::RateLimit => match serde_json::from_value::<RateRule>(entity.rule.clone()) {
            Ok(rule) if rule.target == Target::McpTools => return None,
            Ok(rule) => Some((rule.conditions.clone(), rule.group_by.clone(), Holds::Rate(rate(&rule)))),
            Err(_) => None,
        },
        PolicyKind::UsageLimit => usage(stored, budgets),
    };
    let compiled = read.and_then(|(conditions, groups, holds)| {
        let conditions = conditions.iter().map(condition).collect::<Option<_>>()?;
        let groups = groups.iter().map(|group| key(&group.key)).collect::<Option<_>>()?;
        Some((conditions, groups, holds))
    });
    let (conditions, groups, holds) =
        compiled.unwrap_or_else(|| (Box::default(), Box::default(), Holds::Rate(nothing())));
    Some(Policy::new(name, conditions, groups, holds))
}

fn usage(
    stored: &Stored<Entity>,
    budgets: &Arc<dyn Budgets>,
) -> Option<(Vec<Stated>, Vec<rule::Group>, Holds)> {
    let rule: UsageRule = serde_json::from_value(stored.entity.rule.clone()).ok()?;
    let limit = rule.limit(stored.created_at).ok()?;
    let measure = match rule.r#type {
        UsageType::Requests => Measure::Requests,
        UsageType::Cost | UsageType::Tokens => Measure::Consumption,
    };
    let counted = Counted::new(measure, limit, stored.version, budgets.clone());
    Some((rule.conditions, rule.group_by, Holds::Usage(counted)))
}

fn rate(rule: &RateRule) -> Rule {
    let period = match rule.unit {
        RateUnit::Rpm => Period::Minute,
        RateUnit::Rph => Period::Hour,
        RateUnit::Rpd => Period::Day,
        RateUnit::Rpw => Period::Week,
    };
    let window = Window { span: Span::one(period), algorithm: Algorithm::FixedOnTheClock };
    match rule.r#type {
        RateType::Requests => Rule::requests(rule.value, window),
        RateType::Tokens => Rule::tokens(rule.value, window),
    }
}

fn condition(stated: &Stated) -> Option<Condition> {
    let key = key(&stated.key)?;
    let patterns =
        |values: &rule::Values| values.list().iter().map(|text| Pattern::parse(&key, text)).collect();
    let values = patterns(&stated.value);
    let excludes = stated.excludes.as_ref().map(patterns).unwrap_or_default();
    Some(Condition { key, values, excludes })
}

/// `None` for what only tools of MCP have.
fn key(stated: &rule::Key) -> Option<Key> {
    Some(match stated {
        rule::Key::ApiKey => Key::ApiKey,
        rule::Key::WorkspaceId => Key::Workspace,
        rule::Key::VirtualKey => Key::VirtualKey,
        rule::Key::Provider => Key::Provider,
        rule::Key::Config => Key::Config,
        rule::Key::Prompt => Key::Prompt,
        rule::Key::Model => Key::Model,
        rule::Key::EndpointType => Key::EndpointType,
        rule::Key::Metadata(name) => Key::Metadata(name.as_str().into()),
        rule::Key::McpServer | rule::Key::McpTool => return None,
    })
}

/// The budgets of policies that the books hold, by the policy's id.
pub(crate) type Known = HashMap<String, Vec<(BudgetId, Budget)>>;

pub(crate) fn known(books: &Books) -> Known {
    let mut known = Known::new();
    let Some(ledger) = &books.ledger else { return known };
    for id in ledger.budgets() {
        let Some(budget) = ledger.budget(id).filter(|budget| budget.scope == Scope::Policy) else { continue };
        if let Some((policy, _)) = budget.id.split_once('/') {
            known.entry(policy.to_owned()).or_default().push((id, budget));
        }
    }
    known
}

/// Brings the budgets that a policy has to what it says now; `None` for one that is no more.
pub(crate) fn adopt(books: &Books, policy: Option<&Policy>, known: Vec<(BudgetId, Budget)>) {
    let Some(ledger) = &books.ledger else { return };
    let counted = match policy.map(|policy| &policy.holds) {
        Some(Holds::Usage(counted)) => Some(counted),
        _ => None,
    };
    for (id, budget) in known {
        let wanted = counted.filter(|counted| {
            let (limit, before) = (&counted.limit, &budget.limit);
            limit.unit() == before.unit() && limit.reset() == before.reset()
        });
        let Some(counted) = wanted else {
            // Gone already is as good.
            let _ = ledger.remove(id);
            continue;
        };
        if counted.limit != budget.limit {
            let changed = Budget::new(budget.scope, &*budget.id, counted.limit.clone());
            books.tell(News::Put(changed.clone(), counted.version));
            // A closed ledger serves nobody.
            let _ = ledger.put(changed);
        }
        counted.adopt(&budget.id, id);
    }
}
