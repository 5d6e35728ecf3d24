//! What a workspace keeps of its requests, by its own rules.

use serde_json::{Value, json};
use tidegate_records::Keep;

use crate::telling::Telling;

const DAY_MS: u64 = 24 * 3_600_000;
const WORKSPACE: &str = "/v1/admin/workspaces/ws-a";

fn call(span: &str) -> Value {
    json!([{"request": {"url": "https://api.openai.com/v1/chat/completions", "method": "POST", "provider": "openai",
            "body": {"model": "gpt-4o", "messages": [{"role": "user", "content": "high tide?"}]}},
        "response": {"status": 200, "response_time": 10, "body": {"usage": {"prompt_tokens": 10, "completion_tokens": 1}}},
        "metadata": {"trace_id": "t", "span_id": span}}])
}

impl Telling {
    async fn rule(&self, records: Value) -> Value {
        let row = self.world.done("admin_key", "PUT", WORKSPACE, json!({"records": records})).await;
        row["records"].clone()
    }

    async fn newest(&self) -> Value {
        let listed = self.get("/v1/logs?workspace_id=ws-a").await;
        let id = listed["data"][0]["id"].as_str().unwrap().to_owned();
        self.get(&format!("/v1/logs/{id}")).await
    }
}

#[tokio::test]
async fn a_workspace_has_a_rule_of_its_own_for_bodies() {
    let telling = Telling::new(Keep::None).await;
    telling.tell(call("before")).await;
    assert_eq!(telling.newest().await["request"].get("body"), None);
    assert_eq!(
        telling.rule(json!({"bodies": "all"})).await,
        json!({"retention_days": null, "bodies": "all"})
    );
    telling.world.clock.advance(1_000);
    telling.tell(call("with")).await;
    assert_eq!(telling.newest().await["request"]["body"]["messages"][0]["content"], "high tide?");
    let sampled = telling.rule(json!({"bodies": "sampled", "body_share": 0})).await;
    assert_eq!(sampled, json!({"retention_days": null, "bodies": "sampled", "body_share": 0.0}));
    telling.world.clock.advance(1_000);
    telling.tell(call("without")).await;
    assert_eq!(telling.newest().await["request"].get("body"), None);
    assert_eq!(telling.rule(json!(null)).await, json!({"retention_days": null, "bodies": null}));
}

#[tokio::test]
async fn what_is_older_than_the_workspaces_days_is_shown_to_nobody() {
    let telling = Telling::new(Keep::None).await;
    telling.tell(call("old")).await;
    telling.world.clock.advance(2 * DAY_MS);
    telling.tell(call("new")).await;
    let logs = "/v1/logs?workspace_id=ws-a";
    let all = telling.get(logs).await;
    assert_eq!(all["total"], 2, "{all}");
    let old = all["data"][1]["id"].as_str().unwrap().to_owned();
    telling.rule(json!({"retention_days": 1})).await;
    assert_eq!(telling.get(logs).await["total"], 1);
    let earlier = format!("{logs}&time_of_generation_min=2000-01-01T00:00:00Z");
    assert_eq!(telling.get(&earlier).await["total"], 1, "nobody asks his way around it");
    assert_eq!(telling.world.get("service_key", &format!("/v1/logs/{old}")).await.status, 404);
    assert_eq!(telling.get("/v1/traces/t").await["requests"], 1);
    let body = json!({"filters": {}, "requested_data": ["id"]});
    assert_eq!(telling.world.done("service_key", "POST", "/v1/logs/exports", body).await["total"], 1);
    let times = "time_of_generation_min=2000-01-01T00:00:00Z&time_of_generation_max=2100-01-01T00:00:00Z";
    let graph = telling.get(&format!("/v1/analytics/graphs/requests?workspace_slug=ws-a&{times}")).await;
    assert_eq!(graph["summary"]["total"], 1, "{graph}");
    // What is hidden is still there: taken back, it is shown.
    telling.rule(json!({"retention_days": null})).await;
    assert_eq!(telling.get(logs).await["total"], 2);
}

#[tokio::test]
async fn rules_that_are_none_are_told() {
    let telling = Telling::new(Keep::None).await;
    for (records, param) in [
        (json!({"retention_days": 0}), "records.retention_days"),
        (json!({"retention_days": 31}), "records.retention_days"),
        (json!({"bodies": "sampled"}), "records.body_share"),
        (json!({"bodies": "sampled", "body_share": 1.5}), "records.body_share"),
        (json!({"bodies": "all", "body_share": 0.5}), "records.body_share"),
        (json!({"body_share": 0.5}), "records.body_share"),
    ] {
        let got = telling.world.ask("admin_key", "PUT", WORKSPACE, Some(&json!({"records": records}))).await;
        assert_eq!(
            (got.status, &got.body["error"]["param"]),
            (400, &json!(param)),
            "{records}: {}",
            got.text
        );
    }
    // Not for those who only manage the workspace.
    let body = json!({"records": {"bodies": "all"}});
    assert_eq!(telling.world.ask("ws_manager", "PUT", WORKSPACE, Some(&body)).await.status, 403);
}
