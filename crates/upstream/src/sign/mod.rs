//! Credentials on the wire: how a key is shown to an upstream. One file per way of signing, one entry in [`Scheme`].
//!
//! A signer writes into the head of a request and does nothing else: no token is fetched and no clock is read here. It
//! replaces what the request already has in that place, so a client's own credentials never travel on. Header values
//! are marked sensitive, which keeps them out of debug output and out of HTTP/2's header tables.

mod bearer;
mod header;
mod query;
pub mod sigv4;

use std::fmt;

use bytes::Bytes;
use http::HeaderName;
use http::request::Parts;
use tidegate_core::Secret;

pub use sigv4::SigV4;

/// How an upstream wants to be shown the key.
#[derive(Debug, Clone)]
pub enum Scheme {
    /// `authorization: Bearer {key}`; for OAuth access tokens too.
    Bearer,
    /// `{name}: {prefix}{key}`: `x-api-key`, `api-key`, `authorization: Token {key}`.
    Header { name: HeaderName, prefix: Box<str> },
    /// `?{name}={key}`. The key becomes part of the URL: do not log the URL of a signed request.
    Query { name: Box<str> },
    /// AWS Signature Version 4; the key is the secret access key.
    SigV4(SigV4),
    /// Nothing is shown: the upstream wants no key.
    None,
}

/// Why a request could not be signed. None of the texts shows any of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignError {
    /// The scheme needs a key and there is none.
    NoKey,
    /// A key, or what goes with it, has characters no header may carry: most often a line break pasted along.
    NotAHeaderValue,
    /// The URL has no host, or does not survive another query parameter.
    Url,
    /// SigV4 covers the whole body, and this one is a stream.
    BodyNotHeld,
}

/// Shows `key` to the upstream as `scheme` says. `body` is the pieces of the request's body, or `None` where it is a
/// stream; `unix_ms` asks the wall clock. Only SigV4 reads those two: sign last, after every other change to the request.
///
/// # Errors
///
/// [`SignError`]; the request is then not to be sent.
pub fn apply(
    scheme: &Scheme,
    key: &Secret,
    parts: &mut Parts,
    body: Option<&[Bytes]>,
    unix_ms: impl FnOnce() -> u64,
) -> Result<(), SignError> {
    match scheme {
        Scheme::None => Ok(()),
        _ if key.is_empty() => Err(SignError::NoKey),
        Scheme::Bearer => bearer::apply(key, parts),
        Scheme::Header { name, prefix } => header::apply(name, prefix, key, parts),
        Scheme::Query { name } => query::apply(name, key, parts),
        Scheme::SigV4(account) => sigv4::apply(account, key, parts, body, unix_ms()),
    }
}

/// True for Anthropic's OAuth access tokens, which go as bearers where its API keys go in a header of their own.
pub fn is_oauth_token(key: &Secret) -> bool {
    key.expose().starts_with("sk-ant-oat")
}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoKey => "this provider needs an API key, and none is configured or sent",
            Self::NotAHeaderValue => {
                "the API key has characters that cannot be sent in a header (a line break?)"
            }
            Self::Url => "the upstream URL cannot be signed",
            Self::BodyNotHeld => {
                "a streamed body cannot be signed for AWS: its whole content has to be known"
            }
        })
    }
}

impl std::error::Error for SignError {}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(url: &str) -> Parts {
        let request =
            Request::post(url).header("authorization", "Bearer client").header("x-api-key", "client");
        request.body(()).unwrap().into_parts().0
    }

    fn named(name: &'static str, prefix: &str) -> Scheme {
        Scheme::Header { name: HeaderName::from_static(name), prefix: prefix.into() }
    }

    #[test]
    fn a_key_goes_where_the_scheme_says_and_replaces_what_is_there() {
        let cases = [
            (Scheme::Bearer, "authorization", "Bearer k-1"),
            (named("x-api-key", ""), "x-api-key", "k-1"),
            (named("authorization", "Token "), "authorization", "Token k-1"),
        ];
        for (scheme, name, expected) in cases {
            let mut parts = head("https://api.example/v1");
            apply(&scheme, &Secret::from("k-1"), &mut parts, None, || 0).unwrap();
            let values: Vec<_> = parts.headers.get_all(name).iter().collect();
            assert_eq!(values, [expected]);
            assert!(values[0].is_sensitive(), "{name}");
        }
    }

    #[test]
    fn a_key_in_the_query_is_encoded_and_replaces_what_is_there() {
        let cases = [
            ("https://h.example/v1", "/v1?key=k%2F1%20%26"),
            ("https://h.example", "/?key=k%2F1%20%26"),
            ("https://h.example/v1?", "/v1?key=k%2F1%20%26"),
            ("https://h.example/v1?alt=sse", "/v1?alt=sse&key=k%2F1%20%26"),
            ("https://h.example/v1?key=client&alt=sse&key", "/v1?alt=sse&key=k%2F1%20%26"),
            ("https://h.example/v1?monkey=1", "/v1?monkey=1&key=k%2F1%20%26"),
        ];
        for (url, expected) in cases {
            let mut parts = head(url);
            apply(&Scheme::Query { name: "key".into() }, &Secret::from("k/1 &"), &mut parts, None, || 0)
                .unwrap();
            assert_eq!(parts.uri.path_and_query().unwrap(), expected, "{url}");
            assert_eq!(parts.uri.host(), Some("h.example"));
        }
    }

    #[test]
    fn a_scheme_without_a_key_changes_nothing() {
        let mut parts = head("https://api.example/v1");
        apply(&Scheme::None, &Secret::from(""), &mut parts, None, || 0).unwrap();
        assert_eq!(parts.headers["authorization"], "Bearer client");
    }

    #[test]
    fn what_cannot_be_signed_is_refused_without_showing_the_key() {
        let aws = Scheme::SigV4(SigV4 {
            access_key_id: "AK".into(),
            session_token: None,
            region: "us-east-1".into(),
            service: "bedrock".into(),
        });
        let cases = [
            (Scheme::Bearer, "", "https://h.example/", SignError::NoKey),
            (aws.clone(), "", "https://h.example/", SignError::NoKey),
            (Scheme::Bearer, "sk\n1", "https://h.example/", SignError::NotAHeaderValue),
            (named("x-api-key", ""), "sk\r\nx: y", "https://h.example/", SignError::NotAHeaderValue),
            (aws, "sk", "https://h.example/", SignError::BodyNotHeld),
        ];
        for (scheme, key, url, expected) in cases {
            let got = apply(&scheme, &Secret::from(key), &mut head(url), None, || 0);
            assert_eq!(got, Err(expected), "{scheme:?} {key:?}");
            assert!(!expected.to_string().contains("sk"));
        }
    }

    #[test]
    fn oauth_tokens_are_told_from_api_keys() {
        for (key, token) in [("sk-ant-oat01-x", true), ("sk-ant-api03-x", false), ("", false)] {
            assert_eq!(is_oauth_token(&Secret::from(key)), token, "{key}");
        }
    }
}
