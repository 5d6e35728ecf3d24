//! Words to look for in bodies, and the words that bodies have.
//!
//! A text is found when all its words are in the bodies: nothing in it is syntax. Letters and digits beside each other are a
//! word, whatever their case. Scripts that are written without spaces have no words that anybody could see; of those each
//! letter and each pair of neighbours is one, so a text of several letters is found by its pairs. Stores keep the words of what
//! they keep of bodies: what was taken out of these cannot be found.

mod texts;
mod words;

use std::collections::HashSet;
use std::fmt;

use crate::body::StoredBodies;
use words::Run;

pub use words::LONGEST_WORD;

/// Characters of a text that is looked for.
pub const LONGEST_SEARCH: usize = 500;
/// Words of a text that is looked for; a pair of letters counts as one.
pub const MOST_WORDS: usize = 64;
/// Words that are kept of the bodies of one record. Of bodies with more the rest cannot be found.
const MOST_KEPT: usize = 16_384;

/// Words that must all be there; none: no bodies are looked into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search(Vec<String>);

/// Why a text cannot be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSearch {
    /// Not a letter and not a digit.
    NoWord,
    TooLong,
    TooManyWords,
    WordTooLong,
}

impl BadSearch {
    /// What is wrong, and what would be right.
    pub fn told(self) -> (&'static str, String) {
        match self {
            Self::NoWord => ("has no letter and no digit", "words to look for in bodies".to_owned()),
            Self::TooLong => ("is too long", format!("at most {LONGEST_SEARCH} characters")),
            Self::TooManyWords => ("has too many words", format!("at most {MOST_WORDS}")),
            Self::WordTooLong => (
                "has a word that is too long to be found",
                format!("words of at most {LONGEST_WORD} letters"),
            ),
        }
    }
}

impl fmt::Display for BadSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wrong, right) = self.told();
        write!(f, "{wrong}; expected {right}")
    }
}

impl std::error::Error for BadSearch {}

impl Search {
    /// # Errors
    /// [`BadSearch`], also for an empty text.
    pub fn parse(text: &str) -> Result<Self, BadSearch> {
        if text.chars().count() > LONGEST_SEARCH {
            return Err(BadSearch::TooLong);
        }
        let (mut wanted, mut is_too_long) = (Vec::new(), false);
        words::each_run(text, |run| match run {
            Run::Word(word) => wanted.push(word.to_owned()),
            Run::Letter(letter) => wanted.push(letter.to_string()),
            Run::Pair(pair) => wanted.push(pair.iter().collect()),
            Run::TooLong => is_too_long = true,
        });
        // A letter that has a neighbour is found by its pair.
        let pairs: Vec<String> = wanted.iter().filter(|word| words::is_pair(word)).cloned().collect();
        wanted
            .retain(|word| !words::is_letter(word) || !pairs.iter().any(|pair| pair.contains(word.as_str())));
        wanted.sort_unstable();
        wanted.dedup();
        match wanted.len() {
            _ if is_too_long => Err(BadSearch::WordTooLong),
            0 => Err(BadSearch::NoWord),
            length if length > MOST_WORDS => Err(BadSearch::TooManyWords),
            _ => Ok(Self(wanted)),
        }
    }

    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// In small letters, of letters and digits only.
    pub fn words(&self) -> &[String] {
        &self.0
    }

    /// What the search means. Stores may be quicker; they are never of another opinion.
    pub fn fits(&self, bodies: Option<&StoredBodies>) -> bool {
        self.is_any() || bodies.is_some_and(|bodies| self.is_in(&words_of(bodies)))
    }

    /// As [`Search::fits`], of bodies whose words are known.
    pub fn is_in(&self, there: &HashSet<String>) -> bool {
        self.0.iter().all(|word| there.contains(word))
    }
}

/// The words by which bodies are found, each once. They have no space, no control character and no ASCII character but
/// letters and digits.
pub fn words_of(bodies: &StoredBodies) -> HashSet<String> {
    let mut kept = HashSet::new();
    let mut keep = |word: &str| {
        if kept.len() < MOST_KEPT && !kept.contains(word) {
            kept.insert(word.to_owned());
        }
    };
    let mut short = String::new();
    texts::each_text(bodies, &mut |text| {
        words::each_run(text, |run| match run {
            Run::Word(word) => keep(word),
            Run::Letter(letter) => keep(letter.encode_utf8(&mut [0; 4])),
            Run::Pair(pair) => {
                short.clear();
                short.extend(pair);
                keep(&short);
            }
            Run::TooLong => {}
        });
    });
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoredBody;

    fn body(part: &'static str, kind: &'static str, text: &str) -> StoredBody {
        let (data, plain) = (text.as_bytes().to_vec(), text.len() as u64);
        StoredBody { part: part.into(), kind: kind.into(), data, plain, ..StoredBody::default() }
    }

    fn finds(bodies: &StoredBodies, text: &str) -> bool {
        Search::parse(text).unwrap().fits(Some(bodies))
    }

    #[test]
    fn words_of_any_script_are_found() {
        let asked = r#"{"messages":[{"role":"user","content":"Refund of order_4711, s'il vous plaît!\nＧＰＴ模型很好"}]}"#;
        let bodies = StoredBodies { bodies: vec![body("request", "json", asked)] };
        for text in [
            "refund",
            "REFUND order",
            "4711",
            "plaît",
            "\"order 4711\" (refund)",
            "gpt",
            "模型",
            "模型很好",
            "好",
            "gpt模型",
        ] {
            assert!(finds(&bodies, text), "{text}");
        }
        for text in ["refun", "refund 4712", "模好", "型模", "content", "messages", "plait"] {
            assert!(!finds(&bodies, text), "{text}");
        }
        assert!(!Search::parse("refund").unwrap().fits(None));
        assert!(Search::default().fits(None));
    }

    #[test]
    fn streams_are_read_as_what_they_say() {
        let said = "data: {\"id\":\"x1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}},{\"index\":1,\"delta\":{\"content\":\"Go\"}}]}\n\n\
                    data: {\"id\":\"x1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo \\u4eca\"}},{\"index\":1,\"delta\":{\"content\":\"od\"}}]}\n\n\
                    data: {\"id\":\"x1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\u5929\"}}]}\n\ndata: [DONE]\n\n";
        let bodies = StoredBodies { bodies: vec![body("response", "events", said)] };
        for text in ["hello", "good", "今天", "x1"] {
            assert!(finds(&bodies, text), "{text}");
        }
        for text in ["hel", "x1x1", "HelGo"] {
            assert!(!finds(&bodies, text), "{text}");
        }
    }

    #[test]
    fn what_is_cut_escaped_nested_or_no_text_at_all() {
        let picture = "iVBORw0KGgo/".repeat(60);
        let asked = format!(
            r#"{{"image":"data:image/png;base64,{picture}","tool":"{{\"city\":\"\\u5317\\u4eac\",\"q\":\"sal\\\\u00e9\"}}","lone":"\ud83d ok","cut":"half wor"#
        );
        let bodies = StoredBodies {
            bodies: vec![body("request", "json", &asked), body("sent", "json", r#"{"a":"other"}"#)],
        };
        for text in ["image", "北京", "ok", "half", "wor"] {
            assert!(finds(&bodies, text), "{text}");
        }
        for text in ["iVBORw0KGgo", "city", "u5317", "other", "d83d"] {
            assert!(!finds(&bodies, text), "{text}");
        }
        // What went to the provider stands for what is not there.
        let sent = StoredBodies { bodies: vec![body("sent", "json", r#"{"a":"other"}"#)] };
        assert!(finds(&sent, "other"));
    }

    #[test]
    fn what_cannot_be_looked_for_says_why() {
        for (text, wrong) in [
            ("", BadSearch::NoWord),
            (" \"*\" -- ()", BadSearch::NoWord),
            (&"a ".repeat(251), BadSearch::TooLong),
            (&"x".repeat(65), BadSearch::WordTooLong),
        ] {
            assert_eq!(Search::parse(text), Err(wrong), "{text}");
        }
        let many: String = (0..65).map(|i| format!("{i} ")).collect();
        assert_eq!(Search::parse(&many), Err(BadSearch::TooManyWords));
        assert_eq!(Search::parse("a* OR \"b\"").unwrap().words(), ["a", "b", "or"]);
    }
}
