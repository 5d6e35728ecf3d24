//! A stream of server-sent events, line by line: which lines are worth reading, and what they add to the report.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr2, memrchr2};

use super::TapReport;
use super::event::{Sight, data_of, text};
use super::scan::Scanner;
use super::usage::{Convention, Counts, tier};

/// A longer line is passed over: its beginning is not kept.
const MAX_LINE: usize = 256 * 1024;

static NEEDLES: LazyLock<Needles> = LazyLock::new(|| Needles {
    usage: Finder::new(b"\"usage\""),
    finish: Finder::new(b"\"finish_reason\""),
    error: Finder::new(b"\"error\""),
    done: Finder::new(b"[DONE]"),
    stop: Finder::new(b"message_stop"),
});

/// The words without which a line need not be read once the answer has begun.
struct Needles {
    usage: Finder<'static>,
    finish: Finder<'static>,
    error: Finder<'static>,
    done: Finder<'static>,
    stop: Finder<'static>,
}

#[derive(Debug)]
pub(super) struct StreamTap {
    convention: Convention,
    counts: Counts,
    /// The beginning of a line whose end has not come.
    carry: Vec<u8>,
    /// The line under way is too long to be kept.
    skipping: bool,
}

impl StreamTap {
    pub(super) fn new(convention: Convention) -> Self {
        Self { convention, counts: Counts::new(convention), carry: Vec::new(), skipping: false }
    }

    pub(super) fn push(&mut self, bytes: &[u8], report: &mut TapReport) {
        let mut rest = bytes;
        if !self.carry.is_empty() || self.skipping {
            let Some(end) = memchr2(b'\n', b'\r', rest) else { return self.keep(rest) };
            self.keep(&rest[..end]);
            rest = &rest[end..];
            self.read_carried(report);
        }
        let whole = match rest {
            [.., b'\n'] => rest.len(),
            _ => memrchr2(b'\n', b'\r', rest).map_or(0, |last| last + 1),
        };
        if !report.first_content || may_matter(&rest[..whole]) {
            self.read_lines(&rest[..whole], report);
        }
        self.keep(&rest[whole..]);
    }

    /// A last line may lack its end.
    pub(super) fn end(&mut self, report: &mut TapReport) {
        self.read_carried(report);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping || self.carry.len() + bytes.len() > MAX_LINE {
            self.skipping = true;
            self.carry = Vec::new();
        } else {
            self.carry.extend_from_slice(bytes);
        }
    }

    fn read_carried(&mut self, report: &mut TapReport) {
        let line = std::mem::take(&mut self.carry);
        if std::mem::take(&mut self.skipping) {
            report.first_content = true;
        } else {
            self.read_lines(&line, report);
        }
    }

    /// Reads lines that are whole.
    fn read_lines(&mut self, lines: &[u8], report: &mut TapReport) {
        let mut rest = lines;
        while !rest.is_empty() {
            let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            if let Some(data) = data_of(line)
                && (!report.first_content || self.matters(data))
            {
                self.read_event(data, report);
            }
        }
    }

    /// Whether any of the words that matter stands in `bytes`, as a member with a value where it is one.
    fn matters(&self, bytes: &[u8]) -> bool {
        let needles = &*NEEDLES;
        let ends = match self.convention {
            Convention::OpenAi => needles.done.find(bytes).is_some() || has_value(bytes, &needles.finish),
            Convention::Anthropic => needles.stop.find(bytes).is_some(),
        };
        ends || has_value(bytes, &needles.usage) || has_value(bytes, &needles.error)
    }

    fn read_event(&mut self, data: &[u8], report: &mut TapReport) {
        let Some(sight) = Sight::of(data) else { return };
        if report.model.is_none() {
            report.model = sight.model.and_then(text).map(Cow::into_owned);
        }
        if let Some(mut usage) = sight.usage.and_then(|raw| self.counts.take(&mut Scanner::new(raw)).ok()?) {
            // It stands beside the usage, in the same event.
            usage.tier = usage.tier.or_else(|| tier(&mut Scanner::new(sight.tier?)).ok()?);
            report.usage = Some(usage);
        }
        report.finished |= sight.finished;
        report.first_content |= sight.content;
        if report.error.is_none() {
            report.error = sight.error;
        }
    }
}

/// A first look at lines with their ends, several times as fast as [`StreamTap::matters`]: `false` when none of the words
/// stands in them, or only before `null`. Nearly all chunks of a stream are done with here.
fn may_matter(lines: &[u8]) -> bool {
    const STEP: usize = 16;
    const BLOCK: usize = STEP + 5;
    let Some(last) = lines.len().checked_sub(BLOCK) else { return true };
    let mut found = [0u8; STEP];
    let mut from = 0;
    // Without a branch, so that it is done in vectors. The last block overlaps the one before it.
    while let Some(block) = lines[from.min(last)..].first_chunk::<BLOCK>() {
        for at in 0..STEP {
            // `g?"` and `o?"` end `"usage"`, `"finish_reason"`, `"error"` and `"message_stop"`; `O?E` is in `[DONE]`.
            let word = (block[at] & !0x28 == b'G') & ((block[at + 2] == b'"') | (block[at + 2] == b'E'));
            // A value that begins with `n` can only be `null`.
            let null = (block[at + 4] == b'n') | ((block[at + 4] == b' ') & (block[at + 5] == b'n'));
            found[at] |= u8::from(word & !null);
        }
        if from >= last {
            break;
        }
        from += STEP;
    }
    // Where a word is the last one, too little follows it for a block.
    found != [0; STEP] || matches!(lines, [.., b'o' | b'O', _, b'"' | b'E', _, _])
}

/// Whether `key` (with its quotes) occurs with a value other than `null`. Providers repeat `"usage":null` and
/// `"finish_reason":null` in each chunk.
fn has_value(bytes: &[u8], key: &Finder<'_>) -> bool {
    key.find_iter(bytes).any(|at| {
        let after = bytes[at + key.needle().len()..].trim_ascii_start();
        // No colon: the word is a value, such as the type of an Anthropic error, which is reason enough to look.
        let value = after.strip_prefix(b":").unwrap_or(after).trim_ascii_start();
        !value.starts_with(b"null")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 8] = [
        "\"usage\":{\"a\":1}}",
        "\"usage\" : {}}",
        "\"finish_reason\":\"n\"}",
        "\"finish_reason\": \"null\"}",
        "\"error\":\"no\"}",
        "\"type\":\"error\"}",
        "\"type\":\"message_stop\"}",
        "[DONE]",
    ];

    #[test]
    fn the_first_look_passes_over_nothing_that_matters() {
        for before in 0..40 {
            for after in 0..40 {
                for word in WORDS {
                    let lines = format!("{}{word}\n{}", "x".repeat(before), "y\n".repeat(after));
                    assert!(may_matter(lines.as_bytes()), "{lines}");
                }
            }
        }
        let chunk = "data: {\"choices\":[{\"delta\":{\"content\":\"so\"},\"finish_reason\":null}],\"usage\":null}\n\n";
        assert!(!may_matter(chunk.as_bytes()));
        assert!(!may_matter(chunk.replace("\":", "\": ").as_bytes()));
    }
}
