//! The places at once that requests of this replica have: what it must renew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Permits and the keys at which each holds a place.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<HashMap<u64, Box<[String]>>>);

impl Held {
    pub(crate) fn add(&self, permit: u64, keys: Box<[String]>) {
        self.lock().insert(permit, keys);
    }

    pub(crate) fn remove(&self, permit: u64) {
        self.lock().remove(&permit);
    }

    /// Each key and the permit there.
    pub(crate) fn all(&self) -> Vec<(String, u64)> {
        let held = self.lock();
        held.iter().flat_map(|(permit, keys)| keys.iter().map(|key| (key.clone(), *permit))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Box<[String]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
