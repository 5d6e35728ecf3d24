//! The search within a string for what ends it.

use memchr::memchr2;

const LANES: usize = size_of::<u64>();

/// Bytes looked at here before the search is left to `memchr`: most strings of a body are short, and a call for each
/// costs more than they do.
const NEAR: usize = 3 * LANES;

const ONES: u64 = u64::from_ne_bytes([0x01; LANES]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; LANES]);
const QUOTES: u64 = u64::from_ne_bytes([b'"'; LANES]);
const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; LANES]);

/// Where the first quote or backslash stands.
#[inline]
pub(crate) fn string_stop(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((lanes, after)) = rest.split_first_chunk::<LANES>() {
        let lanes = u64::from_le_bytes(*lanes);
        let stops = zeros(lanes ^ QUOTES) | zeros(lanes ^ BACKSLASHES);
        let before = bytes.len() - rest.len();
        if stops != 0 {
            return Some(before + stops.trailing_zeros() as usize / 8);
        }
        rest = after;
        if before + LANES == NEAR {
            break;
        }
    }
    far(rest).map(|at| bytes.len() - rest.len() + at)
}

#[inline(never)]
fn far(bytes: &[u8]) -> Option<usize> {
    memchr2(b'"', b'\\', bytes)
}

/// The high bit of each lane that is zero. Lanes above the lowest such one may be marked wrongly.
#[inline]
fn zeros(lanes: u64) -> u64 {
    lanes.wrapping_sub(ONES) & !lanes & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stop_is_found_wherever_it_stands() {
        for len in 0..80 {
            for fill in [b'a', 0x00, 0x01, b'#', b']', b'!', 0xa2, 0xdc, 0xff] {
                let mut text = vec![fill; len];
                assert_eq!(string_stop(&text), None, "{len} of {fill}");
                for at in (0..len).rev() {
                    text[at] = if at % 2 == 0 { b'"' } else { b'\\' };
                    assert_eq!(string_stop(&text), Some(at), "{at} of {len} of {fill}");
                }
            }
        }
    }
}
