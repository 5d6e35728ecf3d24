//! Policies: limits for whatever matches their conditions, with a counter for each value of what they group by.

use std::time::Duration;

use std::time::Instant;

use serde_json::{Value, json};
use tidegate_store::audit::By;
use tidegate_store::entity::{ApiKey, KeyOwner, Limits, Policy, PolicyKind, PolicyState, Stored};
use tidegate_store::id::WorkspaceId;
use tidegate_store::{Expected, Home, Scope};
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::{Handler, Reply, Scratch, Seen, Server};

use crate::stage::{CHAT, PATIENCE, Setup, Tidegate, fallback};
use crate::tenant::Tenant;

/// Answers chats with 20 tokens of prompt and as many of answer as may be; 500 for those of the key `sk-broken`.
struct Metered;

impl Handler for Metered {
    fn answer(&self, request: &Seen) -> Reply {
        if request.header("authorization") == Some("Bearer sk-broken") {
            return Reply::json(500, &json!({"error": {"message": "out of order"}}));
        }
        let message = json!({"role": "assistant", "content": "Noon."});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        let body = request.json();
        let said = body["max_tokens"].as_u64().unwrap_or(1_000);
        let usage = json!({"prompt_tokens": 20, "completion_tokens": said, "total_tokens": 20 + said});
        let model = body["model"].clone();
        Reply::json(
            200,
            &json!({"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}),
        )
    }
}

/// A workspace with the providers `first`, `second` and `broken`, and a key.
struct Stage {
    directory: Scratch,
    upstream: Server<Metered>,
    tenant: Tenant,
    workspace: WorkspaceId,
    key: String,
}

impl Stage {
    async fn new() -> Self {
        let (directory, upstream) = (Scratch::new(), Server::start(Metered).await);
        let tenant = Tenant::new(&directory).await;
        let workspace = tenant.workspace("a", Limits::default()).await;
        for slug in ["first", "second", "broken"] {
            tenant.provider(workspace, slug, &upstream.url(), Limits::default()).await;
        }
        let (_, key) = tenant.key(workspace, "app", Limits::default()).await;
        Self { directory, upstream, tenant, workspace, key }
    }

    async fn policy(&self, home: Home, kind: PolicyKind, rule: Value) -> Stored<Policy> {
        let name = format!("{}-policy", rule["type"].as_str().unwrap());
        let policy = Policy { name, description: None, kind, state: PolicyState::Active, rule };
        self.tenant.store.create(&By::system(), home, policy).await.unwrap()
    }

    /// Of the workspace.
    async fn rate(&self, rule: Value) -> Stored<Policy> {
        self.policy(self.tenant.home(self.workspace), PolicyKind::RateLimit, rule).await
    }

    async fn usage(&self, rule: Value) -> Stored<Policy> {
        self.policy(self.tenant.home(self.workspace), PolicyKind::UsageLimit, rule).await
    }

    async fn start(self) -> Running {
        let tidegate = Setup::default().directory(self.directory).start().await;
        let (upstream, tenant, key) = (self.upstream, self.tenant, self.key);
        Running { tidegate, upstream, tenant, key }
    }
}

struct Running {
    tidegate: Tidegate,
    upstream: Server<Metered>,
    tenant: Tenant,
    key: String,
}

impl Running {
    /// Waits until so many requests are closed: what they used is counted just before their records are taken.
    async fn closed(&self, requests: usize) {
        let line = format!("tidegate_records_accepted_total {requests}");
        let taken = async {
            while !self.tidegate.get("/metrics").await.text().lines().any(|one| one == line) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), taken).await.unwrap();
    }

    async fn ask(&self, more: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers: Vec<_> =
            [("authorization", bearer.as_str())].into_iter().chain(more.iter().copied()).collect();
        let message = json!({"role": "user", "content": "High water?"});
        let body = json!({"model": "gpt-4o", "max_tokens": 1_000, "messages": [message]});
        self.tidegate.post(CHAT, &headers, &body).await
    }

    async fn by(&self, user: &str) -> Answer {
        let metadata = json!({"_user": user}).to_string();
        self.ask(&[("x-portkey-provider", "@first"), ("x-portkey-metadata", &metadata)]).await
    }

    async fn at(&self, provider: &str) -> u16 {
        self.ask(&[("x-portkey-provider", provider)]).await.status
    }
}

fn by_user() -> Value {
    json!([{"key": "metadata._user"}])
}

#[tokio::test]
async fn each_user_has_a_rate_of_their_own() {
    let stage = Stage::new().await;
    let rule = json!({"conditions": [{"key": "metadata._user", "value": "*", "excludes": ["root"]}],
        "group_by": by_user(), "type": "requests", "unit": "rpd", "value": 2});
    stage.rate(rule).await;
    let running = stage.start().await;
    let mut statuses = Vec::new();
    for user in ["ann", "ann", "ann", "bob", "root", "root", "root"] {
        statuses.push(running.by(user).await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 200, 200, 200, 200]);
    assert_eq!(running.at("@first").await, 200, "who names no user meets no condition on one");
    let answer = running.by("ann").await;
    let error = answer.json()["error"].clone();
    assert_eq!(error["message"], "Rate limit exceeded for policy 'requests-policy': 2 rpd");
    assert_eq!(error["type"], "rate_limit_exceeded");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(running.upstream.requests().len(), 7);
}

#[tokio::test]
async fn nobody_is_somebody_else_by_saying_so() {
    let mut stage = Stage::new().await;
    let mut key = ApiKey::new("ann's", KeyOwner::Service, vec!["completions.write".to_owned()]);
    key.defaults.metadata.insert("_user".to_owned(), json!("ann"));
    stage.key = stage.tenant.made(stage.workspace, key).await.1;
    let rule = json!({"conditions": [{"key": "metadata._user", "value": "ann"}], "group_by": by_user(),
        "type": "requests", "unit": "rpd", "value": 1});
    stage.rate(rule).await;
    let running = stage.start().await;
    assert_eq!((running.by("ann").await.status, running.by("bob").await.status), (200, 429));
}

#[tokio::test]
async fn a_rate_of_a_provider_counts_requests_and_not_attempts() {
    let stage = Stage::new().await;
    let any = json!([{"key": "model", "value": ["@broken/*", "@second/gpt-4o"]}]);
    // One counter for both of the providers.
    let rule = json!({"conditions": any, "group_by": [{"key": "api_key"}],
        "type": "requests", "unit": "rpd", "value": 2});
    stage.rate(rule).await;
    let running = stage.start().await;
    let config =
        fallback(&[json!({"provider": "@broken", "retry": {"attempts": 2}}), json!({"provider": "@second"})]);
    let config = config.to_string();
    for _ in 0..2 {
        let answer = running.ask(&[("x-portkey-config", &config)]).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!(running.upstream.requests().len() > 4, "there were more attempts than requests");
    assert_eq!(running.ask(&[("x-portkey-config", &config)]).await.status, 429);
    assert_eq!(running.at("@first").await, 200, "no condition names it");
}

#[tokio::test]
async fn over_a_providers_policy_the_next_provider_is_tried() {
    let stage = Stage::new().await;
    let rule = json!({"conditions": [{"key": "virtual_key", "value": "first"}], "group_by": [{"key": "api_key"}],
        "type": "requests", "unit": "rpd", "value": 1});
    stage.rate(rule).await;
    let running = stage.start().await;
    let config = fallback(&[json!({"provider": "@first"}), json!({"provider": "@second"})]).to_string();
    let mut used = Vec::new();
    for _ in 0..2 {
        running.upstream.reset();
        assert_eq!(running.ask(&[("x-portkey-config", &config)]).await.status, 200);
        used.push(running.upstream.only_request().header("authorization").unwrap().to_owned());
    }
    assert_eq!(used, ["Bearer sk-first", "Bearer sk-second"]);
}

#[tokio::test]
async fn tokens_count_where_the_answer_came_from() {
    let stage = Stage::new().await;
    for slug in ["broken", "second"] {
        let rule = json!({"conditions": [{"key": "provider", "value": format!("@{slug}")}],
            "group_by": [{"key": "virtual_key"}], "type": "tokens", "unit": "rpd", "value": 1_500});
        stage.rate(rule).await;
    }
    let running = stage.start().await;
    let config = fallback(&[json!({"provider": "@broken"}), json!({"provider": "@second"})]).to_string();
    let mut statuses = Vec::new();
    for requests in 1..=3 {
        statuses.push(running.ask(&[("x-portkey-config", &config)]).await.status);
        running.closed(requests).await;
    }
    // 1,020 tokens each, told after the answer: the third finds nothing left.
    assert_eq!(statuses, [200, 200, 429]);
    running.upstream.reset();
    assert_eq!(running.at("@broken").await, 500, "its own tokens were never used");
    assert_eq!(running.upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_budget_of_money_of_tokens_and_of_requests() {
    for (rule, served) in [
        // The last of both is spent on a shorter answer.
        (json!({"type": "cost", "credit_limit": 1}), 100),
        (json!({"type": "tokens", "credit_limit": 4_000}), 4),
        (json!({"type": "requests", "credit_limit": 3, "periodic_reset": "monthly"}), 3),
    ] {
        let stage = Stage::new().await;
        let mut whole = json!({"conditions": [{"key": "api_key", "value": "*"}], "group_by": by_user()});
        whole.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        stage.usage(whole).await;
        let running = stage.start().await;
        let mut count = 0;
        let refused = loop {
            let answer = running.by("ann").await;
            if answer.status != 200 {
                break answer;
            }
            count += 1;
        };
        assert_eq!((count, refused.status), (served, 412), "{rule}: {}", refused.text());
        let error = refused.json()["error"].clone();
        let kind = rule["type"].as_str().unwrap();
        assert_eq!(error["message"], format!("Usage limit exceeded for policy '{kind}-policy'"));
        assert_eq!(error["type"], "usage_limit_exceeded");
        assert_eq!(running.by("bob").await.status, 200, "{rule}");
    }
}

#[tokio::test]
async fn a_request_that_no_provider_got_is_none() {
    let stage = Stage::new().await;
    let conditions = json!([{"key": "api_key", "value": "*"}]);
    stage
        .usage(json!({"conditions": conditions, "group_by": [{"key": "api_key"}], "type": "requests", "credit_limit": 2}))
        .await;
    stage
        .rate(json!({"conditions": [{"key": "virtual_key", "value": "second"}], "group_by": [{"key": "api_key"}],
            "type": "requests", "unit": "rpd", "value": 1}))
        .await;
    let running = stage.start().await;
    let mut statuses = Vec::new();
    for provider in ["@second", "@second", "@second", "@first", "@first"] {
        statuses.push(running.at(provider).await);
    }
    assert_eq!(statuses, [200, 429, 429, 200, 412]);
}

#[tokio::test]
async fn a_policy_of_the_organisation_holds_everywhere_until_it_is_archived() {
    let stage = Stage::new().await;
    let home = Home::organisation(stage.tenant.home(stage.workspace).organisation);
    let rule = json!({"conditions": [{"key": "workspace_id", "value": "*"}], "group_by": [{"key": "workspace_id"}],
        "type": "requests", "unit": "rpw", "value": 1});
    let policy = stage.policy(home, PolicyKind::RateLimit, rule).await;
    let running = stage.start().await;
    assert_eq!((running.at("@first").await, running.at("@first").await), (200, 429));
    let archive = |policy: &mut Policy| {
        policy.state = PolicyState::Archived;
        Ok(())
    };
    let scope = Scope::Organisation(home.organisation);
    let store = &running.tenant.store;
    store.update(&By::system(), &scope, policy.id, Expected::Latest, archive).await.unwrap();
    let started = Instant::now();
    while running.at("@first").await != 200 {
        assert!(started.elapsed() < PATIENCE);
        tokio::task::yield_now().await;
    }
}

/// Made, used, read and set back through the admin API alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_admin_api_shows_what_each_value_used() {
    let stage = Stage::new().await;
    let (workspace, key) = (stage.workspace.to_string(), stage.tenant.admin().await);
    let running = stage.start().await;
    let admin = [("x-portkey-api-key", &*key), ("content-type", "application/json")];
    let at = "/v1/policies/usage-limits";
    let rule = json!({"name": "two each", "conditions": [{"key": "metadata._user", "value": "*"}],
        "group_by": by_user(), "type": "requests", "credit_limit": 2, "workspace_id": workspace});
    let made = running.tidegate.post(at, &admin[..1], &rule).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(running.by("ann").await.status);
    }
    assert_eq!(statuses, [200, 200, 412]);
    let url = running.tidegate.url(&format!("{at}/{id}?include_usage=true"));
    // What an answer used is on the books when its last byte is gone, which its client does not wait for.
    let used = async |count: u64| {
        let started = Instant::now();
        loop {
            let read = client::get(&url, &admin[..1]).await.json();
            let ann = read["value_key_usage_map"]["metadata._user:ann"].clone();
            if ann["current_usage"] == count {
                return ann;
            }
            assert!(started.elapsed() < PATIENCE, "{read}");
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(used(2).await["status"], "exhausted");

    let change = json!({"reset_usage_for_value": "metadata._user:ann"}).to_string().into();
    let at = running.tidegate.url(&format!("{at}/{id}"));
    let answer = client::send("PUT", &at, &admin, change).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(running.by("ann").await.status, 200);
    assert_eq!(used(1).await["status"], "active");

    // A higher limit holds at once, also for who was seen before.
    let change = json!({"credit_limit": 4}).to_string().into();
    let answer = client::send("PUT", &at, &admin, change).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(running.by("ann").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 412]);
}
