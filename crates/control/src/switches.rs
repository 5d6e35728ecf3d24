//! Access switches in bodies: names and values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidegate_access::Switch;
use tidegate_core::field::shown;

use crate::patch::Patch;
use crate::problem::Problem;

/// Switches by name. `null` takes a value back.
pub(crate) type Values = BTreeMap<String, Option<bool>>;

/// # Errors
/// 400 for a name that is no switch.
pub(crate) fn read(field: &str, values: Patch<Values>) -> Result<Patch<Values>, Problem> {
    if let Patch::Set(values) = &values
        && let Some(unknown) = values.keys().find(|name| Switch::of_word(name).is_none())
    {
        let words: Vec<&str> = Switch::all().map(Switch::word).collect();
        let field = format!("{field}.{}", shown(unknown));
        return Err(Problem::field(&field, "is no switch", format!("one of {}", words.join(", "))));
    }
    Ok(values)
}

/// Into the settings of an organisation or a workspace. Clearing takes back the switches and nothing else.
pub(crate) fn apply(values: &Patch<Values>, settings: &mut Map<String, Value>) {
    match values {
        Patch::Keep => {}
        Patch::Clear => settings.retain(|name, _| Switch::of_word(name).is_none()),
        Patch::Set(values) => {
            for (name, value) in values {
                match value {
                    Some(on) => drop(settings.insert(name.clone(), Value::Bool(*on))),
                    None => drop(settings.remove(name)),
                }
            }
        }
    }
}

/// The switches that have a value in these settings.
pub(crate) fn own(settings: &Map<String, Value>) -> Values {
    let value =
        |switch: Switch| Some((switch.word().to_owned(), Some(settings.get(switch.word())?.as_bool()?)));
    Switch::all().filter_map(value).collect()
}
