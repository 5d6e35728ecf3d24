//! The one member of a body that is a secret.

use serde::{Serialize, Serializer};
use tidegate_core::Secret;

/// A key on its way into a request's body.
#[derive(Debug)]
pub(crate) struct Shown<'a>(pub(crate) &'a Secret);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose())
    }
}
