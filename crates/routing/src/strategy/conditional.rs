//! The child that the first matching condition names, or else the default.

use crate::plan::Group;
use crate::walk::{Env, Facts, RouteError};

pub(super) fn choose(group: &Group, facts: &Facts<'_>, _: &mut Env<'_>) -> Result<Vec<usize>, RouteError> {
    let Some(conditions) = &group.strategy.conditions else {
        return Err(RouteError::bad_request("No conditions passed in the query router"));
    };
    for condition in conditions {
        if condition.query.matches(facts)? {
            return child_named(group, &condition.then);
        }
    }
    match &group.strategy.default {
        Some(name) => child_named(group, name),
        None => Err(RouteError::bad_request("Query router did not resolve to any valid target")),
    }
}

fn child_named(group: &Group, name: &str) -> Result<Vec<usize>, RouteError> {
    let found = group.children.iter().position(|child| child.name() == Some(name));
    found.map(|index| vec![index]).ok_or_else(|| {
        RouteError::bad_request(format!("Invalid target name found in the query router: {name}"))
    })
}
