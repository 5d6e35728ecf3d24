//! One event of a stream (or one whole body), read for the few members that matter. One shape serves both dialects:
//! their member names do not clash.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::Value;

use super::TapError;
use super::scan::{Broken, Scanner};

/// What the first bytes of a stream are, for a gateway that holds them back while another target can still be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirstEvent {
    /// The answer has begun (or is already over).
    Content,
    /// The stream is an error.
    Error,
    /// Nothing but comments, pings, roles and empty starts so far: ask again with more bytes.
    Undecided,
}

/// Reads all bytes of a stream so far, its last line possibly unfinished. Either dialect; a JSON body sent in place of
/// events is understood as well.
pub fn classify_first(bytes: &[u8]) -> FirstEvent {
    let mut rest = bytes;
    while let Some(end) = memchr2(b'\n', b'\r', rest) {
        match classify_line(&rest[..end]) {
            FirstEvent::Undecided => rest = &rest[end + 1..],
            decided => return decided,
        }
    }
    FirstEvent::Undecided
}

fn classify_line(line: &[u8]) -> FirstEvent {
    if line.trim_ascii() == b"event: error" {
        return FirstEvent::Error;
    }
    let data = match data_of(line) {
        Some(data) => data,
        None if line.trim_ascii_start().starts_with(b"{") => line,
        None => return FirstEvent::Undecided,
    };
    match Sight::of(data) {
        Some(sight) if sight.error.is_some() => FirstEvent::Error,
        Some(sight) if !sight.content && !sight.finished => FirstEvent::Undecided,
        // What cannot be read cannot be held back for a better reason either.
        _ => FirstEvent::Content,
    }
}

/// The value of a `data:` line.
pub(super) fn data_of(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"data:").map(<[u8]>::trim_ascii)
}

/// What one event says.
#[derive(Debug, Default)]
pub(super) struct Sight<'a> {
    /// The name as a JSON string, see [`text`].
    pub(super) model: Option<&'a [u8]>,
    /// The `usage` object, raw.
    pub(super) usage: Option<&'a [u8]>,
    /// OpenAI's `service_tier`, raw.
    pub(super) tier: Option<&'a [u8]>,
    pub(super) error: Option<TapError>,
    pub(super) content: bool,
    pub(super) finished: bool,
}

/// The top of an event, or of an object in it that has the same members. They stay raw until they are wanted, so that
/// an odd one spoils nothing.
#[derive(Default)]
struct Top<'a> {
    kind: Option<&'a [u8]>,
    model: Option<&'a [u8]>,
    usage: Option<&'a [u8]>,
    tier: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    choices: Option<&'a [u8]>,
    /// Groq's envelope.
    x_groq: Option<&'a [u8]>,
    /// Anthropic's `message_start`; the text of errors that have no wrapper.
    message: Option<&'a [u8]>,
    content_block: Option<&'a [u8]>,
    /// `error` in errors that have no wrapper (Mistral).
    object: Option<&'a [u8]>,
}

impl<'a> Top<'a> {
    /// `None` when the data is not a JSON object.
    fn of(data: &'a [u8]) -> Option<Self> {
        let mut scanner = Scanner::new(data);
        if scanner.look() != Some(b'{') {
            return None;
        }
        let mut top = Self::default();
        let read = scanner.object(|value, key| {
            let member = match key {
                b"type" => &mut top.kind,
                b"model" => &mut top.model,
                b"usage" => &mut top.usage,
                b"service_tier" => &mut top.tier,
                b"error" => &mut top.error,
                b"choices" => &mut top.choices,
                b"x_groq" => &mut top.x_groq,
                b"message" => &mut top.message,
                b"content_block" => &mut top.content_block,
                b"object" => &mut top.object,
                _ => return value.skip(),
            };
            *member = Some(value.raw()?).filter(|raw| *raw != b"null");
            Ok(())
        });
        (read.is_ok() && scanner.look().is_none()).then_some(top)
    }
}

impl<'a> Sight<'a> {
    /// `None` when the data is not a JSON object.
    pub(super) fn of(data: &'a [u8]) -> Option<Self> {
        if data == b"[DONE]" {
            return Some(Self { finished: true, ..Self::default() });
        }
        let top = Top::of(data)?;
        let mut sight = Self {
            model: top.model,
            usage: top.usage,
            tier: top.tier,
            error: top.error.and_then(problem),
            ..Self::default()
        };
        if top.object == Some(b"\"error\"") {
            sight.error = sight.error.or_else(|| problem(data));
        }
        if let Some(choices) = top.choices {
            // Not the documented shape, but not nothing.
            sight.content |= sight.see_choices(choices).is_err();
        }
        if let Some(groq) = top.x_groq.and_then(Top::of) {
            sight.usage = sight.usage.or(groq.usage);
            sight.error = sight.error.or_else(|| groq.error.and_then(problem));
        }
        if let Some(kind) = top.kind.and_then(text) {
            sight.see_anthropic(&kind, &top);
        }
        Some(sight)
    }

    fn see_choices(&mut self, raw: &'a [u8]) -> Result<(), Broken> {
        let mut choices = Scanner::new(raw);
        opened_by(&mut choices, b'[')?;
        choices.array(|choice| {
            opened_by(choice, b'{')?;
            choice.object(|value, key| self.see_member(value, key))
        })
    }

    fn see_member(&mut self, value: &mut Scanner<'a>, key: &[u8]) -> Result<(), Broken> {
        match key {
            b"delta" if value.look() == Some(b'{') => value.object(|value, key| {
                self.content |= !is_blank(value.raw()?) && key != b"role";
                Ok(())
            }),
            b"delta" if value.raw()? != b"null" => Err(Broken),
            b"delta" => Ok(()),
            // Of completions.
            b"text" => {
                self.content |= !is_blank(value.raw()?);
                Ok(())
            }
            b"finish_reason" => {
                self.see_finish(value.raw()?);
                Ok(())
            }
            // Moonshot's place for usage.
            b"usage" => {
                let usage = Some(value.raw()?).filter(|raw| *raw != b"null");
                self.usage = self.usage.or(usage);
                Ok(())
            }
            _ => value.skip(),
        }
    }

    fn see_finish(&mut self, reason: &[u8]) {
        if is_blank(reason) {
            return;
        }
        self.finished = true;
        if reason == b"\"error\"" && self.error.is_none() {
            let message = "the provider ended its answer with finish_reason error".to_owned();
            self.error = Some(TapError { message, ..TapError::default() });
        }
    }

    fn see_anthropic(&mut self, kind: &str, top: &Top<'a>) {
        match kind {
            "message_start" => {
                let Some(message) = top.message.and_then(Top::of) else { return };
                self.model = message.model;
                self.usage = message.usage;
            }
            "content_block_start" => {
                let block = top.content_block.and_then(|raw| serde_json::from_slice::<Value>(raw).ok());
                self.content = block.is_some_and(|block| !is_empty_start(&block));
            }
            "content_block_delta" | "message_delta" => self.content = true,
            "message_stop" => self.finished = true,
            "error" if self.error.is_none() => {
                self.error = Some(TapError {
                    message: "the provider sent an error".to_owned(),
                    ..TapError::default()
                });
            }
            _ => {}
        }
    }
}

fn opened_by(value: &mut Scanner<'_>, bracket: u8) -> Result<(), Broken> {
    if value.look() == Some(bracket) { Ok(()) } else { Err(Broken) }
}

/// A text or thinking block that opens without any text: the deltas bring it.
fn is_empty_start(block: &Value) -> bool {
    match block["type"].as_str() {
        Some(kind @ ("text" | "thinking")) => block[kind].as_str().is_none_or(str::is_empty),
        _ => false,
    }
}

/// JSON that says nothing.
fn is_blank(raw: &[u8]) -> bool {
    matches!(raw, b"null" | b"\"\"" | b"[]" | b"{}")
}

/// The text of a raw string; `None` for any other value.
pub(super) fn text(raw: &[u8]) -> Option<Cow<'_, str>> {
    Scanner::new(raw).text().ok()?
}

/// An `error` member: an object, or just the text. `None` for `null`, `false`, `""` and the like.
fn problem(raw: &[u8]) -> Option<TapError> {
    let value: Value = serde_json::from_slice(raw).ok()?;
    let word = |name: &str| match value.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match &value {
        Value::String(text) if !text.is_empty() => {
            Some(TapError { message: text.clone(), ..TapError::default() })
        }
        Value::Object(members) if !members.is_empty() => Some(TapError {
            message: word("message").unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned()),
            vendor_type: word("type"),
            code: word("code"),
        }),
        Value::Bool(true) => {
            Some(TapError { message: "the provider sent an error".to_owned(), ..TapError::default() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_events() {
        use FirstEvent::{Content, Error, Undecided};
        let cases: [(&str, FirstEvent); 26] = [
            ("", Undecided),
            (": OPENROUTER PROCESSING\n\n", Undecided),
            ("data: {\"error\":{\"message\":\"x\"}}", Undecided), // the line may go on
            ("data: {\"error\":{\"message\":\"x\"}}\n", Error),
            ("data:{\"error\":\"x\"}\r\n\r\n", Error),
            ("data: {\"error\":null,\"choices\":[]}\n\n", Undecided),
            ("data: {\"object\":\"error\",\"message\":\"x\"}\n\n", Error),
            ("data: {\"x_groq\":{\"error\":\"x\"},\"choices\":[]}\n\n", Error),
            (
                "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}}]}\n\n",
                Undecided,
            ),
            ("data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"a\"}}]}\n\n", Content),
            ("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{}]}}]}\n\n", Content),
            ("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", Content),
            ("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}\n\n", Error),
            ("data: {\"choices\":[{\"text\":\"a\"}]}\n\n", Content),
            ("data: {\"choices\":[{\"delta\":\"a\"}]}\n\n", Content),
            (
                "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\ndata: {\"error\":{\"code\":429}}\n\n",
                Error,
            ),
            ("data: [DONE]\n\n", Content),
            ("data: oops\n\n", Content),
            ("{\"error\":{\"message\":\"not a stream\"}}\n", Error),
            (
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\n",
                Undecided,
            ),
            ("event: ping\ndata: {\"type\": \"ping\"}\n\n", Undecided),
            ("event: error\n", Error),
            ("data: {\"type\":\"error\"}\n", Error),
            (
                "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n",
                Undecided,
            ),
            (
                "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\",\"input\":{}}}\n",
                Content,
            ),
            (
                "data: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n",
                Content,
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(classify_first(bytes.as_bytes()), expected, "{bytes}");
        }
    }

    #[test]
    fn errors_of_all_shapes() {
        let error = |message: &str, vendor_type: Option<&str>, code: Option<&str>| {
            Some(TapError {
                message: message.into(),
                vendor_type: vendor_type.map(Into::into),
                code: code.map(Into::into),
            })
        };
        let cases = [
            (
                r#"{"message":"slow down","type":"rate_limit_error","code":429}"#,
                error("slow down", Some("rate_limit_error"), Some("429")),
            ),
            (r#"{"message":"m","type":null,"code":"c"}"#, error("m", None, Some("c"))),
            (r#"{"detail":1}"#, error(r#"{"detail":1}"#, None, None)),
            (r#""text""#, error("text", None, None)),
            ("true", error("the provider sent an error", None, None)),
            ("{}", None),
            ("\"\"", None),
            ("false", None),
            ("0", None),
        ];
        for (raw, expected) in cases {
            assert_eq!(problem(raw.as_bytes()), expected, "{raw}");
        }
    }
}
