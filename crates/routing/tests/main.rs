//! Configs of the past, kept as files: each must mean tomorrow what it means today.
//!
//! A fixture holds a `config` and either the `errors` it is refused with, or the `plan` it makes (path and
//! provider of every target, `-` for none) and its `notes`. `provider_header`: the request names a provider
//! by header.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_routing::plan::Defaults;
use tidegate_routing::{ConfigContext, HostRules, Plan, config};

const PROVIDERS: [&str; 7] =
    ["anthropic", "azure-openai", "bedrock", "google", "openai", "vertex-ai", "@my-anthropic"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    provider_header: bool,
    config: Value,
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    plan: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
}

#[test]
fn fixtures_mean_what_they_always_meant() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 25, "the fixtures are there");
    for (name, fixture) in fixtures {
        let (plan, notes, errors) = meaning(&fixture);
        assert_eq!(errors, fixture.errors, "{name}: errors");
        assert_eq!(plan, fixture.plan, "{name}: plan");
        assert_eq!(notes, fixture.notes, "{name}: notes");
    }
}

/// Every value of every fixture replaced by one of another kind: refused with a place in the text, or a plan,
/// never a panic.
#[test]
fn damaged_fixtures_are_refused_or_understood() {
    let kinds = [
        Value::Null,
        Value::from(-1.5),
        Value::from("x"),
        Value::from(true),
        json!([]),
        json!({}),
        json!([{}]),
    ];
    for (name, fixture) in fixtures() {
        for place in 0..count(&fixture.config) {
            for kind in &kinds {
                let mut config = fixture.config.clone();
                replace(&mut config, &mut { place }, kind);
                let text = config.to_string();
                let parsed = with_context(true, |context| {
                    config::parse(&text, context).map(|config| Plan::new(&config, Defaults::default(), None))
                });
                if let Err(error) = parsed {
                    let placed =
                        error.issues.iter().all(|issue| issue.line == 1 && issue.column <= text.len());
                    assert!(placed, "{name}: {text}: {error}");
                }
            }
        }
    }
}

/// Values inside a value, itself included.
fn count(value: &Value) -> usize {
    let below: usize = match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    };
    below + 1
}

/// Replaces the value that is number `place` in the order of the text.
fn replace(value: &mut Value, place: &mut usize, by: &Value) -> bool {
    if *place == 0 {
        *value = by.clone();
        return true;
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, place, by)),
        Value::Object(members) => members.values_mut().any(|member| replace(member, place, by)),
        _ => false,
    }
}

fn meaning(fixture: &Fixture) -> (Vec<String>, Vec<String>, Vec<String>) {
    let text = fixture.config.to_string();
    match with_context(fixture.provider_header, |context| {
        config::parse(&text, context).map(|config| (Plan::new(&config, Defaults::default(), None), config))
    }) {
        Err(error) => (Vec::new(), Vec::new(), error.errors()),
        Ok((plan, config)) => {
            let provider =
                |provider: &str| if provider.is_empty() { "-".to_owned() } else { provider.to_owned() };
            let targets = plan
                .targets()
                .iter()
                .map(|target| format!("{} {}", target.path, provider(&target.provider)))
                .collect();
            (targets, config.notes().iter().map(ToString::to_string).collect(), Vec::new())
        }
    }
}

fn with_context<T>(provider_header: bool, act: impl FnOnce(&ConfigContext<'_>) -> T) -> T {
    let hosts = HostRules::default();
    act(&ConfigContext {
        is_provider: &|name| PROVIDERS.contains(&name),
        provider_ids: &PROVIDERS,
        has_key: &|_| false,
        hosts: &hosts,
        provider_header,
    })
}

fn fixtures() -> Vec<(String, Fixture)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut fixtures = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let fixture =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        fixtures.push((path.display().to_string(), fixture));
    }
    fixtures
}
