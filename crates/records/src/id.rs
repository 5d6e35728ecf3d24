//! Ids of records: in the order of time, so that a range of time is a range of ids and no list needs an index on time.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// 2020-01-01T00:00:00Z: 41 bits of milliseconds from here last until 2089.
const EPOCH_MS: u64 = 1_577_836_800_000;
const NODE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;
const DAY_MS: u64 = 86_400_000;

/// From the highest bit: 0, milliseconds since 2020 (41), sequence (12), node (10). Fits a signed 64-bit integer.
/// As text 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RecordId(u64);

impl RecordId {
    /// Bits as stored. The sign bit is cleared: no store could keep it.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits & (i64::MAX as u64))
    }

    pub fn bits(self) -> u64 {
        self.0
    }

    /// For stores whose integers are signed.
    pub fn signed(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The smallest id of a millisecond; times before 2020 count as 2020.
    pub fn first_of(unix_ms: u64) -> Self {
        let ms = unix_ms.saturating_sub(EPOCH_MS).min((1 << 41) - 1);
        Self(ms << (NODE_BITS + SEQUENCE_BITS))
    }

    /// When the request began.
    pub fn unix_ms(self) -> u64 {
        EPOCH_MS + (self.0 >> (NODE_BITS + SEQUENCE_BITS))
    }

    /// As a UUID of version 8, for APIs whose ids are UUIDs: the 16 digits with the version and the variant between them.
    /// Sorted by time as ids are.
    pub fn uuid(self) -> String {
        let digits = self.to_string();
        let (head, tail) = digits.split_at(12);
        format!("{}-{}-8{}-8{}00-000000000000", &head[..8], &head[8..], &tail[..3], &tail[3..])
    }

    /// # Errors
    /// The text is no UUID that [`RecordId::uuid`] makes.
    pub fn from_uuid(text: &str) -> Result<Self, NotAnId> {
        let digit = |at: std::ops::Range<usize>| text.get(at).unwrap_or("");
        let id =
            format!("{}{}{}{}", digit(0..8), digit(9..13), digit(15..18), digit(20..21)).parse::<Self>()?;
        if id.uuid().eq_ignore_ascii_case(text) { Ok(id) } else { Err(NotAnId) }
    }

    /// Days since 1970 in UTC: the partition that the record belongs to.
    pub fn day(self) -> u32 {
        u32::try_from(self.unix_ms() / DAY_MS).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Text that is not 16 hexadecimal digits of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record id is 16 hexadecimal digits, the first at most 7")
    }
}

impl std::error::Error for NotAnId {}

impl FromStr for RecordId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|bits| plain && *bits <= i64::MAX as u64);
        bits.map(Self).ok_or(NotAnId)
    }
}

/// Makes ids that only grow, from any thread, also when the clock steps back. Ids of two processes differ if their node
/// numbers do; should they not, the sink sees that the contents differ and the loss is counted, see `clashed`.
#[derive(Debug)]
pub struct IdSource {
    /// The last id without its node.
    last: AtomicU64,
    node: u64,
}

impl IdSource {
    /// `node` counts modulo 1024. `after`: the newest id known from before, which a clock that was set back must not
    /// give again.
    pub fn new(node: u16, after: Option<RecordId>) -> Self {
        let last = after.map_or(0, |id| id.0 >> NODE_BITS);
        Self { last: AtomicU64::new(last), node: u64::from(node) & ((1 << NODE_BITS) - 1) }
    }

    /// More than 4096 ids in a millisecond borrow from the next one.
    pub fn next(&self, unix_ms: u64) -> RecordId {
        let now = RecordId::first_of(unix_ms).0 >> NODE_BITS;
        let step = |last: u64| now.max(last + 1);
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(step(last)))
            .map_or(now, step);
        RecordId::from_bits(last << NODE_BITS | self.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_grow_whatever_the_clock_does() {
        let source = IdSource::new(7, None);
        let now = 1_790_000_000_000;
        let mut last = RecordId::default();
        for i in 0..20_000u64 {
            let id = source.next(now - i % 3);
            assert!(id > last);
            last = id;
        }
        assert!(last.unix_ms() - now < 8, "{}", last.unix_ms() - now);
        let next = IdSource::new(9, Some(last)).next(now - 60_000);
        assert!(next > last);
    }

    #[test]
    fn threads_get_different_ids() {
        let source = IdSource::new(1, None);
        let mut all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| (0..5_000).map(|_| source.next(1_790_000_000_000)).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 20_000);
    }

    #[test]
    fn text_and_days() {
        let id = RecordId::first_of(1_790_000_000_000);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.unix_ms(), 1_790_000_000_000);
        for bits in [0, 1, 0x1234_5678_9abc_def0, i64::MAX as u64] {
            let id = RecordId::from_bits(bits);
            assert_eq!((id.uuid().len(), RecordId::from_uuid(&id.uuid())), (36, Ok(id)));
        }
        let uuid = RecordId::from_bits(0x1234_5678_9abc_def0).uuid();
        assert_eq!(uuid, "12345678-9abc-8def-8000-000000000000");
        for text in ["", &uuid[1..], &uuid.replace("-8def", "-4def"), "12345678-9abc-8def-8000-00000000000é"]
        {
            assert_eq!(RecordId::from_uuid(text), Err(NotAnId), "{text}");
        }
        assert_eq!(id.day(), 20_717);
        for text in
            ["", "00", "ffffffffffffffff", "+000000000000001", "000000000000000g", "00000000000000001"]
        {
            assert_eq!(text.parse::<RecordId>(), Err(NotAnId), "{text}");
        }
    }
}
