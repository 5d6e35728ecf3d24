//! What must not happen whatever a caller sends: a call to a forbidden address, a key in the open, a dead process.

use serde_json::{Value, json};
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::faults::Fault;
use tidegate_testkit::{Faults, Handler, Reply, Scripted, Seen, Server, refused_port};

use crate::paced::Wire;
use crate::stage::{CHAT, MESSAGES, Setup, Tidegate, chat, messages, streamed, target};

/// One of each kind of route.
const ROUTES: [(&str, &str, &str); 12] = [
    ("POST", CHAT, "application/json"),
    ("POST", MESSAGES, "application/json"),
    ("POST", "/v1/messages/count_tokens", "application/json"),
    ("POST", "/v1/completions", "application/json"),
    ("POST", "/v1/embeddings", "application/json"),
    ("POST", "/v1/responses", "application/json"),
    ("POST", "/v1/images/generations", "application/json"),
    ("POST", "/v1/audio/transcriptions", "multipart/form-data; boundary=b"),
    ("POST", "/v1/files", "multipart/form-data; boundary=b"),
    ("POST", "/v1/proxy/chat/completions", "application/json"),
    ("GET", "/v1/models", "application/json"),
    ("DELETE", "/v1/threads/t", "application/json"),
];

/// Hosts that nobody may call through the gateway. PORT is where a server waits to be reached by mistake.
const NEVER: &[&str] = &[
    "http://0.0.0.0:PORT",
    "http://[::]:PORT",
    "http://[::ffff:0.0.0.0]:PORT",
    "http://0:PORT",
    "http://2130706433:PORT",
    "http://0x7f000001:PORT",
    "http://0x7f.0.0.1:PORT",
    "http://0177.0.0.1:PORT",
    "http://127.1:PORT",
    "http://127.0.0.1.:PORT",
    "http://localhost.:PORT",
    "http://user@127.0.0.1:PORT",
    "http://example.com@127.0.0.1:PORT",
    "http://127.0.0.1:PORT\\@example.com",
    "http://127.0.0.1%2f@example.com",
    "http://169.254.169.254/latest/meta-data",
    "http://[fd00:ec2::254]",
    "http://[fe80::1]",
    "http://metadata.google.internal",
    "http://metadata",
    "http://instance-data",
    "http://x.invalid",
    "http://127.0.0.1:0",
    "http://127.0.0.1:99999",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT",
    "ftp://127.0.0.1:PORT",
    "//127.0.0.1:PORT",
    "127.0.0.1:PORT",
    "http://",
    "http://api.portkey.ai",
];

/// Hosts that are refused as well once others than this machine reach the gateway.
const PRIVATE: &[&str] = &[
    "http://127.0.0.1:PORT",
    "http://127.0.0.2:PORT",
    "http://localhost:PORT",
    "http://x.localhost:PORT",
    "http://LOCALHOST:PORT",
    "http://[::1]:PORT",
    "http://[::ffff:127.0.0.1]:PORT",
    "http://[::ffff:7f00:1]:PORT",
    "http://[64:ff9b::7f00:1]:PORT",
    "http://10.0.0.1",
    "http://172.16.0.1",
    "http://192.168.1.1",
    "http://100.64.0.1",
    "http://[fc00::1]",
    "http://db.internal",
    "http://printer.local",
    "http://host.docker.internal:PORT",
];

/// CVE-2025-66405 and its bypass by `/v1/proxy/*` (Portkey-AI/gateway#1718), New API's CVE-2025-59146, CVE-2025-62155,
/// CVE-2026-42339 (`0.0.0.0`): requests forged through the gateway.
#[tokio::test]
async fn incident_ssrf_by_custom_host_on_loopback() {
    let canary = Server::start(Scripted::default()).await;
    let tidegate = Tidegate::start().await;
    refuses_all(&tidegate, &canary, NEVER.iter().copied()).await;
}

#[tokio::test]
async fn incident_ssrf_by_custom_host_when_open_to_others() {
    let canary = Server::start(Scripted::default()).await;
    let tidegate = Setup::default().argument("--host").argument("0.0.0.0").start().await;
    refuses_all(&tidegate, &canary, NEVER.iter().chain(PRIVATE).copied()).await;
}

#[tokio::test]
async fn the_operator_may_allow_a_private_address_by_name() {
    let upstream = Server::start(Scripted::default()).await;
    let allowed = Setup::default()
        .argument("--host")
        .argument("0.0.0.0")
        .settings("[egress]\nallow_private = ['127.0.0.1']")
        .start()
        .await;
    let answer = allowed.ask(&target("openai", &upstream.url()), &chat("txt:a")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    refuses_all(&allowed, &upstream, ["http://127.0.0.2:PORT", "http://10.0.0.1"].into_iter()).await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    struct Elsewhere(String);
    impl Handler for Elsewhere {
        fn answer(&self, _: &Seen) -> Reply {
            Reply::text(307, "text/plain", "go on").with_header("location", self.0.clone())
        }
    }
    let canary = Server::start(Scripted::default()).await;
    let upstream = Server::start(Elsewhere(format!("{}/v1/chat/completions", canary.url()))).await;
    let tidegate = Tidegate::start().await;
    let config = target("openai", &upstream.url()).to_string();
    for (method, path, kind) in ROUTES {
        let headers = [("x-portkey-config", config.as_str()), ("content-type", kind)];
        let answer = client::send(method, &tidegate.url(path), &headers, body_of(kind)).await;
        // An estimate needs no provider.
        let estimated = answer.header("x-tidegate-estimated").is_some();
        assert!(answer.status >= 300 || estimated, "{method} {path}: {}", answer.text());
    }
    assert_eq!(canary.traffic().now().connections, 0);
}

#[tokio::test]
async fn keys_are_in_no_log_no_error_and_no_metric() {
    let (upstream, faults) = (Server::start(Scripted::default()).await, Faults::start().await);
    for format in ["text", "json"] {
        let settings = format!(
            "[providers.held]\nprovider = 'openai'\napi_key = 'SECRET-of-settings'\nbase_url = '{}'",
            upstream.url()
        );
        let tidegate = Setup::default()
            .settings(&settings)
            .env("ANTHROPIC_API_KEY", "SECRET-of-environment")
            .env("ANTHROPIC_BASE_URL", &refused_port())
            .argument("--log-format")
            .argument(format)
            .start()
            .await;
        let mut answers = Vec::new();
        for host in [
            upstream.url(),
            refused_port(),
            faults.url_of(Fault::Reset),
            faults.url_of(Fault::Html),
            "http://0.0.0.0".to_owned(),
            format!("{}/{{key}}", upstream.url()),
        ] {
            for model in ["txt:a", "st401", "st500", "badjson", "html"] {
                let mut config = target("anthropic", &host);
                config["api_key"] = json!("SECRET-of-config");
                config["aws_secret_access_key"] = json!("SECRET-of-options");
                answers.push(tidegate.ask(&config, &streamed(model)).await);
                config["strategy"] = json!({"mode": "no such"});
                answers.push(tidegate.ask(&config, &chat(model)).await);
                let headers = [
                    ("x-portkey-provider", "openai"),
                    ("authorization", "Bearer SECRET-of-caller"),
                    ("x-portkey-custom-host", host.as_str()),
                ];
                answers.push(tidegate.post(CHAT, &headers, &chat(model)).await);
                answers.push(tidegate.post("/v1/files?key=SECRET-of-query", &headers, &chat(model)).await);
            }
        }
        for model in ["@held/st500", "@held/txt:a", "@anthropic/claude", "@nobody/x"] {
            answers.push(tidegate.post(CHAT, &[("x-api-key", "SECRET-of-caller")], &chat(model)).await);
        }
        let odd = [("x-portkey-provider", "google"), ("authorization", "Bearer SECRET-of-caller\u{e9}")];
        answers.push(tidegate.post(CHAT, &odd, &chat("m")).await);
        answers.push(tidegate.get("/metrics").await);
        for answer in &answers {
            assert!(!format!("{:?} {}", answer.headers, answer.text()).contains("SECRET"), "{answer:?}");
        }
        let mut process = tidegate.process;
        assert!(process.terminate().await.success());
        let printed = process.output().join("\n");
        assert!(printed.lines().count() > 100, "the log was on");
        assert!(!printed.contains("SECRET"), "{printed}");
    }
}

#[tokio::test]
async fn each_limit_has_an_error_of_its_own() {
    let limits =
        "[limits]\nmax_body = '64KB'\nmax_url_bytes = '2KB'\nmax_header_bytes = '16KB'\nmax_json_depth = 20";
    let tidegate = Setup::default().settings(limits).start().await;
    let provider = [("x-portkey-provider", "demo")];
    let message = |answer: &Answer| answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();

    let mut large = chat("m");
    large["user"] = json!("x".repeat(64 << 10));
    let answer = tidegate.post(CHAT, &provider, &large).await;
    assert_eq!(answer.status, 413);
    assert!(message(&answer).contains("`limits.max_body`"), "{}", answer.text());
    let answer = tidegate.post(MESSAGES, &provider, &large).await;
    assert_eq!((answer.status, &answer.json()["error"]["type"]), (413, &json!("request_too_large")));

    let mut wire = Wire::connect(tidegate.address()).await;
    wire.write(format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-portkey-provider: demo\r\ntransfer-encoding: chunked\r\n\r\n")).await;
    for _ in 0..5 {
        wire.write_chunk([b' '; 16 << 10]).await;
    }
    assert!(wire.read_until("\r\n\r\n").await.starts_with("HTTP/1.1 413"), "without a length too");

    let answer = tidegate.post(&format!("{CHAT}?{}", "x".repeat(2 << 10)), &provider, &chat("m")).await;
    assert_eq!(answer.status, 414);
    assert!(message(&answer).contains("at most 2048"), "{}", answer.text());

    let long = "x".repeat(20 << 10);
    let mut wire = Wire::connect(tidegate.address()).await;
    wire.write(format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n")).await;
    assert!(wire.read_to_end().await.starts_with("HTTP/1.1 431"));

    let mut deep = json!(1);
    for _ in 0..30 {
        deep = json!([deep]);
    }
    let mut nested = chat("m");
    nested["metadata"] = deep;
    let answer = tidegate.post(CHAT, &provider, &nested).await;
    assert_eq!(answer.status, 400);
    assert!(message(&answer).contains("at most 20 levels"), "{}", answer.text());

    for reason in ["body_too_large", "url_too_long", "json"] {
        let refused = tidegate.metric(&format!("tidegate_refusals_total{{reason=\"{reason}\"}}")).await;
        assert!(refused >= 1, "{reason}");
    }
    assert_eq!(tidegate.get("/healthz").await.status, 200);
}

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

#[tokio::test]
async fn odd_headers_get_an_answer_with_words_and_the_process_lives() {
    let tidegate = Tidegate::start().await;
    let body = chat("@demo/echo").to_string();
    let deep = format!("{}1{}", "{\"targets\":[".repeat(2_000), "]}".repeat(2_000));
    let values: [&[u8]; 20] = [
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
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{request:?}: {text}");
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

/// Answers every request with the same text.
struct Says(&'static str, &'static str);

impl Handler for Says {
    fn answer(&self, _: &Seen) -> Reply {
        Reply::text(200, self.0, self.1)
    }
}

#[tokio::test]
async fn odd_answers_of_providers_are_told_and_the_process_lives() {
    let tidegate = Tidegate::start().await;
    for text in [
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
        "\n\n\n",
        ":\n\n",
    ] {
        for kind in ["application/json", "text/event-stream"] {
            let upstream = Server::start(Says(kind, text)).await;
            for provider in ["openai", "anthropic", "google", "cohere", "ollama"] {
                for path in [CHAT, MESSAGES, "/v1/embeddings"] {
                    for stream in [false, true] {
                        let mut body = messages("m", stream);
                        body["input"] = json!("x");
                        let mut config = target(provider, &upstream.url());
                        config["circuit_breaker"] = json!(false);
                        let config = config.to_string();
                        let answer = tidegate.post(path, &[("x-portkey-config", &config)], &body).await;
                        assert_says_why(&answer, &format!("{provider} {path} {stream} {kind} {text}"));
                    }
                }
            }
        }
    }
    assert_alive(&tidegate).await;
}

/// Every way of naming each host, on every route.
async fn refuses_all(
    tidegate: &Tidegate,
    canary: &Server<Scripted>,
    hosts: impl Iterator<Item = &'static str>,
) {
    let before = canary.traffic().now().connections;
    let port = canary.address().port().to_string();
    for host in hosts {
        let host = host.replace("PORT", &port);
        let at_root = json!({"provider": "openai", "api_key": "k", "custom_host": host}).to_string();
        let camel = json!({"provider": "openai", "apiKey": "k", "customHost": host}).to_string();
        let inner = json!({"provider": "openai", "api_key": "k", "custom_host": host});
        let below = json!({"strategy": {"mode": "fallback"}, "targets": [inner]}).to_string();
        let named = [("x-portkey-provider", "openai"), ("authorization", "Bearer k")];
        for given in [
            ("x-portkey-custom-host", host.as_str()),
            ("x-tidegate-custom-host", host.as_str()),
            ("x-portkey-config", at_root.as_str()),
            ("x-portkey-config", camel.as_str()),
            ("x-portkey-config", below.as_str()),
        ] {
            for (method, path, kind) in ROUTES {
                let headers = [&named[..], &[given, ("content-type", kind)]].concat();
                let answer = client::send(method, &tidegate.url(path), &headers, body_of(kind)).await;
                assert_eq!(answer.status, 400, "{host} by {} on {method} {path}: {}", given.0, answer.text());
                assert!(!answer.json()["error"]["message"].is_null(), "{host}: {}", answer.text());
            }
        }
    }
    assert_eq!(canary.traffic().now().connections, before, "somebody got through");
}

fn body_of(kind: &str) -> bytes::Bytes {
    if kind == "application/json" { messages("m", false).to_string().into() } else { "--b--\r\n".into() }
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
