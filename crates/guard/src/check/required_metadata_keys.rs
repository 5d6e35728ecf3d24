//! `requiredMetadataKeys`: any, all or none of some keys are in the request's metadata. Its errors pass.

use serde_json::{Value, json};

use super::found_names::Operator;
use super::{Finding, Parameters, Scene};
use crate::Side;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    if scene.side == Side::Response {
        return Ok(Finding::passed_with("This plugin only works for before_request_hooks"));
    }
    let Some(keys) = parameters.list("metadataKeys").filter(|keys| !keys.is_empty()) else {
        return Ok(Finding::passed_with("metadataKeys must be an array and not empty"));
    };
    let Some(keys) = keys.iter().map(Value::as_str).collect::<Option<Vec<&str>>>() else {
        return Ok(Finding::passed_with("metadataKeys must be an array of strings"));
    };
    let Some(operator) = parameters.text("operator").and_then(Operator::parse) else {
        return Ok(Finding::passed_with("operator must be one of: all, any, none"));
    };
    let (found, missing): (Vec<&str>, Vec<&str>) =
        keys.into_iter().partition(|key| scene.metadata.contains_key(*key));
    let verdict = operator.holds(found.len(), missing.len());
    let data = json!({
        "explanation": operator.explain(verdict, "metadata key"),
        "missing_metadata_keys": missing,
        "found_metadata_keys": found,
        "operator": operator.as_str(),
    });
    Ok(Finding::new(verdict, data))
}
