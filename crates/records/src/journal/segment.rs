//! Entries in the bytes of a segment.

use crc32fast::Hasher;

/// Begins every entry; a reader that has lost its place looks for the next.
const MARK: [u8; 4] = *b"\xf1TgJ";
/// Mark, number, length, checksum.
const HEAD: usize = 4 + 8 + 4 + 4;

pub(super) fn write(number: u64, payload: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum(&number.to_le_bytes(), &length, payload).to_le_bytes());
    out.extend_from_slice(payload);
}

fn checksum(number: &[u8], length: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(number);
    hasher.update(length);
    hasher.update(payload);
    hasher.finalize()
}

/// What the bytes of a segment hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scan<'a> {
    /// Number and payload of the entries whose checksum is right.
    pub entries: Vec<(u64, &'a [u8])>,
    /// The bytes end inside an entry.
    pub torn: bool,
    /// Behind the last entry stands a whole one with a wrong checksum: it may have been acknowledged.
    pub bad_end: bool,
}

impl Scan<'_> {
    /// The number after the last entry, for a segment that begins with `first`.
    pub fn next(&self, first: u64) -> u64 {
        self.entries.last().map_or(first, |(number, _)| number.saturating_add(1)).max(first)
    }
}

/// Finds the entries in any bytes.
pub fn scan(bytes: &[u8]) -> Scan<'_> {
    let (mut found, mut rest) = (Scan::default(), bytes);
    while !rest.is_empty() {
        match entry(rest) {
            Ok((number, payload)) => {
                // Written again after an attempt that failed: the later one was acknowledged.
                while found.entries.last().is_some_and(|(last, _)| *last >= number) {
                    found.entries.pop();
                }
                found.entries.push((number, payload));
                (found.torn, found.bad_end) = (false, false);
                rest = &rest[HEAD + payload.len()..];
            }
            Err(bad) => {
                found.torn |= bad == Bad::Short;
                found.bad_end |= bad == Bad::Sum;
                // The length may be what is wrong, so the next entry is looked for from the next byte on.
                let next = memchr::memmem::find(&rest[1..], &MARK);
                rest = next.map_or(&[], |at| &rest[1 + at..]);
            }
        }
    }
    found
}

#[derive(PartialEq)]
enum Bad {
    Short,
    Sum,
}

fn entry(bytes: &[u8]) -> Result<(u64, &[u8]), Bad> {
    let (head, rest) = bytes.split_at_checked(HEAD).ok_or(Bad::Short)?;
    let (mark, head) = head.split_at(4);
    let (number, head) = head.split_at(8);
    let (length, sum) = head.split_at(4);
    if mark != MARK {
        // Zeros are what a file system shows of a write that it had made room for.
        return Err(if bytes.iter().all(|byte| *byte == 0) { Bad::Short } else { Bad::Sum });
    }
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, u32::from_le_bytes);
    let payload = rest.get(..word(length) as usize).ok_or(Bad::Short)?;
    if checksum(number, length, payload) != word(sum) {
        return Err(Bad::Sum);
    }
    Ok((number.try_into().map_or(0, u64::from_le_bytes), payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<u8> {
        let mut bytes = Vec::new();
        for number in 5..8 {
            write(number, format!("payload {number}").as_bytes(), &mut bytes);
        }
        bytes
    }

    #[test]
    fn every_cut_keeps_the_whole_entries_before_it() {
        let bytes = three();
        let one = bytes.len() / 3;
        for cut in 0..=bytes.len() {
            let scan = scan(&bytes[..cut]);
            assert_eq!(scan.entries.len(), cut / one, "cut at {cut}");
            assert_eq!(scan.torn, cut % one != 0, "cut at {cut}");
        }
    }

    #[test]
    fn every_flipped_bit_costs_one_entry_and_is_seen() {
        let bytes = three();
        let one = bytes.len() / 3;
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let scan = scan(&changed);
            let expected: Vec<u64> = (5..8).filter(|number| (number - 5) as usize != bit / 8 / one).collect();
            let found: Vec<u64> = scan.entries.iter().map(|(number, _)| *number).collect();
            assert_eq!(found, expected, "bit {bit}");
            assert!(expected.last() != Some(&6) || scan.torn || scan.bad_end, "bit {bit}");
        }
    }

    #[test]
    fn what_was_written_again_replaces_the_first_attempt() {
        let mut bytes = three();
        write(6, b"again", &mut bytes);
        let found: Vec<_> =
            scan(&bytes).entries.into_iter().map(|(number, payload)| (number, payload.len())).collect();
        assert_eq!(found, [(5, 9), (6, 5)]);
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        for seed in 0..200u32 {
            let noise: Vec<u8> =
                (0..300u32).map(|i| (i.wrapping_mul(seed * 2_654_435 + 97) >> 7) as u8).collect();
            assert!(scan(&noise).entries.is_empty());
        }
    }
}
