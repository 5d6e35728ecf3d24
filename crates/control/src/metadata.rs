//! Metadata that requests get where they bring none: names and short texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::problem::Problem;

/// The longest value, in characters.
const LONGEST: usize = 128;
/// Entries of one object.
const MOST: usize = 50;

/// Metadata in a body.
pub(crate) type Metadata = BTreeMap<String, String>;

/// # Errors
/// 400 naming the entry, as a member of `field`.
pub(crate) fn check(field: &str, metadata: &Metadata) -> Result<(), Problem> {
    if metadata.len() > MOST {
        let problem = format!("{} entries are too many", metadata.len());
        return Err(Problem::field(field, problem, format!("at most {MOST}")));
    }
    for (name, value) in metadata {
        let length = name.chars().count().max(value.chars().count());
        if name.is_empty() || length > LONGEST {
            let field = format!("{field}.{}", tidegate_core::field::shown(name));
            let expected = format!("a name and a text of at most {LONGEST} characters each");
            return Err(Problem::field(&field, "is empty or too long", expected));
        }
    }
    Ok(())
}

/// As the store keeps it.
pub(crate) fn kept(metadata: Metadata) -> Map<String, Value> {
    metadata.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

/// As replies show it. What an older program kept and is no text is shown as its JSON.
pub(crate) fn shown(kept: &Map<String, Value>) -> Metadata {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    kept.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}
