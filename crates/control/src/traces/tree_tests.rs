use tidegate_records::{Cost, Span, Text, Timing, Who};

use super::*;

const AT: u64 = 1_790_000_000_000;

fn request(ms: u64, span: &str, parent: &str, cost: &str) -> RequestRecord {
    let text = |text: &str| Text::from(text.to_owned());
    let attempt = |start_us, status, error: &'static str| Attempt {
        provider: "openai".into(),
        status: Some(status),
        start_us,
        duration_us: 40_000,
        error: error.into(),
        reason: if error.is_empty() { "".into() } else { "retry".into() },
        ..Attempt::default()
    };
    RequestRecord {
        id: tidegate_records::RecordId::first_of(AT + ms).bits() | ms,
        who: Who {
            metadata: vec![("_session".into(), "s-1".into())],
            user: "alice".into(),
            ..Who::default()
        },
        route: "chat_completions".into(),
        model: "gpt-4o".into(),
        status: 200,
        end: "ok".into(),
        timing: Timing { total_us: 100_000, ..Timing::default() },
        usage: Some(Usage { input: 10, output: 5, ..Usage::default() }),
        cost: Cost { amount: text(cost), currency: "USD".into(), ..Cost::default() },
        span: Span { trace: "t".into(), span: text(span), parent: text(parent), ..Span::default() },
        attempts: vec![attempt(1_000, 503, "rate_limited"), attempt(50_000, 200, "")],
        ..RequestRecord::default()
    }
}

fn told(ms: u64, span: &str, parent: &str) -> ToldSpan {
    let text = |text: &str| Text::from(text.to_owned());
    ToldSpan {
        id: tidegate_records::RecordId::first_of(AT + ms).bits(),
        span: text(span),
        parent: text(parent),
        name: text(span),
        start_us: (AT + ms) * 1_000,
        duration_us: 500_000,
        attributes: r#"{"a":1}"#.into(),
        content: r#"{"input":"secret question"}"#.into(),
        source: "log".into(),
        ..ToldSpan::default()
    }
}

#[test]
fn requests_attempts_and_told_spans_are_one_tree() {
    let records = [request(10, "r1", "agent", "0.1"), request(200, "r2", "", "0.02")];
    let spans = [told(0, "agent", ""), told(5, "tool", "agent")];
    let tree = of("t", &records, &spans, true);
    let names: Vec<_> = tree.nodes.iter().map(|node| (node.name.as_str(), node.kind)).collect();
    assert_eq!(
        names,
        [
            ("agent", NodeKind::Span),
            ("tool", NodeKind::Span),
            ("chat_completions", NodeKind::Request),
            ("attempt 1: openai", NodeKind::Attempt),
            ("attempt 2: openai", NodeKind::Attempt),
            ("chat_completions", NodeKind::Request),
            ("attempt 1: openai", NodeKind::Attempt),
            ("attempt 2: openai", NodeKind::Attempt),
        ]
    );
    let (first, attempt) = (&tree.nodes[2], &tree.nodes[3]);
    assert_eq!((first.offset_ms, first.duration_ms), (10.0, 100.0));
    assert_eq!(first.parent_span_id.as_deref(), Some("agent"));
    assert_eq!(attempt.parent_span_id.as_deref(), Some("r1"));
    assert_eq!((attempt.offset_ms, attempt.status), (11.0, Outcome::Error));
    assert_eq!(attempt.reason.as_deref(), Some("retry"));
    let ids: HashSet<_> = tree.nodes.iter().map(|node| &node.span_id).collect();
    assert_eq!(ids.len(), tree.nodes.len());
    assert_eq!(of("t", &records, &spans, true).nodes[3].span_id, attempt.span_id, "the same again");
    let summary = &tree.summary;
    assert_eq!((summary.name.as_str(), tree.spans, summary.requests, summary.errors), ("agent", 8, 2, 0));
    assert_eq!((summary.cost.as_deref(), summary.currency.as_deref()), (Some("0.12"), Some("USD")));
    assert_eq!((summary.input_tokens, summary.output_tokens), (20, 10));
    assert_eq!((summary.user.as_deref(), summary.session.as_deref()), (Some("alice"), Some("s-1")));
    assert_eq!((summary.duration_ms, summary.models.as_slice()), (505.0, &["gpt-4o".to_owned()][..]));
}

#[test]
fn content_is_for_those_who_may_see_it() {
    let shown = |with| serde_json::to_string(&of("t", &[], &[told(0, "a", "")], with).nodes).unwrap();
    assert!(shown(true).contains("secret question"));
    assert!(!shown(false).contains("secret question") && shown(false).contains("\"a\":1"));
}

#[test]
fn a_call_that_was_told_is_one_node() {
    let mut span = told(0, "llm", "gone");
    span.has_record = true;
    let mut record = request(0, "llm", "gone", "0.5");
    (record.id, record.source) = (span.id, "log".into());
    record.attempts.clear();
    let tree = of("t", std::slice::from_ref(&record), std::slice::from_ref(&span), true);
    assert_eq!((tree.nodes.len(), tree.nodes[0].kind), (1, NodeKind::Log));
    assert_eq!((tree.nodes[0].cost.as_deref(), tree.nodes[0].input_tokens), (Some("0.5"), Some(10)));
    assert_eq!(tree.nodes[0].log_id, Some(record.id().uuid()));
    assert_eq!(tree.summary.name, "llm", "whose parent nobody told of is a root");
    // Its record is on its way still, or gone.
    assert_eq!(of("t", &[], &[span], true).nodes[0].log_id, None);
    assert_eq!(of("t", &[record], &[], true).nodes[0].kind, NodeKind::Log);
}

#[test]
fn nothing_is_an_empty_tree() {
    let tree = of("t", &[], &[], true);
    assert_eq!((tree.nodes.len(), tree.summary.duration_ms, tree.summary.cost), (0, 0.0, None));
}

#[test]
fn a_call_that_was_told_and_served_is_there_once() {
    let mut told_call = request(5, "run-7", "agent", "0");
    told_call.source = "log".into();
    told_call.usage = None;
    told_call.attempts = Vec::new();
    told_call.timing.total_us = 300_000;
    told_call.span.name = "ChatOpenAI".into();
    told_call.warnings = vec![tidegate_records::COUNTED_ELSEWHERE.into()];
    let records = [told_call, request(10, "r1", "", "0.1")];
    let spans = [told(0, "agent", ""), told(200, "parser", "run-7")];
    let tree = of("t", &records, &spans, true);
    let names: Vec<_> = tree
        .nodes
        .iter()
        .map(|node| (node.name.as_str(), node.parent_span_id.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        names,
        [
            ("agent", ""),
            ("ChatOpenAI", "agent"),
            ("attempt 1: openai", "r1"),
            ("attempt 2: openai", "r1"),
            ("parser", "r1"),
        ]
    );
    let call = &tree.nodes[1];
    assert_eq!(
        (call.kind, call.span_id.as_str(), &call.attributes["told_span_id"]),
        (NodeKind::Request, "r1", &json!("run-7"))
    );
    let summary = tree.summary;
    assert_eq!((summary.requests, summary.input_tokens, summary.cost.as_deref()), (1, 10, Some("0.1")));
}

#[test]
fn attempts_say_why_they_are_there() {
    let mut record = request(0, "r", "", "");
    let attempt =
        |target: &'static str, hedge| Attempt { target: target.into(), hedge, ..Attempt::default() };
    record.attempts = vec![
        attempt("targets[0]", false),
        attempt("targets[0]", false),
        attempt("targets[1]", false),
        attempt("targets[1]", true),
    ];
    let tree = of("t", &[record], &[], false);
    let causes: Vec<_> = tree.nodes[1..].iter().map(|node| node.attributes.get("cause").cloned()).collect();
    assert_eq!(causes, [None, Some(json!("retry")), Some(json!("fallback")), Some(json!("hedge"))]);
}
