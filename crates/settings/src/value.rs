//! One written value becomes one typed value, or says what is wrong with it and what would be right.
//!
//! A file has types of its own and they must fit; the environment and the command line have only text.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tidegate_access::door::Origin;
use tidegate_core::Secret;
use tidegate_limits::rule::parse_text;
use tidegate_limits::{Algorithm, Networks, Pace, Rule, Unit};
use tidegate_pricing::UnpricedPolicy;

use crate::settings::{Bodies, LogFormat, OidcRole, PrivateTarget, SmtpSecurity, WebhookForm, WhenAway};
use crate::sinks::ObjectFormat;

/// A value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    /// From a file, between quotes.
    Text(String),
    Integer(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Raw>),
    Table,
    /// Of a kind that no setting has; the kind's name.
    Other(&'static str),
    /// From the environment or the command line: text that stands for any type, lists with commas.
    Untyped(String),
}

/// A value that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) problem: String,
    pub(crate) remedy: String,
}

impl Wrong {
    pub(crate) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

type Parsed<T> = Result<T, Wrong>;

impl Raw {
    /// For messages. Only for fields that hold no secret.
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("\"{}\"", excerpt(text)),
            Self::Untyped(text) => format!("`{}`", excerpt(text)),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
            Self::List(_) | Self::Table | Self::Other(_) => kind(self).to_owned(),
        }
    }

    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Untyped(text) => Some(text),
            _ => None,
        }
    }

    /// A number written as one, or as untyped text.
    fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Untyped(text) => text.parse().ok(),
            _ => None,
        }
    }
}

pub(crate) fn text(raw: &Raw) -> Parsed<String> {
    match raw.as_text() {
        Some("") => Err(Wrong::new("it is empty", "write a text, or leave it out")),
        Some(text) => Ok(text.to_owned()),
        None => Err(Wrong::new(format!("{} is not a text", kind(raw)), "write it between quotes")),
    }
}

pub(crate) fn path(raw: &Raw) -> Parsed<PathBuf> {
    text(raw).map(PathBuf::from)
}

pub(crate) fn boolean(raw: &Raw) -> Parsed<bool> {
    match raw {
        Raw::Bool(truth) => Ok(*truth),
        Raw::Untyped(text) if text == "true" => Ok(true),
        Raw::Untyped(text) if text == "false" => Ok(false),
        _ => Err(Wrong::new(format!("{} is neither true nor false", raw.shown()), "write true or false")),
    }
}

/// A whole number from `min` to `max`.
pub(crate) fn integer(raw: &Raw, min: i64, max: i64) -> Parsed<i64> {
    let remedy = || format!("write a number from {min} to {max}");
    let Some(number) = raw.as_integer() else {
        return Err(Wrong::new(format!("{} is not a whole number", raw.shown()), remedy()));
    };
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(Wrong::new(format!("{number} is out of range"), remedy()))
    }
}

pub(crate) fn port(raw: &Raw) -> Parsed<u16> {
    let number = integer(raw, 0, i64::from(u16::MAX))?;
    Ok(u16::try_from(number).unwrap_or(u16::MAX))
}

pub(crate) fn count(raw: &Raw, min: u32, max: u32) -> Parsed<u32> {
    let number = integer(raw, i64::from(min), i64::from(max))?;
    Ok(u32::try_from(number).unwrap_or(max))
}

/// A number of threads; `"auto"` is one per core.
pub(crate) fn workers(raw: &Raw) -> Parsed<Option<NonZeroUsize>> {
    if raw.as_text() == Some("auto") {
        return Ok(None);
    }
    let number =
        integer(raw, 1, 1024).map_err(|wrong| Wrong { remedy: wrong.remedy + " or \"auto\"", ..wrong })?;
    Ok(usize::try_from(number).ok().and_then(NonZeroUsize::new))
}

/// An IP address to listen on; `localhost` is 127.0.0.1.
pub(crate) fn address(raw: &Raw) -> Parsed<IpAddr> {
    let remedy = "write an IP address: 127.0.0.1 for this machine only, 0.0.0.0 for all networks";
    match raw.as_text() {
        Some("localhost") => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Some(text) => {
            text.parse().map_err(|_| Wrong::new(format!("{} is not an IP address", raw.shown()), remedy))
        }
        None => Err(Wrong::new(format!("{} is not an IP address", raw.shown()), remedy)),
    }
}

pub(crate) fn log_format(raw: &Raw) -> Parsed<LogFormat> {
    match raw.as_text() {
        Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        _ => Err(Wrong::new(format!("{} is not a log format", raw.shown()), "write \"text\" or \"json\"")),
    }
}

/// Of the objects that records are written to.
pub(crate) fn object_format(raw: &Raw) -> Parsed<ObjectFormat> {
    word(raw, &[("jsonl", ObjectFormat::Jsonl), ("parquet", ObjectFormat::Parquet)])
}

/// The name of a table or a database.
pub(crate) fn identifier(raw: &Raw) -> Parsed<String> {
    let text = text(raw)?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(text);
    }
    Err(Wrong::new(format!("{} is no name", raw.shown()), "write letters, digits and _"))
}

/// From where requests without a key may come.
pub(crate) fn origin(raw: &Raw) -> Parsed<Origin> {
    word(raw, &[("loopback", Origin::Loopback), ("nowhere", Origin::Nowhere), ("anywhere", Origin::Anywhere)])
}

pub(crate) fn unpriced(raw: &Raw) -> Parsed<UnpricedPolicy> {
    word(raw, &[("mark", UnpricedPolicy::Mark), ("refuse", UnpricedPolicy::Refuse)])
}

pub(crate) fn bodies(raw: &Raw) -> Parsed<Bodies> {
    word(
        raw,
        &[
            ("none", Bodies::None),
            ("errors", Bodies::Errors),
            ("all", Bodies::All),
            ("sampled", Bodies::Sampled),
        ],
    )
}

/// One of a few words.
fn word<T: Copy>(raw: &Raw, words: &[(&str, T)]) -> Parsed<T> {
    let found = raw.as_text().and_then(|text| words.iter().find(|(word, _)| *word == text));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        Wrong::new(format!("{} is not accepted", raw.shown()), format!("write {}", names.join(" or ")))
    })
}

/// Networks and addresses.
pub(crate) fn networks(raw: &Raw) -> Parsed<Networks> {
    let list = texts(raw)?;
    Networks::parse("", list.iter().map(String::as_str)).map_err(|error| {
        Wrong::new(error.problem, format!("write networks or addresses, {}", error.expected))
    })
}

/// Rate limits as one text: `100/minute, 5000/day`.
pub(crate) fn rules(raw: &Raw) -> Parsed<Vec<Rule>> {
    let text = text(raw)?;
    parse_text("", &text, Unit::Requests, Algorithm::Moving)
        .map_err(|error| Wrong::new(error.problem, format!("write {}", error.expected)))
}

/// How fast streams go: `60/second`, or `inf`.
pub(crate) fn pace(raw: &Raw) -> Parsed<Option<Pace>> {
    let text = text(raw)?;
    Pace::parse("", &text).map_err(|error| Wrong::new(error.problem, format!("write {}", error.expected)))
}

pub(crate) fn when_away(raw: &Raw) -> Parsed<WhenAway> {
    word(raw, &[("local", WhenAway::Local), ("refuse", WhenAway::Refuse)])
}

pub(crate) fn webhook_form(raw: &Raw) -> Parsed<WebhookForm> {
    word(raw, &[("json", WebhookForm::Json), ("slack", WebhookForm::Slack)])
}

pub(crate) fn smtp_security(raw: &Raw) -> Parsed<SmtpSecurity> {
    word(
        raw,
        &[("starttls", SmtpSecurity::StartTls), ("tls", SmtpSecurity::Tls), ("none", SmtpSecurity::None)],
    )
}

pub(crate) fn oidc_role(raw: &Raw) -> Parsed<OidcRole> {
    word(raw, &[("member", OidcRole::Member), ("admin", OidcRole::Admin)])
}

/// Text that is never shown.
pub(crate) fn secret(raw: &Raw) -> Parsed<Option<Secret>> {
    let text = raw.as_text().filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| Wrong::new("this is no text", "write it between quotes"))?;
    Ok(Some(Secret::from(text)))
}

/// The address of a webhook. Never shown: it may hold a credential.
pub(crate) fn webhook(raw: &Raw) -> Parsed<Option<Secret>> {
    let url = secret(raw)?;
    let is_url =
        raw.as_text().is_some_and(|text| text.starts_with("https://") || text.starts_with("http://"));
    if is_url { Ok(url) } else { Err(Wrong::new("this is no address", "write https://host/path")) }
}

/// The address of a Redis. Never shown: it holds a password.
pub(crate) fn redis(raw: &Raw) -> Parsed<Option<Secret>> {
    let text = text(raw)?;
    if ["redis://", "rediss://", "redis+unix://"].iter().any(|scheme| text.starts_with(scheme)) {
        return Ok(Some(Secret::from(text)));
    }
    let remedy = "write redis://user:password@host:6379/0, or leave it out to count in this process";
    Err(Wrong::new("this is no address of a Redis", remedy))
}

/// The address of a database. Never shown: it holds a password.
pub(crate) fn database(raw: &Raw) -> Parsed<Option<Secret>> {
    let text = text(raw)?;
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(Some(Secret::from(text)));
    }
    let remedy =
        "write postgres://user:password@host/database, or leave it out for a file in server.data_dir";
    Err(Wrong::new("this is no address of a PostgreSQL database", remedy))
}

/// A share from 0 to 1.
pub(crate) fn share(raw: &Raw) -> Parsed<f64> {
    let number = match raw {
        Raw::Float(number) => Some(*number),
        Raw::Integer(number @ 0..=1) => Some(if *number == 0 { 0.0 } else { 1.0 }),
        Raw::Untyped(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| (0.0..=1.0).contains(number)).ok_or_else(|| {
        Wrong::new(format!("{} is not a share", raw.shown()), "write a number from 0 to 1, such as 0.2")
    })
}

/// `"30s"`: a whole number and one of `ms`, `s`, `m`, `h`.
pub(crate) fn duration(raw: &Raw, min: Duration, max: Duration) -> Parsed<Duration> {
    let remedy = format!("write a number and its unit from {} to {}", show_duration(min), show_duration(max));
    let Some(text) = raw.as_text() else {
        let problem = format!("{} has no unit", raw.shown());
        return Err(Wrong::new(problem, format!("{remedy}, such as \"30s\" or \"500ms\"")));
    };
    let wrong =
        |what: &str| Wrong::new(format!("{} {what}", raw.shown()), format!("{remedy} (units ms, s, m, h)"));
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| wrong("is not a duration"))?;
    let millis = match unit.trim() {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        "" => return Err(wrong("has no unit")),
        _ => return Err(wrong("has no known unit")),
    };
    let duration = millis.map(Duration::from_millis);
    duration.filter(|duration| (min..=max).contains(duration)).ok_or_else(|| wrong("is out of range"))
}

/// As [`duration`], or `"off"`.
pub(crate) fn timeout(raw: &Raw, min: Duration, max: Duration) -> Parsed<Option<Duration>> {
    if raw.as_text() == Some("off") {
        return Ok(None);
    }
    let duration = duration(raw, min, max);
    duration.map(Some).map_err(|wrong| Wrong { remedy: wrong.remedy + ", or \"off\"", ..wrong })
}

/// `"100MB"`: a whole number of bytes, or with one of `KB`, `MB`, `GB` (of 1024).
pub(crate) fn size(raw: &Raw, min: u64, max: u64) -> Parsed<u64> {
    let remedy = format!("write a size from {} to {}, such as \"100MB\"", show_size(min), show_size(max));
    let bytes = match raw {
        Raw::Integer(number) => u64::try_from(*number).ok(),
        Raw::Text(text) | Raw::Untyped(text) => {
            let (number, unit) =
                text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
            let scale = match unit.trim().to_ascii_uppercase().as_str() {
                "" | "B" => Some(1),
                "K" | "KB" | "KIB" => Some(1 << 10),
                "M" | "MB" | "MIB" => Some(1 << 20),
                "G" | "GB" | "GIB" => Some(1 << 30),
                _ => None,
            };
            number.parse::<u64>().ok().zip(scale).map(|(number, scale)| number.saturating_mul(scale))
        }
        _ => None,
    };
    match bytes {
        Some(bytes) if (min..=max).contains(&bytes) => Ok(bytes),
        Some(_) => Err(Wrong::new(format!("{} is out of range", raw.shown()), remedy)),
        None => Err(Wrong::new(format!("{} is not a size", raw.shown()), remedy)),
    }
}

/// An option of a provider: any single value, as text.
pub(crate) fn option(raw: &Raw) -> Parsed<String> {
    match raw {
        Raw::Integer(number) => Ok(number.to_string()),
        Raw::Float(number) => Ok(number.to_string()),
        Raw::Bool(truth) => Ok(truth.to_string()),
        Raw::Table | Raw::List(_) => {
            Err(Wrong::new(format!("{} is not a text", kind(raw)), "write it as JSON between '''"))
        }
        _ => text(raw),
    }
}

/// A list of texts; untyped text is cut at commas.
pub(crate) fn texts(raw: &Raw) -> Parsed<Vec<String>> {
    match raw {
        Raw::List(items) => items.iter().map(text).collect(),
        Raw::Untyped(list) => {
            Ok(list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
        }
        _ => Err(Wrong::new(
            format!("{} is not a list", kind(raw)),
            "write a list of texts: [\"one\", \"two\"]",
        )),
    }
}

/// Networks (`10.0.0.0/8`), addresses and host names.
pub(crate) fn private_targets(raw: &Raw) -> Parsed<Vec<PrivateTarget>> {
    texts(raw)?.iter().map(|target| private_target(target)).collect()
}

fn private_target(text: &str) -> Parsed<PrivateTarget> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Ok(PrivateTarget::Network(network.trunc()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(PrivateTarget::Network(IpNet::from(address)));
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let is_host = text.split('.').all(is_label) && text.bytes().any(|b| b.is_ascii_alphabetic());
    if is_host {
        return Ok(PrivateTarget::Host(text.to_ascii_lowercase()));
    }
    let remedy = "write a network (10.0.0.0/8), an address or a host name, without scheme and port";
    Err(Wrong::new(format!("\"{}\" is neither a network nor a host", excerpt(text)), remedy))
}

/// A base URL, without its trailing slash.
pub(crate) fn base_url(raw: &Raw) -> Parsed<String> {
    let text = text(raw)?;
    let remedy = "write a URL such as \"https://api.example.com/v1\"";
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return Err(Wrong::new("it does not begin with https:// or http://", remedy));
    };
    let host = rest.split('/').next().unwrap_or("");
    let problem = if host.is_empty() || host.starts_with(':') {
        "it names no host"
    } else if host.contains('@') {
        "it holds credentials; they go in api_key"
    } else if rest.contains(['?', '#']) {
        "it has a query or a fragment, to which no path can be appended"
    } else if rest.bytes().any(|b| !b.is_ascii_graphic()) {
        "it holds characters that no URL has"
    } else {
        return Ok(text.trim_end_matches('/').to_owned());
    };
    Err(Wrong::new(problem, remedy))
}

/// Where public keys are fetched. Whoever can change what comes from there can sign for anybody: so encrypted, or from this
/// machine.
pub(crate) fn jwks_url(raw: &Raw) -> Parsed<String> {
    let text = text(raw)?;
    let remedy = "write a URL such as \"https://login.example.com/.well-known/jwks.json\"";
    let (rest, is_encrypted) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return Err(Wrong::new("it does not begin with https://", remedy)),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_here = name == "localhost"
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    let problem = if host.is_empty() || host.starts_with(':') {
        "it names no host"
    } else if host.contains('@') {
        "it holds credentials; keys that are public need none"
    } else if rest.bytes().any(|b| !b.is_ascii_graphic()) {
        "it holds characters that no URL has"
    } else if !is_encrypted && !is_here {
        "keys that come unencrypted from another machine can be exchanged on the way"
    } else {
        return Ok(text);
    };
    Err(Wrong::new(problem, remedy))
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 60;
    let mut shown: String = text.chars().take(LENGTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LENGTH).is_some() {
        shown.push('…');
    }
    shown
}

/// The kind of a value, for fields whose text must not be shown.
fn kind(raw: &Raw) -> &'static str {
    match raw {
        Raw::Text(_) | Raw::Untyped(_) => "a text",
        Raw::Integer(_) | Raw::Float(_) => "a number",
        Raw::Bool(_) => "true or false",
        Raw::List(_) => "a list",
        Raw::Table => "a section",
        Raw::Other(kind) => kind,
    }
}

/// In the largest unit that divides it.
pub(crate) fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, scale) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if millis > 0 && millis.is_multiple_of(scale) {
            return format!("{}{unit}", millis / scale);
        }
    }
    format!("{millis}ms")
}

/// In the largest unit that divides it.
pub(crate) fn show_size(bytes: u64) -> String {
    for (unit, shift) in [("GB", 30), ("MB", 20), ("KB", 10)] {
        if bytes > 0 && bytes.trailing_zeros() >= shift {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}B")
}
