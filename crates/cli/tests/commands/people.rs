//! `users`, `workspaces` and `audit list`.

use serde_json::json;

use crate::stage::Stage;

fn stage() -> Stage {
    let stage = Stage::new();
    stage.server.handler().put(
        "/admin/users",
        json!({"id": "u-1", "email": "a@example.com", "first_name": "Ada", "last_name": "L", "role": "owner", "created_at": "2026-01-02T03:04:05.000Z"}),
    );
    stage
}

#[test]
fn people_are_named_by_their_address() {
    let stage = stage();
    assert!(stage.ok("users list").contains("a@example.com  Ada L  owner  u-1"));
    assert!(stage.ok("users show A@example.com").contains("since    2026-01-02 03:04"));
    assert_eq!(stage.ok("users set-role a@example.com member"), "a@example.com has another role");
    assert_eq!(
        (stage.last("PUT").url.as_str(), stage.last("PUT").json()),
        ("/v1/admin/users/u-1", json!({"role": "member"}))
    );
    assert_eq!(stage.err("users remove b@example.com").message, "there is no person `b@example.com`");
    assert_eq!(stage.ok("users remove a@example.com"), "removed a@example.com");
}

#[test]
fn invitations_are_made_listed_and_taken_back() {
    let stage = stage();
    let invited = stage.ok("users invite b@example.com --role admin --join ws-a --join ws-b:manager");
    assert!(invited.contains("http://gate/invite/abc"), "{invited}");
    assert_eq!(
        stage.last("POST").json(),
        json!({"email": "b@example.com", "role": "admin", "workspaces": [{"id": "ws-a", "role": "member"}, {"id": "ws-b", "role": "manager"}]})
    );
    assert!(stage.err("users invite b@example.com --join ws-a:boss").message.contains("--join: `ws-a:boss`"));
    let invite = |id: &str, status: &str| json!({"id": id, "email": "b@example.com", "role": "admin", "status": status});
    stage.server.handler().put("/admin/users/invites", invite("i-0", "cancelled"));
    stage.server.handler().put("/admin/users/invites", invite("i-1", "pending"));
    assert_eq!(stage.ok("users invites").lines().count(), 3);
    stage.ok("users cancel-invite b@example.com");
    assert_eq!(stage.last("DELETE").url, "/v1/admin/users/invites/i-1");
}

#[test]
fn workspaces_are_made_changed_and_removed() {
    let stage = stage();
    let made = stage.ok("workspaces create 'New team' --budget 100usd/month --limit 1000/minute");
    assert_eq!(made, "made New team; commands work in it with --workspace ws-new");
    assert_eq!(
        stage.last("POST").json(),
        json!({"name": "New team", "rate_limits": [{"type": "requests", "unit": "rpm", "value": 1000}],
            "usage_limits": [{"type": "cost", "credit_limit": 100, "periodic_reset": "monthly"}]})
    );
    assert!(stage.ok("workspaces list").contains("ws-new  New team"));
    stage.ok("workspaces update ws-new --description x");
    assert_eq!(stage.last("PUT").json(), json!({"description": "x"}));
    stage.ok("workspaces add-member ws-new a@example.com --role manager");
    assert_eq!(stage.last("POST").url, "/v1/admin/workspaces/ws-new/users");
    assert_eq!(stage.last("POST").json(), json!({"users": [{"id": "u-1", "role": "manager"}]}));
    stage.server.handler().put(
        "/admin/workspaces/ws-new/users",
        json!({"id": "u-1", "email": "a@example.com", "role": "manager"}),
    );
    assert!(stage.ok("workspaces members ws-new").contains("a@example.com  manager"));
    stage.ok("workspaces set-role ws-new a@example.com member");
    assert_eq!(stage.last("PUT").url, "/v1/admin/workspaces/ws-new/users/u-1");
    stage.ok("workspaces remove-member ws-new u-1");
    assert_eq!(stage.ok("workspaces remove ws-new --force"), "removed ws-new");
    assert_eq!(stage.last("DELETE").json(), json!({"name": "New team", "force_delete": true}));
}

#[test]
fn the_audit_log_is_asked_for_a_time_and_filters() {
    let stage = stage();
    stage.server.handler().put("/audit-logs", json!({"timestamp": "2026-11-21T11:00:00.000Z", "action": "create", "resource_type": "configs",
        "user_type": "api_key", "user_id": "k-1", "client_ip": "10.0.0.1", "response_status_code": 200, "uri": "/v1/configs"}));
    let shown = stage.ok("audit list --action create --by k-1 --method post --resource 'api keys'");
    assert!(
        shown.contains("2026-11-21 11:00  create  configs  api_key k-1  10.0.0.1  200     /v1/configs"),
        "{shown}"
    );
    let asked = stage.last("GET");
    let query = |name: &str| asked.query(name).unwrap_or_default();
    assert_eq!(
        (query("start_time"), query("end_time")),
        ("2026-11-20T11:52:16.966Z".to_owned(), "2026-11-21T11:52:17.966Z".to_owned())
    );
    assert_eq!(
        (query("action"), query("user_id"), query("method"), query("resource_type")),
        ("create".to_owned(), "k-1".to_owned(), "POST".to_owned(), "api keys".to_owned())
    );
    stage.ok("audit list --since 2026-11-01 --until 1h --workspace ws-a");
    assert_eq!(stage.last("GET").query("start_time").as_deref(), Some("2026-11-01T00:00:00.000Z"));
    assert_eq!(stage.last("GET").query("end_time").as_deref(), Some("2026-11-21T10:52:16.966Z"));
    assert_eq!(stage.last("GET").query("workspace_id").as_deref(), Some("ws-a"));
}
