//! Integrations: of the organisation and of a workspace, their models, and to whom they are lent.

use serde_json::{Value, json};
use tidegate_store::Scope;
use tidegate_store::entity::{Backing, Integration, Provider};

use crate::world::World;

const KEY: &str = "sk-0123456789abcdefghij";

async fn made(world: &World, who: &str, slug: &str) -> Value {
    let body =
        json!({"name": "Shared", "ai_provider_id": "openai", "slug": slug, "key": KEY, "description": "d"});
    world.done(who, "POST", "/v1/integrations", body).await
}

fn slugs(listed: &Value) -> Vec<&str> {
    let mut slugs: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|row| row["slug"].as_str().unwrap()).collect();
    slugs.sort_unstable();
    slugs
}

#[tokio::test]
async fn an_integrations_life() {
    let world = World::new().await;
    let made = made(&world, "admin_key", "shared").await;
    assert_eq!(made["slug"], "shared");
    assert_eq!(made.as_object().unwrap().len(), 2);
    let path = "/v1/integrations/shared";
    let whole = world.get("admin_key", path).await;
    assert!(!whole.text.contains("0123456789"), "{}", whole.text);
    let row = whole.body;
    for (member, want) in [
        ("id", made["id"].clone()),
        ("organisation_id", json!(world.org.to_string())),
        ("workspace_id", Value::Null),
        ("ai_provider_id", json!("openai")),
        ("name", json!("Shared")),
        ("description", json!("d")),
        ("status", json!("active")),
        ("type", json!("organisation")),
        ("object", json!("integration")),
        ("configurations", json!({})),
        ("allow_all_models", json!(true)),
        ("workspace_count", json!(0)),
        ("secret_mappings", json!([])),
        (
            "global_workspace_access_settings",
            json!({"enabled": false, "usage_limits": null, "rate_limits": null}),
        ),
    ] {
        assert_eq!(row[member], want, "{member}");
    }
    assert!(row["masked_key"].as_str().unwrap().contains("***"));

    let body = json!({"name": "Other", "description": null, "pricing_adjustments": {"multiplier": {"default": 1.5}},
        "configurations": {"openai_organization": "org-1", "openai_project": "p"}});
    assert_eq!(world.done("admin_key", "PUT", path, body).await, json!({}));
    world.done("admin_key", "PUT", path, json!({"configurations": {"openai_project": null}})).await;
    let row = world.done("admin_key", "GET", path, json!({})).await;
    assert_eq!((&row["name"], &row["description"]), (&json!("Other"), &Value::Null));
    assert_eq!(row["configurations"], json!({"openai_organization": "org-1"}));
    assert_eq!(row["pricing_adjustments"], json!({"multiplier": {"default": 1.5}}));
    assert!(row["masked_key"].is_string());
    let moved = world
        .done(
            "admin_key",
            "PUT",
            path,
            json!({"configurations": {"custom_host": "https://x.example.org/v1"}}),
        )
        .await;
    assert!(moved["warnings"][0].as_str().unwrap().contains("dropped"));
    let row = world.done("admin_key", "GET", path, json!({})).await;
    assert_eq!(
        (&row["masked_key"], &row["configurations"]["custom_host"]),
        (&Value::Null, &json!("https://x.example.org/v1"))
    );

    assert_eq!(world.done("admin_key", "DELETE", path, json!({})).await, json!({}));
    assert_eq!(world.get("admin_key", path).await.status, 404);
}

#[tokio::test]
async fn each_level_sees_its_own_and_what_it_is_lent() {
    let world = World::new().await;
    made(&world, "admin_key", "shared").await;
    made(&world, "service_key", "own-a").await;
    made(&world, "service_key_b", "own-b").await;
    let list = |who: &'static str, query: &'static str| {
        let world = &world;
        async move { world.done(who, "GET", &format!("/v1/integrations{query}"), json!({})).await }
    };
    assert_eq!(slugs(&list("admin_key", "").await), ["own-a", "own-b", "shared"]);
    assert_eq!(slugs(&list("admin_key", "?type=workspace").await), ["own-a", "own-b"]);
    assert_eq!(slugs(&list("admin_key", "?type=organisation").await), ["shared"]);
    assert_eq!(slugs(&list("admin_key", "?workspace_id=ws-a").await), ["own-a"]);
    assert_eq!(slugs(&list("service_key", "?type=all").await), ["own-a"]);
    // What is not lent is not there; what is lent is seen, and is the organisation's to change.
    assert_eq!(world.get("service_key", "/v1/integrations/shared").await.status, 404);
    let body = json!({"workspaces": [{"id": "ws-a", "enabled": true}]});
    world.done("admin_key", "PUT", "/v1/integrations/shared/workspaces", body).await;
    assert_eq!(slugs(&list("service_key", "").await), ["own-a", "shared"]);
    assert_eq!(slugs(&list("service_key_b", "").await), ["own-b"]);
    let body = json!({"name": "mine now"});
    let got = world.ask("service_key", "PUT", "/v1/integrations/shared", Some(&body)).await;
    assert_eq!(
        (got.status, &got.body["data"]["missing_scope"]),
        (403, &json!("organisation_integrations.update"))
    );
    assert_eq!(world.get("service_key", "/v1/integrations/own-b").await.status, 404);
    assert_eq!(
        world.done("service_key", "GET", "/v1/integrations/own-a", json!({})).await["type"],
        "workspace"
    );
    // Without a workspace an admin finds the one that there is.
    assert_eq!(world.done("admin_key", "GET", "/v1/integrations/own-a", json!({})).await["slug"], "own-a");
}

#[tokio::test]
async fn a_provider_comes_with_an_integration() {
    let world = World::new().await;
    let scope = |workspace| Scope::Workspace(world.org, workspace);
    let body = json!({"name": "n", "ai_provider_id": "openai", "slug": "own", "key": KEY, "default_provider_slug": "main"});
    let own = world.done("service_key", "POST", "/v1/integrations", body).await;
    let row = world.done("service_key", "GET", "/v1/providers/main", json!({})).await;
    assert_eq!((&row["integration_id"], &row["ai_provider_name"]), (&own["id"], &json!("openai")));
    let body = json!({"name": "n", "ai_provider_id": "openai", "slug": "bare", "key": KEY, "create_default_provider": false});
    world.done("service_key", "POST", "/v1/integrations", body).await;
    assert_eq!(world.get("service_key", "/v1/providers/bare").await.status, 404);

    made(&world, "admin_key", "shared").await;
    let path = "/v1/integrations/shared/workspaces";
    let body = json!({"name": "n", "integration_id": "shared"});
    let got = world.ask("service_key", "POST", "/v1/providers", Some(&body)).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("integration_id")), "not lent yet");
    world.done("admin_key", "PUT", path, json!({"global_workspace_access": {"enabled": true}})).await;
    for workspace in [world.a, world.b] {
        let provider = world.store.by_slug::<Provider>(&scope(workspace), "shared").await.unwrap();
        assert!(matches!(provider.entity.backing, Backing::Integration(_)));
    }
    let made = world
        .done("service_key", "POST", "/v1/providers", json!({"name": "Second", "integration_id": "shared"}))
        .await;
    assert!(made["slug"].as_str().unwrap().starts_with("second-"));
    let key = world.ask("service_key", "PUT", "/v1/providers/shared", Some(&json!({"key": KEY}))).await;
    assert_eq!(
        (key.status, &key.body["error"]["param"]),
        (400, &json!("key")),
        "the key is the integration's"
    );
    let body = json!({"name": "n", "integration_id": "shared", "key": KEY});
    let got = world.ask("service_key", "POST", "/v1/providers", Some(&body)).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("integration_id")));
    let gone = world.ask("admin_key", "DELETE", "/v1/integrations/shared", None).await;
    assert_eq!((gone.status, &gone.body["errorCode"]), (409, &json!("AB07")), "{}", gone.text);
}

#[tokio::test]
async fn who_may_use_one_and_how_much() {
    let world = World::new().await;
    made(&world, "admin_key", "shared").await;
    let path = "/v1/integrations/shared/workspaces";
    let budget = json!([{"type": "cost", "credit_limit": 5}]);
    let body = json!({
        "workspaces": [{"id": world.a.to_string(), "enabled": true, "usage_limits": [{"type": "cost", "creditLimit": 5}],
            "rate_limits": [{"type": "requests", "unit": "rpm", "value": 9}]}, {"id": "ws-b", "enabled": false}],
        "global_workspace_access": {"enabled": true, "usage_limits": [{"type": "tokens", "credit_limit": 1000}]},
        "create_default_provider": false,
    });
    world.done("admin_key", "PUT", path, body).await;
    let listed = world.done("admin_key", "GET", path, json!({})).await;
    assert_eq!((&listed["object"], &listed["total"]), (&json!("list"), &json!(2)));
    let global = json!({"enabled": true, "usage_limits": [{"type": "tokens", "credit_limit": 1000}], "rate_limits": null});
    assert_eq!(listed["global_workspace_access"], global);
    let rows = &listed["workspaces"];
    assert_eq!(
        (&rows[0]["id"], &rows[0]["enabled"], &rows[0]["usage_limits"]),
        (&json!(world.a.to_string()), &json!(true), &budget)
    );
    assert_eq!(rows[0]["rate_limits"], json!([{"type": "requests", "unit": "rpm", "value": 9}]));
    assert_eq!(
        (&rows[1]["enabled"], &rows[1]["usage_limits"], &rows[1]["rate_limits"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    let whole = world.done("admin_key", "GET", "/v1/integrations/shared", json!({})).await;
    assert_eq!((&whole["workspace_count"], &whole["global_workspace_access_settings"]), (&json!(1), &global));

    // What is not said stays.
    let body = json!({"workspaces": [{"id": "ws-a", "enabled": true, "rate_limits": null, "reset_usage": true, "create_default_provider": false}]});
    world.done("admin_key", "PUT", path, body).await;
    let rows = world.done("admin_key", "GET", path, json!({})).await["workspaces"].clone();
    assert_eq!(
        (&rows[0]["usage_limits"], &rows[0]["rate_limits"], &rows[0]["reset_usage"]),
        (&budget, &Value::Null, &json!(1))
    );
    assert_eq!(rows.as_array().unwrap().len(), 2);
    let body =
        json!({"override_existing_workspaces_access": true, "global_workspace_access": {"enabled": false}});
    world.done("admin_key", "PUT", path, body).await;
    let listed = world.done("admin_key", "GET", path, json!({})).await;
    assert_eq!((&listed["total"], &listed["global_workspace_access"]["enabled"]), (&json!(0), &json!(false)));

    made(&world, "service_key", "own").await;
    for (path, body, param) in [
        (path, json!({"workspaces": [{"id": "nowhere", "enabled": true}]}), "workspaces[0].id"),
        (path, json!({"workspaces": [{"enabled": true}]}), "workspaces[0].id"),
        (path, json!({"workspaces": [{"id": "ws-a"}]}), "workspaces[0].enabled"),
        (
            path,
            json!({"workspaces": [{"id": "ws-a", "enabled": true, "usage_limits": {"type": "x"}}]}),
            "workspaces[0].usage_limits.type",
        ),
        (
            path,
            json!({"global_workspace_access": {"enabled": true, "rate_limits": {"type": "requests", "value": 1}}}),
            "global_workspace_access.rate_limits.unit",
        ),
        ("/v1/integrations/own/workspaces", json!({"workspaces": []}), "workspaces"),
    ] {
        let got = world.ask("admin_key", "PUT", path, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
}

#[tokio::test]
async fn the_models_that_it_serves() {
    let world = World::new().await;
    made(&world, "service_key", "own").await;
    let path = "/v1/integrations/own/models";
    let listed = world.done("service_key", "GET", path, json!({})).await;
    assert_eq!((&listed["object"], &listed["allow_all_models"]), (&json!("list"), &json!(true)));
    let known = listed["models"].as_array().unwrap().len();
    assert!(known > 10 && listed["models"][0]["enabled"] == true);
    let prices = json!({"type": "static", "pay_as_you_go": {"request_token": {"price": 0.00025}, "response_token": {"price": 0.001}}});
    let body = json!({"allow_all_models": false, "models": [
        {"slug": "gpt-4o", "enabled": true},
        {"slug": "ft:mine", "enabled": true, "is_custom": true, "is_finetune": true, "base_model_slug": "gpt-4o", "pricing_config": prices},
    ]});
    assert_eq!(world.done("service_key", "PUT", path, body).await, json!({}));
    let listed = world.done("service_key", "GET", path, json!({})).await;
    assert_eq!((&listed["allow_all_models"], &listed["total"]), (&json!(false), &json!(known + 1)));
    let row = |slug: &str| {
        listed["models"].as_array().unwrap().iter().find(|row| row["slug"] == slug).unwrap().clone()
    };
    assert_eq!((&row("gpt-4o")["enabled"], &row("gpt-4o")["is_custom"]), (&json!(true), &json!(false)));
    assert_eq!(row("gpt-4o-mini")["enabled"], false);
    let mine = row("ft:mine");
    assert_eq!(
        (&mine["is_custom"], &mine["is_finetune"], &mine["base_model_slug"]),
        (&json!(true), &json!(true), &json!("gpt-4o"))
    );
    assert_eq!(mine["pricing_config"], prices);
    assert!(mine["created_at"].is_string() && mine["last_updated_at"].is_string());
    let scope = Scope::Workspace(world.org, world.a);
    let stored = world.store.by_slug::<Integration>(&scope, "own").await.unwrap();
    let models = stored.entity.connection.models;
    assert!(models.allows("gpt-4o") && models.allows("ft:mine") && !models.allows("gpt-4o-mini"));

    for (method, uri, body, param) in [
        ("PUT", path, json!({}), "models"),
        ("PUT", path, json!({"models": [{"slug": "", "enabled": true}]}), "models[0].slug"),
        ("PUT", path, json!({"models": [{"slug": "m"}]}), "models[0].enabled"),
        (
            "PUT",
            path,
            json!({"models": [{"slug": "m", "enabled": true, "pricing_config": {"type": "dynamic"}}]}),
            "models[0].pricing_config.type",
        ),
        (
            "PUT",
            path,
            json!({"models": [{"slug": "m", "enabled": true, "pricing_config": {"pay_as_you_go": {"request_token": {"price": -1}}}}]}),
            "models[0].pricing_config.pay_as_you_go.request_token.price",
        ),
        (
            "PUT",
            path,
            json!({"models": [{"slug": "m", "enabled": true, "configurations": {"custom_host": "https://x"}}]}),
            "models[0].configurations",
        ),
        ("DELETE", path, json!({}), "slugs"),
        ("DELETE", "/v1/integrations/own/models?slugs=gpt-4o", json!({}), "slugs"),
    ] {
        let got = world.ask("service_key", method, uri, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
    world.done("service_key", "PUT", path, json!({"models": [{"slug": "second", "enabled": true}]})).await;
    world.done("service_key", "DELETE", &format!("{path}?slugs=ft:mine"), json!({})).await;
    world.done("service_key", "DELETE", path, json!({"models": [{"slug": "second"}]})).await;
    assert_eq!(world.done("service_key", "GET", path, json!({})).await["total"], known);
}

#[tokio::test]
async fn bad_input_is_named() {
    let world = World::new().await;
    for (body, param) in [
        (json!({"ai_provider_id": "openai"}), "name"),
        (json!({"name": "n"}), "ai_provider_id"),
        (json!({"name": "n", "ai_provider_id": "nothing"}), "ai_provider_id"),
        (json!({"name": "n", "ai_provider_id": "openai", "slug": "a b"}), "slug"),
        (
            json!({"name": "n", "ai_provider_id": "openai", "configurations": "sk-secret-text"}),
            "configurations",
        ),
        (
            json!({"name": "n", "ai_provider_id": "openai", "configurations": {"openai_org": "x"}}),
            "configurations.openai_org",
        ),
        (
            json!({"name": "n", "ai_provider_id": "azure-openai", "configurations": {"azure_api_version": "v"}}),
            "resource_name",
        ),
        (
            json!({"name": "n", "ai_provider_id": "azure-openai", "configurations": {"azure_resource_name": "r", "azure_deployment_config": {}}}),
            "configurations.azure_deployment_config",
        ),
        (
            json!({"name": "n", "ai_provider_id": "openai", "pricing_adjustments": {"multiplier": {"default": "2"}}}),
            "pricing_adjustments.multiplier.default",
        ),
        (
            json!({"name": "n", "ai_provider_id": "openai", "pricing_adjustments": 2}),
            "pricing_adjustments.multiplier",
        ),
        (json!({"name": "n", "ai_provider_id": "openai", "secret_mappings": [{}]}), "secret_mappings"),
    ] {
        let got = world.ask("admin_key", "POST", "/v1/integrations", Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
        assert!(!got.text.contains("secret-text"));
    }
    made(&world, "admin_key", "twice").await;
    let body = json!({"name": "n", "ai_provider_id": "openai", "slug": "twice"});
    assert_eq!(world.ask("admin_key", "POST", "/v1/integrations", Some(&body)).await.status, 409);
}
