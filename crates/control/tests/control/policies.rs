//! Usage limit and rate limit policies: their life, what is refused, and what was used under them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use tidegate_control::ApiOptions;
use tidegate_control::usage::Subject;
use tidegate_store::id::{EntityId, PolicyId};

use crate::usage::{Books, standing};
use crate::world::World;

const USAGE: &str = "/v1/policies/usage-limits";
const RATE: &str = "/v1/policies/rate-limits";

fn usage() -> Value {
    json!({
        "name": "per user", "description": "d", "type": "cost", "credit_limit": 10.5, "alert_threshold": 8,
        "periodic_reset": "monthly",
        "conditions": [{"key": "metadata._user", "value": "*"}, {"key": "model", "value": ["@openai/*", "@azure/gpt-4o"]}],
        "group_by": [{"key": "metadata._user"}],
    })
}

fn rate() -> Value {
    json!({
        "name": "per key", "type": "requests", "unit": "rpm", "value": 100,
        "conditions": [{"key": "workspace_id", "value": "*", "excludes": ["ws-1"]}], "group_by": [{"key": "api_key"}],
    })
}

async fn made(world: &World, who: &str, uri: &str, body: Value) -> String {
    let made = world.done(who, "POST", uri, body).await;
    assert!(made["object"].is_string());
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_usage_policys_life() {
    let world = World::new().await;
    let id = made(&world, "service_key", USAGE, usage()).await;
    let path = format!("{USAGE}/{id}");
    let row = world.done("service_key", "GET", &path, json!({})).await;
    for (member, want) in usage().as_object().unwrap() {
        assert_eq!(row[member], *want, "{member}");
    }
    assert_eq!((&row["status"], &row["workspace_id"]), (&json!("active"), &json!(world.a.to_string())));
    assert_eq!((&row["last_reset_at"], row.get("value_key_usage_map")), (&Value::Null, None));
    let listed = world.done("service_key", "GET", USAGE, json!({})).await;
    assert_eq!((&listed["total"], &listed["data"][0]), (&json!(1), &row));
    assert_eq!(
        world.done("service_key", "GET", &format!("{USAGE}?type=tokens"), json!({})).await["total"],
        0
    );

    let body = json!({"name": "other", "credit_limit": 20, "alert_threshold": null, "periodic_reset": null,
        "periodic_reset_days": 7, "conditions": [{"key": "api_key", "value": "k"}], "type": "cost"});
    assert_eq!(world.done("service_key", "PUT", &path, body).await, json!({}));
    let row = world.done("service_key", "GET", &path, json!({})).await;
    for (member, want) in [
        ("name", json!("other")),
        ("credit_limit", json!(20)),
        ("alert_threshold", Value::Null),
        ("periodic_reset", Value::Null),
        ("periodic_reset_days", json!(7)),
        ("conditions", json!([{"key": "api_key", "value": "k"}])),
        ("description", json!("d")),
    ] {
        assert_eq!(row[member], want, "{member}");
    }
    assert_eq!(world.done("service_key", "DELETE", &path, json!({})).await, json!({}));
    assert_eq!(world.done("service_key", "GET", USAGE, json!({})).await["total"], 0);
    assert_eq!(
        world.done("service_key", "GET", &format!("{USAGE}?status=archived"), json!({})).await["total"],
        1
    );
    assert_eq!(world.done("service_key", "GET", &path, json!({})).await["status"], "archived");
    assert_eq!(world.get("service_key", &format!("{path}?status=active")).await.status, 404);
    world.done("service_key", "PUT", &path, json!({"status": "active"})).await;
    assert_eq!(world.done("service_key", "GET", &path, json!({})).await["status"], "active");
}

#[tokio::test]
async fn a_rate_policys_life() {
    let world = World::new().await;
    let id = made(&world, "service_key", RATE, rate()).await;
    let path = format!("{RATE}/{id}");
    let row = world.done("service_key", "GET", &path, json!({})).await;
    for (member, want) in rate().as_object().unwrap() {
        assert_eq!(row[member], *want, "{member}");
    }
    assert_eq!(row["target"], "llm");
    assert_eq!(world.get("service_key", &format!("{USAGE}/{id}")).await.status, 404, "of the other kind");
    let body = json!({"unit": "rpd", "value": 7, "name": "n"});
    assert_eq!(world.done("service_key", "PUT", &path, body).await, json!({}));
    let row = world.done("service_key", "GET", &path, json!({})).await;
    assert_eq!((&row["unit"], &row["value"], &row["name"]), (&json!("rpd"), &json!(7), &json!("n")));
    for (query, total) in
        [("", 1), ("?unit=rpd", 1), ("?unit=rpm", 0), ("?type=tokens", 0), ("?status=archived", 0)]
    {
        let listed = world.done("service_key", "GET", &format!("{RATE}{query}"), json!({})).await;
        assert_eq!(listed["total"], total, "{query}");
    }
    world.done("service_key", "DELETE", &path, json!({})).await;
    assert_eq!(
        world.done("service_key", "GET", &format!("{RATE}?status=archived"), json!({})).await["total"],
        1
    );
}

#[tokio::test]
async fn an_organisations_policies_are_not_its_workspaces() {
    let world = World::new().await;
    let whole = made(&world, "admin_key", USAGE, usage()).await;
    let mut body = usage();
    body["workspace_id"] = json!("ws-b");
    let of_b = made(&world, "admin_key", USAGE, body).await;
    let own = made(&world, "service_key", USAGE, usage()).await;
    let total = |who: &'static str, query: &'static str| {
        let world = &world;
        async move { world.done(who, "GET", &format!("{USAGE}{query}"), json!({})).await["total"].clone() }
    };
    assert_eq!(total("admin_key", "").await, 3);
    assert_eq!(total("admin_key", "?workspace_id=ws-a").await, 1);
    assert_eq!(total("service_key", "").await, 1);
    for (id, status) in [(&whole, 404), (&of_b, 404), (&own, 200)] {
        assert_eq!(world.get("service_key", &format!("{USAGE}/{id}")).await.status, status);
        assert_eq!(world.get("admin_key", &format!("{USAGE}/{id}")).await.status, 200);
    }
}

#[tokio::test]
async fn what_was_used_and_set_back() {
    let books = Arc::new(Books::default());
    let world = World::with(ApiOptions { usage: books.clone(), ..ApiOptions::default() }).await;
    let id = made(&world, "service_key", USAGE, usage()).await;
    let policy = PolicyId::from_uuid(id.parse().unwrap());
    books.write(Subject::Policy(policy, "metadata._user:bob".to_owned()), standing(10, 10));
    books.write(Subject::Policy(policy, "metadata._user:alice".to_owned()), standing(3, 10));
    let path = format!("{USAGE}/{id}");
    let row = world.done("service_key", "GET", &format!("{path}?include_usage=true"), json!({})).await;
    let want = json!({
        "metadata._user:alice": {"current_usage": 3, "status": "active", "is_threshold_alerts_sent": true, "is_exhausted_alerts_sent": false},
        "metadata._user:bob": {"current_usage": 10, "status": "exhausted", "is_threshold_alerts_sent": true, "is_exhausted_alerts_sent": true},
    });
    assert_eq!(row["value_key_usage_map"], want);
    let entities = world.done("service_key", "GET", &format!("{path}/entities"), json!({})).await;
    assert_eq!(entities["total"], 2);
    assert_eq!(
        (&entities["data"][1]["value_key"], &entities["data"][1]["current_usage"]),
        (&json!("metadata._user:bob"), &json!(10))
    );
    for (query, total) in [("?status=exhausted", 1), ("?search=ALI", 1), ("?search=nobody", 0)] {
        let listed = world.done("service_key", "GET", &format!("{path}/entities{query}"), json!({})).await;
        assert_eq!(listed["total"], total, "{query}");
    }
    assert_eq!(world.get("service_key", &format!("{path}/entities?page_size=101")).await.status, 400);
    let bob = entities["data"][1]["id"].as_str().unwrap();
    assert_eq!(
        world.done("service_key", "PUT", &format!("{path}/entities/{bob}/reset"), json!({})).await,
        json!({})
    );
    world.done("service_key", "PUT", &path, json!({"reset_usage_for_value": "metadata._user:alice"})).await;
    let resets = books.resets.lock().unwrap().clone();
    let of = |name: &str| Subject::Policy(policy, format!("metadata._user:{name}"));
    assert_eq!(resets, [of("bob"), of("alice")]);
    let missing = world.ask("service_key", "PUT", &format!("{path}/entities/{id}/reset"), None).await;
    assert_eq!(missing.status, 404);
    books.is_away.store(true, Ordering::Relaxed);
    let away = world.ask("service_key", "PUT", &format!("{path}/entities/{bob}/reset"), None).await;
    assert_eq!((away.status, &away.body["errorCode"]), (503, &json!("AB04")));
    assert!(!away.text.contains("disk"), "{}", away.text);
}

#[tokio::test]
async fn other_objects_show_what_they_used() {
    let books = Arc::new(Books::default());
    let world = World::with(ApiOptions { usage: books.clone(), ..ApiOptions::default() }).await;
    let body = json!({"provider": "openai", "slug": "p", "key": "sk-0123456789abcdefghij", "usage_limits": {"type": "cost", "credit_limit": 5}});
    let made = world.done("service_key", "POST", "/v1/providers", body).await;
    let id = made["id"].as_str().unwrap().parse().unwrap();
    books.write(Subject::Provider(id), standing(5, 5));
    for uri in ["/v1/providers/p", "/v1/virtual-keys/p"] {
        let row = world.done("service_key", "GET", uri, json!({})).await;
        assert_eq!(row["status"], "exhausted");
        let used = json!([{"type": "cost", "credit_limit": 5, "current_usage": 5, "reserved_usage": 0, "status": "exhausted",
            "next_usage_reset_at": "2030-03-17T17:46:40.000Z"}]);
        assert_eq!(row["current_usage"], used);
    }
    let body = json!({"name": "k", "scopes": ["logs.list"], "workspace_id": "ws-a"});
    let made = world.done("admin_key", "POST", "/v1/api-keys/workspace/service", body).await;
    books.write(Subject::ApiKey(made["id"].as_str().unwrap().parse().unwrap()), standing(2, 5));
    let uri = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    let row = world.done("admin_key", "GET", &uri, json!({})).await;
    assert_eq!(row["current_usage"][0]["current_usage"], 2);
    books.write(Subject::Workspace(world.a), standing(1, 5));
    let row = world.done("service_key", "GET", "/v1/admin/workspaces/ws-a", json!({})).await;
    assert_eq!(row["current_usage"][0]["current_usage"], 1);
    world.done("service_key", "PUT", "/v1/providers/p", json!({"reset_usage": 1})).await;
    assert_eq!(*books.resets.lock().unwrap(), [Subject::Provider(id)]);
}

#[tokio::test]
async fn bad_input_is_named() {
    let world = World::new().await;
    let wrong = |base: Value, changes: Value, uri: &'static str, param: &'static str| {
        let world = &world;
        async move {
            let mut body = base;
            for (name, value) in changes.as_object().unwrap() {
                body[name] = value.clone();
                if value == "LEFT OUT" {
                    body.as_object_mut().unwrap().remove(name);
                }
            }
            let got = world.ask("service_key", "POST", uri, Some(&body)).await;
            assert_eq!(
                (got.status, &got.body["error"]["param"]),
                (400, &json!(param)),
                "{changes}: {}",
                got.text
            );
        }
    };
    for (changes, param) in [
        (json!({"name": "LEFT OUT"}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(256)}), "name"),
        (json!({"conditions": "LEFT OUT"}), "conditions"),
        (json!({"conditions": []}), "conditions"),
        (json!({"conditions": [{"key": "nothing", "value": "*"}]}), "conditions[0].key"),
        (json!({"conditions": [{"key": "workspace_id", "value": "*"}]}), "conditions[0].key"),
        (json!({"conditions": [{"key": "endpoint_type", "value": "*"}]}), "conditions[0].key"),
        (json!({"conditions": [{"key": "model"}]}), "conditions[0].value"),
        (json!({"conditions": [{"key": "model", "value": []}]}), "conditions[0].value"),
        (json!({"conditions": [{"key": "model", "value": ["a", ""]}]}), "conditions[0].value"),
        (json!({"group_by": []}), "group_by"),
        (json!({"group_by": [{"key": "model"}, {"key": "model"}]}), "group_by[1].key"),
        (json!({"group_by": [{"key": "metadata."}]}), "group_by[0].key"),
        (json!({"type": "LEFT OUT"}), "type"),
        (json!({"type": "euros"}), "type"),
        (json!({"credit_limit": "LEFT OUT"}), "credit_limit"),
        (json!({"credit_limit": 0.5}), "credit_limit"),
        (json!({"type": "tokens", "credit_limit": 99}), "credit_limit"),
        (json!({"type": "requests", "credit_limit": 1.5}), "credit_limit"),
        (json!({"type": "requests", "credit_limit": 5, "alert_threshold": 5}), "alert_threshold"),
        (json!({"alert_threshold": 10.5}), "alert_threshold"),
        (json!({"periodic_reset": "yearly"}), "periodic_reset"),
        (json!({"periodic_reset_days": 5}), "periodic_reset_days"),
        (json!({"periodic_reset": null, "periodic_reset_days": 366}), "periodic_reset_days"),
        (json!({"next_usage_reset_at": "soon"}), "next_usage_reset_at"),
    ] {
        wrong(usage(), changes, USAGE, param).await;
    }
    for (changes, param) in [
        (json!({"unit": "rps"}), "unit"),
        (json!({"value": 0}), "value"),
        (json!({"value": -1}), "value"),
        (json!({"type": "cost"}), "type"),
        (json!({"target": "other"}), "target"),
        (json!({"target": "mcp_tools", "conditions": [{"key": "model", "value": "*"}]}), "conditions[0].key"),
        (json!({"conditions": [{"key": "mcp_tool", "value": "*"}]}), "conditions[0].key"),
    ] {
        wrong(rate(), changes, RATE, param).await;
    }
    let id = made(&world, "service_key", USAGE, usage()).await;
    for (body, param) in [
        (json!({"group_by": [{"key": "api_key"}]}), "group_by"),
        (json!({"type": "tokens"}), "type"),
        (json!({"credit_limit": 5}), "alert_threshold"),
        (json!({"status": "gone"}), "status"),
    ] {
        let got = world.ask("service_key", "PUT", &format!("{USAGE}/{id}"), Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
    assert_eq!(world.get("service_key", &format!("{USAGE}/not-an-id")).await.status, 404);
    let fine = json!({"name": "n", "type": "requests", "credit_limit": 1, "group_by": [{"key": "workspace_id"}],
        "conditions": [{"key": "api_key", "value": "*"}]});
    made(&world, "service_key", USAGE, fine).await;
    let fine = json!({"name": "n", "target": "mcp_tools", "type": "requests", "unit": "rpw", "value": 1,
        "group_by": [{"key": "mcp_tool"}], "conditions": [{"key": "mcp_server", "value": "*"}]});
    made(&world, "service_key", RATE, fine).await;
}
