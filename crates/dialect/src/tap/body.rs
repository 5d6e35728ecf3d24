//! A whole JSON answer of any size: the model from its first bytes, the rest from its tail, where both dialects put
//! `usage`. Frames are kept by reference; only a tail that lies in several frames is joined, at the end.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use tidegate_core::Usage;

use super::TapReport;
use super::event::Sight;
use super::scan::Scanner;
use super::usage::{Convention, Counts, tier};

/// Bytes of the tail that are enough to hold a `usage` object and what follows it.
const TAIL: usize = 16 * 1024;

/// Bytes of the beginning in which the model is looked for.
const HEAD: usize = 2 * 1024;

/// Places where `usage` may stand that are tried, from the end.
const CANDIDATES: usize = 8;

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    usage: Finder::new(b"\"usage\""),
    model: Finder::new(b"\"model\""),
    error: Finder::new(b"\"error\""),
});

struct Keys {
    usage: Finder<'static>,
    model: Finder<'static>,
    error: Finder<'static>,
}

#[derive(Debug)]
pub(super) struct BodyTap {
    convention: Convention,
    last: Bytes,
    /// Frames before the last one: with it at least [`TAIL`] bytes, or the whole body, and not a frame more.
    before: VecDeque<Bytes>,
    /// Bytes of all frames that are kept.
    kept: usize,
    /// Frames have been let go.
    cut: bool,
}

impl BodyTap {
    pub(super) fn new(convention: Convention) -> Self {
        Self { convention, last: Bytes::new(), before: VecDeque::new(), kept: 0, cut: false }
    }

    pub(super) fn push(&mut self, bytes: &Bytes, report: &mut TapReport) {
        if bytes.is_empty() {
            return;
        }
        if !report.first_content {
            report.first_content = bytes.iter().any(|byte| !byte.is_ascii_whitespace());
            report.model = model_in(bytes.get(..HEAD).unwrap_or(bytes));
        }
        self.kept += bytes.len();
        let previous = std::mem::replace(&mut self.last, bytes.clone());
        if !previous.is_empty() {
            self.before.push_back(previous);
        }
        while let Some(first) = self.before.front()
            && self.kept - first.len() >= TAIL
        {
            self.kept -= first.len();
            self.before.pop_front();
            self.cut = true;
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.before.iter().chain([&self.last]).map(Bytes::len).sum()
    }

    pub(super) fn end(&mut self, report: &mut TapReport) {
        let body = if self.before.is_empty() {
            Cow::Borrowed(&*self.last)
        } else {
            let frames: Vec<&[u8]> = self.before.iter().chain([&self.last]).map(AsRef::as_ref).collect();
            Cow::Owned(frames.concat())
        };
        let body = body.trim_ascii();
        report.finished = body.ends_with(b"}");
        report.usage = usage_in(body, self.convention);
        report.model = report.model.take().or_else(|| model_in(body));
        // An answer that was counted is none of those errors that come as a success.
        if report.usage.is_none() && !self.cut && body.len() <= TAIL && KEYS.error.find(body).is_some() {
            report.error = Sight::of(body).and_then(|sight| sight.error);
        }
    }
}

/// The last `usage` object among the body's own members. Failing that, where no raw JSON of a user can stand in an
/// answer, the last one anywhere.
fn usage_in(body: &[u8], convention: Convention) -> Option<Usage> {
    let key = &KEYS.usage;
    let mut nested = None;
    let mut before = body;
    for _ in 0..CANDIDATES {
        let Some(at) = last_key(before) else { break };
        before = &body[..at];
        let mut value = Scanner::new(&body[at + key.needle().len()..]);
        if !value.take(b':') || value.look() != Some(b'{') {
            continue;
        }
        let Ok(mut usage) = Counts::new(convention).take(&mut value) else { continue };
        let mut beside = None;
        let closed = value.close_object(|value, key| match key {
            b"service_tier" => {
                beside = tier(value)?;
                Ok(())
            }
            _ => value.skip(),
        });
        if closed.is_ok() && value.look().is_none() {
            if let Some(usage) = &mut usage {
                usage.tier = usage.tier.or(beside);
            }
            return usage;
        }
        nested = nested.or(Some(usage));
    }
    nested.flatten().filter(|_| convention == Convention::OpenAi)
}

/// Where the last `"usage"` begins. By its rarest letter: a search backwards for all of it is a good deal slower.
fn last_key(body: &[u8]) -> Option<usize> {
    let key = KEYS.usage.needle();
    memchr::memrchr_iter(b'g', body).find_map(|at| {
        let start = at.checked_sub(4)?;
        body[start..].starts_with(key).then_some(start)
    })
}

fn model_in(body: &[u8]) -> Option<String> {
    let key = &KEYS.model;
    key.find_iter(body).find_map(|at| {
        let mut value = Scanner::new(&body[at + key.needle().len()..]);
        let name = if value.take(b':') { value.text().ok()? } else { None };
        name.map(Cow::into_owned)
    })
}
