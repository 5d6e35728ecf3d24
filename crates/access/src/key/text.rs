//! The form of the gateway's own keys: `tg-svc-` + 43 random characters + 6 of checksum, 56 in all.
//!
//! The prefix is fixed, so that secret scanners find a key that was committed (`tg-(adm|org|svc|usr)-[0-9A-Za-z]{49}`).
//! The random part is 256 bits in base 62. The checksum is over everything before it: a mistyped or cut key is told
//! from an unknown one without a look at any store, and a scanner can discard look-alikes.

use tidegate_core::Secret;

use super::KeyKind;
use super::crc::crc32;

/// What all keys of this gateway begin with.
pub const PREFIX: &str = "tg-";
/// Characters of a whole key.
pub const LENGTH: usize = HEAD + RANDOM + CHECK;

const HEAD: usize = 7;
/// 62^43 is just above 2^256.
const RANDOM: usize = 43;
/// 62^6 is above 2^32.
const CHECK: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a text is, by its looks alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One of this gateway's keys, complete. Whether it is known is another question.
    Own(KeyKind),
    /// It begins as one of this gateway's keys and is none: mistyped, cut, or made up.
    Broken,
    /// Any other text: a key from elsewhere, a token, a provider's credential.
    Foreign,
}

/// A new key. `random` is 32 bytes from the system's generator, used for this key alone.
pub fn generate(kind: KeyKind, random: &[u8; 32]) -> Secret {
    let mut text = String::with_capacity(LENGTH);
    text.push_str(head(kind));
    push_base62(&mut text, random);
    let check = checksum(text.as_bytes());
    text.extend(check.map(char::from));
    Secret::new(text)
}

pub fn form_of(text: &str) -> Form {
    if !text.starts_with(PREFIX) {
        return Form::Foreign;
    }
    let own = || {
        let bytes = text.as_bytes();
        let kind = KeyKind::ALL.into_iter().find(|kind| text.starts_with(head(*kind)))?;
        let whole = bytes.len() == LENGTH && bytes[HEAD..].iter().all(u8::is_ascii_alphanumeric);
        let (told, check) = bytes.split_at_checked(LENGTH - CHECK).filter(|_| whole)?;
        (checksum(told) == check).then_some(kind)
    };
    own().map_or(Form::Broken, Form::Own)
}

/// A key as lists and logs show it: `tg-svc-…x7Qa`. Of a foreign key only the last four, and of one under 16 characters
/// nothing: a quarter of a secret is the most that is shown.
pub fn shown(text: &str) -> String {
    let tail = || text.char_indices().rev().nth(3).map_or("", |(at, _)| &text[at..]);
    match form_of(text) {
        Form::Own(kind) => format!("{}…{}", head(kind), tail()),
        Form::Broken | Form::Foreign if text.chars().count() >= 16 => format!("…{}", tail()),
        Form::Broken | Form::Foreign => "…".to_owned(),
    }
}

/// Whether a key from elsewhere may be taken over, or be given at the first start. Its text stays what it is.
///
/// # Errors
/// What is wrong with it: a key that could be guessed, or could not be sent.
pub fn check_import(text: &str) -> Result<(), &'static str> {
    let mut seen = [false; 128];
    for byte in text.bytes() {
        match seen.get_mut(usize::from(byte)).filter(|_| byte.is_ascii_graphic()) {
            Some(seen) => *seen = true,
            None => return Err("a key is printable ASCII without spaces"),
        }
    }
    let different = seen.iter().filter(|seen| **seen).count();
    match text.len() {
        0..20 => Err("a key has at least 20 characters"),
        513.. => Err("a key has at most 512 characters"),
        _ if different < 8 => Err("a key has at least 8 different characters"),
        _ if form_of(text) == Form::Broken => Err("it begins as a key of this gateway and is none"),
        _ => Ok(()),
    }
}

fn head(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Admin => "tg-adm-",
        KeyKind::OrganisationService => "tg-org-",
        KeyKind::WorkspaceService => "tg-svc-",
        KeyKind::WorkspaceUser => "tg-usr-",
    }
}

/// The number that the bytes are, most significant first, in exactly 43 digits. Every bit counts and no digit is
/// likelier than it should be, unlike with a remainder per byte.
fn push_base62(text: &mut String, number: &[u8; 32]) {
    let mut number = *number;
    let mut digits = [b'0'; RANDOM];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0;
        for byte in &mut number {
            let value = rest * 256 + u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = DIGITS[usize::from(rest)];
    }
    text.extend(digits.map(char::from));
}

fn checksum(told: &[u8]) -> [u8; CHECK] {
    let mut check = crc32(told);
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(check % 62) as usize];
        check /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chance;

    #[test]
    fn the_form_is_fixed() {
        // The form is a promise to scanners and to keys already handed out: it may not drift.
        for (kind, random, want) in [
            (KeyKind::Admin, [0; 32], "tg-adm-00000000000000000000000000000000000000000000qq9J8"),
            (
                KeyKind::OrganisationService,
                [1; 32],
                "tg-org-0El6XFXwsUFD8J2vGxsaboW7rZYnQRBP5d9erwRwd292uGf6L",
            ),
            (
                KeyKind::WorkspaceService,
                [0xff; 32],
                "tg-svc-yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp12G8UBq",
            ),
        ] {
            assert_eq!(generate(kind, &random).expose(), want);
            assert_eq!(want.len(), LENGTH);
            assert_eq!(form_of(want), Form::Own(kind));
        }
    }

    #[test]
    fn every_key_is_read_back_and_no_slip_of_the_finger_is() {
        let mut chance = Chance(1);
        for round in 0..400 {
            let kind = KeyKind::ALL[round % 4];
            let key = generate(kind, &chance.bytes());
            let text = key.expose();
            assert_eq!(form_of(text), Form::Own(kind));
            let at = chance.index(LENGTH);
            let mut slipped = text.as_bytes().to_vec();
            slipped[at] = DIGITS[chance.index(62)];
            let slipped = String::from_utf8(slipped).unwrap();
            let same = slipped == text;
            assert_eq!(form_of(&slipped) == Form::Own(kind), same, "{at}");
            let at = HEAD + chance.index(LENGTH - HEAD - 1);
            let mut swapped = text.as_bytes().to_vec();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            assert_eq!(form_of(&swapped) == Form::Own(kind), swapped == text);
            let cut = chance.index(LENGTH - 3) + 3;
            assert_eq!(form_of(&text[..cut]), Form::Broken);
            assert_eq!(form_of(&format!("{text}0")), Form::Broken);
        }
    }

    #[test]
    fn a_right_checksum_over_other_characters_is_no_key() {
        for odd in ["-", "_", "\0"] {
            let told = format!("tg-svc-{}{odd}", "a".repeat(RANDOM - 1));
            let check = checksum(told.as_bytes()).map(char::from);
            assert_eq!(form_of(&told.chars().chain(check).collect::<String>()), Form::Broken);
        }
        let told = format!("tg-xyz-{}", "a".repeat(RANDOM));
        let check = checksum(told.as_bytes()).map(char::from);
        assert_eq!(form_of(&told.chars().chain(check).collect::<String>()), Form::Broken);
    }

    #[test]
    fn any_text_has_a_form() {
        let mut chance = Chance(2);
        for _ in 0..4_000 {
            let text = chance.text(80);
            assert_eq!(form_of(&text) == Form::Foreign, !text.starts_with(PREFIX), "{text:?}");
            let text = format!("{PREFIX}{text}");
            assert_eq!(form_of(&text), Form::Broken, "{text:?}");
            let _ = shown(&text);
        }
    }

    #[test]
    fn little_is_shown() {
        let key = generate(KeyKind::WorkspaceUser, &[7; 32]);
        let text = key.expose();
        assert_eq!(shown(text), format!("tg-usr-…{}", &text[LENGTH - 4..]));
        assert_eq!(shown("sk-0123456789abcdef"), "…cdef");
        assert_eq!(shown("hunter2"), "…");
        assert_eq!(shown(""), "…");
        assert_eq!(shown("ééééééééééééééééé"), "…éééé");
    }

    #[test]
    fn what_may_be_taken_over() {
        let own = generate(KeyKind::WorkspaceService, &[3; 32]);
        for (text, want) in [
            (own.expose(), true),
            ("hG7/kd93jf+0dkfj3kd9sl2==", true),
            ("sk-0123456789abcdefg", true),
            ("123456", false),
            ("sk-1234", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("with a space 0123456789", false),
            ("schlüssel-0123456789", false),
            ("tg-svc-0123456789abcdefghi", false),
            ("", false),
        ] {
            assert_eq!(check_import(text).is_ok(), want, "{text}");
        }
        assert!(check_import(&"0123456789".repeat(52)).is_err());
    }
}
