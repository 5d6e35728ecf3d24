//! Which gateway, with which key, in which workspace; and what is said when that does not work.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use tidegate_testkit::refused_port;
use tidegate_testkit::tls::{Flaw, Identity};

use crate::fake::Fake;
use crate::stage::{ADMIN_KEY, Stage};

#[test]
fn the_key_is_found_in_the_data_directory() {
    let mut stage = Stage::new();
    stage.env.clear();
    let missing = stage.err("keys list");
    assert_eq!(missing.kind.exit_code(), 5);
    assert!(
        missing.message.contains("TIDEGATE_ADMIN_KEY is not set and there is no")
            && missing.message.contains("--data-dir"),
        "{missing}"
    );

    let file = stage.scratch.write("admin.key", format!("{ADMIN_KEY}\n"));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let open = stage.err("keys list");
    assert!(open.message.contains("its mode is 644") && open.message.contains("chmod 600"), "{open}");
    assert!(!open.message.contains(ADMIN_KEY));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    stage.ok("keys list");

    // What is named wins over the environment, the environment over the file.
    stage.env.insert("TIDEGATE_ADMIN_KEY".to_owned(), "tg-other".to_owned());
    assert!(stage.err("keys list").message.contains("The key in TIDEGATE_ADMIN_KEY is not one that"));
    stage.ok(&format!("keys list --admin-key-file {}", file.display()));
    stage.typed = ADMIN_KEY.to_owned();
    stage.ok("keys list --admin-key-file -");
    let twice = stage.err("providers add openai --admin-key-file -");
    assert!(twice.message.contains("standard input has the admin key"), "{twice}");
}

#[test]
fn a_gateway_that_does_not_run_is_told_from_one_that_refuses() {
    let mut stage = Stage::new();
    let failure = stage.err(&format!("keys list --url {}", refused_port()));
    assert_eq!(failure.kind.exit_code(), 4);
    assert!(failure.message.contains("Is the gateway running? Start it with `tidegate serve`"), "{failure}");

    stage.env.insert("TIDEGATE_ADMIN_KEY".to_owned(), "tg-wrong".to_owned());
    let failure = stage.err("keys list");
    assert_eq!(failure.kind.exit_code(), 5);
    assert!(
        failure.message.contains("401 AB05: Unauthorized") && !failure.message.contains("tg-wrong"),
        "{failure}"
    );
    stage.env.insert("TIDEGATE_ADMIN_KEY".to_owned(), "tg\u{1}x".to_owned());
    assert!(stage.err("keys list").message.contains("has characters that no key has"));
}

#[test]
fn what_the_gateway_says_is_passed_on() {
    let stage = Stage::new();
    stage.server.handler().always(403, r#"{"message": "no", "data": {"missing_scope": "configs.list"}}"#);
    let failure = stage.err("configs list --workspace w");
    assert_eq!(failure.kind.exit_code(), 1);
    assert!(
        failure.message.starts_with("GET /v1/configs was refused: 403: no\nMissing scope: configs.list\n"),
        "{failure}"
    );
    stage.server.handler().always(200, "[]");
    assert!(stage.err("configs list --workspace w").message.contains("has another shape than expected"));
    stage.server.handler().always(404, "<html>");
    assert!(stage.err("configs list --workspace w").message.contains("Is a Tidegate with an admin API at"));
    stage.server.handler().always(501, r#"{"message": "not served yet"}"#);
    assert!(stage.err("configs list --workspace w").message.contains("501: not served yet"));
}

#[test]
fn the_address_comes_from_the_argument_then_the_environment_then_the_settings() {
    let mut stage = Stage::new();
    let url = stage.server.url();
    stage.env.insert("TIDEGATE_URL".to_owned(), "http://127.0.0.1:1".to_owned());
    assert_eq!(stage.err("keys list").kind.exit_code(), 4);
    stage.ok(&format!("keys list --url {url}/v1/"));
    stage.env.insert("TIDEGATE_URL".to_owned(), format!("{url}/v1"));
    stage.ok("keys list");
    // A password in an address would be in the list of processes.
    let failure = stage.err("keys list --url http://a:secret@b");
    assert!(failure.message.starts_with("--url: ") && !failure.message.contains("secret"), "{failure}");
}

#[test]
fn the_workspace_is_named_or_the_default_one() {
    let mut stage = Stage::new();
    let workspace = |stage: &Stage| stage.last("GET").query("workspace_id");
    stage.ok("configs list");
    assert_eq!(workspace(&stage).as_deref(), Some("ws-default"));
    for (slug, default) in [("ws-a", false), ("ws-b", true)] {
        stage
            .server
            .handler()
            .put("/admin/workspaces", json!({"id": slug, "slug": slug, "is_default": default}));
    }
    stage.ok("configs list");
    assert_eq!(workspace(&stage).as_deref(), Some("ws-b"));
    stage.env.insert("TIDEGATE_WORKSPACE".to_owned(), "ws-a".to_owned());
    stage.ok("configs list");
    assert_eq!(workspace(&stage).as_deref(), Some("ws-a"));
    stage.ok("configs list --workspace ws-c");
    assert_eq!(workspace(&stage).as_deref(), Some("ws-c"));
}

#[test]
fn several_workspaces_without_a_default_are_named() {
    let stage = Stage::new();
    for slug in ["ws-a", "ws-b"] {
        stage.server.handler().put("/admin/workspaces", json!({"id": slug, "slug": slug}));
    }
    let failure = stage.err("configs list");
    assert_eq!(failure.message, "there are several workspaces; say which with --workspace: ws-a, ws-b");
    assert_eq!(failure.kind.exit_code(), 2);
}

#[test]
fn https_is_spoken_with_a_certificate_that_is_trusted() {
    let identity = Identity::new(Flaw::Untrusted);
    let mut stage = Stage::with(Fake::default(), Some(&identity));
    let line = format!("keys list --url {}", stage.server.url());
    let failure = stage.err(&line);
    assert_eq!(failure.kind.exit_code(), 4);
    assert!(failure.message.contains("egress.extra_ca_file"), "{failure}");
    stage.ca = Some(identity.certificate_pem.into_bytes());
    assert!(stage.ok(&line).starts_with("no keys"));
}
