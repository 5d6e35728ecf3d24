//! Server-sent events: writing them, and reading back what a client received.

use serde_json::Value;

/// `data: {..}` with a blank line.
pub fn data(body: &Value) -> String {
    format!("data: {body}\n\n")
}

/// `event: <its type>` and `data: {..}` with a blank line.
pub fn typed(body: &Value) -> String {
    format!("event: {}\ndata: {body}\n\n", body["type"].as_str().unwrap_or("message"))
}

/// The end of an OpenAI stream.
pub const DONE: &str = "data: [DONE]\n\n";

/// One event as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Empty when there was no `event:` line.
    pub name: String,
    pub data: String,
}

impl Event {
    /// The data, or `null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or(Value::Null)
    }
}

/// Reads a whole body: any line end, several `data:` lines joined, comments left out. An event that is not ended by a
/// blank line is dropped, as browsers do.
pub fn parse(body: &[u8]) -> Vec<Event> {
    let text = String::from_utf8_lossy(body).replace("\r\n", "\n").replace('\r', "\n");
    let mut events = Vec::new();
    let (mut name, mut lines) = (String::new(), Vec::new());
    let Some(end) = text.rfind('\n') else { return events };
    for line in text[..end].split('\n') {
        if line.is_empty() {
            if !lines.is_empty() {
                events.push(Event { name: name.clone(), data: lines.join("\n") });
            }
            name.clear();
            lines.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => lines.push(value.to_owned()),
            _ => {}
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_format_allows() {
        let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
        for (body, expected) in [
            ("data: a\n\ndata:b\n\n", vec![event("", "a"), event("", "b")]),
            ("event: x\r\ndata: 1\r\ndata: 2\r\n\r\n", vec![event("x", "1\n2")]),
            (": comment\rdata: a\r\rid: 5\r\r", vec![event("", "a")]),
            ("data: a\n\ndata: cut", vec![event("", "a")]),
            ("data: a\n\ndata: cut\n", vec![event("", "a")]),
            ("", vec![]),
        ] {
            assert_eq!(parse(body.as_bytes()), expected, "{body:?}");
        }
    }
}
