//! Input that nobody sends on purpose, from clients and from providers: it is answered in words, and the process lives.

use serde_json::{Value, json};
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::{Handler, Reply, Scripted, Seen, Server};

use crate::stage::{CHAT, MESSAGES, Tidegate, chat, messages, target};

/// Bodies that are wrong, or right in a way that nobody sends.
const ODD_BODIES: &[&str] = &[
    "",
    " ",
    "null",
    "true",
    "0",
    "\"text\"",
    "[]",
    "{}",
    "{",
    "{\"",
    "{\"model\"",
    "{\"model\":}",
    "{\"a\":1}}",
    "\u{feff}{}",
    "{\"model\":null,\"messages\":null,\"stream\":null,\"max_tokens\":null,\"tools\":null,\"stop\":null}",
    "{\"model\":1,\"messages\":{},\"stream\":\"yes\"}",
    "{\"model\":\"m\",\"messages\":[null]}",
    "{\"model\":\"m\",\"messages\":[[]]}",
    "{\"model\":\"m\",\"messages\":[{}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":null,\"content\":null}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[null]}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{}]}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:;base64,%%\"}}]}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[null,{},{\"function\":null}]}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"tool\",\"tool_call_id\":7,\"content\":\"x\"}]}",
    "{\"model\":\"m\",\"messages\":[],\"max_tokens\":1e999}",
    "{\"model\":\"m\",\"messages\":[],\"max_tokens\":-1}",
    "{\"model\":\"m\",\"messages\":[],\"max_tokens\":99999999999999999999999999}",
    "{\"model\":\"m\",\"messages\":[],\"temperature\":1e308,\"n\":1e9,\"seed\":-9223372036854775809}",
    "{\"model\":\"m\",\"messages\":[],\"tools\":[null,{},{\"type\":\"function\"},{\"type\":\"function\",\"function\":{\"name\":\"\",\"parameters\":[]}}]}",
    "{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"$ref\":\"#\"}}}],\"tool_choice\":{}}",
    "{\"model\":\"m\",\"messages\":[],\"response_format\":{\"type\":\"json_schema\"}}",
    "{\"model\":\"m\",\"messages\":[],\"stream\":true,\"stream_options\":[]}",
    "{\"model\":\"@\",\"messages\":[]}",
    "{\"model\":\"@/\",\"messages\":[]}",
    "{\"model\":\"/\",\"messages\":[]}",
    "{\"model\":\"../../etc\",\"messages\":[]}",
    "{\"model\":\"a\\u0000b\\nc?d#e%2f\",\"messages\":[]}",
    "{\"model\":\"\\ud800\",\"messages\":[]}",
    "{\"model\":\"m\",\"model\":\"n\",\"messages\":[]}",
    "{\"model\":\"m\",\"input\":{},\"prompt\":{},\"messages\":\"x\"}",
    "{\"model\":\"m\",\"input\":[[[]]],\"prompt\":[1,[2]],\"system\":[{}],\"messages\":[]}",
];

#[tokio::test]
async fn odd_bodies_get_an_answer_with_words_and_the_process_lives() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let mut bodies: Vec<Vec<u8>> = ODD_BODIES.iter().map(|body| body.as_bytes().to_vec()).collect();
    bodies.push(b"{\"model\":\"\xff\"}".to_vec());
    bodies.push([b"[".repeat(100_000), b"]".repeat(100_000)].concat());
    for provider in ["openai", "anthropic", "google", "cohere", "ollama", "demo"] {
        let host = upstream.url();
        for path in [CHAT, MESSAGES, "/v1/messages/count_tokens", "/v1/completions", "/v1/embeddings"] {
            for body in &bodies {
                let headers = [
                    ("x-portkey-provider", provider),
                    ("authorization", "Bearer k"),
                    ("x-portkey-custom-host", &host),
                ];
                let headers = if provider == "demo" { &headers[..1] } else { &headers };
                let answer = client::send("POST", &tidegate.url(path), headers, body.clone().into()).await;
                let case = format!("{provider} {path} {:.80}", String::from_utf8_lossy(body));
                assert_says_why(&answer, &case);
            }
        }
    }
    assert_alive(&tidegate).await;
}

/// Hooks read bodies that the provider alone would have judged.
#[tokio::test]
async fn odd_bodies_pass_hooks_and_the_process_lives() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let checks = json!([
        {"contains": {"words": ["x"], "operator": "any"}},
        {"wordCount": {"minWords": 1, "maxWords": 9}},
        {"characterCount": {}},
        {"jsonSchema": {"schema": {"type": "object"}}},
        {"modelWhitelist": {"models": ["m"]}},
        {"regexMatch": {"rule": "(.*)*"}},
        {"notNull": {}},
    ]);
    let mutators =
        json!([{"regexReplace": {"rule": ".", "redactText": "x"}}, {"addPrefix": {"prefix": "x"}}]);
    let mut config = target("openai", &upstream.url());
    for list in ["input_guardrails", "output_guardrails"] {
        config[list] = checks.clone();
    }
    for list in ["input_mutators", "output_mutators"] {
        config[list] = mutators.clone();
    }
    let config = config.to_string();
    for path in [CHAT, MESSAGES, "/v1/completions", "/v1/embeddings"] {
        for body in ODD_BODIES {
            let url = tidegate.url(path);
            let answer = client::send("POST", &url, &[("x-portkey-config", &config)], (*body).into()).await;
            assert_says_why(&answer, &format!("{path} {body:.80}"));
        }
    }
    assert_alive(&tidegate).await;
}

#[tokio::test]
async fn odd_headers_get_an_answer_with_words_and_the_process_lives() {
    let tidegate = Tidegate::start().await;
    let body = chat("@demo/echo").to_string();
    let deep = format!("{}1{}", "{\"targets\":[".repeat(2_000), "]}".repeat(2_000));
    let values: [&[u8]; 26] = [
        b"",
        b"\xff\xfe",
        b"null",
        b"{}",
        b"[]",
        b"{",
        b"\"{}\"",
        b"{\"provider\":null}",
        b"{\"provider\":{}}",
        b"{\"strategy\":null,\"targets\":null}",
        b"{\"strategy\":{\"mode\":\"fallback\"},\"targets\":[]}",
        b"{\"strategy\":{\"mode\":\"loadbalance\"},\"targets\":[{\"provider\":\"demo\",\"weight\":0}]}",
        b"{\"strategy\":{\"mode\":\"loadbalance\"},\"targets\":[{\"provider\":\"demo\",\"weight\":1e999}]}",
        b"{\"strategy\":{\"mode\":\"conditional\",\"conditions\":[{\"query\":{\"$and\":[]},\"then\":\"x\"}]},\"targets\":[{\"provider\":\"demo\"}]}",
        b"{\"provider\":\"demo\",\"retry\":{\"attempts\":1e18}}",
        b"{\"provider\":\"demo\",\"timeouts\":{\"first_byte_ms\":1e30}}",
        b"{\"provider\":\"demo\",\"override_params\":{\"messages\":null}}",
        b"{\"provider\":\"demo\",\"input_guardrails\":[null]}",
        b"{\"provider\":\"demo\",\"input_guardrails\":[{}],\"output_guardrails\":[{\"x\":null}]}",
        b"{\"provider\":\"demo\",\"before_request_hooks\":[{\"type\":\"guardrail\",\"checks\":null}]}",
        b"{\"provider\":\"demo\",\"output_guardrails\":[{\"default.jsonSchema\":{\"schema\":{\"$ref\":\"#\"}}}]}",
        b"{\"provider\":\"demo\",\"output_guardrails\":[{\"default.regexMatch\":{\"rule\":\"(a*)*b(\"}}]}",
        b"[null]",
        b"-1",
        b"1e999",
        deep.as_bytes(),
    ];
    for name in [
        "x-portkey-config",
        "x-portkey-provider",
        "x-portkey-custom-host",
        "x-portkey-metadata",
        "x-portkey-request-timeout",
        "x-portkey-retry-count",
        "x-portkey-fallbacks",
        "x-portkey-forward-headers",
        "x-portkey-trace-id",
        "x-portkey-default-input-guardrails",
        "x-portkey-default-output-guardrails",
        "x-tidegate-hops",
        "authorization",
        "x-api-key",
        "content-type",
        "accept-encoding",
    ] {
        for value in values {
            for path in [CHAT, MESSAGES, "/v1/files"] {
                let mut request = format!(
                    "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{name}: ",
                    body.len()
                )
                .into_bytes();
                request.extend_from_slice(value);
                request.extend_from_slice(b"\r\n\r\n");
                request.extend_from_slice(body.as_bytes());
                let answer = client::raw(tidegate.address(), &request).await;
                let text = String::from_utf8_lossy(&answer);
                let case = format!("{path} {name}: {:.80}", String::from_utf8_lossy(value));
                assert!(text.starts_with("HTTP/1.1 "), "{case}: {text}");
                let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                assert!(text.starts_with("HTTP/1.1 2") || body.contains("message"), "{case}: {text}");
            }
        }
    }
    assert_alive(&tidegate).await;
}

#[tokio::test]
async fn requests_that_are_no_http_cost_nobody_else_anything() {
    let tidegate = Tidegate::start().await;
    for request in [
        "GET\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}hello tls",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\nbad header: x\r\n\r\n",
        "GET /v1/models HTTP/1.1\r\n: x\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    ] {
        let answer = client::raw(tidegate.address(), request.as_bytes()).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 505"), "{request:?}: {text}");
    }
    for target in [
        "/",
        "//",
        "/v1",
        "/v1/",
        "/v1/../healthz",
        "/%00",
        "/v1/%ff",
        "*",
        "http://elsewhere/v1/models",
        "/v1/models?\u{7f}",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = client::raw(tidegate.address(), request.as_bytes()).await;
        assert!(answer.starts_with(b"HTTP/1.1 "), "{target}");
        assert!(!answer.starts_with(b"HTTP/1.1 5"), "{target}: {}", String::from_utf8_lossy(&answer));
    }
    assert_alive(&tidegate).await;
}

/// CVE-2026-49468: a crafted `Host` changed which route was checked.
#[tokio::test]
async fn incident_the_host_header_chose_the_route() {
    let tidegate = Tidegate::start().await;
    for host in ["x/#@y", "x/v1/models", "127.0.0.1@x", "x?y", "/healthz", "", "a b", "[::1"] {
        for (path, found) in [("/healthz", true), ("/admin", false), ("/v1x", false)] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let answer = client::raw(tidegate.address(), request.as_bytes()).await;
            let text = String::from_utf8_lossy(&answer);
            let status = if found { "HTTP/1.1 200" } else { "HTTP/1.1 404" };
            assert!(text.starts_with(status) || text.starts_with("HTTP/1.1 400"), "{host} {path}: {text}");
        }
    }
}

/// Routes whose answers are read or watched.
const ANSWERED: [&str; 6] =
    [CHAT, MESSAGES, "/v1/messages/count_tokens", "/v1/completions", "/v1/embeddings", "/v1/responses"];

/// What no provider should answer, as a document or as a stream.
const ODD_ANSWERS: &[&str] = &[
    "",
    "null",
    "{}",
    "[]",
    "\"x\"",
    "{\"choices\":null}",
    "{\"choices\":[null]}",
    "{\"choices\":[{\"message\":null}]}",
    "{\"content\":[null],\"usage\":null}",
    "{\"content\":[{\"type\":\"tool_use\"}],\"usage\":{\"input_tokens\":-1}}",
    "{\"candidates\":[null],\"usageMetadata\":[]}",
    "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":null}]}}]}",
    "{\"message\":{\"content\":null,\"tool_calls\":[{}]},\"usage\":{}}",
    "{\"error\":null}",
    "{\"error\":[]}",
    "{\"error\":{\"message\":{}}}",
    "data: null\n\ndata: {}\n\ndata: []\n\n",
    "data: {\"choices\":[{\"delta\":null}]}\n\ndata: [DONE]\n\n",
    "event: message_start\ndata: {}\n\nevent: content_block_delta\ndata: {\"index\":-1}\n\n",
    "data: {\"type\":\"content_block_stop\",\"index\":99999999999}\n\n",
    "data: {\"candidates\":[{\"index\":1e9}]}\n\n",
    "event: response.created\ndata: {}\n\n",
    "event: response.failed\ndata: {\"response\":{\"error\":null}}\n\n",
    "event: error\ndata: {\"type\":\"error\",\"error\":null}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":4294967296,\"function\":{\"arguments\":\"{\"}}]}}]}\n\n",
    "\n\n\n",
    ":\n\n",
];

/// Answers every request with the same text.
struct Says(&'static str, String);

impl Handler for Says {
    fn answer(&self, _: &Seen) -> Reply {
        Reply::text(200, self.0, self.1.clone())
    }
}

#[tokio::test]
async fn odd_answers_of_providers_are_told_and_the_process_lives() {
    let tidegate = Tidegate::start().await;
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
    let mut deep = Vec::new();
    for nested in [nested("[", "]"), nested("{\"a\":", "}")] {
        deep.push(format!("{{\"usage\":{nested}}}"));
        deep.push(format!("data: {{\"type\":\"content_block_delta\",\"delta\":{nested}}}\n\n"));
        deep.push(nested);
    }
    for text in ODD_ANSWERS.iter().copied().chain(deep.iter().map(String::as_str)) {
        for kind in ["application/json", "text/event-stream"] {
            let upstream = Server::start(Says(kind, text.to_owned())).await;
            for provider in ["openai", "anthropic", "google", "cohere", "ollama"] {
                for path in ANSWERED {
                    for stream in [false, true] {
                        let mut body = messages("m", stream);
                        body["input"] = json!("x");
                        let mut config = target(provider, &upstream.url());
                        config["circuit_breaker"] = json!(false);
                        let config = config.to_string();
                        let answer = tidegate.post(path, &[("x-portkey-config", &config)], &body).await;
                        assert_says_why(&answer, &format!("{provider} {path} {stream} {kind} {text:.80}"));
                    }
                }
            }
        }
    }
    assert_alive(&tidegate).await;
}

/// Whatever was wrong, the answer is whole and says something: an error has a message, a stream an end.
fn assert_says_why(answer: &Answer, case: &str) {
    assert_eq!(answer.broken, None, "{case}");
    if answer.status >= 300 {
        let body = answer.json();
        assert!(body["error"]["message"].is_string(), "{case}: {} {}", answer.status, answer.text());
        assert_ne!(body["message"], Value::from("Something went wrong"), "{case}");
    }
}

async fn assert_alive(tidegate: &Tidegate) {
    assert_eq!(tidegate.get("/healthz").await.status, 200);
    tidegate.wait_for_metric("tidegate_open_requests", 0).await;
    assert!(!tidegate.printed().contains("panicked"), "{}", tidegate.printed());
}
