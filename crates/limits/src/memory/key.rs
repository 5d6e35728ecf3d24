//! Names of counters, hashed once and outside the lock.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use crate::demand::{Layer, Scope};

/// A key that can be looked up without owning it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyRef<'a> {
    pub(super) hash: u64,
    scope: Scope,
    /// How many layers of the same name come before it in the demand.
    ordinal: u32,
    id: &'a str,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    hash: u64,
    scope: Scope,
    ordinal: u32,
    id: Arc<str>,
}

/// What both have in common, so that a map of [`Key`] answers for a [`KeyRef`].
pub(super) trait AsKey {
    fn as_key(&self) -> KeyRef<'_>;
}

/// Hands on a hash that was made before. Text of clients is in it (users, addresses), so it was made with the standard
/// library's keyed hash.
#[derive(Debug, Default)]
pub(super) struct Ready(u64);

impl<'a> KeyRef<'a> {
    /// The name of `layers[i]`. Costs a comparison with each layer before it.
    pub(super) fn of(layers: &[Layer<'a>], i: usize, hasher: &impl BuildHasher) -> Option<Self> {
        let Layer { scope, id, .. } = *layers.get(i)?;
        let before = layers.iter().take(i).filter(|layer| layer.scope == scope && layer.id == id);
        let ordinal = u32::try_from(before.count()).unwrap_or(u32::MAX);
        let hash = hasher.hash_one((scope as u8, id)).wrapping_add(u64::from(ordinal));
        Some(Self { hash, scope, ordinal, id })
    }

    pub(super) fn to_key(self) -> Key {
        Key { hash: self.hash, scope: self.scope, ordinal: self.ordinal, id: Arc::from(self.id) }
    }
}

impl AsKey for Key {
    fn as_key(&self) -> KeyRef<'_> {
        KeyRef { hash: self.hash, scope: self.scope, ordinal: self.ordinal, id: &self.id }
    }
}

impl AsKey for KeyRef<'_> {
    fn as_key(&self) -> KeyRef<'_> {
        *self
    }
}

impl<'a> Borrow<dyn AsKey + 'a> for Key {
    fn borrow(&self) -> &(dyn AsKey + 'a) {
        self
    }
}

impl Hash for dyn AsKey + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.as_key().hash);
    }
}

impl PartialEq for dyn AsKey + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.as_key() == other.as_key()
    }
}

impl Eq for dyn AsKey + '_ {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_key() == other.as_key()
    }
}

impl Eq for Key {}

impl Hasher for Ready {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
