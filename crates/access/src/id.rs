//! Names of tenants and their own, each a type, so that none is taken for another.

use std::fmt;
use std::sync::Arc;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The same text, for whoever keeps it.
            pub fn shared(&self) -> Arc<str> {
                self.0.clone()
            }

            pub fn text(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )*};
}

ids! {
    /// An organisation's id. Every look-up is within one.
    OrganisationId,
    /// A workspace's id, not its slug: two organisations may have the same slug.
    WorkspaceId,
    UserId,
    KeyId
}

/// A workspace as callers may name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub slug: Arc<str>,
}
