//! Every change is in the audit log, with who and from where, and nobody but administrators reads it.

use serde_json::{Value, json};

use crate::world::World;

const LOGS: &str = "/v1/audit-logs";

#[tokio::test]
async fn changes_are_recorded_and_found() {
    let world = World::new().await;
    world.clock.advance(1_000);
    let made = world.done("admin", "POST", "/v1/admin/workspaces", json!({"name": "w"})).await;
    world.clock.advance(1_000);
    let key = json!({"name": "k", "scopes": ["logs.view"], "workspace_id": made["slug"]});
    let key = world.done("admin_key", "POST", "/v1/api-keys/workspace/service", key).await;
    let uri = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
    world.done("admin_key", "DELETE", &uri, json!(null)).await;

    let from = "start_time=2027-01-15T08:00:01Z&end_time=2027-02-01T00:00:00Z";
    let list = async |query: &str| {
        world.done("admin_key", "GET", &format!("{LOGS}?{from}&{query}"), json!(null)).await
    };
    let all = list(&format!("organisation_id={}", world.org)).await;
    assert_eq!((&all["object"], &all["total"]), (&json!("list"), &json!(3)), "{all}");
    let actions: Vec<&Value> =
        all["records"].as_array().unwrap().iter().map(|record| &record["action"]).collect();
    assert_eq!(actions, ["delete", "create", "create"], "newest first");
    let record = &all["records"][2];
    assert_eq!(record["timestamp"], "2027-01-15T08:00:01.000Z");
    assert_eq!((&record["method"], &record["uri"]), (&json!("POST"), &json!("/v1/admin/workspaces")));
    assert_eq!(
        (&record["user_id"], &record["user_type"]),
        (&json!(world.users["admin"].to_string()), &json!("user"))
    );
    assert_eq!((&record["client_ip"], &record["resource_type"]), (&json!("192.0.2.7"), &json!("workspaces")));
    assert_eq!(record["response_status_code"], 200);
    assert_eq!(record["resource_name"], made["slug"]);
    let secret = key["key"].as_str().unwrap();
    assert!(!all.to_string().contains(secret) && !all.to_string().contains("\"digest\\\":\\\"0"), "{all}");
    assert_eq!(all["records"][0]["user_type"], "api_key");

    for (query, total) in [
        ("method=delete", 1),
        ("method=PUT", 0),
        ("action=create", 2),
        ("resource_type=api%20keys", 2),
        ("resource_type=api_key", 2),
        ("user_type=user", 1),
        ("uri=api-keys", 2),
        ("client_ip=192.0.2.7", 3),
        ("client_ip=192.0.2.8", 0),
        ("response_status_code=500", 0),
        ("page_size=1&current_page=1", 3),
    ] {
        assert_eq!(list(query).await["total"], total, "{query}");
    }
    assert_eq!(list("page_size=1&current_page=2").await["records"][0]["resource_type"], "workspaces");
    let of_workspace = list(&format!("workspace_id={}", made["slug"].as_str().unwrap())).await;
    assert_eq!(of_workspace["total"], 2, "{of_workspace}");
    for (query, param) in [
        ("page_size=101", "page_size"),
        ("start_time=yesterday", "start_time"),
        ("user_type=cat", "user_type"),
        ("user_id=5", "user_id"),
    ] {
        let got = world.get("admin_key", &format!("{LOGS}?{query}")).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
    }
    let other = world.get("admin_key", &format!("{LOGS}?organisation_id={}", world.a)).await;
    assert_eq!(other.status, 403);
    for who in ["service_key", "ws_admin", "user_key"] {
        assert_eq!(world.get(who, LOGS).await.status, 403);
    }
    assert_eq!(world.done("stranger", "GET", LOGS, json!(null)).await["total"], 2, "its own only");
}

#[tokio::test]
async fn the_log_is_exported_in_parts() {
    let world = World::new().await;
    let (mut after, mut lines) = (0, Vec::new());
    loop {
        let got = world.get("owner", &format!("{LOGS}/export?limit=7&after={after}")).await;
        assert_eq!(
            (got.status, got.headers["content-type"].to_str().unwrap()),
            (200, "application/x-ndjson")
        );
        lines.extend(got.text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        match got.headers.get("x-tidegate-next-after") {
            Some(next) => after = next.to_str().unwrap().parse().unwrap(),
            None => break,
        }
        // Exporting is recorded: without a bound the log would grow as it is read.
        assert!(lines.len() < 100);
    }
    let is_own = |line: &Value| line["organisation_id"] == world.org.to_string();
    assert!(lines.len() > 20 && lines.iter().all(is_own));
    assert!(lines.windows(2).all(|pair| pair[0]["seq"].as_u64() < pair[1]["seq"].as_u64()));
    assert!(lines.iter().any(|line| line["action"] == "export"));
    assert_eq!(world.get("owner", &format!("{LOGS}/export?limit=0")).await.status, 400);
}
