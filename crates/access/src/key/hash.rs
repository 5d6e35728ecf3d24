//! The form in which a key is stored and looked up.
//!
//! HMAC-SHA-256 under a pepper of the server, or plain SHA-256 where there is none. No slow hash: those make guessing
//! expensive where a person chose the secret. Nobody guesses 256 random bits, and a slow hash would cost every request
//! what it costs an attacker. A key brought along from elsewhere may be weaker; the pepper, which is not in the
//! database, is what keeps a stolen table from being tried against.

use std::fmt;
use std::hash::{Hash, Hasher};

use aws_lc_rs::{constant_time, digest, hmac};

/// Turns keys into their stored form. Made once; cheap to share.
#[derive(Clone)]
pub struct KeyHasher(Option<hmac::Key>);

/// A key's stored form. Compared in constant time, and not itself a key: presented as one it is hashed again.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHasher {
    /// Without a pepper: the hash of the text alone.
    pub fn plain() -> Self {
        Self(None)
    }

    /// `pepper`: 32 bytes or more from the master key, never stored beside the hashes.
    pub fn peppered(pepper: &[u8]) -> Self {
        Self(Some(hmac::Key::new(hmac::HMAC_SHA256, pepper)))
    }

    pub fn hash(&self, key: &str) -> KeyHash {
        let mut bytes = [0; 32];
        match &self.0 {
            Some(pepper) => bytes.copy_from_slice(hmac::sign(pepper, key.as_bytes()).as_ref()),
            None => bytes.copy_from_slice(digest::digest(&digest::SHA256, key.as_bytes()).as_ref()),
        }
        KeyHash(bytes)
    }

    /// What a stored hash begins with, so that a changed pepper is noticed as such and not as unknown keys.
    pub fn scheme(&self) -> &'static str {
        if self.0.is_some() { "hmac-sha256" } else { "sha256" }
    }
}

impl KeyHash {
    /// For a column of 64 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut text, byte| {
            for half in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(half), 16));
            }
            text
        })
    }

    /// `None` for anything but 64 hexadecimal digits.
    pub fn of_hex(text: &str) -> Option<Self> {
        let digits = <&[u8; 64]>::try_from(text.as_bytes()).ok()?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn of_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for KeyHash {}

/// For look-ups in a map. The digest is as random as a hash can be: eight bytes of it are enough.
impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// A few digits, to tell hashes apart in a log; never enough to look one up.
impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHasher({})", self.scheme())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        let plain = KeyHasher::plain().hash("abc");
        assert_eq!(plain.to_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // RFC 4231, test case 2.
        let keyed = KeyHasher::peppered(b"Jefe").hash("what do ya want for nothing?");
        assert_eq!(keyed.to_hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(format!("{keyed:?} {:?}", KeyHasher::plain()), "KeyHash(5bdc…) KeyHasher(sha256)");
    }

    #[test]
    fn a_stolen_hash_is_no_key() {
        for hasher in [KeyHasher::plain(), KeyHasher::peppered(&[9; 32])] {
            let stored = hasher.hash("tg-svc-x");
            assert_ne!(hasher.hash(&stored.to_hex()), stored);
            assert_ne!(hasher.hash("tg-svc-y"), stored);
            assert_eq!(hasher.hash("tg-svc-x"), stored);
        }
        assert_ne!(KeyHasher::peppered(&[1; 32]).hash("k"), KeyHasher::peppered(&[2; 32]).hash("k"));
    }

    #[test]
    fn the_column_is_read_back() {
        let hash = KeyHasher::plain().hash("k");
        assert_eq!(KeyHash::of_hex(&hash.to_hex()), Some(hash));
        assert_eq!(KeyHash::of_hex(&hash.to_hex().to_uppercase()), Some(hash));
        assert_eq!(KeyHash::of_bytes(*hash.as_bytes()), hash);
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(KeyHash::of_hex(text), None, "{text}");
        }
    }
}
