//! The keys of a handshake: a client's, and what its server makes of it.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The only version there is.
pub const VERSION: &str = "13";
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY_BYTES: usize = 16;

/// A key for a handshake of our own: nobody has to guess it, but no cache may have seen it.
pub fn new_key() -> String {
    let mut bytes = [0; KEY_BYTES];
    let _ = rand::fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// Whether a client's key is one: 16 bytes in base64.
pub fn is_key(key: &[u8]) -> bool {
    STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == KEY_BYTES)
}

/// What the server answers to a key.
pub fn accept(key: &[u8]) -> String {
    let mut hash = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key);
    hash.update(GUID);
    STANDARD.encode(hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_the_standards_example() {
        assert_eq!(accept(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys() {
        assert!(is_key(new_key().as_bytes()));
        assert_ne!(new_key(), new_key());
        for bad in ["", "dGhlIHNhbXBsZSBub25j", "not base64 at all!!!!!!!"] {
            assert!(!is_key(bad.as_bytes()), "{bad}");
        }
    }
}
