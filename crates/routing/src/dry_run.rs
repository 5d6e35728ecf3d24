//! What a plan would do with a request, without doing it: where requests like it start, and how each of them goes on
//! when targets answer as they are told to.
//!
//! Chance is drawn from fixed seeds, so that the same question has the same answer. Health is that of a gateway that has
//! just started: every circuit is closed.

use std::sync::Arc;

use tidegate_core::Moment;

use crate::health::Health;
use crate::plan::{Plan, Target};
use crate::walk::{Env, Facts, Outcome, RouteError, Step, Walk};

/// Requests drawn: a share is off by a percent or two at most.
const DRAWS: u32 = 2_000;
/// Attempts of one request, far above what a config can ask for.
const MOST_ATTEMPTS: usize = 1_000;

/// How requests that start at the same target go.
#[derive(Debug)]
pub struct Way {
    /// Of all requests, from 0 to 1.
    pub share: f64,
    pub attempts: Vec<Attempt>,
    /// As in [`Step::Done`].
    pub end: Result<i32, RouteError>,
}

/// One call of a target.
#[derive(Debug)]
pub struct Attempt {
    pub target: Arc<Target>,
    /// 0 for its first call.
    pub retry: u32,
    /// Before it, in milliseconds.
    pub wait_ms: u64,
    /// What it was said to answer.
    pub status: u16,
}

/// The ways of requests with these facts, the most frequent first. `price` is as in [`Env`], `status` what each target is
/// said to answer.
pub fn dry_run(
    plan: &Plan,
    facts: &Facts<'_>,
    price: &dyn Fn(&Target) -> Option<u64>,
    status: &dyn Fn(&Target) -> u16,
) -> Vec<Way> {
    // For each start, how many requests have it and the seed of the first of them.
    let mut starts: Vec<(Option<Box<str>>, u32, u64)> = Vec::new();
    for seed in 0..u64::from(DRAWS) {
        let start = Trip::new(seed, price).begin(plan, facts);
        match starts.iter_mut().find(|(path, ..)| *path == start) {
            Some((_, count, _)) => *count += 1,
            None => starts.push((start, 1, seed)),
        }
    }
    starts.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    let way = |(_, count, seed)| {
        let (attempts, end) = Trip::new(seed, price).walk(plan, facts, status);
        Way { share: f64::from(count) / f64::from(DRAWS), attempts, end }
    };
    starts.into_iter().map(way).collect()
}

/// One request.
struct Trip<'a> {
    health: Health,
    now: Moment,
    chance: u64,
    price: &'a dyn Fn(&Target) -> Option<u64>,
}

impl<'a> Trip<'a> {
    fn new(seed: u64, price: &'a dyn Fn(&Target) -> Option<u64>) -> Self {
        Self {
            health: Health::new(),
            now: Moment(1_000),
            chance: seed.wrapping_mul(0xd1b5_4a32_d192_ed03),
            price,
        }
    }

    /// The path of the first target; `None` when there is none.
    fn begin(&mut self, plan: &Plan, facts: &Facts<'_>) -> Option<Box<str>> {
        let mut walk = Walk::new(plan);
        match self.with(|env| walk.begin(facts, env)) {
            Ok(Step::Try { target, .. }) => Some(target.path.clone()),
            Ok(Step::Done { .. }) | Err(_) => None,
        }
    }

    fn walk(
        &mut self,
        plan: &Plan,
        facts: &Facts<'_>,
        status: &dyn Fn(&Target) -> u16,
    ) -> (Vec<Attempt>, Result<i32, RouteError>) {
        let mut walk = Walk::new(plan);
        let mut attempts = Vec::new();
        let mut step = self.with(|env| walk.begin(facts, env));
        loop {
            let (target, retry, wait_ms) = match step {
                Err(error) => return (attempts, Err(error)),
                Ok(Step::Done { retry_count }) => return (attempts, Ok(retry_count)),
                Ok(Step::Try { target, retry, wait_ms, .. }) => (target, retry, wait_ms),
            };
            self.now = self.now.plus(wait_ms);
            let outcome = Outcome::of_status(status(&target));
            self.health.record(&target.key, &outcome, self.now);
            attempts.push(Attempt { target, retry, wait_ms, status: outcome.status });
            if attempts.len() == MOST_ATTEMPTS {
                return (attempts, Ok(0));
            }
            step = self.with(|env| walk.after(&outcome, facts, env));
        }
    }

    fn with<T>(&mut self, ask: impl FnOnce(&mut Env<'_>) -> T) -> T {
        let chance = &mut self.chance;
        let mut env =
            Env { now: self.now, draw: &mut || draw(chance), health: &self.health, price: self.price };
        ask(&mut env)
    }
}

/// SplitMix64: from `0.0` to below `1.0`.
pub(crate) fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::plan::JsonMap;
    use crate::testing;

    /// Each way as `share: path path …`, for a request with this metadata whose targets answer as `override_params.model`
    /// says (`st503`).
    fn ways(config: &Value, metadata: &Value) -> Vec<(f64, Vec<String>, bool)> {
        let plan = testing::plan(config);
        let metadata = metadata.as_object().cloned().unwrap_or_default();
        let facts = Facts {
            metadata: &metadata,
            params: &JsonMap::new(),
            url_path: "/v1/chat/completions",
            header: &|_| None,
            prompt_prefix_hash: None,
        };
        let ways = dry_run(&plan, &facts, &|_| None, &testing::scripted_status);
        let told = |way: Way| {
            let paths = way.attempts.iter().map(|attempt| attempt.target.path.to_string()).collect();
            (way.share, paths, way.end.is_ok())
        };
        ways.into_iter().map(told).collect()
    }

    fn target(model: &str) -> Value {
        json!({"provider": "openai", "api_key": "k", "override_params": {"model": model}})
    }

    #[test]
    fn a_fallback_goes_on_as_its_targets_answer() {
        let config = json!({"strategy": {"mode": "fallback"}, "targets": [target("st503"), target("gpt")]});
        let one = (1.0, vec!["config.targets[0]".to_owned(), "config.targets[1]".to_owned()], true);
        assert_eq!(ways(&config, &json!({})), [one]);
    }

    #[test]
    fn shares_are_those_of_the_weights() {
        let weighted = |weight: f64| {
            let mut one = target("gpt");
            one["weight"] = json!(weight);
            one
        };
        let config =
            json!({"strategy": {"mode": "loadbalance"}, "targets": [weighted(0.25), weighted(0.75)]});
        let ways = ways(&config, &json!({}));
        assert_eq!(ways.len(), 2);
        assert!((ways[0].0 - 0.75).abs() < 0.03 && ways[0].1 == ["config.targets[1]"], "{ways:?}");
        assert!((ways[0].0 + ways[1].0 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn conditions_see_the_request_and_a_way_that_leads_nowhere_is_told() {
        let named = |name: &str| {
            let mut one = target("gpt");
            one["name"] = json!(name);
            one
        };
        let conditions = json!([{"query": {"metadata.tier": {"$eq": "pro"}}, "then": "large"}]);
        let config = json!({
            "strategy": {"mode": "conditional", "conditions": conditions},
            "targets": [named("small"), named("large")],
        });
        assert_eq!(ways(&config, &json!({"tier": "pro"}))[0].1, ["config.targets[1]"]);
        assert_eq!(ways(&config, &json!({"tier": "free"})), [(1.0, Vec::new(), false)]);
    }
}
