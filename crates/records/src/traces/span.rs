//! A span that a program told of: a step of an agent, a tool, a chain, a call of a model that did not come this way.

use crate::codec::{self, DecodeError, fields};
use crate::id::RecordId;
use crate::text::Text;

/// Text is empty where there is none; times are microseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToldSpan {
    /// [`told_id`] of its place, trace and span.
    pub id: u64,
    pub organisation: Text,
    pub workspace: Text,
    pub trace: Text,
    pub span: Text,
    /// Empty for a root.
    pub parent: Text,
    pub name: Text,
    /// As its sender calls it: `chain`, `tool`, `execute_tool`, `server`, …
    pub kind: Text,
    /// Since 1970.
    pub start_us: u64,
    pub duration_us: u64,
    pub is_error: bool,
    pub status: Option<u16>,
    /// Why it failed.
    pub reason: Text,
    pub provider: Text,
    pub model: Text,
    pub user: Text,
    pub session: Text,
    /// The person whom the API key was made for; empty for keys of services.
    pub key_owner: Text,
    /// `log` or `otlp`.
    pub source: Text,
    /// It was a call of a model: the record with the same id has its tokens and its cost.
    pub has_record: bool,
    /// A JSON object, bounded.
    pub attributes: Text,
    /// A JSON object with `input` and `output`, for those who may see bodies; empty where none are kept.
    pub content: Text,
    pub metadata: Vec<(Text, Text)>,
}

// The numbers are the format: one that was given is never used for anything else, and a field's kind never changes.
fields!(ToldSpan {
    1 id, 2 organisation, 3 workspace, 4 trace, 5 span, 6 parent, 7 name, 8 kind, 9 start_us, 10 duration_us, 11 is_error,
    12 status, 13 reason, 14 provider, 15 model, 16 user, 17 session, 18 key_owner, 19 source, 20 has_record,
    21 attributes, 22 content, 23 metadata,
});

impl ToldSpan {
    pub fn id(&self) -> RecordId {
        RecordId::from_bits(self.id)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        codec::encode_message(self, &mut out);
        out
    }

    /// # Errors
    /// The bytes are no span, or of a version that this binary does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode_message(bytes)
    }
}

/// The id of what is told: from its start and its names, so that what is told twice (exporters try again) is there once.
/// Of the same millisecond two in four million meet: who tells several at once gives the later one the next id, and of those
/// that are told apart the second is counted as a clash.
pub fn told_id(start_ms: u64, workspace: &str, trace: &str, span: &str) -> RecordId {
    const LOW: u64 = (1 << 22) - 1;
    let names = [workspace, "\0", trace, "\0", span];
    // FNV-1a, with its bits mixed once more.
    let hash = names
        .iter()
        .flat_map(|name| name.bytes())
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    RecordId::from_bits(RecordId::first_of(start_ms).bits() | (mixed >> 40) & LOW)
}

/// The span of an attempt of a request, from 1: 16 hexadecimal digits, the same whenever it is read or exported.
pub fn attempt_span(record: u64, number: u32) -> String {
    let mixed = (record ^ u64::from(number).rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    format!("{:016x}", mixed ^ mixed >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_time_and_the_same_again() {
        let at = 1_790_000_000_123;
        let id = told_id(at, "w", "t", "s");
        assert_eq!((id.unix_ms(), id), (at, told_id(at, "w", "t", "s")));
        let mut others: Vec<_> = (0..2_000).map(|i| told_id(at, "w", "t", &format!("{i:x}"))).collect();
        others.sort_unstable();
        others.dedup();
        assert!(others.len() > 1_995, "{}", others.len());
        assert_ne!(told_id(at, "w", "ts", ""), told_id(at, "w", "t", "s"));
    }

    #[test]
    fn a_span_reads_back() {
        let span = ToldSpan {
            id: 7,
            name: "tool".into(),
            status: Some(500),
            has_record: true,
            metadata: vec![("a".into(), "b".into())],
            ..ToldSpan::default()
        };
        assert_eq!(ToldSpan::decode(&span.encode()), Ok(span));
        assert!(ToldSpan::decode(b"").is_err());
    }
}
