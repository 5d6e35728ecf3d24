//! `keys`: their life, and how one is named.

use serde_json::json;

use crate::stage::{Stage, refused};

#[test]
fn a_key_lives_from_create_to_revoke() {
    let stage = Stage::new();
    stage.ok(
        "keys create my-app --limit 100/2minutes --limit 9tokens/s --budget 100usd/week --alert 80% --scope logs.write --scope \
         completions.write --use-config pc-x --metadata team=a --expires 2027-01-31 --alert-email a@example.com",
    );
    assert_eq!(
        stage.last("POST").json(),
        json!({"name": "my-app", "scopes": ["logs.write", "completions.write"], "workspace_id": "ws-default",
            "rate_limits": [{"type": "requests", "unit": "2minutes", "value": 100}, {"type": "tokens", "unit": "rps", "value": 9}],
            "usage_limits": {"type": "cost", "credit_limit": 100, "alert_threshold": 80, "periodic_reset": "weekly"},
            "defaults": {"metadata": {"team": "a"}, "config_id": "pc-x"}, "alert_emails": ["a@example.com"],
            "expires_at": "2027-01-31T00:00:00.000Z"})
    );
    let listed = stage.ok("keys list");
    let lines: Vec<Vec<&str>> = listed
        .lines()
        .map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect())
        .collect();
    assert_eq!(lines[0], ["NAME", "ID", "KEY", "KIND", "STATUS", "LIMITS", "BUDGET", "EXPIRES"]);
    assert_eq!(
        lines[1],
        [
            "my-app",
            "k-1",
            "tg-***abc",
            "workspace-service",
            "active",
            "100/2minutes, 9 tokens/second",
            "100usd/week",
            "2027-01-31 00:00"
        ]
    );
    assert!(
        stage.ok("keys show my-app").contains("scopes   logs.write, completions.write"),
        "{}",
        stage.ok("keys show my-app")
    );

    assert!(stage.ok("keys show my-app").contains("budget   100usd/week, notice at 80usd"));

    stage.ok("keys update my-app --name other --expires never");
    assert_eq!(stage.last("PUT").json(), json!({"name": "other", "expires_at": null}));

    let rotated = stage.ok("keys rotate other --overlap 60");
    assert_eq!(stage.last("POST").url, "/v1/api-keys/k-1/rotate");
    assert_eq!(stage.last("POST").json(), json!({"key_transition_period_ms": 3_600_000}));
    assert!(rotated.contains("tg-new-secret") && rotated.contains("until 2026-11-21 12:22"), "{rotated}");

    assert_eq!(stage.ok("keys revoke other"), "revoked other (k-1)");
    assert_eq!(stage.ok("keys list"), "no keys; make one with `tidegate keys create NAME`");
    let gone = stage.err("keys show other");
    assert_eq!(
        (gone.message.as_str(), gone.kind.exit_code()),
        ("there is no key `other`; `tidegate keys list` has them", 1)
    );
}

#[test]
fn kinds_of_keys_have_paths_of_their_own() {
    let stage = Stage::new();
    stage.ok("keys create a --user u-1");
    assert_eq!(
        (stage.last("POST").url.as_str(), &stage.last("POST").json()["user_id"]),
        ("/v1/api-keys/workspace/user", &json!("u-1"))
    );
    let made = stage.ok("keys create b --admin --scope configs.list");
    assert_eq!(stage.last("POST").url, "/v1/api-keys/organisation/service");
    assert_eq!(stage.last("POST").json(), json!({"name": "b", "scopes": ["configs.list"]}));
    assert!(!made.contains("OPENAI_BASE_URL"), "an admin key calls no models: {made}");
}

#[test]
fn a_name_of_two_keys_names_none() {
    let stage = Stage::new();
    for id in ["k-1", "k-2"] {
        stage.server.handler().put("/api-keys", json!({"id": id, "name": "twin"}));
    }
    let failure = stage.err("keys revoke twin");
    assert_eq!(failure.message, "several keys are called `twin`; name one by its id: k-1, k-2");
    assert_eq!(failure.kind.exit_code(), 2);
    assert_eq!(stage.ok("keys revoke k-2"), "revoked twin (k-2)");
}

#[test]
fn long_lists_are_read_to_their_end() {
    let stage = Stage::new();
    for n in 0..250 {
        stage
            .server
            .handler()
            .put("/api-keys", json!({"id": format!("k-{n}"), "name": format!("n{n}"), "rate_limits": null}));
    }
    assert_eq!(stage.ok("keys list").lines().count(), 251);
    let listed = stage.json("keys list");
    assert_eq!((listed["total"].as_u64(), listed["data"][249]["id"].as_str()), (Some(250), Some("k-249")));
    assert!(stage.ok("keys show n249").contains("k-249"));
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_asked() {
    for (line, problem) in [
        ("keys create a --limit 100", "`100` has no window"),
        ("keys create a --budget 5", "says neither usd nor tokens"),
        ("keys create a --alert 80%", "--budget"),
        ("keys create a --admin", "--scope"),
        ("keys rotate a --overlap 5", "30"),
        ("keys create a --expires soon", "write a day such as"),
    ] {
        let error = refused(line).unwrap_or_else(|| panic!("{line} was taken"));
        assert!(error.contains(problem), "{line}: {error}");
    }
    let stage = Stage::new();
    assert!(
        stage
            .err("keys create a --budget 5usd --alert 6usd")
            .message
            .contains("not from 1 to below the budget")
    );
    assert!(
        stage.err("keys create a --metadata team").message.contains("--metadata: `team` is not NAME=VALUE")
    );
    assert!(stage.server.requests().is_empty());
}

#[test]
fn names_of_others_cannot_move_the_cursor() {
    let stage = Stage::new();
    stage.server.handler().put("/api-keys", json!({"id": "k-1", "name": "a\u{1b}[2J"}));
    assert!(!stage.ok("keys list").contains('\u{1b}'));
}
