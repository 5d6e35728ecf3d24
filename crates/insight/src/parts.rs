//! A block taken apart, column by column: of a day that is over stores keep each part for itself, and a question reads those
//! it wants.
//!
//! Part 0 has the number of cells, the names, and the columns that tell cells apart; 1 and 2 have a shape each; the part of an
//! amount or a sum has the number of its column.

use crate::block::{AMOUNT, Block, COLUMNS, SHAPE_END, VERSION};
use crate::cell::Shape;
use crate::varint;
use crate::wants::Wants;

pub(crate) const KEYS: u8 = 0;
const SHAPES: usize = 1;
/// A part of no column: those of shapes come before.
const _: () = assert!(SHAPES + Shape::ALL.len() <= AMOUNT && COLUMNS <= u8::MAX as usize);

/// Whether something that wants this reads a part.
pub(crate) fn is_read(wants: Wants, part: u8) -> bool {
    let part = usize::from(part);
    match Shape::ALL.into_iter().find(|shape| SHAPES + *shape as usize == part) {
        Some(shape) => wants.has_shape(shape),
        None => part == usize::from(KEYS) || (AMOUNT..COLUMNS).contains(&part) && wants.has(part),
    }
}

/// All parts in which something stands.
pub(crate) fn split(block: &Block<'_>) -> Vec<(u8, Vec<u8>)> {
    let column = |column: usize, head: &mut Vec<u8>| {
        let (least, width, packed) = block.packed(column);
        varint::write(least, head);
        head.push(width as u8);
        packed
    };
    let mut keys = Vec::new();
    varint::write(block.len() as u64, &mut keys);
    varint::write(block.names().len() as u64, &mut keys);
    for name in block.names() {
        varint::write(name.len() as u64, &mut keys);
        keys.extend_from_slice(name.as_bytes());
    }
    let packed: Vec<&[u8]> = (0..SHAPE_END).map(|at| column(at, &mut keys)).collect();
    packed.iter().for_each(|packed| keys.extend_from_slice(packed));
    let mut parts = vec![(KEYS, keys)];
    for shape in Shape::ALL {
        let bytes = block.shapes(shape);
        if !bytes.is_empty() {
            let mut part = Vec::with_capacity(bytes.len() + 16);
            let ends = column(SHAPE_END + shape as usize, &mut part);
            part.extend_from_slice(ends);
            part.extend_from_slice(bytes);
            parts.push(((SHAPES + shape as usize) as u8, part));
        }
    }
    for at in block.present(AMOUNT) {
        let mut part = Vec::new();
        let packed = column(at, &mut part);
        part.extend_from_slice(packed);
        parts.push((at as u8, part));
    }
    parts
}

/// A block of some parts, in any order: what is not there is nothing. `None`: they are damaged, or part 0 is not there.
pub(crate) fn joined(parts: &[(u8, &[u8])]) -> Option<Vec<u8>> {
    let find = |part: usize| parts.iter().find(|(own, _)| usize::from(*own) == part).map(|(_, bytes)| *bytes);
    let keys = find(KEYS.into())?;
    let mut rest = keys;
    let length = |rest: &mut &[u8]| usize::try_from(varint::read(rest)?).ok();
    let cells = length(&mut rest)?;
    for _ in 0..length(&mut rest)? {
        let length = length(&mut rest)?;
        rest = rest.get(length..)?;
    }
    let mut out = Vec::with_capacity(parts.iter().map(|(_, bytes)| bytes.len() + 4).sum::<usize>() + 128);
    out.push(VERSION);
    out.extend_from_slice(keys.get(..keys.len() - rest.len())?);
    varint::write(COLUMNS as u64, &mut out);
    // Heads first, then what they describe.
    let head = |rest: &mut &[u8], out: &mut Vec<u8>| {
        let before = *rest;
        varint::read(rest)?;
        let (width, after) = rest.split_first()?;
        *rest = after;
        out.extend_from_slice(before.get(..before.len() - after.len())?);
        usize::from(*width).checked_mul(cells)
    };
    let mut packed: Vec<&[u8]> = Vec::with_capacity(COLUMNS + Shape::ALL.len());
    let mut lengths = [0; SHAPE_END];
    for length in &mut lengths {
        *length = head(&mut rest, &mut out)?;
    }
    for length in lengths {
        let (own, after) = rest.split_at_checked(length)?;
        packed.push(own);
        rest = after;
    }
    let mut shapes: [&[u8]; Shape::ALL.len()] = Default::default();
    for column in SHAPE_END..COLUMNS {
        let shape = Shape::ALL.into_iter().find(|shape| SHAPE_END + *shape as usize == column);
        let Some(mut bytes) = find(shape.map_or(column, |shape| SHAPES + shape as usize)) else {
            out.extend_from_slice(&[0, 0]);
            continue;
        };
        let length = head(&mut bytes, &mut out)?;
        let (own, after) = bytes.split_at_checked(length)?;
        packed.push(own);
        if let Some(shape) = shape {
            shapes[shape as usize] = after;
        }
    }
    packed.iter().chain(&shapes).for_each(|bytes| out.extend_from_slice(bytes));
    out.extend_from_slice(&[0; 8]);
    Some(out)
}
