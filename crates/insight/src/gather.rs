//! Cells of many records at once, for stores that have names as numbers: sums are kept column by column, as blocks have them,
//! so a record costs a few additions in each cube and no cell is ever moved.

use std::collections::HashMap;

use crate::block::{AMOUNT, Block, HOUR, NAME, STATUS, SUM, Writer};
use crate::cell::{Amount, Cell, Shape, Sum, fold};
use crate::cube::{Cube, NAMES, Names};
use crate::measure::Measure;
use crate::sketch;

const HOUR_MS: u64 = 3_600_000;
/// Records whose figures wait until they are added up together.
const TOGETHER: usize = 256;

/// The cells of some cubes.
#[derive(Debug)]
pub struct Gather {
    cubes: Vec<OfCube>,
    records: u64,
    /// What each waiting record adds to a sum or an amount, where that is not nothing.
    sums: [Vec<(u32, u64)>; Sum::COUNT],
    amounts: [Vec<(u32, u128)>; Amount::ALL.len()],
    shapes: [Vec<(u32, u16)>; Shape::ALL.len()],
    waiting: usize,
    /// One record's figures.
    alone: Cell,
}

#[derive(Debug)]
struct OfCube {
    cube: Cube,
    /// Hours in a cell.
    hours: u32,
    numbers: HashMap<Key, u32, foldhash::fast::RandomState>,
    keys: Vec<Key>,
    /// The cells of the records that wait.
    places: Vec<u32>,
    /// By cell; empty as long as nothing was added.
    sums: [Vec<u64>; Sum::COUNT],
    amounts: [Vec<u128>; Amount::ALL.len()],
    /// Of each value or some: the cell, times 2^16, and the bucket; how many.
    shapes: [Vec<(u64, u64)>; Shape::ALL.len()],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    hour: u32,
    status: u16,
    names: [u64; NAMES],
}

impl Gather {
    pub fn new(cubes: &[Cube]) -> Self {
        Self {
            cubes: cubes.iter().map(|cube| OfCube::new(*cube, cube.hours())).collect(),
            records: 0,
            sums: std::array::from_fn(|_| Vec::new()),
            amounts: Default::default(),
            shapes: Default::default(),
            waiting: 0,
            alone: Cell::default(),
        }
    }

    /// How many were added.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The cells that there are of the cube that has most.
    pub fn most_cells(&self) -> usize {
        self.cubes.iter().map(|of| of.keys.len()).max().unwrap_or(0)
    }

    /// As [`Gather::add`], where no cube has figures.
    pub fn add_user(&mut self, at_ms: u64, status: u16, names: &Names<u64>) {
        self.records += 1;
        if names.user != 0 {
            let hour = u32::try_from(at_ms / HOUR_MS).unwrap_or(u32::MAX);
            for of in self.cubes.iter_mut().filter(|of| !of.cube.has_figures()) {
                of.at(hour, status, names);
            }
        }
    }

    /// A record with the numbers of its names: any numbers, 0 for what has no name. Cubes have figures.
    pub fn add(&mut self, measure: &Measure, names: &Names<u64>) {
        let hour = u32::try_from(measure.at_ms / HOUR_MS).unwrap_or(u32::MAX);
        for of in &mut self.cubes {
            let place = of.at(hour, measure.status, names);
            of.places.push(place);
        }
        self.alone.sums = [0; Sum::COUNT];
        self.alone.amounts = Default::default();
        self.alone.add(measure, false);
        let at = self.waiting as u32;
        for (sum, value) in self.sums.iter_mut().zip(self.alone.sums) {
            if value != 0 {
                sum.push((at, value));
            }
        }
        for (amount, value) in self.amounts.iter_mut().zip(self.alone.amounts) {
            if value != 0 {
                amount.push((at, value));
            }
        }
        for (shape, values) in Shape::ALL.into_iter().zip(&mut self.shapes) {
            values.extend(measure.shape(shape).map(|value| (at, sketch::bucket(value))));
        }
        self.records += 1;
        self.waiting += 1;
        if self.waiting == TOGETHER {
            self.add_up();
        }
    }

    fn add_up(&mut self) {
        for of in &mut self.cubes {
            for (at, (own, more)) in of.sums.iter_mut().zip(&self.sums).enumerate() {
                if !more.is_empty() {
                    own.resize(of.keys.len(), 0);
                    for (record, value) in more {
                        let own = &mut own[of.places[*record as usize] as usize];
                        *own = fold(at, *own, *value);
                    }
                }
            }
            for (own, more) in of.amounts.iter_mut().zip(&self.amounts) {
                if !more.is_empty() {
                    own.resize(of.keys.len(), 0);
                    for (record, value) in more {
                        let own = &mut own[of.places[*record as usize] as usize];
                        *own = own.saturating_add(*value);
                    }
                }
            }
            for (own, more) in of.shapes.iter_mut().zip(&self.shapes) {
                let value = |place: u32, bucket: u16| (u64::from(place) << 16 | u64::from(bucket), 1);
                own.extend(more.iter().map(|(record, bucket)| value(of.places[*record as usize], *bucket)));
            }
            of.places.clear();
        }
        self.sums.iter_mut().for_each(Vec::clear);
        self.amounts.iter_mut().for_each(Vec::clear);
        self.shapes.iter_mut().for_each(Vec::clear);
        self.waiting = 0;
    }

    /// A block per cube that has cells, with its first and its last hour. `name`: what a number stands for.
    ///
    /// # Errors
    /// Those of `name`.
    pub fn finish<E>(
        mut self,
        mut name: impl FnMut(u64) -> Result<std::rc::Rc<str>, E>,
    ) -> Result<Vec<Gathered>, E> {
        self.add_up();
        let mut blocks = Vec::with_capacity(self.cubes.len());
        for of in self.cubes {
            let hours = || of.keys.iter().map(|key| key.hour);
            let Some((first, last)) = hours().min().zip(hours().max()) else { continue };
            let cube = of.cube;
            blocks.push(Gathered { cube, first, last, bytes: of.encode(&mut name)? });
        }
        Ok(blocks)
    }
}

/// The cells of a cube as a block.
#[derive(Debug, Clone)]
pub struct Gathered {
    pub cube: Cube,
    /// Hours since 1970.
    pub first: u32,
    pub last: u32,
    pub bytes: Vec<u8>,
}

/// One block of many of a cube, with its first and its last hour. `None`: there are no cells.
pub fn merged(cube: Cube, blocks: &[Block<'_>]) -> Option<Gathered> {
    merge(OfCube::new(cube, cube.hours()), blocks)
}

/// As [`merged`], with cells of days.
pub fn merged_to_days(cube: Cube, blocks: &[Block<'_>]) -> Option<Gathered> {
    merge(OfCube::new(cube, 24), blocks)
}

fn merge(mut of: OfCube, blocks: &[Block<'_>]) -> Option<Gathered> {
    let cube = of.cube;
    let mut texts: Vec<std::rc::Rc<str>> = Vec::new();
    let mut numbers: HashMap<&str, u64, foldhash::fast::RandomState> = HashMap::default();
    for block in blocks {
        let own: Vec<u64> = std::iter::once(0)
            .chain(block.names().iter().map(|name| {
                *numbers.entry(name).or_insert_with(|| {
                    texts.push((*name).into());
                    texts.len() as u64
                })
            }))
            .collect();
        let number = |place, at| {
            let number = usize::try_from(block.get(NAME + place, at)).ok();
            number.and_then(|number| own.get(number).copied()).unwrap_or(0)
        };
        let places: Vec<u32> = (0..block.len())
            .map(|at| {
                let names = std::array::from_fn(|place| number(place, at));
                let hour = block.hour(at);
                of.place(Key { hour: hour - hour % of.hours, status: block.status(at), names })
            })
            .collect();
        of.merge(block, &places);
    }
    let hours = || of.keys.iter().map(|key| key.hour);
    let (first, last) = hours().min().zip(hours().max())?;
    let text = |number: u64| {
        let text = usize::try_from(number - 1).ok().and_then(|at| texts.get(at)).cloned();
        Ok::<_, std::convert::Infallible>(text.unwrap_or_else(|| "".into()))
    };
    let mut text = text;
    let Ok(bytes) = of.encode(&mut text);
    Some(Gathered { cube, first, last, bytes })
}

impl OfCube {
    fn new(cube: Cube, hours: u32) -> Self {
        Self {
            cube,
            hours,
            numbers: HashMap::default(),
            keys: Vec::new(),
            places: Vec::new(),
            sums: std::array::from_fn(|_| Vec::new()),
            amounts: Default::default(),
            shapes: Default::default(),
        }
    }

    /// Adds a block's cells to those at `places`.
    fn merge(&mut self, block: &Block<'_>, places: &[u32]) {
        for column in block.present(AMOUNT) {
            if column >= SUM {
                let own = &mut self.sums[column - SUM];
                own.resize(self.keys.len(), 0);
                for (at, place) in places.iter().enumerate() {
                    let own = &mut own[*place as usize];
                    *own = fold(column - SUM, *own, block.get(column, at));
                }
            } else {
                let own = &mut self.amounts[(column - AMOUNT) / 2];
                let shift = 64 * ((column - AMOUNT) % 2);
                own.resize(self.keys.len(), 0);
                for (at, place) in places.iter().enumerate() {
                    let own = &mut own[*place as usize];
                    *own = own.saturating_add(u128::from(block.get(column, at)) << shift);
                }
            }
        }
        for (at, place) in places.iter().enumerate() {
            for (shape, values) in Shape::ALL.into_iter().zip(&mut self.shapes) {
                sketch::each_encoded(block.shape(shape, at), |bucket, count| {
                    values.push((u64::from(*place) << 16 | u64::from(bucket), count));
                });
            }
        }
    }

    fn at(&mut self, hour: u32, status: u16, names: &Names<u64>) -> u32 {
        self.place(Key {
            hour: hour - hour % self.hours,
            status: if self.cube.has_status() { status } else { 0 },
            names: self.cube.names(names),
        })
    }

    fn place(&mut self, key: Key) -> u32 {
        *self.numbers.entry(key).or_insert_with(|| {
            self.keys.push(key);
            (self.keys.len() - 1) as u32
        })
    }

    /// In the order of hours.
    fn encode<E>(self, name: &mut impl FnMut(u64) -> Result<std::rc::Rc<str>, E>) -> Result<Vec<u8>, E> {
        let mut order: Vec<u32> = (0..self.keys.len() as u32).collect();
        order.sort_by_key(|place| self.keys[*place as usize].hour);
        let mut texts = Vec::new();
        let mut known: HashMap<u64, u64, foldhash::fast::RandomState> = HashMap::default();
        known.insert(0, 0);
        let mut numbers: [Vec<u64>; NAMES] = std::array::from_fn(|_| Vec::with_capacity(order.len()));
        for place in &order {
            for (column, number) in numbers.iter_mut().zip(self.keys[*place as usize].names) {
                let own = match known.get(&number) {
                    Some(own) => *own,
                    None => {
                        texts.push(name(number)?);
                        known.insert(number, texts.len() as u64);
                        texts.len() as u64
                    }
                };
                column.push(own);
            }
        }
        let mut out = Writer::new(0);
        out.names = texts.iter().map(|text| &**text).collect();
        let keys = || order.iter().map(|place| self.keys[*place as usize]);
        out.set(HOUR, keys().map(|key| key.hour.into()).collect());
        out.set(STATUS, keys().map(|key| key.status.into()).collect());
        for (at, column) in numbers.into_iter().enumerate() {
            out.set(NAME + at, column);
        }
        for (at, sums) in self.sums.into_iter().enumerate().filter(|(_, sums)| !sums.is_empty()) {
            let of = |place: &u32| sums.get(*place as usize).copied().unwrap_or(0);
            out.set(SUM + at, order.iter().map(of).collect());
        }
        for (at, amounts) in self.amounts.into_iter().enumerate().filter(|(_, amounts)| !amounts.is_empty()) {
            let of = |place: &u32| amounts.get(*place as usize).copied().unwrap_or(0);
            out.set(AMOUNT + 2 * at, order.iter().map(|place| of(place) as u64).collect());
            out.set(AMOUNT + 2 * at + 1, order.iter().map(|place| (of(place) >> 64) as u64).collect());
        }
        let mut position = vec![0u32; order.len()];
        (0u32..).zip(&order).for_each(|(at, place)| position[*place as usize] = at);
        for (shape, values) in Shape::ALL.into_iter().zip(self.shapes) {
            let mut sorted = values;
            for (value, _) in &mut sorted {
                *value = u64::from(position[(*value >> 16) as usize]) << 16 | *value & 0xffff;
            }
            sorted.sort_unstable_by_key(|(value, _)| *value);
            out.shapes_of(shape, order.len(), &sorted);
        }
        Ok(out.encode())
    }
}
