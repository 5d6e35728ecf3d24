use http::HeaderMap;
use http::header::HeaderName;

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn read(headers: &[(&'static str, &str)]) -> Box<GatewayHeaders> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    GatewayHeaders::read(&map)
}

fn stands(headers: &[(&'static str, &str)]) -> (String, Span, String) {
    let own = read(headers);
    let trace = GatewayHeaders::text(own.trace_id.as_ref()).unwrap_or_default().to_owned();
    let context = own.context.as_deref();
    (trace.clone(), span(context, &trace), session_of(context, &[]).to_string())
}

#[test]
fn without_a_word_of_it_there_is_no_context() {
    let own = read(&[("accept", "*/*"), ("x-portkey-trace-id", "t"), ("x-session", "no")]);
    assert!(own.context.is_none());
    let (trace, span, session) = stands(&[("x-portkey-trace-id", "t")]);
    assert_eq!((trace.as_str(), &*span.trace, &*span.parent, &*span.name), ("t", "t", "", ""));
    assert_eq!((span.span.len(), session.as_str()), (16, ""));
}

#[test]
fn own_headers_say_where_it_stands() {
    let (_, span, session) = stands(&[
        ("x-portkey-trace-id", "t"),
        ("x-portkey-span-id", "mine"),
        ("x-portkey-parent-span-id", "step"),
        ("x-portkey-span-name", "ask"),
        ("x-portkey-session-id", "s"),
        ("x-tidegate-span-name", "ask again"),
        ("x-tidegate-session-id", "s2"),
    ]);
    assert_eq!((&*span.span, &*span.parent, &*span.name), ("mine", "step", "ask again"));
    assert_eq!(session, "s2");
}

#[test]
fn a_traceparent_is_trace_and_parent() {
    let (trace, span, _) = stands(&[("traceparent", W3C)]);
    assert_eq!((trace.as_str(), &*span.trace, &*span.parent), (TRACE, TRACE, PARENT));
    assert_eq!(span.span.len(), 16);
    assert_ne!(&*span.span, PARENT);
}

#[test]
fn own_headers_win_over_a_traceparent() {
    let (trace, span, _) = stands(&[("traceparent", W3C), ("x-portkey-parent-span-id", "mine")]);
    assert_eq!((trace.as_str(), &*span.parent), (TRACE, "mine"));
    // A parent of another trace is none of this one.
    let (trace, span, _) = stands(&[("traceparent", W3C), ("x-portkey-trace-id", "other")]);
    assert_eq!((trace.as_str(), &*span.parent), ("other", ""));
    let uuid = "4BF92F35-77b3-4da6-a3ce-929d0e0e4736";
    let (trace, span, _) = stands(&[("traceparent", W3C), ("x-portkey-trace-id", uuid)]);
    assert_eq!((trace.as_str(), &*span.parent), (uuid, PARENT));
}

#[test]
fn what_is_no_traceparent_is_not_there() {
    let with =
        |version: &str, trace: &str, parent: &str, rest: &str| format!("{version}-{trace}-{parent}-{rest}");
    for (text, good) in [
        (W3C.to_owned(), true),
        (with("00", TRACE, PARENT, "00"), true),
        (with("00", TRACE, PARENT, "ff"), true),
        (with("cc", TRACE, PARENT, "01"), true),
        (with("cc", TRACE, PARENT, "01-what-is-to-come"), true),
        (with("cc", TRACE, PARENT, "01x"), false),
        (with("00", TRACE, PARENT, "01-more"), false),
        (with("00", TRACE, PARENT, "01-"), false),
        (with("ff", TRACE, PARENT, "01"), false),
        (with("0", TRACE, PARENT, "001"), false),
        (with("00", &TRACE.to_uppercase(), PARENT, "01"), false),
        (with("00", TRACE, &PARENT.to_uppercase(), "01"), false),
        (with("00", TRACE, PARENT, "0G"), false),
        (with("00", &"0".repeat(32), PARENT, "01"), false),
        (with("00", TRACE, &"0".repeat(16), "01"), false),
        (with("00", &TRACE[1..], PARENT, "01"), false),
        (W3C[..54].to_owned(), false),
        (W3C.replace('-', "_"), false),
        (format!(" {W3C}"), false),
        ("é".repeat(28), false),
        (String::new(), false),
    ] {
        let found = Traceparent::parse(text.as_bytes());
        let want = good.then_some(Traceparent { trace: TRACE.as_bytes(), parent: PARENT.as_bytes() });
        assert_eq!(found, want, "{text}");
    }
    let (trace, span, _) = stands(&[("traceparent", W3C), ("traceparent", W3C)]);
    assert_eq!((trace.as_str(), &*span.parent), ("", ""), "two of them");
}

#[test]
fn a_session_by_the_nearest_word() {
    let metadata = [(Text::from("session_id"), Text::from("of metadata"))];
    let mut headers = vec![("baggage", "a=b, session.id=of%20baggage;p=1")];
    let session =
        |headers: &[_], metadata: &[_]| session_of(read(headers).context.as_deref(), metadata).to_string();
    assert_eq!(session(&headers, &[]), "of baggage");
    assert_eq!(session(&headers, &metadata), "of metadata");
    headers.push(("x-claude-code-session-id", "of a peer"));
    assert_eq!(session(&headers, &metadata), "of a peer");
    headers.push(("x-portkey-session-id", "own"));
    assert_eq!(session(&headers, &metadata), "own");
    assert_eq!(session(&[], &metadata), "of metadata");
    let long = "s".repeat(257);
    assert_eq!(session(&[("x-portkey-session-id", &long), ("helicone-session-id", "h")], &[]), "h");
    assert_eq!(session(&[("baggage", "session.id=a%0ab")], &[]), "");
}

#[test]
fn baggage_is_metadata_below_what_metadata_says() {
    let own = read(&[
        ("baggage", "team=red,tier=%E6%BD%AE;secret=1,session.id=s,=x,none"),
        ("baggage", "late = 100%"),
    ]);
    let mut metadata = vec![(Text::from("team"), Text::from("blue"))];
    own.context.unwrap().add_baggage(&mut metadata);
    let texts: Vec<(&str, &str)> = metadata.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(texts, [("team", "blue"), ("tier", "潮"), ("late", "100%")]);
    let many: String = (0..100).map(|i| format!("k{i}=v,")).collect();
    let mut metadata = Vec::new();
    read(&[("baggage", &many)]).context.unwrap().add_baggage(&mut metadata);
    assert_eq!(metadata.len(), 64);
}
