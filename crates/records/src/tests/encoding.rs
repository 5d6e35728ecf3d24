//! What was written once can be read for ever.

use tidegate_core::{ServiceTier, Usage};

use super::support::full;
use crate::codec::{DecodeError, Malformed, decode, encode};
use crate::{Attempt, Facts, RequestRecord, Text};

/// The full record as the first version wrote it.
const VERSION_1: &[u8] = include_bytes!("full-v1.bin");

/// The full record without the members that came later.
fn first() -> RequestRecord {
    let mut first = full();
    first.who.key_owner = Text::default();
    first.attempts[0].url = Text::default();
    first.usage.as_mut().unwrap().tier = None;
    RequestRecord { limit_outcome: Text::default(), private: false, source: Text::default(), ..first }
}

fn bytes(record: &RequestRecord) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(record, &mut bytes);
    bytes
}

#[test]
fn stored_bytes_of_version_1_are_read() {
    assert_eq!(decode(VERSION_1).unwrap(), first());
    // And are what is written: a binary of that version reads ours.
    assert_eq!(bytes(&first()), VERSION_1);
}

#[test]
fn every_member_survives() {
    for record in [
        RequestRecord::default(),
        full(),
        RequestRecord { usage: Some(Usage::default()), ..RequestRecord::default() },
        RequestRecord {
            usage: Some(Usage { tier: Some(ServiceTier::Standard), ..Usage::default() }),
            ..RequestRecord::default()
        },
        RequestRecord { attempts: vec![Attempt::default(); 3], ..RequestRecord::default() },
        RequestRecord {
            who: crate::Who {
                metadata: vec![("n".repeat(300).into(), "v".repeat(70_000).into())],
                ..Default::default()
            },
            ..full()
        },
    ] {
        assert_eq!(decode(&bytes(&record)).unwrap(), record);
    }
}

#[test]
fn fields_of_a_newer_binary_are_passed_over() {
    let mut newer = bytes(&full());
    for number in [900u32, 500, 1 << 20] {
        for (kind, value) in [(0, &[0x96, 0x01][..]), (1, b"\x03new"), (2, b"\x02\0\0\0\x04\x05")] {
            crate::codec::varint(u64::from(number << 2 | kind), &mut newer);
            newer.extend_from_slice(value);
        }
    }
    assert_eq!(decode(&newer).unwrap(), full());
    // Inside a group: a record whose `who` has an unknown number.
    let mut nested = vec![1, 2 << 2 | 2, 6, 0, 0, 0, 4 << 2 | 1, 1, b'u'];
    nested.extend_from_slice(&[0xc8, 0x01, 9]);
    assert_eq!(decode(&nested).unwrap().who.user, "u");
}

#[test]
fn other_bytes_are_errors_and_never_more() {
    assert_eq!(decode(b""), Err(DecodeError::Malformed(Malformed)));
    assert_eq!(decode(&[2, 0]), Err(DecodeError::Version(2)));
    for cut in 1..VERSION_1.len() {
        // A cut between two fields is a record with fewer of them; elsewhere it is an error.
        let _ = decode(&VERSION_1[..cut]);
    }
    let cuts = (1..VERSION_1.len()).filter(|cut| decode(&VERSION_1[..*cut]).is_err()).count();
    assert!(cuts > VERSION_1.len() * 9 / 10, "{cuts}");
    for at in 1..VERSION_1.len() {
        for bit in 0..8 {
            let mut changed = VERSION_1.to_vec();
            changed[at] ^= 1 << bit;
            let _ = decode(&changed);
        }
    }
}

/// Writes the fixture anew when `TIDEGATE_WRITE_FIXTURE` is set. Only for a new file beside it: the old one is what old
/// binaries left on disks.
#[test]
fn write_fixture() {
    if std::env::var_os("TIDEGATE_WRITE_FIXTURE").is_none() {
        return;
    }
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/full-v1.bin"), bytes(&full())).unwrap();
}

#[test]
fn facts_are_what_the_record_says() {
    let mut estimated = full();
    estimated.cost.estimate = false;
    for record in [full(), estimated, RequestRecord::default()] {
        let mut bytes = Vec::new();
        encode(&record, &mut bytes);
        assert_eq!(Facts::read(&bytes).unwrap(), Facts::of(&record));
        // Any cut is an error or leaves fields out; it never panics.
        (0..bytes.len()).for_each(|cut| drop(Facts::read(&bytes[..cut])));
    }
    let full = full();
    let facts = Facts::of(&full);
    assert_eq!((facts.key_owner, facts.attempts, facts.estimate), ("bea", 2, true));
}
