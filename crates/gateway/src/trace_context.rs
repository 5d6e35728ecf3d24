//! Where a request stands in a trace, as its client says it: in headers of the gateway's own, in W3C's `traceparent` and
//! `baggage`, and in the session headers of others. Own headers win.

use http::HeaderValue;
use tidegate_core::id::Hex16;
use tidegate_records::{Span, Text, session};

use crate::headers::GatewayHeaders;

/// What was said. Requests that say nothing of it have none.
#[derive(Debug, Clone, Default)]
pub struct TraceContext {
    pub span: Option<HeaderValue>,
    pub parent: Option<HeaderValue>,
    pub name: Option<HeaderValue>,
    pub session: Option<HeaderValue>,
    /// By another product's header.
    peer_session: Option<HeaderValue>,
    traceparent: Option<HeaderValue>,
    /// More than one is as good as none.
    is_ambiguous: bool,
    baggage: Vec<HeaderValue>,
}

/// A header of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    Traceparent,
    /// Nothing is read of it.
    Tracestate,
    Baggage,
    Session,
}

impl Foreign {
    /// `name` in small letters.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "traceparent" => Some(Self::Traceparent),
            "tracestate" => Some(Self::Tracestate),
            "baggage" => Some(Self::Baggage),
            "helicone-session-id" | "x-litellm-session-id" | "x-claude-code-session-id" => {
                Some(Self::Session)
            }
            _ => None,
        }
    }
}

/// Headers that tell of other services' traces: they are not the provider's business unless the caller says so.
pub const NOT_FOR_PROVIDERS: [&str; 3] = ["traceparent", "tracestate", "baggage"];

impl TraceContext {
    pub fn take(&mut self, header: Foreign, value: &HeaderValue) {
        match header {
            Foreign::Traceparent => {
                self.is_ambiguous |= self.traceparent.replace(value.clone()).is_some();
            }
            Foreign::Tracestate => {}
            Foreign::Baggage => self.baggage.push(value.clone()),
            Foreign::Session => self.peer_session = Some(value.clone()),
        }
    }

    /// Takes trace and parent from `traceparent` where no header of the gateway's own says otherwise.
    pub fn settle(&mut self, trace: &mut Option<HeaderValue>) {
        let value = self.traceparent.take().filter(|_| !self.is_ambiguous);
        let Some(found) = value.as_ref().and_then(|value| Traceparent::parse(value.as_bytes())) else {
            return;
        };
        let named = GatewayHeaders::text(trace.as_ref());
        // A parent is one within its own trace.
        if named.is_some_and(|named| !found.is_trace(named)) {
            return;
        }
        if trace.is_none() {
            *trace = HeaderValue::from_bytes(found.trace).ok();
        }
        if self.parent.is_none() {
            self.parent = HeaderValue::from_bytes(found.parent).ok();
        }
    }

    /// Adds what baggage says to what metadata says already.
    pub fn add_baggage(&self, metadata: &mut Vec<(Text, Text)>) {
        /// As the reference cuts metadata.
        const LONGEST: usize = 128;
        for (name, value) in self.members() {
            if !session::NAMES.contains(&name) && metadata.iter().all(|(known, _)| known != name) {
                let value: String = value.chars().take(LONGEST).collect();
                metadata.push((Text::new(name), Text::new(&value)));
            }
        }
    }

    /// Names and values of baggage.
    fn members(&self) -> impl Iterator<Item = (&str, String)> {
        /// As W3C has it.
        const MOST: usize = 64;
        let texts = self.baggage.iter().filter_map(|value| GatewayHeaders::text(Some(value)));
        let members = texts.flat_map(|text| text.split(',')).take(MOST);
        members.filter_map(|member| {
            // Properties of a member follow a semicolon.
            let (name, value) = member.split(';').next()?.split_once('=')?;
            let name = name.trim();
            (!name.is_empty()).then(|| (name, decoded(value.trim())))
        })
    }

    fn session(&self, metadata: &[(Text, Text)]) -> Option<Text> {
        let said = |value: &Option<HeaderValue>| {
            GatewayHeaders::text(value.as_ref()).filter(|text| session::is_one(text)).map(Text::new)
        };
        said(&self.session)
            .or_else(|| said(&self.peer_session))
            .or_else(|| session::of_metadata(metadata).map(Text::new))
            .or_else(|| {
                let found = self
                    .members()
                    .find(|(name, value)| session::NAMES.contains(name) && session::is_one(value));
                found.map(|(_, value)| Text::new(&value))
            })
    }
}

/// The span of a request in its trace; its id is made where the client gave none.
pub fn span(context: Option<&TraceContext>, trace: &str) -> Span {
    let said =
        |value: Option<&HeaderValue>| GatewayHeaders::text(value).map_or_else(Text::default, Text::new);
    let own = context.and_then(|context| GatewayHeaders::text(context.span.as_ref()));
    Span {
        trace: Text::new(trace),
        span: own.map_or_else(|| Text::of(&Hex16::new()), Text::new),
        parent: said(context.and_then(|context| context.parent.as_ref())),
        name: said(context.and_then(|context| context.name.as_ref())),
    }
}

/// The session of a request: of a header, of its metadata, of baggage. Empty where nobody names one.
pub fn session_of(context: Option<&TraceContext>, metadata: &[(Text, Text)]) -> Text {
    let session = match context {
        Some(context) => context.session(metadata),
        None => session::of_metadata(metadata).map(Text::new),
    };
    session.unwrap_or_default()
}

/// W3C Trace Context, level 1: `00-<32 hexadecimal digits>-<16>-<2>`, in small letters.
#[derive(Debug, PartialEq, Eq)]
struct Traceparent<'a> {
    trace: &'a [u8],
    parent: &'a [u8],
}

impl<'a> Traceparent<'a> {
    /// `None`: not what the recommendation says, and so as if it were not there.
    fn parse(text: &'a [u8]) -> Option<Self> {
        /// Of version 00. A later one may go on behind another dash.
        const LENGTH: usize = 55;
        let is_hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_something = |part: &[u8]| part.iter().any(|byte| *byte != b'0');
        let (head, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = head.split(|byte| *byte == b'-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_form = (version.len(), trace.len(), parent.len(), flags.len()) == (2, 32, 16, 2)
            && [version, trace, parent, flags].into_iter().all(is_hex);
        let is_end = rest.is_empty() || (version != b"00" && rest[0] == b'-');
        let found = is_form && is_end && version != b"ff" && is_something(trace) && is_something(parent);
        found.then_some(Self { trace, parent })
    }

    /// Whether it is of the trace of this name: its digits, or the same as a UUID.
    fn is_trace(&self, name: &str) -> bool {
        let digits = name.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_lowercase());
        digits.eq(self.trace.iter().copied())
    }
}

/// `%20` and the like; what is no such code stays.
fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        let code = more.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &more[2..];
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[path = "trace_context_tests.rs"]
mod tests;
