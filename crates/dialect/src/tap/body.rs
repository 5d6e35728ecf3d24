//! A whole JSON answer of any size: the model from its first bytes, the rest from its tail, where both dialects put
//! `usage`. Frames are kept by reference; only a tail that lies in several frames is joined, at the end.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;
use memchr::memmem;
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::TapReport;
use super::event::Sight;
use super::usage::{Convention, Counts};
use crate::peek::{PeekLimits, peek};

/// Bytes of the tail that are enough to hold a `usage` object and what follows it.
const TAIL: usize = 16 * 1024;

/// Bytes of the beginning in which the model is looked for.
const HEAD: usize = 2 * 1024;

/// Places where `usage` may stand that are tried, from the end.
const CANDIDATES: usize = 8;

const USAGE: &[u8] = b"\"usage\"";
const MODEL: &[u8] = b"\"model\"";

#[derive(Debug)]
pub(super) struct BodyTap {
    convention: Convention,
    /// The last frames: together at least [`TAIL`] bytes, or the whole body, and not a frame more.
    tail: VecDeque<Bytes>,
    tail_len: usize,
    /// Frames have been let go.
    cut: bool,
}

impl BodyTap {
    pub(super) fn new(convention: Convention) -> Self {
        Self { convention, tail: VecDeque::new(), tail_len: 0, cut: false }
    }

    pub(super) fn push(&mut self, bytes: &Bytes, report: &mut TapReport) {
        if bytes.is_empty() {
            return;
        }
        if !report.first_content {
            report.first_content = bytes.iter().any(|byte| !byte.is_ascii_whitespace());
            report.model = model_in(bytes.get(..HEAD).unwrap_or(bytes));
        }
        self.tail_len += bytes.len();
        self.tail.push_back(bytes.clone());
        while let Some(first) = self.tail.front()
            && self.tail_len - first.len() >= TAIL
        {
            self.tail_len -= first.len();
            self.tail.pop_front();
            self.cut = true;
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.tail.iter().map(Bytes::len).sum()
    }

    pub(super) fn end(mut self, report: &mut TapReport) {
        let body = match self.tail.make_contiguous() {
            [only] => Cow::Borrowed(&**only),
            frames => Cow::Owned(frames.concat()),
        };
        let body = body.trim_ascii();
        report.finished = body.ends_with(b"}");
        report.usage = usage_in(body, self.convention).and_then(|raw| Counts::new(self.convention).take(raw));
        report.model = report.model.take().or_else(|| model_in(body));
        if !self.cut && body.len() <= TAIL && memmem::find(body, b"\"error\"").is_some() {
            report.error = Sight::of(body).and_then(|sight| sight.error);
        }
    }
}

/// The last `usage` object among the body's own members. Failing that, where no raw JSON of a user can stand in an
/// answer, the last one anywhere.
fn usage_in(body: &[u8], convention: Convention) -> Option<&str> {
    let mut nested = None;
    for at in memmem::rfind_iter(body, USAGE).take(CANDIDATES) {
        let Some(value) = value_after(&body[at + USAGE.len()..]).filter(|value| value.starts_with(b"{"))
        else {
            continue;
        };
        let mut values = Deserializer::from_slice(value).into_iter::<&RawValue>();
        let Some(Ok(usage)) = values.next() else { continue };
        if closes_the_body(&value[values.byte_offset()..]) {
            return Some(usage.get());
        }
        nested = nested.or(Some(usage.get()));
    }
    nested.filter(|_| convention == Convention::OpenAi)
}

/// Whether what follows a member's value is the rest of the outermost object: then it is one when a member is put
/// before it.
fn closes_the_body(rest: &[u8]) -> bool {
    peek(&[b"{\"usage\":0".as_slice(), rest], PeekLimits::default()).is_ok()
}

fn model_in(body: &[u8]) -> Option<String> {
    memmem::find_iter(body, MODEL).find_map(|at| {
        let value = value_after(&body[at + MODEL.len()..])?;
        Deserializer::from_slice(value).into_iter().next()?.ok()
    })
}

/// What stands behind the colon that follows a key.
fn value_after(key_end: &[u8]) -> Option<&[u8]> {
    key_end.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start)
}
