//! Which bodies are kept.

use super::JsonPath;
use crate::record::RequestRecord;

/// Whose bodies are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Keep {
    All,
    #[default]
    None,
    /// Of requests that failed, see [`RequestRecord::is_error`].
    Errors,
    /// Of so many requests in a million, chosen by trace id, so that a trace is kept whole or not at all; without a trace
    /// by record id. Errors are not an exception.
    Sampled(u32),
}

#[derive(Debug, Clone)]
pub struct Policy {
    pub keep: Keep,
    /// Bytes kept of each body, before compression.
    pub most_bytes: u64,
    /// Names of headers whose value is taken out, beside those that hold credentials. Case does not matter.
    pub headers: Vec<String>,
    /// Members of JSON bodies that are taken out, beside those named like credentials.
    pub paths: Vec<JsonPath>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { keep: Keep::None, most_bytes: 256 << 10, headers: Vec::new(), paths: Vec::new() }
    }
}

impl Keep {
    /// Whether bodies have to be collected at all.
    pub fn may_keep(self) -> bool {
        !matches!(self, Self::None | Self::Sampled(0))
    }

    /// Whether the bodies of this request are kept, when it has ended.
    pub fn wants(self, record: &RequestRecord) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Errors => record.is_error(),
            Self::Sampled(in_million) => share(record) < u64::from(in_million),
        }
    }
}

impl Policy {
    /// [`Keep::may_keep`] of those who say nothing else.
    pub fn may_keep(&self) -> bool {
        self.keep.may_keep()
    }

    /// [`Keep::wants`] of those who say nothing else.
    pub fn wants(&self, record: &RequestRecord) -> bool {
        self.keep.wants(record)
    }
}

/// A number below a million that depends on the trace only, the same in every process and version.
fn share(record: &RequestRecord) -> u64 {
    let own = record.id.to_be_bytes();
    let bytes = if record.span.trace.is_empty() { &own[..] } else { record.span.trace.as_bytes() };
    // FNV-1a, with its bits mixed once more: its high bits alone change little for ids that differ in the last digit.
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((mixed >> 32) * 1_000_000) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Span;

    fn record(trace: &str) -> RequestRecord {
        RequestRecord {
            span: Span { trace: trace.to_owned().into(), ..Span::default() },
            ..RequestRecord::default()
        }
    }

    #[test]
    fn sampling_follows_the_trace_and_its_share() {
        let policy = |in_million| Policy { keep: Keep::Sampled(in_million), ..Policy::default() };
        let kept = (0..20_000).filter(|i| policy(100_000).wants(&record(&format!("trace-{i}")))).count();
        assert!((1_800..2_200).contains(&kept), "{kept}");
        for i in 0..1_000 {
            let record = record(&format!("{i:032x}"));
            assert!(!policy(0).wants(&record) && policy(1_000_000).wants(&record));
            // A larger share keeps what a smaller one kept.
            assert!(!policy(1_000).wants(&record) || policy(50_000).wants(&record));
        }
        let by_id = (0..10_000)
            .filter(|id| policy(500_000).wants(&RequestRecord { id: id << 10, ..record("") }))
            .count();
        assert!((4_700..5_300).contains(&by_id), "{by_id}");
    }

    #[test]
    fn errors_are_bad_statuses_and_bad_ends() {
        let policy = Policy { keep: Keep::Errors, ..Policy::default() };
        for (status, end, wanted) in [
            (200, "ok", false),
            (200, "", false),
            (200, "client_gone", false),
            (200, "upstream_cut", true),
            (200, "stalled", true),
            (400, "ok", true),
            (503, "ok", true),
        ] {
            let record = RequestRecord { status, end: end.into(), ..RequestRecord::default() };
            assert_eq!(policy.wants(&record), wanted, "{status} {end}");
        }
        assert!(policy.may_keep());
        assert!(!Policy::default().may_keep() && !Policy::default().wants(&record("x")));
    }
}
