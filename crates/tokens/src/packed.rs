//! The vocabularies as they lie in the program: pairs of ranks, deflated: a fifth of the form that the library brings.

use std::io::Read;
use std::sync::LazyLock;

use flate2::read::ZlibDecoder;
use rustc_hash::FxHashMap;
use tiktoken_rs::CoreBPE;

use crate::vocabulary::Vocabulary;

/// How text is cut before its parts are looked up, as OpenAI's tiktoken has it.
const CL100K: &str = "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s";

/// The counter of a vocabulary, made when it is first asked for. `None`: the data is damaged, which a test would have
/// shown.
pub(crate) fn words(vocabulary: Vocabulary) -> Option<&'static CoreBPE> {
    static O200K_WORDS: LazyLock<Option<CoreBPE>> =
        LazyLock::new(|| unpack(include_bytes!("../data/o200k_base.z"), tiktoken_rs::O200K_BASE_PAT_STR));
    static CL100K_WORDS: LazyLock<Option<CoreBPE>> =
        LazyLock::new(|| unpack(include_bytes!("../data/cl100k_base.z"), CL100K));
    match vocabulary {
        Vocabulary::O200k => O200K_WORDS.as_ref(),
        Vocabulary::Cl100k => CL100K_WORDS.as_ref(),
    }
}

/// See `data/build.py`.
fn unpack(packed: &[u8], cuts: &str) -> Option<CoreBPE> {
    let mut data = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut data).ok()?;
    let (bytes, halves) = data.split_at_checked(256)?;
    let pairs = halves.len() / 6;
    // Three planes for each half: the lowest bytes of the ranks, the middle ones, the highest.
    let half = |side: usize, at: usize| {
        let byte = |plane: usize| halves.get((side * 3 + plane) * pairs + at).copied().map(usize::from);
        Some(byte(0)? | byte(1)? << 8 | byte(2)? << 16)
    };
    let mut tokens: Vec<Vec<u8>> = Vec::with_capacity(bytes.len() + pairs);
    tokens.extend(bytes.iter().map(|byte| vec![*byte]));
    for at in 0..pairs {
        let token = [tokens.get(half(0, at)?)?.as_slice(), tokens.get(half(1, at)?)?].concat();
        tokens.push(token);
    }
    CoreBPE::new(tokens.into_iter().zip(0..).collect(), FxHashMap::default(), cuts).ok()
}

#[cfg(test)]
mod tests {
    use tiktoken_rs::{cl100k_base_singleton, o200k_base_singleton};

    use super::*;

    #[test]
    fn they_count_as_the_library_does() {
        let texts = [
            include_str!("packed.rs"),
            include_str!("../data/build.py"),
            "Dónde está la marea? 潮は正午に満ちます。 🌊🌊 1234567 don't WE'LL   \n\n\tx",
            "\u{301}a\u{0}b",
        ];
        for text in texts {
            for (vocabulary, library) in
                [(Vocabulary::O200k, o200k_base_singleton()), (Vocabulary::Cl100k, cl100k_base_singleton())]
            {
                let own = words(vocabulary).unwrap();
                assert_eq!(own.encode_ordinary(text), library.encode_ordinary(text), "{vocabulary:?} {text}");
            }
        }
    }
}
