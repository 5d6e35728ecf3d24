//! Virtual keys and providers, which are the same objects: their life, their credentials, what is refused.

use serde_json::{Value, json};
use tidegate_store::Scope;
use tidegate_store::entity::{CredentialState, Provider, Stored};

use crate::world::World;

const KEY: &str = "sk-0123456789abcdefghij";

/// As it is stored.
async fn kept(world: &World, slug: &str) -> Stored<Provider> {
    world.store.by_slug::<Provider>(&Scope::Workspace(world.org, world.a), slug).await.unwrap()
}

/// The keys that the data plane would send, with their weights.
async fn keys(world: &World, slug: &str) -> Vec<(String, u32)> {
    let provider = kept(world, slug).await;
    let opened = world.store.provider_credentials(&provider).await.unwrap();
    let weight = |id| {
        provider.entity.connection().unwrap().credentials.iter().find(|one| one.id == id).unwrap().weight
    };
    opened
        .into_iter()
        .map(|(id, material)| {
            (material.key.map(|key| key.expose().to_owned()).unwrap_or_default(), weight(id))
        })
        .collect()
}

#[tokio::test]
async fn a_virtual_keys_life() {
    let world = World::new().await;
    let made = world
        .done(
            "service_key",
            "POST",
            "/v1/virtual-keys",
            json!({
                "name": "Prod OpenAI", "provider": "openai", "key": KEY, "note": "for all",
                "usage_limits": {"type": "cost", "creditLimit": 10, "alert_threshold": 8},
                "rate_limits": {"type": "requests", "unit": "rpm", "value": 100},
                "expires_at": "2030-01-01T00:00:00.000Z",
            }),
        )
        .await;
    let slug = made["slug"].as_str().unwrap();
    assert!(slug.starts_with("prodop-"), "{slug}");
    assert_eq!(made["object"], "virtual-key");

    let listed =
        world.done("service_key", "GET", "/v1/virtual-keys?current_page=0&page_size=5", json!({})).await;
    assert_eq!(listed["total"], 1);
    let path = format!("/v1/virtual-keys/{slug}");
    let row = world.done("service_key", "GET", &path, json!({})).await;
    assert_eq!(listed["data"][0], row);
    assert_eq!(
        (&row["name"], &row["provider"], &row["note"], &row["status"], &row["object"]),
        (&json!("Prod OpenAI"), &json!("openai"), &json!("for all"), &json!("active"), &json!("virtual-key"))
    );
    assert_eq!(row["usage_limits"], json!({"type": "cost", "credit_limit": 10, "alert_threshold": 8}));
    assert_eq!(row["rate_limits"], json!([{"type": "requests", "unit": "rpm", "value": 100}]));
    assert_eq!((&row["expires_at"], &row["reset_usage"]), (&json!("2030-01-01T00:00:00.000Z"), &json!(0)));
    assert_eq!((&row["model_config"], &row["secret_mappings"]), (&json!({}), &json!([])));
    assert!(row["masked_key"].as_str().unwrap().contains("***"));
    assert_eq!(keys(&world, slug).await, [(KEY.to_owned(), 1)]);

    // The same object by its other name. In lists one client reads `rate_limits` as an object, another as an array.
    let twin = world.done("service_key", "GET", &format!("/v1/providers/{slug}"), json!({})).await;
    assert_eq!((&twin["id"], &twin["object"]), (&made["id"], &json!("provider")));
    assert_eq!((&twin["ai_provider_name"], &twin["integration_id"]), (&json!("openai"), &Value::Null));
    assert_eq!(twin["rate_limits"], row["rate_limits"]);
    let listed = world.done("service_key", "GET", "/v1/providers", json!({})).await;
    assert_eq!(listed["data"][0]["rate_limits"], Value::Null);

    let body = json!({"name": "Renamed", "usage_limits": null, "rate_limits": [], "expires_at": null, "note": null, "reset_usage": true});
    let changed = world.done("service_key", "PUT", &path, body).await;
    assert_eq!(changed, json!({"id": made["id"], "slug": slug, "object": "virtual-key"}));
    let row = world.done("service_key", "GET", &path, json!({})).await;
    for (member, want) in [
        ("name", json!("Renamed")),
        ("usage_limits", Value::Null),
        ("rate_limits", json!([])),
        ("expires_at", Value::Null),
        ("note", Value::Null),
        ("reset_usage", json!(1)),
    ] {
        assert_eq!(row[member], want, "{member}");
    }
    assert!(row["last_reset_at"].is_string());
    assert_eq!(keys(&world, slug).await.len(), 1, "the key is still there");

    assert_eq!(world.done("service_key", "DELETE", &path, json!({})).await, json!({}));
    assert_eq!(world.get("service_key", &path).await.status, 404);
    assert_eq!(world.get("service_key", &format!("/v1/providers/{slug}")).await.status, 404);
}

#[tokio::test]
async fn the_short_way_names_a_provider_by_itself() {
    let world = World::new().await;
    let body = json!({"provider": "openai", "key": KEY});
    let first = world.done("service_key", "POST", "/v1/providers", body.clone()).await;
    assert_eq!((&first["slug"], &first["object"]), (&json!("openai"), &json!("provider")));
    let second = world.done("service_key", "POST", "/v1/providers", body).await;
    assert_ne!(second["slug"], "openai", "a second one gets another slug");
    let body = json!({"provider": "openai", "slug": "openai", "key": KEY});
    let taken = world.ask("service_key", "POST", "/v1/providers", Some(&body)).await;
    assert_eq!((taken.status, &taken.body["errorCode"]), (409, &json!("AB07")), "{}", taken.text);
    let row = world.done("service_key", "GET", "/v1/providers/openai", json!({})).await;
    assert_eq!(row["name"], "OpenAI");
    // The workspace of another key may have the same slug.
    let body = json!({"provider": "openai", "slug": "openai", "key": KEY});
    assert_eq!(world.done("service_key_b", "POST", "/v1/providers", body).await["slug"], "openai");
}

#[tokio::test]
async fn several_keys_are_a_pool() {
    let world = World::new().await;
    let body = json!({"provider": "openai", "slug": "pool", "key": KEY, "credentials": [
        {"key": "sk-second-0123456789", "weight": 3, "label": "second"},
        {"key": "sk-spare-01234567890", "weight": 0},
    ]});
    world.done("service_key", "POST", "/v1/providers", body).await;
    let weights = |keys: Vec<(String, u32)>| keys.into_iter().map(|(_, weight)| weight).collect::<Vec<_>>();
    assert_eq!(weights(keys(&world, "pool").await), [1, 3, 0]);
    let path = "/v1/providers/pool";
    let rows = world.done("service_key", "GET", path, json!({})).await["credentials"].clone();
    assert_eq!(
        (&rows[1]["label"], &rows[1]["weight"], &rows[1]["status"]),
        (&json!("second"), &json!(3), &json!("active"))
    );

    // One stays with another weight, one is put to rest, one goes, one comes.
    let body = json!({"credentials": [
        {"id": rows[0]["id"], "weight": 5},
        {"id": rows[1]["id"], "status": "disabled"},
        {"key": "sk-new-0123456789012"},
    ]});
    world.done("service_key", "PUT", path, body).await;
    assert_eq!(keys(&world, "pool").await, [(KEY.to_owned(), 5), ("sk-new-0123456789012".to_owned(), 1)]);
    let stored = kept(&world, "pool").await;
    let states: Vec<_> =
        stored.entity.connection().unwrap().credentials.iter().map(|one| one.state).collect();
    assert_eq!(states, [CredentialState::Active, CredentialState::Disabled, CredentialState::Active]);

    world.done("service_key", "PUT", path, json!({"key": "sk-only-012345678901"})).await;
    assert_eq!(keys(&world, "pool").await, [("sk-only-012345678901".to_owned(), 1)]);
    world.done("service_key", "PUT", path, json!({"key": null})).await;
    assert_eq!(keys(&world, "pool").await, []);

    for (pool, param) in [
        (json!("sk-very-secret-text"), "credentials"),
        (json!([5]), "credentials[0]"),
        (json!([{"weight": 1}]), "credentials[0].key"),
        (json!([{"key": KEY}, {"key": KEY, "weight": -1}]), "credentials[1].weight"),
        (json!([{"key": KEY, "label": 5}]), "credentials[0].label"),
        (json!([{"key": KEY, "status": "gone"}]), "credentials[0].status"),
        (json!([{"key": "with space in it"}]), "credentials[0].key"),
        (json!([{"id": "x"}]), "credentials[0].id"),
        (json!([{"id": rows[0]["id"]}]), "credentials[0].id"),
        (json!([{"id": rows[0]["id"], "key": KEY}]), "credentials[0].id"),
        (json!([{"key": KEY, "options": {"region": "x"}}]), "credentials[0].options.region"),
        (json!(vec![json!({"key": KEY}); 101]), "credentials"),
    ] {
        let body = json!({"credentials": pool});
        let got = world.ask("service_key", "PUT", path, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{}", got.text);
        assert!(!got.text.contains("secret-text"), "{}", got.text);
    }
}

#[tokio::test]
async fn what_providers_need_beside_a_key() {
    let world = World::new().await;
    let made = |body: Value| world.done("service_key", "POST", "/v1/virtual-keys", body);
    made(json!({
        "name": "azure", "slug": "azure", "provider": "azure-openai", "key": KEY, "resourceName": "my-resource",
        "deploymentConfig": [
            {"apiVersion": "2024-10-21", "deploymentName": "gpt-4o-eu", "alias": "gpt-4o", "is_default": true},
            {"apiVersion": "2024-10-21", "deploymentName": "mini"},
        ],
    }))
    .await;
    let stored = kept(&world, "azure").await;
    let own = stored.entity.connection().unwrap();
    assert_eq!(own.destination.options.get("resource_name").map(String::as_str), Some("my-resource"));
    assert_eq!(own.settings["api_version"], "2024-10-21");
    assert!(!own.settings.contains_key("deployment_id"), "the model of a request says which of several");
    let row = world.done("service_key", "GET", "/v1/virtual-keys/azure", json!({})).await;
    assert_eq!(row["model_config"]["resourceName"], "my-resource");
    assert_eq!(
        row["model_config"]["deploymentConfig"][1],
        json!({"apiVersion": "2024-10-21", "deploymentName": "mini"})
    );
    world
        .done(
            "service_key",
            "PUT",
            "/v1/virtual-keys/azure",
            json!({"deploymentConfig": [{"apiVersion": "2025-01-01-preview", "deploymentName": "one"}]}),
        )
        .await;
    let own = kept(&world, "azure").await;
    let settings = &own.entity.connection().unwrap().settings;
    assert_eq!(
        (&settings["deployment_id"], &settings["api_version"]),
        (&json!("one"), &json!("2025-01-01-preview"))
    );
    assert_eq!(keys(&world, "azure").await.len(), 1);

    made(json!({"name": "aws", "slug": "aws", "provider": "bedrock", "awsAccessKeyId": "AKIA0123456789ABCDEF", "awsSecretAccessKey": "wJalrXUtnFEMI0123456789", "awsRegion": "eu-west-1"})).await;
    let stored = kept(&world, "aws").await;
    let (_, material) = world.store.provider_credentials(&stored).await.unwrap().remove(0);
    assert!(material.key.is_none());
    assert_eq!(material.options["aws_secret_access_key"].expose(), "wJalrXUtnFEMI0123456789");
    let row = world.get("service_key", "/v1/virtual-keys/aws").await;
    assert_eq!(row.body["model_config"], json!({"awsRegion": "eu-west-1"}));
    assert!(!row.text.contains("AKIA") && !row.text.contains("wJalr"), "{}", row.text);
    // Another region is no other address; half a credential is none.
    let changed =
        world.done("service_key", "PUT", "/v1/virtual-keys/aws", json!({"awsRegion": "us-east-1"})).await;
    assert_eq!(changed.get("warnings"), None);
    assert_eq!(keys(&world, "aws").await.len(), 1);
    let half = json!({"awsSecretAccessKey": "wJalrXUtnFEMI9876543210"});
    let got = world.ask("service_key", "PUT", "/v1/virtual-keys/aws", Some(&half)).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("aws_access_key_id")));

    let account = json!({"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nabc\n", "client_email": "a@b"});
    made(json!({"name": "vertex", "slug": "vertex", "provider": "vertex-ai", "vertexRegion": "us-central1", "vertexProjectId": "p", "vertexServiceAccountJson": account})).await;
    let stored = kept(&world, "vertex").await;
    let (_, material) = world.store.provider_credentials(&stored).await.unwrap().remove(0);
    let read: Value = serde_json::from_str(material.options["vertex_service_account_json"].expose()).unwrap();
    assert_eq!(read, account);
    let row = world.get("service_key", "/v1/virtual-keys/vertex").await;
    assert!(!row.text.contains("PRIVATE"), "{}", row.text);
}

#[tokio::test]
async fn a_key_does_not_follow_its_address() {
    let world = World::new().await;
    let body = json!({"provider": "openai", "slug": "mine", "key": KEY});
    world.done("service_key", "POST", "/v1/providers", body).await;
    let path = "/v1/providers/mine";
    let changed =
        world.done("service_key", "PUT", path, json!({"base_url": "https://llm.example.org/v1"})).await;
    assert!(changed["warnings"][0].as_str().unwrap().contains("dropped"));
    assert_eq!(keys(&world, "mine").await, []);
    let row = world.done("service_key", "GET", path, json!({})).await;
    assert_eq!(
        (&row["masked_key"], &row["model_config"]["baseUrl"]),
        (&Value::Null, &json!("https://llm.example.org/v1"))
    );
    // Entered in the same change, it is there.
    let body = json!({"custom_host": "https://other.example.org/v1", "key": KEY});
    let changed = world.done("service_key", "PUT", path, body).await;
    assert_eq!(changed.get("warnings"), None);
    assert_eq!(keys(&world, "mine").await, [(KEY.to_owned(), 1)]);
    let row = world.done("service_key", "GET", path, json!({})).await;
    assert_eq!(row["model_config"], json!({"customHost": "https://other.example.org/v1"}));
    for (body, param) in [
        (json!({"base_url": "http://169.254.169.254/latest"}), "base_url"),
        (json!({"custom_host": "http://10.0.0.1/v1"}), "custom_host"),
        (json!({"custom_host": "file:///etc/passwd"}), "custom_host"),
        (json!({"custom_host": "https://a.example.org", "base_url": "https://b.example.org"}), "custom_host"),
        (json!({"custom_headers": {"bad name": "x"}}), "custom_headers.bad name"),
        (json!({"custom_headers": {"x-a": "line\nbreak"}}), "custom_headers.x-a"),
    ] {
        let got = world.ask("service_key", "PUT", path, Some(&body)).await;
        assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!(param)), "{body}: {}", got.text);
    }
    world
        .done("service_key", "PUT", path, json!({"custom_headers": {"x-team": "secret-header-value"}}))
        .await;
    let row = world.get("service_key", path).await;
    assert_eq!(row.body["model_config"]["customHeaders"], json!({"x-team": "***"}));
    world.done("service_key", "PUT", path, json!({"custom_headers": {"x-team": "***", "x-new": "1"}})).await;
    let stored = kept(&world, "mine").await;
    let headers = stored.entity.connection().unwrap().settings["custom_headers"].clone();
    assert_eq!(
        headers,
        json!({"x-team": "secret-header-value", "x-new": "1"}),
        "what was shown masked is kept"
    );
}

#[tokio::test]
async fn bad_input_is_named() {
    let world = World::new().await;
    for (body, param) in [
        (json!({"provider": "openai", "key": KEY}), "name"),
        (json!({"name": "n", "key": KEY}), "provider"),
        (json!({"name": "n", "provider": "opena", "key": KEY}), "provider"),
        (json!({"name": "n", "provider": "openai", "key": 5}), "key"),
        (json!({"name": "n", "provider": "openai", "key": "a b"}), "key"),
        (json!({"name": "n", "provider": "openai", "key": KEY, "slug": "with space"}), "slug"),
        (json!({"name": 5, "provider": "openai", "key": KEY}), "name"),
        (json!({"name": "x".repeat(256), "provider": "openai", "key": KEY}), "name"),
        (
            json!({"name": "n", "provider": "openai", "usage_limits": {"type": "cost", "credit_limit": 0}}),
            "usage_limits.credit_limit",
        ),
        (
            json!({"name": "n", "provider": "openai", "rate_limits": [{"type": "requests", "unit": "rpx", "value": 1}]}),
            "rate_limits[0].unit",
        ),
        (json!({"name": "n", "provider": "openai", "expires_at": "tomorrow"}), "expires_at"),
        (json!({"name": "n", "provider": "azure-openai", "key": KEY}), "resource_name"),
        (
            json!({"name": "n", "provider": "azure-openai", "key": KEY, "resourceName": "evil.example.org/x"}),
            "resource_name",
        ),
        (
            json!({"name": "n", "provider": "azure-openai", "key": KEY, "resourceName": ["r"]}),
            "resource_name",
        ),
        (
            json!({"name": "n", "provider": "azure-openai", "key": KEY, "resourceName": "r", "deploymentConfig": [{"apiVersion": "v"}]}),
            "deployment_config[0].azure_deployment_name",
        ),
        (
            json!({"name": "n", "provider": "vertex-ai", "vertexRegion": "r", "vertexProjectId": "p", "vertexServiceAccountJson": "{}"}),
            "vertex_service_account_json",
        ),
        (
            json!({"name": "n", "provider": "openai", "secret_mappings": [{"target_field": "key"}]}),
            "secret_mappings",
        ),
        (json!({"name": "n", "integration_id": "nowhere"}), "integration_id"),
        (json!({"name": "n", "provider": "openai", "workspace_id": "ws-b"}), "workspace_id"),
    ] {
        let got = world.ask("service_key", "POST", "/v1/virtual-keys", Some(&body)).await;
        let status = if param == "workspace_id" { 403 } else { 400 };
        assert_eq!(
            (got.status, &got.body["error"]["param"]),
            (status, &json!(param)),
            "{body}: {}",
            got.text
        );
    }
    let got = world.ask("service_key", "POST", "/v1/providers", Some(&json!({"name": "n"}))).await;
    assert_eq!((got.status, &got.body["error"]["param"]), (400, &json!("integration_id")));
    let listed = world.done("service_key", "GET", "/v1/virtual-keys", json!({})).await;
    assert_eq!(listed["total"], 0, "nothing of all that was made");
    // Spellings that clients use of old.
    for name in ["open-ai", "hugging-face", "mistral-ai", "together-ai"] {
        let body = json!({"name": "n", "provider": name, "key": KEY});
        world.done("service_key", "POST", "/v1/virtual-keys", body).await;
    }
}

#[tokio::test]
async fn an_expired_one_says_so() {
    let world = World::new().await;
    let body =
        json!({"provider": "openai", "slug": "short", "key": KEY, "expires_at": "2027-01-15T09:00:00Z"});
    world.done("service_key", "POST", "/v1/providers", body).await;
    let status = || async {
        world.done("service_key", "GET", "/v1/providers/short", json!({})).await["status"].clone()
    };
    assert_eq!(status().await, "active");
    world.clock.advance(366 * 86_400_000);
    assert_eq!(status().await, "expired");
}
