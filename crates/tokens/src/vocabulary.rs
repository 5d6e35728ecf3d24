//! Text to tokens.

use std::panic::catch_unwind;

use crate::packed::words;

/// Which vocabulary counts a model's text, and how its own compares to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    pub vocabulary: Vocabulary,
    /// Tokens of the model for 100 of the vocabulary.
    pub percent: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Of gpt-4o and all later models of OpenAI's.
    O200k,
    /// Of gpt-4, gpt-3.5 and the embeddings.
    Cl100k,
}

/// OpenAI's older models, by what their names begin with.
const CL100K: [&str; 5] = ["gpt-4-", "gpt-3.5", "gpt-35", "text-embedding-3", "text-embedding-ada"];

/// Models of others, by a word of their names: vocabularies that cut English text and code finer than `o200k` does.
/// Rough figures: they differ between languages by more than between versions.
const FINER: [(&str, u64); 5] =
    [("claude", 120), ("llama-2", 120), ("mixtral", 120), ("mistral", 115), ("command", 110)];

/// For models of whose vocabulary nothing is known.
const OTHERS: u64 = 105;

/// OpenAI's own, by what their names begin with.
const O200K: [&str; 7] = ["gpt-", "chatgpt-", "o1", "o3", "o4", "codex", "computer-use"];

impl Measure {
    /// For a model, however it is addressed: `openai/gpt-4o`, `@europe/gpt-4o`, `us.anthropic.claude-...`.
    pub fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
        let begins = |with: &[&str]| with.iter().any(|with| name.starts_with(with));
        if name == "gpt-4" || begins(&CL100K) {
            return Self { vocabulary: Vocabulary::Cl100k, percent: 100 };
        }
        let finer = FINER.iter().find(|(word, _)| name.contains(word)).map(|(_, percent)| *percent);
        let percent = if begins(&O200K) { 100 } else { finer.unwrap_or(OTHERS) };
        Self { vocabulary: Vocabulary::O200k, percent }
    }
}

/// Tokens of `text` for `model`. `None` when the text cannot be counted.
pub fn count(model: &str, text: &str) -> Option<u64> {
    /// Long texts are counted in parts, so that no text makes the cutting of words take unreasonably long.
    const PART: usize = 8 * 1024;
    if text.is_empty() {
        return Some(0);
    }
    let Measure { vocabulary, percent } = Measure::of(model);
    // The cutting of words gives up on some texts by panicking.
    let tokens = catch_unwind(|| {
        let words = words(vocabulary)?;
        Some(parts(text, PART).map(|part| words.count_ordinary(part) as u64).sum::<u64>())
    });
    Some((tokens.ok()?? * percent).div_ceil(100))
}

/// The text in parts of at most `most` bytes (and one character), cut in front of a blank where there is one.
fn parts(text: &str, most: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = rest.len();
        if end > most {
            end = (most..=end).find(|at| rest.is_char_boundary(*at)).unwrap_or(end);
            end = rest[..end].rfind(' ').filter(|blank| *blank > 0).unwrap_or(end);
        }
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openais_models_count_as_openai_does() {
        // From OpenAI's own tokenizer.
        for (model, text, tokens) in [
            ("gpt-4o", "hello world", 2),
            ("gpt-4o", "お誕生日おめでとう", 8),
            ("gpt-4", "お誕生日おめでとう", 9),
            ("gpt-3.5-turbo", "antidisestablishmentarianism", 6),
            ("openai/gpt-4o-mini", "2 + 2 = 4", 7),
            ("gpt-4o", "", 0),
        ] {
            assert_eq!(count(model, text), Some(tokens), "{model}: {text}");
        }
    }

    #[test]
    fn each_family_has_its_measure() {
        use Vocabulary::{Cl100k, O200k};
        for (model, vocabulary, percent) in [
            ("gpt-4", Cl100k, 100),
            ("gpt-4-turbo", Cl100k, 100),
            ("gpt-4.1", O200k, 100),
            ("gpt-4o", O200k, 100),
            ("@mine/o3-mini", O200k, 100),
            ("us.anthropic.claude-sonnet-4", O200k, 120),
            ("Mistral-7B-Instruct", O200k, 115),
            ("qwen2:7b", O200k, 105),
        ] {
            assert_eq!(Measure::of(model), Measure { vocabulary, percent }, "{model}");
        }
    }

    #[test]
    fn a_long_text_is_counted_in_parts_that_make_it_up() {
        let text = "Die Flut kommt um zwölf Uhr. ".repeat(2_000);
        assert_eq!(parts(&text, 100).collect::<String>(), text);
        assert!(parts(&text, 100).all(|part| part.len() <= 104));
        let one_word = "ä".repeat(50_000);
        assert_eq!(parts(&one_word, 99).collect::<String>(), one_word);
        let whole = words(Vocabulary::O200k).unwrap().count_ordinary(&text) as u64;
        assert!(count("gpt-4o", &text).unwrap().abs_diff(whole) <= 20);
    }

    #[test]
    fn texts_that_are_no_language_come_to_an_end() {
        for text in ["a".repeat(200_000), " ".repeat(200_000), "\u{301}".repeat(50_000), "1a!".repeat(50_000)]
        {
            assert!(count("gpt-4o", &text).is_some());
        }
    }
}
