//! How a provider's requests are signed for. The facts only: the signers live with the code that opens sockets.

use serde::de::{Deserialize, Deserializer, Error};

use crate::pairs::Pairs;

/// What a provider wants to see. `alternatives` are other schemes the same API takes, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    pub scheme: AuthScheme,
    pub alternatives: Vec<AuthScheme>,
    /// Headers that go with every request; values may hold template variables. See
    /// [`Provider::headers`](crate::Provider::headers).
    pub(crate) extra_headers: Pairs,
    /// The key may be missing.
    pub optional: bool,
}

/// Where a credential goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthScheme {
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// Header `name`, value `prefix` followed by the key.
    Header {
        name: &'static str,
        prefix: &'static str,
    },
    /// Query parameter `name`.
    Query {
        name: &'static str,
    },
    /// AWS Signature version 4 for `service`.
    SigV4 {
        service: &'static str,
    },
    /// A token exchange of its own, called `name`; the token then goes as a bearer.
    OAuth {
        name: &'static str,
        scope: Option<&'static str>,
    },
    /// Oracle's HTTP signature.
    Oci,
    None,
}

impl Auth {
    /// The scheme for a call with or without a key: servers that need none still take one where an alternative says
    /// how.
    pub fn scheme_for(&self, has_key: bool) -> AuthScheme {
        match (self.scheme, has_key) {
            (AuthScheme::None, true) => self.alternatives.first().copied().unwrap_or(AuthScheme::None),
            (scheme, _) => scheme,
        }
    }

    /// Whether a call without a key makes sense.
    pub fn is_keyless(&self) -> bool {
        self.optional || self.scheme == AuthScheme::None
    }
}

/// A scheme as written; the row's own and its alternatives have the same members.
#[derive(serde::Deserialize)]
struct RawScheme {
    scheme: &'static str,
    name: Option<&'static str>,
    prefix: Option<&'static str>,
    service: Option<&'static str>,
    scope: Option<&'static str>,
    #[serde(default)]
    alternatives: Vec<RawScheme>,
    #[serde(default)]
    extra_headers: Pairs,
    #[serde(default)]
    optional: bool,
}

impl Deserialize<'static> for Auth {
    fn deserialize<D: Deserializer<'static>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = RawScheme::deserialize(deserializer)?;
        let alternatives = raw.alternatives.iter().map(RawScheme::read).collect::<Result<_, _>>();
        Ok(Self {
            scheme: raw.read().map_err(D::Error::custom)?,
            alternatives: alternatives.map_err(D::Error::custom)?,
            extra_headers: raw.extra_headers,
            optional: raw.optional,
        })
    }
}

impl RawScheme {
    fn read(&self) -> Result<AuthScheme, String> {
        let missing = |member| format!("auth scheme {} needs `{member}`", self.scheme);
        Ok(match self.scheme {
            "bearer" => AuthScheme::Bearer,
            "header" => AuthScheme::Header {
                name: self.name.ok_or_else(|| missing("name"))?,
                prefix: self.prefix.unwrap_or(""),
            },
            "query" => AuthScheme::Query { name: self.name.ok_or_else(|| missing("name"))? },
            "sigv4" => AuthScheme::SigV4 { service: self.service.ok_or_else(|| missing("service"))? },
            "oauth" => {
                AuthScheme::OAuth { name: self.name.ok_or_else(|| missing("name"))?, scope: self.scope }
            }
            "oci" => AuthScheme::Oci,
            "none" => AuthScheme::None,
            other => return Err(format!("unknown auth scheme {other}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{UrlError, catalog};

    #[test]
    fn header_names_are_in_lower_case() {
        for provider in catalog() {
            let auth = &provider.auth;
            let schemes = auth.alternatives.iter().chain([&auth.scheme]).filter_map(|scheme| match scheme {
                AuthScheme::Header { name, .. } => Some(*name),
                _ => None,
            });
            for name in schemes.chain(auth.extra_headers.iter().map(|(name, _)| name)) {
                let is_token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
                assert!(name.bytes().all(is_token), "{}: {name}", provider.id);
            }
        }
    }

    #[test]
    fn schemes() {
        let scheme = |id: &str, has_key| catalog().get(id).unwrap().auth.scheme_for(has_key);
        assert_eq!(scheme("openai", true), AuthScheme::Bearer);
        assert_eq!(scheme("anthropic", true), AuthScheme::Header { name: "x-api-key", prefix: "" });
        assert_eq!(scheme("bytez", true), AuthScheme::Header { name: "authorization", prefix: "Key " });
        assert_eq!(scheme("palm", true), AuthScheme::Query { name: "key" });
        assert_eq!(scheme("bedrock", true), AuthScheme::SigV4 { service: "bedrock" });
        assert_eq!(scheme("ollama", false), AuthScheme::None);
        assert_eq!(scheme("ollama", true), AuthScheme::Bearer, "a server behind a proxy that wants a key");
        let keyless: Vec<_> = catalog().iter().filter(|p| p.auth.is_keyless()).map(|p| p.id).collect();
        assert!(keyless.contains(&"modal") && keyless.contains(&"vllm") && !keyless.contains(&"openai"));
    }

    #[test]
    fn extra_headers_are_filled_in() {
        let headers = |id: &str, options: &'static [(&str, &str)]| {
            let lookup = |name: &str| options.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
            catalog().get(id).unwrap().headers(&lookup)
        };
        let one = |name, value: &str| Ok(vec![(name, value.to_owned())]);
        assert_eq!(headers("openai", &[]), Ok(Vec::new()));
        assert_eq!(headers("anthropic", &[]), one("anthropic-version", "2023-06-01"));
        assert_eq!(headers("azure-ai", &[]), one("extra-parameters", "drop"));
        let passed = headers("azure-ai", &[("azure_extra_parameters", "pass-through")]);
        assert_eq!(passed, one("extra-parameters", "pass-through"));
        let names = vec!["workspace"];
        assert_eq!(
            headers("anthropic-aws", &[]),
            Err(UrlError::MissingOptions { provider: "anthropic-aws", names })
        );
        let split = headers("anthropic-aws", &[("workspace", "a\r\nb: c")]);
        assert_eq!(split, Err(UrlError::BadOption { provider: "anthropic-aws", name: "workspace" }));
    }
}
