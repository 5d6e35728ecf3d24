//! What two versions of a config differ in.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// One difference.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Difference {
    /// `targets[0].weight`; empty for the whole config.
    path: String,
    op: Op,
    /// Null for what was added.
    before: Value,
    /// Null for what was removed.
    after: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Op {
    Add,
    Remove,
    Change,
}

/// A version, and what is shown of it: two credentials that differ may look alike.
#[derive(Clone, Copy)]
pub(super) struct Side<'v> {
    pub(super) real: &'v Value,
    pub(super) shown: &'v Value,
}

/// In the order of `before`, then what is new. Items of arrays are compared by their place.
pub(super) fn between(before: Side<'_>, after: Side<'_>) -> Vec<Difference> {
    let mut found = Vec::new();
    walk("", before, after, &mut found);
    found
}

fn walk(path: &str, before: Side<'_>, after: Side<'_>, found: &mut Vec<Difference>) {
    match (before.real, after.real) {
        (Value::Object(old), Value::Object(new)) => {
            for name in old.keys() {
                one(&member(path, name), before.member(name), after.member(name), found);
            }
            for name in new.keys().filter(|name| !old.contains_key(*name)) {
                one(&member(path, name), None, after.member(name), found);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for at in 0..old.len().max(new.len()) {
                one(&format!("{path}[{at}]"), before.item(at), after.item(at), found);
            }
        }
        (old, new) if old == new => {}
        _ => found.push(Difference {
            path: path.to_owned(),
            op: Op::Change,
            before: before.shown.clone(),
            after: after.shown.clone(),
        }),
    }
}

fn one(path: &str, before: Option<Side<'_>>, after: Option<Side<'_>>, found: &mut Vec<Difference>) {
    let shown = |side: Option<Side<'_>>| side.map_or(Value::Null, |side| side.shown.clone());
    let op = match (before, after) {
        (Some(before), Some(after)) => return walk(path, before, after, found),
        (None, _) => Op::Add,
        (_, None) => Op::Remove,
    };
    found.push(Difference { path: path.to_owned(), op, before: shown(before), after: shown(after) });
}

impl<'v> Side<'v> {
    fn member(self, name: &str) -> Option<Self> {
        Some(Self { real: self.real.get(name)?, shown: self.shown.get(name)? })
    }

    fn item(self, at: usize) -> Option<Self> {
        Some(Self { real: self.real.get(at)?, shown: self.shown.get(at)? })
    }
}

fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_named_by_their_place() {
        let before = json!({"a": 1, "targets": [{"weight": 1}, {"weight": 2}], "gone": true, "same": [1]});
        let after = json!({"a": 1, "targets": [{"weight": 3}], "same": [1], "new": {"x": null}});
        let difference =
            |path: &str, op, before, after| Difference { path: path.to_owned(), op, before, after };
        let side = |value| Side { real: value, shown: value };
        let expected = vec![
            difference("targets[0].weight", Op::Change, json!(1), json!(3)),
            difference("targets[1]", Op::Remove, json!({"weight": 2}), Value::Null),
            difference("gone", Op::Remove, json!(true), Value::Null),
            difference("new", Op::Add, Value::Null, json!({"x": null})),
        ];
        assert_eq!(between(side(&before), side(&after)), expected);
        assert_eq!(between(side(&before), side(&before)), []);
        let (old, new, shown) = (json!({"api_key": "1"}), json!({"api_key": "2"}), json!({"api_key": "***"}));
        let (old, new) = (Side { real: &old, shown: &shown }, Side { real: &new, shown: &shown });
        let change = difference("api_key", Op::Change, json!("***"), json!("***"));
        assert_eq!(between(old, new), [change]);
    }
}
