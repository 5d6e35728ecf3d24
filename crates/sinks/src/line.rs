//! Rows as lines of JSON, packed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use tidegate_core::clock::rfc3339_text;
use tidegate_parquet::{Cell, Kind};
use tidegate_records::RequestRecord;

use crate::row::MEMBERS;

/// The lines of a batch, compressed with gzip: the same bytes for the same records.
pub(crate) fn packed(records: &[RequestRecord]) -> Result<Vec<u8>, String> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let mut written = Ok(());
    for record in records {
        written = written.and_then(|()| packed.write_all(line(record).as_bytes()));
    }
    written.and_then(|()| packed.finish()).map_err(|error| error.to_string())
}

/// With the break at its end. Exact decimals are texts, and times are those of RFC 3339.
fn line(record: &RequestRecord) -> String {
    let mut members = Map::with_capacity(MEMBERS.len());
    for member in MEMBERS {
        let value = match ((member.of)(record), member.kind) {
            (Cell::Null, _) => Value::Null,
            (Cell::Text(text), Kind::Json) => serde_json::from_str(&text).unwrap_or(Value::Null),
            (Cell::Text(text), _) => Value::String(text),
            (Cell::Boolean(is), _) => Value::Bool(is),
            (Cell::Integer(ms), Kind::Time) => Value::String(rfc3339_text(ms.unsigned_abs())),
            (Cell::Integer(number), _) => number.into(),
            (Cell::Decimal(amount), _) => Value::String(amount.normalize().to_string()),
        };
        members.insert(member.name.to_owned(), value);
    }
    let mut line = Value::Object(members).to_string();
    line.push('\n');
    line
}
