//! Ids the gateway makes up: for requests, and for answers of providers that give none.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `prefix` followed by `len` random letters and digits. Unique, not secret: the generator is not for keys.
pub fn random(prefix: &str, len: usize) -> String {
    let mut id = String::with_capacity(prefix.len() + len);
    id.push_str(prefix);
    let mut bits = 0u64;
    for i in 0..len {
        if i % 10 == 0 {
            bits = next_u64();
        }
        id.push(char::from(ALPHABET[(bits % 62) as usize]));
        bits /= 62;
    }
    id
}

/// A pure function of `text`: `len` letters and digits, for vendors that refuse the original id. The same id always
/// becomes the same replacement, so no state is kept.
pub fn derived(text: &str, len: usize) -> String {
    // FNV-1a, stretched: collisions matter only among the handful of calls of one conversation.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut id = String::with_capacity(len);
    let mut bits = mix(hash);
    for i in 0..len {
        if i % 10 == 9 {
            hash = hash.wrapping_add(0x9e37_79b9_7f4a_7c15);
            bits = mix(hash);
        }
        id.push(char::from(ALPHABET[(bits % 62) as usize]));
        bits /= 62;
    }
    id
}

/// 16 hexadecimal digits, such as a span's id.
pub fn hex16() -> String {
    Hex16::new().to_string()
}

/// 16 hexadecimal digits by chance, without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hex16([u8; 16]);

impl Hex16 {
    #[expect(clippy::new_without_default, reason = "a default would be the same each time")]
    pub fn new() -> Self {
        let bits = next_u64();
        Self(std::array::from_fn(|at| b"0123456789abcdef"[(bits >> (60 - 4 * at)) as usize & 15]))
    }
}

impl fmt::Display for Hex16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// A uniform draw in `0.0..1.0`, for balancing and jitter.
pub fn draw() -> f64 {
    (next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn next_u64() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish() | 1);
    }
    STATE.with(|state| {
        let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(next);
        mix(next)
    })
}

/// SplitMix64's finaliser.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_asked_form_and_differ() {
        let a = random("chatcmpl-", 24);
        assert_eq!(a.len(), 33);
        assert!(a.starts_with("chatcmpl-"));
        assert!(a[9..].bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(a, random("chatcmpl-", 24));
    }

    #[test]
    fn derived_ids_are_stable() {
        assert_eq!(derived("call_1", 9), derived("call_1", 9));
        assert_ne!(derived("call_1", 9), derived("call_2", 9));
        assert_eq!(derived("x", 40).len(), 40);
    }

    #[test]
    fn draws_are_even() {
        let mut low = 0;
        for _ in 0..10_000 {
            let draw = draw();
            assert!((0.0..1.0).contains(&draw));
            low += u32::from(draw < 0.5);
        }
        assert!((4_700..5_300).contains(&low), "{low}");
    }
}
