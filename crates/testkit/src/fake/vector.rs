//! Embeddings that are the same at every fake: they depend on the text and the number of dimensions alone.

use super::story::words;

/// What the fakes answer when no number is asked for.
pub const DIMENSIONS: usize = 8;

/// Multiples of 1/8 from -1 to 1: exact in every number format.
pub fn embed(text: &str, dimensions: usize) -> Vec<f32> {
    let mut state = text.bytes().fold(7u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    (0..dimensions)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [.., high] = state.to_le_bytes();
            f32::from(high % 17) / 8.0 - 1.0
        })
        .collect()
}

/// The tokens that embedding a text counts.
pub fn tokens(text: &str) -> usize {
    words(text)
}

/// Little-endian `f32`s in base64, as OpenAI encodes embeddings.
pub fn base64(vector: &[f32]) -> String {
    encode(&vector.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>())
}

/// Standard base64 with padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for digit in 0..4 {
            let six = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit <= three.len() { char::from(DIGITS[six as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_depend_on_the_text() {
        assert_eq!(embed("a", 3), embed("a", 3));
        assert_ne!(embed("a", 3), embed("b", 3));
        assert_eq!(base64(&embed("a", 3)).len(), 16);
    }

    #[test]
    fn base64_is_padded() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(encode(bytes.as_bytes()), text);
        }
    }
}
