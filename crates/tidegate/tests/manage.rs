//! The commands beyond `serve`, as a process: what stands where, and the exit codes that scripts go by.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_testkit::client;
use tidegate_testkit::{Handler, Reply, Scratch, Seen, Server, refused_port};

use crate::stage::{Tidegate, binary};

/// The command in an empty directory, with an environment of exactly this and `input` on standard input.
fn tidegate(scratch: &Scratch, arguments: &[&str], env: &[(&str, &str)], input: &str) -> Output {
    let mut process = Command::new(binary())
        .args(arguments)
        .current_dir(scratch.path())
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may be gone.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Enough of the admin API to keep a key.
struct Admin;

impl Handler for Admin {
    fn answer(&self, request: &Seen) -> Reply {
        match (request.method.as_str(), request.path()) {
            ("GET", "/v1/admin/workspaces") => {
                Reply::json(200, &json!({"total": 1, "data": [{"id": "w", "slug": "ws-default"}]}))
            }
            ("POST", "/v1/integrations") => Reply::json(200, &json!({"id": "i", "slug": "openai-1"})),
            ("GET", "/v1/providers") => Reply::json(200, &json!({"data": []})),
            _ => Reply::json(401, &json!({"message": "Unauthorized"})),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_key_is_read_from_standard_input_and_shown_nowhere() {
    let (server, scratch) = (Server::start(Admin).await, Scratch::new());
    let (url, env) = (server.url(), [("TIDEGATE_ADMIN_KEY", "tg-admin")]);
    let arguments = ["providers", "add", "openai", "--url", &url];
    let output = tokio::task::block_in_place(|| tidegate(&scratch, &arguments, &env, "sk-piped\n"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let asked = server.requests().into_iter().find(|seen| seen.method == "POST").unwrap();
    assert_eq!(asked.json()["key"], "sk-piped");
    assert_eq!(asked.header("x-portkey-api-key"), Some("tg-admin"));
    assert!(!(text(&output.stdout) + &text(&output.stderr)).contains("sk-piped"));

    let refused =
        tokio::task::block_in_place(|| tidegate(&scratch, &["keys", "list", "--url", &url], &env, ""));
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(5), 0), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).starts_with("tidegate: GET /v1/api-keys was refused: 401: Unauthorized\n"));
}

#[test]
fn exit_codes_tell_what_is_wrong() {
    let scratch = Scratch::new();
    let key = [("TIDEGATE_ADMIN_KEY", "tg-admin")];
    let url = refused_port();
    for (arguments, env, code, said) in [
        (&["keys", "list", "--url", &url][..], &key[..], 4, "Is the gateway running?"),
        (&["keys", "list"], &[], 5, "no admin key"),
        (&["keys", "list", "--url", "x"], &key, 2, "--url: "),
        (&["keys", "create"], &key, 2, "<NAME>"),
        (&["keys", "create", "a", "--limit", "fast"], &key, 2, "does not begin with a count"),
        (&["ledger", "verify", "--data-dir", "."], &[], 1, "there is no ./ledger"),
        (&["keys", "list"], &[("TIDEGATE_PORT", "x")], 1, "server.port"),
    ] {
        let output = tidegate(&scratch, arguments, env, "");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_gateway_is_looked_for_where_the_settings_have_it() {
    let scratch = Scratch::new();
    let port = refused_port().rsplit(':').next().unwrap().to_owned();
    scratch.write("tidegate.toml", format!("[server]\nhost = \"0.0.0.0\"\nport = {port}\n"));
    let output = tidegate(&scratch, &["keys", "list"], &[("TIDEGATE_ADMIN_KEY", "tg")], "");
    assert!(text(&output.stderr).contains(&format!("http://127.0.0.1:{port}")), "{}", text(&output.stderr));
}

/// From nothing to a limited key that works, without a file: the key of the first start is found by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_gateway_hands_out_a_limited_key() {
    let gateway = Tidegate::start().await;
    let data = gateway.directory.path().display().to_string();
    let scratch = Scratch::new();
    let url = gateway.url("");
    let run = |line: &str| {
        let mut arguments: Vec<&str> = line.split(' ').collect();
        arguments.extend(["--data-dir", &data, "--url", &url]);
        let output = tokio::task::block_in_place(|| tidegate(&scratch, &arguments, &[], ""));
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let made = run("keys create my-app --limit 2/minute --budget 5usd/month --alert 80%");
    let exported = |name: &str| {
        let line = made.lines().find_map(|line| line.trim().strip_prefix(&format!("export {name}=")));
        line.unwrap_or_else(|| panic!("{made}")).to_owned()
    };
    let (base, key) = (exported("OPENAI_BASE_URL"), format!("Bearer {}", exported("OPENAI_API_KEY")));
    let body = json!({"model": "@demo/echo", "messages": [{"role": "user", "content": "Hello!"}]});
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let answer =
            client::post(&format!("{base}/chat/completions"), &[("authorization", &key)], &body).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 429]);

    assert!(run("keys list").contains("2/minute  5usd/month"));
    assert!(run("keys show my-app").contains("notice at 4usd"));
    assert!(run("audit list").contains("/v1/api-keys/workspace/service"));
    assert!(run("workspaces list").contains("ws-default"));
    run("limits set key my-app 100/minute");
    assert!(run("keys list").contains("100/minute"));

    // What the demo model said it used is what the budget has used.
    let made = run("keys create counted --budget 100000tokens/day");
    let line = made.lines().find_map(|line| line.trim().strip_prefix("export OPENAI_API_KEY=")).unwrap();
    let counted = format!("Bearer {line}");
    let answer =
        client::post(&format!("{base}/chat/completions"), &[("authorization", &counted)], &body).await;
    let used = format!("{}tokens", answer.json()["usage"]["total_tokens"].as_u64().unwrap());
    // An answer is settled when its last byte is gone, which its reader may be ahead of.
    let late = Instant::now() + Duration::from_secs(120);
    let listed = loop {
        let list = run("budgets list");
        let row = list.lines().find(|line| line.contains("counted")).unwrap_or_else(|| panic!("{list}"));
        let listed = row.split_whitespace().nth(3).map(str::to_owned);
        if listed.as_deref() != Some("0tokens") || Instant::now() > late {
            break listed;
        }
    };
    assert_eq!(listed.as_deref(), Some(used.as_str()));
    assert!(run("budgets show key counted").contains(&used));

    run("keys revoke my-app");
    let answer = client::post(&format!("{base}/chat/completions"), &[("authorization", &key)], &body).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_keeps_is_proven_and_copied_while_it_serves() {
    let gateway = Tidegate::start().await;
    let data = gateway.directory.path().display().to_string();
    let scratch = Scratch::new();
    for (arguments, said) in [
        (["audit", "verify"], "the audit log is whole"),
        (["ledger", "verify"], "the books balance"),
        (["backup", "copy.db"], "copied"),
    ] {
        let arguments = [&arguments[..], &["--data-dir", &data]].concat();
        let output = tokio::task::block_in_place(|| tidegate(&scratch, &arguments, &[], ""));
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        assert!(text(&output.stdout).starts_with(said), "{}", text(&output.stdout));
    }
    let arguments = ["restore", "copy.db", "--data-dir", &data];
    let output = tokio::task::block_in_place(|| tidegate(&scratch, &arguments, &[], ""));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("stop tidegate first"), "{}", text(&output.stderr));
}
