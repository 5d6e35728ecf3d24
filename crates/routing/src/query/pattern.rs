//! JavaScript patterns for an engine that guarantees linear time.
//!
//! The syntaxes agree on nearly everything people write. Shorthand classes are narrowed to ASCII as
//! JavaScript has them, and characters that only the other engine treats specially inside a class are
//! escaped. Look-around and back-references cannot be had in linear time: the config's check refuses them.

use regex::{Regex, RegexBuilder};

/// Bytes a compiled pattern may take: patterns come from callers.
const SIZE_LIMIT: usize = 32 * 1024;

/// `None` when the pattern is malformed or too large.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(&translate(pattern)).size_limit(SIZE_LIMIT).build().ok()
}

/// Syntax in `pattern` that works in JavaScript and not here.
pub(crate) fn unsupported_syntax(pattern: &str) -> Option<&'static str> {
    let mut rest = pattern.char_indices();
    let mut in_class = false;
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some((_, '1'..='9' | 'k')) if !in_class => return Some("back-references"),
                _ => {}
            },
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => {
                let group = &pattern[at..];
                if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|open| group.starts_with(open)) {
                    return Some("look-around");
                }
            }
            _ => {}
        }
    }
    None
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped) => push_escape(&mut out, escaped, in_class),
                None => out.push('\\'),
            },
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            '-' if in_class && chars.peek() == Some(&'-') => out.push_str("\\-"),
            _ => out.push(c),
        }
    }
    out
}

fn push_escape(out: &mut String, escaped: char, in_class: bool) {
    match (escaped, in_class) {
        ('d', true) => out.push_str("0-9"),
        ('d', false) => out.push_str("[0-9]"),
        ('D', false) => out.push_str("[^0-9]"),
        ('w', true) => out.push_str("0-9A-Za-z_"),
        ('w', false) => out.push_str("[0-9A-Za-z_]"),
        ('W', false) => out.push_str("[^0-9A-Za-z_]"),
        ('b', false) => out.push_str(r"(?-u:\b)"),
        ('b', true) => out.push_str(r"\x08"),
        ('0', _) => out.push_str(r"\x00"),
        // Letters JavaScript gives no meaning to stand for themselves.
        (c, _) if c.is_ascii_alphabetic() && !"DWBsSnrtfvxupP".contains(c) => out.push(c),
        (c, _) => out.extend(['\\', c]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_javascript() {
        let cases = [
            ("^gpt-", "gpt-4o", true),
            ("4o$", "gpt-4o\n", false),
            (r"^\d+$", "12", true),
            (r"^\d+$", "١٢", false),
            (r"^\w+$", "größe", false),
            (r"\bfoo\b", "a foo b", true),
            (r"[\d.]+", "3.5", true),
            (r"^[[a]+$", "[a[", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^\/v1\/chat", "/v1/chat/completions", true),
            (r"^\-\_x", "-_x", true),
            (r"(?<year>\d{4})", "2024", true),
            (r"(?:a|b){2}", "ab", true),
            (r"[^\w]", "a", false),
            ("", "anything", true),
        ];
        for (pattern, text, expected) in cases {
            let regex = compile(pattern).unwrap_or_else(|| panic!("{pattern}"));
            assert_eq!(regex.is_match(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn malformed_and_huge_patterns_are_none() {
        for pattern in ["(", "[", "a{1000}{1000}", "*", "\\"] {
            assert!(compile(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        let cases = [
            ("(?=a)", Some("look-around")),
            ("x(?!a)", Some("look-around")),
            ("(?<=a)b", Some("look-around")),
            ("(?<!a)b", Some("look-around")),
            (r"(a)\1", Some("back-references")),
            (r"(?<n>a)\k<n>", Some("back-references")),
            (r"(?<n>a)", None),
            (r"\(?=a", None),
            ("[(?=]", None),
            (r"[\1]", None),
        ];
        for (pattern, expected) in cases {
            assert_eq!(unsupported_syntax(pattern), expected, "{pattern}");
        }
    }
}
