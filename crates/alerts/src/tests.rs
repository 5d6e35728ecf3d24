use serde_json::json;
use tidegate_core::Secret;

use crate::channel::Hidden;
use crate::outage::{Health, Sent, State, health};
use crate::*;

fn rule(value: serde_json::Value) -> Rule {
    serde_json::from_value::<RuleText>(value).unwrap().check().unwrap()
}

fn error(value: serde_json::Value) -> String {
    serde_json::from_value::<RuleText>(value).unwrap().check().unwrap_err().to_string()
}

/// Looks at a rule every minute, at these figures of 100 requests; a word for each look.
fn looks(rule: &Rule, figures: &[Option<f64>]) -> Vec<&'static str> {
    let Watch::Metric { condition, .. } = rule.watch else { panic!("a metric") };
    let mut standing = Standing::default();
    let mut words = Vec::new();
    for (at, value) in (0u64..).zip(figures) {
        let requests = if value.is_some() { 100 } else { 0 };
        let figure = Figure { key: String::new(), value: *value, requests, base: Some((Some(10.0), 100)) };
        let (next, events) = standing.step(rule, &[rule.judge(&condition, figure)], at * 60_000);
        words.push(match (events.as_slice(), next.groups.get("")) {
            ([event], _) => event.what.word(),
            ([], None) => "-",
            ([], Some(Group { phase: Phase::Pending, .. })) => "pending",
            ([], Some(Group { phase: Phase::Firing, .. })) => "firing",
            _ => "more than one",
        });
        standing = next;
    }
    words
}

fn above(more: serde_json::Value) -> Rule {
    let mut text = json!({"kind": "metric", "metric": "error_rate", "window_seconds": 120,
                          "condition": {"type": "above", "threshold": 5.0}});
    for (name, value) in more.as_object().unwrap() {
        text[name] = value.clone();
    }
    rule(text)
}

#[test]
fn fires_once_and_resolves_once() {
    let figures = [1.0, 5.0, 6.0, 9.0, 9.0, 5.0, 1.0].map(Some);
    assert_eq!(looks(&above(json!({})), &figures), ["-", "-", "fired", "firing", "firing", "resolved", "-"]);
}

#[test]
fn waits_out_its_time_and_begins_anew_when_it_was_well_between() {
    let rule = above(json!({"for_seconds": 120}));
    let figures = [9.0, 9.0, 1.0, 9.0, 9.0, 9.0, 1.0].map(Some);
    let want = ["pending", "pending", "-", "pending", "pending", "fired", "resolved"];
    assert_eq!(looks(&rule, &figures), want);
}

#[test]
fn between_threshold_and_recovery_nothing_changes() {
    let rule = above(json!({"condition": {"type": "above", "threshold": 5.0, "recover": 2.0}}));
    let figures = [3.0, 6.0, 3.0, 4.9, 2.0, 3.0].map(Some);
    assert_eq!(looks(&rule, &figures), ["-", "fired", "firing", "firing", "resolved", "-"]);
    let rule = above(json!({"condition": {"type": "below", "threshold": 5.0, "recover": 8.0}}));
    let figures = [6.0, 4.0, 6.0, 8.0].map(Some);
    assert_eq!(looks(&rule, &figures), ["-", "fired", "firing", "resolved"]);
}

#[test]
fn tells_again_after_its_interval_and_not_before() {
    let rule = above(json!({"repeat_seconds": 300}));
    let mut figures = vec![Some(9.0); 12];
    figures.push(Some(0.0));
    let words = looks(&rule, &figures);
    let told: Vec<usize> = (0..13).filter(|at| words[*at] != "firing").collect();
    assert_eq!((told, words[5], words[12]), (vec![0, 5, 10, 12], "repeated", "resolved"));
}

#[test]
fn silence_is_not_well_but_does_not_fire_for_ever() {
    let figures = [Some(9.0), None, None, None, None];
    assert_eq!(looks(&above(json!({})), &figures), ["fired", "firing", "firing", "faded", "-"]);
    let figures = [Some(9.0), None, Some(9.0), None, None];
    assert_eq!(looks(&above(json!({})), &figures), ["fired", "firing", "firing", "firing", "firing"]);
    // One that only waited is quiet again.
    let figures = [Some(9.0), None];
    assert_eq!(looks(&above(json!({"for_seconds": 600})), &figures), ["pending", "-"]);
}

#[test]
fn too_few_requests_say_nothing() {
    let rule = above(json!({"min_requests": 101}));
    assert_eq!(looks(&rule, &[Some(100.0)]), ["-"]);
    assert_eq!(looks(&above(json!({"min_requests": 100})), &[Some(100.0)]), ["fired"]);
}

/// Against 10 at the time before.
#[test]
fn changes_are_percent_of_what_was() {
    let change = |direction: &str| {
        above(
            json!({"condition": {"type": "change", "percent": 50.0, "direction": direction, "against": "week"}}),
        )
    };
    for (direction, value, want) in [
        ("up", 15.0, "-"),
        ("up", 15.1, "fired"),
        ("up", 1.0, "-"),
        ("down", 4.9, "fired"),
        ("down", 20.0, "-"),
        ("either", 4.9, "fired"),
        ("either", 15.1, "fired"),
        ("either", 10.0, "-"),
    ] {
        assert_eq!(looks(&change(direction), &[Some(value)]), [want], "{direction} {value}");
    }
    let rule = change("up");
    let Watch::Metric { condition, .. } = rule.watch else { panic!("a metric") };
    for base in [None, Some((None, 5)), Some((Some(0.0), 5))] {
        let figure = Figure { key: String::new(), value: Some(9.0), requests: 9, base };
        assert_eq!(rule.judge(&condition, figure).verdict, Verdict::Unknown);
    }
}

#[test]
fn groups_stand_by_themselves() {
    let rule = above(json!({}));
    let finding =
        |key: &str, verdict| Finding { key: key.to_owned(), value: Some(9.0), requests: 9, verdict };
    let first = [finding("a", Verdict::Out), finding("b", Verdict::Well), finding("c", Verdict::Out)];
    let (standing, events) = Standing::default().step(&rule, &first, 1_000);
    assert_eq!(events.iter().map(|event| event.key.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    let (standing, events) = standing.step(&rule, &[finding("a", Verdict::Well)], 2_000);
    assert_eq!((events.len(), events[0].what, events[0].since), (1, What::Resolved, 1_000));
    assert_eq!(standing.groups.keys().collect::<Vec<_>>(), ["c"]);
    // As many as are held, whatever comes.
    let many: Vec<Finding> = (0..500).map(|at| finding(&at.to_string(), Verdict::Out)).collect();
    let (standing, _) = Standing::default().step(&rule, &many, 1_000);
    assert_eq!(standing.groups.len(), 100);
    let text = serde_json::to_string(&standing).unwrap();
    assert_eq!(serde_json::from_str::<Standing>(&text).unwrap(), standing);
}

#[test]
fn mistakes_are_named() {
    let metric = |more: serde_json::Value| {
        let mut text =
            json!({"kind": "metric", "metric": "cost", "condition": {"type": "above", "threshold": 1.0}});
        for (name, value) in more.as_object().unwrap() {
            text[name] = value.clone();
        }
        error(text)
    };
    for (text, field) in [
        (error(json!({"kind": "metric"})), "rule.metric: is missing"),
        (error(json!({"kind": "metric", "metric": "x"})), "rule.metric: x is not known"),
        (error(json!({"kind": "metric", "metric": "cost"})), "rule.condition: is missing"),
        (metric(json!({"window_seconds": 4})), "rule.window_seconds: 4"),
        (metric(json!({"window_seconds": 604_801})), "rule.window_seconds"),
        (metric(json!({"for_seconds": 86_401})), "rule.for_seconds"),
        (metric(json!({"repeat_seconds": 299})), "rule.repeat_seconds"),
        (metric(json!({"providers": ["openai"]})), "rule.providers"),
        (metric(json!({"condition": {"type": "above"}})), "rule.condition.threshold"),
        (
            metric(json!({"condition": {"type": "above", "threshold": 1.0, "recover": 2.0}})),
            "rule.condition.recover",
        ),
        (
            metric(json!({"condition": {"type": "below", "threshold": 1.0, "recover": 0.5}})),
            "rule.condition.recover",
        ),
        (
            metric(json!({"condition": {"type": "above", "threshold": 1.0, "percent": 5.0}})),
            "rule.condition.percent",
        ),
        (metric(json!({"condition": {"type": "change", "percent": 0.0}})), "rule.condition.percent"),
        (
            metric(json!({"condition": {"type": "change", "percent": 5.0, "threshold": 5.0}})),
            "rule.condition.threshold",
        ),
        (error(json!({"kind": "provider_outage", "metric": "cost"})), "rule.metric"),
        (error(json!({"kind": "provider_outage", "window_seconds": 901})), "rule.window_seconds"),
    ] {
        assert!(text.starts_with(field), "{text}");
    }
}

fn sent(provider: &str, at: u64, is_fault: bool) -> Sent {
    Sent { provider: provider.to_owned(), at: at * 1_000, is_fault }
}

#[test]
fn providers_are_judged_by_their_own_faults() {
    // Of ten each within the window; what is older counts for nothing but the beginning.
    for (faults, want) in [(0, State::Ok), (1, State::Degraded), (4, State::Degraded), (5, State::Down)] {
        let all: Vec<Sent> = (0..10).map(|at| sent("openai", 1_000 + at, at < faults)).collect();
        let [one]: [Health; 1] = health(&all, 1_010_000, 300_000, 5).try_into().unwrap();
        assert_eq!((one.state, one.requests, one.faults), (want, 10, faults));
        assert_eq!(one.since.is_some(), faults > 0);
    }
    let few: Vec<Sent> = (0..4).map(|at| sent("openai", 1_000 + at, true)).collect();
    assert_eq!(health(&few, 1_010_000, 300_000, 5)[0].state, State::Unknown);
    assert!(health(&few, 9_010_000, 300_000, 5).is_empty());
}

#[test]
fn an_outage_began_with_its_first_fault() {
    let mut all: Vec<Sent> = (0..100).map(|at| sent("openai", at * 5, false)).collect();
    all.push(sent("openai", 3, true));
    all.extend((0..60).map(|at| sent("openai", 600 + at * 5, true)));
    all.extend((0..100).map(|at| sent("anthropic", 600 + at, false)));
    let found = health(&all, 900_000, 200_000, 5);
    let states: Vec<_> = found.iter().map(|one| (one.provider.as_str(), one.state, one.since)).collect();
    assert_eq!(states, [("openai", State::Down, Some(600_000))]);
}

#[test]
fn only_what_a_rule_asks_for_fires_it() {
    let of = |state| Health { provider: "openai".to_owned(), state, since: None, requests: 10, faults: 3 };
    for (state, degraded, want) in [
        (State::Down, false, Verdict::Out),
        (State::Degraded, false, Verdict::Between),
        (State::Degraded, true, Verdict::Out),
        (State::Ok, true, Verdict::Well),
        (State::Unknown, true, Verdict::Unknown),
    ] {
        assert_eq!(of(state).finding(degraded).verdict, want);
    }
    assert_eq!(of(State::Down).finding(false).value, Some(30.0));
}

#[test]
fn addresses_of_channels_are_not_shown() {
    let hidden = |text: &str| Hidden(Secret::from(text));
    let url = "https://hooks.slack.com/services/T0/B0/XXSECRET";
    let channel = Channel { id: "1".to_owned(), way: Way::Slack { url_secret: hidden(url) } };
    channel.check("channels[0]").unwrap();
    assert_eq!(channel.name(), "slack hooks.slack.com");
    assert_eq!(channel.shown_url().unwrap(), "https://hooks.slack.com/…");
    assert!(!format!("{channel:?}").contains("XXSECRET"));
    let text = serde_json::to_string(&channel).unwrap();
    assert_eq!(serde_json::from_str::<Channel>(&text).unwrap(), channel);
    for wrong in ["hooks.example.com", "ftp://a", "https://", "https://u:p@SECRET.example", "https://a b"] {
        let way = Way::Webhook { url_secret: hidden(wrong), signing_secret: None };
        let error = Channel { id: "1".to_owned(), way }.check("channels[0]").unwrap_err();
        assert_eq!(error.field, "channels[0].url");
        assert!(!error.to_string().contains("SECRET"));
    }
    for to in [vec![], vec!["a"], vec!["a@b.c, x"]] {
        let to = to.into_iter().map(str::to_owned).collect();
        let error = Channel { id: "1".to_owned(), way: Way::Email { to } }.check("channels[0]").unwrap_err();
        assert_eq!(error.field, "channels[0].to");
    }
}
