//! Paths that are looked up, and paths that are not.

use super::TableError;

/// A part of a template between two slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Literal(&'static str),
    /// Exactly one segment, not empty.
    One,
    /// Whatever is left, slashes included. Not nothing.
    Rest,
}

/// # Errors
/// A template that does not begin with a slash, has a half-open name, or goes on after `{*…}`.
pub(super) fn parts(template: &'static str) -> Result<Vec<Part>, TableError> {
    let bad = || TableError::Template(template);
    let rest = template.strip_prefix('/').ok_or_else(bad)?;
    let mut parts = Vec::new();
    for segment in rest.split('/').filter(|_| !rest.is_empty()) {
        let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        let is_word = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        if parts.last() == Some(&Part::Rest) {
            return Err(bad());
        }
        parts.push(match name {
            Some(name) if name.strip_prefix('*').is_some_and(is_word) => Part::Rest,
            Some(name) if is_word(name) => Part::One,
            None if !segment.is_empty() && !segment.contains(['{', '}', '*', '%']) => Part::Literal(segment),
            _ => return Err(bad()),
        });
    }
    Ok(parts)
}

/// Whether the path is one that every reader of it takes the same way. Not so: `.` and `..` as segments, however
/// written; a backslash; a control character or NUL, also percent-encoded. A provider's server, or a proxy before it,
/// would make another path of them than the one that was judged here.
pub(super) fn is_plain(path: &str) -> bool {
    let mut before = 0;
    let is_suspect = |byte: u8| {
        let dot = byte == b'.' && before == b'/';
        before = byte;
        dot || byte == b'%' || byte == b'\\' || byte < 0x20 || byte == 0x7f
    };
    path.starts_with('/') && (!path.bytes().any(is_suspect) || path.split('/').all(is_plain_segment))
}

/// The slow look, for paths with something in them that may mean harm and mostly does not.
fn is_plain_segment(segment: &str) -> bool {
    let decoded: Vec<u8> = decode(segment.as_bytes());
    let dots = matches!(decoded.as_slice(), b"." | b"..");
    // A `%2F..%2F` in the middle of an id is a segment to whoever decodes first.
    let inner = decoded.split(|byte| *byte == b'/' || *byte == b'\\').any(|part| part == b"..");
    !dots && !inner && decoded.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f) && !segment.contains('\\')
}

/// Percent escapes once undone; what is no escape stays.
fn decode(segment: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let [first, after @ ..] = rest {
        let escape = |pair: &[u8; 2]| {
            let text = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(text, 16).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit))
        };
        match after.first_chunk::<2>().filter(|_| *first == b'%').and_then(escape) {
            Some(byte) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            None => {
                decoded.push(*first);
                rest = after;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        use Part::{Literal, One, Rest};
        assert_eq!(parts("/"), Ok(vec![]));
        assert_eq!(parts("/v1/a-b/{id}"), Ok(vec![Literal("v1"), Literal("a-b"), One]));
        assert_eq!(parts("/v1/{*rest}"), Ok(vec![Literal("v1"), Rest]));
        for bad in
            ["", "v1", "/v1/", "//", "/{}", "/{id", "/id}", "/a{id}", "/{*}", "/{*rest}/x", "/{Id}", "/a%20"]
        {
            assert_eq!(parts(bad), Err(TableError::Template(bad)));
        }
    }

    #[test]
    fn plain_paths() {
        for (path, want) in [
            ("/", true),
            ("/v1/prompts/pp-x@12/completions", true),
            ("/v1/prompts/pp-x%4012/completions", true),
            ("/v1/files/s3%3A%2F%2Fbucket%2Ffile.jsonl", true),
            ("/v1/.well-known/x", true),
            ("/v1/a..b/c.", true),
            ("/v1/...", true),
            ("/v1//x", true),
            ("/v1/100%", true),
            ("/v1/%zz", true),
            ("/v1/é", true),
            ("/v1/../admin", false),
            ("/v1/./admin", false),
            ("/v1/..", false),
            ("/v1/%2e%2E/admin", false),
            ("/v1/.%2e/admin", false),
            ("/v1/x%2F..%2Fadmin", false),
            ("/v1/x%5c..%5cadmin", false),
            ("/v1/x\\admin", false),
            ("/v1/x%00", false),
            ("/v1/x%0d%0a", false),
            ("/v1/x\u{1}", false),
            ("v1/x", false),
            ("", false),
        ] {
            assert_eq!(is_plain(path), want, "{path}");
        }
    }
}
