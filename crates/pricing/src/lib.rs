//! What requests cost, to the last digit, or that nobody knows: never a silent zero.
//!
//! [`Prices::find`] goes from a model's name to its prices and says how; [`Measured::read`] from a provider's usage
//! object to disjoint [`Quantities`]; [`Found::cost`] from both to a [`Bill`] with a line per meter; [`Found::ceiling`]
//! tells before a request is sent what it can cost at most. No I/O, no clock, no state but a bounded cache of names.
//! The prices are data (`data/prices.tsv`, packed into the program by provider).

mod bill;
mod book;
mod ceiling;
mod cents;
mod class;
mod estimate;
mod listed;
mod meter;
mod money;
mod names;
mod overrides;
mod own;
mod policy;
mod prices;
mod quantities;
mod quick;
mod rate;
mod table;
mod usage;

pub use bill::{Bill, Cost, CostError, Line, Served, Unpriced};
pub use book::{Notes, as_of};
pub use ceiling::{Bounds, CacheWrites, Ceiling, Kinds};
pub use cents::CentsError;
pub use class::Class;
pub use estimate::{Estimate, Estimates};
pub use listed::{ListedPrice, priced_models};
pub use meter::Meter;
pub use money::{Money, NotMoney, TooLarge};
pub use names::By;
pub use overrides::Overrides;
pub use own::OwnPrices;
pub use policy::{Admission, UnpricedPolicy};
pub use prices::{Found, ModelName, Prices};
pub use quantities::{Facts, Images, Quantities};
pub use rust_decimal::Decimal;
pub use table::{PriceTable, TableError};
pub use usage::{Measured, Reading, UsageError};
