//! `limits` and `budgets`: on keys, providers and workspaces.

use serde_json::json;

use crate::stage::Stage;

fn stage() -> Stage {
    let stage = Stage::new();
    let fake = stage.server.handler();
    fake.put("/admin/workspaces", json!({"id": "w-1", "slug": "ws-a", "is_default": 1, "usage_limits": [{"type": "cost", "credit_limit": 100, "periodic_reset": "monthly"}],
        "current_usage": [{"type": "cost", "credit_limit": 100.0, "current_usage": 0.25, "reserved_usage": 0, "status": "active", "next_usage_reset_at": null}]}));
    fake.put("/admin/workspaces", json!({"id": "w-2", "slug": "ws-b", "is_default": 0}));
    fake.put("/providers", json!({"slug": "openai", "status": "exhausted", "rate_limits": [{"type": "requests", "unit": "rph", "value": 7}],
        "usage_limits": {"type": "tokens", "credit_limit": 1000, "alert_threshold": 900, "periodic_reset_days": 1},
        "current_usage": [{"type": "tokens", "credit_limit": 1000, "current_usage": 1000, "reserved_usage": 0, "status": "exhausted", "next_usage_reset_at": "2026-11-22T00:00:00.000Z"}]}));
    fake.put("/api-keys", json!({"id": "k-1", "name": "my-app", "workspace_id": "w-1"}));
    stage
}

#[test]
fn all_of_them_are_seen_at_once() {
    let stage = stage();
    let lines: Vec<String> = stage
        .ok("budgets list")
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        lines,
        [
            "OF NAME BUDGET USED ALERT STATUS STARTS ANEW",
            "workspace ws-a 100usd/month 0.25usd - - -",
            "provider @openai 1000tokens/day 1000tokens 900tokens exhausted 2026-11-22 00:00"
        ]
    );
    assert!(stage.ok("limits list").contains("@openai  7/hour"));
    let listed = stage.json("limits list");
    assert_eq!(listed[0]["rate_limits"], json!([{"type": "requests", "unit": "rph", "value": 7}]));
    assert!(stage.ok("budgets show provider openai").contains("used         1000tokens"));
    assert_eq!(stage.ok("budgets show key my-app"), "key my-app has no budget");
}

#[test]
fn they_are_set_in_the_form_that_each_object_has() {
    let stage = stage();
    assert_eq!(stage.ok("budgets set key my-app 5usd/month --alert 80%"), "key my-app may use 5usd/month");
    assert_eq!(stage.last("PUT").url, "/v1/api-keys/k-1?workspace_id=w-1");
    assert_eq!(
        stage.last("PUT").json(),
        json!({"usage_limits": {"type": "cost", "credit_limit": 5, "alert_threshold": 4, "periodic_reset": "monthly"}})
    );
    stage.ok("budgets set workspace ws-a 5usd/month 1000tokens/day");
    assert_eq!(stage.last("PUT").url, "/v1/admin/workspaces/ws-a");
    assert_eq!(stage.last("PUT").json()["usage_limits"].as_array().map(Vec::len), Some(2));
    stage.ok("limits set provider @openai 100/minute 20000tokens/hour");
    assert_eq!(stage.last("PUT").url, "/v1/providers/openai?workspace_id=ws-a");
    assert_eq!(
        stage.last("PUT").json()["rate_limits"][1],
        json!({"type": "tokens", "unit": "rph", "value": 20_000})
    );
}

#[test]
fn they_are_cleared_and_reset() {
    let stage = stage();
    assert_eq!(stage.ok("budgets clear provider openai"), "provider @openai has no budget any more");
    assert_eq!(stage.last("PUT").json(), json!({"usage_limits": null}));
    stage.ok("limits clear provider openai");
    assert_eq!(stage.last("PUT").json(), json!({"rate_limits": []}));
    stage.ok("budgets reset key my-app");
    assert_eq!(stage.last("PUT").json(), json!({"reset_usage": true}));
}

#[test]
fn what_an_object_cannot_have_is_said() {
    let stage = stage();
    assert!(stage.err("budgets set key my-app 5usd 6usd/month").message.contains("a key has one budget"));
    assert!(stage.err("budgets reset workspace ws-a").message.contains("not reset by hand"));
    assert!(stage.err("limits set provider gone 1/s").message.contains("there is no gone"));
}
