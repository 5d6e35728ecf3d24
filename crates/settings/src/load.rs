//! From what was written to what it means: gathers the entries, applies them weakest first, and checks what no single
//! field can tell.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::error::{Errors, SettingsError};
use crate::field;
use crate::provider::{self, KnownProvider};
use crate::settings::{Settings, Source};
use crate::suggest::nearest;
use crate::value::show_duration;
use crate::written::{self, Argument, Entry, SettingsFile};

/// Everything that settings are made from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    pub file: Option<SettingsFile<'a>>,
    /// The whole environment.
    pub env: &'a BTreeMap<String, String>,
    pub arguments: &'a [Argument<'a>],
    /// The provider table.
    pub known: &'a [KnownProvider<'a>],
    /// Reads a file that a setting names (`api_key_file`); the error is for people.
    pub read_file: &'a dyn Fn(&Path) -> Result<String, String>,
}

/// The settings in force.
///
/// # Errors
/// Every mistake there is, each with its place, field and remedy.
pub fn load(inputs: &Inputs<'_>) -> Result<Settings, Errors> {
    let mut mistakes = Vec::new();
    let mut entries = inputs.file.map_or(Ok(Vec::new()), written::in_file).unwrap_or_else(|syntax| {
        mistakes.extend(syntax);
        Vec::new()
    });
    let file_is_known = mistakes.is_empty();
    let slugs: Vec<String> = entries.iter().filter_map(slug).map(str::to_owned).collect();
    entries.extend(written::in_env(inputs.env, &slugs, &mut mistakes));
    entries.extend(written::in_arguments(inputs.arguments));

    let mut settings = Settings::default();
    let (of_providers, fields): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|e| slug(e).is_some());
    for entry in &fields {
        field::apply(entry, &mut settings, &mut mistakes);
    }
    provider::build(&of_providers, inputs, &mut settings, &mut mistakes);
    if file_is_known {
        check_default_provider(&settings, &of_providers, inputs.known, &mut mistakes);
    }
    check_timeouts(&settings, &mut mistakes);
    check_sinks(&settings, &mut mistakes);

    if mistakes.is_empty() {
        return Ok(settings);
    }
    mistakes.sort_by(|a, b| a.place.cmp(&b.place));
    Err(Errors(mistakes))
}

impl fmt::Debug for Inputs<'_> {
    /// Without the environment and the file's text, which hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inputs")
            .field("file", &self.file)
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

fn slug(entry: &Entry) -> Option<&str> {
    match entry.path.as_slice() {
        [first, slug, ..] if first == "providers" => Some(slug),
        _ => None,
    }
}

/// It must be a section, even one with mistakes of its own, or a provider there is.
fn check_default_provider(
    settings: &Settings,
    sections: &[Entry],
    known: &[KnownProvider<'_>],
    mistakes: &mut Vec<SettingsError>,
) {
    let Some(name) = &settings.models.default_provider else { return };
    let of_known = known.iter().flat_map(|known| known.aliases.iter().chain([&known.id])).copied();
    let names: Vec<&str> = sections.iter().filter_map(slug).chain(of_known).collect();
    if !names.contains(&name.as_str()) {
        let remedy = match nearest(name, names.iter().copied()) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => "write the name of a [providers.…] section or the id of a provider".to_owned(),
        };
        let problem = format!("no provider is called \"{name}\"");
        report(settings, "models.default_provider", problem, remedy, mistakes);
    }
}

/// A wait that a shorter one always ends has no effect.
fn check_timeouts(settings: &Settings, mistakes: &mut Vec<SettingsError>) {
    let timeouts = &settings.timeouts;
    let Some(request) = timeouts.request else { return };
    for (field, timeout) in
        [("timeouts.connect", timeouts.connect), ("timeouts.first_byte", timeouts.first_byte)]
    {
        if timeout.is_some_and(|timeout| timeout > request) && settings.origins.contains_key(field) {
            let problem = format!(
                "it has no effect: timeouts.request ends every wait after {}",
                show_duration(request)
            );
            report(
                settings,
                field,
                problem,
                "make it shorter, or timeouts.request longer".to_owned(),
                mistakes,
            );
        }
    }
}

/// What a warehouse needs besides its place, and what has no effect without that.
fn check_sinks(settings: &Settings, mistakes: &mut Vec<SettingsError>) {
    let (s3, clickhouse) = (&settings.sinks.s3, &settings.sinks.clickhouse);
    let mut wrong = |field: &str, problem: &str, remedy: &str| {
        report(settings, field, problem.to_owned(), remedy.to_owned(), mistakes);
    };
    if s3.bucket.is_some() && (s3.access_key_id.is_none() || s3.secret_access_key.is_none()) {
        let remedy = "write sinks.s3.access_key_id and sinks.s3.secret_access_key";
        wrong("sinks.s3.bucket", "objects cannot be signed without a key", remedy);
    }
    let without = "it has no effect without sinks.s3.bucket";
    for (field, is_alone) in [
        ("sinks.s3.endpoint", s3.endpoint.is_some()),
        ("sinks.s3.access_key_id", s3.access_key_id.is_some()),
        ("sinks.s3.secret_access_key", s3.secret_access_key.is_some()),
        ("sinks.s3.session_token", s3.session_token.is_some()),
    ] {
        if is_alone && s3.bucket.is_none() {
            wrong(field, without, "name the bucket, or remove this");
        }
    }
    if clickhouse.password.is_some() && clickhouse.url.is_none() {
        let problem = "it has no effect without sinks.clickhouse.url";
        wrong("sinks.clickhouse.password", problem, "write the address, or remove this");
    }
    if !settings.records.enabled {
        let problem = "it has no effect without records.enabled: what is sent are records";
        for field in ["sinks.s3.bucket", "sinks.clickhouse.url"] {
            wrong(field, problem, "switch records on, or remove this");
        }
    }
}

fn report(
    settings: &Settings,
    field: &str,
    problem: String,
    remedy: String,
    mistakes: &mut Vec<SettingsError>,
) {
    if let Some(Source::Written(place)) = settings.origins.get(field) {
        mistakes.push(SettingsError { place: place.clone(), field: field.to_owned(), problem, remedy });
    }
}
