//! One credential of a pool, as it is entered.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};
use tidegate_catalog::Provider;
use tidegate_core::Secret;
use tidegate_store::entity::{CredentialState, NewCredential};
use tidegate_store::id::CredentialId;
use tidegate_store::vault::Material;

use super::field::Field;
use super::secrets::{Entry, option, text, whole};
use crate::problem::Problem;

const MOST_WEIGHT: u64 = 1_000_000;

/// `{"key", "weight", "label", "status", "options"}`, or with an `id` in place of the key.
///
/// # Errors
/// 400 naming the member, as one of `field`.
pub(super) fn read(row: &Provider, field: &str, value: Value) -> Result<Entry, Problem> {
    let Value::Object(mut members) = value else {
        return Err(Problem::field(field, "is not an object", "{\"key\", \"weight\", \"label\"}"));
    };
    let at = |member: &str| format!("{field}.{member}");
    let mut take = |member: &str| members.remove(member).filter(|value| !value.is_null());
    let weight = match take("weight") {
        None => None,
        Some(value) => {
            let weight = value.as_u64().filter(|weight| *weight <= MOST_WEIGHT);
            let weight = weight.and_then(|weight| u32::try_from(weight).ok());
            let expected = format!("a whole number from 0 (a spare) to {MOST_WEIGHT}");
            Some(weight.ok_or_else(|| Problem::field(&at("weight"), "is not accepted", expected))?)
        }
    };
    let label = match take("label") {
        None => None,
        Some(Value::String(label)) if label.chars().count() <= 255 => Some(label),
        Some(_) => {
            let expected = "a text of at most 255 characters";
            return Err(Problem::field(&at("label"), "is not accepted", expected));
        }
    };
    let state = match take("status").as_ref().map(Value::as_str) {
        None => None,
        Some(Some("active")) => Some(CredentialState::Active),
        Some(Some("disabled")) => Some(CredentialState::Disabled),
        Some(_) => {
            let expected = "\"active\" or \"disabled\"";
            return Err(Problem::field(&at("status"), "is not accepted", expected));
        }
    };
    let id = match take("id") {
        None => None,
        Some(value) => {
            let id = value.as_str().and_then(|text| CredentialId::from_str(text).ok());
            Some(id.ok_or_else(|| Problem::field(&at("id"), "is no id", "the UUID of a credential"))?)
        }
    };
    let key = take("key").map(|key| text(&at("key"), key)).transpose()?;
    let options = match take("options") {
        None => BTreeMap::new(),
        Some(Value::Object(options)) => secret_options(row, &at("options"), options)?,
        Some(_) => return Err(Problem::field(&at("options"), "is not an object", "an object of texts")),
    };
    match id {
        Some(id) if key.is_none() && options.is_empty() => Ok(Entry::Known { id, weight, label, state }),
        Some(_) => {
            let expected = "either an id, for one that is stored, or a key, for a new one";
            Err(Problem::field(&at("id"), "stands beside a key", expected))
        }
        None if key.is_none() && options.is_empty() => {
            Err(Problem::field(&at("key"), "is missing", "the provider's key"))
        }
        None => {
            whole(field, &options)?;
            let material = Material { key, options };
            let label = label.unwrap_or_default();
            Ok(Entry::New(NewCredential { label, weight: weight.unwrap_or(1), material }))
        }
    }
}

fn secret_options(
    row: &Provider,
    field: &str,
    options: Map<String, Value>,
) -> Result<BTreeMap<String, Secret>, Problem> {
    let mut secrets = BTreeMap::new();
    for (name, value) in options {
        let at = format!("{field}.{}", tidegate_core::field::shown(&name));
        let known = Field::find(row, &name).filter(|known| known.is_secret).ok_or_else(|| {
            let expected = "a part of a credential, such as aws_secret_access_key";
            Problem::field(&at, format!("is none for {}", row.id), expected)
        })?;
        secrets.insert(known.option.to_owned(), option(&at, value)?);
    }
    Ok(secrets)
}
