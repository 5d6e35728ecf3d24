//! One pass over a config: where it is, what it found wrong, and the walk over nodes, members and items that
//! rules share.
//!
//! A value of a wrong type (as opposed to a wrong value of the right type) makes its node and all nodes
//! around it unsound: rules about whole nodes are then not tried, since they would only repeat the error.
//! Both spellings of a member are checked by the same rule. What is checked is in [`super::schema`] and
//! [`super::extension`].

use serde_json::{Map, Value};

use super::schema::MEMBERS;
use super::{ConfigContext, Issue, MAX_DEPTH, MAX_TARGETS, Note, PathPart, cross, lint, spelling};

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
        if both {
            result = result.and(self.odd_spellings(members));
        }
        if result == Type::Right {
            cross::check(self, members);
        }
        lint::node(self, members);
        result
    }

    /// A member spelled neither way (`custom_Host`) would be read without having been checked.
    fn odd_spellings(&mut self, members: &Map<String, Value>) -> Type {
        let mut result = Type::Right;
        for key in members.keys() {
            let name = spelling::snake(key);
            let odd = *key != name && *key != spelling::camel(&name);
            if odd && MEMBERS.iter().any(|(member, _)| *member == name) {
                result = self.at(key, |check| {
                    check.issue_with_hint("Unknown member", format!("write '{name}'"));
                    Type::Wrong
                });
            }
        }
        result
    }

    /// Checks the nodes of a `targets` list.
    pub(super) fn level_below(&mut self, targets: &Value) -> Type {
        if self.depth == MAX_DEPTH {
            self.issue(format!("Targets may be nested at most {MAX_DEPTH} levels deep"));
            return Type::Wrong;
        }
        self.depth += 1;
        let result = self.items(targets, |check, item| check.node(item));
        self.depth -= 1;
        result
    }

    pub(super) fn is_at_root(&self) -> bool {
        self.depth == 0
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

/// The keys under which a member is present. Without `both` spellings the second one is not looked for: most
/// configs have none.
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
