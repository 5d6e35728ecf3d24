//! `modelRules`: the request's model is one of those that its metadata allows, or of the defaults when no rule matches.

use serde_json::{Map, Value, json};

use super::{CheckError, Finding, Parameters, Scene, texts};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let Some(rules) = parameters.get("rules").and_then(Value::as_object) else {
        return Ok(failed("Missing rules configuration"));
    };
    let Some(model) = scene.model() else { return Ok(failed("Missing model in request")) };
    let by_metadata = Allowed::by_metadata(rules, scene.metadata);
    let is_default = by_metadata.models.is_empty();
    let Allowed { models, rules } = if is_default { Allowed::by_default(rules) } else { by_metadata };
    if models.is_empty() {
        return Ok(failed("No allowed models resolved from rules"));
    }
    let (is_listed, not) = (models.contains(&model), parameters.not());
    let basis = match is_default {
        true => " (using default models)".to_owned(),
        false => format!(" (matched rules: {})", rules.join(", ")),
    };
    let explanation = match (is_listed, not) {
        (true, false) => format!("Model \"{model}\" is allowed by rules.{basis}"),
        (false, false) => format!("Model \"{model}\" is not allowed by rules."),
        (false, true) => format!("Model \"{model}\" is not permitted by rules (blocked list).{basis}"),
        (true, true) => format!("Model \"{model}\" is permitted by rules (in blocked list)."),
    };
    Ok(Finding::new(is_listed != not, json!({"explanation": explanation})))
}

/// Models, and the rules that named them (`team:a`).
struct Allowed<'r> {
    models: Vec<&'r str>,
    rules: Vec<String>,
}

impl<'r> Allowed<'r> {
    fn by_metadata(rules: &'r Map<String, Value>, metadata: &Map<String, Value>) -> Self {
        let mut allowed = Self { models: Vec::new(), rules: Vec::new() };
        let keys = rules.get("metadata").and_then(Value::as_object).into_iter().flatten();
        for (key, by_value) in keys {
            let values = match metadata.get(key) {
                Some(Value::Array(values)) => texts(values),
                Some(Value::Null) | None => continue,
                Some(value) => vec![js::to_text(value)],
            };
            for value in values {
                if let Some(models) = by_value.get(&*value).and_then(Value::as_array) {
                    allowed.models.extend(models.iter().filter_map(Value::as_str));
                    allowed.rules.push(format!("{key}:{value}"));
                }
            }
        }
        allowed
    }

    fn by_default(rules: &'r Map<String, Value>) -> Self {
        let models = rules.get("defaults").and_then(Value::as_array).into_iter().flatten();
        Self { models: models.filter_map(Value::as_str).collect(), rules: Vec::new() }
    }
}

fn failed(reason: &str) -> Finding {
    let explanation = format!("An error occurred while checking model rules: {reason}");
    Finding::failed(CheckError::new(reason), json!({"explanation": explanation}))
}
