//! The one file in which secrets leave their type: a key or a link is told once, to whoever made it.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};
use tidegate_core::Secret;

/// A secret in the body of the reply that is the only one to have it.
#[derive(Debug, Clone)]
pub(crate) struct Disclosed(pub(crate) Secret);

impl Serialize for Disclosed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl JsonSchema for Disclosed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Disclosed".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

/// `base` + `/sign-in?token=` + the link's text.
pub(crate) fn link(base: &str, token: &Secret) -> Disclosed {
    Disclosed(Secret::from(format!("{}/sign-in?token={}", base.trim_end_matches('/'), token.expose())))
}

/// The `set-cookie` value of a sign-in; not to be read by scripts.
pub(crate) fn cookie(name: &str, token: &Secret, max_age_s: u64, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}", token.expose())
}

/// Puts a secret into the form that is sent to whom it is for.
pub(crate) fn append(form: &mut form_urlencoded::Serializer<'_, String>, name: &str, secret: &Secret) {
    form.append_pair(name, secret.expose());
}

/// What is made from the text of a secret.
pub(crate) fn read<T>(secret: &Secret, make: impl FnOnce(&str) -> T) -> T {
    make(secret.expose())
}

/// What is made from the bytes of a secret.
pub(crate) fn keyed<T>(secret: &Secret, make: impl FnOnce(&[u8]) -> T) -> T {
    make(secret.expose().as_bytes())
}

/// Whether a text may be taken over as a key.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_import(secret: &Secret) -> Result<(), &'static str> {
    tidegate_access::key::check_import(secret.expose())
}
