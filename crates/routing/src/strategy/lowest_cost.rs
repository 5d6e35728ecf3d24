//! The cheapest child first, by the price the gateway knows for the request's model; those without a known
//! price last.

use super::available;
use crate::plan::{Group, Node, Target};
use crate::walk::{Env, Facts, RouteError};

pub(super) fn choose(group: &Group, _: &Facts<'_>, env: &mut Env<'_>) -> Result<Vec<usize>, RouteError> {
    let mut order = available(group, env);
    order.sort_by_cached_key(|index| price(&group.children[*index], env.price).unwrap_or(u64::MAX));
    Ok(order)
}

/// A group costs what its cheapest member does. Its depth is bounded by the config's own bound.
fn price(node: &Node, of: &dyn Fn(&Target) -> Option<u64>) -> Option<u64> {
    match node {
        Node::Target(target) => of(target),
        Node::Group(group) => group.children.iter().filter_map(|child| price(child, of)).min(),
    }
}
