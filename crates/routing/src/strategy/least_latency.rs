//! The child that answers fastest first, by moving averages of the time to the first byte; the others after
//! it.
//!
//! A child that was never measured counts as fast, so that each one gets measured; a small share of requests
//! starts elsewhere, so that a child that was slow once gets another chance.

use super::available;
use crate::health::Health;
use crate::plan::{Group, Node};
use crate::walk::{Env, Facts, RouteError};

/// Share of requests that start at a child drawn evenly.
const EXPLORE: f64 = 0.05;

pub(super) fn choose(group: &Group, _: &Facts<'_>, env: &mut Env<'_>) -> Result<Vec<usize>, RouteError> {
    let mut order = available(group, env);
    let estimate = |index: &usize| first_byte_ms(&group.children[*index], env.health).unwrap_or(0.0);
    order.sort_by(|a, b| estimate(a).total_cmp(&estimate(b)));
    let drawn = (env.draw)();
    if drawn < EXPLORE && !order.is_empty() {
        let chosen = ((drawn / EXPLORE) * order.len() as f64) as usize;
        order[..=chosen].rotate_right(1);
    }
    Ok(order)
}

/// A group is as fast as its fastest member. Its depth is bounded by the config's own bound.
fn first_byte_ms(node: &Node, health: &Health) -> Option<f64> {
    match node {
        Node::Target(target) => health.first_byte_ms(&target.key),
        Node::Group(group) => {
            let known = group.children.iter().filter_map(|child| first_byte_ms(child, health));
            known.min_by(f64::total_cmp)
        }
    }
}
