//! A WebSocket's handshake at one target: OpenAI's realtime API at the address that the provider has for it, anything else at
//! the client's own path.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use tidegate_core::Warnings;
use tidegate_dialect::DialectId;
use tidegate_routing::Target;
use tidegate_upstream::OutBody;

use super::{Job, Prepared, Reading, Scene, Send, Upstream, headers};
use crate::accept::Call;
use crate::refuse::Refusal;
use crate::route::Route;
use crate::websocket::OF_HANDSHAKE;

/// # Errors
/// As [`super::request`].
pub fn asked(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    upstream: Upstream<'_>,
) -> Result<Prepared, Refusal> {
    let overridden = target.override_params.as_ref().and_then(|params| params.get("model")?.as_str());
    let model = overridden
        .or(scene.resolved.model.as_deref())
        .or(call.peek.model.as_deref())
        .unwrap_or_default()
        .to_owned();
    let upstream = upstream.serving(&model);
    upstream.judge_model(&model)?;
    let (path, query) = (call.parts.uri.path(), call.parts.uri.query());
    let (url, speaks_openai) = if call.route == Route::Realtime && path == "/v1/realtime" {
        upstream.realtime(&model, query)?
    } else {
        let query = if call.peek.model.is_some() { Some(with_model(query, &model)) } else { None };
        let query = query.as_deref().or(call.parts.uri.query());
        (upstream.pass_through(path, query)?, upstream.speaks_openai())
    };
    let mut parts = headers::head(&call.parts.method, &over_http(url))?;
    upstream.judge(scene, &parts.uri)?;
    let client_signs = headers::through(scene, call, target, &upstream, &mut parts.headers);
    for name in OF_HANDSHAKE {
        parts.headers.remove(name);
    }
    let reading = if speaks_openai { Reading::Same(DialectId::OpenAi) } else { Reading::Proxy };
    if speaks_openai {
        headers::own(call, &upstream, reading, &mut parts.headers)?;
    } else {
        headers::complete(&upstream, &mut parts.headers)?;
    }
    headers::operators(&upstream, &mut parts.headers);
    if let Some(protocols) = call.asked.as_ref().and_then(|asked| asked.protocols.clone()) {
        parts.headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
    }
    if !client_signs {
        upstream.sign(scene, &mut parts, None)?;
    }
    let job = Job {
        reading,
        provider: upstream.label(),
        model: upstream.model_behind().map_or_else(|| model.as_str().into(), Box::from),
        stream: false,
        warnings: Warnings::default(),
        strict: true,
        stored: upstream.stored(),
        hides_usage: false,
    };
    let request = http::Request::from_parts(parts, OutBody::empty());
    Ok(Prepared { send: Send::WebSocket(Box::new(request)), job, credential: upstream.credential_index() })
}

/// The client's query with this model in place of the one that it names.
fn with_model(query: Option<&str>, model: &str) -> String {
    let mut pairs: Vec<String> = Vec::new();
    for pair in query.unwrap_or_default().split('&') {
        match pair.split_once('=') {
            Some((name @ ("model" | "deployment"), _)) => pairs.push(format!("{name}={}", encoded(model))),
            _ => pairs.push(pair.to_owned()),
        }
    }
    pairs.join("&")
}

/// A query without the model.
pub fn without_model(query: Option<&str>) -> String {
    let is_model = |pair: &&str| matches!(pair.split('=').next(), Some("model" | "deployment" | ""));
    let pairs: Vec<_> = query.unwrap_or_default().split('&').filter(|pair| !is_model(pair)).collect();
    pairs.join("&")
}

/// A value of a query.
pub fn encoded(value: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Addresses of WebSockets have schemes of their own, and are reached as those of HTTP.
fn over_http(url: String) -> String {
    match url.split_once("://") {
        Some(("wss", rest)) => format!("https://{rest}"),
        Some(("ws", rest)) => format!("http://{rest}"),
        _ => url,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_schemes() {
        assert_eq!(with_model(Some("a=1&model=%40x%2Fy&b"), "gpt 4"), "a=1&model=gpt%204&b");
        assert_eq!(without_model(Some("model=x&a=1&deployment=y&&b")), "a=1&b");
        assert_eq!(without_model(None), "");
        for (url, want) in [
            ("wss://h/p", "https://h/p"),
            ("ws://h:1", "http://h:1"),
            ("https://h/?a=wss://b", "https://h/?a=wss://b"),
        ] {
            assert_eq!(over_http(url.to_owned()), want);
        }
    }
}
