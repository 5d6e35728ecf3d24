//! What is accepted, because existing configs have it, and does nothing or not what it says: notes for
//! `tidegate check`.

use serde_json::{Map, Value};

use super::check::Check;
use super::{schema, spelling};

const OPERATORS: [&str; 10] =
    ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$regex", "$length"];
/// Accepted for the peers' sake.
const WITHOUT_EFFECT: [&str; 3] = ["on_status_codes", "metadata", "cb_config"];
/// Names that are known although they have no rule.
const UNCHECKED: [&str; 3] = ["id", "is_open", "options"];
/// Read at the root only.
const OF_THE_ROOT: [&str; 2] = ["default_input_guardrails", "default_output_guardrails"];

pub(super) fn node(check: &mut Check<'_>, members: &Map<String, Value>) {
    for key in members.keys() {
        let name = spelling::snake(key);
        if WITHOUT_EFFECT.contains(&name.as_str()) {
            check.at(key, |check| check.note("has no effect here"));
        } else if OF_THE_ROOT.contains(&name.as_str()) && !check.is_at_root() {
            check.at(key, |check| check.note("has an effect at the root of a config only"));
        } else if let Some(near) = misspelt(&name) {
            check.at(key, |check| {
                check.note(format!("is passed on as an option of the provider; did you mean '{near}'?"))
            });
        }
    }
    if members.get("weight").and_then(Value::as_f64).is_some_and(|weight| weight < 0.0) {
        check.at("weight", |check| check.note("is negative and counts as 0"));
    }
    match (members.get("strategy"), members.get("targets")) {
        (Some(strategy), Some(Value::Array(targets))) => group(check, members, strategy, targets),
        (None, Some(_)) => check.at("targets", |check| check.note("has no effect without 'strategy'")),
        (Some(_), _) => {
            check.at("strategy", |check| check.note("has nothing to choose from without 'targets'"))
        }
        (None, None) => {}
    }
}

/// Members of an object of the peers that nothing reads.
pub(super) fn unknown_members(check: &mut Check<'_>, value: &Value, known: &[&str]) {
    for key in value.as_object().into_iter().flat_map(Map::keys) {
        if known.contains(&spelling::snake(key).as_str()) {
            continue;
        }
        check.at(key, |check| match spelling::nearest(key, known) {
            Some(near) => check.note(format!("has no effect; did you mean '{near}'?")),
            None => check.note("has no effect"),
        });
    }
}

pub(super) fn retry(check: &mut Check<'_>, value: &Value) {
    let known =
        ["attempts", "count", "on_status_codes", "use_retry_after_header", "max_wait_ms", "jitter", "budget"];
    unknown_members(check, value, &known);
    for name in ["attempts", "count"] {
        let number = value.get(name).and_then(Value::as_f64);
        if number.is_some_and(|number| number < 0.0 || number.fract() != 0.0) {
            check.at(name, |check| check.note("counts as the whole number below it, and as 0 when negative"));
        }
    }
}

pub(super) fn operator(check: &mut Check<'_>, op: &str, operand: &Value) {
    check.at(op, |check| match op {
        _ if !OPERATORS.contains(&op) => check.note("is no operator: requests that reach it are refused"),
        "$in" | "$nin" if !operand.is_array() => check.note("never holds: its value must be an array"),
        _ => {}
    });
}

fn group(check: &mut Check<'_>, members: &Map<String, Value>, strategy: &Value, targets: &[Value]) {
    for key in ["provider", "api_key", "virtual_key"].into_iter().filter(|key| members.contains_key(*key)) {
        check.at(key, |check| {
            check.note("has no effect on a node with a strategy: targets do not inherit it")
        });
    }
    if targets.is_empty() {
        check.at("targets", |check| check.note("is empty: every request is refused"));
    }
    let member = |name: &str| spelling::get(strategy, name);
    let mode = member("mode").and_then(Value::as_str).unwrap_or_default();
    let conditions = member("conditions").and_then(Value::as_array);
    check.at("strategy", |check| {
        let known = ["mode", "on_status_codes", "conditions", "default", "sticky"];
        unknown_members(check, strategy, &known);
        if member("on_status_codes").is_some() && matches!(mode, "single" | "loadbalance" | "conditional") {
            check.at("on_status_codes", |check| check.note(format!("has no effect in mode '{mode}'")));
        }
        if mode == "conditional" {
            if conditions.is_none() {
                check.note("has no conditions: every request is refused");
            }
            unknown_names(check, conditions, member("default"), targets);
        } else if conditions.is_some() {
            check.at("conditions", |check| check.note(format!("has no effect in mode '{mode}'")));
        }
    });
}

/// Targets that conditions name and that are not there.
fn unknown_names(
    check: &mut Check<'_>,
    conditions: Option<&Vec<Value>>,
    default: Option<&Value>,
    targets: &[Value],
) {
    let is_name =
        |name: &str| targets.iter().any(|target| target.get("name").and_then(Value::as_str) == Some(name));
    let named = conditions.into_iter().flatten().filter_map(|condition| condition.get("then"));
    for name in named.chain(default).filter_map(Value::as_str).filter(|name| !name.is_empty()) {
        if !is_name(name) {
            check.note(format!("names '{name}', which is no target's name"));
        }
    }
}

/// A member's name that `name` is probably meant to be, unless it is known itself.
fn misspelt(name: &str) -> Option<&'static str> {
    let known = schema::member_names();
    let is_known = known.contains(&name) || UNCHECKED.contains(&name);
    if is_known { None } else { spelling::nearest(name, &known) }
}
