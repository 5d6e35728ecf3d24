//! Configs as users write them: refused with a reason or understood, never more.

use tidegate_routing::config::{ConfigContext, parse as parse_config};
use tidegate_routing::custom_host::HostRules;

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
            Ok(config) => drop(format!("{config:?}")),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}
