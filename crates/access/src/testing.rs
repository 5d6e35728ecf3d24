//! Chance that can be repeated, for the tests of this crate.

/// SplitMix64.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn index(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }

    /// Up to `longest` characters, many of them such as mean something in keys, paths and tokens.
    pub(crate) fn text(&mut self, longest: usize) -> String {
        const MARKS: [char; 16] =
            ['/', '.', '%', '2', 'e', '{', '}', '*', '-', '_', '=', '"', '\\', '\0', 'é', '🦀'];
        let length = self.index(longest + 1);
        (0..length)
            .map(|_| match self.index(3) {
                0 => MARKS[self.index(MARKS.len())],
                1 => char::from(b'a' + self.bytes::<1>()[0] % 26),
                _ => char::from(self.bytes::<1>()[0]),
            })
            .collect()
    }
}
