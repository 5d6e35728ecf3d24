//! What was entered as a secret is in no answer, no error and no audit entry, whatever is asked.

use serde_json::{Value, json};
use tidegate_access::route::CONTROL;
use tidegate_access::{Access, Verbs};

use crate::world::World;

/// Stands in every secret, and in nothing else.
const MARK: &str = "zq7secretmark";

fn secret(name: &str) -> String {
    format!("{name}-{MARK}-0123456789")
}

async fn fill(world: &World) {
    let account = json!({"type": "service_account", "private_key": secret("pem"), "client_email": "a@b"});
    for (method, uri, body) in [
        (
            "POST",
            "/v1/virtual-keys",
            json!({"name": "v", "slug": "v", "provider": "openai", "key": secret("sk"), "custom_headers": {"x-h": secret("h")}}),
        ),
        (
            "POST",
            "/v1/virtual-keys",
            json!({"name": "aws", "slug": "aws", "provider": "bedrock", "awsAccessKeyId": secret("id"), "awsSecretAccessKey": secret("aws"), "awsRegion": "eu-west-1"}),
        ),
        (
            "POST",
            "/v1/virtual-keys",
            json!({"name": "vertex", "slug": "vertex", "provider": "vertex-ai", "vertexRegion": "r", "vertexProjectId": "p", "vertexServiceAccountJson": account}),
        ),
        (
            "POST",
            "/v1/providers",
            json!({"provider": "openai", "slug": "pool", "credentials": [{"key": secret("one")}, {"key": secret("two")}]}),
        ),
        ("PUT", "/v1/providers/pool", json!({"credentials": [{"key": secret("three")}]})),
        (
            "POST",
            "/v1/integrations",
            json!({"name": "i", "slug": "i", "ai_provider_id": "azure-openai", "key": secret("az"), "configurations": {"azure_resource_name": "r", "azure_entra_client_secret": secret("entra")}}),
        ),
        (
            "PUT",
            "/v1/integrations/i",
            json!({"key": secret("az2"), "configurations": {"custom_headers": {"x": secret("ih")}}}),
        ),
        (
            "POST",
            "/v1/configs",
            json!({"name": "c", "config": {"provider": "openai", "api_key": secret("inline")}}),
        ),
    ] {
        world.done("service_key", method, uri, body).await;
    }
    let listed = world.done("service_key", "GET", "/v1/configs", json!({})).await;
    let config = format!("/v1/configs/{}", listed["data"][0]["slug"].as_str().unwrap());
    let body = json!({"config": {"strategy": {"mode": "fallback"}, "targets": [{"provider": "anthropic", "api_key": secret("other")}]}});
    world.done("service_key", "PUT", &config, body).await;
}

#[tokio::test]
async fn no_answer_has_a_secret() {
    let world = World::new().await;
    fill(&world).await;
    let listed = world.done("service_key", "GET", "/v1/configs", json!({})).await;
    let config = listed["data"][0]["slug"].as_str().unwrap().to_owned();
    let mut answers = 0;
    for route in CONTROL.iter().filter(|route| route.verbs().overlaps(Verbs::GET)) {
        if !matches!(route.access(), Access::Needs(_)) {
            continue;
        }
        for name in ["v", "aws", "vertex", "pool", "i", &config] {
            let parts = route.template().split('/').enumerate().map(|(at, part)| match part {
                part if !part.starts_with('{') => part,
                "{version}" => "1",
                _ if at < 5 => name,
                _ => "x",
            });
            let uri = parts.collect::<Vec<_>>().join("/");
            for who in ["service_key", "admin_key", "owner"] {
                let got = world.get(who, &format!("{uri}?workspace_id=ws-a")).await;
                assert!(!got.text.contains(MARK), "{uri} as {who}: {}", got.text);
                answers += usize::from(got.status == 200);
            }
        }
    }
    assert!(answers > 150, "{answers}");
}

#[tokio::test]
async fn the_audit_log_has_no_secret() {
    let world = World::new().await;
    fill(&world).await;
    let uri = "/v1/audit-logs?start_time=2020-01-01T00:00:00Z&end_time=2099-01-01T00:00:00Z&page_size=100";
    let log = world.get("admin_key", uri).await;
    assert_eq!(log.status, 200, "{}", log.text);
    assert!(!log.text.contains(MARK), "{}", log.text);
    let told = |kind: &str| {
        let records = log.body["records"].as_array().unwrap();
        records.iter().filter(|record| record.to_string().contains(kind)).count()
    };
    assert!(told("provider") >= 5 && told("integration") >= 2 && told("config") >= 2, "{}", log.text);
}

#[tokio::test]
async fn no_error_quotes_what_was_entered() {
    let world = World::new().await;
    let wrong = secret("sk");
    let (object, list) = (json!({ "a": wrong }), json!([wrong]));
    for value in [json!(format!("{wrong} with space")), object, list] {
        for (uri, body) in [
            ("/v1/virtual-keys", json!({"name": "n", "provider": "openai", "key": value})),
            ("/v1/virtual-keys", json!({"name": "n", "provider": "openai", "credentials": value})),
            ("/v1/virtual-keys", json!({"name": "n", "provider": "openai", "credentials": [value]})),
            ("/v1/virtual-keys", json!({"name": "n", "provider": "openai", "credentials": [{"key": value}]})),
            (
                "/v1/virtual-keys",
                json!({"name": "n", "provider": "openai", "credentials": [{"key": "k", "label": value, "weight": value}]}),
            ),
            ("/v1/virtual-keys", json!({"name": "n", "provider": "bedrock", "awsSecretAccessKey": value})),
            ("/v1/virtual-keys", json!({"name": "n", "provider": "openai", "custom_headers": value})),
            ("/v1/integrations", json!({"name": "n", "ai_provider_id": "openai", "configurations": value})),
            (
                "/v1/integrations",
                json!({"name": "n", "ai_provider_id": "openai", "configurations": {"azure_ad_token": value}}),
            ),
            (
                "/v1/configs",
                json!({"name": "n", "config": {"provider": "openai", "api_key": Value::Array(vec![value.clone()])}}),
            ),
        ] {
            let got = world.ask("service_key", "POST", uri, Some(&body)).await;
            assert!(!got.text.contains(MARK), "{uri} {body}: {}", got.text);
            assert!(got.status == 400 || got.status == 200, "{uri}: {}", got.text);
        }
    }
}
