//! Headers: the values of named ones and of all that hold credentials are taken out.

use super::scrub::Secrets;
use super::{Policy, REDACTED, json};
use crate::text::Text;

/// Parts of names that tell of credentials.
const TELLTALE: [&str; 9] =
    ["authorization", "cookie", "key", "token", "secret", "password", "credential", "signature", "assertion"];
/// Names with such a part that hold none.
const HARMLESS: [&str; 4] = ["x-ratelimit-", "ratelimit-", "x-tidegate-ratelimit-", "anthropic-ratelimit-"];

pub(super) fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !HARMLESS.iter().any(|start| name.starts_with(start)) && TELLTALE.iter().any(|part| name.contains(part))
}

pub(super) fn redact(headers: &[(Text, Text)], policy: &Policy, secrets: &Secrets) -> Vec<(Text, Text)> {
    let one = |(name, value): &(Text, Text)| {
        let named = policy.headers.iter().any(|header| header.eq_ignore_ascii_case(name));
        if named || is_credential(name) {
            return (name.clone(), REDACTED.into());
        }
        // Configs travel in headers, with keys in them.
        let value = if value.trim_start().starts_with(['{', '[']) {
            json::redact(value.as_bytes(), policy).text
        } else {
            value.to_string()
        };
        (name.clone(), secrets.scrub(value, false).into())
    };
    headers.iter().map(one).collect()
}
