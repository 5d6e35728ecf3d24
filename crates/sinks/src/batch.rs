//! What is sent at once, under a name that is always the same for the same records.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use tidegate_core::clock::rfc3339_text;
use tidegate_records::{RequestRecord, codec};

#[derive(Debug)]
pub(crate) struct Batch {
    /// `20261122T030405Z-9f86d081884c7d65`: when its first record began, and a hash of all of them.
    pub(crate) name: String,
    /// `2026-11-22`, of its first record.
    pub(crate) day: String,
    pub(crate) records: Vec<RequestRecord>,
    /// Records that this binary cannot read.
    pub(crate) unreadable: u64,
}

impl Batch {
    /// Of the payloads of a segment.
    pub(crate) fn of(payloads: &[Vec<u8>]) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut records = Vec::with_capacity(payloads.len());
        for payload in payloads {
            hash.update(payload);
            records.extend(codec::decode(payload).ok());
        }
        let hash = hash.finish();
        let began = rfc3339_text(records.first().map_or(0, |record: &RequestRecord| record.id().unix_ms()));
        // To the second.
        let digits = |c: &char| c.is_ascii_digit() || *c == 'T';
        let mut name: String =
            began.split('.').next().unwrap_or_default().chars().filter(digits).chain(['Z', '-']).collect();
        for byte in hash.as_ref().iter().take(8) {
            let _ = write!(name, "{byte:02x}");
        }
        let unreadable = (payloads.len() - records.len()) as u64;
        Self { name, day: began.chars().take(10).collect(), records, unreadable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(ms: u64, model: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let id = tidegate_records::RecordId::first_of(ms).bits();
        codec::encode(
            &RequestRecord { id, model: model.to_owned().into(), ..RequestRecord::default() },
            &mut bytes,
        );
        bytes
    }

    #[test]
    fn a_name_is_of_what_it_names() {
        let payloads = [payload(1_795_316_645_678, "a"), payload(1_795_316_646_000, "b")];
        let batch = Batch::of(&payloads);
        assert_eq!((batch.day.as_str(), batch.records.len()), ("2026-11-22", 2));
        assert!(batch.name.starts_with("20261122T030405Z-"), "{}", batch.name);
        assert_eq!(batch.name.len(), "20261122T030405Z-".len() + 16);
        assert_eq!(Batch::of(&payloads).name, batch.name);
        assert_ne!(Batch::of(&payloads[..1]).name, batch.name);
        let with_junk = Batch::of(&[payloads[0].clone(), vec![0xff; 9]]);
        assert_eq!((with_junk.records.len(), with_junk.unreadable), (1, 1));
    }
}
