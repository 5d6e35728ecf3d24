//! The life of a key, whom it may be given, and what a bad one is told.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_control::ApiOptions;
use tidegate_control::usage::Subject;
use tidegate_store::Home;
use tidegate_store::audit::By;
use tidegate_store::entity::Config;

use crate::usage::{Books, standing};
use crate::world::{Credential, World};

const SERVICE: &str = "/v1/api-keys/workspace/service";
const USER: &str = "/v1/api-keys/workspace/user";
const WHOLE: &str = "/v1/api-keys/organisation/service";

fn key(text: &Value) -> Credential {
    Credential::Key(text.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_key_is_made_used_changed_rotated_and_revoked() {
    let world = World::new().await;
    let body = json!({
        "name": "ci", "type": "workspace-service", "sub-type": "x", "workspace_id": "ws-a",
        "scopes": ["workspaces.list", "logs.view"], "description": "for builds",
        "usage_limits": {"type": "cost", "credit_limit": 10, "alert_threshold": 8},
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}],
        "defaults": {"metadata": {"team": "build"}, "allow_config_override": false},
        "alert_emails": ["a@example.org"], "expires_at": "2030-01-01T00:00:00Z",
        "rotation_policy": {"rotation_period": "weekly", "key_transition_period_ms": 3_600_000},
    });
    let made = world.done("admin_key", "POST", SERVICE, body).await;
    assert_eq!(made["object"], "api-key");
    assert_eq!(made.as_object().unwrap().len(), 3, "{made}");
    let text = made["key"].as_str().unwrap();
    assert!(text.starts_with("tg-svc-") && text.len() == 56, "{text}");
    let uri = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());

    let row = world.done("admin_key", "GET", &uri, json!(null)).await;
    let masked = format!("tg-s***{}", &text[52..]);
    let want = json!({
        "id": made["id"], "key": masked, "name": "ci", "description": "for builds",
        "type": "workspace-service", "organisation_id": world.org.to_string(),
        "workspace_id": world.a.to_string(), "user_id": null, "status": "active",
        "created_at": "2027-01-15T08:00:00.000Z", "last_updated_at": "2027-01-15T08:00:00.000Z",
        "last_used_at": null, "creation_mode": "api",
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}],
        "usage_limits": {"type": "cost", "credit_limit": 10, "alert_threshold": 8},
        "current_usage": [], "reset_usage": 0, "last_reset_at": null, "scopes": ["workspaces.list", "logs.view"],
        "defaults": {"metadata": {"team": "build"}, "config_id": null, "allow_config_override": false},
        "allow_config_override": 0, "alert_emails": ["a@example.org"],
        "expires_at": "2030-01-01T00:00:00.000Z",
        "rotation_policy": {"rotation_period": "weekly", "next_rotation_at": "2027-01-22T08:00:00.000Z",
            "key_transition_period_ms": 3_600_000},
        "object": "api-key",
    });
    assert_eq!(row, want);

    let first = key(&made["key"]);
    assert_eq!(world.ask_as(Some(&first), "GET", "/v1/admin/workspaces", None).await.status, 200);
    world.clock.advance(5_000);
    let change = json!({"name": "ci 2", "usage_limits": null, "expires_at": null, "reset_usage": true,
        "rotation_policy": null, "alert_emails": []});
    assert_eq!(world.done("admin_key", "PUT", &uri, change).await, json!({}));
    let row = world.done("admin_key", "GET", &uri, json!(null)).await;
    assert_eq!((&row["name"], &row["description"]), (&json!("ci 2"), &json!("for builds")));
    assert_eq!((&row["usage_limits"], &row["expires_at"]), (&json!(null), &json!(null)));
    assert_eq!((&row["reset_usage"], &row["last_reset_at"]), (&json!(1), &json!("2027-01-15T08:00:05.000Z")));
    assert_eq!(row["last_used_at"], "2027-01-15T08:00:00.000Z");
    assert_eq!(row["rate_limits"].as_array().unwrap().len(), 1, "left out means unchanged");

    let rotated = world.done("admin_key", "POST", &format!("{uri}/rotate"), json!({})).await;
    assert_eq!(rotated["key_transition_expires_at"], "2027-01-15T08:30:05.000Z");
    let second = key(&rotated["key"]);
    for one in [&first, &second] {
        assert_eq!(world.ask_as(Some(one), "GET", "/v1/admin/workspaces", None).await.status, 200);
    }
    world.clock.advance(1_800_000);
    assert_eq!(world.ask_as(Some(&first), "GET", "/v1/admin/workspaces", None).await.status, 401);
    assert_eq!(world.ask_as(Some(&second), "GET", "/v1/admin/workspaces", None).await.status, 200);

    assert_eq!(world.done("admin_key", "DELETE", &uri, json!(null)).await, json!({}));
    assert_eq!(world.ask_as(Some(&second), "GET", "/v1/admin/workspaces", None).await.status, 401);
    for (method, uri) in [("GET", uri.clone()), ("DELETE", uri.clone()), ("POST", format!("{uri}/rotate"))] {
        assert_eq!(world.ask("admin_key", method, &uri, None).await.status, 404);
    }
    let revoked = world.done("admin_key", "GET", "/v1/api-keys?status=revoked", json!(null)).await;
    assert_eq!((&revoked["total"], &revoked["data"][0]["id"]), (&json!(1), &made["id"]));
}

#[tokio::test]
async fn keys_are_listed_by_page_and_by_filter() {
    let world = World::new().await;
    let list = async |who: &str, query: &str| {
        let list = world.done(who, "GET", &format!("/v1/api-keys?{query}"), json!(null)).await;
        let names =
            list["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        assert_eq!(list["object"], "list");
        (list["total"].as_u64().unwrap(), names.collect::<Vec<_>>())
    };
    assert_eq!(list("admin_key", "").await.0, 6);
    assert_eq!(
        list("admin_key", "page_size=2&current_page=0").await,
        (6, vec!["log_key".into(), "user_key".into()])
    );
    assert_eq!(list("admin_key", "pageSize=2&currentPage=2").await.1, ["organisation_key", "admin"]);
    assert_eq!(list("admin_key", "workspace_id=ws-b").await, (1, vec!["service_key_b".into()]));
    assert_eq!(list("admin_key", &format!("workspaceId={}", world.b)).await.0, 1);
    assert_eq!(list("admin_key", "type=organisation-service").await.0, 2);
    assert_eq!(list("admin_key", "name=LOG").await, (1, vec!["log_key".into()]));
    assert_eq!(list("admin_key", &format!("user_id={}", world.users["ws_member"])).await.1, ["user_key"]);
    assert_eq!(list("service_key", "").await.1, ["log_key", "user_key", "service_key"]);
    assert_eq!(list("ws_member", "").await.1, ["user_key"], "a member sees his own");
    assert_eq!(list("ws_manager", "").await.0, 3);
    for (query, status) in [
        ("workspace_id=ws-b", 403),
        ("page_size=0", 400),
        ("page_size=1001", 400),
        ("current_page=-1", 400),
        ("status=lost", 400),
        ("user_id=x", 400),
    ] {
        let got = world.get("service_key", &format!("/v1/api-keys?{query}")).await;
        assert_eq!(got.status, status, "{query}: {}", got.text);
        let name = query.split('=').next().unwrap();
        assert_eq!(got.body["error"]["param"], name, "{}", got.text);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said() {
    let world = World::new().await;
    let good = json!({"name": "n", "scopes": ["logs.view"], "workspace_id": "ws-a"});
    for (member, value, param) in [
        ("name", json!(null), "name"),
        ("name", json!(5), "name"),
        ("name", json!("  "), "name"),
        ("name", json!("x".repeat(256)), "name"),
        ("scopes", json!("logs.view"), "scopes"),
        ("scopes", json!(["logs.view", 7]), "scopes[1]"),
        ("scopes", json!(["logs.everything"]), "scopes"),
        ("scopes", json!(["audit_logs.list"]), "scopes"),
        ("description", json!("x".repeat(5_001)), "description"),
        ("usage_limits", json!({"type": "cost", "credit_limit": 0}), "usage_limits.credit_limit"),
        ("usage_limits", json!([{"type": "requests", "credit_limit": 5}]), "usage_limits[0].type"),
        ("usage_limits", json!("much"), "usage_limits"),
        (
            "usage_limits",
            json!([{"type": "cost", "credit_limit": 5}, {"type": "tokens", "credit_limit": 500}]),
            "usage_limits",
        ),
        ("rate_limits", json!([{"type": "requests", "unit": "rpx", "value": 1}]), "rate_limits[0].unit"),
        ("rate_limits", json!({"type": "requests", "unit": "rpm", "value": -1}), "rate_limits.value"),
        ("expires_at", json!("tomorrow"), "expires_at"),
        ("expires_at", json!("2020-01-01T00:00:00Z"), "expires_at"),
        ("expires_at", json!(5), "expires_at"),
        ("alert_emails", json!(["a@example.org", "b"]), "alert_emails[1]"),
        ("defaults", json!({"metadata": {"a": 1}}), "defaults.metadata.a"),
        ("defaults", json!({"metadata": {"a": "x".repeat(129)}}), "defaults.metadata.a"),
        ("defaults", json!({"config_id": "pc-none-000000"}), "defaults.config_id"),
        ("rotation_policy", json!({}), "rotation_policy"),
        ("rotation_policy", json!({"rotation_period": "daily"}), "rotation_policy.rotation_period"),
        (
            "rotation_policy",
            json!({"rotation_period": "weekly", "key_transition_period_ms": 5}),
            "rotation_policy.key_transition_period_ms",
        ),
        (
            "rotation_policy",
            json!({"next_rotation_at": "2020-01-01T00:00:00Z"}),
            "rotation_policy.next_rotation_at",
        ),
    ] {
        let mut body = good.clone();
        body[member] = value;
        let got = world.ask("admin_key", "POST", SERVICE, Some(&body)).await;
        assert_eq!((got.status, &got.body["errorCode"]), (400, &json!("AB01")), "{body}: {}", got.text);
        assert_eq!(got.body["error"]["param"], param, "{}", got.text);
    }
    for (body, status, param) in [
        (json!({"name": "n", "scopes": []}), 400, json!("workspace_id")),
        (json!({"name": "n", "scopes": [], "workspace_id": "ws-c"}), 404, json!(null)),
        (json!({"name": "n", "workspace_id": "ws-a"}), 400, json!("scopes")),
    ] {
        let got = world.ask("admin_key", "POST", SERVICE, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (status, &param), "{}", got.text);
    }
    let id = world.done("admin_key", "POST", SERVICE, good).await["id"].as_str().unwrap().to_owned();
    for (uri, body, param) in [
        (format!("/v1/api-keys/{id}"), json!({"scopes": ["x"]}), "scopes"),
        (format!("/v1/api-keys/{id}"), json!({"reset_usage": "perhaps"}), "reset_usage"),
        (format!("/v1/api-keys/{id}"), json!({"rate_limits": 5}), "rate_limits"),
        (
            format!("/v1/api-keys/{id}/rotate"),
            json!({"key_transition_period_ms": 1}),
            "key_transition_period_ms",
        ),
        (
            format!("/v1/api-keys/{id}/rotate"),
            json!({"key_transition_period_ms": 99_999_999_999_u64}),
            "key_transition_period_ms",
        ),
    ] {
        let method = if uri.ends_with("rotate") { "POST" } else { "PUT" };
        let got = world.ask("admin_key", method, &uri, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
    }
}

#[tokio::test]
async fn a_key_whose_budget_is_used_up_says_so() {
    let books = Arc::new(Books::default());
    let world = World::with(ApiOptions { usage: books.clone(), ..ApiOptions::default() }).await;
    let made = world.done("admin_key", "GET", "/v1/api-keys", json!(null)).await;
    let id = made["data"][0]["id"].as_str().unwrap();
    books.write(Subject::ApiKey(id.parse().unwrap()), standing(5, 5));
    let list = world.done("admin_key", "GET", "/v1/api-keys?status=exhausted", json!(null)).await;
    assert_eq!((&list["total"], &list["data"][0]["status"]), (&json!(1), &json!("exhausted")));
    assert_eq!(list["data"][0]["id"], id);
}

/// A key is a way to get rights: nobody gives, widens or takes over one that opens more than he has.
#[tokio::test]
async fn nobody_rises_through_a_key() {
    let world = World::new().await;
    let scopes = [
        "workspace_service_api_keys.create",
        "workspace_service_api_keys.update",
        "workspace_service_api_keys.rotate",
        "workspace_service_api_keys.delete",
        "logs.view",
    ];
    let body = json!({"name": "small", "scopes": scopes, "workspace_id": "ws-a"});
    let small = key(&world.done("admin_key", "POST", SERVICE, body).await["key"]);
    let ask = async |method: &str, uri: &str, body: Value| {
        world.ask_as(Some(&small), method, uri, Some(&body)).await
    };
    let wide = json!({"name": "n", "scopes": ["logs.view", "configs.delete"]});
    let got = ask("POST", SERVICE, wide).await;
    assert_eq!((got.status, &got.body["data"]["missing_scope"]), (403, &json!("configs.delete")));
    let made = ask("POST", SERVICE, json!({"name": "n", "scopes": ["logs.view"]})).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let own = format!("/v1/api-keys/{}", made.body["id"].as_str().unwrap());
    assert_eq!(ask("PUT", &own, json!({"scopes": ["logs.view", "configs.read"]})).await.status, 403);
    assert_eq!(ask("PUT", &own, json!({"scopes": ["logs.view"], "name": "m"})).await.status, 200);
    assert_eq!(ask("POST", &format!("{own}/rotate"), json!({})).await.status, 200);

    let keys = world.done("admin_key", "GET", "/v1/api-keys", json!(null)).await;
    let id = |name: &str| {
        let row = keys["data"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    let full = format!("/v1/api-keys/{}", id("service_key"));
    let got = ask("POST", &format!("{full}/rotate"), json!({})).await;
    assert_eq!(got.status, 403, "its text would open more: {}", got.text);
    assert_eq!(ask("PUT", &full, json!({"name": "renamed"})).await.status, 200);
    assert_eq!(ask("DELETE", &full, json!({})).await.status, 200, "doing away with it gives nothing");
    // The admin key is not for keys of the organisation to take over.
    let admin = format!("/v1/api-keys/{}", id("admin"));
    let got = world.ask("admin_key", "PUT", &admin, Some(&json!({"description": "d"}))).await;
    assert_eq!(got.status, 200);
    let body = json!({"name": "rotator", "scopes": ["organisation_service_api_keys.rotate", "organisation_service_api_keys.delete"]});
    let rotator = key(&world.done("admin_key", "POST", WHOLE, body).await["key"]);
    for (method, uri) in [("POST", format!("{admin}/rotate")), ("DELETE", admin)] {
        assert_eq!(world.ask_as(Some(&rotator), method, &uri, None).await.status, 403);
        assert_eq!(world.ask("admin", method, &uri, None).await.status, 403, "it counts as an owner");
    }
}

#[tokio::test]
async fn a_persons_keys_are_his_own() {
    let world = World::new().await;
    let own = json!({"name": "mine", "scopes": ["completions.write"]});
    let made = world.done("ws_member", "POST", USER, own).await;
    let uri = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    let row = world.done("ws_member", "GET", &uri, json!(null)).await;
    assert_eq!(row["user_id"], world.users["ws_member"].to_string());
    assert_eq!(row["creation_mode"], "ui");
    world.done("ws_member", "POST", &format!("{uri}/rotate"), json!({})).await;
    // For somebody else: managers may, members may not.
    let of = |name: &str| json!({"name": "n", "scopes": ["completions.write"], "user_id": world.users[name].to_string()});
    assert_eq!(world.ask("ws_member", "POST", USER, Some(&of("ws_manager"))).await.status, 404);
    let managers = world.done("ws_admin", "POST", USER, of("ws_manager")).await;
    let managers = format!("/v1/api-keys/{}", managers["id"].as_str().unwrap());
    for (method, body) in [("GET", None), ("PUT", Some(json!({"name": "x"}))), ("DELETE", None)] {
        assert_eq!(world.ask("ws_member", method, &managers, body.as_ref()).await.status, 404, "{method}");
    }
    for name in ["org_member", "owner"] {
        let got = world.ask("ws_admin", "POST", USER, Some(&of(name))).await;
        let want = if name == "owner" { 200 } else { 400 };
        assert_eq!(got.status, want, "{name}: {}", got.text);
    }
    let missing = json!({"name": "n", "scopes": []});
    let got = world.ask("service_key", "POST", USER, Some(&missing)).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("user_id")));
    // His rights in another workspace do not count here.
    assert_eq!(
        world
            .ask("ws_member", "POST", USER, Some(&json!({"name": "n", "scopes": ["configs.update"]})))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_config_is_found_by_slug_in_the_keys_workspace() {
    let world = World::new().await;
    for (workspace, slug) in [(world.a, "pc-a-000001"), (world.b, "pc-b-000001")] {
        let config = Config {
            name: slug.to_owned(),
            slug: slug.to_owned(),
            is_default: false,
            archived: false,
            content: json!({}),
        };
        world.store.create(&By::system(), Home::workspace(world.org, workspace), config).await.unwrap();
    }
    let body = |slug: &str| json!({"name": "n", "scopes": [], "workspaceId": "ws-a", "defaults": {"configId": slug}});
    assert_eq!(world.ask("admin_key", "POST", SERVICE, Some(&body("pc-b-000001"))).await.status, 400);
    let made = world.done("admin_key", "POST", SERVICE, body("pc-a-000001")).await;
    let uri = format!("/v1/api-keys/{}", made["id"].as_str().unwrap());
    let row = world.done("admin_key", "GET", &uri, json!(null)).await;
    assert_eq!(row["defaults"]["config_id"], "pc-a-000001");
    world.done("admin_key", "PUT", &uri, json!({"defaults": {"config_id": null}})).await;
    let row = world.done("admin_key", "GET", &uri, json!(null)).await;
    assert_eq!(row["defaults"]["config_id"], json!(null));
    let of_organisation = json!({"name": "n", "scopes": [], "defaults": {"config_id": "pc-a-000001"}});
    assert_eq!(world.ask("admin_key", "POST", WHOLE, Some(&of_organisation)).await.status, 400);
}
