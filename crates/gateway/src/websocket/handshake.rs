//! A client's side of the handshake: what it asks for, and the key that a browser can only put among its protocols.

use http::header::{
    AUTHORIZATION, HOST, HeaderMap, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderName, Method, Uri, Version};
use tidegate_access::{Reason, Refusal as Denial};
use tidegate_core::ErrorKind;
use tidegate_http1::upgrade;
use tidegate_websocket::handshake::{VERSION, accept, is_key};

use crate::accept::Inbound;
use crate::authenticate::Caller;
use crate::refuse::Refusal;
use crate::route::Route;

/// The protocol by which OpenAI's clients in browsers bring their key.
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";

/// Headers of the handshake: each connection has its own.
pub const OF_HANDSHAKE: [HeaderName; 5] = [
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_PROTOCOL,
];

/// A WebSocket that a client asked for.
#[derive(Debug)]
pub struct Asked {
    /// What its key is answered with.
    pub accept: HeaderValue,
    /// The protocols that it offers, without its key.
    pub protocols: Option<HeaderValue>,
}

/// Reads the handshake of a request that says `Upgrade`; `None` where that means another protocol, which does not cross.
/// A key among the protocols is taken out, and stands where keys stand.
///
/// # Errors
/// 400 and 426 for what is no handshake, or is not for this path.
pub fn asked(inbound: &mut Inbound, route: Route) -> Result<Option<Asked>, Refusal> {
    let names_it = |value: &HeaderValue| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|one| one.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    };
    if !inbound.headers().get_all(UPGRADE).iter().any(names_it) {
        return Ok(None);
    }
    if !matches!(route, Route::Realtime | Route::Managed | Route::Pass) {
        return Err(wrong("upgrade", "nothing at this path is a WebSocket"));
    }
    if inbound.method() != Method::GET || inbound.version() != Version::HTTP_11 {
        return Err(wrong("upgrade", "a WebSocket is asked for with GET, in HTTP/1.1"));
    }
    if !upgrade::names(inbound.headers(), "websocket") {
        return Err(wrong("connection", "a WebSocket handshake needs the header `Connection: Upgrade`"));
    }
    if !http_body::Body::is_end_stream(inbound.body()) {
        return Err(wrong("body", "a WebSocket handshake has no body"));
    }
    let headers = inbound.headers_mut();
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        let message = "this WebSocket version is not spoken here: `Sec-WebSocket-Version` has to be 13";
        let mut refusal = Refusal::with_status("upgrade", ErrorKind::BadRequest, 426, message);
        refusal.headers = vec![("sec-websocket-version", VERSION.to_owned())];
        return Err(refusal);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| key.as_bytes().trim_ascii());
    let Some(key) = key.filter(|key| is_key(key)) else {
        return Err(wrong("sec-websocket-key", "`Sec-WebSocket-Key` has to be 16 bytes in base64"));
    };
    let accept = HeaderValue::from_str(&accept(key))
        .map_err(|_| wrong("sec-websocket-key", "`Sec-WebSocket-Key` cannot be answered"))?;
    let protocols = protocols(headers)?;
    Ok(Some(Asked { accept, protocols }))
}

/// A plain request where only a WebSocket is.
pub fn no_upgrade() -> Refusal {
    let message =
        "this is a WebSocket: send `Connection: Upgrade`, `Upgrade: websocket` and the rest of its handshake";
    let mut refusal = Refusal::with_status("upgrade", ErrorKind::BadRequest, 426, message);
    refusal.headers = vec![("upgrade", "websocket".to_owned())];
    refusal
}

fn wrong(param: &str, message: &str) -> Refusal {
    Refusal::bad_request("upgrade", param, message)
}

/// The protocols that go on. A key among them goes to `Authorization`, unless that has one.
fn protocols(headers: &mut HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
    let mut kept: Vec<&str> = Vec::new();
    let mut key = None;
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        let Ok(text) = value.to_str() else {
            return Err(wrong("sec-websocket-protocol", "`Sec-WebSocket-Protocol` is not visible ASCII"));
        };
        for protocol in text.split(',').map(str::trim).filter(|protocol| !protocol.is_empty()) {
            match protocol.strip_prefix(KEY_PROTOCOL) {
                Some(found) => key = Some(found),
                None => kept.push(protocol),
            }
        }
    }
    let bearer = key.and_then(|key| HeaderValue::from_str(&format!("Bearer {key}")).ok());
    let protocols = if kept.is_empty() { None } else { HeaderValue::from_str(&kept.join(", ")).ok() };
    if let Some(mut bearer) = bearer {
        bearer.set_sensitive(true);
        headers.entry(AUTHORIZATION).or_insert(bearer);
        match &protocols {
            Some(protocols) => drop(headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols.clone())),
            None => drop(headers.remove(SEC_WEBSOCKET_PROTOCOL)),
        }
    }
    Ok(protocols)
}

/// Pages may open WebSockets to anywhere, and browsers ask nobody before they do. Who brings no key of any kind is let in
/// for where he stands, and a page of somebody else's stands there as well.
///
/// # Errors
/// 403 for such a page.
pub fn judge_origin(caller: &Caller, headers: &HeaderMap) -> Result<(), Refusal> {
    if caller.key.is_some() || caller.credential.is_some() {
        return Ok(());
    }
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(Uri::authority).map(|authority| authority.as_str());
    if authority.is_some() && authority == host {
        return Ok(());
    }
    let message = "pages of other origins need an API key, or a provider's, to open a WebSocket here: send it as the protocol `openai-insecure-api-key.KEY`";
    let mut refusal = Refusal::with_status("origin", ErrorKind::Permission, 403, message);
    refusal.error.code = Some(Denial::new(Reason::NoKey).code().into());
    Err(refusal)
}

/// The value of a parameter of a query, percent-decoded.
pub fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let pair = query?.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))?;
    let bytes = pair.1.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(*byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_among_the_protocols_stands_where_keys_stand() {
        for (offered, authorization, key, left) in [
            (
                "realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1",
                None,
                Some("Bearer sk-1"),
                Some("realtime, openai-beta.realtime-v1"),
            ),
            ("openai-insecure-api-key.sk-1", None, Some("Bearer sk-1"), None),
            (
                "realtime,openai-insecure-api-key.sk-1",
                Some("Bearer sk-2"),
                Some("Bearer sk-2"),
                Some("realtime"),
            ),
            ("realtime", None, None, Some("realtime")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offered));
            if let Some(value) = authorization {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            }
            let protocols = protocols(&mut headers).unwrap();
            let text = |value: Option<&HeaderValue>| value.map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(text(protocols.as_ref()).as_deref(), left, "{offered}");
            assert_eq!(text(headers.get(AUTHORIZATION)).as_deref(), key, "{offered}");
            assert_eq!(text(headers.get(SEC_WEBSOCKET_PROTOCOL)).as_deref(), left, "{offered}");
        }
    }

    #[test]
    fn pages_of_others_need_a_key() {
        let with_key = Caller { credential: Some("sk-1".into()), ..Caller::default() };
        for (caller, origin, want) in [
            (&Caller::default(), None, true),
            (&Caller::default(), Some("http://127.0.0.1:8787"), true),
            (&Caller::default(), Some("https://evil.example"), false),
            (&Caller::default(), Some("null"), false),
            (&with_key, Some("https://app.example"), true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("127.0.0.1:8787"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(judge_origin(caller, &headers).is_ok(), want, "{origin:?}");
        }
    }

    #[test]
    fn parameters() {
        let query = Some("a=1&model=%40mine%2Fgpt-realtime&b=%zz+%4");
        for (name, want) in
            [("model", Some("@mine/gpt-realtime")), ("a", Some("1")), ("b", Some("%zz %4")), ("c", None)]
        {
            assert_eq!(parameter(query, name).as_deref(), want, "{name}");
        }
    }
}
