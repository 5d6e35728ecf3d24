//! Records in PostgreSQL, for several gateways that share a database: one table for records, one for bodies, both in a
//! partition per day, so that retention drops tables and never deletes rows.
//!
//! Columns stand beside each record's bytes for filters and for people who ask in SQL; what a list shows is read from the
//! bytes. A batch is one statement whose rows are kept apart by their id: one that was committed though its answer was lost
//! changes nothing when it comes again.

mod batch;
mod node;
mod query;
mod reader;
mod schema;
mod session;
mod sink;
mod text;

pub use node::Node;
pub use reader::PostgresReader;
pub use sink::{PostgresOptions, PostgresSink};
