//! Ids as types: a workspace's id cannot be taken for a key's. All are UUIDs of version 7, so that new rows go to the
//! end of an index.

use std::fmt;
use std::hash::Hash;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::StoreError;

/// What all ids can do.
pub trait EntityId: Copy + Eq + Ord + Hash + fmt::Debug + fmt::Display + Send + Sync + 'static {
    fn from_uuid(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;

    /// A new id that sorts by `unix_ms`.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when the system has no random bytes.
    fn make(unix_ms: u64) -> Result<Self, StoreError> {
        let bytes = random::<10>()?;
        Ok(Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(unix_ms, &bytes).into_uuid()))
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl EntityId for $name {
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
            fn uuid(self) -> Uuid { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = StoreError;
            fn from_str(text: &str) -> Result<Self, StoreError> { parse(text).map(Self) }
        }
    )+};
}

ids! {
    OrganisationId, WorkspaceId, UserId,
    /// A user's place in one workspace.
    MemberId,
    ApiKeyId, IntegrationId, ProviderId, ConfigId, PolicyId, SessionId,
    /// A job that exports logs.
    LogExportId,
    SavedViewId, AlertRuleId,
    /// Something that an alert rule told.
    AlertEventId,
    /// A link that works once: an invitation, a first sign-in.
    LinkId,
    /// One credential among those of a provider or an integration.
    CredentialId,
}

pub(crate) fn parse(text: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text).map_err(|_| StoreError::invalid("id", "is not a UUID"))
}

/// The id of one version of an object: made from both, so that it need not be kept.
pub fn version_id(object: Uuid, version: u64) -> Uuid {
    let hash = digest(&SHA256, &[object.as_bytes().as_slice(), &version.to_be_bytes()].concat());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Bytes nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::internal("the system has no random bytes"))?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// `<prefix><six letters of the name>-<six hex digits>`, the form of slugs that nobody chose.
///
/// # Errors
/// [`StoreError::Internal`] when the system has no random bytes.
pub fn make_slug(prefix: &str, name: &str) -> Result<String, StoreError> {
    let word: String =
        name.chars().filter(char::is_ascii_alphanumeric).take(6).map(|c| c.to_ascii_lowercase()).collect();
    let word = if word.is_empty() { "x".to_owned() } else { word };
    Ok(format!("{prefix}{word}-{}", hex(&random::<3>()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_read_back() {
        let early = ApiKeyId::make(1_000).unwrap();
        let late = ApiKeyId::make(2_000).unwrap();
        assert!(early < late);
        assert_eq!(early.to_string().parse::<ApiKeyId>().unwrap(), early);
        assert!("x".parse::<ApiKeyId>().is_err());
        assert_ne!(version_id(early.uuid(), 1), version_id(early.uuid(), 2));
    }

    #[test]
    fn hex_goes_both_ways() {
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(unhex("00abff"), Some(vec![0, 0xab, 0xff]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("zz"), None);
        assert_eq!(unhex("+1"), None);
    }

    #[test]
    fn slugs_have_their_form_whatever_the_name() {
        for (name, head) in [("My Config", "pc-myconf-"), ("é", "pc-x-"), ("a", "pc-a-")] {
            let slug = make_slug("pc-", name).unwrap();
            assert!(slug.starts_with(head) && slug.len() == head.len() + 6, "{slug}");
        }
    }
}
