//! What passes: events of any size in any number of frames, both ways, and what they say of usage.

use serde_json::json;
use tidegate_store::entity::Limits;
use tidegate_testkit::tls::{Flaw, Identity};
use tidegate_testkit::{Realtime, Scratch, SocketEnd, connect};

use super::{Office, PATH, answer};
use crate::stage::{Setup, Tidegate, fallback, target};
use crate::tenant::usd;

#[tokio::test]
async fn what_the_client_said_is_written_down_at_its_own_models_price() {
    let office = Office::new(usd(&json!(10))).await;
    let mut socket = office.connect().await.unwrap();
    const COMPLETED: &str = "conversation.item.input_audio_transcription.completed";
    for model in ["gpt-4o-transcribe", "whisper-1"] {
        let input = json!({"transcription": {"model": model}});
        socket.send(&json!({"type": "session.update", "session": {"audio": {"input": input}}})).await;
        socket.until("session.updated").await.unwrap();
        socket.send(&json!({"type": "input_audio_buffer.commit"})).await;
        socket.until(COMPLETED).await.unwrap();
    }
    assert_eq!(socket.close(1000).await, SocketEnd::Closed { code: 1000, reason: "done".into() });
    let log = office.log().await;
    // 20 tokens of audio at 6 and 10 of text at 10 USD a million; 9 seconds at 0.36 USD an hour.
    assert_eq!(log["tidegate"]["cost"], "0.00112", "{log}");
    assert_eq!(log["tidegate"]["cost_estimated"], false, "{log}");
    assert_eq!(log["tidegate"]["usage"]["audio_input"], 20, "{log}");
    assert_eq!(office.used().await, 0.00112);
}

#[tokio::test]
async fn a_session_with_a_provider_over_tls() {
    let (identity, directory) = (Identity::new(Flaw::Untrusted), Scratch::new());
    let upstream = Realtime::listen(0, Some(identity.acceptor.clone())).await;
    directory.write("ca.pem", &identity.certificate_pem);
    let ca = directory.path().join("ca.pem");
    let trusting = Setup::default().settings(&format!("[egress]\nextra_ca_file = {ca:?}"));
    let office = Office::before(Limits::default(), trusting, directory, upstream).await;
    assert!(office.upstream.base().starts_with("https://"));
    let mut socket = office.connect().await.unwrap();
    socket.send(&answer(json!({"bytes": "100000"}))).await;
    let events = socket.until("response.done").await.unwrap();
    assert_eq!(events.last().unwrap()["response"]["usage"]["total_tokens"], 253);
    assert_eq!(socket.close(1000).await, SocketEnd::Closed { code: 1000, reason: "done".into() });
    assert_eq!(office.upstream_end().await, Some(1000));
    assert_eq!(office.log().await["metrics"]["response_status_code"], 101);

    // Whoever cannot show who they are is not spoken to.
    let stranger = Realtime::listen(0, Some(Identity::new(Flaw::Untrusted).acceptor)).await;
    let office = Office::before(Limits::default(), Setup::default(), Scratch::new(), stranger).await;
    let refused = office.connect().await.unwrap_err();
    assert_eq!(refused.status, 502, "{}", refused.text());
    assert_eq!(office.upstream.handshakes().len(), 0);
}

#[tokio::test]
async fn a_session_is_one_request_with_the_usage_of_all_its_answers() {
    let office = Office::new(usd(&json!(10))).await;
    let mut socket = office.connect().await.unwrap();
    assert_eq!(socket.headers["x-request-id"], "req_fake");
    assert_eq!(socket.headers["x-portkey-provider"], "openai");
    let created = socket.until("session.created").await.unwrap();
    assert_eq!(created[0]["session"]["model"], "gpt-realtime");
    assert_eq!(office.gateway.metric("tidegate_open_streams").await, 1);
    socket.send(&json!({"type": "session.update", "session": {"type": "realtime", "unknown": [1.50]}})).await;
    socket.until("session.updated").await.unwrap();
    assert!(socket.ping(b"are you there?").await);
    for metadata in [json!({}), json!({"fragments": "7"})] {
        socket.send(&answer(metadata)).await;
        let events = socket.until("response.done").await.unwrap();
        assert_eq!(events.last().unwrap()["response"]["usage"]["total_tokens"], 253);
    }
    assert_eq!(socket.close(1000).await, SocketEnd::Closed { code: 1000, reason: "done".into() });
    assert_eq!(office.upstream_end().await, Some(1000));

    let seen = office.upstream.handshakes().remove(0);
    assert_eq!(seen.url, PATH);
    assert_eq!(seen.header("authorization"), Some("Bearer sk-openai"));
    assert!(!format!("{seen:?}").contains(&office.key), "the caller's key stays here");
    assert_eq!(seen.header("x-tidegate-hops"), Some("1"));
    assert_eq!(
        office.upstream.heard()[0],
        r#"{"type":"session.update","session":{"type":"realtime","unknown":[1.5]}}"#
    );
    assert_eq!(office.upstream.pings(), 1);

    let log = office.log().await;
    assert_eq!(log["metrics"]["response_status_code"], 101, "{log}");
    assert_eq!(
        (&log["tidegate"]["end"], &log["tidegate"]["route"]),
        (&json!("ok"), &json!("realtime")),
        "{log}"
    );
    // Two answers: text 59, cached 60, audio 13 there; text 30, audio 91 back.
    assert_eq!(log["tidegate"]["cost"], "0.01396", "{log}");
    assert_eq!(log["tidegate"]["cost_estimated"], false, "{log}");
    let usage = &log["tidegate"]["usage"];
    assert_eq!(
        (&usage["input"], &usage["cache_read"], &usage["output"]),
        (&json!(144), &json!(120), &json!(242))
    );
    assert_eq!((&usage["audio_input"], &usage["audio_output"]), (&json!(26), &json!(182)));
    assert_eq!(log["metrics"]["ai_model"], "gpt-realtime", "{log}");
    office.gateway.wait_for_metric("tidegate_open_streams", 0).await;
    assert_eq!(office.gateway.metric("tidegate_stream_ends_total{reason=\"ok\"}").await, 1);
}

#[tokio::test]
async fn large_messages_pass_whole() {
    let office = Office::new(Limits::default()).await;
    let mut socket = office.connect().await.unwrap();
    let audio = "A".repeat(3_000_000);
    socket.send(&json!({"type": "input_audio_buffer.append", "audio": audio})).await;
    socket.send(&answer(json!({"bytes": "2000000", "fragments": "3"}))).await;
    let events = socket.until("response.done").await.unwrap();
    let long = events.iter().rev().nth(1).unwrap()["delta"].as_str().unwrap();
    assert_eq!(long.len(), 2_000_000);
    assert!(office.upstream.heard()[0].len() > 3_000_000);
    socket.close(1000).await;
    let log = office.log().await;
    assert_eq!(log["tidegate"]["usage"]["output"], 121, "the last event was read in three pieces: {log}");
}

/// Nobody buffers what a client does not read: the provider has to wait for it.
#[tokio::test]
async fn a_slow_client_slows_its_provider_down() {
    const MESSAGES: usize = 2_000;
    let office = Office::new(Limits::default()).await;
    let mut socket = office.connect().await.unwrap();
    socket.send(&answer(json!({"flood": MESSAGES.to_string()}))).await;
    socket.until("response.created").await.unwrap();
    // What fits into the sockets' own buffers is written, and then nothing more for as long as nobody reads.
    let mut before = 0;
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let now = office.upstream.flooded();
        if now == before && now > 0 {
            break;
        }
        before = now;
    }
    assert!(before < MESSAGES / 2, "{before} messages of 64 KiB are under way");
    assert!(office.gateway.resident() < 200_000, "{} kB", office.gateway.resident());
    let events = socket.until("response.done").await.unwrap();
    assert_eq!(
        events.iter().filter(|event| event["type"] == "response.output_audio.delta").count(),
        MESSAGES
    );
}

#[tokio::test]
async fn the_key_comes_as_clients_send_it() {
    let office = Office::new(Limits::default()).await;
    let protocols = format!("realtime, openai-insecure-api-key.{}, openai-beta.realtime-v1", office.key);
    for headers in [
        [("x-portkey-api-key", office.key.as_str())],
        [("x-tidegate-api-key", office.key.as_str())],
        [("sec-websocket-protocol", protocols.as_str())],
    ] {
        let mut socket = office.connect_as(&headers).await.unwrap();
        socket.until("session.created").await.unwrap();
        let chosen =
            socket.headers.get("sec-websocket-protocol").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(chosen.is_some(), headers[0].0 == "sec-websocket-protocol");
        let seen = office.upstream.handshakes().pop().unwrap();
        assert_eq!(seen.header("authorization"), Some("Bearer sk-openai"), "{headers:?}");
        assert!(!format!("{seen:?}").contains(&office.key), "{headers:?}");
    }
    let seen = office.upstream.handshakes().pop().unwrap();
    assert_eq!(seen.header("sec-websocket-protocol"), Some("realtime, openai-beta.realtime-v1"));
}

#[tokio::test]
async fn a_config_says_where_to_and_which_model() {
    let (tidegate, upstream) = (Tidegate::start().await, Realtime::start().await);
    let mut one = target("openai", &upstream.base());
    one["override_params"] = json!({"model": "gpt-realtime-mini"});
    for path in [PATH, "/v1/realtime?model=@openai/gpt-realtime", "/v1/proxy/realtime?model=gpt-realtime"] {
        let config = one.to_string();
        let mut socket = connect(tidegate.address(), path, &[("x-portkey-config", &config)]).await.unwrap();
        let created = socket.until("session.created").await.unwrap();
        assert_eq!(created[0]["session"]["model"], "gpt-realtime-mini", "{path}");
        let seen = upstream.handshakes().pop().unwrap();
        assert_eq!(seen.header("authorization"), Some("Bearer sk-of-the-test"), "{path}");
    }
    // With a key of the caller's own, as in the reference.
    let base = upstream.base();
    let headers = [
        ("authorization", "Bearer sk-of-the-caller"),
        ("x-portkey-provider", "openai"),
        ("x-portkey-custom-host", base.as_str()),
    ];
    let mut socket = connect(tidegate.address(), PATH, &headers).await.unwrap();
    socket.until("session.created").await.unwrap();
    let seen = upstream.handshakes().pop().unwrap();
    assert_eq!(seen.header("authorization"), Some("Bearer sk-of-the-caller"));
}

#[tokio::test]
async fn a_target_that_refuses_is_followed_by_the_next() {
    let (tidegate, upstream) = (Tidegate::start().await, Realtime::start().await);
    for status in ["401", "429", "500"] {
        let mut first = target("openai", &upstream.base());
        first["override_params"] = json!({"model": format!("refuse-{status}")});
        let config = fallback(&[first, target("openai", &upstream.base())]).to_string();
        let mut socket = connect(tidegate.address(), PATH, &[("x-portkey-config", &config)]).await.unwrap();
        assert_eq!(socket.headers["x-portkey-last-used-option-index"], "config.targets[1]", "{status}");
        let created = socket.until("session.created").await.unwrap();
        assert_eq!(created[0]["session"]["model"], "gpt-realtime");
    }
}
