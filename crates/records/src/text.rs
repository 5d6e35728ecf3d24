//! Text that is cheap to hand over: a constant, a share of what a snapshot holds, or the request's own.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Immutable text. Copying a constant or a share allocates nothing, so a record made of names that others hold costs a
/// few reference counts. Compares by content.
#[derive(Clone)]
pub enum Text {
    Fixed(&'static str),
    Shared(Arc<str>),
    Own(Box<str>),
    /// Made by [`Text::new`] and [`Text::of`].
    Short(Short),
}

/// A few bytes of text, where they are: most ids, names and amounts need no allocation.
#[derive(Debug, Clone, Copy)]
pub struct Short {
    length: u8,
    bytes: [u8; SHORT],
}

/// So that a text is no larger than without it.
const SHORT: usize = 22;

impl Short {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// Text that is being written, in its place for as long as it is short.
struct Draft {
    short: Short,
    long: String,
}

impl fmt::Write for Draft {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let length = usize::from(self.short.length);
        if self.long.is_empty() && length + text.len() <= SHORT {
            self.short.bytes[length..length + text.len()].copy_from_slice(text.as_bytes());
            self.short.length += text.len() as u8;
            return Ok(());
        }
        if self.long.is_empty() {
            self.long.push_str(std::str::from_utf8(self.short.as_bytes()).unwrap_or_default());
        }
        self.long.push_str(text);
        Ok(())
    }
}

impl Text {
    /// A copy.
    pub fn new(text: &str) -> Self {
        if text.len() > SHORT {
            return Self::Own(text.into());
        }
        let mut bytes = [0; SHORT];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Self::Short(Short { length: text.len() as u8, bytes })
    }

    /// What it displays as.
    pub fn of(value: &impl fmt::Display) -> Self {
        use fmt::Write as _;
        let short = Short { length: 0, bytes: [0; SHORT] };
        let mut draft = Draft { short, long: String::new() };
        // Only a `Display` that fails by itself fails here; what it wrote before stands.
        let _ = write!(draft, "{value}");
        if draft.long.is_empty() { Self::Short(draft.short) } else { Self::Own(draft.long.into()) }
    }

    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(text) => text.as_bytes(),
            other => other.as_str().as_bytes(),
        }
    }

    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Shared(text) => text,
            Self::Own(text) => text,
            // It was copied from text, so it is some.
            Self::Short(text) => std::str::from_utf8(text.as_bytes()).unwrap_or_default(),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Fixed("")
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Fixed(text)
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self::Shared(text)
    }
}

impl From<Box<str>> for Text {
    fn from(text: Box<str>) -> Self {
        Self::Own(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Own(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_texts_are_what_was_given() {
        assert_eq!(size_of::<Text>(), 24);
        for text in
            ["", "a", "gpt-4o", "exactly 22 bytes long.", "23 bytes, one too many.", "é".repeat(30).as_str()]
        {
            let (copied, shown) = (Text::new(text), Text::of(&text));
            assert_eq!((copied.as_str(), shown.as_str(), copied.len()), (text, text, text.len()));
            assert_eq!((copied.as_bytes(), copied.is_empty()), (text.as_bytes(), text.is_empty()));
        }
        assert_eq!(Text::of(&format_args!("{:>12}|{:>12}", 1, 2)), *"           1|           2");
        assert_eq!(Text::of(&format_args!("{}.{}", 12, "5")), *"12.5");
    }
}
