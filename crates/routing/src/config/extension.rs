//! Members that only this gateway knows. They are checked strictly: a member that is unknown or would do
//! nothing is an error, because its author expects something from it.

use serde_json::Value;

use super::check::{Check, Rule, Type};
use super::entry::{StickyBy, StickyEntry};
use super::schema::{flag, number, text};
use super::{lint, spelling};
use crate::query;

/// A day: longer limits are mistakes in the unit.
const MAX_MS: f64 = 86_400_000.0;
const MAX_S: f64 = 86_400.0;

pub(super) fn virtual_key(check: &mut Check<'_>, value: &Value) -> Type {
    let result = text(check, value);
    if value.as_str() == Some("") {
        check.issue("Must name a stored key");
    }
    result
}

pub(super) fn timeouts(check: &mut Check<'_>, value: &Value) -> Type {
    let known: [(&str, bool, Rule); 3] = [
        ("connect_ms", false, milliseconds),
        ("first_byte_ms", false, milliseconds),
        ("between_chunks_ms", false, milliseconds),
    ];
    strict(check, value, &known)
}

pub(super) fn hedge(check: &mut Check<'_>, value: &Value) -> Type {
    fn after(check: &mut Check<'_>, value: &Value) -> Type {
        match value {
            Value::String(name) if name == "p95" => Type::Right,
            Value::Number(_) => milliseconds(check, value),
            _ => {
                check.issue("Expected \"p95\" or a number of milliseconds");
                Type::Wrong
            }
        }
    }
    strict(check, value, &[("after", true, after), ("max_share", false, share)])
}

pub(super) fn circuit_breaker(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_boolean() {
        return Type::Right;
    }
    let known: [(&str, bool, Rule); 5] = [
        ("failures", false, count),
        ("window_s", false, seconds),
        ("open_s", false, seconds),
        ("half_open", false, count),
        ("strict", false, flag),
    ];
    strict(check, value, &known)
}

/// `strategy.sticky`, in this gateway's form (`by`) or Portkey's (`enabled`, `hash_fields`, `ttl`).
pub(super) fn sticky(check: &mut Check<'_>, value: &Value, is_balanced: bool) -> Type {
    let known: [(&str, bool, Rule); 6] = [
        ("by", false, sticky_by),
        ("prefix_chars", false, count),
        ("ttl_s", false, seconds),
        ("enabled", false, flag),
        ("hash_fields", false, |check, fields| check.items(fields, hash_field)),
        ("ttl", false, seconds),
    ];
    let result = strict(check, value, &known);
    if result == Type::Wrong {
        return result;
    }
    let member = |name: &str| spelling::get(value, name);
    if !is_balanced {
        check.issue("'sticky' has an effect in mode 'loadbalance' only");
    }
    let by_prefix = member("by").and_then(Value::as_str) == Some("prompt_prefix");
    if member("prefix_chars").is_some() && !by_prefix {
        check.at("prefix_chars", |check| check.issue("Has an effect with 'by': \"prompt_prefix\" only"));
    }
    if by_prefix {
        let default = u64::from(StickyEntry::PREFIX_CHARS);
        let chars = member("prefix_chars").and_then(Value::as_u64).unwrap_or(default);
        if *check.prefix_chars.get_or_insert(chars) != chars {
            check.issue("'prefix_chars' must be the same in all groups of a config");
        }
    }
    match (member("by"), member("hash_fields").and_then(Value::as_array)) {
        (Some(_), Some(_)) => check.issue("'by' and 'hash_fields' say the same: leave one out"),
        (None, None) if member("enabled") != Some(&Value::Bool(false)) => {
            return check.at("by", Check::required);
        }
        (None, Some(fields)) if fields.is_empty() => {
            check.at("hash_fields", |check| check.issue("Names no field"))
        }
        _ => {}
    }
    Type::Right
}

fn sticky_by(check: &mut Check<'_>, value: &Value) -> Type {
    let result = text(check, value);
    if value.as_str().is_some_and(|by| StickyBy::of(by).is_none()) {
        check.issue("Must be \"header:<name>\", \"metadata.<key>\" or \"prompt_prefix\"");
    }
    result
}

fn hash_field(check: &mut Check<'_>, value: &Value) -> Type {
    let result = text(check, value);
    if value.as_str().is_some_and(|field| StickyBy::of_hash_field(field).is_none()) {
        check.issue("hash_fields must start with \"metadata.\", \"params.\", or \"headers.\"");
    }
    result
}

/// A query's parts that would fail or silently not match here. Depth is bounded by the JSON parser.
pub(super) fn query(check: &mut Check<'_>, value: &Value) {
    for (key, value) in value.as_object().into_iter().flatten() {
        check.at(key, |check| match (key.as_str(), value) {
            ("$and" | "$or", Value::Array(_)) => {
                check.items(value, |check, item| {
                    query(check, item);
                    if item.is_object() { Type::Right } else { check.expected("object", item) }
                });
            }
            (_, Value::Object(tests)) => tests.iter().for_each(|(op, operand)| operator(check, op, operand)),
            _ => {}
        });
    }
}

fn operator(check: &mut Check<'_>, op: &str, operand: &Value) {
    let unsupported = operand.as_str().filter(|_| op == "$regex").and_then(query::unsupported_syntax);
    if let Some(syntax) = unsupported {
        check.at(op, |check| check.issue(format!("Patterns with {syntax} are not supported")));
    }
    lint::operator(check, op, operand);
}

/// A share: more than 0, at most 1.
pub(super) fn share(check: &mut Check<'_>, value: &Value) -> Type {
    let result = number(check, value);
    if value.as_f64().is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
        check.issue("Must be more than 0 and at most 1");
    }
    result
}

pub(super) fn milliseconds(check: &mut Check<'_>, value: &Value) -> Type {
    whole(check, value, MAX_MS)
}

fn seconds(check: &mut Check<'_>, value: &Value) -> Type {
    whole(check, value, MAX_S)
}

fn count(check: &mut Check<'_>, value: &Value) -> Type {
    whole(check, value, 1_000_000.0)
}

fn whole(check: &mut Check<'_>, value: &Value, max: f64) -> Type {
    let result = number(check, value);
    if value.as_f64().is_some_and(|number| number.fract() != 0.0 || !(1.0..=max).contains(&number)) {
        check.issue(format!("Must be a whole number from 1 to {max}"));
    }
    result
}

/// Checks an object that may hold nothing but `known` members, and at least one.
fn strict(check: &mut Check<'_>, value: &Value, known: &[(&str, bool, Rule)]) -> Type {
    let result = check.members(value, known);
    let names: Vec<&str> = known.iter().map(|(name, _, _)| *name).collect();
    let Value::Object(members) = value else { return result };
    if members.is_empty() && result == Type::Right {
        check.issue(format!("Has no effect when empty. Known members: {}", names.join(", ")));
    }
    for key in members.keys().filter(|key| !names.contains(&spelling::snake(key).as_str())) {
        check.at(key, |check| match spelling::nearest(key, &names) {
            Some(near) => check.issue_with_hint("Unknown member", format!("did you mean '{near}'?")),
            None => check.issue_with_hint("Unknown member", format!("known are: {}", names.join(", "))),
        });
    }
    result
}
