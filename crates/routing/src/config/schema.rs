//! The schema of a node, as a table: every member, in the order in which errors are listed, with the rule that checks it.
//!
//! The rules and texts for members that Portkey's gateway knows are its own, down to the types' names. A value of a wrong type
//! (as opposed to a wrong value of the right type) makes its node and all nodes around it unsound: rules about whole nodes are
//! then not tried, since they would only repeat the error. Both spellings of a member are checked by the same rule.

use serde_json::{Map, Value};

use super::{ConfigContext, Issue, MAX_DEPTH, MAX_TARGETS, Note, PathPart, cross, extension, lint, spelling};
use crate::strategy::Mode;

/// Issues and notes kept, of each: a config that is wrong everywhere must not become an answer of megabytes.
const MAX_ISSUES: usize = 100;

/// A pass over a config. Collects everything wrong, not only the first error.
pub(super) struct Check<'a> {
    pub(super) ctx: &'a ConfigContext<'a>,
    path: Vec<PathPart>,
    issues: Vec<Issue>,
    notes: Vec<Note>,
    depth: usize,
    /// Nodes seen so far.
    nodes: usize,
    /// Issues found after [`MAX_ISSUES`].
    left_out: usize,
    /// Length of the prompt's prefix that sticky groups look at: a plan has one.
    pub(super) prefix_chars: Option<u64>,
}

/// Whether a value has the type it should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Right,
    Wrong,
}

pub(super) type Rule = fn(&mut Check<'_>, &Value) -> Type;

const MEMBERS: [(&str, Rule); 46] = [
    ("strategy", strategy),
    ("provider", provider),
    ("api_key", text),
    ("aws_secret_access_key", text),
    ("aws_access_key_id", text),
    ("aws_session_token", text),
    ("aws_region", text),
    ("cache", cache),
    ("retry", retry),
    ("weight", weight),
    ("on_status_codes", numbers),
    ("targets", targets),
    ("request_timeout", number),
    ("custom_host", text),
    ("forward_headers", forward_headers),
    ("vertex_project_id", text),
    ("vertex_region", text),
    ("after_request_hooks", objects),
    ("before_request_hooks", objects),
    ("input_guardrails", guardrails),
    ("output_guardrails", guardrails),
    ("vertex_service_account_json", texts_by_name),
    ("openai_project", text),
    ("openai_organization", text),
    ("azure_auth_mode", text),
    ("azure_entra_client_id", text),
    ("azure_entra_client_secret", text),
    ("azure_entra_tenant_id", text),
    ("deployment_id", text),
    ("api_version", text),
    ("azure_ad_token", text),
    ("azure_model_name", text),
    ("strict_open_ai_compliance", flag),
    // Not in Portkey's schema: read by its gateway all the same, or known to this one only.
    ("input_mutators", objects),
    ("output_mutators", objects),
    ("default_input_guardrails", guardrails),
    ("default_output_guardrails", guardrails),
    ("name", text),
    ("override_params", object),
    ("default_params", object),
    ("virtual_key", extension::virtual_key),
    ("passthrough", flag),
    ("timeouts", extension::timeouts),
    ("hedge", extension::hedge),
    ("circuit_breaker", extension::circuit_breaker),
    ("is_open", any),
];

/// Names of all members that are no provider options.
pub(super) fn member_names() -> [&'static str; MEMBERS.len()] {
    MEMBERS.map(|(name, _)| name)
}

impl<'a> Check<'a> {
    pub(super) fn new(ctx: &'a ConfigContext<'a>) -> Self {
        let (path, issues, notes) = (Vec::new(), Vec::new(), Vec::new());
        Self { ctx, path, issues, notes, depth: 0, nodes: 0, left_out: 0, prefix_chars: None }
    }

    pub(super) fn finish(mut self) -> (Vec<Issue>, Vec<Note>) {
        if self.left_out > 0 {
            let (path, message) = (Vec::new(), format!("{} more errors", self.left_out));
            self.issues.push(Issue { path, message, hint: None, line: 0, column: 0 });
        }
        (self.issues, self.notes)
    }

    /// Checks a node and everything below it.
    pub(super) fn node(&mut self, value: &Value) -> Type {
        let Value::Object(members) = value else { return self.expected("object", value) };
        self.nodes += 1;
        if self.nodes > MAX_TARGETS {
            // Said once; the rest of the list would say the same.
            if self.nodes == MAX_TARGETS + 1 {
                self.issue(format!("A config may have at most {MAX_TARGETS} targets"));
            }
            return Type::Wrong;
        }
        let (mut result, both) = (Type::Right, has_camel_case(members));
        for (name, rule) in &MEMBERS {
            for spelling in spellings(members, name, both) {
                result = result.and(self.at(spelling, |check| rule(check, &members[spelling])));
            }
        }
        if result == Type::Right {
            cross::check(self, members);
        }
        lint::node(self, members);
        result
    }

    /// Checks members of an object by a table of their own; a member marked `true` must be there.
    pub(super) fn members(&mut self, value: &Value, table: &[(&str, bool, Rule)]) -> Type {
        let Value::Object(members) = value else { return self.expected("object", value) };
        let (mut result, both) = (Type::Right, has_camel_case(members));
        for (name, required, rule) in table {
            let mut found = false;
            for spelling in spellings(members, name, both) {
                found = true;
                result = result.and(self.at(spelling, |check| rule(check, &members[spelling])));
            }
            if *required && !found {
                result = self.at(name, |check| check.required());
            }
        }
        result
    }

    pub(super) fn items(&mut self, value: &Value, rule: Rule) -> Type {
        let Value::Array(items) = value else { return self.expected("array", value) };
        let mut result = Type::Right;
        for (index, item) in items.iter().enumerate() {
            self.path.push(PathPart::Index(index));
            result = result.and(rule(self, item));
            self.path.pop();
        }
        result
    }

    /// Runs `inner` with `key` at the end of the path.
    pub(super) fn at<T>(&mut self, key: &str, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(PathPart::Key(key.to_owned()));
        let result = inner(self);
        self.path.pop();
        result
    }

    pub(super) fn issue(&mut self, message: impl Into<String>) {
        self.add(message.into(), None);
    }

    pub(super) fn issue_with_hint(&mut self, message: impl Into<String>, hint: impl Into<String>) {
        self.add(message.into(), Some(hint.into()));
    }

    pub(super) fn note(&mut self, message: impl Into<String>) {
        if self.notes.len() < MAX_ISSUES {
            self.notes.push(Note { path: self.path.clone(), message: message.into() });
        }
    }

    pub(super) fn expected(&mut self, wanted: &str, value: &Value) -> Type {
        self.issue(format!("Expected {wanted}, received {}", type_name(value)));
        Type::Wrong
    }

    pub(super) fn required(&mut self) -> Type {
        self.issue("Required");
        Type::Wrong
    }

    fn add(&mut self, message: String, hint: Option<String>) {
        if self.issues.len() == MAX_ISSUES {
            self.left_out += 1;
            return;
        }
        self.issues.push(Issue { path: self.path.clone(), message, hint, line: 0, column: 0 });
    }
}

impl Type {
    pub(super) fn and(self, other: Self) -> Self {
        if self == Self::Right { other } else { self }
    }
}

/// The keys under which a member is present. Without `both` spellings the second one is not looked for: most configs have none.
fn spellings<'m>(
    members: &'m Map<String, Value>,
    name: &'m str,
    both: bool,
) -> impl Iterator<Item = &'m str> {
    let camel = if both { spelling::camel(name) } else { name.into() };
    let other =
        (camel != name).then(|| members.get_key_value(&*camel)).flatten().map(|(key, _)| key.as_str());
    members.contains_key(name).then_some(name).into_iter().chain(other)
}

fn has_camel_case(members: &Map<String, Value>) -> bool {
    members.keys().any(|key| key.bytes().any(|byte| byte.is_ascii_uppercase()))
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub(super) fn any(_: &mut Check<'_>, _: &Value) -> Type {
    Type::Right
}

pub(super) fn text(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_string() { Type::Right } else { check.expected("string", value) }
}

pub(super) fn number(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_number() { Type::Right } else { check.expected("number", value) }
}

pub(super) fn flag(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_boolean() { Type::Right } else { check.expected("boolean", value) }
}

pub(super) fn object(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_object() { Type::Right } else { check.expected("object", value) }
}

pub(super) fn numbers(check: &mut Check<'_>, value: &Value) -> Type {
    check.items(value, number)
}

fn objects(check: &mut Check<'_>, value: &Value) -> Type {
    check.items(value, object)
}

fn texts_by_name(check: &mut Check<'_>, value: &Value) -> Type {
    let Value::Object(members) = value else { return check.expected("object", value) };
    members
        .iter()
        .fold(Type::Right, |result, (key, value)| result.and(check.at(key, |check| text(check, value))))
}

fn provider(check: &mut Check<'_>, value: &Value) -> Type {
    let Value::String(id) = value else { return check.expected("string", value) };
    if !(check.ctx.is_provider)(id) {
        let ids = check.ctx.provider_ids;
        let message = format!("Invalid 'provider' value. Must be one of: {}", ids.join(", "));
        match spelling::nearest(&id.to_ascii_lowercase(), ids) {
            Some(near) => check.issue_with_hint(message, format!("did you mean '{near}'?")),
            None => check.issue(message),
        }
    }
    Type::Right
}

fn weight(check: &mut Check<'_>, value: &Value) -> Type {
    let is_numeric = |text: &str| text.trim().parse().is_ok_and(|number: f64| number.is_finite());
    if value.as_str().is_some_and(is_numeric) { Type::Right } else { number(check, value) }
}

fn targets(check: &mut Check<'_>, value: &Value) -> Type {
    if check.depth == MAX_DEPTH {
        check.issue(format!("Targets may be nested at most {MAX_DEPTH} levels deep"));
        return Type::Wrong;
    }
    check.depth += 1;
    let result = check.items(value, |check, item| check.node(item));
    check.depth -= 1;
    result
}

fn forward_headers(check: &mut Check<'_>, value: &Value) -> Type {
    let result = check.items(value, text);
    let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    const ITSELF: &str = "x-portkey-forward-headers";
    if result == Type::Right && names.into_iter().any(|name| name.trim().eq_ignore_ascii_case(ITSELF)) {
        check.issue(format!("forward_headers must not contain the '{ITSELF}' header"));
    }
    result
}

fn guardrails(check: &mut Check<'_>, value: &Value) -> Type {
    let Value::Array(items) = value else {
        check.issue("Invalid input");
        return Type::Wrong;
    };
    let count_of = |is_kind: fn(&Value) -> bool| items.iter().filter(|item| is_kind(item)).count();
    if !items.is_empty() && count_of(Value::is_string) == items.len() {
        return check.items(value, |check, _| {
            check.issue_with_hint(
                "Expected object, received string",
                "saved guardrails are unknown here: write them out",
            );
            Type::Wrong
        });
    }
    if count_of(Value::is_object) < items.len() {
        check.issue("Invalid input");
        return Type::Wrong;
    }
    Type::Right
}

fn cache(check: &mut Check<'_>, value: &Value) -> Type {
    fn mode(check: &mut Check<'_>, value: &Value) -> Type {
        let result = text(check, value);
        if result == Type::Right && !matches!(value.as_str(), Some("simple" | "semantic")) {
            check.issue("Invalid 'cache.mode' value. Must be one of: simple, semantic");
        }
        result
    }
    let result = check.members(value, &[("mode", true, mode), ("max_age", false, number)]);
    lint::unknown_members(check, value, &["mode", "max_age"]);
    result
}

fn retry(check: &mut Check<'_>, value: &Value) -> Type {
    const OURS: [(&str, bool, Rule); 4] = [
        ("count", false, number),
        ("max_wait_ms", false, extension::milliseconds),
        ("jitter", false, flag),
        ("budget", false, extension::share),
    ];
    let has_count = value.get("count").is_some();
    let theirs: [(&str, bool, Rule); 3] = [
        ("attempts", !has_count, number),
        ("on_status_codes", false, numbers),
        ("use_retry_after_header", false, flag),
    ];
    let result = check.members(value, &theirs);
    if result == Type::Wrong && !value.is_object() {
        return result;
    }
    let result = result.and(check.members(value, &OURS));
    if has_count && value.get("attempts").is_some() {
        check.at("count", |check| check.issue("'count' is another name of 'attempts': leave one out"));
    }
    lint::retry(check, value);
    result
}

fn strategy(check: &mut Check<'_>, value: &Value) -> Type {
    fn mode(check: &mut Check<'_>, value: &Value) -> Type {
        let result = text(check, value);
        if value.as_str().is_some_and(|name| Mode::of(name).is_none()) {
            let names: Vec<&str> = Mode::names().collect();
            let hint = format!("all modes of this gateway: {}", names.join(", "));
            let message = "Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional";
            check.issue_with_hint(message, hint);
        }
        result
    }
    fn condition(check: &mut Check<'_>, value: &Value) -> Type {
        check.members(value, &[("query", true, query), ("then", true, text)])
    }
    fn query(check: &mut Check<'_>, value: &Value) -> Type {
        let result = object(check, value);
        if result == Type::Right {
            extension::query(check, value);
        }
        result
    }
    let result = check.members(
        value,
        &[
            ("mode", true, mode),
            ("on_status_codes", false, numbers),
            ("conditions", false, |check, list| check.items(list, condition)),
            ("default", false, text),
        ],
    );
    if let Some(sticky) = value.get("sticky") {
        let is_balanced = value.get("mode").and_then(Value::as_str) == Some("loadbalance");
        return result.and(check.at("sticky", |check| extension::sticky(check, sticky, is_balanced)));
    }
    result
}
