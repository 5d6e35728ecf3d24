//! The life of a workspace, and of somebody's place in one.

use serde_json::{Value, json};

use crate::world::World;

const ALL: &str = "/v1/admin/workspaces";

#[tokio::test]
async fn a_workspace_is_made_changed_and_removed() {
    let world = World::new().await;
    let body = json!({
        "name": "Search team", "description": "d", "icon": "x", "defaults": {"metadata": {"team": "search"}},
        "users": [world.users["org_member"].to_string()],
        "usage_limits": [{"type": "cost", "credit_limit": 100, "periodic_reset": "monthly"}],
        "rate_limits": {"type": "requests", "unit": "rpm", "value": 10},
    });
    let made = world.done("admin_key", "POST", ALL, body).await;
    let slug = made["slug"].as_str().unwrap().to_owned();
    assert!(slug.starts_with("ws-search-") && slug.len() == 16, "{slug}");
    assert!(made.get("users").is_none(), "a client's type has no room for it here");
    assert_eq!((&made["object"], &made["is_default"]), (&json!("workspace"), &json!(0)));
    assert_eq!(made["rate_limits"], json!([{"type": "requests", "unit": "rpm", "value": 10}]));

    let id = made["id"].as_str().unwrap().to_owned();
    for name in [&slug, &id] {
        let row = world.done("admin_key", "GET", &format!("{ALL}/{name}"), json!(null)).await;
        assert_eq!(row["defaults"]["metadata"], json!({"team": "search"}));
        assert_eq!(row["users"][0]["email"], "org_member@example.org");
    }
    let uri = format!("{ALL}/{slug}");
    let change = json!({"name": "Search", "description": null, "defaults": {"input_guardrails": ["pg-a"]},
        "usage_limits": null});
    let row = world.done("admin_key", "PUT", &uri, change).await;
    assert_eq!((&row["name"], &row["description"]), (&json!("Search"), &json!(null)));
    assert_eq!(row["defaults"]["input_guardrails"], json!(["pg-a"]));
    assert_eq!(row["defaults"]["metadata"], json!({"team": "search"}), "left out means unchanged");
    assert_eq!(row["usage_limits"], json!([]));
    assert_eq!(row["slug"], slug.as_str());

    let key = json!({"name": "k", "scopes": ["logs.view"], "workspace_id": slug});
    world.done("admin_key", "POST", "/v1/api-keys/workspace/service", key).await;
    let got = world.ask("admin_key", "DELETE", &uri, Some(&json!({"name": "Search"}))).await;
    assert_eq!((got.status, &got.body["errorCode"]), (409, &json!("AB07")), "{}", got.text);
    let got =
        world.ask("admin_key", "DELETE", &uri, Some(&json!({"name": "Serch", "force_delete": true}))).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("name")));
    let forced = json!({"name": "Search", "force_delete": true, "workspace_id": slug});
    assert_eq!(world.done("admin_key", "DELETE", &uri, forced).await, json!({}));
    assert_eq!(world.get("admin_key", &uri).await.status, 404);
    let keys = world.done("admin_key", "GET", "/v1/api-keys?name=k&status=revoked", json!(null)).await;
    assert_eq!(keys["total"], 0);
}

#[tokio::test]
async fn workspaces_are_listed_as_far_as_one_may_see() {
    let world = World::new().await;
    let names = async |who: &str, query: &str| {
        let list = world.done(who, "GET", &format!("{ALL}?{query}"), json!(null)).await;
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["slug"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("admin_key", "").await, ["ws-b", "ws-a"]);
    assert_eq!(names("owner", "pageSize=1&currentPage=1").await, ["ws-a"]);
    assert_eq!(names("service_key", "").await, ["ws-a"]);
    assert_eq!(names("ws_member", "").await, ["ws-a"]);
    assert_eq!(names("admin_key", "name=A").await, ["ws-a"]);
    assert_eq!(names("admin_key", "exact_name=a").await, Vec::<String>::new());
    assert_eq!(names("admin_key", "status=archived").await, Vec::<String>::new());
    assert_eq!(world.get("service_key", &format!("{ALL}/ws-b")).await.status, 404);
    assert_eq!(world.get("stranger", &format!("{ALL}/ws-a")).await.status, 404);
    let removed = world.ask("ws_admin", "DELETE", &format!("{ALL}/ws-a"), None).await;
    assert_eq!(removed.status, 403);
}

#[tokio::test]
async fn what_is_wrong_with_a_workspace_is_said() {
    let world = World::new().await;
    for (body, param) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "n", "usage_limits": [{"type": "cost"}]}), "usage_limits[0].credit_limit"),
        (json!({"name": "n", "rate_limits": [7]}), "rate_limits[0]"),
        (json!({"name": "n", "users": ["x"]}), "users[0]"),
        (json!({"name": "n", "users": [world.a.to_string()]}), "users[0]"),
        (json!({"name": "n", "defaults": {"metadata": []}}), "defaults.metadata"),
    ] {
        let got = world.ask("admin_key", "POST", ALL, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
    assert_eq!(world.done("admin_key", "GET", ALL, json!(null)).await["total"], 2, "none was made");
}

#[tokio::test]
async fn people_come_into_a_workspace_and_go() {
    let world = World::new().await;
    let users = format!("{ALL}/ws-a/users");
    let id = |name: &str| world.users[name].to_string();
    let add = |name: &str, role: &str| json!({"users": [{"id": id(name), "role": role}]});
    assert_eq!(world.done("ws_manager", "POST", &users, add("org_member", "member")).await, json!({}));
    let uri = format!("{users}/{}", id("org_member"));
    let row = world.done("ws_manager", "GET", &uri, json!(null)).await;
    assert_eq!(row["object"], "workspace-user");
    assert_eq!((&row["role"], &row["org_role"]), (&json!("member"), &json!("member")));
    assert_eq!((&row["workspace_id"], &row["status"]), (&json!(world.a.to_string()), &json!("active")));
    assert!(row["scopes"].as_array().unwrap().contains(&json!("completions.write")));
    let list = world.done("admin_key", "GET", &format!("{users}?role=ws-member"), json!(null)).await;
    assert_eq!(list["total"], 2);
    let list =
        world.done("admin_key", "GET", &format!("{users}?email=org_member@example.org"), json!(null)).await;
    assert_eq!(list["data"][0]["id"], id("org_member"));

    // A key of hers stops working when she goes.
    let key = json!({"name": "k", "scopes": ["workspaces.list"], "user_id": id("org_member")});
    let key = world.done("ws_admin", "POST", "/v1/api-keys/workspace/user", key).await;
    let key = crate::world::Credential::Key(key["key"].as_str().unwrap().to_owned());
    assert_eq!(world.ask_as(Some(&key), "GET", ALL, None).await.status, 200);
    assert_eq!(world.done("ws_manager", "PUT", &uri, json!({"role": "manager"})).await, json!({}));
    assert_eq!(world.done("ws_manager", "DELETE", &uri, json!(null)).await, json!({}));
    assert_eq!(world.ask_as(Some(&key), "GET", ALL, None).await.status, 401);
    assert_eq!(world.get("ws_manager", &uri).await.status, 404);

    for (who, body, status, param) in [
        ("ws_manager", add("org_member", "admin"), 403, json!(null)),
        ("ws_manager", add("org_member", "chief"), 400, json!("users[0].role")),
        ("ws_manager", add("ws_member", "member"), 409, json!("users")),
        (
            "ws_manager",
            json!({"users": [{"id": world.a.to_string(), "role": "member"}]}),
            400,
            json!("users[0].id"),
        ),
        ("ws_manager", json!({}), 400, json!("users")),
        ("ws_member", add("org_member", "member"), 403, json!("workspace_users.create")),
    ] {
        let got = world.ask(who, "POST", &users, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (status, &param), "{body}: {}", got.text);
    }
    for (who, name, role, status) in [
        ("ws_manager", "ws_manager", "admin", 403),
        ("ws_manager", "ws_admin", "member", 403),
        ("ws_admin", "ws_admin", "member", 403),
        ("ws_admin", "ws_manager", "member", 200),
        ("owner", "ws_admin", "member", 200),
        ("owner", "org_member", "member", 404),
    ] {
        let body = json!({"role": role});
        let got = world.ask(who, "PUT", &format!("{users}/{}", id(name)), Some(&body)).await;
        assert_eq!(got.status, status, "{who} makes {name} a {role}: {}", got.text);
    }
}

#[tokio::test]
async fn switches_of_the_organisation_and_of_a_workspace() {
    let world = World::new().await;
    let uri = "/v1/admin/organisation";
    let row = world.done("owner", "GET", uri, json!(null)).await;
    assert_eq!(
        (&row["settings"]["membersViewLogs"], &row["settings"]["membersWritePrompts"]),
        (&json!(true), &json!(false))
    );
    let off = json!({"settings": {"membersViewPrompts": false}});
    let row = world.done("owner", "PUT", uri, off).await;
    assert_eq!(row["settings"]["membersViewPrompts"], false);
    let ask = async |who: &str| world.get(who, "/v1/prompts").await.status;
    assert_eq!((ask("ws_member").await, ask("user_key").await, ask("ws_manager").await), (403, 403, 501));
    // A workspace's own value counts where the organisation lets it.
    let own: Value = json!({"settings": {"membersViewPrompts": true}});
    assert_eq!(world.ask("ws_admin", "PUT", &format!("{ALL}/ws-a"), Some(&own)).await.status, 403);
    let row = world.done("owner", "PUT", &format!("{ALL}/ws-a"), own).await;
    assert_eq!(row["settings"], json!({"membersViewPrompts": true}));
    assert_eq!(ask("ws_member").await, 403);
    world.done("owner", "PUT", uri, json!({"allow_workspace_overrides": true})).await;
    assert_eq!((ask("ws_member").await, ask("user_key").await), (501, 501));
    let wrong = world.ask("owner", "PUT", uri, Some(&json!({"settings": {"membersFly": true}}))).await;
    assert_eq!((wrong.status, &wrong.body["error"]["param"]), (400, &json!("settings.membersFly")));
    let wrong = world.ask("owner", "PUT", uri, Some(&json!({"settings": {"membersViewLogs": "no"}}))).await;
    assert_eq!((wrong.status, &wrong.body["error"]["param"]), (400, &json!("settings.membersViewLogs")));
}
