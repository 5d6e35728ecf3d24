//! What an address says of encryption: `…?sslmode=verify-full&sslrootcert=/path/ca.pem`.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::Roots;

/// An address, and what it says of encryption.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The address without the two below.
    pub address: String,
    /// `sslmode`, as it was written.
    pub mode: Option<String>,
    /// `sslrootcert`: `system`, or a file.
    pub roots: Option<Roots>,
}

impl Asked {
    pub fn of(address: &str) -> Self {
        let mut asked = Self { address: address.to_owned(), mode: None, roots: None };
        let Some((place, query)) = address.split_once('?').filter(|_| address.contains("://")) else {
            return asked;
        };
        let decoded = |value: &str| percent_decode_str(value).decode_utf8_lossy().into_owned();
        let mut others = Vec::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("sslmode", value)) => asked.mode = Some(decoded(value)),
                Some(("sslrootcert", "system")) => asked.roots = Some(Roots::System),
                Some(("sslrootcert", path)) => asked.roots = Some(Roots::File(PathBuf::from(decoded(path)))),
                _ => others.push(pair),
            }
        }
        let others = others.join("&");
        asked.address = if others.is_empty() { place.to_owned() } else { format!("{place}?{others}") };
        asked
    }
}

impl std::fmt::Debug for Asked {
    /// Without the address: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked").field("mode", &self.mode).field("roots", &self.roots).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_is_taken_out_and_the_rest_stays() {
        let asked =
            Asked::of("rediss://me:secret@host/1?sslmode=verify-ca&protocol=resp3&sslrootcert=/a%20b.pem");
        assert_eq!(asked.address, "rediss://me:secret@host/1?protocol=resp3");
        assert_eq!(asked.mode.as_deref(), Some("verify-ca"));
        assert_eq!(asked.roots, Some(Roots::File(PathBuf::from("/a b.pem"))));
        assert!(!format!("{asked:?}").contains("secret"));
        let plain = Asked::of("host=db user=me");
        assert_eq!((plain.address.as_str(), plain.mode, plain.roots), ("host=db user=me", None, None));
        assert_eq!(Asked::of("redis://h/?sslrootcert=system").roots, Some(Roots::System));
    }
}
