//! Step 2. Who calls, and what credential they brought.
//!
//! Today a caller is whoever reaches the listener (loopback unless told otherwise), and the credential is a provider's
//! key of their own, as in the reference. Keys that the gateway itself hands out will be judged here.

use http::{HeaderMap, HeaderValue, header};
use tidegate_core::Secret;

/// The caller, as far as the path needs to know.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// A provider key from `Authorization: Bearer` or `x-api-key`.
    pub credential: Option<Secret>,
}

pub fn identify(headers: &HeaderMap) -> Caller {
    let bearer = headers.get(header::AUTHORIZATION).and_then(bearer);
    let credential = bearer.or_else(|| headers.get("x-api-key").and_then(text));
    Caller { credential: credential.filter(|key| !key.is_empty()).map(Secret::from) }
}

/// The scheme is matched without regard to case; a value without one is taken as the key itself.
fn bearer(value: &HeaderValue) -> Option<&str> {
    let value = text(value)?;
    match value.split_at_checked(7) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer ") => Some(key.trim()),
        _ if value.eq_ignore_ascii_case("bearer") => None,
        _ => Some(value),
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials() {
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Headers, Option<&str>)] = &[
            (&[("authorization", "Bearer k")], Some("k")),
            (&[("authorization", "bearer  k ")], Some("k")),
            (&[("authorization", "k")], Some("k")),
            (&[("authorization", "Bearer ")], None),
            (&[("x-api-key", "a"), ("authorization", "Bearer b")], Some("b")),
            (&[("x-api-key", "a")], Some("a")),
            (&[], None),
        ];
        for (given, want) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in *given {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            let caller = identify(&headers);
            assert_eq!(caller.credential.as_ref().map(Secret::expose), *want, "{given:?}");
        }
    }
}
