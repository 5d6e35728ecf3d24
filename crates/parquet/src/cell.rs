//! What a table is made of.

use rust_decimal::Decimal;

/// How the values of a column are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8: `STRING`.
    Text,
    /// The text of a JSON value: `JSON`.
    Json,
    Boolean,
    /// `INT64`
    Integer,
    /// Milliseconds since 1970, UTC: `TIMESTAMP(MILLIS)`.
    Time,
    /// `DECIMAL(38, 18)`; digits beyond the 18th behind the point are rounded.
    Decimal,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A value. One that does not fit its column's [`Kind`] is null there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Null,
    /// For [`Kind::Text`] and [`Kind::Json`].
    Text(String),
    Boolean(bool),
    /// For [`Kind::Integer`] and [`Kind::Time`].
    Integer(i64),
    Decimal(Decimal),
}
