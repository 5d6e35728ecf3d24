use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::plan::Plan;
use crate::testing::{Road, even_draws, plan};

fn balanced(strategy: Value, weights: &[Value]) -> Value {
    let target = |(i, weight): (usize, &Value)| json!({"provider": "openai", "api_key": format!("k{i}"), "weight": weight});
    let mut all = json!({"mode": "loadbalance"});
    all.as_object_mut().unwrap().extend(strategy.as_object().unwrap().clone());
    json!({"strategy": all, "targets": weights.iter().enumerate().map(target).collect::<Vec<_>>()})
}

/// How often each target was chosen, out of `times`.
fn shares(road: &mut Road, plan: &Plan, times: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..times {
        *counts.entry(road.paths(plan).remove(0)).or_default() += 1;
    }
    counts
}

#[test]
fn each_mode_is_its_own_row() {
    for (i, row) in ALL.iter().enumerate() {
        assert_eq!(row.mode as usize, i, "{}", row.name);
        assert_eq!(Mode::of(row.name), Some(row.mode));
    }
}

#[test]
fn weights_are_shares() {
    let cases: [(&[Value], &[f64]); 5] = [
        (&[json!(1), json!(1)], &[0.5, 0.5]),
        (&[json!(0.9), json!(0.1)], &[0.9, 0.1]),
        (&[json!(1), json!(3)], &[0.25, 0.75]),
        (&[json!("2"), json!(0), json!(2)], &[0.5, 0.0, 0.5]),
        (&[json!(-5), json!(1)], &[0.0, 1.0]),
    ];
    for (weights, expected) in cases {
        let plan = plan(&balanced(json!({}), weights));
        let mut road = Road::new();
        road.draw = even_draws();
        let counts = shares(&mut road, &plan, 10_000);
        for (i, share) in expected.iter().enumerate() {
            let count = counts.get(&format!("config.targets[{i}]")).copied().unwrap_or(0) as f64;
            assert!((count - share * 10_000.0).abs() < 200.0, "{weights:?}: {counts:?}");
        }
    }
}

#[test]
fn draws_choose_by_the_running_remainder() {
    let plan = plan(&balanced(json!({}), &[json!(1), json!(0), json!(3)]));
    for (drawn, chosen) in [(0.0, 0), (0.2499, 0), (0.25, 2), (0.999_999, 2)] {
        let mut road = Road::new();
        road.draw = Box::new(move || drawn);
        assert_eq!(road.paths(&plan), [format!("config.targets[{chosen}]")], "{drawn}");
    }
}

#[test]
fn a_missing_weight_is_one_and_siblings_do_not_take_over() {
    let config = json!({"strategy": {"mode": "loadbalance"}, "targets": [
        {"provider": "openai", "api_key": "k", "override_params": {"model": "st500"}}, {"provider": "openai", "api_key": "k", "weight": 0},
    ]});
    assert_eq!(Road::new().paths(&plan(&config)), ["config.targets[0]"]);
}

#[test]
fn balancing_leaves_out_what_is_down() {
    let mut config = balanced(json!({}), &[json!(1), json!(1), json!(0)]);
    config["circuit_breaker"] = json!({"failures": 1});
    let (plan, mut road) = (plan(&config), Road::new());
    road.draw = Box::new(|| 0.0);
    road.travel(&plan, |_, _| Outcome::of_status(500));
    assert_eq!(road.paths(&plan), ["config.targets[1]"]);
    road.travel(&plan, |_, _| Outcome::of_status(500));
    assert_eq!(road.paths(&plan), ["config.targets[0]"], "never the one without a weight");
}

#[test]
fn callers_stick_in_proportion_to_the_weights() {
    let plan = plan(&balanced(json!({"sticky": {"by": "header:X-User"}}), &[json!(1), json!(3)]));
    let mut road = Road::new();
    road.draw = even_draws();
    let mut second = 0;
    for user in 0..4_000 {
        road.header = Some(("x-user", format!("user-{user}")));
        let chosen = road.paths(&plan);
        assert_eq!(chosen, road.paths(&plan), "the same again");
        second += usize::from(chosen == ["config.targets[1]"]);
    }
    assert!((2_880..3_120).contains(&second), "{second}");
}

#[test]
fn a_new_target_takes_only_its_share() {
    let config = |count: usize| {
        let mut config = balanced(json!({"sticky": {"by": "metadata.user"}}), &vec![json!(1); count]);
        // New ones come first, so that everybody's index changes.
        config["targets"].as_array_mut().unwrap().reverse();
        plan(&config)
    };
    let (before, after) = (config(3), config(4));
    let key = |plan: &Plan, path: &str| {
        plan.targets().iter().find(|target| &*target.path == path).map(|target| target.key)
    };
    let mut road = Road::new();
    let mut moved = 0;
    for user in 0..4_000 {
        road.metadata.insert("user".into(), json!(user));
        let (old, new) = (road.paths(&before).remove(0), road.paths(&after).remove(0));
        if key(&before, &old) != key(&after, &new) {
            moved += 1;
            assert_eq!(new, "config.targets[0]", "only to the new one");
        }
    }
    assert!((900..1_100).contains(&moved), "{moved}");
}

#[test]
fn equal_targets_share_evenly() {
    let same = json!({"provider": "openai", "api_key": "k"});
    let config = json!({"strategy": {"mode": "loadbalance", "sticky": {"by": "prompt_prefix"}}, "targets": [same, same]});
    let (plan, mut road) = (plan(&config), Road::new());
    let mut first = 0;
    for prefix in 0..2_000 {
        road.prompt_prefix_hash = Some(prefix);
        first += usize::from(road.paths(&plan) == ["config.targets[0]"]);
    }
    assert!((900..1_100).contains(&first), "{first}");
}

#[test]
fn without_a_value_chance_decides_and_with_a_period_anew_each_time() {
    let mut road = Road::new();
    road.draw = even_draws();
    let any = plan(&balanced(json!({"sticky": {"hash_fields": ["params.user"]}}), &[json!(1), json!(1)]));
    assert_eq!(shares(&mut road, &any, 100).len(), 2);
    road.params.insert("user".into(), json!("a"));
    assert_eq!(shares(&mut road, &any, 100).len(), 1);

    let timed = plan(&balanced(
        json!({"sticky": {"hash_fields": ["params.user"], "ttl": 60}}),
        &[json!(1), json!(1)],
    ));
    let mut chosen = BTreeMap::new();
    for minute in 0..100 {
        road.now = Moment(minute * 60_000);
        *chosen.entry(road.paths(&timed).remove(0)).or_insert(0) += 1;
    }
    assert!(chosen.len() == 2 && chosen.values().all(|count| *count > 25), "{chosen:?}");
}

#[test]
fn the_fastest_goes_first_and_others_get_a_chance() {
    let config = json!({"strategy": {"mode": "least_latency"}, "targets": [
        {"provider": "openai", "api_key": "k"}, {"provider": "anthropic", "api_key": "k"}, {"provider": "google", "api_key": "k"},
    ]});
    let (plan, mut road) = (plan(&config), Road::new());
    let speed = |target: &crate::Target| match &*target.provider {
        "openai" => 300,
        "anthropic" => 100,
        _ => 200,
    };
    let mut counts = BTreeMap::new();
    road.draw = even_draws();
    for _ in 0..2_000 {
        let trip = road
            .travel(&plan, |target, _| Outcome { first_byte_ms: Some(speed(target)), ..Outcome::default() });
        *counts.entry(trip.tries[0].clone()).or_insert(0) += 1;
    }
    assert!(counts["config.targets[1]#0+0"] > 1_850, "{counts:?}");
    assert!(counts["config.targets[0]#0+0"] > 15 && counts["config.targets[2]#0+0"] > 15, "{counts:?}");
}

#[test]
fn each_one_is_measured_before_any_is_preferred() {
    let named = |provider: &str| json!({"provider": provider, "api_key": "k"});
    let targets = [named("openai"), named("anthropic"), named("google")];
    let (plan, mut road) =
        (plan(&json!({"strategy": {"mode": "least_latency"}, "targets": targets})), Road::new());
    let mut answer = |ms: u64| {
        let outcome = Outcome { first_byte_ms: Some(ms), ..Outcome::default() };
        road.travel(&plan, |_, _| outcome).tries.remove(0)
    };
    let firsts = [answer(30), answer(10), answer(20), answer(10)];
    let paths = [0, 1, 2, 1].map(|index| format!("config.targets[{index}]#0+0"));
    assert_eq!(firsts, paths);
}

#[test]
fn equals_take_over_from_each_other_on_the_providers_own_failures() {
    for mode in ["least_latency", "lowest_cost"] {
        let tried = |statuses: [u16; 2], strategy: Value| {
            let targets: Vec<Value> = statuses
                .iter()
                .map(|status| json!({"provider": "openai", "api_key": "k", "override_params": {"model": format!("st{status}")}}))
                .collect();
            let mut all = json!({"mode": mode});
            all.as_object_mut().unwrap().extend(strategy.as_object().unwrap().clone());
            Road::new().paths(&plan(&json!({"strategy": all, "targets": targets}))).len()
        };
        assert_eq!(tried([503, 200], json!({})), 2, "{mode}");
        assert_eq!(tried([400, 200], json!({})), 1, "{mode}");
        assert_eq!(tried([400, 200], json!({"on_status_codes": [400]})), 2, "{mode}");
        assert_eq!(tried([503, 200], json!({"on_status_codes": [400]})), 1, "{mode}");
    }
}

#[test]
fn the_cheapest_goes_first_and_the_unpriced_last() {
    let config = json!({"strategy": {"mode": "lowest_cost"}, "targets": [
        {"provider": "ollama", "override_params": {"model": "st500"}},
        {"provider": "openai", "api_key": "k", "override_params": {"model": "st500"}},
        {"strategy": {"mode": "single"}, "targets": [{"provider": "anthropic", "api_key": "k", "override_params": {"model": "st500"}}]},
    ]});
    let mut road = Road::new();
    road.price = Box::new(|target| match &*target.provider {
        "openai" => Some(20),
        "anthropic" => Some(10),
        _ => None,
    });
    let tried = road.paths(&plan(&config));
    assert_eq!(tried, ["config.targets[2].targets[0]", "config.targets[1]", "config.targets[0]"]);
}
