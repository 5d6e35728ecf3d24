//! The forms that published schemas give to JSON members, as tables, and one checker for all of them.
//!
//! It finds the first violation in the order of the document, and says where and what; each fake words it in the
//! provider's way. `null` counts as absent except where a table says [`Kind::Any`].

use serde_json::{Map, Value};

/// A member that an object may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Any,
    Text,
    Flag,
    Object,
    List,
    /// An integer within bounds.
    Whole(i64, i64),
    /// A number within bounds.
    Number(f64, f64),
    Word(&'static [&'static str]),
    TextOrList,
    /// A string or a list of at most this many strings.
    Texts(usize),
    WordOrObject(&'static [&'static str]),
}

/// A member that may be there.
pub(crate) const fn may(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false }
}

/// A member that must be there.
pub(crate) const fn must(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: true }
}

/// What is wrong, and where (`messages[0].role`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Unknown,
    Missing,
    /// Not of the form said here.
    Wrong(String),
}

impl Violation {
    pub(crate) fn wrong(path: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self { path: path.into(), problem: Problem::Wrong(wanted.into()) }
    }

    pub(crate) fn missing(path: impl Into<String>) -> Self {
        Self { path: path.into(), problem: Problem::Missing }
    }

    pub(crate) fn unknown(path: impl Into<String>) -> Self {
        Self { path: path.into(), problem: Problem::Unknown }
    }
}

/// The outcome of a check.
pub(crate) type Checked<T = ()> = Result<T, Violation>;

/// `value` is an object with these members, all required ones and no other.
pub(crate) fn check<'a>(value: &'a Value, path: &str, members: &[Member]) -> Checked<&'a Map<String, Value>> {
    let object = value.as_object().ok_or_else(|| Violation::wrong(path, "an object"))?;
    for (name, value) in object {
        let at = join(path, name);
        let member =
            members.iter().find(|member| member.name == name).ok_or_else(|| Violation::unknown(&at))?;
        if !value.is_null() {
            member.kind.check(value, at)?;
        }
    }
    for member in members.iter().filter(|member| member.required) {
        if object.get(member.name).is_none_or(Value::is_null) {
            return Err(Violation::missing(join(path, member.name)));
        }
    }
    Ok(object)
}

pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The items of a list member with their paths; none when it is absent.
pub(crate) fn items<'a>(object: &'a Map<String, Value>, path: &str, name: &str) -> Vec<(&'a Value, String)> {
    object.get(name).map(|list| numbered(list, path, name)).unwrap_or_default()
}

/// The same for a value that may be no object.
pub(crate) fn items_of<'a>(value: &'a Value, path: &str, name: &str) -> Vec<(&'a Value, String)> {
    numbered(&value[name], path, name)
}

fn numbered<'a>(list: &'a Value, path: &str, name: &str) -> Vec<(&'a Value, String)> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().enumerate().map(|(i, item)| (item, format!("{}[{i}]", join(path, name)))).collect()
}

/// Letters, digits, `_` and `-`, up to `longest`.
pub(crate) fn is_tool_name(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl Kind {
    fn check(self, value: &Value, path: String) -> Checked {
        let fits = match self {
            Self::Any => true,
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Whole(least, most) => value.as_i64().is_some_and(|n| (least..=most).contains(&n)),
            Self::Number(least, most) => value.as_f64().is_some_and(|n| (least..=most).contains(&n)),
            Self::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::TextOrList => value.is_string() || value.is_array(),
            Self::Texts(most) => {
                let list = value.as_array();
                value.is_string()
                    || list.is_some_and(|list| list.len() <= most && list.iter().all(Value::is_string))
            }
            Self::WordOrObject(words) => {
                value.is_object() || value.as_str().is_some_and(|word| words.contains(&word))
            }
        };
        if fits { Ok(()) } else { Err(Violation::wrong(path, self.wanted())) }
    }

    fn wanted(self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Flag => "a boolean".to_owned(),
            Self::Object => "an object".to_owned(),
            Self::List => "an array".to_owned(),
            Self::Whole(least, most) => format!("an integer from {least} to {most}"),
            Self::Number(least, most) => format!("a number from {least} to {most}"),
            Self::Word(words) => format!("one of '{}'", words.join("', '")),
            Self::TextOrList => "a string or an array".to_owned(),
            Self::Texts(most) => format!("a string or an array of at most {most} strings"),
            Self::WordOrObject(words) => format!("an object or one of '{}'", words.join("', '")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_the_first_violation() {
        let members = [
            must("name", Kind::Text),
            may("n", Kind::Whole(1, 8)),
            may("t", Kind::Number(0.0, 2.0)),
            may("stop", Kind::Texts(2)),
            may("choice", Kind::WordOrObject(&["auto"])),
        ];
        for (value, expected) in [
            (json!({"name": "x", "n": 8, "t": 2, "stop": ["a", "b"], "choice": {}}), None),
            (json!({"name": "x", "n": null, "stop": "a", "choice": "auto"}), None),
            (json!([]), Some(Violation::wrong("m", "an object"))),
            (json!({"name": "x", "foo": null}), Some(Violation::unknown("m.foo"))),
            (json!({"name": null}), Some(Violation::missing("m.name"))),
            (json!({"name": 1}), Some(Violation::wrong("m.name", "a string"))),
            (json!({"name": "x", "n": 9}), Some(Violation::wrong("m.n", "an integer from 1 to 8"))),
            (json!({"name": "x", "n": 1.5}), Some(Violation::wrong("m.n", "an integer from 1 to 8"))),
            (json!({"name": "x", "t": 2.1}), Some(Violation::wrong("m.t", "a number from 0 to 2"))),
            (
                json!({"name": "x", "stop": ["a", "b", "c"]}),
                Some(Violation::wrong("m.stop", "a string or an array of at most 2 strings")),
            ),
            (
                json!({"name": "x", "choice": "any"}),
                Some(Violation::wrong("m.choice", "an object or one of 'auto'")),
            ),
        ] {
            assert_eq!(check(&value, "m", &members).err(), expected, "{value}");
        }
    }
}
