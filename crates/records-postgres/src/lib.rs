//! Records in PostgreSQL, for several gateways that share a database: one table for records, one for bodies, both in a
//! partition per day, so that retention drops tables and never deletes rows.
//!
//! Columns stand beside each record's bytes for filters and for people who ask in SQL; what a list shows is read from the
//! bytes. A batch is one statement whose rows are kept apart by their id: one that was committed though its answer was lost
//! changes nothing when it comes again. Roll-ups for figures of many records are rows of the same transaction: each has the cells
//! of a batch, so that gateways never wait for each other's, and is merged with its neighbours later.

mod batch;
mod figures;
mod node;
mod numbers;
mod query;
mod reader;
mod rollups;
mod schema;
mod session;
mod settled;
mod sink;
mod text;
mod traces;
mod users;

pub use node::Node;
pub use reader::PostgresReader;
pub use sink::{PostgresOptions, PostgresSink};
pub use traces::PostgresBook;
