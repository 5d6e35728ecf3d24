//! Who brings notices to channels.

use std::fmt;
use std::pin::Pin;

use tidegate_alerts::{Notice, Way};

/// Whether it arrived; if not, why, in words without secrets.
pub type Delivered<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Brings notices to channels. Addresses are judged as those of providers are.
pub trait Messenger: fmt::Debug + Send + Sync {
    /// Tries until it arrives or there is no hope.
    fn deliver<'a>(&'a self, way: &'a Way, notice: &'a Notice) -> Delivered<'a>;

    /// Tries once: somebody waits.
    fn attempt<'a>(&'a self, way: &'a Way, notice: &'a Notice) -> Delivered<'a>;
}
