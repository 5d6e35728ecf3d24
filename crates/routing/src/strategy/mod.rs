//! How a group chooses among its children. One file and one row per strategy.
//!
//! A strategy sees the group, the request's facts, health, prices and chance, and gives an order: which child
//! first, which after it. The walk goes down that order as long as the strategy's rule says that an outcome
//! is worth another child.

mod conditional;
mod fallback;
mod least_latency;
mod loadbalance;
mod lowest_cost;
mod single;

use crate::config::StickyBy;
use crate::health::Health;
use crate::plan::{Group, Node};
use crate::query::Query;
use crate::walk::{Env, Facts, Outcome, RouteError};
use tidegate_core::Moment;

/// How a group chooses, compiled.
#[derive(Debug)]
pub(crate) struct Strategy {
    pub(crate) mode: Mode,
    /// Outcomes worth another child; `None` = the mode's own rule.
    pub(crate) on_status_codes: Option<Vec<u16>>,
    pub(crate) conditions: Option<Vec<Condition>>,
    pub(crate) default: Option<Box<str>>,
    pub(crate) sticky: Option<Sticky>,
}

#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) query: Query,
    pub(crate) then: Box<str>,
}

/// What keeps a caller at the same child of a load-balancing group.
#[derive(Debug)]
pub(crate) struct Sticky {
    pub(crate) by: Vec<StickyBy>,
    /// How often the choice is made anew, by this process's clock; `None` = never.
    pub(crate) ttl_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Single,
    Loadbalance,
    Fallback,
    Conditional,
    LeastLatency,
    LowestCost,
}

struct Row {
    mode: Mode,
    name: &'static str,
    /// Indexes of children in the order to try; empty when there is nothing to choose.
    choose: fn(&Group, &Facts<'_>, &mut Env<'_>) -> Result<Vec<usize>, RouteError>,
    /// Whether the next child of that order is tried after an outcome.
    moves_on: fn(&Strategy, &Outcome) -> bool,
}

const ALL: [Row; 6] = [
    Row { mode: Mode::Single, name: "single", choose: single::choose, moves_on: never },
    Row { mode: Mode::Loadbalance, name: "loadbalance", choose: loadbalance::choose, moves_on: never },
    Row { mode: Mode::Fallback, name: "fallback", choose: fallback::choose, moves_on: fallback::moves_on },
    Row { mode: Mode::Conditional, name: "conditional", choose: conditional::choose, moves_on: never },
    Row {
        mode: Mode::LeastLatency,
        name: "least_latency",
        choose: least_latency::choose,
        moves_on: on_provider_failure,
    },
    Row {
        mode: Mode::LowestCost,
        name: "lowest_cost",
        choose: lowest_cost::choose,
        moves_on: on_provider_failure,
    },
];

impl Mode {
    pub(crate) fn of(name: &str) -> Option<Self> {
        ALL.iter().find(|row| row.name == name).map(|row| row.mode)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|row| row.name)
    }

    fn row(self) -> &'static Row {
        &ALL[self as usize]
    }
}

pub(crate) fn choose(group: &Group, facts: &Facts<'_>, env: &mut Env<'_>) -> Result<Vec<usize>, RouteError> {
    (group.strategy.mode.row().choose)(group, facts, env)
}

pub(crate) fn moves_on(strategy: &Strategy, outcome: &Outcome) -> bool {
    (strategy.mode.row().moves_on)(strategy, outcome)
}

/// The error for a group whose strategy gave no child.
pub(crate) fn nothing_to_choose(group: &Group, env: &Env<'_>) -> RouteError {
    let open = group.children.iter().find(|child| is_barred(child, env.health, env.now));
    if let Some(child) = open {
        return RouteError::circuit_open(child.path());
    }
    if group.strategy.mode == Mode::Loadbalance {
        return RouteError::nothing_selected("No provider selected, please check the weights");
    }
    let path = &group.path;
    RouteError::nothing_selected(format!("No provider selected, please check the targets of '{path}'"))
}

fn never(_: &Strategy, _: &Outcome) -> bool {
    false
}

/// The rule of strategies whose children are equals: another one helps when this one failed, not when the
/// request was wrong.
fn on_provider_failure(strategy: &Strategy, outcome: &Outcome) -> bool {
    match &strategy.on_status_codes {
        Some(codes) => codes.contains(&outcome.status),
        None => outcome.is_provider_failure(),
    }
}

/// Children worth calling now. When none is, all that may be called: a breaker must not make things worse
/// than no breaker.
fn available(group: &Group, env: &Env<'_>) -> Vec<usize> {
    let up = those(group, |child| is_available(child, env.health, env.now));
    if up.is_empty() { callable(group, env) } else { up }
}

/// Children that may be called now, up or down.
fn callable(group: &Group, env: &Env<'_>) -> Vec<usize> {
    those(group, |child| !is_barred(child, env.health, env.now))
}

fn those(group: &Group, test: impl Fn(&Node) -> bool) -> Vec<usize> {
    (0..group.children.len()).filter(|index| test(&group.children[*index])).collect()
}

/// A group is available when anything in it is. Its depth is bounded by the config's own bound.
fn is_available(node: &Node, health: &Health, now: Moment) -> bool {
    match node {
        Node::Target(target) => health.is_available(target, now),
        Node::Group(group) => group.children.iter().any(|child| is_available(child, health, now)),
    }
}

/// Whether nothing in a node may be called now: strict circuits, all open. Its depth is bounded by the
/// config's own bound.
pub(crate) fn is_barred(node: &Node, health: &Health, now: Moment) -> bool {
    match node {
        Node::Target(target) => {
            target.circuit.is_some_and(|circuit| circuit.strict) && !health.is_available(target, now)
        }
        Node::Group(group) => {
            !group.children.is_empty() && group.children.iter().all(|child| is_barred(child, health, now))
        }
    }
}

#[cfg(test)]
mod tests;
