//! From rows to the bytes of a file.

use std::fmt;
use std::mem::take;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::cell::{Cell, Column};
use crate::column::{Pending, described};

/// Bounds of a row group: readers take one at a time, and so does this writer's memory.
const GROUP_ROWS: usize = 50_000;
const GROUP_BYTES: usize = 16 << 20;

/// The table cannot be written as Parquet.
#[derive(Debug)]
pub struct ParquetError(String);

impl fmt::Display for ParquetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file cannot be written: {}", self.0)
    }
}

impl std::error::Error for ParquetError {}

impl From<parquet::errors::ParquetError> for ParquetError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self(error.to_string())
    }
}

/// A file that is being written. What it gives, one after the other, is the file.
pub struct Writer {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Pending>,
    rows: usize,
    bytes: usize,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("rows", &self.rows).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Writer {
    /// # Errors
    /// No columns, or two of one name.
    pub fn new(columns: &[Column]) -> Result<Self, ParquetError> {
        let twice = columns
            .iter()
            .enumerate()
            .find(|(at, one)| columns.iter().take(*at).any(|other| other.name == one.name));
        match twice {
            Some((_, column)) => return Err(ParquetError(format!("two columns are called {}", column.name))),
            None if columns.is_empty() => return Err(ParquetError("it has no columns".to_owned())),
            None => {}
        }
        let fields = columns.iter().map(described).collect::<Result<_, _>>()?;
        let schema = Type::group_type_builder("record").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(concat!("tidegate ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
        let columns = columns.iter().map(|column| Pending::new(column.kind)).collect();
        Ok(Self { file, columns, rows: 0, bytes: 0 })
    }

    /// The next row, a cell a column; cells that are missing are null. Gives a part of the file when a row group is full,
    /// and else nothing.
    ///
    /// # Errors
    /// [`ParquetError`]; the file cannot be finished then.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) -> Result<Bytes, ParquetError> {
        let mut cells = row.into_iter();
        for column in &mut self.columns {
            self.bytes += column.push(cells.next().unwrap_or(Cell::Null));
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES { self.flush() } else { Ok(Bytes::new()) }
    }

    /// The rest of the file.
    ///
    /// # Errors
    /// [`ParquetError`]
    pub fn finish(mut self) -> Result<Bytes, ParquetError> {
        let mut rest = self.flush()?.to_vec();
        self.file.finish()?;
        self.file.flush().map_err(|error| ParquetError(error.to_string()))?;
        rest.append(self.file.inner_mut());
        Ok(rest.into())
    }

    fn flush(&mut self) -> Result<Bytes, ParquetError> {
        if self.rows > 0 {
            let mut group = self.file.next_row_group()?;
            for column in &mut self.columns {
                let missing = || ParquetError("a column has no writer".to_owned());
                let mut writer = group.next_column()?.ok_or_else(missing)?;
                column.write(&mut writer)?;
                writer.close()?;
            }
            group.close()?;
            (self.rows, self.bytes) = (0, 0);
        }
        self.file.flush().map_err(|error| ParquetError(error.to_string()))?;
        Ok(take(self.file.inner_mut()).into())
    }
}
