//! The values of one column until their row group is written.

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::{Type, TypePtr};
use rust_decimal::Decimal;

use crate::cell::{Cell, Column, Kind};

/// Digits of a decimal, and those behind the point.
const PRECISION: i32 = 38;
const SCALE: u32 = 18;
/// Bytes of a decimal: 38 digits need all of them.
const DECIMAL_BYTES: i32 = 16;

/// Values without the nulls.
#[derive(Debug)]
enum Values {
    Text(Vec<ByteArray>),
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Decimal(Vec<FixedLenByteArray>),
}

#[derive(Debug)]
pub(crate) struct Pending {
    kind: Kind,
    values: Values,
    /// For every row whether it has a value: 1, or none: 0.
    levels: Vec<i16>,
}

impl Pending {
    pub(crate) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text | Kind::Json => Values::Text(Vec::new()),
            Kind::Boolean => Values::Boolean(Vec::new()),
            Kind::Integer | Kind::Time => Values::Integer(Vec::new()),
            Kind::Decimal => Values::Decimal(Vec::new()),
        };
        Self { kind, values, levels: Vec::new() }
    }

    /// Gives the bytes that the cell takes in memory, roughly.
    pub(crate) fn push(&mut self, cell: Cell) -> usize {
        let size = match (&mut self.values, cell) {
            (Values::Text(values), Cell::Text(text)) => {
                let length = text.len();
                values.push(ByteArray::from(text.into_bytes()));
                Some(length)
            }
            (Values::Boolean(values), Cell::Boolean(value)) => {
                values.push(value);
                Some(1)
            }
            (Values::Integer(values), Cell::Integer(value)) => {
                values.push(value);
                Some(8)
            }
            (Values::Decimal(values), Cell::Decimal(value)) => match unscaled(value) {
                Some(bytes) => {
                    values.push(bytes.to_vec().into());
                    Some(bytes.len())
                }
                None => None,
            },
            _ => None,
        };
        self.levels.push(i16::from(size.is_some()));
        size.unwrap_or(0) + 32
    }

    /// Writes what is there; nothing is left.
    pub(crate) fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let Self { values, levels, kind } = std::mem::replace(self, Self::new(self.kind));
        let levels = Some(levels.as_slice());
        let written = match (column.untyped(), &values) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Values::Text(values)) => {
                writer.write_batch(values, levels, None)
            }
            (ColumnWriter::BoolColumnWriter(writer), Values::Boolean(values)) => {
                writer.write_batch(values, levels, None)
            }
            (ColumnWriter::Int64ColumnWriter(writer), Values::Integer(values)) => {
                writer.write_batch(values, levels, None)
            }
            (ColumnWriter::FixedLenByteArrayColumnWriter(writer), Values::Decimal(values)) => {
                writer.write_batch(values, levels, None)
            }
            _ => return Err(ParquetError::General(format!("a column of {kind:?} has another writer"))),
        };
        written.map(drop)
    }
}

/// Big-endian two's complement of the number without its point.
fn unscaled(value: Decimal) -> Option<[u8; DECIMAL_BYTES as usize]> {
    let rounded = value.round_dp(SCALE);
    let factor = 10_i128.checked_pow(SCALE - rounded.scale())?;
    Some(rounded.mantissa().checked_mul(factor)?.to_be_bytes())
}

/// The column as a file describes it.
pub(crate) fn described(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Kind::Boolean => (Physical::BOOLEAN, None),
        Kind::Integer => (Physical::INT64, None),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        Kind::Decimal => {
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(SCALE.cast_signed(), PRECISION)))
        }
    };
    let mut builder = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    if column.kind == Kind::Decimal {
        builder =
            builder.with_length(DECIMAL_BYTES).with_precision(PRECISION).with_scale(SCALE.cast_signed());
    }
    builder.build().map(TypePtr::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_to_their_18th_digit() {
        for (text, number) in [
            ("0", 0),
            ("0.000000000000000001", 1),
            ("-1.5", -1_500_000_000_000_000_000),
            ("12.3400", 12_340_000_000_000_000_000),
            ("0.00000000000000000049", 0),
        ] {
            assert_eq!(unscaled(text.parse().unwrap()).map(i128::from_be_bytes), Some(number), "{text}");
        }
        // More digits than the column has.
        assert_eq!(unscaled(Decimal::MAX), None);
    }
}
