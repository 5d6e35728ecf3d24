use super::*;
use crate::book;

struct Known(&'static str, bool);

impl Hit for Known {
    fn direct(&self) -> By {
        if self.1 { By::Alias } else { By::Exact }
    }

    fn id(&self) -> &str {
        self.0
    }
}

fn found(provider: &str, name: &str) -> String {
    let platform = Platform::of(provider);
    let look = |name: &str| book::find(&platform.provider, name).map(|entry| Known(entry.id, entry.is_alias));
    match search(&platform, name, look) {
        Some(found) => {
            let mark = if found.premium { " +10 %" } else { "" };
            let estimate = found.estimate.map(|reason| format!(" ~{}", reason.name())).unwrap_or_default();
            format!("{} {}{estimate}{mark}", found.by.name(), found.hit.0)
        }
        None => "none".to_owned(),
    }
}

#[test]
fn each_way_leads_to_its_entry() {
    for (provider, name, expected) in [
        ("openai", "gpt-4o", "exact gpt-4o"),
        ("openai", "GPT-4O", "exact gpt-4o"),
        ("anthropic", "claude-opus-4", "alias claude-opus-4-0"),
        ("openai", "@my-key/gpt-4o", "provider-prefix gpt-4o"),
        ("xai", "x_ai/grok-4", "provider-prefix grok-4"),
        ("groq", "groq/openai/gpt-oss-120b", "provider-prefix openai/gpt-oss-120b"),
        ("groq", "openai/gpt-oss-120b", "exact openai/gpt-oss-120b"),
        ("google", "models/gemini-2.5-flash", "provider-prefix gemini-2.5-flash"),
        ("openai", "models/gpt-4o", "none"),
        (
            "vertex-ai",
            "publishers/anthropic/models/claude-sonnet-4-5@20250929",
            "provider-prefix claude-sonnet-4-5@20250929",
        ),
        ("vertex-ai", "anthropic.claude-sonnet-4-5@20250929", "provider-prefix claude-sonnet-4-5@20250929"),
        ("fireworks-ai", "deepseek-v3p1", "provider-prefix accounts/fireworks/models/deepseek-v3p1"),
        ("openai", "gpt-4o-20240806", "date-form gpt-4o-2024-08-06"),
        ("anthropic", "claude-sonnet-4-5-2025-09-29", "date-form claude-sonnet-4-5-20250929"),
        ("openai", "openai/gpt-4o-20240806", "date-form gpt-4o-2024-08-06"),
        ("openrouter", "anthropic/claude-sonnet-4.5:nitro", "variant anthropic/claude-sonnet-4.5"),
        ("openrouter", "anthropic/claude-sonnet-4.5:free", "none"),
        ("openai", "gpt-4o-2031-01-01", "family gpt-4o ~family"),
        ("openai", "gpt-4o:latest", "family gpt-4o ~family"),
        ("openai", "gpt-does-not-exist", "none"),
        ("nobody", "gpt-4o", "none"),
        ("openai", "", "none"),
        ("openai", "@", "none"),
        ("openai", "@x/", "none"),
        ("openai", "-2024-01-01", "none"),
        ("openai", "é-2024-01-01", "none"),
    ] {
        assert_eq!(found(provider, name), expected, "{provider} {name}");
    }
}

#[test]
fn fine_tunes_take_fine_tunes_prices_only() {
    for (provider, name, expected) in [
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc123", "fine-tune ft:gpt-4o-mini-2024-07-18"),
        ("openai", "FT:gpt-4o-mini:acme:support:id9", "fine-tune ft:gpt-4o-mini"),
        ("openai", "ft:gpt-4o-mini-2031-01-01:acme::z", "fine-tune ft:gpt-4o-mini ~fine-tune-family"),
        ("openai", "ft:gpt-9:acme::abc", "none"),
        ("openai", "ft:gpt-5:acme::abc", "none"),
        ("openai", "ft:", "none"),
        ("openai", "ft:-2024-01-01", "none"),
        ("azure-openai", "gpt-4o-2024-08-06.ft-0a1b2c", "fine-tune gpt-4o-2024-08-06.ft"),
        ("azure-openai", "gpt-9.ft-0a1b2c", "none"),
    ] {
        assert_eq!(found(provider, name), expected, "{provider} {name}");
    }
}

#[test]
fn profiles_of_a_region_lead_to_their_model() {
    let model = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    for (name, expected) in [
        (format!("us.{model}"), format!("exact us.{model}")),
        (
            format!("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{model}"),
            format!("arn us.{model}"),
        ),
        (format!("arn:aws:bedrock:us-east-1::foundation-model/{model}"), format!("arn {model}")),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc".to_owned(), "none".to_owned()),
        ("arn:aws:bedrock:us-east-1:1:provisioned-model/abc".to_owned(), "none".to_owned()),
        (format!("ca.{model}"), format!("geo-prefix {model} ~geo-prefix +10 %")),
        ("au.amazon.nova-lite-v1:0".to_owned(), "geo-prefix amazon.nova-lite-v1:0 ~geo-prefix".to_owned()),
        (
            // The bare name is an alias of an entry whose price has the surcharge in it.
            "ca.anthropic.claude-opus-5-5".to_owned(),
            "geo-prefix regional.anthropic.claude-opus-5-5 ~geo-prefix".to_owned(),
        ),
        ("xx.amazon.nova-lite-v1:0".to_owned(), "none".to_owned()),
    ] {
        assert_eq!(found("bedrock", &name), expected, "{name}");
    }
}

#[test]
fn the_surcharge_begins_with_claude_4_5() {
    for (name, expected) in [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", true),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", true),
        ("anthropic.claude-opus-5-v1", true),
        ("anthropic.claude-fable-5-1-v1:0", true),
        ("anthropic.claude-opus-4-1-20250805-v1:0", false),
        ("anthropic.claude-sonnet-4-20250514-v1:0", false),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", false),
        ("anthropic.claude-v2:1", false),
        ("anthropic.claude-", false),
        ("amazon.nova-lite-v1:0", false),
    ] {
        assert_eq!(rewrite::has_regional_surcharge(name), expected, "{name}");
    }
}

#[test]
fn one_tail_is_dropped() {
    for (name, expected) in [
        ("gpt-4o-2024-08-06", Some("gpt-4o")),
        ("claude-x-20250929", Some("claude-x")),
        ("claude-x@20250929", Some("claude-x")),
        ("claude-x@default", Some("claude-x")),
        ("gemini-preview-09-2025", Some("gemini-preview")),
        ("doubao-250715", Some("doubao")),
        ("mistral-large-2512", Some("mistral-large")),
        ("gemini-preview-05-20", Some("gemini-preview")),
        ("gemini-2.0-flash-001", Some("gemini-2.0-flash")),
        ("gemini-2.0-flash-LATEST", Some("gemini-2.0-flash")),
        ("llama3:latest", Some("llama3")),
        ("x-2024-01-01-latest", Some("x-2024-01-01")),
        ("gpt-4o", None),
        ("llama-70b", None),
        ("-latest", None),
        ("20240101", None),
    ] {
        assert_eq!(without_tail(name), expected, "{name}");
    }
}
