//! Children in the order written, until an answer is good enough. Those whose circuit is open are left out
//! while another one is up.

use super::{Strategy, available};
use crate::plan::Group;
use crate::walk::{Env, Facts, Outcome, RouteError};

pub(super) fn choose(group: &Group, _: &Facts<'_>, env: &mut Env<'_>) -> Result<Vec<usize>, RouteError> {
    Ok(available(group, env))
}

/// A list of statuses decides alone, also about successes; without one every answer but a success moves on.
pub(super) fn moves_on(strategy: &Strategy, outcome: &Outcome) -> bool {
    match &strategy.on_status_codes {
        Some(codes) => codes.contains(&outcome.status),
        None => !(200..300).contains(&outcome.status),
    }
}
