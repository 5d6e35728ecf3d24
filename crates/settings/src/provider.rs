//! The provider sections: `[providers.<slug>]` in the file, `TIDEGATE_PROVIDERS_<SLUG>_…` in the environment, and the
//! variables in which keys conventionally are (`OPENAI_API_KEY`).
//!
//! A conventional variable makes a provider of its own, or fills what the section of that provider leaves open; it
//! never wins over anything written for Tidegate.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_core::Secret;

use crate::error::{Place, SettingsError};
use crate::load::Inputs;
use crate::settings::{Provider, Settings, Source};
use crate::suggest::nearest;
use crate::value::{self, Raw, Wrong};
use crate::written::Entry;

/// A row of the provider table, as far as settings depend on it.
#[derive(Debug, Clone, Default)]
pub struct KnownProvider<'a> {
    pub id: &'a str,
    pub aliases: Vec<&'a str>,
    /// Variables that conventionally hold its key, in the order to try.
    pub key_variables: Vec<&'a str>,
    /// Variables that conventionally hold its base URL, each with the path to append when it is missing.
    pub base_url_variables: Vec<(&'a str, &'a str)>,
    /// Variables that conventionally hold an option: (variable, option).
    pub option_variables: Vec<(&'a str, &'a str)>,
    /// It can be called without a key.
    pub keyless: bool,
}

const KEYS: [&str; 7] =
    ["provider", "api_key", "api_key_env", "api_key_file", "base_url", "models", "options"];

/// Whether the path is that of a provider's section.
pub(crate) fn is_section(path: &[String]) -> bool {
    path.len() == 2 && path[0] == "providers"
}

/// The path that `TIDEGATE_PROVIDERS_` and `rest` stand for: a slug of the file where one is spelled so, else the
/// slug in lower case with hyphens.
pub(crate) fn path_of_variable(rest: &str, slugs: &[String]) -> Option<Vec<String>> {
    let rest = rest.to_ascii_lowercase();
    let (slug, tail) = match rest.split_once("_options_") {
        Some((slug, option)) => (slug, vec!["options".to_owned(), option.to_owned()]),
        None => {
            let ends = |key: &&str| rest.strip_suffix(*key).and_then(|head| head.strip_suffix('_')).is_some();
            let key =
                KEYS.into_iter().filter(ends).max_by_key(|key| key.len()).filter(|key| *key != "options")?;
            (rest.strip_suffix(key)?.strip_suffix('_')?, vec![key.to_owned()])
        }
    };
    let spelled = |known: &&String| known.to_ascii_lowercase().replace(['-', '.'], "_") == slug;
    let slug = slugs.iter().find(spelled).cloned().unwrap_or_else(|| slug.replace('_', "-"));
    (!slug.is_empty()).then(|| [vec!["providers".to_owned(), slug], tail].concat())
}

/// Builds the providers from their entries and from the conventional variables.
pub(crate) fn build(
    entries: &[Entry],
    inputs: &Inputs<'_>,
    settings: &mut Settings,
    mistakes: &mut Vec<SettingsError>,
) {
    let slugs: BTreeSet<&str> =
        entries.iter().filter_map(|entry| entry.path.get(1)).map(String::as_str).collect();
    let mut providers = BTreeMap::new();
    for slug in slugs {
        let of_slug = entries.iter().filter(|entry| entry.path.get(1).is_some_and(|name| name == slug));
        let mut section = Section { slug, inputs, settings, mistakes };
        if let Some(provider) = section.read(of_slug) {
            providers.insert(slug.to_owned(), provider);
        }
    }
    for known in inputs.known {
        let named = |provider: &Provider| {
            provider.slug == known.id || known.aliases.contains(&provider.slug.as_str())
        };
        let found = Found::look_up(known, inputs.env);
        for provider in
            providers.values_mut().filter(|provider| provider.provider == known.id && named(provider))
        {
            found.fill(provider, settings, mistakes);
        }
        if found.is_enough(known) && !providers.contains_key(known.id) {
            let mut provider = empty(known.id, known.id);
            found.fill(&mut provider, settings, mistakes);
            providers.insert(known.id.to_owned(), provider);
        }
    }
    settings.providers = providers.into_values().collect();
}

fn empty(slug: &str, id: &str) -> Provider {
    Provider {
        slug: slug.to_owned(),
        provider: id.to_owned(),
        api_key: None,
        base_url: None,
        models: Vec::new(),
        options: BTreeMap::new(),
    }
}

/// One section while it is read.
struct Section<'s, 'a> {
    slug: &'s str,
    inputs: &'s Inputs<'a>,
    settings: &'s mut Settings,
    mistakes: &'s mut Vec<SettingsError>,
}

/// The strongest entry of each path below the section (`["options", "region"]`).
type Strongest<'e> = BTreeMap<Vec<&'e str>, &'e Entry>;

impl<'a> Section<'_, 'a> {
    /// The provider. Mistakes leave members out; an id that means nothing leaves the provider out.
    fn read<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) -> Option<Provider> {
        let mut strongest = Strongest::new();
        let mut first = None;
        for entry in entries {
            first.get_or_insert(entry);
            strongest.insert(entry.path.iter().skip(2).map(String::as_str).collect(), entry);
        }
        let first = first?;
        self.check_slug(first);
        let id = self.provider_id(&strongest, first);
        let mut provider = empty(self.slug, id.unwrap_or(self.slug));
        self.drop_rival_keys(&mut strongest);
        for (key, entry) in strongest {
            match self.set(&mut provider, &key, entry) {
                Ok(()) if !key.is_empty() => {
                    self.settings.origins.insert(entry.field(), Source::Written(entry.place.clone()));
                }
                Ok(()) => {}
                Err((place, Wrong { problem, remedy })) => self.wrong(place, entry.field(), problem, remedy),
            }
        }
        id.map(|_| provider)
    }

    fn check_slug(&mut self, first: &Entry) {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        if self.slug.is_empty() || self.slug.len() > 64 || !self.slug.bytes().all(is_plain) {
            let problem = "requests could not name it";
            let remedy = "use up to 64 lower-case letters, digits, `-`, `_` and `.`";
            self.wrong(&first.name_place, format!("providers.{}", self.slug), problem.into(), remedy.into());
        }
    }

    /// The id that `provider` names, else the one that the slug is.
    fn provider_id(&mut self, entries: &Strongest<'_>, first: &Entry) -> Option<&'a str> {
        let known = self.inputs.known;
        let written = entries.get(["provider"].as_slice());
        let name = match written.map(|entry| value::text(&entry.raw)) {
            Some(Ok(name)) => name,
            Some(Err(_)) => return None, // Reported when the member is set.
            None => self.slug.to_owned(),
        };
        let means = |known: &&KnownProvider<'_>| known.id == name || known.aliases.contains(&name.as_str());
        if let Some(known) = known.iter().find(means) {
            return Some(known.id);
        }
        let names = known.iter().flat_map(|known| known.aliases.iter().chain([&known.id])).copied();
        let nearest = nearest(&name, names);
        let remedy = match (nearest, written) {
            (Some(name), _) => format!("did you mean \"{name}\"?"),
            (None, Some(_)) => "write the id of a provider, such as \"openai\"".to_owned(),
            (None, None) => "say which one it is: provider = \"openai\"".to_owned(),
        };
        let (place, field) = match written {
            Some(entry) => (&entry.place, entry.field()),
            None => (&first.name_place, format!("providers.{}", self.slug)),
        };
        self.wrong(place, field, format!("no provider is called \"{name}\""), remedy);
        None
    }

    /// Of `api_key`, `api_key_env` and `api_key_file` one is enough. The stronger source wins; two of the same source
    /// are a mistake.
    fn drop_rival_keys(&mut self, entries: &mut Strongest<'_>) {
        let mut kept: Option<(&str, u8)> = None;
        for key in ["api_key", "api_key_env", "api_key_file"] {
            let Some(entry) = entries.get([key].as_slice()) else { continue };
            let strength = entry.place.strength();
            match kept {
                Some((other, held)) if held == strength => {
                    let problem = format!("it has no effect beside {other}");
                    self.wrong(&entry.name_place, entry.field(), problem, "keep one of them".to_owned());
                    entries.remove([key].as_slice());
                }
                Some((_, held)) if held > strength => {
                    entries.remove([key].as_slice());
                }
                Some((other, _)) => {
                    entries.remove([other].as_slice());
                    kept = Some((key, strength));
                }
                None => kept = Some((key, strength)),
            }
        }
    }

    /// Sets one member; a mistake comes with its place.
    fn set<'e>(
        &self,
        provider: &mut Provider,
        key: &[&str],
        entry: &'e Entry,
    ) -> Result<(), (&'e Place, Wrong)> {
        let raw = &entry.raw;
        let at_value = |wrong| (&entry.place, wrong);
        match key {
            [] | ["options"] if *raw == Raw::Table => {}
            [] | ["options"] => {
                let remedy = format!("write [{}] and its fields below it", entry.field());
                return Err((&entry.name_place, Wrong::new("this is the name of a section", remedy)));
            }
            ["provider"] => drop(value::text(raw).map_err(at_value)?),
            ["api_key"] => {
                provider.api_key = Some(secret(&value::text(raw).map_err(at_value)?).map_err(at_value)?)
            }
            ["api_key_env"] => provider.api_key = Some(self.key_of_variable(raw).map_err(at_value)?),
            ["api_key_file"] => provider.api_key = Some(self.key_of_file(raw).map_err(at_value)?),
            ["base_url"] => provider.base_url = Some(value::base_url(raw).map_err(at_value)?),
            ["models"] => provider.models = models(raw).map_err(at_value)?,
            ["options", name] => {
                provider.options.insert((*name).to_owned(), value::option(raw).map_err(at_value)?.into());
            }
            [other, ..] => {
                let remedy = match nearest(other, KEYS) {
                    Some(name) => format!("did you mean {name}?"),
                    None => format!("remove it: a provider has {}", KEYS.join(", ")),
                };
                return Err((&entry.name_place, Wrong::new("no setting has this name", remedy)));
            }
        }
        Ok(())
    }

    fn key_of_variable(&self, raw: &Raw) -> Result<Secret, Wrong> {
        let name = value::text(raw)?;
        match self.inputs.env.get(&name).filter(|key| !key.is_empty()) {
            Some(key) => secret(key),
            None => Err(Wrong::new(format!("the variable {name} is not set"), "set it, or name one that is")),
        }
    }

    fn key_of_file(&self, raw: &Raw) -> Result<Secret, Wrong> {
        let path = value::path(raw)?;
        let remedy = "name a file that holds the key and nothing else";
        let text = (self.inputs.read_file)(&path)
            .map_err(|reason| Wrong::new(format!("{} cannot be read: {reason}", path.display()), remedy))?;
        secret(text.trim())
            .map_err(|wrong| Wrong::new(format!("{}: {}", path.display(), wrong.problem), remedy))
    }

    fn wrong(&mut self, place: &Place, field: String, problem: String, remedy: String) {
        self.mistakes.push(SettingsError { place: place.clone(), field, problem, remedy });
    }
}

/// A key that a header can carry.
fn secret(text: &str) -> Result<Secret, Wrong> {
    let problem = match text {
        "" => "the key is empty",
        _ if text.bytes().any(|b| b.is_ascii_control()) => "the key holds line breaks or control characters",
        _ => return Ok(Secret::from(text)),
    };
    Err(Wrong::new(problem, "write the key as the provider gave it"))
}

fn models(raw: &Raw) -> Result<Vec<String>, Wrong> {
    let models = value::texts(raw)?;
    if models.is_empty() {
        return Err(Wrong::new("no model could be called", "leave it out to allow all models"));
    }
    Ok(models)
}

/// What the conventional variables of a provider hold.
struct Found<'e> {
    key: Option<(&'e str, &'e str)>,
    base_url: Option<(&'e str, String)>,
    /// (variable, option, value)
    options: Vec<(&'e str, &'e str, &'e str)>,
}

impl<'e> Found<'e> {
    fn look_up(known: &KnownProvider<'e>, env: &'e BTreeMap<String, String>) -> Self {
        let get = |name: &str| env.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let base_url = |(name, suffix): &(&'e str, &str)| {
            let url = get(name)?.trim_end_matches('/');
            Some((*name, if url.ends_with(suffix) { url.to_owned() } else { format!("{url}{suffix}") }))
        };
        let mut options: Vec<(&str, &str, &str)> = Vec::new();
        for (name, option) in &known.option_variables {
            // The first variable of an option is the strongest.
            if let (Some(value), false) = (get(name), options.iter().any(|found| found.1 == *option)) {
                options.push((name, option, value));
            }
        }
        Self {
            key: known.key_variables.iter().find_map(|name| Some((*name, get(name)?))),
            base_url: known.base_url_variables.iter().find_map(base_url),
            options,
        }
    }

    /// Whether this much makes a provider that can be called. A region alone does not.
    fn is_enough(&self, known: &KnownProvider<'_>) -> bool {
        let is_credential =
            |option: &str| ["secret", "credential", "token"].iter().any(|word| option.contains(word));
        self.key.is_some()
            || (known.keyless && self.base_url.is_some())
            || self.options.iter().any(|(_, option, _)| is_credential(option))
    }

    /// Fills what the provider has not got.
    fn fill(&self, provider: &mut Provider, settings: &mut Settings, mistakes: &mut Vec<SettingsError>) {
        let slug = provider.slug.clone();
        let mut take = |variable: &str, member: &str, problem: Option<Wrong>| {
            let field = format!("providers.{slug}.{member}");
            let place = Place::Env(variable.to_owned());
            match problem {
                None => drop(settings.origins.insert(field, Source::Written(place))),
                Some(Wrong { problem, remedy }) => {
                    mistakes.push(SettingsError { place, field, problem, remedy })
                }
            }
        };
        if let (None, Some((variable, key))) = (&provider.api_key, self.key) {
            let key = secret(key).map(|key| provider.api_key = Some(key));
            take(variable, "api_key", key.err());
        }
        if let (None, Some((variable, url))) = (&provider.base_url, &self.base_url) {
            let url = value::base_url(&Raw::Untyped(url.clone())).map(|url| provider.base_url = Some(url));
            take(variable, "base_url", url.err());
        }
        for (variable, option, value) in &self.options {
            if !provider.options.contains_key(*option) {
                provider.options.insert((*option).to_owned(), Secret::from(*value));
                take(variable, &format!("options.{option}"), None);
            }
        }
    }
}
