//! Facts about models that requests need: how long an answer may get, how much fits in, what it costs on average.
//!
//! The file is large, so a provider's part of it is read when one of its models is first asked for. Prices for billing are not here.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

use crate::catalog;

/// What is known of a model at one provider; absent means unknown, never unlimited or free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "(u64, u64, Option<u64>)")]
pub struct ModelFacts {
    /// Tokens, input and output together where the provider counts so.
    pub context_window: Option<u64>,
    pub max_output_tokens: Option<u64>,
    /// Price of a million tokens in nano-USD (10⁻⁹ USD), three of input to one of output; input alone where there is
    /// no output to pay for. For comparing models, not for bills.
    pub blended_nano_usd: Option<u64>,
}

/// What is known of `model` at `provider` (its id or an alias). The name may carry the provider (`@openai/gpt-4o`,
/// `openai/gpt-4o`), a date or another case; an exact name wins.
pub fn model(provider: &str, model: &str) -> Option<&'static ModelFacts> {
    let provider = catalog().get(provider)?;
    let models = &OUTLINE.get(provider.id)?.contents().by_name;
    let name = lower(model);
    let own = own_name(&name, provider.id, &provider.aliases);
    let candidates = [name.as_ref(), own, without_geography(own), without_date(own)];
    candidates.iter().find_map(|name| models.get(*name))
}

/// The models of a provider (its id or an alias) of which anything is known, sorted, as its API spells them.
pub fn models_of(provider: &str) -> &'static [&'static str] {
    let chapter = catalog().get(provider).and_then(|provider| OUTLINE.get(provider.id));
    chapter.map_or(&[], |chapter| &chapter.contents().ids)
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

static OUTLINE: LazyLock<HashMap<&'static str, Chapter>> = LazyLock::new(|| {
    MODELS.iter().map(|packed| (packed.name(), Chapter { packed, contents: OnceLock::new() })).collect()
});

/// The models of one provider, read when first needed.
struct Chapter {
    packed: &'static tidegate_packed::Chapter,
    contents: OnceLock<Contents>,
}

struct Contents {
    ids: Vec<&'static str>,
    /// Ids and aliases in lower case.
    by_name: HashMap<Cow<'static, str>, ModelFacts>,
}

/// A chapter as written.
#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct Written {
    models: BTreeMap<&'static str, ModelFacts>,
    #[serde(default)]
    aliases: BTreeMap<&'static str, &'static str>,
}

impl Chapter {
    fn contents(&self) -> &Contents {
        self.contents.get_or_init(|| Contents::new(self.written()))
    }

    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program, and the tests read every chapter"
    )]
    fn written(&self) -> Written {
        serde_json::from_str(self.packed.text()).expect("data/models.json")
    }
}

impl Contents {
    fn new(written: Written) -> Self {
        let aliases =
            written.aliases.iter().filter_map(|(alias, id)| Some((*alias, *written.models.get(id)?)));
        let by_name = written.models.iter().map(|(id, facts)| (*id, *facts)).chain(aliases);
        Self {
            by_name: by_name.map(|(name, facts)| (lower(name), facts)).collect(),
            ids: written.models.into_keys().collect(),
        }
    }
}

impl From<(u64, u64, Option<u64>)> for ModelFacts {
    /// As the file has them: zero tokens stand for unknown.
    fn from((context, output, blended_nano_usd): (u64, u64, Option<u64>)) -> Self {
        let known = |tokens| Some(tokens).filter(|tokens| *tokens > 0);
        Self { context_window: known(context), max_output_tokens: known(output), blended_nano_usd }
    }
}

/// Names are compared without case.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// `@slug/model` and `provider/model` lose what is before the slash, if it is this provider.
fn own_name<'n>(name: &'n str, id: &str, aliases: &[&str]) -> &'n str {
    let Some((first, rest)) = name.split_once('/') else { return name };
    let is_provider = first.starts_with('@') || first == id || first == "models" || aliases.contains(&first);
    if is_provider { rest } else { name }
}

/// Bedrock's inference profiles: `us.anthropic.claude-…` has the limits of `anthropic.claude-…`.
fn without_geography(name: &str) -> &str {
    const PLACES: [&str; 8] = ["us.", "eu.", "apac.", "au.", "jp.", "ca.", "us-gov.", "global."];
    PLACES.iter().find_map(|place| name.strip_prefix(place)).unwrap_or(name)
}

/// `gpt-4o-2024-08-06`, `claude-sonnet-4-5-20250929`, `…@20250929` and `…-latest` lose their tail.
fn without_date(name: &str) -> &str {
    if let Some(rest) = name.strip_suffix("-latest") {
        return rest;
    }
    let digits = |text: &str, len: usize| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((rest, tail)) = name.rsplit_once(['-', '@'])
        && digits(tail, 8)
    {
        return rest;
    }
    let Some((rest, day)) = name.rsplit_once('-') else { return name };
    let Some((rest, month)) = rest.rsplit_once('-') else { return name };
    let Some((rest, year)) = rest.rsplit_once('-') else { return name };
    if digits(day, 2) && digits(month, 2) && digits(year, 4) { rest } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chapter_is_readable_and_of_a_provider() {
        assert!(OUTLINE.len() > 50, "{}", OUTLINE.len());
        for (id, chapter) in OUTLINE.iter() {
            assert_eq!(catalog().get(id).map(|provider| provider.id), Some(*id));
            let written = chapter.written();
            let unknown =
                ModelFacts { context_window: None, max_output_tokens: None, blended_nano_usd: None };
            assert!(written.models.values().all(|facts| *facts != unknown), "{id}");
            for (alias, of) in &written.aliases {
                assert!(
                    written.models.contains_key(of) && !written.models.contains_key(alias),
                    "{id} {alias}"
                );
            }
            let names = written.models.len() + written.aliases.len();
            assert_eq!(chapter.contents().by_name.len(), names, "{id}: unique without case");
        }
    }

    #[test]
    fn models_are_listed_as_they_are_spelled() {
        assert!(models_of("openai").contains(&"gpt-4o"));
        assert!(models_of("together").contains(&"meta-llama/Llama-3.3-70B-Instruct-Turbo"));
        assert!(models_of("openai").is_sorted());
        assert!(models_of("nobody").is_empty());
    }

    #[test]
    fn names_are_found_in_their_many_forms() {
        let output = |provider, name| model(provider, name).and_then(|facts| facts.max_output_tokens);
        for name in
            ["claude-sonnet-4-5", "Claude-Sonnet-4-5", "@x/claude-sonnet-4-5", "claude/claude-sonnet-4-5"]
        {
            assert_eq!(output("anthropic", name), Some(64_000), "{name}");
        }
        assert_eq!(output("openai", "gpt-4o-1999-01-01"), Some(16_384), "an unknown date");
        assert_eq!(output("openai", "gpt-4o-latest"), Some(16_384));
        assert_eq!(output("bedrock", "xx.anthropic.claude"), None);
        assert_eq!(output("nobody", "gpt-4o"), None);
        assert_eq!(output("openai", "gpt-4o/"), None);
    }

    #[test]
    fn prices_are_three_parts_input_and_one_output() {
        let facts = model("openai", "gpt-4o").unwrap();
        // 2.50 and 10.00 USD a million tokens.
        assert_eq!(facts.blended_nano_usd, Some(4_375_000_000));
        assert_eq!(facts.context_window, Some(128_000));
    }
}
