//! Paths of members in JSON.

use std::fmt;
use std::str::FromStr;

/// A place in JSON: `user`, `messages[*].content`, `$.tools[0].function`, `..email` (at any depth), `*` (any member).
/// Names are compared exactly. What it matches is taken out with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Name(String),
    Index(usize),
    /// Any member or any item.
    Any,
    /// Any number of steps, also none.
    Deep,
}

/// One step from the root to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Name(String),
    Index(usize),
}

/// Text that is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPath(String);

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is no JSON path; write messages[*].content, user or ..email", self.0)
    }
}

impl std::error::Error for BadPath {}

impl FromStr for JsonPath {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Self, BadPath> {
        parse(text).ok_or_else(|| BadPath(text.into()))
    }
}

fn parse(text: &str) -> Option<JsonPath> {
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']')?;
            parts.push(match inside {
                "*" => Part::Any,
                quoted if quoted.len() > 2 && quoted.starts_with(['"', '\'']) => {
                    let quote = quoted.chars().next()?;
                    Part::Name(quoted[1..].strip_suffix(quote)?.to_owned())
                }
                number => Part::Index(number.parse().ok()?),
            });
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("..") {
            parts.push(Part::Deep);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            rest = after;
        } else if !parts.is_empty() {
            return None;
        }
        if rest.starts_with('[') && parts.last() == Some(&Part::Deep) {
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        if name.is_empty() || name.contains(']') {
            return None;
        }
        parts.push(if name == "*" { Part::Any } else { Part::Name(name.to_owned()) });
        rest = &rest[end..];
    }
    (!parts.is_empty() && parts.last() != Some(&Part::Deep)).then_some(JsonPath(parts))
}

impl JsonPath {
    pub(super) fn matches(&self, steps: &[Step]) -> bool {
        matches(&self.0, steps)
    }
}

fn matches(parts: &[Part], steps: &[Step]) -> bool {
    match (parts.split_first(), steps.split_first()) {
        (None, None) => true,
        (None, Some(_)) => false,
        (Some((Part::Deep, rest)), _) => (0..=steps.len()).any(|skip| matches(rest, &steps[skip..])),
        (Some(_), None) => false,
        (Some((part, rest)), Some((step, after))) => {
            let fits = match (part, step) {
                (Part::Any, _) => true,
                (Part::Name(name), Step::Name(own)) => name == own,
                (Part::Index(index), Step::Index(own)) => index == own,
                _ => false,
            };
            fits && matches(rest, after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Vec<Step> {
        let step = |part: &str| part.parse().map_or_else(|_| Step::Name(part.into()), Step::Index);
        text.split('/').map(step).collect()
    }

    #[test]
    fn paths_match_what_they_say() {
        for (path, place, wanted) in [
            ("user", "user", true),
            ("$.user", "user", true),
            ("user", "users", false),
            ("user", "a/user", false),
            ("..user", "a/3/user", true),
            ("..user", "user", true),
            ("messages[*].content", "messages/7/content", true),
            ("messages[*].content", "messages/7/content/text", false),
            ("messages[0].content", "messages/1/content", false),
            ("messages.*.content", "messages/1/content", true),
            ("a..b..c", "a/x/b/y/z/c", true),
            ("a..b..c", "a/x/y/z/c", false),
            ("['odd.name'].x", "odd.name/x", true),
            ("..[2]", "a/2", true),
        ] {
            assert_eq!(path.parse::<JsonPath>().unwrap().matches(&steps(place)), wanted, "{path} {place}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for path in ["", "$", ".", "a..", "a[", "a[x]", "a[-1]", "a]", "[0]b", "a[''"] {
            assert!(path.parse::<JsonPath>().is_err(), "{path}");
        }
    }
}
