//! A checked config, read into types: one [`Entry`] per node of the tree, every member as its node wrote it.

use std::fmt;

use serde_json::Value;
use tidegate_core::Secret;

use super::spelling;
use crate::plan::{
    AccountId, CacheKind, CacheMode, CircuitPolicy, HedgeAfter, HedgePolicy, HookList, JsonMap, RetryPolicy,
    StatusCodes, Timeouts,
};
use crate::strategy::Mode;

/// One node. `None` means that the node does not say; what then holds is decided in the plan.
#[derive(Default)]
pub(crate) struct Entry {
    pub(crate) strategy: Option<StrategyEntry>,
    pub(crate) targets: Option<Vec<Entry>>,
    pub(crate) provider: Option<Box<str>>,
    pub(crate) api_key: Option<Secret>,
    pub(crate) account: Option<AccountId>,
    pub(crate) virtual_key: Option<Box<str>>,
    pub(crate) options: JsonMap,
    pub(crate) custom_host: Option<Box<str>>,
    pub(crate) override_params: Option<JsonMap>,
    pub(crate) default_params: Option<JsonMap>,
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeouts: Timeouts,
    pub(crate) forward_headers: Option<Vec<Box<str>>>,
    pub(crate) strict: Option<bool>,
    pub(crate) cache: Option<CacheMode>,
    pub(crate) before: HookList,
    pub(crate) after: HookList,
    pub(crate) hedge: Option<HedgePolicy>,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) weight: Option<f64>,
    pub(crate) has_id: bool,
    pub(crate) is_open: bool,
}

/// How a group chooses.
#[derive(Debug)]
pub(crate) struct StrategyEntry {
    pub(crate) mode: Mode,
    pub(crate) on_status_codes: Option<Vec<u16>>,
    pub(crate) conditions: Option<Vec<ConditionEntry>>,
    pub(crate) default: Option<Box<str>>,
    pub(crate) sticky: Option<StickyEntry>,
}

#[derive(Debug)]
pub(crate) struct ConditionEntry {
    pub(crate) query: Value,
    pub(crate) then: Box<str>,
}

/// What keeps a caller at the same target.
#[derive(Debug)]
pub(crate) struct StickyEntry {
    pub(crate) by: Vec<StickyBy>,
    /// Only for [`StickyBy::PromptPrefix`].
    pub(crate) prefix_chars: u32,
    pub(crate) ttl_s: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StickyBy {
    /// Lower-case name.
    Header(Box<str>),
    Metadata(Box<str>),
    Params(Box<str>),
    PromptPrefix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breaker {
    Off,
    On(CircuitPolicy),
}

impl StickyEntry {
    pub(crate) const PREFIX_CHARS: u32 = 1_024;
}

impl Entry {
    /// Reads a value that passed the schema. Where two spellings of a member are present, the later one
    /// counts.
    pub(crate) fn read(value: Value) -> Self {
        let mut entry = Self::default();
        let Value::Object(members) = value else { return entry };
        for (key, value) in members {
            match (spelling::snake(&key), value) {
                (name, Value::Array(targets)) if name == "targets" => {
                    entry.targets = Some(targets.into_iter().map(Self::read).collect());
                }
                (name, value) if entry.take(&name, &value) => {}
                (name, value) => {
                    entry.options.insert(name, value);
                }
            }
        }
        entry
    }

    /// Takes a member that this crate or the gateway understands; `false` for provider options.
    fn take(&mut self, name: &str, value: &Value) -> bool {
        match name {
            "strategy" => self.strategy = StrategyEntry::read(value),
            "provider" => self.provider = text(value),
            "api_key" => {
                self.account = value.as_str().map(AccountId::of);
                self.api_key = value.as_str().map(Secret::from);
            }
            "virtual_key" => self.virtual_key = text(value),
            "custom_host" => self.custom_host = text(value),
            "override_params" => self.override_params = value.as_object().cloned(),
            "default_params" => self.default_params = value.as_object().cloned(),
            "retry" => self.retry = value.is_object().then(|| read_retry(value)),
            "request_timeout" => self.timeouts.request_ms = whole(value).filter(|ms| *ms > 0),
            "timeouts" => read_timeouts(value, &mut self.timeouts),
            "forward_headers" => self.forward_headers = value.as_array().map(|list| texts(list)),
            "strict_open_ai_compliance" => self.strict = value.as_bool(),
            "cache" => self.cache = read_cache(value),
            "hedge" => self.hedge = read_hedge(value),
            "circuit_breaker" => self.breaker = read_breaker(value),
            "name" => self.name = text(value),
            "weight" => self.weight = number(value).map(|weight| weight.max(0.0)),
            "id" => self.has_id = is_set(value),
            "is_open" => self.is_open = is_set(value),
            // The group's own setting is `strategy.on_status_codes`; these two mean nothing here.
            "on_status_codes" | "metadata" => {}
            _ => return self.take_hooks(name, value),
        }
        true
    }

    fn take_hooks(&mut self, name: &str, value: &Value) -> bool {
        let list = match name {
            "before_request_hooks" => &mut self.before.hooks,
            "after_request_hooks" => &mut self.after.hooks,
            "input_guardrails" => &mut self.before.guardrails,
            "output_guardrails" => &mut self.after.guardrails,
            "input_mutators" => &mut self.before.mutators,
            "output_mutators" => &mut self.after.mutators,
            "default_input_guardrails" => &mut self.before.defaults,
            "default_output_guardrails" => &mut self.after.defaults,
            _ => return false,
        };
        *list = value.as_array().cloned().unwrap_or_default();
        true
    }
}

impl fmt::Debug for Entry {
    /// Shows no credentials: options may hold some.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("provider", &self.provider)
            .field("strategy", &self.strategy)
            .field("targets", &self.targets)
            .field("options", &self.options.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl StrategyEntry {
    fn read(value: &Value) -> Option<Self> {
        let member = |name: &str| spelling::get(value, name);
        let conditions = member("conditions").and_then(Value::as_array);
        Some(Self {
            mode: Mode::of(member("mode")?.as_str()?)?,
            on_status_codes: member("on_status_codes").and_then(Value::as_array).map(|list| statuses(list)),
            conditions: conditions.map(|list| list.iter().filter_map(ConditionEntry::read).collect()),
            default: member("default").and_then(text).filter(|name| !name.is_empty()),
            sticky: member("sticky").and_then(StickyEntry::read),
        })
    }
}

impl ConditionEntry {
    fn read(value: &Value) -> Option<Self> {
        Some(Self { query: value.get("query")?.clone(), then: text(value.get("then")?)? })
    }
}

impl StickyEntry {
    fn read(value: &Value) -> Option<Self> {
        let member = |name: &str| spelling::get(value, name);
        if member("enabled") == Some(&Value::Bool(false)) {
            return None;
        }
        let by = match (member("by"), member("hash_fields").and_then(Value::as_array)) {
            (Some(by), _) => by.as_str().and_then(StickyBy::of).into_iter().collect(),
            (None, Some(fields)) => {
                fields.iter().filter_map(Value::as_str).filter_map(StickyBy::of_hash_field).collect()
            }
            (None, None) => Vec::new(),
        };
        let prefix_chars = member("prefix_chars").and_then(whole).and_then(|chars| u32::try_from(chars).ok());
        let ttl_s = member("ttl_s").or_else(|| member("ttl")).and_then(whole);
        Some(Self { by, prefix_chars: prefix_chars.unwrap_or(Self::PREFIX_CHARS), ttl_s })
    }
}

impl StickyBy {
    /// `header:<name>`, `metadata.<key>` or `prompt_prefix`.
    pub(super) fn of(text: &str) -> Option<Self> {
        if text == "prompt_prefix" {
            return Some(Self::PromptPrefix);
        }
        let (kind, name) = text.split_once([':', '.'])?;
        let known = !name.is_empty() && (text.as_bytes()[kind.len()] == b':') == (kind == "header");
        match kind {
            "header" if known => Some(Self::Header(name.to_ascii_lowercase().into())),
            "metadata" if known => Some(Self::Metadata(name.into())),
            _ => None,
        }
    }

    /// Portkey's spelling: `headers.<name>`, `metadata.<key>`, `params.<member>`.
    pub(super) fn of_hash_field(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('.')?;
        match kind {
            "headers" => Some(Self::Header(name.to_ascii_lowercase().into())),
            "metadata" => Some(Self::Metadata(name.into())),
            "params" => Some(Self::Params(name.into())),
            _ => None,
        }
    }
}

fn read_retry(value: &Value) -> RetryPolicy {
    let member = |name: &str| spelling::get(value, name);
    let listed = member("on_status_codes").and_then(Value::as_array);
    RetryPolicy {
        attempts: member("attempts").or_else(|| member("count")).and_then(whole).map_or(0, saturate),
        on_status_codes: listed
            .map_or(StatusCodes::Default, |list| StatusCodes::Listed(statuses(list).into())),
        use_retry_after_header: member("use_retry_after_header") == Some(&Value::Bool(true)),
        max_wait_ms: member("max_wait_ms").and_then(whole),
        jitter: member("jitter") != Some(&Value::Bool(false)),
        budget: member("budget").and_then(Value::as_f64),
    }
}

/// Leaves alone what `value` does not say: `request_timeout` is a member of its own.
fn read_timeouts(value: &Value, timeouts: &mut Timeouts) {
    let member = |name: &str| spelling::get(value, name).and_then(whole);
    timeouts.connect_ms = member("connect_ms");
    timeouts.first_byte_ms = member("first_byte_ms");
    timeouts.between_chunks_ms = member("between_chunks_ms");
}

fn read_cache(value: &Value) -> Option<CacheMode> {
    let kind = match spelling::get(value, "mode")?.as_str()? {
        "semantic" => CacheKind::Semantic,
        _ => CacheKind::Simple,
    };
    Some(CacheMode { kind, max_age_ms: spelling::get(value, "max_age").and_then(whole) })
}

fn read_hedge(value: &Value) -> Option<HedgePolicy> {
    let after = match spelling::get(value, "after")? {
        Value::String(_) => HedgeAfter::P95,
        ms => HedgeAfter::Ms(whole(ms)?),
    };
    let max_share = spelling::get(value, "max_share").and_then(Value::as_f64);
    Some(HedgePolicy { after, max_share: max_share.unwrap_or(HedgePolicy::DEFAULT_SHARE) })
}

fn read_breaker(value: &Value) -> Option<Breaker> {
    if !value.is_object() {
        return value
            .as_bool()
            .map(|on| if on { Breaker::On(CircuitPolicy::default()) } else { Breaker::Off });
    }
    let member = |name: &str| spelling::get(value, name).and_then(whole);
    let default = CircuitPolicy::default();
    Some(Breaker::On(CircuitPolicy {
        failures: member("failures").map_or(default.failures, saturate),
        window_ms: member("window_s").map_or(default.window_ms, |s| s.saturating_mul(1_000)),
        open_ms: member("open_s").map_or(default.open_ms, |s| s.saturating_mul(1_000)),
        half_open: member("half_open").map_or(default.half_open, saturate),
        strict: spelling::get(value, "strict") == Some(&Value::Bool(true)),
    }))
}

fn text(value: &Value) -> Option<Box<str>> {
    value.as_str().map(Box::from)
}

fn texts(list: &[Value]) -> Vec<Box<str>> {
    list.iter().filter_map(text).collect()
}

/// Numbers that are no HTTP status match nothing.
fn statuses(list: &[Value]) -> Vec<u16> {
    let codes = list.iter().filter_map(Value::as_f64);
    codes
        .filter(|code| code.fract() == 0.0 && (0.0..=65_535.0).contains(code))
        .map(|code| code as u16)
        .collect()
}

/// A number, or text that is one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number: &f64| number.is_finite())
}

/// A number without its fraction; negative ones are 0.
fn whole(value: &Value) -> Option<u64> {
    value.as_f64().map(|number| number as u64)
}

fn saturate(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Truthy, in the sense of the language that config authors know.
fn is_set(value: &Value) -> bool {
    super::cross::is_truthy(Some(value))
}
