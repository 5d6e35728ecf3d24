//! `modelWhitelist`: the request's model is one of a list.

use serde_json::{Value, json};

use super::{CheckError, Finding, Parameters, Scene};
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let not = parameters.not();
    let failed = |reason: &str| {
        let data = json!({
            "explanation": format!("An error occurred while checking model whitelist: {reason}"),
            "requestedModel": scene.model().unwrap_or("No model specified"),
            "not": not,
            "allowedModels": parameters.copy("models").unwrap_or_else(|| json!([])),
        });
        Ok(Finding::failed(CheckError::new(reason), data))
    };
    let Some(models) = parameters.list("models") else {
        return failed("Missing or invalid model whitelist");
    };
    let Some(model) = scene.model() else { return failed("Missing model in request") };
    let is_listed = models.iter().filter_map(Value::as_str).any(|listed| listed == model);
    let explanation = match (is_listed, not) {
        (true, false) => format!("Model \"{model}\" is allowed."),
        (true, true) => format!("Model \"{model}\" is in the allowed list when it should not be."),
        (false, false) => format!("Model \"{model}\" is not in the allowed list."),
        (false, true) => format!("Model \"{model}\" is not in the allowed list as expected."),
    };
    let verdict = is_listed != not;
    let data = json!({
        "verdict": verdict,
        "not": not,
        "explanation": explanation,
        "requestedModel": model,
        "allowedModels": models,
    });
    Ok(Finding::new(verdict, data))
}
