//! Starting, reloading, draining, and judging settings without starting.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;
use tidegate_testkit::client::{self, Opened};
use tidegate_testkit::{Scratch, Scripted, Server};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::paced::{Paced, Wire};
use crate::stage::{CHAT, PATIENCE, Setup, Tidegate, binary, chat, said, streamed, target};

#[tokio::test]
async fn the_start_says_where_what_and_how_to_try_it() {
    let tidegate = Setup::default().env("OPENAI_API_KEY", "sk-never-shown").start().await;
    let printed = tidegate.printed();
    let first = printed.lines().next().unwrap();
    assert_eq!(
        first,
        format!("tidegate {} listening on http://{}", env!("CARGO_PKG_VERSION"), tidegate.address())
    );
    let mut process = tidegate.process;
    process.wait_for("curl http://").await;
    process.wait_for("@demo/echo").await;
    assert!(process.wait_for("Providers").await.contains("openai"));
    assert!(process.wait_for("Open to").await.contains("this machine only"));
    assert!(!process.output().join("\n").contains("sk-never-shown"));
}

#[tokio::test]
async fn its_own_pages_answer() {
    let tidegate = Tidegate::start().await;
    for (path, status, text) in [
        ("/", 200, "AI Gateway says hey!"),
        ("/healthz", 200, "ok\n"),
        ("/readyz", 200, "ready\n"),
        // Before requests that count as open until their last byte is gone.
        ("/metrics", 200, "tidegate_open_requests 0"),
        ("/v1/models", 200, "@demo/echo"),
        ("/nowhere", 404, "Not Found"),
    ] {
        let answer = tidegate.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text().contains(text), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn stopping_lets_streams_end_and_takes_no_new_connections() {
    let (tidegate, upstream) = (Tidegate::start().await, Paced::start().await);
    let (mut stream, mut wire) = begin_stream(&tidegate, &upstream).await;
    // A probe on a connection of before, whose request is not whole yet.
    let mut probe = Wire::connect(tidegate.address()).await;
    probe.write("GET /readyz HTTP/1.1\r\nhost: x\r\n").await;
    tidegate.get("/healthz").await;

    signal(&tidegate, "TERM");
    wait_until_refused(&tidegate).await;
    probe.write_if_open("\r\n").await;
    let ready = probe.read_to_end().await;
    assert!(ready.is_empty() || ready.starts_with("HTTP/1.1 503"), "{ready}");
    wire.write_chunk(event("afterwards")).await;
    wire.write_chunk("data: [DONE]\n\n").await;
    wire.write("0\r\n\r\n").await;
    let mut text = String::new();
    while let Some(bytes) = stream.next().await.unwrap() {
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(text.contains("afterwards") && text.ends_with("data: [DONE]\n\n"), "{text}");
    let mut process = tidegate.process;
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn what_outlasts_the_grace_period_is_cut_and_told() {
    let upstream = Paced::start().await;
    let tidegate = Setup::default().settings("[server]\ngrace_period = '100ms'").start().await;
    let (stream, _wire) = begin_stream(&tidegate, &upstream).await;
    let mut process = tidegate.process;
    assert!(process.terminate().await.success());
    let rest = stream.finish().await;
    let last = rest.event_data().pop().unwrap();
    assert_eq!((&last["error"]["code"], rest.broken), (&json!("gateway_stopping"), None));
    assert!(process.output().join("\n").contains("the grace period is over"));
}

#[tokio::test]
async fn settings_are_reloaded_without_dropping_a_request() {
    let (old, new) = (Server::start(Scripted::default()).await, Server::start(Scripted::default()).await);
    let settings =
        |url: &str| format!("[providers.mine]\nprovider = 'openai'\napi_key = 'k'\nbase_url = '{url}'\n");
    let mut tidegate = Setup::default().settings(&settings(&old.url())).start().await;
    let upstream = Paced::start().await;
    let (mut stream, mut wire) = begin_stream(&tidegate, &upstream).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut asking = JoinSet::new();
    for _ in 0..4 {
        let (url, stop) = (tidegate.url(CHAT), Arc::clone(&stop));
        asking.spawn(async move {
            let mut asked = 0;
            while !stop.load(Ordering::Relaxed) {
                let answer = client::post(&url, &[], &chat("@mine/txt:a")).await;
                assert_eq!((answer.status, said(&answer).as_str()), (200, "a"));
                asked += 1;
            }
            asked
        });
    }
    old.traffic().wait_until(|counts| counts.finished > 8).await;
    tidegate.directory.write("tidegate.toml", settings(&new.url()));
    signal(&tidegate, "HUP");
    tidegate.process.wait_for("settings reloaded").await;
    new.traffic().wait_until(|counts| counts.finished > 8).await;
    stop.store(true, Ordering::Relaxed);
    while let Some(asked) = asking.join_next().await {
        assert!(asked.unwrap() > 0);
    }
    wire.write_chunk("data: [DONE]\n\n").await;
    wire.write("0\r\n\r\n").await;
    while stream.next().await.unwrap().is_some() {}
    assert_eq!(tidegate.metric("tidegate_config_reloads_total").await, 1);
    assert_eq!(tidegate.metric("tidegate_config_reload_failures_total").await, 0);
}

#[tokio::test]
async fn a_changed_file_is_noticed_without_a_signal() {
    let upstream = Server::start(Scripted::default()).await;
    let saved = |text: &str| {
        let mut config = target("openai", &upstream.url());
        config["override_params"] = json!({"model": format!("txt:{text}")});
        config
    };
    let mut tidegate = Setup::default().config("team", saved("before")).start().await;
    let by_id = [("x-portkey-config", "team")];
    assert_eq!(said(&tidegate.post(CHAT, &by_id, &chat("m")).await), "before");
    tidegate.directory.write("configs/team.json", saved("afterwards").to_string());
    tidegate.process.wait_for("settings reloaded").await;
    assert_eq!(said(&tidegate.post(CHAT, &by_id, &chat("m")).await), "afterwards");
}

#[tokio::test]
async fn invalid_settings_change_nothing_and_say_why() {
    let upstream = Server::start(Scripted::default()).await;
    let right =
        format!("[providers.mine]\nprovider = 'openai'\napi_key = 'k'\nbase_url = '{}'\n", upstream.url());
    for (file, text, said_why) in [
        ("tidegate.toml", format!("{right}\n[limits]\nmax_bdy = '1MB'\n"), "did you mean limits.max_body?"),
        ("tidegate.toml", "[providers.mine\n".to_owned(), "correct the TOML here"),
        (
            "tidegate.toml",
            format!("{right}\n[log]\nformat = 'json'\n"),
            "log cannot change while the gateway runs",
        ),
        ("configs/new.json", json!({"strategy": {"mode": "fallbck"}}).to_string(), "new.json"),
    ] {
        let mut tidegate = Setup::default().settings(&right).start().await;
        tidegate.directory.write(file, text);
        signal(&tidegate, "HUP");
        tidegate.process.wait_for("settings not reloaded, the old ones stay in force").await;
        tidegate.process.wait_for(said_why).await;
        assert_eq!(said(&tidegate.post(CHAT, &[], &chat("@mine/txt:a")).await), "a", "{file}");
        assert!(tidegate.metric("tidegate_config_reload_failures_total").await >= 1);
        assert_eq!(tidegate.metric("tidegate_config_reloads_total").await, 0);
    }
}

#[test]
fn a_check_of_right_settings_shows_what_is_in_force() {
    let text = "[server]\nport = 1234\n[providers.openai]\napi_key = 'sk-never-shown'\n";
    let checked = Setup::default().settings(text).ended("check");
    let shown = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(0), "{shown}");
    for part in ["server.port = 1234", "tidegate.toml:2", "ok: settings, and 0 saved config(s)"] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
    assert!(!shown.contains("sk-never-shown"));
}

/// BerriAI/litellm#31888, #18518: a setting was accepted and did nothing.
#[test]
fn incident_a_setting_without_effect_was_accepted() {
    for (text, place, field, remedy) in [
        ("[server]\nprot = 8787\n", "tidegate.toml:2", "server.prot", "did you mean server.port?"),
        ("[server]\nport = 70000\n", "tidegate.toml:2", "server.port", "65535"),
        ("[limits]\n\nmax_body = 'much'\n", "tidegate.toml:3", "limits.max_body", "MB"),
        (
            "[providers.opnai]\napi_key = 'sk-never-shown'\n",
            "tidegate.toml:1",
            "providers.opnai",
            "did you mean \"openai\"?",
        ),
        (
            "[providers.openai]\napi_key_env = 'NOT_SET'\n",
            "tidegate.toml:2",
            "providers.openai.api_key_env",
            "set it",
        ),
        ("[routing]\nretry_budget = 2\n", "tidegate.toml:2", "routing.retry_budget", "1"),
        (
            "[egress]\nallow_private = ['10.0.0.0/99']\n",
            "tidegate.toml:2",
            "egress.allow_private",
            "10.0.0.0",
        ),
        ("port = 8787\n", "tidegate.toml:1", "port", "server"),
        ("[server\n", "tidegate.toml:1", "", "correct the TOML here"),
    ] {
        let checked = Setup::default().settings(text).ended("check");
        let said = String::from_utf8_lossy(&checked.stderr);
        assert_eq!(checked.status.code(), Some(1), "{text}: {said}");
        assert!(said.contains(place) && said.contains(field) && said.contains(remedy), "{text}: {said}");
        assert!(!said.contains("sk-never-shown"), "{said}");
        let served = Setup::default().settings(text).ended("serve");
        assert_eq!(
            (served.status.code(), served.stdout.len()),
            (Some(1), 0),
            "{text}: it does not start either"
        );
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let both = Setup::default().settings("[server]\nprot = 1\nhots = 'x'").ended("check");
    let said = String::from_utf8_lossy(&both.stderr).into_owned();
    assert!(said.contains("server.prot") && said.contains("server.hots"), "{said}");
    let configs = Setup::default()
        .config("a", "{\"provider\": \"opena\"}")
        .config("b", "{\n  \"provider\": \"openai\",\n  \"api_key\": 5\n}")
        .ended("check");
    let said = String::from_utf8_lossy(&configs.stderr).into_owned();
    assert_eq!(configs.status.code(), Some(1), "{said}");
    assert!(said.contains("a.json") && said.contains("did you mean 'openai'?"), "{said}");
    assert!(said.contains("b.json:3"), "{said}");
}

#[test]
fn what_cannot_be_started_says_so() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, code, said) in [
        (vec!["serve", "--port", port.as_str()], 1, "cannot listen on 127.0.0.1"),
        (vec!["serve", "--config", "/no/such/file.toml"], 1, "/no/such/file.toml: cannot be read"),
        (vec!["serve", "--port", "x"], 1, "--port"),
        (vec!["serve", "--prot", "1"], 2, "--prot"),
        (vec!["sreve"], 2, "sreve"),
    ] {
        // A start makes its data directory before it listens: not in the sources.
        let scratch = Scratch::new();
        let mut command = Command::new(binary());
        let ended = command.args(&arguments).current_dir(scratch.path()).env_clear().output().unwrap();
        let text = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}

#[tokio::test]
async fn more_connections_than_allowed_are_told_to_come_back() {
    let tidegate = Setup::default().settings("[limits]\nmax_connections = 2").start().await;
    let held = [Wire::connect(tidegate.address()).await, Wire::connect(tidegate.address()).await];
    let mut third = Wire::connect(tidegate.address()).await;
    let told = third.read_to_end().await;
    assert!(told.starts_with("HTTP/1.1 503") && told.contains("retry-after: 1"), "{told}");
    let body = told.split_once("\r\n\r\n").unwrap().1;
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["code"], "connections");
    drop(held);
}

/// A stream through the gateway whose first event has arrived, and the upstream's end of it.
async fn begin_stream(tidegate: &Tidegate, upstream: &Paced) -> (Opened, Wire) {
    let config = target("openai", &upstream.url()).to_string();
    let url = tidegate.url(CHAT);
    let asking = tokio::spawn(async move {
        let headers = [("x-portkey-config", config.as_str()), ("content-type", "application/json")];
        client::open("POST", &url, &headers, streamed("m").to_string().into()).await.unwrap()
    });
    let mut wire = upstream.accept().await;
    wire.read_request().await;
    wire.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    wire.write_chunk(event("before")).await;
    let mut stream = asking.await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    (stream, wire)
}

fn event(word: &str) -> String {
    let delta = json!({"index": 0, "delta": {"content": word}, "finish_reason": null});
    format!(
        "data: {}\n\n",
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [delta]})
    )
}

fn signal(tidegate: &Tidegate, name: &str) {
    let id = tidegate.process.id().unwrap().to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
}

async fn wait_until_refused(tidegate: &Tidegate) {
    let started = Instant::now();
    while TcpStream::connect(tidegate.address()).await.is_ok() {
        assert!(started.elapsed() < PATIENCE, "connections are still accepted");
        tokio::task::yield_now().await;
    }
}
