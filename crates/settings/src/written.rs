//! First stage: what was written, and where. A file, the environment and the command line become one list of entries;
//! nothing is judged here but the syntax of the file and the names of variables.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Place, SettingsError};
use crate::field;
use crate::provider;
use crate::suggest::nearest;
use crate::value::Raw;

/// The variable that names the settings file; for the caller, who reads it.
pub const CONFIG_VARIABLE: &str = "TIDEGATE_CONFIG";

/// Variables of the command line and of the store, which are no settings: the address and the key of the gateway to
/// manage, the workspace to work in, and the master key.
pub const OTHER_VARIABLES: [&str; 4] =
    ["TIDEGATE_URL", "TIDEGATE_ADMIN_KEY", "TIDEGATE_WORKSPACE", "TIDEGATE_MASTER_KEY"];

const PREFIX: &str = "TIDEGATE_";

/// The text of a settings file, and its name for messages.
#[derive(Clone, Copy)]
pub struct SettingsFile<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

/// One argument of the command line that sets a field.
#[derive(Debug, Clone, Copy)]
pub struct Argument<'a> {
    /// As typed, for messages: `--port`.
    pub flag: &'a str,
    /// Path of the field: `server.port`.
    pub field: &'a str,
    pub value: &'a str,
}

/// A value under its path (`["server", "port"]`).
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: Vec<String>,
    pub(crate) raw: Raw,
    /// Where the name stands, for what is wrong with it.
    pub(crate) name_place: Place,
    /// Where the value stands.
    pub(crate) place: Place,
}

impl fmt::Debug for SettingsFile<'_> {
    /// Without the text, which may hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Entry {
    pub(crate) fn field(&self) -> String {
        self.path.join(".")
    }
}

/// The entries of a file, in its order; provider sections themselves are entries too, so that an empty one counts.
///
/// # Errors
/// Each mistake of syntax.
pub(crate) fn in_file(file: SettingsFile<'_>) -> Result<Vec<Entry>, Vec<SettingsError>> {
    let (table, errors) = DeTable::parse_recoverable(file.text);
    if errors.is_empty() {
        let mut entries = Vec::new();
        walk(file, table.get_ref(), &[], &mut entries);
        return Ok(entries);
    }
    let mistake = |error: toml::de::Error| SettingsError {
        place: place_at(file, error.span().unwrap_or(0..0)),
        field: String::new(),
        problem: error.message().trim().replace('\n', ", "),
        remedy: "correct the TOML here".to_owned(),
    };
    Err(errors.into_iter().map(mistake).collect())
}

/// The entries of the environment, weakest first, and what is wrong with the names. A variable without a value counts
/// as not set.
pub(crate) fn in_env(
    env: &BTreeMap<String, String>,
    slugs: &[String],
    mistakes: &mut Vec<SettingsError>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, field) in field::PLAIN_VARIABLES {
        if let Some(value) = env.get(name).filter(|value| !value.is_empty()) {
            entries.push(from_env(name, field.split('.').map(str::to_owned).collect(), value));
        }
    }
    let is_ours = |name: &str, value: &str| {
        name.starts_with(PREFIX)
            && name != CONFIG_VARIABLE
            && !OTHER_VARIABLES.contains(&name)
            && !value.is_empty()
            && !is_service_link(name, value)
    };
    for (name, value) in env.iter().filter(|(name, value)| is_ours(name, value)) {
        match path_of(name, slugs) {
            Some(path) => entries.push(from_env(name, path, value)),
            None => mistakes.push(unknown_variable(name)),
        }
    }
    report_rivals(&entries, mistakes);
    entries
}

/// The entries of the command line.
pub(crate) fn in_arguments(arguments: &[Argument<'_>]) -> Vec<Entry> {
    let entry = |argument: &Argument<'_>| Entry {
        path: argument.field.split('.').map(str::to_owned).collect(),
        raw: Raw::Untyped(argument.value.to_owned()),
        name_place: Place::Cli(argument.flag.to_owned()),
        place: Place::Cli(argument.flag.to_owned()),
    };
    arguments.iter().map(entry).collect()
}

/// `providers.<slug>.options.<name>` is the deepest path there is; what is deeper is a value that is a table.
const DEPTH_MAX: usize = 4;

fn walk(file: SettingsFile<'_>, table: &DeTable<'_>, prefix: &[String], entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let mut path = prefix.to_vec();
        path.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() && path.len() < DEPTH_MAX => {
                if provider::is_section(&path) {
                    entries.push(in_file_entry(file, key.span(), value, path.clone()));
                }
                walk(file, inner, &path, entries);
            }
            _ => entries.push(in_file_entry(file, key.span(), value, path)),
        }
    }
}

fn in_file_entry(
    file: SettingsFile<'_>,
    key: Range<usize>,
    value: &Spanned<DeValue<'_>>,
    path: Vec<String>,
) -> Entry {
    let raw = raw(value.get_ref());
    Entry { path, raw, name_place: place_at(file, key), place: place_at(file, value.span()) }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.map_or(Raw::Other("a number beyond all bounds"), Raw::Integer)
        }
        DeValue::Float(number) => number.as_str().parse().map_or(Raw::Other("a number"), Raw::Float),
        DeValue::Boolean(truth) => Raw::Bool(*truth),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Table(_) => Raw::Table,
        DeValue::Datetime(_) => Raw::Other("a date"),
    }
}

fn place_at(file: SettingsFile<'_>, span: Range<usize>) -> Place {
    let before = file.text.get(..span.start).unwrap_or(file.text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place::File {
        name: file.name.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

fn from_env(variable: &str, path: Vec<String>, value: &str) -> Entry {
    let place = Place::Env(variable.to_owned());
    Entry { path, raw: Raw::Untyped(value.to_owned()), name_place: place.clone(), place }
}

/// What Kubernetes puts into every container about a service called `tidegate`: `TIDEGATE_SERVICE_HOST`,
/// `TIDEGATE_PORT=tcp://10.0.0.1:8787`, `TIDEGATE_PORT_8787_TCP_ADDR`.
fn is_service_link(name: &str, value: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let is_url = value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
    let numbered =
        rest.strip_prefix("PORT_").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    numbered || rest == "SERVICE_HOST" || rest.starts_with("SERVICE_PORT") || (rest == "PORT" && is_url)
}

/// The path that a `TIDEGATE_…` variable stands for.
fn path_of(variable: &str, slugs: &[String]) -> Option<Vec<String>> {
    if let Some(field) = field::of_variable(variable) {
        return Some(field.split('.').map(str::to_owned).collect());
    }
    provider::path_of_variable(variable.strip_prefix("TIDEGATE_PROVIDERS_")?, slugs)
}

fn unknown_variable(variable: &str) -> SettingsError {
    let names: Vec<String> = field::variables()
        .chain([CONFIG_VARIABLE.to_owned()])
        .chain(OTHER_VARIABLES.map(str::to_owned))
        .collect();
    let remedy = match nearest(variable, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean {name}?"),
        None => "unset it: every variable that begins with TIDEGATE_ must be a setting".to_owned(),
    };
    SettingsError {
        place: Place::Env(variable.to_owned()),
        field: String::new(),
        problem: "no setting has this variable".to_owned(),
        remedy,
    }
}

/// Two `TIDEGATE_…` variables for one field: one of them would have no effect.
fn report_rivals(entries: &[Entry], mistakes: &mut Vec<SettingsError>) {
    let is_ours = |entry: &&Entry| matches!(&entry.place, Place::Env(name) if name.starts_with(PREFIX));
    let ours: Vec<&Entry> = entries.iter().filter(is_ours).collect();
    for (at, entry) in ours.iter().enumerate() {
        if let Some(first) =
            ours[..at].iter().find(|first| first.path == entry.path && first.raw != entry.raw)
        {
            mistakes.push(SettingsError {
                place: entry.place.clone(),
                field: entry.field(),
                problem: format!("{} sets the same field to another value", first.place),
                remedy: "unset one of them".to_owned(),
            });
        }
    }
}
