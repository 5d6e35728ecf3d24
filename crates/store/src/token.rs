//! Secrets that are told once and kept as hashes: API keys, sessions, one-time links. The texts of the last two are
//! made here.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidegate_core::Secret;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::id::{hex, random, unhex};

/// The SHA-256 of a token. A token has 256 random bits, so a slow hash would add nothing but latency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub fn of(token: &Secret) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.expose().as_bytes()).as_ref());
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(***)")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = unhex(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hex"))
    }
}

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 43;
const CHECK: usize = 6;

/// `prefix`, 43 random letters and digits (256 bits) and 6 that check the rest, so that scanners and clients can tell
/// a key from a word without asking.
pub(crate) fn make(prefix: &str) -> Result<Secret, StoreError> {
    let mut text = Zeroizing::new(String::with_capacity(prefix.len() + RANDOM + CHECK));
    text.push_str(prefix);
    let end = prefix.len() + RANDOM;
    while text.len() < end {
        // Bytes from 248 on are left out: 62 does not divide 256, and the first letters would come more often.
        for byte in random::<64>()?.into_iter().filter(|byte| *byte < 248).take(end - text.len()) {
            text.push(char::from(LETTERS[usize::from(byte % 62)]));
        }
    }
    let check = check_letters(&text);
    text.push_str(&check);
    Ok(Secret::new(text.as_str()))
}

/// Whether the text has the form of a token with this prefix, its check letters included. Says nothing about whether
/// it was ever handed out.
pub fn is_well_formed(prefix: &str, token: &Secret) -> bool {
    let text = token.expose();
    text.starts_with(prefix)
        && text.len() == prefix.len() + RANDOM + CHECK
        && text.bytes().skip(prefix.len()).all(|byte| byte.is_ascii_alphanumeric())
        && text.ends_with(&check_letters(&text[..prefix.len() + RANDOM]))
}

/// Whether a text may serve as a key: 20 characters, which keys from elsewhere have at least.
pub(crate) fn is_long_enough(token: &Secret) -> bool {
    token.expose().chars().count() >= 20
}

fn check_letters(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(CHECK).map(|byte| char::from(LETTERS[usize::from(byte % 62)])).collect()
}

/// What may be shown of a secret: its first and last four characters when it is long, less when it is short.
pub(crate) fn masked(secret: &Secret) -> String {
    let chars: Vec<char> = secret.expose().chars().collect();
    match chars.len() {
        0 => String::new(),
        1..=15 => "***".to_owned(),
        16..=23 => format!("***{}", chars[chars.len() - 2..].iter().collect::<String>()),
        length => {
            let part = |range: std::ops::Range<usize>| chars[range].iter().collect::<String>();
            format!("{}***{}", part(0..4), part(length - 4..length))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_well_formed_and_differ() {
        let a = make("tgl_").unwrap();
        let b = make("tgl_").unwrap();
        assert_eq!(a.expose().len(), 53);
        assert_ne!(Digest::of(&a), Digest::of(&b));
        assert!(is_well_formed("tgl_", &a));
        assert!(!is_well_formed("tgs_", &a));
        let mut changed = a.expose().to_owned();
        let last = if changed.ends_with('x') { "y" } else { "x" };
        changed.replace_range(52..53, last);
        assert!(!is_well_formed("tgl_", &Secret::from(changed)));
        assert!(!is_well_formed("tgl_", &Secret::from("tgl_ééé")));
    }

    #[test]
    fn what_is_shown_of_a_secret_cannot_be_used() {
        for (secret, shown) in [
            ("", ""),
            ("sk-1", "***"),
            ("0123456789abcdef", "***ef"),
            ("sk-abcdefghijklmnopqrstuvwxyz", "sk-a***wxyz"),
        ] {
            assert_eq!(masked(&Secret::from(secret)), shown);
        }
    }
}
