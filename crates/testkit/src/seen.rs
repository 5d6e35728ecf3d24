//! A request as an upstream received it.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    /// Path and query, as sent.
    pub url: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// The first value of a query parameter, percent-decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.url.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }

    /// The first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body, or `null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// `{method, url, headers, body}`: header values joined by commas; the body as JSON if it is, else as text, `null`
    /// when empty.
    pub fn echo(&self) -> Value {
        let mut headers = Map::new();
        for name in self.headers.keys() {
            let values: Vec<_> = self
                .headers
                .get_all(name)
                .iter()
                .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
                .collect();
            headers.insert(name.to_string(), json!(values.join(", ")));
        }
        let body = match serde_json::from_slice::<Value>(&self.body) {
            Ok(body) => body,
            Err(_) if self.body.is_empty() => Value::Null,
            Err(_) => json!(String::from_utf8_lossy(&self.body)),
        };
        json!({"method": self.method.as_str(), "url": self.url, "headers": headers, "body": body})
    }
}

/// Percent-decoding as far as it is valid; the rest stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
impl Seen {
    /// A `POST` of JSON, for testing a fake without a socket.
    pub(crate) fn post(url: &str, headers: &[(&str, &str)], body: &Value) -> Self {
        Self::raw("POST", url, headers, body.to_string().into_bytes())
    }

    pub(crate) fn raw(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Self {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::try_from(*name).unwrap(), http::HeaderValue::try_from(*value).unwrap())
        });
        Self {
            method: Method::try_from(method).unwrap(),
            url: url.to_owned(),
            headers: headers.collect(),
            body: body.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_paths_queries_and_bodies() {
        let seen = Seen::post("/a%2Fb?x=1&key=k%20k", &[("x-a", "1"), ("x-a", "2")], &json!({"b": 1}));
        assert_eq!(
            (seen.path(), seen.query("key").as_deref(), seen.query("z")),
            ("/a%2Fb", Some("k k"), None)
        );
        assert_eq!(
            seen.echo(),
            json!({"method": "POST", "url": "/a%2Fb?x=1&key=k%20k", "headers": {"x-a": "1, 2"}, "body": {"b": 1}})
        );
        assert_eq!(Seen::raw("GET", "/", &[], vec![]).echo()["body"], Value::Null);
        assert_eq!(Seen::raw("GET", "/", &[], b"{bad".to_vec()).echo()["body"], "{bad");
    }

    #[test]
    fn decodes_what_is_valid() {
        for (text, expected) in [("a%3Ab", "a:b"), ("%", "%"), ("%zz%41", "%zzA"), ("é%C3%A9", "éé")] {
            assert_eq!(decode(text), expected);
        }
    }
}
