//! The kinds of objects and of changes, as words that the database keeps.

/// An enum that is stored as its word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        $(#[$meta])*
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// # Errors
            /// [`StoreError::Internal`](crate::StoreError) for a word that is none of these.
            pub fn parse(word: &str) -> Result<Self, $crate::StoreError> {
                match word {
                    $($word => Ok($name::$variant),)+
                    other => Err($crate::StoreError::internal(format_args!(
                        "{other:?} is no {}", stringify!($name)
                    ))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What an object is. The words are in databases and audit logs: they never change.
    Kind {
        Organisation = "organisation",
        Workspace = "workspace",
        User = "user",
        Member = "member",
        ApiKey = "api_key",
        Integration = "integration",
        Provider = "provider",
        Config = "config",
        Policy = "policy",
        Session = "session",
        Link = "link",
        LogExport = "log_export",
        SavedView = "saved_view",
        AlertRule = "alert_rule",
        /// Not an object: the store itself, in audit entries about master keys.
        Store = "store",
    }
}

words! {
    /// What happened to an object, for those who follow.
    Op {
        Insert = "insert",
        Update = "update",
        Delete = "delete",
    }
}

words! {
    /// What somebody did, for the audit log.
    Action {
        Create = "create",
        Update = "update",
        Delete = "delete",
        Publish = "publish",
        Export = "export",
        Rotate = "rotate",
        Revoke = "revoke",
        Manage = "manage",
        Duplicate = "duplicate",
        SignIn = "sign_in",
        SignOut = "sign_out",
    }
}
