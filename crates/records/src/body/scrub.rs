//! Credentials in the middle of text: those that came in this request's headers, and what has the form of a known one.

use super::{REDACTED, header};
use crate::text::Text;

/// Beginnings of keys that their makers chose to be found.
const PREFIXES: [&str; 14] = [
    "sk-",
    "sk_",
    "pk-",
    "rk-",
    "tg-",
    "tg_",
    "AIza",
    "AKIA",
    "ASIA",
    "ghp_",
    "github_pat_",
    "hf_",
    "gsk_",
    "xai-",
];
/// With prefix. Shorter words are no keys.
const SHORTEST: usize = 20;
/// Header values shorter than this are words that may stand anywhere.
const SHORTEST_SECRET: usize = 8;
/// So much of a known secret at the end of cut text is treated as the secret.
const SHORTEST_START: usize = 4;

/// The credentials of one request, to be found again in its bodies: providers quote them in errors.
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn of<'a>(headers: impl Iterator<Item = &'a (Text, Text)>) -> Self {
        let mut secrets = Vec::new();
        for (_, value) in headers.filter(|(name, _)| header::is_credential(name)) {
            let value = value.trim();
            // `Bearer key`, `Basic pair`: the word before is no secret.
            let own = value.rsplit_once(' ').map_or(value, |(_, own)| own);
            secrets.extend([own].into_iter().filter(|own| own.len() >= SHORTEST_SECRET).map(str::to_owned));
        }
        // Longest first, so that no part of one is left.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// `cut`: a secret may be there in part, at the end.
    pub(super) fn scrub(&self, mut text: String, cut: bool) -> String {
        for secret in &self.0 {
            if memchr::memmem::find(text.as_bytes(), secret.as_bytes()).is_some() {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        if cut {
            self.scrub_end(&mut text);
        }
        scrub_known_forms(text, cut)
    }

    fn scrub_end(&self, text: &mut String) {
        for secret in &self.0 {
            let longest =
                (SHORTEST_START..secret.len()).rev().filter(|length| secret.is_char_boundary(*length));
            let start = longest.map(|length| &secret[..length]).find(|start| text.ends_with(start));
            if let Some(start) = start {
                text.truncate(text.len() - start.len());
                text.push_str(REDACTED);
                return;
            }
        }
    }
}

fn scrub_known_forms(text: String, cut: bool) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().position(|byte| !is_word(*byte)).unwrap_or(bytes.len() - at);
        let word = &text[at..end];
        let whole = word.len() >= SHORTEST && word.bytes().any(|byte| byte.is_ascii_digit());
        let begun = cut && end == bytes.len();
        if (whole || begun) && PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
            out.push_str(&text[kept..at]);
            out.push_str(REDACTED);
            kept = end;
        }
        at = end;
    }
    if kept == 0 {
        return text;
    }
    out.push_str(&text[kept..]);
    out
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let headers: [(Text, Text); 3] = [
            ("authorization".into(), "Bearer own-gateway-key".into()),
            ("x-api-key".into(), "short".into()),
            ("accept".into(), "application/json".into()),
        ];
        Secrets::of(headers.iter())
    }

    #[test]
    fn what_was_a_credential_is_found_again() {
        let clean =
            secrets().scrub("Incorrect key own-gateway-key for application/json, short".into(), false);
        assert_eq!(clean, "Incorrect key [redacted] for application/json, short");
    }

    #[test]
    fn keys_are_known_by_their_form() {
        for (text, wanted) in [
            ("key sk-abc123def456ghi789jkl, ok", "key [redacted], ok"),
            ("\"AIzaSyA1234567890abcdef\"", "\"[redacted]\""),
            ("use sk-learn-and-other-libraries", "use sk-learn-and-other-libraries"),
            ("task-12345678901234567890", "task-12345678901234567890"),
            ("日本 ghp_0123456789abcdefghij 語", "日本 [redacted] 語"),
        ] {
            assert_eq!(secrets().scrub(text.into(), false), wanted);
        }
    }

    #[test]
    fn a_secret_that_is_cut_off_goes_too() {
        assert_eq!(secrets().scrub("your own-gateway".into(), true), "your [redacted]");
        assert_eq!(secrets().scrub("your sk-ab1".into(), true), "your [redacted]");
        assert_eq!(secrets().scrub("your own-gateway".into(), false), "your own-gateway");
    }
}
