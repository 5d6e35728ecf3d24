//! Text as columns and indexes take it. The record's bytes keep it as it was.

use std::borrow::Cow;

/// PostgreSQL's indexes refuse entries of a third of a page.
const MOST: usize = 512;

/// Without NUL, which no column takes, and not longer than an index takes: the rest becomes a hash.
pub(crate) fn column(text: &str) -> Cow<'_, str> {
    if text.len() <= MOST && !text.contains('\0') {
        return text.into();
    }
    let long = text.len() > MOST;
    let cut = (0..=MOST - 32).rev().find(|at| long && text.is_char_boundary(*at)).unwrap_or(text.len());
    let mut plain = text[..cut].replace('\0', "\u{fffd}");
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    plain.push_str(&format!("#{hash:016x}"));
    plain.into()
}

/// Between pairs on their way to the server.
pub(crate) const BETWEEN: char = '\u{1}';

/// `name=value`, the name without `=`.
pub(crate) fn pair(name: &str, value: &str) -> String {
    let escape = |text: &str, out: &mut String, equals: bool| {
        for letter in text.chars() {
            match letter {
                '%' => out.push_str("%25"),
                BETWEEN => out.push_str("%01"),
                '=' if equals => out.push_str("%3D"),
                letter => out.push(letter),
            }
        }
    };
    let mut out = String::with_capacity(name.len() + value.len() + 1);
    escape(name, &mut out, true);
    out.push('=');
    escape(value, &mut out, false);
    match column(&out) {
        Cow::Borrowed(_) => out,
        Cow::Owned(cut) => cut,
    }
}

/// Whether a column may have less than the text was: what looks like the hash of a rest is taken for one.
pub(crate) fn may_be_cut(text: &str) -> bool {
    let hash = text.len().checked_sub(17).and_then(|at| text.as_bytes().get(at..));
    hash.is_some_and(|hash| hash[0] == b'#' && hash[1..].iter().all(u8::is_ascii_hexdigit))
}

/// The name and the value of a pair. `None`: it may be cut.
pub(crate) fn unpaired(pair: &str) -> Option<(String, String)> {
    let plain = |text: &str| text.replace("%3D", "=").replace("%01", "\u{1}").replace("%25", "%");
    let (name, value) = pair.split_once('=')?;
    (!may_be_cut(pair)).then(|| (plain(name), plain(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_stay_different_and_fit() {
        let long = "ü".repeat(5_000);
        let other = format!("{long}x");
        let texts = ["", "a", "a\0", "a\u{fffd}", &long, &other];
        let columns: Vec<_> = texts.iter().map(|text| column(text)).collect();
        for (at, text) in columns.iter().enumerate() {
            assert!(text.len() <= MOST + 32 && !text.contains('\0'), "{text}");
            assert!(columns[..at].iter().all(|other| other != text), "{text}");
        }
        assert_ne!(pair("a=b", "c"), pair("a", "b=c"));
        assert_ne!(pair("a%3D", "c"), pair("a=", "c"));
        assert!(!pair("n", "\u{1}").contains(BETWEEN));
        assert_eq!(pair("env", "prod"), "env=prod");
        for (name, value) in
            [("env", "prod"), ("a=b%", "\u{1}=%3D%01"), ("", ""), ("%25", "#0123456789abcde")]
        {
            assert_eq!(unpaired(&pair(name, value)), Some((name.to_owned(), value.to_owned())));
        }
        assert_eq!(unpaired(&pair("n", &long)), None);
        assert!(may_be_cut(&column("a\0")) && may_be_cut(&column(&long)) && !may_be_cut("user-1"));
    }
}
