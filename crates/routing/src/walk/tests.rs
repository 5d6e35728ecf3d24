use serde_json::{Value, json};

use super::*;
use crate::testing::{Road, Trip, even_draws, plan, scripted_status};

/// A target whose scripted upstream answers with `status`.
fn st(status: u16) -> Value {
    json!({"provider": "openai", "api_key": "k", "override_params": {"model": format!("st{status}")}})
}

fn with(mut node: Value, members: Value) -> Value {
    let (Some(all), Value::Object(members)) = (node.as_object_mut(), members) else { panic!("an object") };
    all.extend(members);
    node
}

fn group(strategy: Value, targets: Vec<Value>) -> Value {
    json!({"strategy": strategy, "targets": targets})
}

fn paths(config: Value) -> Vec<String> {
    Road::new().paths(&plan(&config))
}

fn end(config: Value) -> Result<i32, RouteError> {
    Road::new().travel(&plan(&config), |target, _| Outcome::of_status(scripted_status(target))).end
}

#[test]
fn fallback_goes_on_until_an_answer_is_good_enough() {
    let fallback = || json!({"mode": "fallback"});
    let on = |codes: Value| json!({"mode": "fallback", "on_status_codes": codes});
    let cases: Vec<(Value, Vec<u16>, usize)> = vec![
        (fallback(), vec![400, 200], 2),
        (fallback(), vec![401, 404, 408, 446, 500, 200], 6),
        (fallback(), vec![200, 200], 1),
        (fallback(), vec![246, 200], 1),
        (fallback(), vec![299, 200], 1),
        (fallback(), vec![304, 200], 2),
        (fallback(), vec![400, 503], 2),
        (on(json!([429])), vec![400, 200], 1),
        (on(json!([429])), vec![429, 400, 200], 2),
        (on(json!([246])), vec![246, 200], 2),
        (on(json!([200])), vec![200, 201], 2),
        (on(json!([])), vec![500, 200], 1),
    ];
    for (strategy, statuses, tried) in cases {
        let config = group(strategy, statuses.iter().map(|status| st(*status)).collect());
        let expected: Vec<String> = (0..tried).map(|i| format!("config.targets[{i}]")).collect();
        assert_eq!(paths(config.clone()), expected, "{config}");
    }
}

#[test]
fn each_target_of_a_fallback_has_its_own_retries() {
    let config = with(
        group(
            json!({"mode": "fallback"}),
            vec![st(503), with(st(429), json!({"retry": {"attempts": 0}})), st(500)],
        ),
        json!({"retry": {"attempts": 1, "jitter": false}}),
    );
    let trip = Road::new().travel(&plan(&config), |target, _| Outcome::of_status(scripted_status(target)));
    let expected = [
        "config.targets[0]#0+0",
        "config.targets[0]#1+1000",
        "config.targets[1]#0+0",
        "config.targets[2]#0+0",
        "config.targets[2]#1+1000",
    ];
    assert_eq!(trip, Trip { tries: expected.map(str::to_owned).to_vec(), end: Ok(-1) });
}

#[test]
fn failures_of_the_gateway_stop_everything_refusals_of_guardrails_do_not() {
    let config = group(json!({"mode": "fallback"}), vec![st(500), st(200)]);
    let tried = |outcome: Outcome| Road::new().travel(&plan(&config), |_, _| outcome).tries.len();
    assert_eq!(tried(Outcome { gateway_exception: true, ..Outcome::of_status(500) }), 1);
    assert_eq!(tried(Outcome { denied_before_call: true, ..Outcome::of_status(446) }), 2);
}

#[test]
fn groups_nest() {
    let nested = |inner: Vec<Value>| group(json!({"mode": "fallback"}), inner);
    let single = |inner: Vec<Value>| group(json!({"mode": "single"}), inner);
    assert_eq!(
        paths(nested(vec![st(400), single(vec![st(200)])])),
        ["config.targets[0]", "config.targets[1].targets[0]"]
    );
    // An inner group that gives up hands its last outcome to the outer one.
    assert_eq!(
        paths(nested(vec![
            nested(vec![st(500), st(501)]),
            nested(vec![single(vec![st(502)]), st(200)]),
            st(200)
        ])),
        [
            "config.targets[0].targets[0]",
            "config.targets[0].targets[1]",
            "config.targets[1].targets[0].targets[0]",
            "config.targets[1].targets[1]",
        ]
    );
    assert_eq!(paths(single(vec![nested(vec![st(500), st(500)]), st(200)])).len(), 2);
}

#[test]
fn conditional_choices() {
    let config = |strategy: Value| {
        group(
            with(json!({"mode": "conditional"}), strategy),
            vec![with(st(200), json!({"name": "one"})), with(st(200), json!({"name": "two"}))],
        )
    };
    let tier = || json!([{"query": {"metadata.tier": {"$eq": "pro"}}, "then": "one"}]);
    let mut pro = Road::new();
    pro.metadata.insert("tier".into(), json!("pro"));
    assert_eq!(
        pro.paths(&plan(&config(json!({"conditions": tier(), "default": "two"})))),
        ["config.targets[0]"]
    );
    assert_eq!(paths(config(json!({"conditions": tier(), "default": "two"}))), ["config.targets[1]"]);

    let mut road = Road::new();
    road.params = json!({"model": "x", "max_tokens": 11}).as_object().unwrap().clone();
    let by_model = json!([{"query": {"params.model": {"$in": ["x", "y"]}}, "then": "one"}]);
    assert_eq!(
        road.paths(&plan(&config(json!({"conditions": by_model, "default": "two"})))),
        ["config.targets[0]"]
    );
    let either = json!([{"query": {"$or": [{"params.max_tokens": {"$gt": 10}}, {"metadata.a": {"$eq": "b"}}]}, "then": "one"}]);
    assert_eq!(
        road.paths(&plan(&config(json!({"conditions": either, "default": "two"})))),
        ["config.targets[0]"]
    );

    let refused = |strategy: Value| end(config(strategy)).unwrap_err();
    let cases = [
        (json!({"conditions": tier()}), "Query router did not resolve to any valid target"),
        (json!({"conditions": tier(), "default": ""}), "Query router did not resolve to any valid target"),
        (json!({"conditions": tier(), "default": "zz"}), "Invalid target name found in the query router: zz"),
        (
            json!({"conditions": [{"query": {}, "then": "yy"}]}),
            "Invalid target name found in the query router: yy",
        ),
        (json!({"default": "two"}), "No conditions passed in the query router"),
        (
            json!({"conditions": [{"query": {"metadata.tier": {"$foo": 1}}, "then": "one"}], "default": "two"}),
            "Unsupported operator used in the query router: $foo",
        ),
    ];
    for (strategy, message) in cases {
        let expected = RouteError { status: 400, message: message.into() };
        assert_eq!(refused(strategy.clone()), expected, "{strategy}");
    }
}

#[test]
fn an_error_of_an_inner_conditional_ends_the_request() {
    let inner = group(json!({"mode": "conditional", "conditions": []}), vec![st(200)]);
    let config = group(json!({"mode": "fallback"}), vec![st(500), inner, st(200)]);
    let trip = Road::new().travel(&plan(&config), |target, _| Outcome::of_status(scripted_status(target)));
    assert_eq!(trip.tries.len(), 1);
    assert_eq!(trip.end.unwrap_err().status, 400);
}

#[test]
fn nothing_to_choose_is_an_error() {
    let weights = "No provider selected, please check the weights";
    let cases = [
        (group(json!({"mode": "loadbalance"}), vec![]), weights),
        (group(json!({"mode": "loadbalance"}), vec![with(st(200), json!({"weight": 0}))]), weights),
        (group(json!({"mode": "loadbalance"}), vec![with(st(200), json!({"weight": -1}))]), weights),
        (
            group(json!({"mode": "single"}), vec![]),
            "No provider selected, please check the targets of 'config'",
        ),
        (
            group(json!({"mode": "fallback"}), vec![]),
            "No provider selected, please check the targets of 'config'",
        ),
        (
            group(json!({"mode": "least_latency"}), vec![]),
            "No provider selected, please check the targets of 'config'",
        ),
    ];
    for (config, message) in cases {
        assert_eq!(end(config.clone()), Err(RouteError { status: 500, message: message.into() }), "{config}");
    }
}

#[test]
fn targets_without_a_strategy_are_one_target_without_a_provider() {
    let config = json!({"targets": [st(200)], "retry": {"attempts": 0}});
    let plan = plan(&config);
    let trip = Road::new().travel(&plan, |target, _| {
        assert_eq!(&*target.provider, "");
        Outcome { gateway_exception: true, ..Outcome::of_status(500) }
    });
    assert_eq!(trip.tries, ["config#0+0"]);
}

#[test]
fn open_circuits_are_skipped_while_another_target_is_up() {
    let breaker = json!({"failures": 1, "open_s": 10});
    let named = |provider: &str| json!({"provider": provider, "api_key": "k"});
    let config = |mode: &str| {
        with(
            group(json!({"mode": mode}), vec![named("openai"), named("anthropic")]),
            json!({"circuit_breaker": breaker}),
        )
    };
    let fails_first =
        |target: &Target| Outcome::of_status(if &*target.provider == "openai" { 500 } else { 200 });

    for mode in ["fallback", "least_latency", "lowest_cost"] {
        let (plan, mut road) = (plan(&config(mode)), Road::new());
        assert_eq!(road.travel(&plan, |target, _| fails_first(target)).tries.len(), 2, "{mode}");
        let trip = road.travel(&plan, |target, _| fails_first(target));
        assert_eq!(trip.tries, ["config.targets[1]#0+0"], "{mode}");
        road.now = road.now.plus(10_001);
        assert_eq!(
            road.travel(&plan, |target, _| fails_first(target)).tries.len(),
            2,
            "{mode}: a probe goes out"
        );
    }

    // When all are down, down is better than nothing.
    let (both, mut road) = (plan(&config("fallback")), Road::new());
    for _ in 0..2 {
        assert_eq!(road.travel(&both, |_, _| Outcome::of_status(500)).tries.len(), 2);
    }
    let mut road = Road::new();
    let alone = plan(&with(named("openai"), json!({"circuit_breaker": breaker})));
    for _ in 0..2 {
        assert_eq!(road.travel(&alone, |_, _| Outcome::of_status(500)).end, Ok(0));
    }
}

#[test]
fn a_strict_breaker_refuses_the_only_target() {
    let config =
        json!({"provider": "openai", "api_key": "k", "circuit_breaker": {"failures": 1, "strict": true}});
    let (plan, mut road) = (plan(&config), Road::new());
    assert_eq!(road.travel(&plan, |_, _| Outcome::of_status(500)).end, Ok(0));
    let refused = road.travel(&plan, |_, _| Outcome::of_status(500));
    assert_eq!(refused.tries, Vec::<String>::new());
    assert_eq!(refused.end.unwrap_err().status, 503);
}

#[test]
fn strict_targets_are_passed_by_while_anything_else_may_be_called() {
    let node = |provider: &str, strict: bool| json!({"provider": provider, "api_key": "k", "circuit_breaker": {"failures": 1, "strict": strict}});
    let config = |strict: [bool; 2]| {
        group(json!({"mode": "fallback"}), vec![node("openai", strict[0]), node("anthropic", strict[1])])
    };
    let (first, mut road) = (plan(&config([true, false])), Road::new());
    assert_eq!(road.travel(&first, |_, _| Outcome::of_status(500)).tries.len(), 2);
    let trip = road.travel(&first, |_, _| Outcome::of_status(500));
    assert_eq!(trip.tries, ["config.targets[1]#0+0"], "both are down, one may still be called");

    let (both, mut road) = (plan(&config([true, true])), Road::new());
    assert_eq!(road.travel(&both, |_, _| Outcome::of_status(500)).tries.len(), 2);
    let trip = road.travel(&both, |_, _| Outcome::of_status(500));
    assert_eq!((trip.tries.len(), trip.end.unwrap_err().status), (0, 503));
}

#[test]
fn a_strict_circuit_that_opens_meanwhile_leaves_the_last_answer() {
    let config = group(
        json!({"mode": "fallback"}),
        vec![
            st(500),
            json!({"provider": "anthropic", "api_key": "k", "circuit_breaker": {"failures": 1, "strict": true}}),
        ],
    );
    let (plan, road) = (plan(&config), Road::new());
    let (health, empty) = (&road.health, JsonMap::new());
    let facts = Facts {
        metadata: &empty,
        params: &empty,
        url_path: "/",
        header: &|_| None,
        prompt_prefix_hash: None,
    };
    let mut env = Env { now: Moment(1), draw: &mut || 0.5, health, price: &|_| None };
    let mut walk = Walk::new(&plan);
    walk.begin(&facts, &mut env).unwrap();
    // Another request finds out that the second target is down.
    let second = plan.targets()[1];
    health.begin(second, false, Moment(1));
    health.record(&second.key, &Outcome::of_status(500), Moment(1));
    let step = walk.after(&Outcome::of_status(500), &facts, &mut env).unwrap();
    assert!(matches!(step, Step::Done { retry_count: 0 }), "{step:?}");
}

#[test]
fn a_single_target_by_headers() {
    let plan = Plan::single(Target::new("openai"));
    let trip = Road::new().travel(&plan, |_, _| Outcome::of_status(500));
    assert_eq!(trip, Trip { tries: vec!["config#0+0".into()], end: Ok(0) });
}

#[test]
fn steps_offer_hedging() {
    let config = json!({"provider": "openai", "api_key": "k", "hedge": {"after": 250, "max_share": 1}});
    let (plan, road) = (plan(&config), Road::new());
    let (health, empty) = (&road.health, JsonMap::new());
    let facts = Facts {
        metadata: &empty,
        params: &empty,
        url_path: "/",
        header: &|_| None,
        prompt_prefix_hash: None,
    };
    let mut env = Env { now: Moment(1), draw: &mut || 0.5, health, price: &|_| None };
    let step = Walk::new(&plan).begin(&facts, &mut env).unwrap();
    assert!(matches!(step, Step::Try { hedge_after_ms: Some(250), .. }), "{step:?}");
}

/// Random trees, random outcomes: the walk ends, within the calls that the tree allows.
#[test]
fn every_walk_ends() {
    let mut draw = even_draws();
    for _ in 0..300 {
        let config = random_node(&mut draw, 0);
        let plan = plan(&config);
        let most: usize = plan.targets().iter().map(|target| target.retry.attempts as usize + 1).sum();
        let mut road = Road::new();
        road.draw = even_draws();
        for _ in 0..3 {
            let trip = road.travel(&plan, |_, _| random_outcome(&mut draw));
            assert!(trip.tries.len() <= most, "{config}");
        }
    }
}

fn random_node(draw: &mut dyn FnMut() -> f64, depth: usize) -> Value {
    let mut pick = |n: usize| (draw() * n as f64) as usize;
    if depth == 4 || pick(3) == 0 {
        return with(st(200), json!({"retry": {"attempts": pick(4)}, "name": "a", "weight": pick(3)}));
    }
    let mode = ["single", "loadbalance", "fallback", "conditional", "least_latency", "lowest_cost"][pick(6)];
    let count = pick(4);
    let targets: Vec<Value> = (0..count).map(|_| random_node(draw, depth + 1)).collect();
    group(json!({"mode": mode, "conditions": [{"query": {}, "then": "a"}]}), targets)
}

fn random_outcome(draw: &mut dyn FnMut() -> f64) -> Outcome {
    let mut pick = |n: usize| (draw() * n as f64) as usize;
    let status = [200, 400, 408, 429, 446, 500, 503][pick(7)];
    Outcome {
        network: pick(4) == 0,
        timed_out: pick(8) == 0,
        gateway_exception: pick(16) == 0,
        provider_said_no_retry: pick(8) == 0,
        retry_after_ms: (pick(2) == 0).then_some(10_000),
        first_byte_ms: Some(5),
        ..Outcome::of_status(status)
    }
}
