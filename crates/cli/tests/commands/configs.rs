//! `configs`: from a file to a config and back.

use serde_json::json;

use crate::stage::{Stage, refused};

#[test]
fn pushing_makes_a_config_then_versions_then_nothing() {
    let stage = Stage::new();
    let file = stage.scratch.write("main.json", r#"{"provider": "openai", "weight": 1}"#);
    let push = format!("configs push {}", file.display());
    assert_eq!(
        stage.ok(&push),
        "saved main as pc-main-000001; requests use it with x-portkey-config: pc-main-000001"
    );
    assert_eq!(
        stage.last("POST").json(),
        json!({"name": "main", "config": {"provider": "openai", "weight": 1}, "workspace_id": "ws-default"})
    );
    // Members keep their order, which balancing by weight and people's eyes go by.
    let text = String::from_utf8(stage.last("POST").body.to_vec()).unwrap();
    assert!(text.contains(r#""config":{"provider": "openai", "weight": 1}"#), "{text}");

    assert_eq!(stage.ok(&push), format!("pc-main-000001 is as in {} already", file.display()));
    stage.scratch.write("main.json", r#"{"provider": "openai", "weight": 2}"#);
    let difference = stage.err(&format!("configs diff {}", file.display()));
    assert!(difference.message.contains("-  \"weight\": 1\n+  \"weight\": 2"), "{difference}");
    assert_eq!(difference.kind.exit_code(), 1);
    assert_eq!(stage.ok(&push), "saved a new version of pc-main-000001");
    assert_eq!(stage.last("PUT").json(), json!({"config": {"provider": "openai", "weight": 2}}));
    assert_eq!(stage.ok(&format!("configs diff {}", file.display())), "no difference");
    assert_eq!(stage.ok("configs show main"), "{\n  \"provider\": \"openai\",\n  \"weight\": 2\n}");
    assert_eq!(stage.server.handler().all("/configs").len(), 1);
}

#[test]
fn rolling_back_makes_the_older_version_the_newest() {
    let stage = Stage::new();
    let file = stage.scratch.path().join("main.json");
    for weight in 1..=3 {
        stage.scratch.write("main.json", json!({"weight": weight}).to_string());
        stage.ok(&format!("configs push {}", file.display()));
    }
    assert_eq!(stage.ok("configs versions main").lines().count(), 4);
    assert_eq!(stage.ok("configs rollback main"), "pc-main-000001 is as in version v-2 again");
    assert!(stage.ok("configs show main").contains("\"weight\": 2"));
    assert_eq!(stage.ok("configs rollback main --to v-1"), "pc-main-000001 is as in version v-1 again");
    assert!(stage.ok("configs show main").contains("\"weight\": 1"));
    assert!(stage.err("configs rollback main --to v-9").message.contains("has no version v-9"));
}

#[test]
fn a_config_with_one_version_cannot_go_back() {
    let stage = Stage::new();
    let file = stage.scratch.write("main.json", "{}");
    stage.ok(&format!("configs push {}", file.display()));
    assert_eq!(stage.err("configs rollback main").message, "pc-main-000001 has one version only");
    assert_eq!(stage.ok("configs remove pc-main-000001"), "removed pc-main-000001");
    assert!(stage.ok("configs list").starts_with("no configs"));
}

#[test]
fn configs_come_from_standard_input_too() {
    let mut stage = Stage::new();
    stage.typed = r#"{"a": 1}"#.to_owned();
    assert!(stage.err("configs push -").message.contains("say with --name"));
    assert!(stage.ok("configs push - --name piped").starts_with("saved piped as pc-piped-"));
    assert!(stage.ok("configs list").contains("piped"));
}

#[test]
fn what_is_no_config_is_not_sent() {
    let mut stage = Stage::new();
    for (text, problem) in
        [("{", "no JSON: EOF"), ("[1]", "a config is a JSON object"), ("{}{}", "no JSON: trailing")]
    {
        stage.typed = text.to_owned();
        let failure = stage.err("configs push - --name x");
        assert!(failure.message.contains(problem), "{failure}");
    }
    assert!(stage.err("configs push /nowhere.json").message.contains("/nowhere.json: No such file"));
    assert!(stage.server.requests().is_empty());
    // A slug that is not there is a mistake, not a name for a new one.
    stage.typed = "{}".to_owned();
    assert!(
        stage
            .err("configs push - --name pc-gone-000001")
            .message
            .contains("there is no config `pc-gone-000001`")
    );
    assert!(refused("configs show").is_some());
}
