//! `providers`: from where keys are taken, and what is forgotten with them.

use serde_json::json;

use crate::stage::Stage;

#[test]
fn keys_come_from_a_variable_a_file_or_standard_input() {
    let mut stage = Stage::new();
    stage.env.insert("OPENAI_API_KEY".to_owned(), "sk-env".to_owned());
    stage.ok("providers add openai --key-env OPENAI_API_KEY");
    assert_eq!(stage.last("POST").json()["key"], "sk-env");
    let file = stage.scratch.write("key", "sk-file\n");
    stage.ok(&format!("providers add openai --slug mine --key-file {}", file.display()));
    assert_eq!(stage.last("POST").json()["key"], "sk-file");
    stage.typed = "sk-typed\n".to_owned();
    stage.ok("providers add openai --slug @third");
    assert_eq!(
        (&stage.last("POST").json()["key"], &stage.last("POST").json()["default_provider_slug"]),
        (&json!("sk-typed"), &json!("third"))
    );
    stage.ok("providers add ollama --no-key --base-url http://ollama:11434 --set region=eu");
    let body = stage.last("POST").json();
    assert_eq!(
        (&body["key"], &body["configurations"]),
        (&json!(null), &json!({"custom_host": "http://ollama:11434", "region": "eu"}))
    );
}

#[test]
fn a_key_that_is_not_there_is_told_before_anything_is_made() {
    let stage = Stage::new();
    for (line, problem) in [
        ("providers add openai --key-env NOT_SET", "--key-env: NOT_SET is not set, or empty"),
        ("providers add openai --key-file /nowhere", "--key-file: /nowhere: No such file"),
        ("providers add openai", "what was typed: the key is empty"),
    ] {
        let failure = stage.err(line);
        assert!(failure.message.contains(problem), "{failure}");
        assert_eq!(failure.kind.exit_code(), 2);
    }
    assert!(stage.server.handler().all("/integrations").is_empty());
}

#[test]
fn limits_are_put_on_the_provider() {
    let mut stage = Stage::new();
    stage.typed = "sk".to_owned();
    stage.ok("providers add openai --limit 60/min --budget 50usd/month --alert 90%");
    assert_eq!(stage.last("PUT").url, "/v1/providers/openai?workspace_id=ws-default");
    assert_eq!(
        stage.last("PUT").json(),
        json!({"rate_limits": [{"type": "requests", "unit": "rpm", "value": 60}],
            "usage_limits": {"type": "cost", "credit_limit": 50, "alert_threshold": 45, "periodic_reset": "monthly"}})
    );
    assert!(stage.ok("providers list").contains("@openai/…  openai    openai  active"));
    let shown = stage.ok("providers show openai");
    assert!(shown.contains("60/minute") && shown.contains("50usd/month, notice at 45usd"), "{shown}");
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() {
    let mut stage = Stage::new();
    stage.typed = "old".to_owned();
    stage.ok("providers add openai");
    stage.typed = "new".to_owned();
    assert_eq!(stage.ok("providers rotate @openai"), "@openai has a new key");
    assert_eq!(stage.server.handler().all("/integrations")[0]["key"], "new");
    stage.ok("providers update openai --note mine");
    assert_eq!(stage.last("PUT").json(), json!({"note": "mine"}));
    assert!(stage.ok("providers show openai").contains("note         mine"));
}

#[test]
fn removing_a_provider_forgets_its_key_when_nobody_else_uses_it() {
    let mut stage = Stage::new();
    stage.typed = "sk".to_owned();
    stage.ok("providers add openai");
    assert_eq!(stage.ok("providers remove openai"), "removed @openai and its key");
    assert!(stage.server.handler().all("/integrations").is_empty());

    stage.ok("providers add openai");
    let integration = stage.server.handler().all("/integrations")[0]["id"].clone();
    stage.server.handler().put("/providers", json!({"slug": "second", "integration_id": integration}));
    assert_eq!(stage.ok("providers remove openai"), "removed @openai; its key is kept for @second");
    assert_eq!(stage.ok("providers remove second --keep-key"), "removed @second; its key is kept");
    assert_eq!(stage.server.handler().all("/integrations").len(), 1);

    stage.server.handler().put("/providers", json!({"slug": "shared", "integration_id": "org"}));
    stage.server.handler().put("/integrations", json!({"id": "org", "slug": "org", "type": "organisation"}));
    assert_eq!(
        stage.ok("providers remove shared"),
        "removed @shared; its key is kept, it belongs to the organisation"
    );
    assert_eq!(stage.server.handler().all("/integrations").len(), 2);
}
