//! The identity of an upstream: targets with the same key share health, also across configs and requests.
//!
//! Keys are hashes with a fixed function, so that sticky balancing chooses the same target in every process.
//! They are not reversible, and callers show a label, not the key.

use serde_json::Value;

use super::JsonMap;

/// Hash of what identifies an upstream and the account used there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TargetKey(pub u64);

/// Hash of the credential used at an upstream: two accounts at one provider fail separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountId(u64);

impl AccountId {
    /// `credential` is an API key as it came in, or the name of a stored one.
    pub fn of(credential: &str) -> Self {
        let mut hash = StableHash::new();
        hash.text(credential);
        Self(hash.finish())
    }
}

impl TargetKey {
    pub fn of(
        provider: &str,
        custom_host: Option<&str>,
        account: Option<AccountId>,
        options: &JsonMap,
    ) -> Self {
        let mut hash = StableHash::new();
        hash.text(provider);
        hash.text(custom_host.unwrap_or(""));
        hash.number(account.map_or(0, |account| account.0));
        for (name, value) in options {
            hash.text(name);
            hash.value(value);
        }
        Self(hash.finish())
    }
}

/// FNV-1a with a SplitMix finish: the same in every process and release.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StableHash(u64);

impl StableHash {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Texts are separated: `("ab", "c")` and `("a", "bc")` differ.
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text(text),
            other => self.text(&other.to_string()),
        }
    }

    pub(crate) fn finish(self) -> u64 {
        let mut z = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identifies_an_upstream_changes_the_key() {
        let options = |region: &str| {
            let mut map = JsonMap::new();
            map.insert("aws_region".into(), Value::from(region));
            map
        };
        let keys = [
            TargetKey::of("openai", None, None, &JsonMap::new()),
            TargetKey::of("openai", Some("http://a"), None, &JsonMap::new()),
            TargetKey::of("openai", None, Some(AccountId::of("http://a")), &JsonMap::new()),
            TargetKey::of("bedrock", None, None, &options("eu")),
            TargetKey::of("bedrock", None, None, &options("us")),
        ];
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_ne!(a, b);
            }
        }
        assert_eq!(keys[0], TargetKey::of("openai", None, None, &JsonMap::new()));
    }

    #[test]
    fn keys_do_not_change_between_releases() {
        assert_eq!(TargetKey::of("openai", None, None, &JsonMap::new()), TargetKey(0xa46c_4cd8_d828_dc49));
        assert_eq!(AccountId::of("k"), AccountId(0x4b55_319c_9f07_9005));
    }
}
