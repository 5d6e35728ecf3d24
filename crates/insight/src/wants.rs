//! What a question reads of cells.

use crate::block::{AMOUNT, SUM};
use crate::cell::{Amount, Shape, Sum, adds_up};
use crate::metric::Metric;

/// The numbers of cells that are looked at: each costs, and stores keep them apart. Others may be nothing in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wants {
    /// A bit per [`Sum`], [`Amount`] and [`Shape`].
    sums: u64,
    amounts: u8,
    shapes: u8,
    /// Users are to be told apart.
    pub users: bool,
}

impl Default for Wants {
    fn default() -> Self {
        Self::NUMBERS
    }
}

impl Wants {
    /// Requests, which every answer has.
    const LEAST: Self = Self { sums: 1 << Sum::Requests as u32, amounts: 0, shapes: 0, users: false };
    /// All sums and amounts.
    pub const NUMBERS: Self = Self { sums: u64::MAX, amounts: u8::MAX, shapes: 0, users: false };
    /// All sums, amounts and shapes.
    pub const ALL: Self = Self { shapes: u8::MAX, ..Self::NUMBERS };

    pub fn of<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> Self {
        metrics.into_iter().fold(Self::LEAST, |wants, metric| wants.and(metric.wants()))
    }

    #[must_use]
    pub const fn with_users(self, users: bool) -> Self {
        Self { users, ..self }
    }

    /// What either wants.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            sums: self.sums | other.sums,
            amounts: self.amounts | other.amounts,
            shapes: self.shapes | other.shapes,
            users: self.users || other.users,
        }
    }

    pub(crate) fn sums(mut self, sums: &[Sum]) -> Self {
        sums.iter().for_each(|sum| self.sums |= 1 << *sum as u32);
        self
    }

    pub(crate) fn amounts(mut self, amounts: &[Amount]) -> Self {
        amounts.iter().for_each(|amount| self.amounts |= 1 << *amount as u32);
        self
    }

    pub(crate) fn shape(mut self, shape: Shape) -> Self {
        self.shapes |= 1 << shape as u32;
        self
    }

    /// Of all that is wanted, what a part has can be taken from the whole.
    pub(crate) fn are_sums(self) -> bool {
        !self.users && (0..Sum::COUNT).all(|at| self.sums >> at & 1 == 0 || adds_up(at))
    }

    pub(crate) fn has_shapes(self) -> bool {
        self.shapes != 0
    }

    pub(crate) fn has_shape(self, shape: Shape) -> bool {
        self.shapes & 1 << shape as u32 != 0
    }

    /// Whether it wants the column of a block, which has an amount or a sum.
    pub(crate) fn has(self, column: usize) -> bool {
        if column >= SUM {
            self.sums >> (column - SUM).min(63) & 1 != 0
        } else {
            self.amounts >> (column.saturating_sub(AMOUNT) / 2) & 1 != 0
        }
    }
}

/// Numbers of all sums have a bit.
const _: () = assert!(Sum::COUNT <= 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_everything_but_users() {
        assert!((AMOUNT..SUM + Sum::COUNT).all(|column| Wants::ALL.has(column)));
        let cost = Wants::of([Metric::find("cost").unwrap()]);
        assert!(cost.has(AMOUNT) && cost.has(AMOUNT + 1) && !cost.has(AMOUNT + 2) && !cost.has_shapes());
        assert!(cost.has(SUM) && !cost.has(SUM + 1) && !cost.users);
        assert!(Wants::of([Metric::find("users").unwrap()]).users);
    }
}
