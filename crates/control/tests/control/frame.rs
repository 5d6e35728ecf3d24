//! What is the same for every route: methods, paths, credentials, bodies, and which routes are not served yet.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::world::{NOBODY, World};

#[tokio::test]
async fn a_request_is_routed_and_its_sender_found() {
    let world = World::new().await;
    for (who, method, uri, status) in [
        (NOBODY, "GET", "/openapi.json", 200),
        (NOBODY, "GET", "/v1/admin/workspaces", 401),
        ("admin_key", "GET", "/v1/admin/workspaces", 200),
        ("admin_key", "GET", "/v1/admin/workspaces?", 200),
        ("service_key", "GET", "/v1/admin/workspaces", 200),
        ("owner", "GET", "/v1/admin/workspaces", 200),
        ("org_member", "GET", "/v1/admin/workspaces", 403),
        ("log_key", "GET", "/v1/admin/workspaces", 403),
        ("admin_key", "PUT", "/v1/admin/workspaces", 405),
        ("admin_key", "PATCH", "/v1/admin/workspaces", 405),
        ("admin_key", "GET", "/v1/admin/nothing", 404),
        ("admin_key", "GET", "/v1/admin/../workspaces", 400),
        ("admin_key", "GET", "/v1/admin/workspaces?page_size=0", 400),
        ("admin_key", "GET", "/v1/admin/workspaces?pageSize=x", 400),
        ("admin_key", "GET", "/v1/scim/workspaces", 501),
        ("log_key", "GET", "/v1/scim/workspaces", 403),
    ] {
        let got = world.ask(who, method, uri, None).await;
        assert_eq!(got.status, status, "{method} {uri} as {who}: {}", got.text);
        assert!(got.headers.contains_key("x-portkey-trace-id"));
        assert_eq!(got.headers["content-type"], "application/json");
        assert!(got.body.is_object());
    }
    let got = world.ask("admin_key", "PUT", "/v1/admin/workspaces", None).await;
    assert_eq!(got.headers["allow"], "GET, POST");
    let missing = world.get("log_key", "/v1/admin/workspaces").await.body;
    assert_eq!(missing["data"]["missing_scope"], "workspaces.list");
}

#[tokio::test]
async fn credentials_that_are_not_good_are_all_alike() {
    let world = World::new().await;
    let send = |name: &'static str, value: &'static str| {
        let request = Request::get("/v1/admin/workspaces").header(name, value).body(Bytes::new()).unwrap();
        world.send(request)
    };
    let unknown = send("authorization", "Bearer sk-never-handed-out-0123456789").await;
    assert_eq!((unknown.status, &unknown.body["errorCode"]), (401, &json!("AB05")));
    let ended = send("cookie", "tidegate_session=tgs_nothing").await;
    assert_eq!(ended.status, 401);
    for key in ["x-portkey-api-key", "x-tidegate-api-key"] {
        assert_eq!(send(key, "tg-adm-broken").await.status, 401);
    }
    assert_eq!(send("cookie", "other=1").await.status, 401);
}

/// The list shrinks: a route that is served must go from here, and none comes back unnoticed.
#[tokio::test]
async fn routes_that_nothing_serves_yet() {
    let world = World::new().await;
    let missing: Vec<String> =
        world.api.unserved().iter().map(|(method, template)| format!("{method} {template}")).collect();
    let listed: Vec<&str> =
        include_str!("unserved.txt").lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(missing, listed);
}

#[tokio::test]
async fn the_description_is_of_every_route_that_is_served() {
    let world = World::new().await;
    let document = world.get(NOBODY, "/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let operations: Vec<&Value> = document["paths"].as_object().unwrap().values().collect();
    assert!(operations.len() > 2);
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            assert!(operation["responses"].as_object().unwrap().len() > 3, "{operation}");
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for name in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
}
