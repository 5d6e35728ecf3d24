//! A credential that cannot be printed, logged or serialised by accident, and is compared in constant time.

use std::fmt;
use zeroize::Zeroizing;

/// A provider key, token or password. `Debug` shows nothing of it, there is no `Display` and no `Serialize`, and the
/// memory is overwritten when the last copy goes. The one way to the text is [`Secret::expose`]; a test counts the
/// files that call it.
#[derive(Clone)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The credential itself, for the signer that puts it on the wire.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Takes as long whatever the texts have in common.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.expose().as_bytes(), other.expose().as_bytes());
        one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::from("sk-very-secret");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(format!("{:#?}", Some(&secret)), "Some(\n    Secret(***),\n)");
    }
}
