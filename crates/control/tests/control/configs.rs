//! Saved configs: their life, their versions, what is refused.

use serde_json::{Value, json};

use crate::world::World;

/// Makes a config in workspace `a` and gives its slug.
async fn made(world: &World, config: Value) -> String {
    let made = world
        .done("service_key", "POST", "/v1/configs", json!({"name": "My Config", "config": config}))
        .await;
    made["slug"].as_str().unwrap().to_owned()
}

fn stored(row: &Value) -> Value {
    serde_json::from_str(row["config"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_configs_life() {
    let world = World::new().await;
    let content = json!({"retry": {"attempts": 2}, "cache": {"mode": "simple"}});
    let body = json!({"name": "My Config", "config": content, "isDefault": 1, "workspaceId": "ws-a"});
    let made = world.done("admin_key", "POST", "/v1/configs", body).await;
    let slug = made["slug"].as_str().unwrap();
    assert!(slug.starts_with("pc-myconf-") && slug.len() == "pc-myconf-".len() + 6, "{slug}");
    assert_eq!(made["object"], "config");
    assert!(made["id"].is_string() && made["version_id"].is_string());

    let listed = world.done("service_key", "GET", "/v1/configs?", json!({})).await;
    assert_eq!((&listed["object"], &listed["total"]), (&json!("list"), &json!(1)));
    let row = &listed["data"][0];
    assert_eq!(
        (&row["slug"], &row["is_default"], &row["status"]),
        (&json!(slug), &json!(1), &json!("active"))
    );
    assert_eq!(row["workspace_id"], world.a.to_string());
    assert_eq!(row["organisation_id"], world.org.to_string());
    assert!(row["owner_id"].is_string() && row["updated_by"] == row["owner_id"]);
    assert!(row["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(row.get("config").is_none());

    // By slug without a workspace, as official clients do, and by id.
    for name in [slug, made["id"].as_str().unwrap()] {
        let whole = world.done("admin_key", "GET", &format!("/v1/configs/{name}"), json!({})).await;
        assert_eq!(stored(&whole), content);
        assert_eq!((&whole["format"], &whole["type"]), (&json!("json"), &json!("ORG_CONFIG")));
        assert_eq!(whole["version_id"], made["version_id"]);
    }

    let path = format!("/v1/configs/{slug}");
    let new = json!({"name": "Other", "slug": slug, "config": "{\"retry\":{\"attempts\":3}}", "status": "archived"});
    let changed = world.done("service_key", "PUT", &path, new).await;
    assert_ne!(changed["version_id"], made["version_id"]);
    assert_eq!(changed["object"], "config");
    let whole = world.done("service_key", "GET", &path, json!({})).await;
    assert_eq!((&whole["name"], &whole["status"]), (&json!("Other"), &json!("archived")));
    assert_eq!(stored(&whole), json!({"retry": {"attempts": 3}}));

    assert_eq!(world.done("service_key", "DELETE", &path, json!({})).await, json!({}));
    assert_eq!(world.get("service_key", &path).await.status, 404);
}

#[tokio::test]
async fn a_workspace_has_one_default() {
    let world = World::new().await;
    let body = json!({"name": "one", "config": {"cache": {"mode": "simple"}}, "is_default": true});
    let one = world.done("service_key", "POST", "/v1/configs", body.clone()).await;
    let two = world.done("service_key", "POST", "/v1/configs", body).await;
    let defaults = |listed: Value| -> Vec<Value> {
        let rows = listed["data"].as_array().unwrap().clone();
        rows.into_iter().filter(|row| row["is_default"] == 1).map(|row| row["slug"].clone()).collect()
    };
    assert_eq!(
        defaults(world.done("service_key", "GET", "/v1/configs", json!({})).await),
        [two["slug"].clone()]
    );
    let path = format!("/v1/configs/{}", one["slug"].as_str().unwrap());
    world.done("service_key", "PUT", &path, json!({"is_default": 1})).await;
    assert_eq!(
        defaults(world.done("service_key", "GET", "/v1/configs", json!({})).await),
        [one["slug"].clone()]
    );
}

#[tokio::test]
async fn versions_are_compared_and_gone_back_to() {
    let world = World::new().await;
    let slug = made(&world, json!({"retry": {"attempts": 1}})).await;
    let path = format!("/v1/configs/{slug}");
    for attempts in [2, 3] {
        world.done("service_key", "PUT", &path, json!({"config": {"retry": {"attempts": attempts}}})).await;
    }
    let versions = world.done("service_key", "GET", &format!("{path}/versions"), json!({})).await;
    assert_eq!(versions["total"], 3);
    let rows = versions["data"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["version"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(stored(&rows[1]), json!({"retry": {"attempts": 2}}));
    for name in ["2", rows[1]["version_id"].as_str().unwrap()] {
        let one = world.done("service_key", "GET", &format!("{path}/versions/{name}"), json!({})).await;
        assert_eq!(one, rows[1]);
    }
    for name in ["0", "4", "x", "0198f7aa-0000-7000-8000-000000000000"] {
        assert_eq!(world.get("service_key", &format!("{path}/versions/{name}")).await.status, 404, "{name}");
    }
    let changes = json!([{"path": "retry.attempts", "op": "change", "before": 1, "after": 3}]);
    let diff = world.done("service_key", "GET", &format!("{path}/diff?from=1"), json!({})).await;
    assert_eq!((&diff["changes"], &diff["to"]["version"]), (&changes, &json!(3)));
    let diff = world.done("service_key", "GET", &format!("{path}/diff"), json!({})).await;
    assert_eq!(diff["changes"][0]["before"], 2);
    let wrong = world.get("service_key", &format!("{path}/diff?from=9")).await;
    assert_eq!((wrong.status, &wrong.body["error"]["param"]), (400, &json!("from")));

    let back = world.done("service_key", "POST", &format!("{path}/rollback"), json!({"version": 1})).await;
    assert_eq!(back["version"], 4);
    let whole = world.done("service_key", "GET", &path, json!({})).await;
    assert_eq!(stored(&whole), json!({"retry": {"attempts": 1}}));
    let newest = world.done("service_key", "GET", &format!("{path}/versions/4"), json!({})).await;
    assert_eq!(newest["comment"], "back to version 1");
    for body in [json!({}), json!({"version": 9}), json!({"version": true})] {
        let wrong = world.ask("service_key", "POST", &format!("{path}/rollback"), Some(&body)).await;
        assert_eq!((wrong.status, &wrong.body["error"]["param"]), (400, &json!("version")), "{body}");
    }
}

#[tokio::test]
async fn the_grammar_is_the_gateways() {
    let world = World::new().await;
    for (config, param, words) in [
        (
            json!({"targets": [{"provider": "opena", "api_key": "k"}], "strategy": {"mode": "single"}}),
            "config.targets[0].provider",
            "did you mean 'openai'?",
        ),
        (json!({"strategy": {"mode": "lottery"}, "targets": []}), "config.strategy.mode", "Invalid"),
        (json!({"retry": {"attempts": "many"}}), "config.retry.attempts", "Expected number"),
        (json!({}), "config", "Invalid configuration"),
        (json!({"provider": "@not-there"}), "config.provider", "Must be one of"),
        (
            json!({"provider": "openai", "api_key": "k", "custom_host": "http://169.254.169.254/v1"}),
            "config",
            "custom host",
        ),
        (json!([]), "config", "is not an object"),
        (json!("{"), "config", "is not JSON"),
        (json!(5), "config", "is not an object"),
        (json!({"provider": "openai", "api_key": "abc***yz"}), "config", "masked"),
    ] {
        let body = json!({"name": "n", "config": config});
        let got = world.ask("service_key", "POST", "/v1/configs", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{config}: {}", got.text);
        assert_eq!(got.body["errorCode"], "AB01");
        assert!(got.body["message"].as_str().unwrap().contains(words), "{config}: {}", got.text);
    }
    for (body, param) in [
        (json!({"config": {"cache": {"mode": "simple"}}}), "name"),
        (json!({"name": "", "config": {"cache": {"mode": "simple"}}}), "name"),
        (json!({"name": "n"}), "config"),
        (json!({"name": "n", "config": {"cache": {"mode": "simple"}}, "is_default": 2}), "is_default"),
    ] {
        let got = world.ask("service_key", "POST", "/v1/configs", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
    }
    let slug = made(&world, json!({"cache": {"mode": "simple"}})).await;
    let body = json!({"status": "gone"});
    let got = world.ask("service_key", "PUT", &format!("/v1/configs/{slug}"), Some(&body)).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("status")));
    // A config may name what the workspace has, and not what another one has.
    let body = json!({"provider": "openai", "slug": "my-own", "key": "sk-0123456789abcdef0123"});
    world.done("service_key", "POST", "/v1/providers", body).await;
    made(&world, json!({"provider": "@my-own"})).await;
    let body = json!({"name": "n", "config": {"provider": "@my-own"}});
    let got = world.ask("service_key_b", "POST", "/v1/configs", Some(&body)).await;
    assert_eq!(got.status, 400, "{}", got.text);
}

#[tokio::test]
async fn credentials_in_configs_are_masked_and_kept() {
    let world = World::new().await;
    let secret = "sk-inline-0123456789abcdef";
    let slug = made(&world, json!({"provider": "openai", "api_key": secret})).await;
    let path = format!("/v1/configs/{slug}");
    let read = world.get("service_key", &path).await;
    assert!(!read.text.contains("0123456789"), "{}", read.text);
    let mut config = stored(&read.body);
    config["weight"] = json!(2);
    world.done("service_key", "PUT", &path, json!({"config": config})).await;
    for part in ["versions", "versions/1", "diff?from=1"] {
        let got = world.get("service_key", &format!("{path}/{part}")).await;
        assert!(got.status == 200 && !got.text.contains("0123456789"), "{part}: {}", got.text);
    }
    let scope = tidegate_store::Scope::Workspace(world.org, world.a);
    let kept = world.store.by_slug::<tidegate_store::entity::Config>(&scope, &slug).await.unwrap();
    assert_eq!(kept.entity.content, json!({"provider": "openai", "api_key": secret, "weight": 2}));
}

#[tokio::test]
async fn a_slug_that_two_workspaces_have_needs_one_of_them() {
    let world = World::new().await;
    let by = tidegate_store::audit::By::system();
    for workspace in [world.a, world.b] {
        let config = tidegate_store::entity::Config {
            name: "n".to_owned(),
            slug: "pc-twin".to_owned(),
            is_default: false,
            archived: false,
            content: json!({"cache": {"mode": "simple"}}),
        };
        let home = tidegate_store::Home::workspace(world.org, workspace);
        world.store.create(&by, home, config).await.unwrap();
    }
    let got = world.get("admin_key", "/v1/configs/pc-twin").await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("workspace_id")));
    let got = world.get("admin_key", "/v1/configs/pc-twin?workspace_id=ws-b").await;
    assert_eq!((got.status, &got.body["workspace_id"]), (200, &json!(world.b.to_string())));
    assert_eq!(
        world.get("service_key", "/v1/configs/pc-twin").await.body["workspace_id"],
        world.a.to_string()
    );
}

#[tokio::test]
async fn a_dry_run_says_where_a_request_would_go() {
    let world = World::new().await;
    let target =
        |provider: &str| json!({"provider": provider, "api_key": "k", "override_params": {"model": "m"}});
    let config =
        json!({"strategy": {"mode": "fallback"}, "targets": [target("openai"), target("anthropic")]});
    let body = json!({
        "config": config,
        "request": {"metadata": {"tier": "pro"}, "body": {"model": "gpt-4o"}},
        "statuses": {"config.targets[0]": 503},
    });
    let found = world.done("service_key", "POST", "/v1/configs/dry-run", body.clone()).await;
    assert_eq!(found["object"], "config-dry-run");
    assert_eq!(found["targets"][1]["provider"], "anthropic");
    let attempt =
        |path: &str, status: u16| json!({"target": path, "retry": 0, "wait_ms": 0, "status": status});
    let attempts = [attempt("config.targets[0]", 503), attempt("config.targets[1]", 200)];
    let way = json!({"share": 1.0, "attempts": attempts, "status": 200, "error": null});
    assert_eq!(found["ways"], json!([way]));
    // As text too, as the console's editor has it; nothing is saved.
    let text = json!({"config": config.to_string()});
    let found = world.done("service_key", "POST", "/v1/configs/dry-run", text).await;
    assert_eq!(found["ways"][0]["attempts"][0]["target"], "config.targets[0]");
    assert_eq!(world.done("service_key", "GET", "/v1/configs", json!({})).await["total"], 0);
}

#[tokio::test]
async fn a_dry_run_of_a_mistake_names_it() {
    let world = World::new().await;
    let mistakes = [
        (json!({"config": {"strategy": {"mode": "fallbakc"}, "targets": []}}), "config.strategy.mode"),
        (
            json!({"config": {"retry": {"attempts": 2}}, "statuses": {"config.targets[3]": 500}}),
            "config.targets[3]",
        ),
        (json!({"config": {"retry": {"attempts": 2}}, "statuses": {"config": 42}}), "from 200 to 599"),
    ];
    for (body, named) in mistakes {
        let got = world.ask("service_key", "POST", "/v1/configs/dry-run", Some(&body)).await;
        assert_eq!(got.status, 400, "{}", got.text);
        assert!(got.text.contains(named), "{}", got.text);
    }
}
