//! What of a log can be exported, and which of it the organisation denies.

use serde_json::{Map, Value};
use tidegate_core::field::shown;
use tidegate_store::entity::Organisation;

use crate::problem::Problem;

/// The members of an exported line, in their order.
pub(super) const FIELDS: [&str; 21] = [
    "id",
    "trace_id",
    "created_at",
    "request",
    "response",
    "is_success",
    "ai_org",
    "ai_model",
    "req_units",
    "res_units",
    "total_units",
    "request_url",
    "cost",
    "cost_currency",
    "response_time",
    "response_status_code",
    "mode",
    "config",
    "prompt_slug",
    "metadata",
    "virtual_key",
];
/// Other names that are asked for, and what they mean.
const ALIASES: [(&str, &str); 5] = [
    ("ai_provider", "ai_org"),
    ("request_tokens", "req_units"),
    ("response_tokens", "res_units"),
    ("total_tokens", "total_units"),
    ("status_code", "response_status_code"),
];

/// The member that a name means.
pub(super) fn member(name: &str) -> Option<&'static str> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, member)| *member);
    alias.or_else(|| FIELDS.iter().find(|field| **field == name).copied())
}

/// Holds headers and bodies.
pub(super) fn has_bodies(fields: &[String]) -> bool {
    fields.iter().filter_map(|field| member(field)).any(|member| matches!(member, "request" | "response"))
}

/// The members that the organisation's switch denies: `export_settings.deniedFields`.
pub(super) fn denied(organisation: &Organisation) -> Vec<&'static str> {
    let settings = organisation.settings.get("export_settings").and_then(Value::as_object);
    let named = settings.and_then(|settings| settings.get("deniedFields")).and_then(Value::as_array);
    named.into_iter().flatten().filter_map(|name| member(name.as_str()?)).collect()
}

/// # Errors
/// 400 naming the field that is unknown or denied.
pub(super) fn check(fields: &[String], organisation: &Organisation) -> Result<(), Problem> {
    let denied = denied(organisation);
    for (at, field) in fields.iter().enumerate() {
        let about = format!("requested_data.{at}");
        let member = member(field).ok_or_else(|| {
            Problem::field(&about, format!("{} is no field", shown(field)), FIELDS.join(", "))
        })?;
        if denied.contains(&member) {
            let problem = format!("{} is denied by the organisation's export settings", shown(field));
            return Err(Problem::field(&about, problem, "fields that are not denied"));
        }
    }
    Ok(())
}

/// A table has columns, and each name once.
///
/// # Errors
/// 400 naming the field.
pub(super) fn check_columns(fields: &[String]) -> Result<(), Problem> {
    let wanted = "names of fields, each once, as parquet has columns";
    if fields.is_empty() {
        return Err(Problem::field("requested_data", "is empty", wanted));
    }
    let twice = (1..fields.len()).find(|&at| fields[..at].contains(&fields[at]));
    twice.map_or(Ok(()), |at| {
        Err(Problem::field(
            &format!("requested_data.{at}"),
            format!("{} is there twice", shown(&fields[at])),
            wanted,
        ))
    })
}

/// The line of a log: the members that were asked for, under the names that they were asked by.
pub(super) fn line(log: &Map<String, Value>, fields: &[String]) -> Map<String, Value> {
    let of = |field: &String| Some((field.clone(), log.get(member(field)?).cloned().unwrap_or(Value::Null)));
    fields.iter().filter_map(of).collect()
}
