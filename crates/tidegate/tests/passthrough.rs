//! What passes through: the same bytes both ways, each as soon as it is there, with nothing of the connection's own.

use serde_json::{Value, json};
use tidegate_testkit::client;
use tidegate_testkit::{Faults, Handler, Reply, Scripted, Seen, Server, free_port};

use crate::paced::{Paced, Wire};
use crate::stage::{CHAT, MESSAGES, Setup, Tidegate, chat, fallback, messages, target};

/// Answers with the body it was asked with.
struct Mirror;

impl Handler for Mirror {
    fn answer(&self, request: &Seen) -> Reply {
        Reply::text(200, "application/json", request.body.to_vec())
    }
}

/// Forms that a parser would not give back as they are.
const ODD: [&str; 12] = [
    r#""unknown" : { "b":1 ,"a":2, "b" : 3}"#,
    "\"numbers\":[1.0,1e2,1E+2,-0,0.10,12345678901234567890,1.7976931348623157e309]",
    r#""escapes":"\u00e9\/\ud83d\ude00\u0000\b""#,
    "\"raw\":\"é😀\u{7f}\"",
    r#""temperature":0.70"#,
    "\"metadata\":{ }",
    "\"empty\":[\t]",
    "\"null\":null",
    r#""top_p":1"#,
    "\"\":\"no name\"",
    r#""logit_bias":{"50256":-100}"#,
    "\"user\":\"u\"",
];

#[tokio::test]
async fn bodies_pass_byte_for_byte_both_ways() {
    let (tidegate, mirror) = (Tidegate::start().await, Server::start(Mirror).await);
    for (path, provider) in [
        (CHAT, "openai"),
        (MESSAGES, "anthropic"),
        ("/v1/embeddings", "openai"),
        ("/v1/completions", "openai"),
        ("/v1/responses", "openai"),
        ("/v1/images/generations", "openai"),
        ("/v1/moderations", "openai"),
    ] {
        for seed in 0..20 {
            let body = odd_body(seed);
            let config = target(provider, &mirror.url()).to_string();
            let headers = [("x-portkey-config", config.as_str()), ("content-type", "application/json")];
            let answer = client::send("POST", &tidegate.url(path), &headers, body.clone().into()).await;
            assert_eq!((answer.status, answer.text()), (200, body.clone()), "{path}: back");
            let seen = mirror.requests().pop().unwrap();
            assert_eq!(String::from_utf8_lossy(&seen.body), body, "{path}: there");
        }
    }
}

#[tokio::test]
async fn only_the_models_name_changes_when_it_named_its_provider() {
    let mirror = Server::start(Mirror).await;
    let settings =
        format!("[providers.mine]\nprovider = 'openai'\napi_key = 'k'\nbase_url = '{}'", mirror.url());
    let tidegate = Setup::default().settings(&settings).start().await;
    for seed in 0..20 {
        let body = odd_body(seed);
        let asked = body.replace("\"gpt-4o\"", "\"@mine/gpt-4o\"");
        let json = [("content-type", "application/json")];
        let answer = client::send("POST", &tidegate.url(CHAT), &json, asked.into()).await;
        assert_eq!((answer.status, answer.text()), (200, body));
    }
}

/// The upstream sends an event only after the client has the one before.
#[tokio::test]
async fn each_event_reaches_the_client_before_the_next_one_is_sent() {
    let tidegate = Tidegate::start().await;
    for (path, provider) in [(CHAT, "openai"), (CHAT, "anthropic"), ("/v1/events", "openai")] {
        let upstream = Paced::start().await;
        let mut client = Wire::connect(tidegate.address()).await;
        let config = target(provider, &upstream.url()).to_string();
        let body = messages("m", true).to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\nx-portkey-config: {config}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        client.write(head + &body).await;
        let mut wire = upstream.accept().await;
        wire.read_request().await;
        wire.write(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .await;
        if provider == "anthropic" {
            let start = json!({"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1, "output_tokens": 1}}});
            let block = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
            wire.write_chunk(format!(
                "event: message_start\ndata: {start}\n\nevent: content_block_start\ndata: {block}\n\n"
            ))
            .await;
        }
        for word in ["one", "two", "three", "four", "five"] {
            wire.write_chunk(event(provider, word)).await;
            client.read_until(word).await;
        }
        // Half an event stays where it is until it is whole, and no longer.
        let whole = event(provider, "halves");
        let (first, second) = whole.split_at(whole.len() / 2);
        wire.write_chunk(first).await;
        wire.write_chunk(second).await;
        client.read_until("halves").await;
    }
}

#[tokio::test]
async fn uploads_stream_through_beyond_the_bound_on_bodies() {
    let tidegate = Setup::default().settings("[limits]\nmax_body = '64KB'").start().await;
    for (path, kind) in [
        ("/v1/files", "multipart/form-data; boundary=b"),
        ("/v1/audio/transcriptions", "multipart/form-data; boundary=b"),
        ("/v1/audio/translations", "audio/mpeg"),
        ("/v1/uploads/u/parts", "application/octet-stream"),
    ] {
        let upstream = Paced::start().await;
        let mut client = Wire::connect(tidegate.address()).await;
        let config = target("openai", &upstream.url()).to_string();
        client
            .write(format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\nx-portkey-config: {config}\r\ntransfer-encoding: chunked\r\n\r\n"
            ))
            .await;
        client.write_chunk("--b\r\nfirst part").await;
        let mut wire = upstream.accept().await;
        let head = wire.read_until("first part").await;
        assert!(head.contains(&format!("content-type: {kind}\r\n")), "{path}: {head}");
        for _ in 0..32 {
            client.write_chunk([b'x'; 16 << 10]).await;
        }
        client.write_chunk("last part").await;
        client.write("0\r\n\r\n").await;
        let seen = wire.read_until("last part").await;
        assert!(seen.len() > 512 << 10, "{path}: all of it");
        wire.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"id\":\"file\"}").await;
        assert!(client.read_until("\"file\"").await.starts_with("HTTP/1.1 200"), "{path}");
    }
}

#[tokio::test]
async fn a_form_goes_to_the_next_target_when_one_fails() {
    struct Busy;
    impl Handler for Busy {
        fn answer(&self, _: &Seen) -> Reply {
            Reply::json(429, &json!({"error": {"message": "slow down", "type": "t"}}))
        }
    }
    let (tidegate, busy, mirror) =
        (Tidegate::start().await, Server::start(Busy).await, Server::start(Mirror).await);
    let config = fallback(&[target("openai", &busy.url()), target("openai", &mirror.url())]).to_string();
    let form = "--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--b--\r\n";
    let headers = [
        ("x-portkey-config", config.as_str()),
        ("content-type", "multipart/form-data; boundary=b"),
        ("authorization", "Bearer of-the-caller"),
    ];
    let url = tidegate.url("/v1/audio/transcriptions");
    let answer = client::send("POST", &url, &headers, form.into()).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, form));
    for seen in [busy.only_request(), mirror.only_request()] {
        assert_eq!(String::from_utf8_lossy(&seen.body), form);
        assert_eq!(seen.header("content-type"), Some("multipart/form-data; boundary=b"));
        assert_eq!(seen.header("authorization"), Some("Bearer sk-of-the-test"));
    }
}

#[tokio::test]
async fn any_method_and_path_reaches_the_provider() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config = target("openai", &format!("{}/v1", upstream.url())).to_string();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND"] {
        let url = tidegate.url("/v1/threads/a%2Fb/messages?limit=2&after=%20x");
        let answer = client::send(method, &url, &[("x-portkey-config", &config)], "".into()).await;
        assert_eq!(answer.status, 200, "{method}");
        let seen = upstream.requests().pop().unwrap();
        assert_eq!(
            (seen.method.as_str(), seen.url.as_str()),
            (method, "/v1/threads/a%2Fb/messages?limit=2&after=%20x")
        );
        assert_eq!(seen.header("authorization"), Some("Bearer sk-of-the-test"));
    }
}

#[tokio::test]
async fn any_status_comes_back_as_it_is() {
    struct Status;
    impl Handler for Status {
        fn answer(&self, request: &Seen) -> Reply {
            let status = request.path().rsplit('/').next().unwrap().parse().unwrap();
            let body = if matches!(status, 204 | 304) { "" } else { "<p>as it is" };
            Reply::text(status, "text/html", body)
        }
    }
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Status).await);
    let config = target("openai", &upstream.url()).to_string();
    for method in ["GET", "HEAD", "DELETE"] {
        for status in [200, 201, 204, 206, 302, 304, 400, 404, 429, 500, 503] {
            let url = tidegate.url(&format!("/v1/status/{status}"));
            let answer = client::send(method, &url, &[("x-portkey-config", &config)], "".into()).await;
            let body = if method == "HEAD" || matches!(status, 204 | 304) { "" } else { "<p>as it is" };
            assert_eq!(
                (answer.status, answer.text().as_str(), answer.broken),
                (status, body, None),
                "{method}"
            );
        }
    }
    tidegate.wait_for_metric("tidegate_open_requests", 0).await;
}

#[tokio::test]
async fn headers_of_the_connection_and_of_the_gateway_stay_behind() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config = target("openai", &upstream.url()).to_string();
    let headers = [
        ("x-portkey-config", config.as_str()),
        ("x-portkey-trace-id", "t"),
        ("x-portkey-metadata", "{}"),
        ("x-tidegate-anything", "1"),
        ("connection", "close, x-of-this-hop"),
        ("x-of-this-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("proxy-authorization", "Basic eA=="),
        ("proxy-connection", "close"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("cookie", "of=another-origin"),
        ("x-of-the-caller", "kept"),
        ("accept", "application/x-thing"),
    ];
    client::send("GET", &tidegate.url("/v1/things"), &headers, "".into()).await;
    let seen = upstream.only_request();
    for (name, _) in &headers[..12] {
        if *name != "connection" {
            assert_eq!(seen.header(name), None, "{name}");
        }
    }
    assert_ne!(seen.header("connection"), Some("close, x-of-this-hop"));
    assert_eq!(
        (seen.header("x-of-the-caller"), seen.header("accept")),
        (Some("kept"), Some("application/x-thing"))
    );
    assert_eq!(seen.header("host"), Some(upstream.address().to_string().as_str()));
    assert_eq!(seen.header("x-tidegate-hops"), Some("1"));
}

/// Whose traces they are is not the provider's business, unless the caller says so.
#[tokio::test]
async fn the_trace_of_the_caller_goes_on_only_when_it_is_asked_for() {
    let tidegate = Tidegate::start().await;
    let context = [
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "a=b"),
        ("baggage", "session.id=s"),
    ];
    for path in [CHAT, "/v1/things"] {
        for asked in [json!([]), json!(["Traceparent"])] {
            let upstream = Server::start(Scripted::default()).await;
            let mut config = target("openai", &upstream.url());
            config["forward_headers"] = asked.clone();
            let config = config.to_string();
            let mut headers = vec![("x-portkey-config", config.as_str())];
            headers.extend(context);
            tidegate.post(path, &headers, &chat("txt:a")).await;
            let seen = upstream.only_request();
            let parent = (asked != json!([])).then_some(context[0].1);
            let found = ["traceparent", "tracestate", "baggage"].map(|name| seen.header(name));
            assert_eq!(found, [parent, None, None], "{path}: {asked}");
        }
    }
}

#[tokio::test]
async fn a_unified_call_takes_along_only_the_headers_asked_for() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let mut config = target("openai", &upstream.url());
    config["forward_headers"] = json!(["X-Mine"]);
    let config = config.to_string();
    let headers =
        [("x-portkey-config", config.as_str()), ("x-mine", "1"), ("x-other", "2"), ("cookie", "c=1")];
    assert_eq!(tidegate.post(CHAT, &headers, &chat("txt:a")).await.status, 200);
    let seen = upstream.only_request();
    assert_eq!(
        (seen.header("x-mine"), seen.header("x-other"), seen.header("cookie")),
        (Some("1"), None, None)
    );
    assert_eq!(seen.header("x-portkey-config"), None);
}

#[tokio::test]
async fn a_providers_headers_come_back_without_those_of_its_connection() {
    struct Talkative;
    impl Handler for Talkative {
        fn answer(&self, _: &Seen) -> Reply {
            Reply::json(200, &json!({"id": "x"}))
                .with_header("x-request-id", "r1")
                .with_header("x-ratelimit-remaining-requests", "9")
                .with_header("set-cookie", "a=1")
                .with_header("connection", "x-of-this-hop")
                .with_header("x-of-this-hop", "1")
                .with_header("keep-alive", "timeout=5")
        }
    }
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Talkative).await);
    let answer = tidegate.ask(&target("openai", &upstream.url()), &chat("m")).await;
    for (name, value) in [
        ("x-request-id", Some("r1")),
        ("x-ratelimit-remaining-requests", Some("9")),
        ("set-cookie", Some("a=1")),
        ("x-of-this-hop", None),
        ("keep-alive", None),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

/// A provider may be such a gateway itself: what the client reads is of the one that it asked, once.
#[tokio::test]
async fn what_another_gateway_says_of_itself_is_not_passed_on() {
    struct Gateway;
    impl Handler for Gateway {
        fn answer(&self, _: &Seen) -> Reply {
            Reply::json(200, &json!({"id": "x"}))
                .with_header("x-portkey-provider", "theirs")
                .with_header("x-portkey-trace-id", "theirs")
                .with_header("x-tidegate-circuit", "open")
                .with_header("x-portkey-else", "theirs")
        }
    }
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Gateway).await);
    let answer = tidegate.ask(&target("openai", &upstream.url()), &chat("m")).await;
    let all = |name: &str| -> Vec<&str> {
        answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    };
    assert_eq!(all("x-portkey-provider"), ["openai"]);
    assert_eq!(all("x-portkey-retry-attempt-count"), ["0"]);
    assert_eq!(all("x-portkey-else"), ["theirs"]);
    assert_eq!(all("x-tidegate-circuit"), [""; 0]);
    assert_eq!(all("x-portkey-trace-id").len(), 1);
    assert_ne!(all("x-portkey-trace-id"), ["theirs"]);
}

/// What passes through loses nothing; what is translated says what it lost.
#[tokio::test]
async fn a_member_that_a_translation_loses_is_named_in_a_header() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    let mut body = chat("m");
    body["logit_bias"] = json!({"50256": -100});
    body["seed"] = json!(7);
    for stream in [false, true] {
        body["stream"] = json!(stream);
        let lossy = tidegate.ask(&target("anthropic", &faults.url()), &body).await;
        let warnings = lossy.header("x-tidegate-warnings").unwrap_or_default();
        assert!(warnings.contains("dropped;logit_bias") && warnings.contains("dropped;seed"), "{warnings}");
        let same = tidegate.ask(&target("openai", &faults.url()), &body).await;
        assert_eq!(same.header("x-tidegate-warnings"), None);
    }
}

/// Portkey-AI/gateway#1507: a gateway that was its own provider called itself until it fell over.
#[tokio::test]
async fn incident_request_loop_ends_at_the_bound() {
    let port = free_port();
    let settings = format!(
        "[models]\ndefault_provider = 'itself'\n[providers.itself]\nprovider = 'openai'\napi_key = 'k'\nbase_url = 'http://127.0.0.1:{port}/v1'\n[routing]\nhops_max = 4"
    );
    let tidegate = Setup::default().settings(&settings).port(port).start().await;
    let answer = tidegate.post(CHAT, &[], &chat("m")).await;
    let body = answer.json();
    assert_eq!(answer.status, 508, "{body}");
    assert!(body["error"]["message"].as_str().unwrap().contains("points back at it"), "{body}");
    assert_eq!(tidegate.metric("tidegate_refusals_total{reason=\"loop\"}").await, 1);
    let passed = client::get(&tidegate.url("/v1/files"), &[("x-tidegate-hops", "4")]).await;
    assert_eq!(passed.status, 508, "on every route");
    let odd = tidegate.post(CHAT, &[("x-tidegate-hops", "few")], &chat("m")).await;
    assert_eq!(odd.status, 508, "only a gateway writes it");
}

/// An event with `word` as text, in the provider's dialect.
fn event(provider: &str, word: &str) -> String {
    let data: Value = if provider == "anthropic" {
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}})
    } else {
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": null}]})
    };
    format!("data: {data}\n\n")
}

/// A valid object in a form that depends on `seed`: members of [`ODD`] in some order, with white space between them.
fn odd_body(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        usize::try_from(state >> 33).unwrap() % below
    };
    let blanks = ["", " ", "\n", "\t ", "\r\n  "];
    let mut members: Vec<&str> = ODD.to_vec();
    members.truncate(1 + draw(ODD.len()));
    members.insert(draw(members.len() + 1), r#""model":"gpt-4o""#);
    members.insert(draw(members.len() + 1), r#""input" :"x""#);
    members.insert(draw(members.len() + 1), r#""messages":[ {"role":"user" ,"content":"\u0048i"}]"#);
    members.insert(draw(members.len() + 1), r#""max_tokens":1e1"#);
    let members: Vec<String> =
        members.iter().map(|member| format!("{}{member}{}", blanks[draw(5)], blanks[draw(5)])).collect();
    format!("{{{}}}", members.join(","))
}
