//! New keys: the one form of the gateway's own, from the system's random numbers.

use tidegate_access::{KeyKind, key};
use tidegate_core::Secret;

use crate::problem::Problem;

/// # Errors
/// 500 when the system has no random numbers.
pub(crate) fn make(kind: KeyKind) -> Result<Secret, Problem> {
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Problem::internal("the system has no random numbers"))?;
    Ok(key::generate(kind, &random))
}
