//! API keys of the gateway's own: what they open, what holds them back, and what is left behind.

use serde_json::{Map, Value, json};
use tidegate_store::Scope;
use tidegate_store::audit::By;
use tidegate_store::entity::{ApiKey, Connection, Limits, ModelRow};
use tidegate_testkit::client::Answer;
use tidegate_testkit::{Handler, Reply, Scratch, Seen, Server};

use crate::stage::{CHAT, Setup, Tidegate, fallback};
use crate::tenant::{Tenant, per_minute, usd};

/// Answers chats with 20 tokens of prompt and as many of answer as may be: 1,000 of gpt-4o are 0.01005 USD.
struct Metered;

impl Handler for Metered {
    fn answer(&self, request: &Seen) -> Reply {
        let body = request.json();
        let said = body["max_tokens"].as_u64().unwrap_or(1_000);
        let usage = json!({"prompt_tokens": 20, "completion_tokens": said, "total_tokens": 20 + said});
        let model = body["model"].clone();
        if body["stream"] != json!(true) {
            let message = json!({"role": "assistant", "content": "Noon."});
            let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
            return Reply::json(
                200,
                &json!({"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}),
            );
        }
        let asks = body["stream_options"]["include_usage"] == json!(true);
        let chunk = |choices: Value, usage: Option<&Value>| {
            let mut chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices});
            if let Some(usage) = usage {
                chunk["usage"] = usage.clone();
            }
            tidegate_testkit::sse::data(&chunk)
        };
        let mut events = vec![
            chunk(json!([{"index": 0, "delta": {"role": "assistant", "content": "Noon."}}]), None),
            chunk(json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]), None),
        ];
        if asks {
            events.push(chunk(json!([]), Some(&usage)));
        }
        events.push("data: [DONE]\n\n".to_owned());
        Reply::events(events)
    }
}

fn question(stream: bool) -> Value {
    let message = json!({"role": "user", "content": "High water?"});
    json!({"model": "gpt-4o", "max_tokens": 1_000, "stream": stream, "messages": [message]})
}

async fn ask(tidegate: &Tidegate, key: &str, more: &[(&str, &str)]) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers: Vec<_> =
        [("authorization", bearer.as_str())].into_iter().chain(more.iter().copied()).collect();
    tidegate.post(CHAT, &headers, &question(false)).await
}

/// What an operator says of a model's price counts before the catalogue, in what is set aside and in what is settled.
#[tokio::test]
async fn a_providers_own_prices_are_what_its_budgets_pay() {
    let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    let mut connection = Connection::new("openai", Some(upstream.url()));
    // Four hundredths of a cent for a token of the answer: 1,000 are 0.40 USD, forty times the catalogue's price.
    let prices = json!({"pay_as_you_go": {"request_token": {"price": 0}, "response_token": {"price": 0.04}}});
    let details = Map::from_iter([(ModelRow::PRICES.to_owned(), prices)]);
    connection.models.rows.push(ModelRow { slug: "gpt-4o".into(), enabled: true, details });
    tenant.connected(workspace, "openai-a", connection, Limits::default(), &["sk-openai-a"]).await;
    let (_, key) = tenant.key(workspace, "app", usd(&json!(1))).await;
    let tidegate = Setup::default().directory(directory).start().await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(ask(&tidegate, &key, &[("x-portkey-provider", "@openai-a")]).await.status);
    }
    // The third is told to be short by half: what is left of the budget pays for 500 tokens.
    let last = ask(&tidegate, &key, &[("x-portkey-provider", "@openai-a")]).await;
    assert_eq!((statuses, last.status), (vec![200, 200, 200], 412), "{}", last.text());
    let asked: Vec<_> = upstream.requests().iter().map(|seen| seen.json()["max_tokens"].clone()).collect();
    assert_eq!(asked, [json!(1_000), json!(1_000), json!(500)]);
}

#[tokio::test]
async fn a_key_opens_its_workspace_and_nothing_else() {
    let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
    let tenant = Tenant::new(&directory).await;
    let (a, b) =
        (tenant.workspace("a", Limits::default()).await, tenant.workspace("b", Limits::default()).await);
    tenant.provider(a, "openai-a", &upstream.url(), Limits::default()).await;
    tenant.provider(b, "openai-b", &upstream.url(), Limits::default()).await;
    tenant.config(a, "pc-of-a", json!({"provider": "@openai-a"})).await;
    let (_, key) = tenant.key(a, "app", Limits::default()).await;
    let tidegate = Setup::default().directory(directory).start().await;

    // By the model alone, by slug, as a virtual key, by a saved config: the stored credential, and not the caller's key.
    let ways: [&[(&str, &str)]; 4] = [
        &[],
        &[("x-portkey-provider", "@openai-a")],
        &[("x-portkey-virtual-key", "openai-a")],
        &[("x-portkey-config", "pc-of-a")],
    ];
    for more in ways {
        upstream.reset();
        let answer = ask(&tidegate, &key, more).await;
        assert_eq!(answer.status, 200, "{more:?}: {}", answer.text());
        let seen = upstream.only_request();
        assert_eq!(seen.header("authorization"), Some("Bearer sk-openai-a"), "{more:?}");
        assert!(!format!("{seen:?}").contains(&key), "{more:?}");
    }
    // Also where clients of Anthropic and Portkey have their key.
    for name in ["x-api-key", "x-portkey-api-key", "x-tidegate-api-key"] {
        assert_eq!(tidegate.post(CHAT, &[(name, &key)], &question(false)).await.status, 200, "{name}");
    }
    // What is another workspace's is not there.
    upstream.reset();
    let foreign: [&[(&str, &str)]; 3] = [
        &[("x-portkey-provider", "@openai-b")],
        &[("x-portkey-virtual-key", "openai-b")],
        &[("x-portkey-config", "{\"provider\":\"@openai-b\"}")],
    ];
    for more in foreign {
        let answer = ask(&tidegate, &key, more).await;
        assert_eq!(answer.status, 400, "{more:?}: {}", answer.text());
    }
    // Without a key nobody is served any more, and a wrong one is told nothing.
    for (headers, said) in [
        (vec![], "send an API key"),
        (vec![("authorization", "Bearer tg-svc-wrong")], "not a complete API key"),
        (vec![("authorization", "Bearer sk-of-the-callers-own")], "not valid"),
    ] {
        let answer = tidegate.post(CHAT, &headers, &question(false)).await;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(said), "{}", answer.text());
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_revoked_key_stops() {
    let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let (stored, key) = tenant.key(workspace, "app", Limits::default()).await;
    let tidegate = Setup::default().directory(directory).start().await;
    assert_eq!(ask(&tidegate, &key, &[]).await.status, 200);
    let scope = Scope::Organisation(stored.home.organisation);
    tenant.store.revoke_key(&By::system(), &scope, stored.id).await.unwrap();
    // Another process changed the database: the gateway hears of it when it looks.
    let started = std::time::Instant::now();
    while ask(&tidegate, &key, &[]).await.status != 401 {
        assert!(started.elapsed() < crate::stage::PATIENCE);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_rate_limit_of_a_key_holds_and_says_when_to_come_back() {
    let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let daily =
        Limits { rates: vec![json!({"type": "requests", "unit": "rpd", "value": 2})], ..Limits::default() };
    let (_, key) = tenant.key(workspace, "app", daily).await;
    let tidegate = Setup::default().directory(directory).start().await;
    for left in ["1", "0"] {
        let answer = ask(&tidegate, &key, &[]).await;
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining-requests")), (200, Some(left)));
    }
    let answer = ask(&tidegate, &key, &[]).await;
    let error = answer.json()["error"].clone();
    assert_eq!((answer.status, &error["type"]), (429, &json!("rate_limit_exceeded")), "{}", answer.text());
    assert_eq!(error["message"], "Rate limit exceeded for api key 'app': 2 rpd");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() <= 86_400);
    assert_eq!(answer.header("x-ratelimit-limit-requests"), Some("2"));
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_budget_is_never_exceeded_and_streams_pay_like_others() {
    for stream in [false, true] {
        let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
        let tenant = Tenant::new(&directory).await;
        let workspace = tenant.workspace("a", Limits::default()).await;
        tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
        let (_, key) = tenant.key(workspace, "app", usd(&json!(1))).await;
        let tidegate = Setup::default().directory(directory).start().await;
        let bearer = format!("Bearer {key}");
        let mut served = 0;
        loop {
            let answer = tidegate.post(CHAT, &[("authorization", &bearer)], &question(stream)).await;
            if answer.status != 200 {
                let error = answer.json()["error"].clone();
                assert_eq!((answer.status, &error["type"]), (412, &json!("usage_limit_exceeded")));
                assert_eq!(error["message"], "Usage limit exceeded for api key 'app'");
                break;
            }
            // The client did not ask for the usage, and does not see it.
            assert!(!stream || !answer.text().contains("usage"), "{}", answer.text());
            served += 1;
        }
        // 0.01005 each: 99 are 0.99495. What is left pays for a shorter answer, which is asked for.
        assert_eq!((served, upstream.requests().len()), (100, 100), "stream: {stream}");
        let asked = upstream
            .requests()
            .iter()
            .map(|seen| seen.json()["max_tokens"].as_u64().unwrap())
            .collect::<Vec<_>>();
        assert!(asked[..99].iter().all(|tokens| *tokens == 1_000), "{asked:?}");
        let last = 0.99495 + 0.00005 + asked[99] as f64 / 100_000.0;
        assert!((0.98..=1.0).contains(&last), "{last}");
    }
}

#[tokio::test]
async fn a_budget_in_tokens_holds_for_a_model_without_a_price() {
    let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let tokens =
        Limits { usage: vec![json!({"type": "tokens", "credit_limit": 2_000})], ..Limits::default() };
    let (_, key) = tenant.key(workspace, "app", tokens).await;
    let tidegate = Setup::default().directory(directory).start().await;
    let bearer = format!("Bearer {key}");
    let mut body = question(false);
    body["model"] = json!("@openai/made-up-here");
    let mut used = 0;
    loop {
        let answer = tidegate.post(CHAT, &[("authorization", &bearer)], &body).await;
        if answer.status != 200 {
            assert_eq!(answer.status, 412, "{}", answer.text());
            break;
        }
        used += answer.json()["usage"]["total_tokens"].as_u64().unwrap();
    }
    // What is left when the next prompt could be more than that is not used.
    assert!((1_700..=2_000).contains(&used), "{used}");
}

#[tokio::test]
async fn a_provider_without_budget_hands_over_to_the_next() {
    let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    // A dollar pays for 99 requests: so one of its rate limits stands in for it here.
    tenant.provider(workspace, "first", &upstream.url(), per_minute(1)).await;
    tenant.provider(workspace, "second", &upstream.url(), Limits::default()).await;
    let (_, key) = tenant.key(workspace, "app", Limits::default()).await;
    let tidegate = Setup::default().directory(directory).start().await;
    let config = fallback(&[json!({"virtual_key": "first"}), json!({"provider": "@second"})]).to_string();
    let mut used = Vec::new();
    for _ in 0..3 {
        upstream.reset();
        let answer = ask(&tidegate, &key, &[("x-portkey-config", &config)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        used.push(upstream.only_request().header("authorization").unwrap().to_owned());
    }
    assert!(used.iter().filter(|key| *key == "Bearer sk-first").count() <= 2, "{used:?}");
    assert!(used.iter().any(|key| key == "Bearer sk-second"), "{used:?}");
}

#[tokio::test]
async fn a_credential_that_is_refused_rests() {
    struct Picky;
    impl Handler for Picky {
        fn answer(&self, request: &Seen) -> Reply {
            match request.header("authorization") {
                Some("Bearer sk-bad") => Reply::json(401, &json!({"error": {"message": "no"}})),
                _ => Metered.answer(request),
            }
        }
    }
    let (directory, upstream) = (Scratch::new(), Server::start(Picky).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.pool(workspace, "openai", &upstream.url(), Limits::default(), &["sk-bad", "sk-good"]).await;
    let (_, key) = tenant.key(workspace, "app", Limits::default()).await;
    let tidegate = Setup::default().directory(directory).start().await;
    let mut refused = 0;
    for _ in 0..40 {
        refused += usize::from(ask(&tidegate, &key, &[]).await.status != 200);
    }
    assert!(refused <= 1, "{refused}");
}

#[tokio::test]
async fn a_keys_own_config_and_model_list_hold() {
    let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
    let tenant = Tenant::new(&directory).await;
    let workspace = tenant.workspace("a", Limits::default()).await;
    tenant.provider(workspace, "openai", &upstream.url(), Limits::default()).await;
    let config = json!({"provider": "@openai", "override_params": {"model": "gpt-4o-mini"}});
    let config = tenant.config(workspace, "pc-mini", config).await;
    let mut key =
        ApiKey::new("app", tidegate_store::entity::KeyOwner::Service, vec!["completions.write".to_owned()]);
    key.defaults.config = Some(config.id);
    key.defaults.allow_config_override = false;
    let (_, key) = tenant.made(workspace, key).await;
    let tidegate = Setup::default().directory(directory).start().await;
    assert_eq!(ask(&tidegate, &key, &[]).await.status, 200);
    assert_eq!(upstream.only_request().json()["model"], "gpt-4o-mini");
    let own = ask(&tidegate, &key, &[("x-portkey-config", "{\"provider\":\"@openai\"}")]).await;
    assert_eq!(own.status, 400, "{}", own.text());
    let listed = tidegate.process_models(&key).await;
    assert!(listed.iter().any(|id| id == "@openai/gpt-4o"), "{listed:?}");
}

impl Tidegate {
    /// The models that a key may name.
    async fn process_models(&self, key: &str) -> Vec<String> {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        let answer = tidegate_testkit::client::get(&self.url("/v1/models"), &headers).await;
        let list = answer.json()["data"].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect()
    }
}
