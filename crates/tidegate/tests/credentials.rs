//! Whose key goes where: the caller's, a config's, and those that the gateway holds.

use serde_json::json;
use tidegate_testkit::{Scripted, Server};

use crate::stage::{CHAT, MESSAGES, Setup, Tidegate, chat, held, messages, scripted};

#[tokio::test]
async fn the_models_name_alone_is_enough_where_a_key_is_held() {
    let upstream = Server::start(Scripted::default()).await;
    let url = upstream.url();
    let settings =
        format!("[providers.mine]\nprovider = 'openai'\napi_key = 'key-mine'\nbase_url = '{url}/mine'");
    let tidegate = Setup::default()
        .settings(&settings)
        .env("ANTHROPIC_API_KEY", "key-anthropic")
        .env("ANTHROPIC_BASE_URL", &url)
        .env("GROQ_API_KEY", "key-groq")
        .start()
        .await;
    for (path, model, asked, seen_path, key) in [
        (CHAT, "@mine/gpt-x", "gpt-x", "/mine/chat/completions", "key-mine"),
        (CHAT, "mine/gpt-x", "gpt-x", "/mine/chat/completions", "key-mine"),
        (MESSAGES, "claude-opus-4-1", "claude-opus-4-1", "/v1/messages", "key-anthropic"),
        (MESSAGES, "anthropic/claude-opus-4-1", "claude-opus-4-1", "/v1/messages", "key-anthropic"),
        (CHAT, "gpt-4o", "gpt-4o", "/mine/chat/completions", "key-mine"),
    ] {
        let answer = tidegate.post(path, &[], &messages(model, false)).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let seen = upstream.requests().pop().unwrap();
        assert_eq!((seen.path(), &seen.json()["model"]), (seen_path, &json!(asked)), "{model}");
        let shown = seen.header("x-api-key").or(seen.header("authorization")).unwrap();
        assert!(shown.ends_with(key), "{model}: {shown}");
    }
    let unknown = tidegate.post(CHAT, &[], &chat("gemini-2.5-pro")).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (400, &json!("provider_missing")));
    assert!(
        unknown.json()["error"]["message"].as_str().unwrap().contains("GEMINI_API_KEY"),
        "{}",
        unknown.text()
    );
}

#[tokio::test]
async fn the_model_inside_needs_no_key() {
    let tidegate = Tidegate::start().await;
    for path in [CHAT, MESSAGES] {
        for stream in [false, true] {
            let answer = tidegate.post(path, &[], &messages("@demo/echo", stream)).await;
            assert_eq!((answer.status, answer.header("x-portkey-provider")), (200, Some("demo")), "{path}");
            assert!(answer.text().contains("water"), "{path} {stream}: {}", answer.text());
        }
    }
}

/// 9router#797: a stored key was sent to whatever address a request named.
#[tokio::test]
async fn incident_a_stored_key_went_to_the_callers_address() {
    let (stored, elsewhere) =
        (Server::start(Scripted::default()).await, Server::start(Scripted::default()).await);
    let saved = scripted(&stored, "txt:a");
    let tidegate =
        Setup::default().settings(&held(&stored.url(), "mine")).config("saved", saved).start().await;
    let host = elsewhere.url();
    let by_config = json!({"provider": "@mine", "custom_host": host}).to_string();
    let below =
        json!({"custom_host": host, "strategy": {"mode": "fallback"}, "targets": [{"provider": "@mine"}]});
    let below = below.to_string();
    for (path, headers) in [
        (CHAT, vec![("x-portkey-provider", "@mine"), ("x-portkey-custom-host", host.as_str())]),
        (CHAT, vec![("x-portkey-provider", "mine"), ("x-portkey-custom-host", host.as_str())]),
        (CHAT, vec![("x-portkey-provider", "openai"), ("x-tidegate-custom-host", host.as_str())]),
        (CHAT, vec![("x-portkey-config", by_config.as_str())]),
        (CHAT, vec![("x-portkey-config", below.as_str())]),
        (CHAT, vec![("x-portkey-custom-host", host.as_str())]),
        ("/v1/files", vec![("x-portkey-provider", "@mine"), ("x-portkey-custom-host", host.as_str())]),
        ("/v1/files", vec![("x-portkey-config", by_config.as_str())]),
        ("/v1/embeddings", vec![("x-portkey-config", by_config.as_str())]),
    ] {
        elsewhere.reset();
        tidegate.post(path, &headers, &chat("@mine/txt:a")).await;
        let seen = elsewhere.only_request();
        assert!(!format!("{seen:?}").contains("key-mine"), "{path} {headers:?}");
    }
    // A saved config holds keys too, and says itself where they go.
    elsewhere.reset();
    for (path, header) in [(CHAT, "x-portkey-custom-host"), ("/v1/files", "x-tidegate-custom-host")] {
        let headers = [("x-portkey-config", "saved"), (header, host.as_str())];
        assert_eq!(tidegate.post(path, &headers, &chat("m")).await.status, 400);
    }
    assert_eq!((elsewhere.traffic().now().requests, stored.traffic().now().requests), (0, 0));
    tidegate.post(CHAT, &[("x-portkey-provider", "@mine")], &chat("txt:a")).await;
    assert_eq!(
        stored.only_request().header("authorization"),
        Some("Bearer key-mine"),
        "its own address gets it"
    );
}

#[tokio::test]
async fn a_config_with_keys_does_not_show_the_callers_credential() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config = scripted(&upstream, "txt:a").to_string();
    let headers = [("x-portkey-config", config.as_str()), ("authorization", "Bearer of-the-caller")];
    tidegate.post(CHAT, &headers, &chat("m")).await;
    assert_eq!(upstream.only_request().header("authorization"), Some("Bearer sk-of-the-test"));
}

/// What a provider keeps for its users is the target's, not that of whatever key the client's library sends.
#[tokio::test]
async fn files_and_batches_are_asked_for_with_the_configs_key() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config = scripted(&upstream, "txt:a").to_string();
    let headers = [("x-portkey-config", config.as_str()), ("authorization", "Bearer of-the-caller")];
    for (path, key) in [
        ("/v1/files", "Bearer sk-of-the-test"),
        ("/v1/batches", "Bearer sk-of-the-test"),
        ("/v1/fine_tuning/jobs", "Bearer sk-of-the-test"),
        ("/v1/threads", "Bearer of-the-caller"),
    ] {
        tidegate.post(path, &headers, &chat("m")).await;
        assert_eq!(upstream.requests().pop().unwrap().header("authorization"), Some(key), "{path}");
    }
}
