//! What a store of records gives for answers.

use std::ops::Range;

use tidegate_records::{Filter, ReadError};

use crate::block::Block;
use crate::cube::{Cube, Dimension};
use crate::measure::Measure;
use crate::parts;
use crate::wants::Wants;

/// A store that is asked for figures. Calls block: not for threads that serve requests.
pub trait Source: Send {
    /// Tells the records that fit, the newest first as far as that costs nothing, and at most `most`.
    ///
    /// # Errors
    /// [`ReadError`]
    fn scan(
        &mut self,
        filter: &Filter,
        wanted: Wanted<'_>,
        most: u64,
        each: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Scanned, ReadError>;

    /// Tells all blocks of a cube that may have cells of these hours (since 1970, both of whole days or not), and gives the
    /// days (since 1970) of which it has records and no cells. What is not wanted of cells may be nothing.
    ///
    /// # Errors
    /// [`ReadError`]
    fn cells(
        &mut self,
        cube: Cube,
        hours: Range<u32>,
        reading: Reading,
        each: &mut dyn FnMut(&Block<'_>),
    ) -> Result<Vec<u32>, ReadError>;

    /// Makes a day's cells anew from its records and compares: what the day's roll-ups are to be.
    ///
    /// # Errors
    /// [`ReadError`]
    fn verify(&mut self, day: u32) -> Result<Verified, ReadError>;
}

/// How cells are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub wants: Wants,
    /// Cells of a whole day will do in the place of those of its hours.
    pub by_day: bool,
}

impl Reading {
    /// Everything, as fine as it is kept.
    pub const ALL: Self = Self { wants: Wants::ALL, by_day: false };

    /// Whether a part of a block is read: see [`Block::split`].
    pub fn reads(&self, part: u8) -> bool {
        parts::is_read(self.wants, part)
    }

    /// The parts that are read.
    pub fn parts(&self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(|part| self.reads(*part))
    }
}

/// What is to be told of records besides their figures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    pub group: Option<&'a Dimension>,
    pub user: bool,
}

/// A record as a scan tells it. Text that was not wanted is empty.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub key: &'a str,
    pub user: &'a str,
    pub measure: &'a Measure,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scanned {
    pub records: u64,
    /// There were more.
    pub cut: bool,
}

/// How a day's roll-ups compare with its records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    pub records: u64,
    /// Cells of all cubes.
    pub cells: u64,
    /// The cubes that are not what the records make; empty bits when all are.
    pub wrong: u64,
}
