//! Reads an answer on the side while its bytes pass to the client untouched: what it used, which model gave it, whether
//! it came to its end, and an error inside it.
//!
//! Chunks are first searched for the few words that matter; JSON is read only where one is found. Of a stream at most
//! one unfinished line is kept, of a whole body its tail. An event whose data is spread over several `data:` lines is
//! not read: neither dialect sends one.

mod body;
mod event;
mod scan;
mod stream;
mod usage;

use bytes::Bytes;
use tidegate_core::Usage;

pub use event::{FirstEvent, classify_first};

use body::BodyTap;
use stream::StreamTap;
use usage::Convention;

/// What kind of answer passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TapKind {
    /// Server-sent events of chat completions or completions.
    OpenAiStream,
    /// Server-sent events of messages.
    AnthropicStream,
    /// One JSON object: chat completion, completion, embeddings.
    OpenAiBody,
    /// One JSON object: a message.
    AnthropicBody,
    /// Anything else: nothing is read, and it is finished when it ends.
    None,
}

/// What was seen so far; complete after [`Tap::end`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TapReport {
    pub usage: Option<Usage>,
    /// The model the answer names.
    pub model: Option<String>,
    /// The answer is complete: `[DONE]`, a finish reason or `message_stop` in a stream, a closed object in a body. A
    /// stream that ends without it was cut.
    pub finished: bool,
    /// An error in place of the answer, or in the middle of a stream.
    pub error: Option<TapError>,
    /// Something of the answer itself has come: text, a tool call, a finish; not only a role or a ping.
    pub first_content: bool,
}

/// An error inside an answer whose status said success.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TapError {
    /// The provider's text, or the raw JSON where it has none.
    pub message: String,
    /// `type`, in the provider's words (`overloaded_error`).
    pub vendor_type: Option<String>,
    /// `code`; a number as its digits.
    pub code: Option<String>,
}

/// Holds what it needs of one answer; made per answer.
#[derive(Debug)]
pub struct Tap {
    reader: Reader,
    report: TapReport,
}

#[derive(Debug)]
enum Reader {
    Stream(StreamTap),
    Body(BodyTap),
    /// Nothing is read of this answer.
    None,
    Ended,
}

impl Tap {
    pub fn new(kind: TapKind) -> Self {
        let reader = match kind {
            TapKind::OpenAiStream => Reader::Stream(StreamTap::new(Convention::OpenAi)),
            TapKind::AnthropicStream => Reader::Stream(StreamTap::new(Convention::Anthropic)),
            TapKind::OpenAiBody => Reader::Body(BodyTap::new(Convention::OpenAi)),
            TapKind::AnthropicBody => Reader::Body(BodyTap::new(Convention::Anthropic)),
            TapKind::None => Reader::None,
        };
        Self { reader, report: TapReport::default() }
    }

    /// Takes the next bytes of the answer, cut anywhere. A body's last frames are kept by reference, not copied.
    pub fn push(&mut self, bytes: &Bytes) {
        match &mut self.reader {
            Reader::Stream(stream) => stream.push(bytes, &mut self.report),
            Reader::Body(body) => body.push(bytes, &mut self.report),
            Reader::None => self.report.first_content |= !bytes.is_empty(),
            Reader::Ended => {}
        }
    }

    /// The answer ended, cleanly or not. Calling it again changes nothing.
    pub fn end(&mut self) {
        match &mut self.reader {
            Reader::Stream(stream) => stream.end(&mut self.report),
            Reader::Body(body) => body.end(&mut self.report),
            Reader::None => self.report.finished = true,
            Reader::Ended => return,
        }
        self.reader = Reader::Ended;
    }

    pub fn report(&self) -> &TapReport {
        &self.report
    }
}

#[cfg(test)]
mod tests;
