//! A block: the numbers of many records, column by column, sorted by id. Lists read blocks instead of indexes: a filter looks
//! at a few bytes per record, and a block in which a column has one value, or none that is wanted, is decided at once.
//!
//! A byte with the version, the number of records (4 bytes), the number of columns (1), then for each column its smallest value
//! (8) and the width of what is added to it (1, in bytes, 0 to 8), then the columns, then 8 bytes of nothing. Little-endian.
//! Columns are only ever added at the end; one that is not there is all zeros.

const VERSION: u8 = 1;
const HEAD: usize = 6;
const PER_COLUMN: usize = 9;

/// Text is its number in the day's names, 0 when empty. What may be unknown is 0 then, else one more than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Id,
    Organisation,
    Workspace,
    ApiKey,
    KeyOwner,
    User,
    Provider,
    VirtualKey,
    Config,
    Model,
    AskedModel,
    Route,
    Cache,
    Guardrail,
    End,
    Error,
    Currency,
    Status,
    Flags,
    Attempts,
    TotalUs,
    Ttft,
    PromptTokens,
    OutputTokens,
    CachedTokens,
    ReasoningTokens,
    /// One more than the cost in 10^-12 of its currency, rounded down; 0 when unknown.
    Cost,
    /// Hash of the trace's id.
    Trace,
    /// Where the record's pairs end among all pairs of the block.
    PairsEnd,
    /// Hashes of metadata pairs: as many as the last `PairsEnd` says, not one per record.
    Pairs,
    WaitedUs,
    UpstreamUs,
    Retries,
    CacheWriteTokens,
    AudioTokens,
    ImageTokens,
    Searches,
    /// What a cache hit saved, in 10^-12 of its currency, rounded down.
    Saved,
    RequestBytes,
    ResponseBytes,
    /// Two records under one id differ in it.
    Seal,
    /// Where the record's bytes are: a chunk, and a place in it.
    Chunk,
    At,
    /// Hash of the session's name.
    Session,
    /// Hash of the span's id.
    Span,
}

pub(crate) const COLUMNS: usize = Column::Span as usize + 1;
const PAIRS_END: usize = Column::PairsEnd as usize;
const PAIRS: usize = Column::Pairs as usize;

/// A block that is being made.
#[derive(Debug)]
pub(crate) struct Columns([Vec<u64>; COLUMNS]);

impl Default for Columns {
    fn default() -> Self {
        Self([const { Vec::new() }; COLUMNS])
    }
}

impl Columns {
    pub(crate) fn new(records: usize) -> Self {
        let mut columns = Self::default();
        columns.begin(records);
        columns
    }

    /// Empty, with room for so many records.
    pub(crate) fn begin(&mut self, records: usize) {
        for values in &mut self.0 {
            values.clear();
            values.reserve(records);
        }
    }

    pub(crate) fn push(&mut self, column: Column, value: u64) {
        self.0[column as usize].push(value);
    }

    pub(crate) fn pairs(&self) -> u64 {
        self.0[Column::Pairs as usize].len() as u64
    }

    /// All of some blocks, in the order of their ids.
    pub(crate) fn merged(blocks: &[Block<'_>]) -> Self {
        let mut order: Vec<(u64, u32, u32)> = Vec::new();
        for (number, block) in (0u32..).zip(blocks) {
            order.extend((0..block.count).map(|at| (block.get(Column::Id, at as usize), number, at)));
        }
        order.sort_unstable();
        let mut merged = Self::new(order.len());
        for (column, values) in merged.0.iter_mut().enumerate() {
            if matches!(column, PAIRS_END | PAIRS) {
                continue;
            }
            values.extend(order.iter().map(|&(_, block, at)| blocks[block as usize].at(column, at as usize)));
        }
        for (_, block, at) in order {
            let block = &blocks[block as usize];
            for pair in block.pairs(at as usize) {
                merged.push(Column::Pairs, pair);
            }
            merged.push(Column::PairsEnd, merged.pairs());
        }
        merged
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let count = self.0[0].len();
        let mut out = Vec::with_capacity(HEAD + COLUMNS * PER_COLUMN + count * 64 + 8);
        out.push(VERSION);
        out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
        out.push(COLUMNS as u8);
        let shape = self.0.each_ref().map(|values| {
            let (mut least, mut most) = (u64::MAX, 0);
            values.iter().for_each(|&value| (least, most) = (least.min(value), most.max(value)));
            let least = least.min(most);
            let width = (u64::BITS - (most - least).leading_zeros()).div_ceil(8) as usize;
            out.extend_from_slice(&least.to_le_bytes());
            out.push(width as u8);
            (least, width)
        });
        for (values, (least, width)) in self.0.iter().zip(shape) {
            pack(values, least, width, &mut out);
        }
        out.extend_from_slice(&[0; 8]);
        out
    }
}

/// The lowest bytes of each value less the least of them.
fn pack(values: &[u64], least: u64, width: usize, out: &mut Vec<u8>) {
    fn lowest<const WIDTH: usize>(values: &[u64], least: u64, out: &mut Vec<u8>) {
        let bytes = values.iter().map(|value| (value - least).to_le_bytes());
        bytes.for_each(|bytes| out.extend_from_slice(bytes.first_chunk::<WIDTH>().unwrap_or(&[0; WIDTH])));
    }
    match width {
        0 => {}
        1 => lowest::<1>(values, least, out),
        2 => lowest::<2>(values, least, out),
        3 => lowest::<3>(values, least, out),
        4 => lowest::<4>(values, least, out),
        5 => lowest::<5>(values, least, out),
        6 => lowest::<6>(values, least, out),
        7 => lowest::<7>(values, least, out),
        _ => lowest::<8>(values, least, out),
    }
}

/// A block as it was stored.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    bytes: &'a [u8],
    pub(crate) count: u32,
    columns: [Packed; COLUMNS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Packed {
    at: usize,
    least: u64,
    width: usize,
    mask: u64,
}

impl<'a> Block<'a> {
    /// `None`: the bytes are no block, or one of a version that changed the form itself.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        if head[0] != VERSION {
            return None;
        }
        let count = u32::from_le_bytes(head[1..5].try_into().ok()?);
        let listed = usize::from(head[5]);
        let mut block = Self { bytes, count, columns: [Packed::default(); COLUMNS] };
        let mut at = HEAD + listed * PER_COLUMN;
        for (number, shape) in rest.chunks_exact(PER_COLUMN).take(listed.min(COLUMNS)).enumerate() {
            let (least, width) = (u64::from_le_bytes(shape[..8].try_into().ok()?), usize::from(shape[8]));
            let mask = match width {
                0 => 0,
                1..=8 => u64::MAX >> (64 - 8 * width),
                _ => return None,
            };
            block.columns[number] = Packed { at, least, width, mask };
            let values = match number {
                // Pairs are counted by the last of `PairsEnd`, which stands before them.
                PAIRS if count > 0 => {
                    if at.checked_add(8)? > bytes.len() {
                        return None;
                    }
                    usize::try_from(block.get(Column::PairsEnd, count as usize - 1)).ok()?
                }
                _ => count as usize,
            };
            at = at.checked_add(width.checked_mul(values)?)?;
        }
        (count > 0 && at.checked_add(8)? <= bytes.len()).then_some(block)
    }

    pub(crate) fn get(&self, column: Column, at: usize) -> u64 {
        self.at(column as usize, at)
    }

    fn at(&self, column: usize, at: usize) -> u64 {
        let Packed { at: start, least, width, mask } = self.columns[column];
        if width == 0 {
            return least;
        }
        let from = start + at * width;
        let word = self.bytes.get(from..from + 8).and_then(|bytes| bytes.try_into().ok());
        least.wrapping_add(word.map_or(0, u64::from_le_bytes) & mask)
    }

    /// How many records have smaller ids.
    pub(crate) fn before(&self, id: u64) -> u32 {
        let (mut from, mut to) = (0, self.count);
        while from < to {
            let middle = from + (to - from) / 2;
            if self.get(Column::Id, middle as usize) < id {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Where the record with this id stands.
    pub(crate) fn position(&self, id: u64) -> Option<usize> {
        let at = self.before(id);
        (at < self.count && self.get(Column::Id, at as usize) == id).then_some(at as usize)
    }

    /// No value of the column is outside.
    pub(crate) fn bounds(&self, column: Column) -> (u64, u64) {
        let packed = self.columns[column as usize];
        (packed.least, packed.least.saturating_add(packed.mask))
    }

    pub(crate) fn pairs(&self, at: usize) -> impl Iterator<Item = u64> {
        let end = |at| usize::try_from(self.get(Column::PairsEnd, at)).unwrap_or(0);
        let start = at.checked_sub(1).map_or(0, end);
        (start..end(at)).map(|at| self.get(Column::Pairs, at))
    }
}

/// FNV-1a: stored, so it never changes.
pub(crate) fn hash(parts: [&str; 2]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Id, a wide column, a narrow one, pairs.
    type Row = (u64, u64, u64, Vec<u64>);

    /// Column values of any width, and zero to three pairs a record.
    fn some(first: u64, count: u64) -> (Columns, Vec<Row>) {
        let (mut columns, mut plain) = (Columns::new(0), Vec::new());
        for i in first..first + count {
            let wide = 1u64.rotate_left((i * 7 % 64) as u32) ^ i;
            let pairs: Vec<u64> = (0..i % 4).map(|pair| hash([&i.to_string(), &pair.to_string()])).collect();
            for column in (0..COLUMNS).filter(|column| !matches!(*column, PAIRS_END | PAIRS)) {
                columns.0[column].push(match column {
                    _ if column == Column::ResponseBytes as usize => wide,
                    _ if column == Column::Id as usize => i * 3,
                    _ if column == Column::Workspace as usize => wide,
                    _ => 7,
                });
            }
            pairs.iter().for_each(|pair| columns.push(Column::Pairs, *pair));
            columns.push(Column::PairsEnd, columns.pairs());
            plain.push((i * 3, wide, 7, pairs));
        }
        (columns, plain)
    }

    fn read(block: &Block<'_>) -> Vec<Row> {
        let row = |at| {
            let get = |column| block.get(column, at);
            (get(Column::Id), get(Column::Workspace), get(Column::Error), block.pairs(at).collect())
        };
        (0..block.count as usize).map(row).collect()
    }

    #[test]
    fn what_is_put_in_comes_out_also_when_merged() {
        let mut all = Vec::new();
        let mut encoded = Vec::new();
        for (first, count) in [(500, 1), (0, 300), (600, 255), (300, 2)] {
            let (columns, plain) = some(first, count);
            let bytes = columns.encode();
            let block = Block::read(&bytes).unwrap();
            assert_eq!(read(&block), plain);
            // What comes after the pairs, too.
            let last = (0..block.count as usize).map(|at| block.get(Column::ResponseBytes, at));
            assert!(last.eq(plain.iter().map(|(_, wide, ..)| *wide)));
            encoded.push(bytes);
            all.extend(plain);
        }
        all.sort();
        let blocks: Vec<_> = encoded.iter().map(|bytes| Block::read(bytes).unwrap()).collect();
        assert_eq!(read(&Block::read(&Columns::merged(&blocks).encode()).unwrap()), all);
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        let bytes = some(0, 20).0.encode();
        for cut in 0..bytes.len() {
            assert!(Block::read(&bytes[..cut]).is_none_or(|block| read(&block).len() == 20));
        }
        for at in 0..HEAD + COLUMNS * PER_COLUMN {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Some(block) = Block::read(&changed).filter(|block| block.count < 1_000) {
                    let ends = (0..block.count as usize).map(|at| block.get(Column::PairsEnd, at));
                    if ends.max().unwrap_or(0) < 1_000 {
                        read(&block);
                    }
                }
            }
        }
    }
}
