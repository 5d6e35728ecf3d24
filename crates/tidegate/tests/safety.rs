//! What must not happen: a key in the open, a request that costs more than it may.

use serde_json::json;
use tidegate_testkit::client::Answer;
use tidegate_testkit::faults::Fault;
use tidegate_testkit::{Faults, Scripted, Server, refused_port};

use crate::paced::Wire;
use crate::stage::{CHAT, MESSAGES, Setup, Tidegate, chat, streamed, target};

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
    let told = wire.read_to_end().await;
    assert!(told.starts_with("HTTP/1.1 431") && told.contains("`limits.max_header_bytes`"), "{told}");

    let mut deep = json!(1);
    for _ in 0..30 {
        deep = json!([deep]);
    }
    let mut nested = chat("m");
    nested["metadata"] = deep;
    let answer = tidegate.post(CHAT, &provider, &nested).await;
    assert_eq!(answer.status, 400);
    assert!(message(&answer).contains("at most 20 levels"), "{}", answer.text());

    for reason in ["body_too_large", "url_too_long", "json", "head_too_large"] {
        let refused = tidegate.metric(&format!("tidegate_refusals_total{{reason=\"{reason}\"}}")).await;
        assert!(refused >= 1, "{reason}");
    }
    assert_eq!(tidegate.get("/healthz").await.status, 200);
}

/// Incident 05: templates in prompts were evaluated. Here they are text, in every dialect and in a config's own words.
#[tokio::test]
async fn incident_05_templates_in_prompts_are_text() {
    const TEMPLATES: &str = "{{7*7}} {% include '/etc/passwd' %} ${jndi:ldap://x} <%= 7*7 %> #{7*7} {{ self.__init__ }} $(id) %{7*7}";
    let (upstream, tidegate) = (Server::start(Scripted::default()).await, Tidegate::start().await);
    let mut body = chat("txt:a");
    body["messages"][0]["content"] = json!(TEMPLATES);
    body["max_tokens"] = json!(50);
    for (path, provider) in
        [(CHAT, "openai"), (CHAT, "anthropic"), (MESSAGES, "anthropic"), (MESSAGES, "openai")]
    {
        let mut config = target(provider, &upstream.url());
        config["override_params"] = json!({"user": TEMPLATES, "metadata": {"user_id": TEMPLATES}});
        let headers = [("x-portkey-config", config.to_string())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        tidegate.post(path, &headers, &body).await;
        let sent = upstream.requests().pop().unwrap_or_else(|| panic!("{path} to {provider} was not sent"));
        let text = sent.json()["messages"][0].to_string();
        assert!(text.contains(TEMPLATES), "{path} to {provider}: {text}");
        upstream.reset();
    }
}
