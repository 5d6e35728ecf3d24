//! Configs as users write them: refused with a reason and its place, or understood and planned, never more.

use serde_json::Value;
use tidegate_routing::config::{ConfigContext, Issue, PathPart, parse as parse_config};
use tidegate_routing::custom_host::HostRules;
use tidegate_routing::plan::{Defaults, Plan};

const PROVIDERS: [&str; 3] = ["openai", "anthropic", "google"];

pub fn parse(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let hosts = HostRules { trusted: vec!["localhost".to_owned()], allow_private: false };
    for provider_header in [false, true] {
        let context = ConfigContext {
            is_provider: &|id| PROVIDERS.contains(&id),
            provider_ids: &PROVIDERS,
            has_key: &|id| id == "openai",
            hosts: &hosts,
            provider_header,
        };
        match parse_config(text, &context) {
            Ok(config) => {
                drop(format!("{config:?}"));
                let plan = Plan::new(&config, Defaults::default(), None);
                assert!(
                    plan.targets().iter().all(|target| target.weight >= 0.0 && target.weight.is_finite())
                );
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                if let Ok(config) = serde_json::from_str(text) {
                    error.issues.iter().for_each(|issue| assert_place(text, &config, issue));
                }
            }
        }
    }
}

/// An issue's line and column are those of the member it names, or of the nearest one around it that is there.
fn assert_place(text: &str, config: &Value, issue: &Issue) {
    let mut member = config;
    for part in &issue.path {
        let below = match part {
            PathPart::Key(key) => member.get(key),
            PathPart::Index(index) => member.get(index),
        };
        let Some(below) = below else { break };
        member = below;
    }
    let line: usize = text.split_inclusive('\n').take(issue.line - 1).map(str::len).sum();
    let mut values =
        serde_json::Deserializer::from_str(&text[line + issue.column - 1..]).into_iter::<Value>();
    let there = values.next().and_then(Result::ok);
    assert_eq!(there.as_ref(), Some(member), "{issue}");
}
