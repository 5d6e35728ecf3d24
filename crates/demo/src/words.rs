//! The demo model's tokens: words, each with the whitespace before it. Joined they are the text again.

/// Splits `text` before each run of whitespace that follows a word. Trailing whitespace is a token of its own.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && in_word {
            words.push(&text[start..at]);
            start = at;
        }
        in_word = !c.is_whitespace();
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

pub(crate) fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

/// Why a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
}

impl Finish {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// `text` up to the first of `stops` (left out, as OpenAI does) and up to `max` tokens, whichever is shorter.
pub(crate) fn cut(text: &str, stops: &[String], max: Option<usize>) -> (String, Finish) {
    let end = stops.iter().filter_map(|stop| text.find(stop.as_str())).min().unwrap_or(text.len());
    let words = split(&text[..end]);
    match max {
        Some(max) if max < words.len() => (words[..max].concat(), Finish::Length),
        _ => (text[..end].to_owned(), Finish::Stop),
    }
}

/// `text` or its first `max` characters with an ellipsis.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_join_to_the_text() {
        for (text, expected) in [
            ("", vec![]),
            ("one", vec!["one"]),
            ("You said: hi", vec!["You", " said:", " hi"]),
            ("  é\n\n日本 ", vec!["  é", "\n\n日本", " "]),
        ] {
            assert_eq!(split(text), expected);
            assert_eq!(split(text).concat(), text);
        }
    }

    #[test]
    fn cuts_at_the_first_reason() {
        let stops = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        for (list, max, expected, finish) in [
            (vec![], None, "a b c d", Finish::Stop),
            (vec![], Some(4), "a b c d", Finish::Stop),
            (vec![], Some(2), "a b", Finish::Length),
            (vec!["d", "c"], None, "a b ", Finish::Stop),
            (vec!["c"], Some(1), "a", Finish::Length),
            (vec!["zz"], None, "a b c d", Finish::Stop),
        ] {
            assert_eq!(cut("a b c d", &stops(&list), max), (expected.to_owned(), finish), "{list:?} {max:?}");
        }
    }

    #[test]
    fn shortens_between_characters() {
        assert_eq!(shorten("日本語", 2), "日本…");
        assert_eq!(shorten("日本語", 3), "日本語");
    }
}
