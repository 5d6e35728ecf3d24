//! The cells of one cube, as a writer gathers and merges them.

use std::collections::HashMap;

use tidegate_records::Facts;

use crate::block::{AMOUNT, Block, HOUR, NAME, STATUS, SUM, Writer};
use crate::cell::{Amount, Cell, Shape};
use crate::cube::{Cube, NAMES, Names};
use crate::measure::Measure;
use crate::wants::Wants;

const HOUR_MS: u64 = 3_600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key<'a> {
    /// Hours since 1970 at which the cell begins.
    hour: u32,
    status: u16,
    names: [&'a str; NAMES],
}

/// Gathers what a batch brings, or what blocks hold, before it is stored once.
#[derive(Debug)]
pub struct Cells<'a> {
    cube: Cube,
    /// Hours in a cell.
    hours: u32,
    places: HashMap<Key<'a>, usize, foldhash::fast::RandomState>,
    cells: Vec<Cell>,
}

impl<'a> Cells<'a> {
    pub fn new(cube: Cube) -> Self {
        Self { cube, hours: cube.hours(), places: HashMap::default(), cells: Vec::new() }
    }

    /// Of days, whatever the cube has.
    pub fn of_days(cube: Cube) -> Self {
        Self { hours: 24, ..Self::new(cube) }
    }

    pub fn cube(&self) -> Cube {
        self.cube
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// `metadata`: the text of the record's [`Combination`](crate::Combination), for the cube of metadata.
    pub fn add(&mut self, facts: &Facts<'a>, metadata: &'a str, measure: &Measure) {
        let hour = u32::try_from(measure.at_ms / HOUR_MS).unwrap_or(u32::MAX);
        let key = Key {
            hour: hour - hour % self.hours,
            status: if self.cube.has_status() { measure.status } else { 0 },
            names: self.cube.names(&Names::of(facts, metadata)),
        };
        if self.cube.has_figures() {
            self.cell(key).add(measure, true);
        } else if !facts.user.is_empty() {
            self.place(key);
        }
    }

    /// Everything of a block of the same cube.
    pub fn merge(&mut self, block: &Block<'a>) {
        let places: Vec<usize> = (0..block.len())
            .map(|at| {
                let names = std::array::from_fn(|place| block.name(place, at));
                let hour = block.hour(at);
                self.place(Key { hour: hour - hour % self.hours, status: block.status(at), names })
            })
            .collect();
        merge_columns(block, &places, &mut self.cells, Wants::ALL);
    }

    fn cell(&mut self, key: Key<'a>) -> &mut Cell {
        let place = self.place(key);
        &mut self.cells[place]
    }

    fn place(&mut self, key: Key<'a>) -> usize {
        *self.places.entry(key).or_insert_with(|| {
            self.cells.push(Cell::default());
            self.cells.len() - 1
        })
    }

    /// The first and the last hour of the cells.
    pub fn hours(&self) -> Option<(u32, u32)> {
        let hours = || self.places.keys().map(|key| key.hour);
        hours().min().zip(hours().max())
    }

    /// As a block, in the order of hours.
    pub fn encode(&self) -> Vec<u8> {
        let mut order: Vec<(&Key<'a>, usize)> =
            self.places.iter().map(|(key, place)| (key, *place)).collect();
        order.sort_unstable_by_key(|(key, _)| key.hour);
        let mut out = Writer::new(order.len());
        let mut numbers: HashMap<&str, u64, foldhash::fast::RandomState> = HashMap::default();
        for (key, place) in order {
            let cell = &self.cells[place];
            out.push(HOUR, key.hour.into());
            out.push(STATUS, key.status.into());
            for (at, name) in key.names.into_iter().enumerate() {
                let number = match name {
                    "" => 0,
                    name => *numbers.entry(name).or_insert_with(|| {
                        out.names.push(name);
                        out.names.len() as u64
                    }),
                };
                out.push(NAME + at, number);
            }
            for shape in Shape::ALL {
                out.shape(shape, |bytes| cell.shape(shape).encode(bytes));
            }
            for amount in Amount::ALL {
                let picos = cell.amount(amount);
                out.push(AMOUNT + 2 * amount as usize, picos as u64);
                out.push(AMOUNT + 2 * amount as usize + 1, (picos >> 64) as u64);
            }
            cell.sums.iter().enumerate().for_each(|(at, value)| out.push(SUM + at, *value));
        }
        out.encode()
    }
}

/// The same cells with the same content, in whatever order they came.
impl PartialEq for Cells<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cube == other.cube
            && self.places.len() == other.places.len()
            && self.places.iter().all(|(key, place)| {
                other.places.get(key).is_some_and(|of_other| self.cells[*place] == other.cells[*of_other])
            })
    }
}

/// Adds what is wanted of a block's cells to those at `places`; `usize::MAX` is no place.
pub(crate) fn merge_columns(block: &Block<'_>, places: &[usize], cells: &mut [Cell], wants: Wants) {
    merge_numbers(block, places, cells, wants);
    for shape in Shape::ALL.into_iter().filter(|shape| wants.has_shape(*shape)) {
        for (at, place) in places.iter().enumerate() {
            let Some(cell) = cells.get_mut(*place) else { continue };
            cell.shapes[shape as usize].merge_encoded(block.shape(shape, at));
        }
    }
}

/// [`merge_columns`] without shapes. Column by column: most are empty.
pub(crate) fn merge_numbers(block: &Block<'_>, places: &[usize], cells: &mut [Cell], wants: Wants) {
    for column in block.present(AMOUNT).filter(|column| wants.has(*column)) {
        for (at, place) in places.iter().enumerate() {
            let Some(cell) = cells.get_mut(*place) else { continue };
            let value = block.get(column, at);
            if column >= SUM {
                cell.fold(column - SUM, value);
            } else {
                let amount = &mut cell.amounts[(column - AMOUNT) / 2];
                let shift = 64 * ((column - AMOUNT) % 2);
                *amount = amount.saturating_add(u128::from(value) << shift);
            }
        }
    }
}
