//! The head of one attempt's request.

use std::cell::RefCell;
use std::collections::HashMap;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, HOST, HeaderMap, HeaderName,
    HeaderValue, TRANSFER_ENCODING, USER_AGENT,
};
use http::request::Parts;
use http::{Method, Uri};
use tidegate_access::{Carried, carried};
use tidegate_catalog::Dialect;
use tidegate_dialect::DialectId;
use tidegate_routing::Target;

use super::{Reading, Scene, Upstream};
use crate::accept::Call;
use crate::headers::{HOPS, is_forwardable, is_gateway_header, strip_hop_by_hop};
use crate::refuse::Refusal;
use crate::route::Route;
use crate::trace_context::NOT_FOR_PROVIDERS;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("tidegate/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// What Portkey sends when the caller names no betas; an old name that changes nothing today.
const DEFAULT_BETA: HeaderValue = HeaderValue::from_static("messages-2023-12-15");

/// # Errors
/// An address that is no URL: a base with characters that no URL has.
pub fn head(method: &Method, url: &str) -> Result<Parts, Refusal> {
    let uri = parsed(url).ok_or_else(|| {
        Refusal::exception(
            400,
            "the provider's address is not a valid URL; check custom_host, base_url and the model",
        )
    })?;
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = method.clone();
    parts.uri = uri;
    Ok(parts)
}

/// Addresses that were parsed lately. A gateway calls the same few again and again, and a clone costs a tenth of parsing.
fn parsed(url: &str) -> Option<Uri> {
    const KEPT: usize = 64;
    type Parsed = HashMap<Box<str>, Uri, foldhash::fast::RandomState>;
    thread_local! {
        static PARSED: RefCell<Parsed> = RefCell::default();
    }
    PARSED.with_borrow_mut(|parsed| {
        if let Some(uri) = parsed.get(url) {
            return Some(uri.clone());
        }
        let uri: Uri = url.parse().ok()?;
        if parsed.len() >= KEPT {
            parsed.clear();
        }
        parsed.insert(url.into(), uri.clone());
        Some(uri)
    })
}

/// A translated or same-dialect call: the gateway's own head, with what the provider needs and the headers that the
/// caller asked to forward. Returns whether the client's credential stands, so that none is to be added: a forwarded
/// `authorization` replaces the key, as in the reference.
///
/// # Errors
/// A header of the provider's needs an option that is not given.
pub fn unified(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    upstream: &Upstream<'_>,
    reading: Reading,
    headers: &mut HeaderMap,
) -> Result<bool, Refusal> {
    headers.reserve(8);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(USER_AGENT, AGENT);
    headers.insert(HOPS, scene.hops.clone());
    own(call, upstream, reading, headers)?;
    for name in forwarded(scene, target) {
        if let Ok(name) = name.to_ascii_lowercase().parse::<HeaderName>()
            && is_forwardable(&name)
            && let Some(value) = call.parts.headers.get(&name).filter(|value| !value.is_empty())
        {
            headers.insert(name, value.clone());
        }
    }
    operators(upstream, headers);
    Ok(headers.contains_key(AUTHORIZATION))
}

/// The names of the client's headers that are to go on.
fn forwarded<'a>(scene: &Scene<'a>, target: &'a Target) -> &'a [Box<str>] {
    let overridden = scene.resolved.overrides.forward_headers.as_deref();
    overridden.or(target.forward_headers.as_deref()).unwrap_or_default()
}

/// Those of the stored provider, in place of everybody else's. What a request says of its connection stays.
pub fn operators(upstream: &Upstream<'_>, headers: &mut HeaderMap) {
    let not_theirs = [HOST, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, CONNECTION, HOPS];
    for (name, value) in upstream.operators_headers().filter(|(name, _)| !not_theirs.contains(name)) {
        headers.insert(name, value.clone());
    }
}

/// As [`unified`], with the type of the client's own body: a form or a recording.
///
/// # Errors
/// As [`unified`].
pub fn form(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    upstream: &Upstream<'_>,
    reading: Reading,
    headers: &mut HeaderMap,
) -> Result<bool, Refusal> {
    let client_signs = unified(scene, call, target, upstream, reading, headers)?;
    if let Some(content_type) = call.parts.headers.get(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, content_type.clone());
    }
    Ok(client_signs)
}

/// A passed-through call: the client's head without what belongs to its own connection or to the gateway. Returns
/// whether the client's credential stands, so that none is to be added.
pub fn through(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    upstream: &Upstream<'_>,
    headers: &mut HeaderMap,
) -> bool {
    headers.clone_from(&call.parts.headers);
    strip_hop_by_hop(headers);
    // Cookies are one origin's; the next request may go to another.
    for name in [HOST, CONTENT_LENGTH, EXPECT, COOKIE] {
        headers.remove(name);
    }
    if call.own.context.is_some() {
        let asked = forwarded(scene, target);
        for name in NOT_FOR_PROVIDERS {
            if !asked.iter().any(|asked| asked.eq_ignore_ascii_case(name)) {
                headers.remove(name);
            }
        }
    }
    let own: Vec<HeaderName> = headers.keys().filter(|name| is_gateway_header(name)).cloned().collect();
    for name in own {
        headers.remove(name);
    }
    if scene.caller.key.is_some() {
        without_own_key(&call.parts.headers, headers);
    }
    headers.insert(HOPS, scene.hops.clone());
    headers.entry(USER_AGENT).or_insert(AGENT);
    // The client's credential goes on only when it is for the provider: its own way when it brought the key, and
    // against the config's key where the reference does so. A stored key never travels beside it.
    let client_wins = !matches!(call.route, Route::Managed | Route::Realtime)
        && target.api_key.is_some()
        && headers.contains_key(AUTHORIZATION);
    if !client_wins && upstream.has_key() {
        headers.remove(AUTHORIZATION);
        headers.remove("x-api-key");
    }
    client_wins
}

/// The key that opens the gateway is no provider's, wherever the client has put it.
fn without_own_key(sent: &HeaderMap, headers: &mut HeaderMap) {
    let own = match carried(sent) {
        Ok(Carried { key: Some(key), .. }) => key,
        _ => return,
    };
    let shows = |name: &str| {
        let mut values = sent.get_all(name).iter();
        values.any(|value| value.to_str().is_ok_and(|text| text.trim_end().ends_with(own)))
    };
    let names = ["authorization", "x-api-key"].map(|name| (name, shows(name)));
    for (name, _) in names.into_iter().filter(|(_, shows)| *shows) {
        headers.remove(name);
    }
}

/// What the provider wants beside the client's own head.
///
/// # Errors
/// A header of the provider's needs an option that is not given.
pub fn own(
    call: &Call,
    upstream: &Upstream<'_>,
    reading: Reading,
    headers: &mut HeaderMap,
) -> Result<(), Refusal> {
    fixed(upstream, headers)?;
    vendor(call, upstream, reading, headers);
    Ok(())
}

/// What a passed-through call lacks of the headers that the provider wants with every request.
///
/// # Errors
/// A header of the provider's needs an option that is not given.
pub fn complete(upstream: &Upstream<'_>, headers: &mut HeaderMap) -> Result<(), Refusal> {
    let mut wanted = HeaderMap::new();
    fixed(upstream, &mut wanted)?;
    for (name, value) in &wanted {
        if !headers.contains_key(name) {
            headers.insert(name, value.clone());
        }
    }
    if upstream.row().is_some_and(|row| row.dialect == Dialect::Anthropic) && !headers.contains_key(BETA) {
        let named = upstream.option("anthropic_beta").and_then(|text| HeaderValue::from_str(text).ok());
        headers.insert(BETA, named.unwrap_or(DEFAULT_BETA));
    }
    Ok(())
}

/// Headers the provider wants with every request.
fn fixed(upstream: &Upstream<'_>, headers: &mut HeaderMap) -> Result<(), Refusal> {
    let Some(row) = upstream.row() else { return Ok(()) };
    let fixed = row
        .headers(&|name| upstream.option(name))
        .map_err(|error| Refusal::exception(400, error.to_string()))?;
    for (name, value) in fixed {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(())
}

/// Headers by which clients switch a vendor's features, where the target speaks that vendor's dialect.
fn vendor(call: &Call, upstream: &Upstream<'_>, reading: Reading, headers: &mut HeaderMap) {
    let names: &[(HeaderName, &str)] = match reading {
        Reading::Chat(DialectId::Anthropic) | Reading::Same(DialectId::Anthropic) => {
            &[(VERSION, "anthropic_version"), (BETA, "anthropic_beta")]
        }
        Reading::Chat(DialectId::OpenAi) | Reading::Same(DialectId::OpenAi) => &[
            (HeaderName::from_static("openai-organization"), "openai_organization"),
            (HeaderName::from_static("openai-project"), "openai_project"),
            (HeaderName::from_static("openai-beta"), "openai_beta"),
        ],
        _ => return,
    };
    for (header, option) in names {
        // A translated request is written for the version in the provider's row, whatever the client speaks.
        let translated = *header == VERSION && matches!(reading, Reading::Chat(_));
        let value = match upstream.option(option) {
            Some(text) => HeaderValue::from_str(text).ok(),
            None if translated => None,
            None => call.parts.headers.get(header).cloned(),
        };
        if let Some(value) = value {
            headers.insert(header, value);
        } else if *header == BETA && upstream.row().is_some_and(|row| row.dialect == Dialect::Anthropic) {
            headers.insert(header, DEFAULT_BETA);
        }
    }
}
