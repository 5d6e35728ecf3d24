//! From an address to a server: `postgres://user:password@host/database?sslmode=verify-full`.

use std::fmt;
use std::str::FromStr;

use tidegate_trust::{Asked, Check, Roots};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::Server;

/// An address that cannot be used. It is not told, as it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress(pub(crate) String);

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadAddress {}

impl FromStr for Server {
    type Err = BadAddress;

    /// `sslmode` is `disable` (the default), `prefer` (encrypted where the server offers it), `require` (encrypted,
    /// whoever it is), `verify-ca` or `verify-full` (encrypted, and the server's certificate is looked at; the latter for
    /// its name too). `sslrootcert` is a file with the certificates that are believed, or `system`, which is the default;
    /// with it `require` is `verify-ca`, as in PostgreSQL's own programs.
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let Asked { address, mode, roots } = Asked::of(text);
        let mut config: Config = address.parse().map_err(|_| {
            BadAddress("it cannot be read; write postgres://user:password@host/database".to_owned())
        })?;
        let (mode, check) = match (mode.as_deref().unwrap_or("disable"), &roots) {
            ("disable", None) => (SslMode::Disable, None),
            ("disable", Some(_)) => {
                return Err(BadAddress("sslrootcert has no effect without sslmode=verify-full".to_owned()));
            }
            ("prefer", None) => (SslMode::Prefer, Some(Check::Nothing)),
            ("require", None) => (SslMode::Require, Some(Check::Nothing)),
            ("require" | "verify-ca", _) => (SslMode::Require, Some(Check::Issuer)),
            ("verify-full", _) => (SslMode::Require, Some(Check::Full)),
            ("prefer", Some(_)) => {
                return Err(BadAddress(
                    "sslrootcert has no effect with sslmode=prefer; write verify-full".to_owned(),
                ));
            }
            _ => {
                let known = "disable, prefer, require, verify-ca or verify-full";
                return Err(BadAddress(format!("its sslmode is not accepted; write {known}")));
            }
        };
        config.ssl_mode(mode);
        let tls =
            check.map(|check| tidegate_trust::config(check, roots.unwrap_or(Roots::System))).transpose();
        let tls = tls.map_err(|error| BadAddress(error.to_string()))?;
        Ok(Self { config, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_postgresql_has_them() {
        for (query, is_encrypted) in [
            ("", false),
            ("?sslmode=disable", false),
            ("?connect_timeout=5", false),
            ("?sslmode=prefer", true),
            ("?sslmode=require", true),
            ("?connect_timeout=5&sslmode=require&application_name=a", true),
            ("?sslmode=verify-full", true),
            ("?sslmode=verify-ca&sslrootcert=system", true),
        ] {
            let server: Server = format!("postgres://me:secret@db.example.org/tide{query}").parse().unwrap();
            assert_eq!((server.tls.is_some(), server.database()), (is_encrypted, Some("tide")), "{query}");
            assert!(!format!("{server:?}").contains("secret"));
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_password() {
        for (query, wrong) in [
            ("?sslmode=verify", "sslmode"),
            ("?sslmode=", "sslmode"),
            ("?sslrootcert=a.pem", "sslrootcert"),
            ("?sslmode=prefer&sslrootcert=a.pem", "sslrootcert"),
            ("?sslmode=verify-full&sslrootcert=/no/such%20file.pem", "/no/such file.pem"),
            ("?sslmoed=require", "cannot be read"),
        ] {
            let error =
                format!("postgres://me:secret@db/tide{query}").parse::<Server>().unwrap_err().to_string();
            assert!(error.contains(wrong) && !error.contains("secret"), "{query}: {error}");
        }
    }
}
