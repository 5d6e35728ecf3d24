//! One child by chance, in proportion to the weights; or, when sticky, the same child for the same caller.
//!
//! Sticky choice is weighted rendezvous hashing: every child scores the caller's value, the highest score
//! wins. A new child takes its own share from the others and moves nobody else; nothing is stored, and every
//! process chooses alike.

use serde_json::Value;
use tidegate_core::Moment;

use super::{Sticky, available, callable};
use crate::config::StickyBy;
use crate::plan::{Group, StableHash};
use crate::walk::{Env, Facts, RouteError};

pub(super) fn choose(group: &Group, facts: &Facts<'_>, env: &mut Env<'_>) -> Result<Vec<usize>, RouteError> {
    let mut candidates = weighted(group, available(group, env));
    if candidates.is_empty() {
        // Everything with a weight is down: then down is better than nothing.
        candidates = weighted(group, callable(group, env));
    }
    let value = group.strategy.sticky.as_ref().and_then(|sticky| sticky_value(sticky, facts, env.now));
    let chosen = match value {
        Some(value) => highest_score(group, &candidates, value),
        None => draw(group, &candidates, (env.draw)()),
    };
    Ok(chosen.into_iter().collect())
}

fn weighted(group: &Group, mut children: Vec<usize>) -> Vec<usize> {
    children.retain(|index| group.children[*index].weight() > 0.0);
    children
}

fn draw(group: &Group, candidates: &[usize], drawn: f64) -> Option<usize> {
    let total: f64 = candidates.iter().map(|index| group.children[*index].weight()).sum();
    let mut left = drawn * total;
    for index in candidates {
        let weight = group.children[*index].weight();
        if left < weight {
            return Some(*index);
        }
        left -= weight;
    }
    // Rounding may leave a crumb behind the last one.
    candidates.last().copied()
}

fn highest_score(group: &Group, candidates: &[usize], value: u64) -> Option<usize> {
    let score = |index: &usize| {
        let mut hash = StableHash::new();
        hash.number(value);
        hash.number(group.sticky_ids[*index]);
        let even = ((hash.finish() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
        -group.children[*index].weight() / even.ln()
    };
    candidates.iter().copied().max_by(|a, b| score(a).total_cmp(&score(b)))
}

/// A hash over what the caller is recognised by; `None` when nothing of it is there, and chance decides.
fn sticky_value(sticky: &Sticky, facts: &Facts<'_>, now: Moment) -> Option<u64> {
    let mut hash = StableHash::new();
    let mut found = false;
    for by in &sticky.by {
        match by {
            StickyBy::Header(name) => {
                if let Some(value) = (facts.header)(name).filter(|value| !value.is_empty()) {
                    hash.text(value);
                    found = true;
                }
            }
            StickyBy::Metadata(key) => found |= add(&mut hash, facts.metadata.get(&**key)),
            StickyBy::Params(key) => found |= add(&mut hash, facts.params.get(&**key)),
            StickyBy::PromptPrefix => {
                if let Some(prefix) = facts.prompt_prefix_hash {
                    hash.number(prefix);
                    found = true;
                }
            }
        }
    }
    found.then(|| with_period(hash, sticky.ttl_s, now))
}

fn add(hash: &mut StableHash, value: Option<&Value>) -> bool {
    let value = value.filter(|value| !value.is_null());
    if let Some(value) = value {
        hash.value(value);
    }
    value.is_some()
}

/// Adds the number of the period, so that the choice is made anew in each. Periods of different callers start
/// at different times.
fn with_period(mut hash: StableHash, ttl_s: Option<u64>, now: Moment) -> u64 {
    let value = hash.finish();
    let Some(ttl_ms) = ttl_s.map(|s| s.saturating_mul(1_000)).filter(|ms| *ms > 0) else { return value };
    hash.number((now.0 + value % ttl_ms) / ttl_ms);
    hash.finish()
}
