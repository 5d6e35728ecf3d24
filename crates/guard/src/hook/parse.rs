//! From the JSON of a hook list to [`Hook`]s. Entries are read, never changed: the same list may be read any number of times.

use std::fmt;

use serde_json::{Map, Value};
use tidegate_core::id;

use super::{Check, Feedback, Hook, HookKind};
use crate::Side;
use crate::check::{Function, Parameters};

/// The lists of one side of a target, raw. Hooks run in the order of the members.
#[derive(Debug, Clone, Copy, Default)]
pub struct HookLists<'a> {
    /// Full form: `before_request_hooks` or `after_request_hooks`.
    pub hooks: &'a [Value],
    /// Shorthand: `input_guardrails` or `output_guardrails`.
    pub guardrails: &'a [Value],
    /// Shorthand: `input_mutators` or `output_mutators`.
    pub mutators: &'a [Value],
    /// Shorthand: the default guardrails of the config's root or of a request header.
    pub defaults: &'a [Value],
}

/// A member of a hook that cannot be meant as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookError {
    /// Where it is: `input_guardrails[0].deny`.
    pub member: String,
    /// What would be right: `must be true or false`.
    pub message: String,
}

/// Members of a shorthand entry that belong to the hook, in both spellings of config objects. All others are checks.
const RESERVED: [&str; 11] = [
    "async",
    "deny",
    "guardrailVersionId",
    "guardrail_version_id",
    "id",
    "onFail",
    "onSuccess",
    "on_fail",
    "on_success",
    "sequential",
    "type",
];

/// Reads all hooks of one side.
///
/// Errors name the first member with a wrong shape. Unknown check ids are no error here: they answer with one when they run.
pub fn parse_hooks(lists: &HookLists<'_>, side: Side) -> Result<Vec<Hook>, HookError> {
    let (full, guardrails, mutators, defaults) = match side {
        Side::Request => {
            ("before_request_hooks", "input_guardrails", "input_mutators", "default_input_guardrails")
        }
        Side::Response => {
            ("after_request_hooks", "output_guardrails", "output_mutators", "default_output_guardrails")
        }
    };
    let mut hooks = Vec::new();
    for (at, entry) in lists.hooks.iter().enumerate() {
        let entry = Entry::new(entry, format!("{full}[{at}]"))?;
        hooks.push(entry.hook(entry.kind(None), entry.get("id").cloned(), entry.listed_checks()?)?);
    }
    let shorthand = [
        (guardrails, lists.guardrails, HookKind::Guardrail),
        (mutators, lists.mutators, HookKind::Mutator),
        (defaults, lists.defaults, HookKind::Guardrail),
    ];
    for (name, entries, kind) in shorthand {
        for (at, entry) in entries.iter().enumerate() {
            let entry = Entry::new(entry, format!("{name}[{at}]"))?;
            let id = entry.get("id").cloned().unwrap_or_else(|| Value::String(generated_id(side)));
            hooks.push(entry.hook(entry.kind(Some(kind.clone())), Some(id), entry.keyed_checks()?)?);
        }
    }
    Ok(hooks)
}

/// One object of a list, and where it is.
struct Entry<'a> {
    members: &'a Map<String, Value>,
    path: String,
}

impl<'a> Entry<'a> {
    fn new(value: &'a Value, path: String) -> Result<Self, HookError> {
        match value {
            Value::Object(members) => Ok(Self { members, path }),
            _ => Err(HookError { member: path, message: "must be an object".to_owned() }),
        }
    }

    fn hook(&self, kind: HookKind, id: Option<Value>, checks: Vec<Check>) -> Result<Hook, HookError> {
        Ok(Hook {
            id,
            kind,
            checks,
            deny: self.flag("deny", false)?,
            is_async: self.flag("async", false)?,
            sequential: self.flag("sequential", false)?,
            on_fail: self.feedback("on_fail", "onFail")?,
            on_success: self.feedback("on_success", "onSuccess")?,
        })
    }

    /// What is written beats what the list implies.
    fn kind(&self, implied: Option<HookKind>) -> HookKind {
        match self.get("type") {
            Some(Value::String(name)) if name == "guardrail" => HookKind::Guardrail,
            Some(Value::String(name)) if name == "mutator" => HookKind::Mutator,
            Some(other) => HookKind::Unknown(Some(other.clone())),
            None => implied.unwrap_or(HookKind::Unknown(None)),
        }
    }

    /// The full form: `checks: [{id, parameters, is_enabled}]`.
    fn listed_checks(&self) -> Result<Vec<Check>, HookError> {
        let Some(checks) = self.get("checks") else { return Ok(Vec::new()) };
        let Value::Array(checks) = checks else {
            return Err(self.error("checks", "must be an array of objects"));
        };
        let entries = checks.iter().enumerate();
        entries
            .map(|(at, check)| {
                let check = Entry::new(check, format!("{}.checks[{at}]", self.path))?;
                let Some(Value::String(id)) = check.get("id") else {
                    return Err(check.error("id", "must name a check, such as \"default.contains\""));
                };
                let parameters = match check.get("parameters") {
                    None => Map::new(),
                    Some(Value::Object(parameters)) => parameters.clone(),
                    Some(_) => return Err(check.error("parameters", "must be an object")),
                };
                let enabled = check.flag("is_enabled", true)?;
                Ok(new_check(id.clone(), parameters, enabled))
            })
            .collect()
    }

    /// The shorthand: every member that is not the hook's own is a check with its parameters.
    fn keyed_checks(&self) -> Result<Vec<Check>, HookError> {
        let keyed = self.members.iter().filter(|(key, _)| !RESERVED.contains(&key.as_str()));
        keyed
            .map(|(key, parameters)| {
                let check = Entry::new(parameters, format!("{}.{key}", self.path))?;
                let id = match check.get("id") {
                    None => key,
                    Some(Value::String(id)) => id,
                    Some(_) => {
                        return Err(check.error("id", "must name a check, such as \"default.contains\""));
                    }
                };
                let id = if id.contains('.') { id.clone() } else { format!("default.{id}") };
                Ok(new_check(id, check.members.clone(), check.flag("is_enabled", true)?))
            })
            .collect()
    }

    fn feedback(&self, snake: &str, camel: &str) -> Result<Option<Feedback>, HookError> {
        let Some((name, outcome)) = [snake, camel].into_iter().find_map(|name| Some((name, self.get(name)?)))
        else {
            return Ok(None);
        };
        let outcome = Entry::new(outcome, format!("{}.{name}", self.path))?;
        let Some(feedback) = outcome.get("feedback") else { return Ok(None) };
        let feedback = Entry::new(feedback, format!("{}.feedback", outcome.path))?;
        let metadata = match feedback.get("metadata") {
            None => Map::new(),
            Some(Value::Object(metadata)) => camel_keys(metadata),
            Some(_) => return Err(feedback.error("metadata", "must be an object")),
        };
        let (value, weight) = (feedback.get("value").cloned(), feedback.get("weight").cloned());
        Ok(Some(Feedback { value, weight, metadata }))
    }

    /// `null` is absent.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, HookError> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.error(name, "must be true or false")),
        }
    }

    fn error(&self, member: &str, message: &str) -> HookError {
        HookError { member: format!("{}.{member}", self.path), message: message.to_owned() }
    }
}

fn new_check(id: String, parameters: Map<String, Value>, enabled: bool) -> Check {
    let parameters = Parameters::new(&id, parameters);
    Check { function: Function::named(&id), id, parameters, enabled }
}

/// `input_guardrail_` and three characters of base 36, for mutators too.
fn generated_id(side: Side) -> String {
    let prefix = match side {
        Side::Request => "input_guardrail_",
        Side::Response => "output_guardrail_",
    };
    id::random(prefix, 3).to_ascii_lowercase()
}

/// Keys of configs are read in camel case, down to those of metadata. As deep as the parser lets values be.
fn camel_keys(members: &Map<String, Value>) -> Map<String, Value> {
    members.iter().map(|(key, value)| (camel(key), camel_value(value))).collect()
}

fn camel_value(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(camel_keys(members)),
        Value::Array(items) => Value::Array(items.iter().map(camel_value).collect()),
        scalar => scalar.clone(),
    }
}

/// `user_x` is `userX`.
fn camel(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut chars = key.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.next_if(|next| c == '_' && next.is_ascii_alphanumeric()) {
            Some(next) => out.push(next.to_ascii_uppercase()),
            None => out.push(c),
        }
    }
    out
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.member, self.message)
    }
}

impl std::error::Error for HookError {}
