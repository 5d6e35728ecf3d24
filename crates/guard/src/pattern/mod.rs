//! JavaScript patterns on an engine that guarantees linear time.
//!
//! The syntax is translated (`translate`, `class`), malformed patterns are refused in JavaScript's words, and replacement
//! templates are expanded as JavaScript does (`replace`). Look-around, back-references and the sticky flag cannot be had
//! in linear time and are refused too. Unlike JavaScript without the `u` flag, a match is made of whole characters.

use std::fmt;

use regex::{Captures, Regex, RegexBuilder};

mod class;
mod replace;
mod translate;

use translate::Refusal;

/// Bytes a compiled pattern may take: patterns come from callers.
const SIZE_LIMIT: usize = 256 * 1024;

#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    regex: Regex,
    global: bool,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PatternError {
    /// JavaScript refuses the pattern too, with this text.
    Malformed(String),
    /// JavaScript would take it.
    Unsupported(String),
}

/// What the letters after `/pattern/` stand for.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    global: bool,
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
    unicode: bool,
}

impl Pattern {
    /// `new RegExp(source, flags)`.
    pub(crate) fn new(source: &str, flags: &str) -> Result<Self, PatternError> {
        let text = |reason: &str| format!("Invalid regular expression: /{source}/{flags}: {reason}");
        let set = Flags::parse(flags).ok_or_else(|| {
            PatternError::Malformed(format!("Invalid flags supplied to RegExp constructor '{flags}'"))
        })?;
        if flags.contains('y') {
            return Err(PatternError::Unsupported(text("the sticky flag is not supported")));
        }
        let translated = translate::translate(source, set).map_err(|refusal| match refusal {
            Refusal::Malformed(reason) => PatternError::Malformed(text(reason)),
            Refusal::Unsupported(what) => {
                PatternError::Unsupported(text(&format!("{what} is not supported")))
            }
        })?;
        let regex = RegexBuilder::new(&translated)
            .case_insensitive(set.ignore_case)
            .multi_line(set.multi_line)
            .size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    PatternError::Unsupported(text("Regular expression too large"))
                }
                _ => PatternError::Unsupported(text("this syntax is not supported")),
            })?;
        Ok(Self { regex, global: set.global })
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The first match.
    pub(crate) fn find<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.regex.captures(text)
    }

    /// Names of the groups in their order, starting with the whole match.
    pub(crate) fn group_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.regex.capture_names()
    }

    /// `text.replace(pattern, template)`; `None` without a match. What is written is taken from `room`, in bytes.
    pub(crate) fn replace(
        &self,
        text: &str,
        template: &str,
        room: &mut usize,
    ) -> Result<Option<String>, ReplacementTooLong> {
        let mut replaced = Bounded { text: String::new(), room };
        let mut rest = None;
        for captures in self.matches(text) {
            let Some(whole) = captures.get(0) else { continue };
            replaced.push(&text[rest.unwrap_or(0)..whole.start()])?;
            replace::expand(&mut replaced, template, text, &captures)?;
            rest = Some(whole.end());
        }
        let Some(rest) = rest else { return Ok(None) };
        replaced.push(&text[rest..])?;
        Ok(Some(replaced.text))
    }

    /// All matches, or the first. Unlike the engine's own iterator, an empty match may follow another one directly.
    fn matches<'t>(&self, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let captures = self.regex.captures_at(text, next?)?;
            let whole = captures.get(0)?;
            let past_empty = || text[whole.end()..].chars().next().map(|c| whole.end() + c.len_utf8());
            next = match (self.global, whole.is_empty()) {
                (false, _) => None,
                (true, true) => past_empty(),
                (true, false) => Some(whole.end()),
            };
            Some(captures)
        })
    }
}

/// A replaced text would not fit: templates can multiply what they match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReplacementTooLong;

/// Text that grows no further than it has room.
struct Bounded<'r> {
    text: String,
    room: &'r mut usize,
}

impl Bounded<'_> {
    fn push(&mut self, part: &str) -> Result<(), ReplacementTooLong> {
        *self.room = self.room.checked_sub(part.len()).ok_or(ReplacementTooLong)?;
        self.text.push_str(part);
        Ok(())
    }
}

impl Flags {
    /// `None` for unknown or repeated letters.
    fn parse(letters: &str) -> Option<Self> {
        let mut flags = Self::default();
        for (at, letter) in letters.char_indices() {
            match letter {
                _ if letters[..at].contains(letter) => return None,
                'g' => flags.global = true,
                'i' => flags.ignore_case = true,
                'm' => flags.multi_line = true,
                's' => flags.dot_all = true,
                'u' => flags.unicode = true,
                // Refused with a reason of its own.
                'y' => {}
                _ => return None,
            }
        }
        Some(flags)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Malformed(text) | Self::Unsupported(text)) = self;
        f.write_str(text)
    }
}

#[cfg(test)]
mod tests;
