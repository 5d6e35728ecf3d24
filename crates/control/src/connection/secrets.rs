//! Credentials as they are entered. Texts become secrets here; errors name members and never quote what was entered.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tidegate_catalog::Provider;
use tidegate_core::Secret;
use tidegate_store::StoreError;
use tidegate_store::entity::{Connection, CredentialState, NewCredential};
use tidegate_store::id::CredentialId;
use tidegate_store::vault::Material;

use super::entry;
use crate::patch::Patch;
use crate::problem::Problem;

/// The longest key, in bytes. Service accounts are longer than keys.
const LONGEST: usize = 16 << 10;
/// Credentials of one pool.
const MOST: usize = 100;

/// Whatever stands where a secret belongs. Not shown by `Debug`, and read by hand: serde's own errors quote.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Entered(Value);

/// `credentials` in a body, likewise.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Pool(Value);

/// Members with names of which some are secrets.
#[derive(Clone, Default)]
pub(crate) struct Members(pub(super) Map<String, Value>);

/// What becomes of a connection's credentials.
#[derive(Debug, Clone)]
pub(super) enum NewPool {
    Keep,
    Replace(Vec<Entry>),
}

/// One credential of a pool.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    New(NewCredential),
    /// One that is stored, with what is to change.
    Known {
        id: CredentialId,
        weight: Option<u32>,
        label: Option<String>,
        state: Option<CredentialState>,
    },
}

impl NewPool {
    /// `options` are the secret ones among the body's members. A `key` is the first of the pool.
    pub(super) fn read(
        row: &Provider,
        key: Patch<Entered>,
        pool: Patch<Pool>,
        options: BTreeMap<String, Secret>,
    ) -> Result<Self, Problem> {
        if matches!((&key, &pool), (Patch::Keep, Patch::Keep)) && options.is_empty() {
            return Ok(Self::Keep);
        }
        let key = key.set().map(|key| text("key", key.0)).transpose()?;
        let mut entries = Vec::new();
        if key.is_some() || !options.is_empty() {
            whole("", &options)?;
            let material = Material { key, options };
            entries.push(Entry::New(NewCredential { label: String::new(), weight: 1, material }));
        }
        if let Patch::Set(Pool(value)) = pool {
            let Value::Array(items) = value else {
                let expected = "an array of {\"key\", \"weight\", \"label\"}";
                return Err(Problem::field("credentials", "is not an array", expected));
            };
            for (at, item) in items.into_iter().enumerate() {
                entries.push(entry::read(row, &format!("credentials[{at}]"), item)?);
            }
        }
        if entries.len() > MOST {
            let problem = format!("{} credentials are too many", entries.len());
            return Err(Problem::field("credentials", problem, format!("at most {MOST}")));
        }
        Ok(Self::Replace(entries))
    }

    /// # Errors
    /// 400 for an id that is not in the pool.
    pub(super) fn check(&self, connection: &Connection) -> Result<(), Problem> {
        let Self::Replace(entries) = self else { return Ok(()) };
        for (at, entry) in entries.iter().enumerate() {
            if let Entry::Known { id, .. } = entry
                && !connection.credentials.iter().any(|known| known.id == *id)
            {
                let expected = "the id of a credential of this pool, or none for a new one";
                return Err(Problem::field(&format!("credentials[{at}].id"), "is not there", expected));
            }
        }
        Ok(())
    }

    pub(super) fn apply(&self, connection: &mut Connection, now: u64) -> Result<(), StoreError> {
        let Self::Replace(entries) = self else { return Ok(()) };
        let old = std::mem::take(&mut connection.credentials);
        for entry in entries {
            match entry {
                Entry::New(new) => drop(connection.add_credential(new.clone(), now)?),
                Entry::Known { id, weight, label, state } => {
                    let Some(mut known) = old.iter().find(|known| known.id == *id).cloned() else { continue };
                    known.weight = weight.unwrap_or(known.weight);
                    known.state = state.unwrap_or(known.state);
                    if let Some(label) = label {
                        known.label.clone_from(label);
                    }
                    connection.credentials.push(known);
                }
            }
        }
        Ok(())
    }
}

/// A secret option: a text, or a service account as the object that its file holds.
pub(super) fn option(field: &str, value: Value) -> Result<Secret, Problem> {
    match value {
        Value::Object(members) if members.contains_key("private_key") => {
            Ok(Secret::from(Value::Object(members).to_string()))
        }
        Value::String(account) if account.trim_start().starts_with('{') && account.len() <= LONGEST => {
            let read = serde_json::from_str::<Map<String, Value>>(&account).ok();
            let account = read.filter(|members| members.contains_key("private_key"));
            let expected = "the JSON of a service account, with its private_key";
            let account = account.ok_or_else(|| Problem::field(field, "cannot be read", expected))?;
            Ok(Secret::from(Value::Object(account).to_string()))
        }
        value => text(field, value),
    }
}

/// A credential that is sent in a header.
pub(super) fn text(field: &str, value: Value) -> Result<Secret, Problem> {
    let Value::String(text) = value else {
        return Err(Problem::field(field, "is not a text", "a text"));
    };
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.len() > LONGEST || !trimmed.bytes().all(|b| b.is_ascii_graphic()) {
        let problem = "is empty, too long, or holds characters that no header can";
        let expected = format!("1 to {LONGEST} visible ASCII characters without spaces");
        return Err(Problem::field(field, problem, expected));
    }
    Ok(Secret::from(trimmed))
}

/// The parts of an AWS credential are entered together: what is stored cannot be read back to complete them.
pub(super) fn whole(field: &str, options: &BTreeMap<String, Secret>) -> Result<(), Problem> {
    let parts = ["aws_access_key_id", "aws_secret_access_key"];
    let missing = parts.into_iter().find(|part| !options.contains_key(*part));
    match missing.filter(|_| parts.iter().any(|part| options.contains_key(*part))) {
        Some(missing) => {
            let field =
                if field.is_empty() { missing.to_owned() } else { format!("{field}.options.{missing}") };
            let expected = "both parts of the credential, which are stored together";
            Err(Problem::field(&field, "is missing", expected))
        }
        None => Ok(()),
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(members) => Ok(Self(members)),
            Value::Null => Ok(Self::default()),
            _ => Err(serde::de::Error::custom("is not an object, expected an object of texts")),
        }
    }
}

macro_rules! hidden {
    ($($name:ident $schema:expr;)*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

hidden! {
    Entered json_schema!({ "type": "string", "minLength": 1, "writeOnly": true });
    Members json_schema!({ "type": "object", "additionalProperties": true });
    Pool json_schema!({
        "type": "array",
        "maxItems": 100,
        "items": {
            "type": "object",
            "properties": {
                "id": { "type": "string", "format": "uuid" },
                "key": { "type": "string", "writeOnly": true },
                "weight": { "type": "integer", "minimum": 0 },
                "label": { "type": "string" },
                "status": { "enum": ["active", "disabled"] },
                "options": { "type": "object", "writeOnly": true },
            },
        },
    });
}
