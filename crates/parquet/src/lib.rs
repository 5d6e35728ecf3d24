//! Tables as Parquet files, written while their rows come in.
//!
//! A [`Writer`] takes rows of [`Cell`]s and gives bytes whenever it has some: what it holds is one row group, so a file
//! may be larger than memory. Every column may be null. Pages are compressed with Snappy, which every reader knows.

mod cell;
mod column;
mod writer;

pub use cell::{Cell, Column, Kind};
pub use writer::{ParquetError, Writer};
