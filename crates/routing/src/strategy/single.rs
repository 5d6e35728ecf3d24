//! The first child, always.

use crate::plan::Group;
use crate::walk::{Env, Facts, RouteError};

pub(super) fn choose(group: &Group, _: &Facts<'_>, _: &mut Env<'_>) -> Result<Vec<usize>, RouteError> {
    Ok((0..group.children.len().min(1)).collect())
}
