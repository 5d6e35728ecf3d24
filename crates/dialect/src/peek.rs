//! What the gateway must know of a JSON request body without building it: the model, whether it streams, which
//! top-level members it has. Works on the frames as they came, so a large body is neither joined nor parsed.
//!
//! Structure is checked where it is read (the members of the body, and of `stream_options`); deeper values are only
//! checked for balance and depth. So a body that `serde_json` accepts is accepted here with the same answers, and some
//! broken bodies pass: the provider refuses those itself. When a member occurs twice, the last one counts.

mod cursor;
mod quote;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use cursor::{Cursor, Token};

pub(crate) use quote::string_stop;

/// Containers open at once that the stack of [`Reader::skip_container`] has room for.
const MAX_DEPTH: u32 = 128;

/// Bytes that the names of most bodies take.
const TYPICAL_NAMES: usize = 128;

/// Bounds on what a body may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeekLimits {
    /// Containers open at once, the body's own object included; more than 128 counts as 128.
    pub max_depth: u32,
    /// Members of the body's object, repeated ones included.
    pub max_keys: usize,
}

impl Default for PeekLimits {
    fn default() -> Self {
        Self { max_depth: MAX_DEPTH, max_keys: 1_024 }
    }
}

/// What [`peek`] found. Members of another type than the expected one are `None`, as absent ones are; `keys` tells
/// the two apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peek {
    pub model: Option<String>,
    pub stream: Option<bool>,
    /// `stream_options.include_usage`.
    pub include_usage: Option<bool>,
    pub user: Option<String>,
    /// Whole numbers at or above zero; any other number is `None`.
    pub max_tokens: Option<u64>,
    pub max_completion_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub n: Option<u64>,
    /// `service_tier`, or Anthropic's `speed`: what the request wants its tokens' price by.
    pub service_tier: Option<String>,
    pub keys: KeySet,
    /// The body is an object. `false` for any other JSON value; all else is then empty.
    pub valid_object: bool,
    /// Most containers open at once.
    pub max_depth: u32,
    /// Where the model's JSON string stands in the whole body, quotes included; `Some` when `model` is.
    pub model_range: Option<Range<usize>>,
}

/// The names of the body's members, as written. Names above 255 bytes are left out: no API has such a member.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    /// Each name behind one byte that holds its length.
    names: Vec<u8>,
}

impl KeySet {
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|key| key == name.as_bytes())
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names in the order of the body, repeated ones included.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.names.as_slice();
        std::iter::from_fn(move || {
            let (len, names) = rest.split_first()?;
            let (name, names) = names.split_at_checked(usize::from(*len))?;
            rest = names;
            Some(name)
        })
    }

    fn add(&mut self, name: &[u8]) {
        if let Ok(len) = u8::try_from(name.len()) {
            if self.names.is_empty() {
                self.names.reserve(TYPICAL_NAMES);
            }
            self.names.push(len);
            self.names.extend_from_slice(name);
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(String::from_utf8_lossy)).finish()
    }
}

/// Why a body cannot be read, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeekError {
    /// Bytes before the one at fault.
    pub offset: usize,
    pub what: Flaw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// The body ends inside a value, or is empty.
    Ended,
    /// A byte that cannot stand there.
    Unexpected,
    /// A closing bracket of the wrong kind.
    Unbalanced,
    /// Something follows the value.
    Trailing,
    TooDeep,
    TooManyKeys,
    /// A wanted string with a bad escape, a raw control character, or bytes that are not UTF-8.
    BadString,
}

impl fmt::Display for PeekError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Flaw::Ended => "the JSON ends too early",
            Flaw::Unexpected => "unexpected character in JSON",
            Flaw::Unbalanced => "closing bracket of the wrong kind in JSON",
            Flaw::Trailing => "characters after the JSON value",
            Flaw::TooDeep => "the JSON is nested too deeply",
            Flaw::TooManyKeys => "the JSON object has too many members",
            Flaw::BadString => "invalid JSON string",
        };
        write!(f, "{what} at byte {}", self.offset)
    }
}

impl Error for PeekError {}

/// Reads a body once, front to back, without joining its frames.
///
/// # Errors
/// A body that is broken where it matters, or beyond `limits`.
pub fn peek(frames: &[impl AsRef<[u8]>], limits: PeekLimits) -> Result<Peek, PeekError> {
    peek_marked(frames, &[], limits)
}

/// As [`peek`], where `plain` says of the first frames whether [`is_plain`] holds: those that lie within a string, and most
/// of a large body is one string, are not looked at again.
///
/// # Errors
///
/// As [`peek`].
pub fn peek_marked(
    frames: &[impl AsRef<[u8]>],
    plain: &[bool],
    limits: PeekLimits,
) -> Result<Peek, PeekError> {
    let limits = PeekLimits { max_depth: limits.max_depth.min(MAX_DEPTH), ..limits };
    let mut reader =
        Reader { cursor: Cursor::new(frames, plain), limits, depth: 0, found: Peek::default(), members: 0 };
    if reader.cursor.expect_any()? == b'{' {
        reader.found.valid_object = true;
        reader.members(Reader::body_member)?;
    } else {
        reader.skip_value()?;
    }
    if reader.cursor.look().is_some() {
        return reader.cursor.fail(Flaw::Trailing);
    }
    Ok(reader.found)
}

/// The frames of the same body with another model at `range` (see [`Peek::model_range`]). Nothing but the new name is
/// copied. A range that does not lie in the body replaces the part of it that does.
pub fn with_model(frames: &[Bytes], range: Range<usize>, new_model: &str) -> Vec<Bytes> {
    let mut model = Some(Bytes::from(serde_json::Value::from(new_model).to_string()));
    let mut spliced = Vec::with_capacity(frames.len() + 2);
    let mut push = |frame: Bytes| {
        if !frame.is_empty() {
            spliced.push(frame);
        }
    };
    let mut start = 0;
    for frame in frames {
        let cut = |at: usize| at.saturating_sub(start).min(frame.len());
        let (before, after) = (cut(range.start), cut(range.end.max(range.start)));
        push(frame.slice(..before));
        if before < frame.len() {
            push(model.take().unwrap_or_default());
        }
        push(frame.slice(after..));
        start += frame.len();
    }
    push(model.take().unwrap_or_default());
    spliced
}

/// Nothing in these bytes can end a string. Best asked when they have just arrived and are still in the processor's cache.
pub fn is_plain(bytes: &[u8]) -> bool {
    memchr::memchr2(b'"', b'\\', bytes).is_none()
}

/// Whether the bytes of `word` stand anywhere in the body, across frames too. A quick test before a costly one: a word
/// written with escapes is not found.
pub fn contains_word(frames: &[impl AsRef<[u8]>], word: &[u8]) -> bool {
    let finder = memmem::Finder::new(word);
    let keep = word.len().saturating_sub(1);
    // The last bytes before the frame at hand, at most `keep`; then with its first ones behind them.
    let mut seam = Vec::new();
    for frame in frames.iter().map(AsRef::as_ref) {
        if finder.find(frame).is_some() {
            return true;
        }
        if frames.len() == 1 {
            break;
        }
        seam.extend_from_slice(frame.get(..keep).unwrap_or(frame));
        if finder.find(&seam).is_some() {
            return true;
        }
        if frame.len() > keep {
            seam.clear();
            seam.extend_from_slice(&frame[frame.len() - keep..]);
        }
        seam.drain(..seam.len().saturating_sub(keep));
    }
    false
}

struct Reader<'a, F> {
    cursor: Cursor<'a, F>,
    limits: PeekLimits,
    /// Containers open around the cursor.
    depth: u32,
    found: Peek,
    /// Members of the body's object so far.
    members: usize,
}

impl<'a, F: AsRef<[u8]>> Reader<'a, F> {
    /// Reads an object whose `{` is the next byte. `member` gets each key and reads the value.
    fn members(
        &mut self,
        member: impl Fn(&mut Self, Token<'a>) -> Result<(), PeekError>,
    ) -> Result<(), PeekError> {
        self.enter(self.depth + 1)?;
        self.depth += 1;
        self.cursor.bump();
        if self.cursor.expect_any()? != b'}' {
            loop {
                if self.cursor.expect_any()? != b'"' {
                    return self.cursor.fail(Flaw::Unexpected);
                }
                let key = self.cursor.string()?;
                self.cursor.expect(b':')?;
                member(self, key)?;
                match self.cursor.expect_any()? {
                    b',' => self.cursor.bump(),
                    b'}' => break,
                    b']' => return self.cursor.fail(Flaw::Unbalanced),
                    _ => return self.cursor.fail(Flaw::Unexpected),
                }
            }
        }
        self.cursor.bump();
        self.depth -= 1;
        Ok(())
    }

    fn body_member(&mut self, key: Token<'a>) -> Result<(), PeekError> {
        self.members += 1;
        if self.members > self.limits.max_keys {
            return Err(PeekError { offset: key.range.start, what: Flaw::TooManyKeys });
        }
        let key = name_of(key)?;
        self.found.keys.add(&key);
        match &*key {
            b"model" => {
                let model = self.string_value()?;
                self.found.model_range = model.as_ref().map(|token| token.range.clone());
                self.found.model = model.map(text_of).transpose()?;
            }
            b"user" => self.found.user = self.string_value()?.map(text_of).transpose()?,
            b"service_tier" | b"speed" => {
                if let Some(tier) = self.string_value()? {
                    self.found.service_tier = Some(text_of(tier)?);
                }
            }
            b"stream" => self.found.stream = self.bool_value()?,
            b"max_tokens" => self.found.max_tokens = self.count_value()?,
            b"max_completion_tokens" => self.found.max_completion_tokens = self.count_value()?,
            b"max_output_tokens" => self.found.max_output_tokens = self.count_value()?,
            b"n" => self.found.n = self.count_value()?,
            b"stream_options" => {
                self.found.include_usage = None;
                if self.cursor.expect_any()? == b'{' {
                    return self.members(Self::stream_option);
                }
                self.skip_value()?;
            }
            _ => self.skip_value()?,
        }
        Ok(())
    }

    fn stream_option(&mut self, key: Token<'a>) -> Result<(), PeekError> {
        if &*name_of(key)? != b"include_usage" {
            return self.skip_value();
        }
        self.found.include_usage = self.bool_value()?;
        Ok(())
    }

    /// The value, when it is a string.
    fn string_value(&mut self) -> Result<Option<Token<'a>>, PeekError> {
        if self.cursor.expect_any()? == b'"' {
            return self.cursor.string().map(Some);
        }
        self.skip_value()?;
        Ok(None)
    }

    /// The value, when it is `true` or `false`.
    fn bool_value(&mut self) -> Result<Option<bool>, PeekError> {
        let value = self.scalar_value()?;
        Ok(value.and_then(|token| match &*token.raw {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }))
    }

    /// The value, when it is a whole number that is not negative.
    fn count_value(&mut self) -> Result<Option<u64>, PeekError> {
        let value = self.scalar_value()?;
        Ok(value.and_then(|token| std::str::from_utf8(&token.raw).ok()?.parse().ok()))
    }

    /// The value, when it is neither a string nor a container.
    fn scalar_value(&mut self) -> Result<Option<Token<'a>>, PeekError> {
        if matches!(self.cursor.expect_any()?, b'"' | b'{' | b'[') {
            self.skip_value()?;
            return Ok(None);
        }
        self.cursor.scalar().map(Some)
    }

    fn skip_value(&mut self) -> Result<(), PeekError> {
        match self.cursor.expect_any()? {
            b'"' => {
                self.cursor.bump();
                self.cursor.skip_string().map(drop)
            }
            b'{' | b'[' => self.skip_container(),
            _ => self.cursor.scalar().map(drop),
        }
    }

    /// Reads past an object or array that begins at the next byte: brackets are matched, what is between is not read.
    fn skip_container(&mut self) -> Result<(), PeekError> {
        // One bit per open container, the innermost lowest: set for an array.
        let mut arrays = 0u128;
        let mut depth = self.depth;
        loop {
            match self.cursor.next_structure()? {
                b'"' => {
                    self.cursor.skip_string()?;
                }
                open @ (b'{' | b'[') => {
                    depth += 1;
                    self.enter(depth)?;
                    arrays = (arrays << 1) | u128::from(open == b'[');
                }
                close => {
                    if (arrays & 1 == 1) != (close == b']') {
                        return Err(PeekError { offset: self.cursor.offset() - 1, what: Flaw::Unbalanced });
                    }
                    arrays >>= 1;
                    depth -= 1;
                    if depth == self.depth {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn enter(&mut self, depth: u32) -> Result<(), PeekError> {
        if depth > self.limits.max_depth {
            return self.cursor.fail(Flaw::TooDeep);
        }
        self.found.max_depth = self.found.max_depth.max(depth);
        Ok(())
    }
}

/// A key's bytes, escapes undone.
fn name_of(token: Token<'_>) -> Result<Cow<'_, [u8]>, PeekError> {
    if !token.escaped {
        return Ok(token.raw);
    }
    text_of(token).map(|text| Cow::Owned(text.into_bytes()))
}

/// A string's text, escapes undone.
fn text_of(token: Token<'_>) -> Result<String, PeekError> {
    let bad = PeekError { offset: token.range.start, what: Flaw::BadString };
    if token.escaped {
        let quoted = [b"\"", &*token.raw, b"\""].concat();
        return serde_json::from_slice(&quoted).map_err(|_| bad);
    }
    if token.raw.iter().any(|byte| *byte < b' ') {
        return Err(bad);
    }
    String::from_utf8(token.raw.into_owned()).map_err(|_| bad)
}

#[cfg(test)]
mod tests;
