//! What requests cost, to the last digit, or that nobody knows: never a silent zero.
//!
//! [`Prices::find`] goes from a model's name to its prices and says how.
//! The prices are data (`data/prices.tsv`, embedded) and are searched where they lie.

mod book;
mod class;
mod estimate;
mod meter;
mod money;
mod names;
mod overrides;
mod prices;
mod table;

pub use book::{Notes, as_of};
pub use class::Class;
pub use estimate::{Estimate, Estimates};
pub use meter::Meter;
pub use money::{Money, NotMoney, TooLarge};
pub use names::By;
pub use overrides::Overrides;
pub use prices::{Found, ModelName, Prices};
pub use rust_decimal::Decimal;
pub use table::{PriceTable, TableError};
