//! The local checks: one file each, one line in [`LOCAL`].
//!
//! A check looks at one body and says a verdict, data that explains it, and possibly the body it would have instead. An
//! error inside a [`Finding`] is about its parameters or the text; how errors weigh is decided in `run`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::pattern::{Pattern, PatternError};
use crate::text::{self, NoText};
use crate::{Input, Shape, Side, js};

mod add_prefix;
mod all_lower_case;
mod all_upper_case;
mod allowed_request_types;
mod character_count;
mod contains;
mod contains_code;
mod count_range;
mod ends_with;
mod found_names;
mod json_keys;
mod json_schema;
mod letter_case;
mod model_rules;
mod model_whitelist;
mod not_null;
mod regex_match;
mod regex_replace;
mod required_metadata_keys;
mod sentence_count;
mod word_count;

/// `Err` when the check needs a text and the body has none: it then counts as not executed.
pub(crate) type CheckFn = fn(&Scene<'_>, &Parameters) -> Result<Finding, NoText>;

/// Names are case-sensitive.
const LOCAL: [(&str, CheckFn); 18] = [
    ("addPrefix", add_prefix::check),
    ("alllowercase", all_lower_case::check),
    ("allowedRequestTypes", allowed_request_types::check),
    ("alluppercase", all_upper_case::check),
    ("characterCount", character_count::check),
    ("contains", contains::check),
    ("containsCode", contains_code::check),
    ("endsWith", ends_with::check),
    ("jsonKeys", json_keys::check),
    ("jsonSchema", json_schema::check),
    ("modelRules", model_rules::check),
    ("modelWhitelist", model_whitelist::check),
    ("notNull", not_null::check),
    ("regexMatch", regex_match::check),
    ("regexReplace", regex_replace::check),
    ("requiredMetadataKeys", required_metadata_keys::check),
    ("sentenceCount", sentence_count::check),
    ("wordCount", word_count::check),
];

/// How the checks with a `rule` read it.
const RULES: [(&str, CompileFn); 2] =
    [("regexMatch", regex_match::compile), ("regexReplace", regex_replace::compile)];

type CompileFn = fn(&str) -> Result<Pattern, PatternError>;

/// Plugins and functions of the config object that call a service elsewhere.
const EXTERNAL_PLUGINS: [&str; 20] = [
    "acuvity",
    "aporia",
    "azure",
    "bedrock",
    "crowdstrike-aidr",
    "exa",
    "f5-guardrails",
    "javelin",
    "lasso",
    "mistral",
    "pangea",
    "panw-prisma-airs",
    "patronus",
    "pillar",
    "portkey",
    "promptfoo",
    "promptsecurity",
    "qualifire",
    "sydelabs",
    "walledai",
];
const EXTERNAL_FUNCTIONS: [&str; 4] = ["jwt", "log", "validUrls", "webhook"];

/// What a check id stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Function {
    Local(CheckFn),
    /// Known, and not in this build.
    Unavailable,
    Unknown,
}

/// One body as a check sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) side: Side,
    pub(crate) shape: Shape,
    pub(crate) request: &'a Value,
    response: &'a Value,
    pub(crate) metadata: &'a Map<String, Value>,
}

/// A check's parameters, with its rule compiled.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    members: Map<String, Value>,
    /// `None` without a rule, or where there is no use for one.
    pattern: Option<Result<Pattern, PatternError>>,
}

/// What a check says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) verdict: bool,
    /// The explanation for clients; its members are each check's own.
    pub(crate) data: Value,
    pub(crate) error: Option<CheckError>,
    /// The body of the check's side as it should be instead.
    pub(crate) transformed: Option<Value>,
}

/// Why a check could not judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckError {
    /// The class of the error, where there is one.
    pub(crate) name: Option<&'static str>,
    pub(crate) message: String,
}

impl Function {
    /// The function of `<plugin>.<function>`.
    pub(crate) fn named(id: &str) -> Self {
        let (plugin, function) = segments(id);
        if plugin != "default" {
            return if EXTERNAL_PLUGINS.contains(&plugin) { Self::Unavailable } else { Self::Unknown };
        }
        match LOCAL.iter().find(|(name, _)| *name == function) {
            Some((_, check)) => Self::Local(*check),
            None if EXTERNAL_FUNCTIONS.contains(&function) => Self::Unavailable,
            None => Self::Unknown,
        }
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn new(side: Side, input: Input<'a>) -> Self {
        let Input { shape, request, response, metadata } = input;
        Self { side, shape, request, response: response.unwrap_or(&Value::Null), metadata }
    }

    /// The same scene after a change of the body that is looked at.
    pub(crate) fn with_body(self, body: &'a Value) -> Self {
        match self.side {
            Side::Request => Self { request: body, ..self },
            Side::Response => Self { response: body, ..self },
        }
    }

    /// The body that is looked at.
    pub(crate) fn body(&self) -> &'a Value {
        match self.side {
            Side::Request => self.request,
            Side::Response => self.response,
        }
    }

    fn content(&self) -> Result<Option<&'a Value>, NoText> {
        text::content(self.body(), self.side, self.shape)
    }

    fn text(&self) -> Result<String, NoText> {
        self.content().map(text::joined)
    }

    fn model(&self) -> Option<&'a str> {
        self.request.get("model").and_then(Value::as_str).filter(|model| !model.is_empty())
    }
}

impl Parameters {
    /// Reads the parameters of the check `id`.
    pub(crate) fn new(id: &str, members: Map<String, Value>) -> Self {
        let compile =
            RULES.iter().find(|(name, _)| segments(id) == ("default", name)).map(|(_, compile)| compile);
        let mut parameters = Self { members, pattern: None };
        parameters.pattern = compile.and_then(|compile| parameters.text("rule").map(compile));
        parameters
    }

    /// The rule uses what this engine does not have: the check will answer with an error.
    pub(crate) fn has_unsupported_rule(&self) -> bool {
        matches!(self.pattern, Some(Err(PatternError::Unsupported(_))))
    }

    /// An error of this check fails its hook.
    pub(crate) fn fail_on_error(&self) -> bool {
        self.flag("failOnError", false)
    }

    #[cfg(test)]
    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// As written, for reports.
    fn copy(&self, name: &str) -> Option<Value> {
        self.get(name).cloned()
    }

    /// A text with something in it.
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    fn list(&self, name: &str) -> Option<&[Value]> {
        self.get(name)?.as_array().map(Vec::as_slice)
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| js::truthy(Some(value)))
    }

    /// The verdict is turned round.
    fn not(&self) -> bool {
        self.flag("not", false)
    }

    /// The rule as written, and its pattern.
    fn rule(&self) -> Option<(&str, Result<&Pattern, &PatternError>)> {
        Some((self.text("rule")?, self.pattern.as_ref()?.as_ref()))
    }
}

impl Finding {
    fn new(verdict: bool, data: Value) -> Self {
        Self { verdict, data, error: None, transformed: None }
    }

    fn failed(error: CheckError, data: Value) -> Self {
        Self { verdict: false, data, error: Some(error), transformed: None }
    }

    /// An error that says nothing against the body, and has no data.
    fn passed_with(message: &str) -> Self {
        let error = CheckError { name: None, message: message.to_owned() };
        Self { verdict: true, data: Value::Null, error: Some(error), transformed: None }
    }
}

impl CheckError {
    pub(crate) fn not_executed() -> Self {
        Self { name: Some("Check error"), message: "Error executing check".to_owned() }
    }

    pub(crate) fn unavailable(id: &str) -> Self {
        Self { name: Some("Check error"), message: format!("The check {id} is not available in this build") }
    }

    fn new(message: impl Into<String>) -> Self {
        Self { name: Some("Error"), message: message.into() }
    }

    fn of_type(message: impl Into<String>) -> Self {
        Self { name: Some("TypeError"), message: message.into() }
    }

    fn of_syntax(error: &PatternError) -> Self {
        Self { name: Some("SyntaxError"), message: error.to_string() }
    }
}

/// Plugin and function of a check id; more segments are ignored.
fn segments(id: &str) -> (&str, &str) {
    let mut segments = id.split('.');
    (segments.next().unwrap_or_default(), segments.next().unwrap_or_default())
}

/// The items of a list as text, for lookups and reports.
fn texts(list: &[Value]) -> Vec<Cow<'_, str>> {
    list.iter().map(js::to_text).collect()
}

#[cfg(test)]
mod tests;
