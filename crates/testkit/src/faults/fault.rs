//! The names of the faults.

use std::fmt;
use std::str::FromStr;

/// One way to go wrong. N, MS, S, MB are the numbers after the colon; each has a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `ok`: a proper answer.
    Fine,
    /// `status:N`: an error answer with that status, 200 to 599 (500).
    Status(u16),
    /// `retry-after:S`: 429 with `retry-after` in seconds (1).
    RetryAfter(u64),
    /// `retry-after-ms:MS`: 429 with `retry-after-ms` (10).
    RetryAfterMs(u64),
    /// `retry-after-date:S`: 429 with `retry-after` as a date S seconds from now (2).
    RetryAfterDate(u64),
    /// `reset`: the connection is reset instead of an answer.
    Reset,
    /// `close`: the connection is closed instead of an answer.
    Close,
    /// `reset-after-head`: reset once the head is sent.
    ResetAfterHead,
    /// `reset-mid:N`: reset after N events (2) of a stream, or half of a body.
    ResetMid(usize),
    /// `close-mid:N`: closed after N events (2), with no last chunk; or after half of a body.
    CloseMid(usize),
    /// `end-mid:N`: a proper end of the body after N events (2), without the events that end a stream in its dialect.
    EndMid(usize),
    /// `stall`: no answer, ever.
    Stall,
    /// `stall-after-head`: nothing after the head.
    StallAfterHead,
    /// `stall-mid:N`: nothing after N events (2), or half of a body.
    StallMid(usize),
    /// `drip:MS`: one byte every MS milliseconds (1), head included.
    Drip(u64),
    /// `split`: every byte a write of its own, without waiting.
    Split,
    /// `short-body`: ten bytes fewer than the content length says.
    ShortBody,
    /// `until-close`: no length and no chunks; the body ends with the connection.
    UntilClose,
    /// `invalid-json`: a body, or the second event, that is not JSON.
    InvalidJson,
    /// `invalid-utf8`: a text, in a stream that of the second event, with bytes that are not UTF-8.
    InvalidUtf8,
    /// `crlf`: a stream whose lines end in CR LF.
    Crlf,
    /// `cr`: a stream whose lines end in CR.
    Cr,
    /// `huge:MB`: one event, or a body, with a text of that many megabytes (8).
    Huge(usize),
    /// `error-first`: 200, and the first event, or the body, is an error.
    ErrorFirst,
    /// `error-mid:N`: 200, and after N events (2) comes an error, and the end.
    ErrorMid(usize),
    /// `informational`: 100 and 103 before the answer.
    Informational,
    /// `early-close`: closed once the head of the request is read. By path only.
    EarlyClose,
    /// `early-answer`: 413 and the end once the head of the request is read. By path only.
    EarlyAnswer,
    /// `html`: 200 with a page.
    Html,
    /// `json-for-stream`: a whole answer though a stream was asked for.
    JsonForStream,
    /// `gzip`: compressed, a stream too.
    Gzip,
    /// `trailers`: chunks with a trailer after them.
    Trailers,
    /// `endless`: a stream that does not end, as fast as it is read.
    Endless,
    /// `stale`: the first request of a connection is answered; at the second one the connection is closed.
    Stale,
}

/// Names and the faults they stand for, with their default arguments.
const TABLE: &[(&str, Fault)] = &[
    ("ok", Fault::Fine),
    ("status", Fault::Status(500)),
    ("retry-after", Fault::RetryAfter(1)),
    ("retry-after-ms", Fault::RetryAfterMs(10)),
    ("retry-after-date", Fault::RetryAfterDate(2)),
    ("reset", Fault::Reset),
    ("close", Fault::Close),
    ("reset-after-head", Fault::ResetAfterHead),
    ("reset-mid", Fault::ResetMid(2)),
    ("close-mid", Fault::CloseMid(2)),
    ("end-mid", Fault::EndMid(2)),
    ("stall", Fault::Stall),
    ("stall-after-head", Fault::StallAfterHead),
    ("stall-mid", Fault::StallMid(2)),
    ("drip", Fault::Drip(1)),
    ("split", Fault::Split),
    ("short-body", Fault::ShortBody),
    ("until-close", Fault::UntilClose),
    ("invalid-json", Fault::InvalidJson),
    ("invalid-utf8", Fault::InvalidUtf8),
    ("crlf", Fault::Crlf),
    ("cr", Fault::Cr),
    ("huge", Fault::Huge(8)),
    ("error-first", Fault::ErrorFirst),
    ("error-mid", Fault::ErrorMid(2)),
    ("informational", Fault::Informational),
    ("early-close", Fault::EarlyClose),
    ("early-answer", Fault::EarlyAnswer),
    ("html", Fault::Html),
    ("json-for-stream", Fault::JsonForStream),
    ("gzip", Fault::Gzip),
    ("trailers", Fault::Trailers),
    ("endless", Fault::Endless),
    ("stale", Fault::Stale),
];

impl Fault {
    /// Every fault, with its default argument.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(_, fault)| *fault)
    }

    fn name(self) -> &'static str {
        let same = |other: Self| std::mem::discriminant(&other) == std::mem::discriminant(&self);
        TABLE.iter().find(|(_, fault)| same(*fault)).map_or("", |(name, _)| name)
    }

    /// The number after the colon, for faults that have one.
    fn argument(self) -> Option<u64> {
        match self {
            Self::Status(n) => Some(u64::from(n)),
            Self::RetryAfter(n) | Self::RetryAfterMs(n) | Self::RetryAfterDate(n) | Self::Drip(n) => Some(n),
            Self::ResetMid(n)
            | Self::CloseMid(n)
            | Self::EndMid(n)
            | Self::StallMid(n)
            | Self::ErrorMid(n)
            | Self::Huge(n) => Some(n as u64),
            _ => None,
        }
    }

    /// The same fault with another number, if it has one and the number fits.
    fn with(self, n: u64) -> Option<Self> {
        let count = || usize::try_from(n).ok();
        match self {
            Self::Status(_) => u16::try_from(n).ok().filter(|n| (200..=599).contains(n)).map(Self::Status),
            Self::RetryAfter(_) => Some(Self::RetryAfter(n)),
            Self::RetryAfterMs(_) => Some(Self::RetryAfterMs(n)),
            Self::RetryAfterDate(_) => Some(Self::RetryAfterDate(n)),
            Self::Drip(_) => Some(Self::Drip(n)),
            Self::ResetMid(_) => count().map(Self::ResetMid),
            Self::CloseMid(_) => count().map(Self::CloseMid),
            Self::EndMid(_) => count().map(Self::EndMid),
            Self::StallMid(_) => count().map(Self::StallMid),
            Self::ErrorMid(_) => count().map(Self::ErrorMid),
            Self::Huge(_) => count().filter(|n| *n <= 1_024).map(Self::Huge),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.argument() {
            Some(n) => write!(f, "{}:{n}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

impl FromStr for Fault {
    /// What to say to the one who misspelt it.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, argument) = text.split_once(':').map_or((text, None), |(name, n)| (name, Some(n)));
        let (_, fault) = TABLE.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let names: Vec<_> = TABLE.iter().map(|(name, _)| *name).collect();
            format!("no fault is named '{name}'; there are {}", names.join(", "))
        })?;
        match argument {
            None => Ok(*fault),
            Some(n) => n
                .parse()
                .ok()
                .and_then(|n| fault.with(n))
                .ok_or_else(|| format!("'{n}' is no argument for the fault '{name}'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for fault in Fault::all() {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
        for (text, expected) in [
            ("close-mid:5", Fault::CloseMid(5)),
            ("drip", Fault::Drip(1)),
            ("status:529", Fault::Status(529)),
        ] {
            assert_eq!(text.parse(), Ok(expected));
        }
        for text in ["nope", "status:5", "status:x", "reset:1", "huge:5000", ""] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
