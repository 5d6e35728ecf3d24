//! Azure's deployments: models under names of the operator's own.

use serde_json::{Map, Value, json};

use crate::patch::Patch;
use crate::problem::Problem;

/// The members of an item: what it is called here, in integrations, and by virtual keys in both spellings.
const MEMBERS: [[&str; 4]; 5] = [
    ["deployment_id", "azure_deployment_name", "deployment_name", "deploymentName"],
    ["api_version", "azure_api_version", "api_version", "apiVersion"],
    ["model", "azure_model_slug", "model_slug", "modelSlug"],
    ["alias", "alias", "alias", "alias"],
    ["is_default", "is_default", "is_default", "isDefault"],
];

/// # Errors
/// 400 naming the member: `azure_deployment_config[1].azure_api_version`.
pub(super) fn read(field: &str, value: Value) -> Result<Patch<Vec<Value>>, Problem> {
    let items = match value {
        Value::Null => return Ok(Patch::Clear),
        Value::Array(items) => items,
        _ => return Err(Problem::field(field, "is not an array", "an array of deployments")),
    };
    let items = items.iter().enumerate().map(|(at, item)| one(&format!("{field}[{at}]"), item));
    items.collect::<Result<_, _>>().map(Patch::Set)
}

fn one(field: &str, item: &Value) -> Result<Value, Problem> {
    let Value::Object(members) = item else {
        return Err(Problem::field(field, "is not an object", "a deployment"));
    };
    let mut read = Map::new();
    for (at, names) in MEMBERS.into_iter().enumerate() {
        let given = names.into_iter().find_map(|name| Some((name, members.get(name)?)));
        let value = match given.filter(|(_, value)| !value.is_null()) {
            None if at < 2 => {
                let field = format!("{field}.{}", names[1]);
                return Err(Problem::field(&field, "is missing", "a text"));
            }
            None => continue,
            Some((_, value)) if names[0] == "is_default" => {
                json!(*value == json!(true) || *value == json!(1) || *value == json!("true"))
            }
            Some((name, value)) => {
                let text = value.as_str().filter(|text| !text.is_empty() && text.len() <= 255);
                let field = format!("{field}.{name}");
                let expected = "a text of 1 to 255 bytes";
                json!(text.ok_or_else(|| Problem::field(&field, "is not accepted", expected))?)
            }
        };
        read.insert(names[0].to_owned(), value);
    }
    Ok(Value::Object(read))
}

/// A single deployment serves whatever is asked for. Of several, the request's model is the deployment's name.
pub(super) fn only_one(deployments: &[Value], settings: &mut Map<String, Value>) {
    let default = deployments.iter().find(|one| one["is_default"] == true).or(deployments.first());
    if let Some(version) = default.and_then(|one| one.get("api_version")) {
        settings.insert("api_version".to_owned(), version.clone());
    }
    match deployments {
        [one] => drop(settings.insert("deployment_id".to_owned(), one["deployment_id"].clone())),
        _ => drop(settings.remove("deployment_id")),
    }
}

/// As integrations or virtual keys show it.
pub(super) fn shown(deployments: &Value, for_virtual_key: bool) -> Value {
    let name = |known: &str| {
        let names = MEMBERS.iter().find(|names| names[0] == known);
        names.map_or(known, |names| if for_virtual_key { names[3] } else { names[1] }).to_owned()
    };
    let one = |item: &Value| match item.as_object() {
        // The reference leaves this one as it is in both.
        Some(members) => members
            .iter()
            .map(|(known, value)| match known.as_str() {
                "is_default" => (known.clone(), value.clone()),
                known => (name(known), value.clone()),
            })
            .collect(),
        None => Value::Null,
    };
    Value::Array(deployments.as_array().into_iter().flatten().map(one).collect())
}
