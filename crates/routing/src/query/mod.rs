//! The query language of conditional routing, compiled once per plan.
//!
//! A query is an object whose members must all hold, tried in the order written. `$and` and `$or` decide at
//! once: members after them are not looked at. Any other key is `<root>.<field>` with root `metadata`,
//! `params` or `url`. Values compare as in JavaScript (see [`js`]), because that is where existing configs
//! were tried out.

mod js;
mod pattern;

use regex::Regex;
use serde_json::Value;

use crate::plan::Needs;
use crate::walk::{Facts, RouteError};

pub(crate) use pattern::unsupported_syntax;

/// Longest text, in bytes, that a pattern searches: the time grows with text times pattern, and callers write
/// both.
const MAX_SEARCHED: usize = 16 * 1024;

/// Members in the order written.
#[derive(Debug)]
pub(crate) struct Query(Vec<Member>);

#[derive(Debug)]
enum Member {
    Or(Vec<Query>),
    And(Vec<Query>),
    Equals(Field, Value),
    Holds(Field, Vec<Test>),
}

/// Where a value comes from. A third dot and what follows is ignored.
#[derive(Debug)]
enum Field {
    Metadata(Box<str>),
    Params(Box<str>),
    UrlPath,
    /// Any other key: never there.
    Nothing,
}

#[derive(Debug)]
enum Test {
    Equal(Value),
    NotEqual(Value),
    /// Both sides as numbers; not a number holds for nothing.
    Compare(Comparison, f64),
    In(Vec<Value>),
    NotIn(Vec<Value>),
    /// `None` for a pattern that no engine takes. Later tests are not looked at.
    Regex(Option<Regex>),
    Length(Vec<Test>),
    /// Fails the moment it is reached.
    Unsupported(Box<str>),
    Never,
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A value of the request; `None` is JavaScript's `undefined`.
type Found<'a> = Option<&'a Value>;

impl Query {
    /// Never fails: what cannot work is found when it is reached, as existing configs expect. Depth is
    /// bounded by the JSON parser.
    pub(crate) fn compile(query: &Value, needs: &mut Needs) -> Self {
        Self(entries(query).map(|(key, value)| Member::compile(&key, value, needs)).collect())
    }

    /// # Errors
    /// An operator that does not exist was reached.
    pub(crate) fn matches(&self, facts: &Facts<'_>) -> Result<bool, RouteError> {
        for member in &self.0 {
            match member {
                Member::Or(queries) => return any(queries, facts),
                Member::And(queries) => return all(queries, facts),
                Member::Equals(field, wanted) => {
                    if !field.with(facts, |found| js::strictly_equal(found, wanted)) {
                        return Ok(false);
                    }
                }
                Member::Holds(field, tests) => {
                    if !field.with(facts, |found| hold(tests, found))? {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }
}

impl Member {
    fn compile(key: &str, value: &Value, needs: &mut Needs) -> Self {
        let queries = |list: &[Value], needs: &mut Needs| {
            list.iter().map(|query| Query::compile(query, needs)).collect()
        };
        match (key, value) {
            ("$or", Value::Array(list)) => Self::Or(queries(list, needs)),
            ("$and", Value::Array(list)) => Self::And(queries(list, needs)),
            (_, Value::Object(_) | Value::Array(_)) => Self::Holds(
                Field::of(key, needs),
                entries(value).map(|(op, operand)| Test::compile(&op, operand)).collect(),
            ),
            _ => Self::Equals(Field::of(key, needs), value.clone()),
        }
    }
}

impl Field {
    fn of(key: &str, needs: &mut Needs) -> Self {
        let mut parts = key.split('.');
        match (parts.next(), parts.next()) {
            (Some("metadata"), Some(name)) => {
                needs.metadata = true;
                Self::Metadata(name.into())
            }
            (Some("params"), Some(name)) => {
                needs.params = true;
                Self::Params(name.into())
            }
            (Some("url"), Some("pathname")) => Self::UrlPath,
            _ => Self::Nothing,
        }
    }

    fn with<T>(&self, facts: &Facts<'_>, test: impl FnOnce(Found<'_>) -> T) -> T {
        match self {
            Self::Metadata(name) => test(facts.metadata.get(&**name)),
            Self::Params(name) => test(facts.params.get(&**name)),
            Self::UrlPath => test(Some(&Value::from(facts.url_path))),
            Self::Nothing => test(None),
        }
    }
}

impl Test {
    fn compile(op: &str, operand: &Value) -> Self {
        let list = |test: fn(Vec<Value>) -> Self| operand.as_array().cloned().map_or(Self::Never, test);
        let compare = |comparison| Self::Compare(comparison, js::parse_float(Some(operand)));
        match op {
            "$eq" => Self::Equal(operand.clone()),
            "$ne" => Self::NotEqual(operand.clone()),
            "$gt" => compare(Comparison::Greater),
            "$gte" => compare(Comparison::GreaterOrEqual),
            "$lt" => compare(Comparison::Less),
            "$lte" => compare(Comparison::LessOrEqual),
            "$in" => list(Self::In),
            "$nin" => list(Self::NotIn),
            "$regex" => Self::Regex(pattern::compile(&js::to_text(Some(operand)))),
            "$length" => Self::Length(match operand {
                Value::Number(_) => vec![Self::Equal(operand.clone())],
                tests => entries(tests).map(|(op, operand)| Self::compile(&op, operand)).collect(),
            }),
            unknown => Self::Unsupported(unknown.into()),
        }
    }
}

fn any(queries: &[Query], facts: &Facts<'_>) -> Result<bool, RouteError> {
    for query in queries {
        if query.matches(facts)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn all(queries: &[Query], facts: &Facts<'_>) -> Result<bool, RouteError> {
    for query in queries {
        if !query.matches(facts)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn hold(tests: &[Test], found: Found<'_>) -> Result<bool, RouteError> {
    for test in tests {
        let holds = match test {
            Test::Equal(wanted) => js::strictly_equal(found, wanted),
            Test::NotEqual(wanted) => !js::strictly_equal(found, wanted),
            Test::Compare(comparison, operand) => comparison.holds(js::parse_float(found), *operand),
            Test::In(list) => list.iter().any(|wanted| js::strictly_equal(found, wanted)),
            Test::NotIn(list) => !list.iter().any(|wanted| js::strictly_equal(found, wanted)),
            Test::Regex(None) | Test::Never => false,
            Test::Regex(Some(regex)) => {
                let text = js::to_text(found);
                if text.len() > MAX_SEARCHED {
                    let message =
                        format!("$regex in the query router takes values of at most {MAX_SEARCHED} bytes");
                    return Err(RouteError::bad_request(message));
                }
                return Ok(regex.is_match(&text));
            }
            Test::Length(tests) => match found {
                Some(Value::Array(items)) => hold(tests, Some(&Value::from(items.len())))?,
                _ => false,
            },
            Test::Unsupported(op) => {
                return Err(RouteError::bad_request(format!(
                    "Unsupported operator used in the query router: {op}"
                )));
            }
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
        }
    }
}

/// Members of an object, or items of an array under their indexes; nothing for other values.
fn entries(value: &Value) -> impl Iterator<Item = (std::borrow::Cow<'_, str>, &Value)> {
    let members = value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str().into(), value));
    let items =
        value.as_array().into_iter().flatten().enumerate().map(|(i, item)| (i.to_string().into(), item));
    members.chain(items)
}

#[cfg(test)]
mod tests;
