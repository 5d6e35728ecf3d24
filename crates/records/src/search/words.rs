//! Words in a text.

/// Letters of a word. Longer ones are keys, hashes and pictures.
pub const LONGEST_WORD: usize = 64;
/// Bytes of what looks like Base64 and is no text.
const LONGEST_CODE: usize = 256;

/// What a text is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run<'a> {
    /// In small letters.
    Word(&'a str),
    /// Of a script without spaces.
    Letter(char),
    /// Two of them that are neighbours.
    Pair([char; 2]),
    /// A word that is none.
    TooLong,
}

/// Every word, letter and pair of a text, in its order. What looks like Base64 is passed over.
pub(super) fn each_run(text: &str, mut each: impl FnMut(Run<'_>)) {
    let mut word = String::new();
    // Of the word at hand; of letters of a script without spaces, the last.
    let (mut length, mut before) = (0usize, None);
    // Up to here it is known whether the text is code.
    let mut looked_at = 0;
    let mut code_end = 0;
    for (at, letter) in text.char_indices() {
        if at < code_end {
            continue;
        }
        if letter.is_ascii() && at >= looked_at {
            let coded = text.as_bytes()[at..].iter().take_while(|byte| is_code(**byte)).count();
            looked_at = at + coded.max(1);
            if coded > LONGEST_CODE {
                code_end = at + coded;
                finish(&mut word, &mut length, &mut each);
                before = None;
                continue;
            }
        }
        let letter = halved(letter);
        if is_dense(letter) {
            finish(&mut word, &mut length, &mut each);
            each(Run::Letter(letter));
            if let Some(before) = before.replace(letter) {
                each(Run::Pair([before, letter]));
            }
            continue;
        }
        before = None;
        if letter.is_alphanumeric() {
            length += 1;
            if length <= LONGEST_WORD {
                word.extend(letter.to_lowercase());
            }
        } else {
            finish(&mut word, &mut length, &mut each);
        }
    }
    finish(&mut word, &mut length, &mut each);
}

fn finish(word: &mut String, length: &mut usize, each: &mut impl FnMut(Run<'_>)) {
    match std::mem::take(length) {
        0 => {}
        length if length > LONGEST_WORD => each(Run::TooLong),
        _ => each(Run::Word(word)),
    }
    word.clear();
}

/// Of Base64, in either alphabet.
fn is_code(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

/// The usual form of a letter that is as wide as an ideograph.
fn halved(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        letter => letter,
    }
}

/// Of a script that is written without spaces, or with spaces that are no ends of words: Chinese, Japanese, Korean, Thai, Lao,
/// Burmese, Khmer.
fn is_dense(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0e00..=0x0e4e | 0x0e80..=0x0eff | 0x1000..=0x109f | 0x1100..=0x11ff | 0x1780..=0x17d3
        | 0x3005..=0x3007 | 0x3041..=0x3096 | 0x309d..=0x309f | 0x30a1..=0x30fa | 0x30fc..=0x30ff
        | 0x31f0..=0x31ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff
        | 0xff66..=0xff9d | 0x20000..=0x3ffff)
}

pub(super) fn is_letter(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(is_dense) && letters.next().is_none()
}

pub(super) fn is_pair(word: &str) -> bool {
    word.chars().next().is_some_and(is_dense) && !is_letter(word)
}
