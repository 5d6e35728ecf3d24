//! The bar: with a gateway that serves, two commands keep a provider key and hand out a limited key.

use serde_json::json;

use crate::stage::Stage;

#[test]
fn a_provider_key_and_a_limited_key_of_ones_own_need_no_file() {
    let mut stage = Stage::new();
    stage.typed = "sk-of-the-provider\n".to_owned();
    let added = stage.ok("providers add openai");
    assert!(added.starts_with("kept a key for openai; requests use it as @openai/MODEL"), "{added}");
    assert!(!added.contains("sk-of-the-provider"));
    let asked = stage.last("POST");
    assert_eq!(asked.url, "/v1/integrations");
    assert_eq!(
        asked.json(),
        json!({"name": "openai", "ai_provider_id": "openai", "key": "sk-of-the-provider", "workspace_id": "ws-default",
            "create_default_provider": true, "default_provider_slug": "openai"})
    );

    let made = stage.ok("keys create my-app --limit 100/minute --budget 5usd/month");
    let asked = stage.last("POST");
    assert_eq!(asked.url, "/v1/api-keys/workspace/service");
    assert_eq!(
        asked.json(),
        json!({"name": "my-app", "scopes": ["completions.write"], "workspace_id": "ws-default",
            "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}],
            "usage_limits": {"type": "cost", "credit_limit": 5, "periodic_reset": "monthly"}})
    );
    let url = stage.server.url();
    assert!(made.contains("shown once:\n\n  tg-secret-of-the-key\n"), "{made}");
    assert!(made.contains(&format!("export OPENAI_BASE_URL={url}/v1\n")), "{made}");
    assert!(made.contains("export OPENAI_API_KEY=tg-secret-of-the-key\n"), "{made}");
    assert!(made.contains(&format!("curl {url}/v1/chat/completions")), "{made}");
    assert!(made.contains("-H 'authorization: Bearer tg-secret-of-the-key'"), "{made}");
    assert!(made.contains("\"@openai/gpt-4o-mini\""), "{made}");
}

#[test]
fn without_a_provider_the_model_inside_the_gateway_is_tried() {
    let stage = Stage::new();
    assert!(stage.ok("keys create my-app").contains("\"@demo/echo\""));
}
