//! Shapes that are merged when all of them are there: cell by cell, so that a cell's counters stay in the processor's cache
//! meanwhile. Block by block the counters of all cells (some kilobytes each) would come by for every block.

use crate::block::Block;
use crate::cell::{Cell, Shape};
use crate::wants::Wants;

/// Bytes that are kept before they are merged anyway.
const MOST: usize = 64 << 20;

#[derive(Debug)]
pub(crate) struct Later {
    kept: [Kept; Shape::ALL.len()],
    most: usize,
}

impl Default for Later {
    fn default() -> Self {
        Self::of(MOST)
    }
}

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    /// For each kept shape its cell's place, and where its bytes are.
    parts: Vec<(u32, u32, u32)>,
}

impl Later {
    pub(crate) fn of(most: usize) -> Self {
        Self { kept: Default::default(), most }
    }

    /// Keeps the shapes of a block's cells for those at `places`; `usize::MAX` is no place.
    pub(crate) fn keep(&mut self, block: &Block<'_>, places: &[usize], cells: &mut [Cell], wants: Wants) {
        for shape in Shape::ALL.into_iter().filter(|shape| wants.has_shape(*shape)) {
            let kept = &mut self.kept[shape as usize];
            if kept.bytes.len() + block.shapes(shape).len() > self.most {
                kept.merge(shape, cells);
            }
            for (at, place) in places.iter().enumerate().filter(|(_, place)| **place != usize::MAX) {
                let start = kept.bytes.len() as u32;
                kept.bytes.extend_from_slice(block.shape(shape, at));
                kept.parts.push((*place as u32, start, kept.bytes.len() as u32));
            }
        }
    }

    pub(crate) fn merge(&mut self, cells: &mut [Cell]) {
        Shape::ALL.into_iter().for_each(|shape| self.kept[shape as usize].merge(shape, cells));
    }
}

impl Kept {
    fn merge(&mut self, shape: Shape, cells: &mut [Cell]) {
        self.parts.sort_unstable();
        for (place, start, end) in self.parts.drain(..) {
            let own = cells.get_mut(place as usize).zip(self.bytes.get(start as usize..end as usize));
            if let Some((cell, bytes)) = own {
                cell.shapes[shape as usize].merge_encoded(bytes);
            }
        }
        self.bytes.clear();
    }
}
