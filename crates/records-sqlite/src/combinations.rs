//! The metadata of records in blocks, which have hashes of it: the text is read from the first record that has the same.

use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{Connection, Result};
use tidegate_insight::{Combination, Dimension, MOST_COMBINATIONS};
use tidegate_records::Facts;

use crate::columns::Block;
use crate::pages::{Chunks, Place, damaged};
use crate::texts::Texts;

/// Numbers from here on are those of combinations, smaller ones those of the day's names.
const FIRST: u64 = 1 << 62;

pub(crate) struct Combinations<'a> {
    chunks: Chunks<'a>,
    /// By a hash of the hashes.
    numbers: HashMap<u64, u64, foldhash::fast::RandomState>,
    texts: Vec<Rc<str>>,
    last: (u64, u64),
    too_many: bool,
}

impl<'a> Combinations<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            chunks: Chunks::new(connection),
            numbers: HashMap::default(),
            texts: Vec::new(),
            last: (0, 0),
            too_many: false,
        }
    }

    pub(crate) fn are_too_many(&self) -> bool {
        self.too_many
    }

    /// Of a record's metadata; 0 when it has none, and when there are too many combinations.
    pub(crate) fn number(&mut self, block: &Block<'_>, at: usize) -> Result<u64> {
        let hash = block.pairs(at).fold(0u64, |all, pair| {
            (all.rotate_left(5) ^ pair).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1)
        });
        if hash == 0 || self.too_many {
            return Ok(0);
        }
        if self.last.0 == hash {
            return Ok(self.last.1);
        }
        let number = match self.numbers.get(&hash) {
            Some(number) => *number,
            None if self.texts.len() >= MOST_COMBINATIONS => {
                self.too_many = true;
                return Ok(0);
            }
            None => {
                let encoded = self.chunks.find(Place::of(block, at))?;
                let facts = Facts::read(encoded).map_err(|_| damaged("a record"))?;
                self.texts.push(Combination::write(&facts.metadata).into());
                let number = FIRST + self.texts.len() as u64 - 1;
                self.numbers.insert(hash, number);
                number
            }
        };
        self.last = (hash, number);
        Ok(number)
    }

    /// Of a number that this gave, or of one of the day's names.
    pub(crate) fn text(&self, number: u64, names: &mut Texts<'_>) -> Result<Rc<str>> {
        match number.checked_sub(FIRST) {
            None => names.get(number),
            Some(at) => self.at(at).cloned().ok_or_else(|| damaged("a name")),
        }
    }

    fn at(&self, at: u64) -> Option<&Rc<str>> {
        usize::try_from(at).ok().and_then(|at| self.texts.get(at))
    }
}

/// What records of blocks have under one name of their metadata, where that is what they are grouped by.
pub(crate) struct Values<'a> {
    name: Option<&'a str>,
    combinations: Combinations<'a>,
    /// By the place of the combination.
    known: Vec<Rc<str>>,
    nothing: Rc<str>,
}

impl<'a> Values<'a> {
    pub(crate) fn new(connection: &'a Connection, group: Option<&'a Dimension>) -> Self {
        let name = match group {
            Some(Dimension::Metadata(name)) => Some(name.as_str()),
            _ => None,
        };
        let combinations = Combinations::new(connection);
        Self { name, combinations, known: Vec::new(), nothing: "".into() }
    }

    pub(crate) fn are_wanted(&self) -> bool {
        self.name.is_some()
    }

    /// Empty for a record that has nothing there. `None`: it is to be read from the record itself.
    pub(crate) fn of(&mut self, block: &Block<'_>, at: usize) -> Result<Option<Rc<str>>> {
        let Some(name) = self.name else { return Ok(None) };
        let number = self.combinations.number(block, at)?;
        if self.combinations.are_too_many() {
            return Ok(None);
        }
        let Some(place) = number.checked_sub(FIRST) else { return Ok(Some(self.nothing.clone())) };
        while let Some(text) = self.combinations.at(self.known.len() as u64) {
            self.known.push(Combination::read(text).value(name).into());
        }
        Ok(usize::try_from(place).ok().and_then(|place| self.known.get(place)).cloned())
    }
}
