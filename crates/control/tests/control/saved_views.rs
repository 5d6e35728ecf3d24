//! Saved views: whose they are, who sees them and who changes them.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_view_is_its_owners_until_it_is_shared() {
    let world = World::new().await;
    let body =
        json!({"name": "Errors", "page": "logs", "query": "status=5xx&range=24h", "workspace_id": "ws-a"});
    let made = world.done("ws_member", "POST", "/v1/saved-views", body).await;
    let uri = format!("/v1/saved-views/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["shared"], &made["editable"]), (&json!(false), &json!(true)));
    let mine = world.done("ws_member", "GET", "/v1/saved-views?workspace_id=ws-a&page=logs", json!({})).await;
    assert_eq!(mine["data"][0], made);
    let list = "/v1/saved-views?workspace_id=ws-a";
    for other in ["ws_manager", "owner", "service_key"] {
        assert_eq!(world.done(other, "GET", list, json!({})).await["total"], 0, "{other}");
        for (method, body) in [("GET", None), ("PUT", Some(json!({"name": "x"}))), ("DELETE", None)] {
            assert_eq!(world.ask(other, method, &uri, body.as_ref()).await.status, 404, "{other} {method}");
        }
    }
    let shared = world.done("ws_member", "PUT", &uri, json!({"shared": true, "query": "status=429"})).await;
    assert_eq!((&shared["query"], &shared["name"]), (&json!("status=429"), &json!("Errors")));
    // Those who may change policies tidy up after others.
    let seen = world.done("ws_manager", "GET", &uri, json!({})).await;
    assert_eq!(seen["editable"], true);
    world.done("ws_manager", "PUT", &uri, json!({"name": "Errors of all"})).await;
    world.done("ws_member", "DELETE", &uri, json!({})).await;
    assert_eq!(world.ask("ws_member", "GET", &uri, None).await.status, 404);
}

#[tokio::test]
async fn who_shares_a_view_keeps_it() {
    let world = World::new().await;
    let body = json!({"name": "Ours", "page": "analytics", "tab": "errors", "query": "", "shared": true, "workspace_id": "ws-a"});
    let made = world.done("ws_manager", "POST", "/v1/saved-views", body).await;
    let uri = format!("/v1/saved-views/{}", made["id"].as_str().unwrap());
    let seen = world.done("ws_member", "GET", &uri, json!({})).await;
    assert_eq!((&seen["editable"], &seen["tab"]), (&json!(false), &json!("errors")));
    for (method, body) in [("PUT", Some(json!({"name": "x"}))), ("DELETE", None)] {
        assert_eq!(world.ask("ws_member", method, &uri, body.as_ref()).await.status, 403, "{method}");
    }
}

#[tokio::test]
async fn what_is_no_view_is_refused() {
    let world = World::new().await;
    for (body, param) in [
        (json!({"name": "", "page": "logs", "query": ""}), "name"),
        (json!({"name": "x", "page": "logs", "query": "?a=b"}), "query"),
        (json!({"name": "x", "page": "logs", "query": "a b"}), "query"),
        (json!({"name": "x", "page": "logs", "query": "x".repeat(4_097)}), "query"),
        (json!({"name": "x", "page": "logs", "query": "", "tab": "../keys"}), "tab"),
        (json!({"name": "x", "page": "keys", "query": ""}), "page"),
    ] {
        let got = world.ask("service_key", "POST", "/v1/saved-views", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
    }
}
