//! How servers that the operator names are believed to be who they say: PostgreSQL and Redis alike, in the words of
//! PostgreSQL's own programs.
//!
//! [`Asked`] takes `sslmode` and `sslrootcert` out of an address, [`config`] makes of them what rustls is to be given. Pure
//! but for the file of certificates, which is read once.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod asked;
mod config;

use std::fmt;

pub use asked::Asked;
pub use config::{Check, Roots, config};

/// Why nobody could be believed. Says nothing of the address, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted(pub(crate) String);

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Untrusted {}
