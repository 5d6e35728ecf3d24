//! Between objects and rows: JSON, with the members that people write secrets into encrypted.

use serde_json::{Map, Value};

use crate::backend::Row;
use crate::entity::{Entity, Stored};
use crate::error::StoreError;
use crate::id::EntityId;
use crate::vault::{Sealed, Sealer};

/// The longest body, in bytes.
const LONGEST: usize = 2 << 20;

/// The object as JSON with nothing encrypted but credentials.
pub(super) fn clear<E: Entity>(entity: &E) -> Result<Value, StoreError> {
    serde_json::to_value(entity).map_err(StoreError::internal)
}

/// The text that is stored. Members of `old` that this program does not know are carried over: a newer program wrote
/// them.
pub(super) fn encode<E: Entity>(
    entity: &E,
    old: Option<&str>,
    sealer: &Sealer,
) -> Result<String, StoreError> {
    let mut value = clear(entity)?;
    for path in E::SEALED {
        if let Some(member) = at(&mut value, path) {
            let bytes = zeroize::Zeroizing::new(serde_json::to_vec(member).map_err(StoreError::internal)?);
            *member = Value::String(sealer.seal(path, "", &bytes)?.as_str().to_owned());
        }
    }
    if let (Some(old), Value::Object(members)) = (old, &mut value) {
        let old: Map<String, Value> = serde_json::from_str(old).map_err(StoreError::internal)?;
        let known = clear(&decode::<E>(&Value::Object(old.clone()), sealer)?)?;
        for (name, value) in old {
            if known.get(&name).is_none() && !members.contains_key(&name) {
                members.insert(name, value);
            }
        }
    }
    let text = value.to_string();
    if text.len() > LONGEST {
        return Err(StoreError::invalid("body", format!("is longer than {LONGEST} bytes")));
    }
    Ok(text)
}

pub(super) fn decode_text<E: Entity>(body: &str, sealer: &Sealer) -> Result<E, StoreError> {
    decode(&serde_json::from_str(body).map_err(|error| unreadable::<E>(&error))?, sealer)
}

pub(super) fn stored<E: Entity>(row: &Row, sealer: &Sealer) -> Result<Stored<E>, StoreError> {
    Ok(Stored {
        id: E::Id::from_uuid(row.id),
        home: row.home,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
        entity: decode_text(&row.body, sealer)?,
    })
}

fn decode<E: Entity>(value: &Value, sealer: &Sealer) -> Result<E, StoreError> {
    let mut value = value.clone();
    for path in E::SEALED {
        if let Some(member) = at(&mut value, path)
            && let Some(text) = member.as_str()
        {
            let bytes = sealer.open(path, "", &Sealed::from_text(text))?;
            *member = serde_json::from_slice(&bytes).map_err(|_| {
                StoreError::internal(format_args!("{path} is not in the form it was stored in"))
            })?;
        }
    }
    serde_json::from_value(value).map_err(|error| unreadable::<E>(&error))
}

fn unreadable<E: Entity>(error: &serde_json::Error) -> StoreError {
    StoreError::internal(format_args!("a stored {} cannot be read: {error}", E::KIND))
}

/// The member at a path such as `connection.settings`.
fn at<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(value, |value, name| value.get_mut(name))
}
