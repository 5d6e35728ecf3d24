//! Cells as stores keep them: the numbers of many, column by column, with the names they use. A block knows all that is
//! needed to read it, so a store only has to keep the bytes.
//!
//! A byte with the version, then numbers in base 128: the number of cells; of names, each a length and its bytes; of columns,
//! for each its smallest value and (a byte) the width of what is added to it, 0 to 8 bytes. Then the columns, little-endian;
//! then the shapes' bytes, one shape after the other; then 8 bytes of nothing. Columns are the hour, the status, the names'
//! numbers, the ends of each cell's shapes, the amounts (low and high half), the sums. They are only added at the end; one
//! that is not there is all zeros, as is a value of none.

use crate::cell::{Amount, Shape, Sum};
use crate::cube::NAMES;
use crate::parts;
use crate::sketch::Sketch;
use crate::varint;

pub(crate) const VERSION: u8 = 1;
pub(crate) const HOUR: usize = 0;
pub(crate) const STATUS: usize = 1;
pub(crate) const NAME: usize = 2;
pub(crate) const SHAPE_END: usize = NAME + NAMES;
pub(crate) const AMOUNT: usize = SHAPE_END + Shape::ALL.len();
pub(crate) const SUM: usize = AMOUNT + 2 * Amount::ALL.len();
pub(crate) const COLUMNS: usize = SUM + Sum::COUNT;

/// Columns on the way to a block.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) names: Vec<&'a str>,
    columns: Vec<Vec<u64>>,
    shapes: [Vec<u8>; Shape::ALL.len()],
}

impl<'a> Writer<'a> {
    pub(crate) fn new(cells: usize) -> Self {
        let columns = (0..COLUMNS).map(|_| Vec::with_capacity(cells)).collect();
        Self { names: Vec::new(), columns, shapes: Default::default() }
    }

    pub(crate) fn push(&mut self, column: usize, value: u64) {
        if let Some(column) = self.columns.get_mut(column) {
            column.push(value);
        }
    }

    /// A whole column.
    pub(crate) fn set(&mut self, column: usize, values: Vec<u64>) {
        if let Some(column) = self.columns.get_mut(column) {
            *column = values;
        }
    }

    /// The shapes of all cells. `sorted`: of each value the cell, times 2^16, and the bucket; how many.
    pub(crate) fn shapes_of(&mut self, shape: Shape, cells: usize, sorted: &[(u64, u64)]) {
        let mut values = sorted.chunk_by(|a, b| a.0 >> 16 == b.0 >> 16).peekable();
        for cell in 0..cells as u64 {
            self.shape(shape, |out| {
                if let Some(own) = values.next_if(|values| values[0].0 >> 16 == cell) {
                    Sketch::encode_sorted(own.iter().map(|(value, count)| (*value as u16, *count)), out);
                }
            });
        }
    }

    /// Of the cell whose turn it is.
    pub(crate) fn shape(&mut self, shape: Shape, write: impl FnOnce(&mut Vec<u8>)) {
        let bytes = &mut self.shapes[shape as usize];
        write(bytes);
        let end = bytes.len() as u64;
        self.push(SHAPE_END + shape as usize, end);
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let cells = self.columns[HOUR].len();
        let mut out = Vec::with_capacity(512 + cells * 48);
        out.push(VERSION);
        varint::write(cells as u64, &mut out);
        varint::write(self.names.len() as u64, &mut out);
        for name in &self.names {
            varint::write(name.len() as u64, &mut out);
            out.extend_from_slice(name.as_bytes());
        }
        varint::write(COLUMNS as u64, &mut out);
        let shape = |values: &Vec<u64>| {
            let least = values.iter().copied().min().unwrap_or(0);
            let most = values.iter().copied().max().unwrap_or(0);
            (least, (u64::BITS - (most - least).leading_zeros()).div_ceil(8) as usize)
        };
        let shapes: Vec<(u64, usize)> = self.columns.iter().map(shape).collect();
        for (least, width) in &shapes {
            varint::write(*least, &mut out);
            out.push(*width as u8);
        }
        for (values, (least, width)) in self.columns.iter().zip(shapes) {
            pack(values, least, width, &mut out);
        }
        self.shapes.iter().for_each(|bytes| out.extend_from_slice(bytes));
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

/// Cells as they were stored.
#[derive(Debug)]
pub struct Block<'a> {
    bytes: &'a [u8],
    cells: usize,
    names: Vec<&'a str>,
    columns: [Packed; COLUMNS],
    shapes: [&'a [u8]; Shape::ALL.len()],
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
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (version, mut rest) = bytes.split_first()?;
        if *version != VERSION {
            return None;
        }
        let length = |rest: &mut &[u8]| usize::try_from(varint::read(rest)?).ok();
        let cells = length(&mut rest)?;
        let count = length(&mut rest).filter(|count| *count <= bytes.len())?;
        let mut names = Vec::with_capacity(count);
        for _ in 0..count {
            let length = length(&mut rest)?;
            let (name, after) = rest.split_at_checked(length)?;
            names.push(std::str::from_utf8(name).ok()?);
            rest = after;
        }
        let listed = length(&mut rest)?;
        let (mut columns, mut offset) = ([Packed::default(); COLUMNS], 0usize);
        for number in 0..listed {
            let least = varint::read(&mut rest)?;
            let (width, after) = rest.split_first()?;
            rest = after;
            let width = usize::from(*width);
            let mask = match width {
                0 => 0,
                1..=8 => u64::MAX >> (64 - 8 * width),
                _ => return None,
            };
            if let Some(column) = columns.get_mut(number) {
                *column = Packed { at: offset, least, width, mask };
            }
            offset = offset.checked_add(width.checked_mul(cells)?)?;
        }
        let (packed, mut rest) = rest.split_at_checked(offset)?;
        let mut block = Self { bytes: packed, cells, names, columns, shapes: Default::default() };
        // A number is read as eight bytes, the last ones with what comes after the columns.
        block.bytes = bytes.get(bytes.len() - packed.len() - rest.len()..)?;
        let ends =
            Shape::ALL.map(|shape| cells.checked_sub(1).map_or(0, |last| block.shape_end(shape, last)));
        for (shape, end) in block.shapes.iter_mut().zip(ends) {
            (*shape, rest) = rest.split_at_checked(end)?;
        }
        (rest.len() >= 8).then_some(block)
    }

    pub fn len(&self) -> usize {
        self.cells
    }

    /// The days (since 1970) that have cells here.
    pub fn days(&self) -> impl Iterator<Item = u32> {
        let mut days: Vec<u32> = (0..self.cells).map(|at| self.hour(at) / 24).collect();
        days.sort_unstable();
        days.dedup();
        days.into_iter()
    }

    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// As it is stored: the smallest value, the width of what is added to it, and that.
    pub(crate) fn packed(&self, column: usize) -> (u64, usize, &'a [u8]) {
        let Packed { at, least, width, .. } = self.columns[column];
        (least, width, self.bytes.get(at..at + width * self.cells).unwrap_or_default())
    }

    /// Those of all cells, as they are stored.
    pub(crate) fn shapes(&self, shape: Shape) -> &'a [u8] {
        self.shapes[shape as usize]
    }

    /// Each part of it for itself, with its number: see [`Block::joined`].
    pub fn split(&self) -> Vec<(u8, Vec<u8>)> {
        parts::split(self)
    }

    /// The bytes of a block of some parts of one, in any order; what is not there is nothing. `None`: they are damaged, or
    /// the part with the number 0 is not there.
    pub fn joined(parts: &[(u8, &[u8])]) -> Option<Vec<u8>> {
        parts::joined(parts)
    }

    pub(crate) fn names(&self) -> &[&'a str] {
        &self.names
    }

    fn shape_end(&self, shape: Shape, at: usize) -> usize {
        usize::try_from(self.get(SHAPE_END + shape as usize, at)).unwrap_or(usize::MAX)
    }

    pub(crate) fn get(&self, column: usize, at: usize) -> u64 {
        let Packed { at: start, least, width, mask } = self.columns[column];
        if width == 0 {
            return least;
        }
        let from = start + at * width;
        let word = self.bytes.get(from..from + 8).and_then(|bytes| bytes.try_into().ok());
        least.wrapping_add(word.map_or(0, u64::from_le_bytes) & mask)
    }

    /// Columns from this one on in which something stands.
    pub(crate) fn present(&self, from: usize) -> impl Iterator<Item = usize> {
        (from..COLUMNS).filter(|column| {
            let Packed { least, width, .. } = self.columns[*column];
            least > 0 || width > 0
        })
    }

    pub(crate) fn hour(&self, at: usize) -> u32 {
        u32::try_from(self.get(HOUR, at)).unwrap_or(u32::MAX)
    }

    pub(crate) fn status(&self, at: usize) -> u16 {
        u16::try_from(self.get(STATUS, at)).unwrap_or(u16::MAX)
    }

    /// 0 is no name; others count from 1.
    pub(crate) fn number(&self, place: usize, at: usize) -> usize {
        usize::try_from(self.get(NAME + place, at)).unwrap_or(usize::MAX)
    }

    pub(crate) fn name(&self, place: usize, at: usize) -> &'a str {
        self.number(place, at).checked_sub(1).and_then(|number| self.names.get(number).copied()).unwrap_or("")
    }

    /// The numbers that these names have here. `None`: any will do.
    pub(crate) fn numbers(&self, names: &[String]) -> Option<Vec<u64>> {
        let number = |name: &String| match name.as_str() {
            "" => Some(0),
            name => self.names.iter().position(|own| *own == name).map(|at| at as u64 + 1),
        };
        (!names.is_empty()).then(|| names.iter().filter_map(number).collect())
    }

    pub(crate) fn shape(&self, shape: Shape, at: usize) -> &'a [u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.shape_end(shape, before));
        self.shapes[shape as usize].get(start..self.shape_end(shape, at)).unwrap_or_default()
    }
}
