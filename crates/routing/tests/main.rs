//! Configs of the past, kept as files: each must mean tomorrow what it means today.
//!
//! A fixture holds a `config` and either the `errors` it is refused with, or the `plan` it makes (path and provider of every
//! target, `-` for none) and its `notes`. `provider_header`: the request names a provider by header.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
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

fn meaning(fixture: &Fixture) -> (Vec<String>, Vec<String>, Vec<String>) {
    let hosts = HostRules::default();
    let context = ConfigContext {
        is_provider: &|name| PROVIDERS.contains(&name),
        provider_ids: &PROVIDERS,
        has_key: &|_| false,
        hosts: &hosts,
        provider_header: fixture.provider_header,
    };
    match config::parse(&fixture.config.to_string(), &context) {
        Err(error) => (Vec::new(), Vec::new(), error.errors()),
        Ok(config) => {
            let plan = Plan::new(&config);
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
