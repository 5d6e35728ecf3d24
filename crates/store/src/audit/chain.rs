//! How entries are chained.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

/// The key of the chain. Cheap to clone.
#[derive(Clone)]
pub struct ChainKey(Arc<hmac::Key>);

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey(***)")
    }
}

impl ChainKey {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The hash of entry `seq`. `before` is the hash of the entry before it, empty for the first.
    pub fn link(&self, before: &[u8], seq: u64, entry: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(before.len() as u64).to_be_bytes());
        context.update(before);
        context.update(&seq.to_be_bytes());
        context.update(entry.as_bytes());
        context.sign().as_ref().to_vec()
    }
}

pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}
