//! `allowedRequestTypes`: the kind of endpoint is allowed and not blocked. Lists that the parameters leave out are taken from
//! the request's metadata (`supported_endpoints`, `blocked_endpoints`).

use serde_json::{Value, json};

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let current = scene.shape.as_str();
    let from_parameters = (parameters.get("allowedTypes"), parameters.get("blockedTypes"));
    let from_metadata = (scene.metadata.get("supported_endpoints"), scene.metadata.get("blocked_endpoints"));
    let source = match (from_parameters, from_metadata) {
        ((None, None), (None, None)) => "default",
        ((None, None), _) => "metadata",
        _ => "parameters",
    };
    let allowed_written = from_parameters.0.or(from_metadata.0);
    let blocked_written = from_parameters.1.or(from_metadata.1);
    let (allowed, blocked) = (types(allowed_written), types(blocked_written));
    let both: Vec<&str> = allowed.iter().filter(|kind| blocked.contains(kind)).map(String::as_str).collect();
    if !both.is_empty() {
        let reason = format!(
            "Conflict detected: The following types appear in both allowedTypes and blockedTypes: {}. \
             Please remove them from one list.",
            both.join(", ")
        );
        let data = json!({
            "explanation": format!("An error occurred while checking allowed request types: {reason}"),
            "currentRequestType": current,
            "allowedTypes": allowed_written,
            "blockedTypes": blocked_written,
        });
        return Ok(Finding::failed(CheckError::new(reason), data));
    }
    let (verdict, mode, reason) = judge(current, &allowed, &blocked);
    let shown_allowed = if mode == "unrestricted" { vec!["all".to_owned()] } else { allowed };
    let shown = |list: Vec<String>| (!list.is_empty()).then(|| json!(list));
    let data = js::object([
        ("currentRequestType", Some(current.into())),
        ("allowedTypes", shown(shown_allowed)),
        ("blockedTypes", shown(blocked)),
        ("verdict", Some(verdict.into())),
        ("explanation", Some(format!("Request type \"{current}\" is {reason}").into())),
        ("source", Some(source.into())),
        ("mode", Some(mode.into())),
    ]);
    Ok(Finding::new(verdict, data))
}

/// The verdict, the mode of the lists, and the verdict in words.
fn judge(current: &str, allowed: &[String], blocked: &[String]) -> (bool, &'static str, String) {
    let is_in = |list: &[String]| list.iter().any(|kind| kind == current);
    let listed = allowed.join(", ");
    match (allowed, blocked) {
        ([], []) => (true, "unrestricted", "allowed (no restrictions configured).".to_owned()),
        ([], blocked) if is_in(blocked) => (false, "blocklist", "blocked.".to_owned()),
        ([], _) => (true, "blocklist", "allowed (not in blocklist).".to_owned()),
        (allowed, []) if is_in(allowed) => (true, "allowlist", "allowed.".to_owned()),
        (_, []) => (false, "allowlist", format!("not allowed. Allowed types are: {listed}")),
        (_, blocked) if is_in(blocked) => (false, "combined", "explicitly blocked.".to_owned()),
        (allowed, _) if is_in(allowed) => {
            (true, "combined", "allowed (in allowlist and not blocked).".to_owned())
        }
        _ => {
            let reason = format!("not in the allowed list. Allowed types (excluding blocked): {listed}");
            (false, "combined", reason)
        }
    }
}

/// A list, or names separated by commas; anything else names nothing.
fn types(written: Option<&Value>) -> Vec<String> {
    match written {
        Some(Value::Array(names)) => names.iter().map(|name| js::to_text(name).into_owned()).collect(),
        Some(Value::String(names)) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}
