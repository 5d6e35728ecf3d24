//! Step 3. What the request asks for, as a plan: every target resolved, nothing sent yet.
//!
//! A request can say its target in five ways; the first that is present counts: a config (JSON, or the id of a saved
//! one), a provider header, and a model name that tells its provider. `x-portkey-fallbacks` and `x-portkey-retry-count`
//! add to any of them. Plans are cached by what they were made of, so that a repeated config costs one look-up.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tidegate_access::Defaults;
use tidegate_catalog::{Inference, PORTKEY_IDS, Provider, catalog, infer};
use tidegate_core::{ApiError, ErrorKind};
use tidegate_routing::{Config, ConfigContext, ConfigError, Plan, Target, TargetKey, custom_host};

use crate::accept::Call;
use crate::guard::Guards;
use crate::headers::{GatewayHeaders, is_forwardable};
use crate::realm::{Ground, Realm, Saved};
use crate::refuse::Refusal;

/// The name of the provider inside the binary.
pub const DEMO: &str = "demo";

/// Entries of `x-portkey-fallbacks`: each may nest one level deeper, and far more than anyone falls back to.
const MAX_FALLBACKS: usize = 32;

/// Plans kept at most; beyond it the cache starts anew.
const CACHED_PLANS: usize = 512;
/// Bytes of the text that a cached plan was made of.
const LONGEST_KEY: usize = 8 * 1024;

/// Plans by the text they were made of.
#[derive(Debug, Default)]
pub struct PlanCache(RwLock<HashMap<Box<str>, Cached, foldhash::fast::RandomState>>);

#[derive(Debug, Clone)]
struct Cached {
    plan: Arc<Plan>,
    /// As in the reference: with a config that names its providers, the caller's `Authorization` is not for them.
    caller_key: bool,
    guards: Arc<Guards>,
}

/// A request's plan, and what of the request applies at each of its targets.
#[derive(Debug)]
pub struct Resolved {
    pub plan: Arc<Plan>,
    pub guards: Arc<Guards>,
    /// The caller's own credential is for the provider (no config names one).
    pub caller_key: bool,
    /// The credentials of the settings come before the caller's: the caller chose by model or slug.
    pub settings_first: bool,
    /// The model without its `@provider/` prefix, when it had one that was used.
    pub model: Option<Box<str>>,
    pub overrides: Overrides,
    /// The saved config that was used, and its version.
    pub saved: Option<(Arc<str>, u64)>,
}

/// Headers that beat the config at each target.
#[derive(Debug, Default)]
pub struct Overrides {
    pub custom_host: Option<Box<str>>,
    pub request_ms: Option<u64>,
    pub forward_headers: Option<Arc<[Box<str>]>>,
    /// `x-portkey-strict-open-ai-compliance: false`.
    pub strict_off: bool,
}

/// # Errors
/// 400 in the reference's words, with what would be right.
pub fn resolve(ground: Ground<'_>, defaults: &Defaults, call: &Call) -> Result<Resolved, Refusal> {
    let own = &call.own;
    let virtual_key = virtual_key(ground, own)?;
    let provider = match virtual_key {
        Some(slug) => Some(slug),
        None => header_provider(ground, own)?,
    };
    let overrides = overrides(own)?;
    let mut saved = None;
    let source = match config_of(defaults, own)? {
        Some(text) => {
            let config = config_text(ground, text)?;
            keep_at_home(&config, own)?;
            saved = config.saved.map(|saved| (saved.slug.clone(), saved.version));
            Choice::Config(config.text)
        }
        None if provider.is_some() => Choice::Header,
        None => by_model(ground, call)?,
    };
    let (settings_first, model) = match &source {
        Choice::Model { model, .. } => (true, model.clone()),
        _ => (virtual_key.is_some() || provider.is_some_and(|name| name.starts_with('@')), None),
    };
    let recipe = Recipe {
        provider: match &source {
            Choice::Model { provider, .. } => Some(provider),
            _ => provider,
        },
        config: if let Choice::Config(text) = &source { Some(text) } else { None },
        fallbacks: GatewayHeaders::text(own.fallbacks.as_ref()),
        retries: retries(own)?,
        own,
        custom_host: overrides.custom_host.as_deref(),
    };
    let Cached { plan, caller_key, guards } = recipe.plan(ground)?;
    Ok(Resolved { plan, guards, caller_key, settings_first, model, overrides, saved })
}

/// The virtual key that a request names: a provider of the workspace's, as `@slug` names it.
fn virtual_key<'a>(ground: Ground<'_>, own: &'a GatewayHeaders) -> Result<Option<&'a str>, Refusal> {
    let Some(named) = GatewayHeaders::text(own.virtual_key.as_ref()) else { return Ok(None) };
    if ground.realm.providers.contains_key(named.strip_prefix('@').unwrap_or(named)) {
        return Ok(Some(named));
    }
    if own.provider.is_some() || own.config.is_some() {
        return Ok(None); // as in the reference, which knows no virtual keys
    }
    let message = format!(
        "no provider or virtual key here is called `{}`: name one of the workspace's, or of the settings",
        shown(named)
    );
    Err(Refusal::bad_request("virtual_key", "x-portkey-virtual-key", message))
}

/// The config of a request: its own, or that of its key.
fn config_of<'a>(defaults: &'a Defaults, own: &'a GatewayHeaders) -> Result<Option<&'a str>, Refusal> {
    let brought = GatewayHeaders::text(own.config.as_ref());
    match (&defaults.config, brought) {
        (Some(_), Some(_)) if defaults.config_is_fixed => {
            let message = "the API key has a config of its own, and requests with it may not bring another";
            Err(Refusal::bad_request("config", "x-portkey-config", message))
        }
        // Whoever names a provider means that one.
        (Some(config), None)
            if own.provider.is_none() && own.virtual_key.is_none() || defaults.config_is_fixed =>
        {
            Ok(Some(config))
        }
        (_, brought) => Ok(brought),
    }
}

enum Choice<'a> {
    Config(&'a str),
    Header,
    Model { provider: Box<str>, model: Option<Box<str>> },
}

fn header_provider<'a>(ground: Ground<'_>, own: &'a GatewayHeaders) -> Result<Option<&'a str>, Refusal> {
    let Some(name) = GatewayHeaders::text(own.provider.as_ref()) else { return Ok(None) };
    if is_provider(ground.realm, name) {
        return Ok(Some(name));
    }
    let message = format!(
        "Invalid provider passed: `{}` is neither a provider's id nor the slug of one in the settings{}",
        shown(name),
        nearest(name).map(|id| format!("; did you mean `{id}`?")).unwrap_or_default()
    );
    let error = ApiError::bad_request("x-portkey-provider", message);
    Err(Refusal::new("provider", error).saying("Invalid provider passed"))
}

/// Whether a name can be called: a slug of the settings, an id or alias of the catalogue, the demo model.
pub fn is_provider(realm: &Realm, name: &str) -> bool {
    let bare = name.strip_prefix('@').unwrap_or(name);
    bare == DEMO
        || realm.providers.contains_key(bare)
        || catalog().get(bare).is_some()
        || PORTKEY_IDS.contains(&bare)
}

/// A config's JSON, and where it was saved.
struct ConfigText<'a> {
    text: &'a str,
    saved: Option<&'a Saved>,
}

/// The JSON of a config header: itself, or that of the saved config it names.
fn config_text<'a>(ground: Ground<'a>, text: &'a str) -> Result<ConfigText<'a>, Refusal> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '[', '"']) || trimmed.is_empty() {
        return Ok(ConfigText { text, saved: None });
    }
    if let Some(saved) = ground.realm.configs.get(text.trim()) {
        return Ok(ConfigText { text: &saved.text, saved: Some(saved) });
    }
    let message = format!(
        "Invalid config passed: `{}` is neither JSON nor the id of a saved config. Saved configs are those of the API key's workspace, and the files `configs/<id>.json` in the data directory",
        shown(text)
    );
    let error = ApiError::bad_request("x-portkey-config", message);
    Err(Refusal::new("config", error).saying("Invalid config passed. You need to pass a valid json"))
}

/// A saved config holds the operator's keys: a request does not say where they go.
fn keep_at_home(config: &ConfigText<'_>, own: &GatewayHeaders) -> Result<(), Refusal> {
    let completes = !own.options.is_empty() && !names_provider(config.text);
    if config.saved.is_none() || (own.custom_host.is_none() && !completes) {
        return Ok(());
    }
    let message = "a saved config cannot be combined with a custom host or provider options in headers: its keys stay at the addresses they were saved for. Write them into the config";
    Err(Refusal::bad_request("config", "x-portkey-custom-host", message))
}

/// Nothing but the model's name says where to go.
fn by_model<'a>(ground: Ground<'_>, call: &Call) -> Result<Choice<'a>, Refusal> {
    let Some(model) = call.peek.model.as_deref() else { return by_default(ground, None) };
    if let Some(rest) = model.strip_prefix('@')
        && let Some((slug, name)) = rest.split_once('/')
    {
        if !is_provider(ground.realm, slug) {
            let message = format!(
                "the model names the provider `{}`, which is neither a provider's id nor the slug of one in the settings",
                shown(slug)
            );
            return Err(Refusal::bad_request("provider", "model", message));
        }
        return Ok(Choice::Model { provider: slug.into(), model: Some(name.into()) });
    }
    if let Some((slug, name)) = model.split_once('/')
        && ground.realm.providers.contains_key(slug)
    {
        return Ok(Choice::Model { provider: slug.into(), model: Some(name.into()) });
    }
    match infer(model) {
        Inference::Explicit { provider, model } if ground.realm.known(provider.id).is_some() => {
            Ok(Choice::Model { provider: provider.id.into(), model: Some(model.into()) })
        }
        Inference::ByName(provider) if ground.realm.known(provider.id).is_some() => {
            Ok(Choice::Model { provider: provider.id.into(), model: None })
        }
        Inference::Explicit { provider, .. } | Inference::ByName(provider) => {
            by_default(ground, Some(provider))
        }
        Inference::Slug { .. } | Inference::Unknown => by_default(ground, None),
    }
}

fn by_default<'a>(ground: Ground<'_>, guess: Option<&Provider>) -> Result<Choice<'a>, Refusal> {
    if let Some(provider) = &ground.snapshot.default_provider {
        return Ok(Choice::Model { provider: provider.clone(), model: None });
    }
    let key = guess.map_or_else(String::new, |row| {
        let name = row.env.first().copied().unwrap_or("a key in [providers]");
        format!(
            " The model looks like one of {}: set {name} for the gateway, and the model alone is enough.",
            row.name
        )
    });
    let message = format!(
        "No provider named. Say it with the header x-portkey-provider (and your key in Authorization), with a config in x-portkey-config, or in the model: `@provider/model`, as in `@demo/echo`, which needs no key.{key}"
    );
    let error = ApiError::bad_request("x-portkey-provider", message).with_code("provider_missing");
    Err(Refusal::new("provider", error)
        .saying("Either x-portkey-config or x-portkey-provider header is required"))
}

fn overrides(own: &GatewayHeaders) -> Result<Overrides, Refusal> {
    let forward_headers = GatewayHeaders::text(own.forward.as_ref()).map(forward_list).transpose()?;
    Ok(Overrides {
        custom_host: GatewayHeaders::text(own.custom_host.as_ref()).map(|url| url.trim().into()),
        // A number of milliseconds as JavaScript reads it; 0 and what is no number count as absent.
        request_ms: GatewayHeaders::text(own.request_timeout.as_ref())
            .and_then(|text| text.trim().parse::<f64>().ok())
            .filter(|ms| ms.is_finite() && *ms >= 1.0)
            .map(|ms| ms as u64),
        forward_headers,
        strict_off: own.strict.as_ref().is_some_and(|value| value == "false"),
    })
}

fn judge_host(ground: Ground<'_>, url: &str) -> Result<(), Refusal> {
    custom_host::check(url, &ground.snapshot.hosts).map_err(|why| {
        let message = format!("Invalid custom host: {}", why.reason());
        let error = ApiError::bad_request("x-portkey-custom-host", message);
        Refusal::new("custom_host", error).saying("Invalid custom host")
    })
}

fn forward_list(text: &str) -> Result<Arc<[Box<str>]>, Refusal> {
    let names: Arc<[Box<str>]> =
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Box::from).collect();
    if names.iter().any(|name| name.eq_ignore_ascii_case("x-portkey-forward-headers")) {
        let message = "forward_headers must not contain the 'x-portkey-forward-headers' header";
        return Err(Refusal::bad_request("forward_headers", "x-portkey-forward-headers", message));
    }
    let cannot = names.iter().find(|name| {
        name.to_ascii_lowercase().parse::<HeaderName>().is_ok_and(|name| !is_forwardable(&name))
    });
    if let Some(name) = cannot {
        let message = format!(
            "`{}` belongs to the connection, to the body's form or to the gateway and cannot be forwarded",
            shown(name)
        );
        return Err(Refusal::bad_request("forward_headers", "x-portkey-forward-headers", message));
    }
    Ok(names)
}

fn retries(own: &GatewayHeaders) -> Result<Option<u32>, Refusal> {
    let Some(text) = GatewayHeaders::text(own.retry_count.as_ref()) else { return Ok(None) };
    match text.trim().parse::<u32>() {
        Ok(count) if count <= 100 => Ok(Some(count)),
        _ => Err(Refusal::bad_request(
            "retry_count",
            "x-portkey-retry-count",
            "x-portkey-retry-count must be a whole number from 0 to 100",
        )),
    }
}

/// An entry of `x-portkey-fallbacks`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fallback {
    model: String,
    on_status_codes: Option<Vec<u16>>,
}

/// Everything a plan is made of, and therefore its key in the cache.
struct Recipe<'a> {
    provider: Option<&'a str>,
    config: Option<&'a str>,
    fallbacks: Option<&'a str>,
    retries: Option<u32>,
    own: &'a GatewayHeaders,
    custom_host: Option<&'a str>,
}

impl Recipe<'_> {
    /// Everything is judged once, when the plan is made.
    fn plan(&self, ground: Ground<'_>) -> Result<Cached, Refusal> {
        let key = self.key();
        if let Some(cached) = ground.realm.plans.get(&key) {
            return Ok(cached);
        }
        if let Some(url) = self.custom_host {
            judge_host(ground, url)?;
        }
        let plan = match self.config {
            None if self.fallbacks.is_none() => {
                Plan::single(self.target(ground.snapshot.routing.retry_budget))
            }
            config => {
                if let Some(text) = config {
                    parse(ground, text, self.provider)?; // as written, before headers complete it
                }
                let config = parse(ground, &self.merged(config)?, self.provider)?;
                Plan::new(&config, ground.snapshot.routing, self.custom_host)
            }
        };
        let caller_key = self.config.is_none_or(|text| !names_provider(text));
        let guards = Arc::new(Guards::of(&plan, self.own)?);
        let cached = Cached { plan: Arc::new(plan), caller_key, guards };
        ground.realm.plans.put(key, cached.clone());
        Ok(cached)
    }

    fn key(&self) -> String {
        let mut key = String::with_capacity(64 + self.config.map_or(0, str::len));
        for part in [self.provider, self.custom_host, self.fallbacks, self.config] {
            key.push_str(part.unwrap_or("\u{1}"));
            key.push('\0');
        }
        for list in [&self.own.input_guardrails, &self.own.output_guardrails].into_iter().flatten() {
            key.push('\u{2}');
            key.push_str(&String::from_utf8_lossy(list.as_bytes()));
            key.push('\0');
        }
        key.push_str(&self.retries.map_or_else(String::new, |count| count.to_string()));
        for (name, value) in &self.own.options {
            key.push('\0');
            key.push_str(name);
            key.push('=');
            key.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        key
    }

    /// The one target of a request that names it by headers.
    fn target(&self, retry_budget: Option<f64>) -> Target {
        let mut target = Target::new(self.provider.unwrap_or_default());
        for (name, value) in &self.own.options {
            if let Ok(value) = value.to_str() {
                target.options.insert((*name).into(), value.into());
            }
        }
        target.retry.attempts = self.retries.unwrap_or(0);
        target.retry.budget = retry_budget;
        target.key = TargetKey::of(&target.provider, self.custom_host, None, &target.options);
        target
    }

    /// The config with what the headers add to it.
    fn merged(&self, config: Option<&str>) -> Result<String, Refusal> {
        let nothing_to_add = self.fallbacks.is_none() && self.retries.is_none();
        let names = config.is_some_and(names_provider);
        if let Some(text) = config
            && nothing_to_add
            && (names || (self.provider.is_none() && self.own.options.is_empty()))
        {
            return Ok(text.to_owned());
        }
        let mut root = match config.map(serde_json::from_str::<Value>) {
            None => Map::new(),
            Some(Ok(Value::Object(root))) => root,
            // The parser of configs says what is wrong with it.
            Some(_) => return Ok(config.unwrap_or_default().to_owned()),
        };
        if !names {
            if let Some(provider) = self.provider {
                root.insert("provider".into(), provider.into());
            }
            for (name, value) in &self.own.options {
                root.insert((*name).into(), String::from_utf8_lossy(value.as_bytes()).into());
            }
        }
        if let Some(attempts) = self.retries {
            let retry = root.entry("retry").or_insert_with(|| json!({}));
            if let Value::Object(retry) = retry {
                retry.insert("attempts".into(), attempts.into());
                retry.remove("count");
            }
        }
        let mut root = Value::Object(root);
        if let Some(text) = self.fallbacks {
            root = with_fallbacks(root, text)?;
        }
        Ok(root.to_string())
    }
}

/// Wraps `primary` so that each entry is tried after what stands before it failed with one of the entry's statuses.
fn with_fallbacks(primary: Value, text: &str) -> Result<Value, Refusal> {
    let entries: Vec<Fallback> = serde_json::from_str(text).map_err(|error| {
        let message = format!(
            "x-portkey-fallbacks must be a JSON list of {{\"model\": \"@provider/model\", \"on_status_codes\": [429, 503]}}: {error}"
        );
        Refusal::bad_request("fallbacks", "x-portkey-fallbacks", message)
    })?;
    if entries.len() > MAX_FALLBACKS {
        let message = format!(
            "x-portkey-fallbacks has {} entries; at most {MAX_FALLBACKS} are accepted",
            entries.len()
        );
        return Err(Refusal::bad_request("fallbacks", "x-portkey-fallbacks", message));
    }
    let mut node = primary;
    let mut group: Option<(Option<Vec<u16>>, Vec<Value>)> = None;
    for (i, entry) in entries.into_iter().enumerate() {
        let target = fallback_target(i, &entry.model)?;
        match &mut group {
            Some((codes, targets)) if *codes == entry.on_status_codes => targets.push(target),
            _ => {
                if let Some((codes, targets)) = group.take() {
                    node = fallback_group(codes, targets);
                }
                group = Some((entry.on_status_codes, vec![std::mem::take(&mut node), target]));
            }
        }
    }
    Ok(match group {
        Some((codes, targets)) => fallback_group(codes, targets),
        None => node,
    })
}

fn fallback_target(i: usize, model: &str) -> Result<Value, Refusal> {
    let (provider, model) = match infer(model) {
        Inference::Slug { slug, model } => (slug, model),
        Inference::Explicit { provider, model } => (provider.id, model),
        Inference::ByName(provider) => (provider.id, model),
        Inference::Unknown => {
            let message = format!(
                "x-portkey-fallbacks[{i}].model: `{}` does not tell its provider; write `@provider/model`",
                shown(model)
            );
            return Err(Refusal::bad_request("fallbacks", "x-portkey-fallbacks", message));
        }
    };
    Ok(json!({"provider": provider, "override_params": {"model": model}}))
}

fn fallback_group(codes: Option<Vec<u16>>, targets: Vec<Value>) -> Value {
    let mut strategy = json!({"mode": "fallback"});
    if let Some(codes) = codes {
        strategy["on_status_codes"] = codes.into();
    }
    Value::Object(Map::from_iter([("strategy".to_owned(), strategy), ("targets".to_owned(), targets.into())]))
}

/// Whether a config's root says whom to call, without reading more of it than its top level.
fn names_provider(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Root<'a> {
        #[serde(borrow, default)]
        provider: Option<&'a serde_json::value::RawValue>,
        #[serde(borrow, default)]
        targets: Option<&'a serde_json::value::RawValue>,
    }
    serde_json::from_str::<Root<'_>>(text).is_ok_and(|root| root.provider.is_some() || root.targets.is_some())
}

fn parse(ground: Ground<'_>, text: &str, header_provider: Option<&str>) -> Result<Config, Refusal> {
    let context = ConfigContext {
        is_provider: &|name| is_provider(ground.realm, name),
        provider_ids: &PORTKEY_IDS,
        // A provider named by header brings the caller's key.
        has_key: &|name| has_key(ground.realm, name) || header_provider == Some(name),
        hosts: &ground.snapshot.hosts,
        provider_header: header_provider.is_some(),
    };
    tidegate_routing::config::parse(text, &context).map_err(|error| refuse_config(&error))
}

/// Whether the settings hold a key for a provider, so that a config may leave it out.
pub fn has_key(realm: &Realm, name: &str) -> bool {
    let bare = name.strip_prefix('@').unwrap_or(name);
    bare == DEMO || realm.known(bare).is_some()
}

fn refuse_config(error: &ConfigError) -> Refusal {
    let mut message = error.message.to_owned();
    for issue in error.issues.iter().take(5) {
        message.push_str("; ");
        message.push_str(&issue.to_string());
    }
    let api = ApiError::bad_request("x-portkey-config", message).with_code("invalid_config");
    Refusal { errors: error.errors(), ..Refusal::new("config", api).saying(error.message) }
}

/// A route error on its way to the client, in the reference's words.
pub fn refuse_route(error: &tidegate_routing::RouteError) -> Refusal {
    let kind = if error.status >= 500 { ErrorKind::Internal } else { ErrorKind::BadRequest };
    Refusal::with_status("route", kind, error.status, error.message.clone())
}

/// User text in an error message: short and printable.
fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The id that a mistyped provider most likely means: same letters without case and punctuation, or an alias.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = plain(name);
    catalog()
        .iter()
        .find(|row| plain(row.id) == wanted || row.aliases.iter().any(|alias| plain(alias) == wanted))
        .map(|row| row.id)
}

impl PlanCache {
    fn get(&self, key: &str) -> Option<Cached> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, key: String, plan: Cached) {
        if key.len() > LONGEST_KEY {
            return; // parsed anew each time, so that the cache's size has a bound
        }
        let mut plans = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= CACHED_PLANS {
            plans.clear();
        }
        plans.insert(key.into(), plan);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fallbacks_with_the_same_statuses_share_a_group() {
        let primary = json!({"provider": "openai"});
        let flat = with_fallbacks(
            primary.clone(),
            r#"[{"model":"@anthropic/claude-x","on_status_codes":[429]},{"model":"gemini-2.5-pro","on_status_codes":[429]}]"#,
        )
        .unwrap();
        assert_eq!(flat["targets"].as_array().unwrap().len(), 3);
        assert_eq!(flat["targets"][2]["provider"], "google");
        assert_eq!(flat["strategy"]["on_status_codes"], json!([429]));
        let nested =
            with_fallbacks(primary, r#"[{"model":"@a/b","on_status_codes":[429]},{"model":"@c/d"}]"#)
                .unwrap();
        assert_eq!(nested["targets"][1]["provider"], "c");
        assert_eq!(nested["targets"][0]["targets"][0]["provider"], "openai");
    }

    #[test]
    fn bad_fallbacks_say_what_is_right() {
        for text in
            ["{", "{}", r#"[{"model":1}]"#, r#"[{"model":"@a/b","codes":[1]}]"#, r#"[{"model":"who"}]"#]
        {
            let refusal = with_fallbacks(json!({}), text).unwrap_err();
            assert_eq!(refusal.error.param.as_deref(), Some("x-portkey-fallbacks"), "{text}");
        }
    }

    #[test]
    fn mistyped_ids_are_recognised() {
        assert_eq!(nearest("OpenAI"), Some("openai"));
        assert_eq!(nearest("together_ai"), Some("together-ai"));
        assert_eq!(nearest("no such thing"), None);
    }
}
