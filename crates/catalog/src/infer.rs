//! Which provider a model's name means, when the request names none.
//!
//! Only what a name says by itself: `@provider/model`, `provider/model`, or a family that one vendor makes
//! (`claude-…`). Names that several hosts serve (`llama-…`, `gpt-oss-…`) say nothing.

use crate::catalog;
use crate::provider::Provider;

/// What a model's name says about its provider.
#[derive(Debug, Clone, Copy)]
pub enum Inference<'m> {
    /// `@p/model` or `p/model`, and `model` as the provider knows it.
    Explicit {
        provider: &'static Provider,
        model: &'m str,
    },
    /// `@slug/model` where the catalogue has no `slug`; the operator's settings may.
    Slug {
        slug: &'m str,
        model: &'m str,
    },
    /// The family is one vendor's own.
    ByName(&'static Provider),
    Unknown,
}

/// Reads a model's name.
pub fn infer(model: &str) -> Inference<'_> {
    if let Some((slug, rest)) = model.strip_prefix('@').and_then(|name| name.split_once('/')) {
        return match catalog().get(slug) {
            Some(provider) => Inference::Explicit { provider, model: rest },
            None => Inference::Slug { slug, model: rest },
        };
    }
    if let Some((name, rest)) = model.split_once('/')
        && let Some(provider) = catalog().get(name)
        && !rest.is_empty()
    {
        return Inference::Explicit { provider, model: rest };
    }
    match family(model).and_then(|id| catalog().get(id)) {
        Some(provider) => Inference::ByName(provider),
        None => Inference::Unknown,
    }
}

/// The longest prefix that ends at the end of a word wins. An empty id means that several hosts serve the family.
fn family(model: &str) -> Option<&'static str> {
    let fits = |(prefix, _): &&(&str, &str)| {
        let ends_word = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        model.strip_prefix(prefix).is_some_and(|rest| prefix.ends_with(['-', ':']) || ends_word(rest))
    };
    FAMILIES.iter().filter(fits).max_by_key(|(prefix, _)| prefix.len()).map(|(_, id)| *id)
}

const FAMILIES: &[(&str, &str)] = &[
    ("babbage-002", "openai"),
    ("c4ai-aya-", "cohere"),
    ("chatgpt-", "openai"),
    ("claude-", "anthropic"),
    ("codestral-", "mistral-ai"),
    ("codex-mini", "openai"),
    ("command", "cohere"),
    ("computer-use-preview", "openai"),
    ("dall-e-", "openai"),
    ("davinci-002", "openai"),
    ("deepseek-", "deepseek"),
    ("devstral-", "mistral-ai"),
    ("embed-english-", "cohere"),
    ("embed-multilingual-", "cohere"),
    ("embed-v4", "cohere"),
    ("ft:", "openai"),
    ("gemini-", "google"),
    ("glm-", "z-ai"),
    ("gpt-", "openai"),
    ("gpt-oss", ""),
    ("grok-", "x-ai"),
    ("imagen-", "google"),
    ("jamba-", "ai21"),
    ("jina-", "jina"),
    ("kimi-", "moonshot"),
    ("magistral-", "mistral-ai"),
    ("mercury", "inception"),
    ("ministral-", "mistral-ai"),
    ("mistral-", "mistral-ai"),
    ("moonshot-v1", "moonshot"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("omni-moderation", "openai"),
    ("open-mistral-", "mistral-ai"),
    ("open-mixtral-", "mistral-ai"),
    ("pixtral-", "mistral-ai"),
    ("qwen-", "dashscope"),
    ("reka-", "reka-ai"),
    ("rerank-", "cohere"),
    ("solar-", "upstage"),
    ("sonar", "perplexity-ai"),
    ("sora-", "openai"),
    ("text-embedding-004", "google"),
    ("text-embedding-005", "google"),
    ("text-embedding-3-", "openai"),
    ("text-embedding-ada-", "openai"),
    ("text-moderation-", "openai"),
    ("tts-1", "openai"),
    ("v0-", "v0"),
    ("veo-", "google"),
    ("voxtral-", "mistral-ai"),
    ("voyage-", "voyage"),
    ("whisper-1", "openai"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// As `provider` or `provider model`; `?` for unknown.
    fn said(model: &str) -> String {
        match infer(model) {
            Inference::Explicit { provider, model } => format!("{} {model}", provider.id),
            Inference::Slug { slug, model } => format!("@{slug} {model}"),
            Inference::ByName(provider) => provider.id.to_owned(),
            Inference::Unknown => "?".to_owned(),
        }
    }

    #[test]
    fn names_say_their_provider() {
        let cases = [
            ("@openai/gpt-4o", "openai gpt-4o"),
            ("@my-team/gpt-4o", "@my-team gpt-4o"),
            ("@openrouter/anthropic/claude-3", "openrouter anthropic/claude-3"),
            ("anthropic/claude-3", "anthropic claude-3"),
            ("gemini/gemini-2.0", "google gemini-2.0"),
            ("nobody/llama-3", "?"),
            ("openai/", "?"),
            ("gpt-4o", "openai"),
            ("gpt-oss-120b", "?"),
            ("o3", "openai"),
            ("ft:gpt-4o:org::id", "openai"),
            ("text-embedding-3-small", "openai"),
            ("text-embedding-005", "google"),
            ("claude-sonnet-4-5", "anthropic"),
            ("gemini-2.5-pro", "google"),
            ("command-r", "cohere"),
            ("mistral-large-latest", "mistral-ai"),
            ("deepseek-chat", "deepseek"),
            ("grok-4", "x-ai"),
            ("sonar", "perplexity-ai"),
            ("sonar-pro", "perplexity-ai"),
            ("sonarqube", "?"),
            ("o3de", "?"),
            ("o4-mini", "openai"),
            ("gpt-4o-mini", "openai"),
            ("embed-v4.0", "cohere"),
            ("llama-3.3-70b", "?"),
            ("", "?"),
        ];
        for (model, expected) in cases {
            assert_eq!(said(model), expected, "{model}");
        }
    }

    #[test]
    fn families_are_sorted_and_their_providers_exist() {
        assert!(FAMILIES.is_sorted_by_key(|(prefix, _)| prefix));
        for (prefix, id) in FAMILIES {
            assert!(
                id.is_empty() || catalog().get(id).is_some_and(|provider| provider.id == *id),
                "{prefix}"
            );
        }
    }
}
