//! Tables. A file's version is its `user_version`. Columns are only ever added, with a default: an older binary goes on reading
//! and writing the files of a newer one.

use rusqlite::{Connection, Result};

pub(crate) const VERSION: i64 = 2;

/// `place` says where a record stands, and that it is there: the only table with a row per record. Records stand in chunks as
/// they came, each behind its length (4 bytes); what lists filter by stands in blocks.
pub(crate) const ROWS: &str = "
create table if not exists name(id integer primary key, text text not null unique) strict;
create table if not exists place(
  id integer primary key, seal integer not null, chunk integer not null, at integer not null
) strict;
create table if not exists chunk(id integer primary key, records blob not null) strict;
create table if not exists block(
  id integer primary key, first integer not null, last integer not null, tier integer not null, count integer not null,
  columns blob not null
) strict;
create index if not exists block_last on block(last, first, count);
create index if not exists block_small on block(tier) where tier < 3;
";

/// The seal is that of the record which the bodies belong to.
pub(crate) const BODIES: &str = "
create table if not exists body(id integer primary key, seal integer not null, bodies blob not null) strict;
";

pub(crate) const STREAM: u64 = 1;
pub(crate) const ESTIMATE: u64 = 2;
pub(crate) const UNPRICED: u64 = 4;
pub(crate) const HAS_BODIES: u64 = 8;
/// The cost has more than 12 decimal places.
pub(crate) const INEXACT_COST: u64 = 16;

/// Makes or checks the tables of a file that is to be written.
pub(crate) fn prepare(connection: &Connection, tables: &str) -> Result<()> {
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit survives the process; `sync` makes it survive the machine before the journal forgets it.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT / PAGE)?;
    let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    if version < VERSION {
        // Version 1 was never released: what such a file has stays in it, and its day goes on beside it.
        let older = if version == 1 && tables == BODIES {
            "alter table body add column seal integer not null default -1;"
        } else {
            ""
        };
        connection.execute_batch(&format!(
            "begin immediate; {older} {tables} pragma user_version = {VERSION}; commit;"
        ))?;
    }
    Ok(())
}

/// Bytes.
const PAGE: i64 = 16_384;
/// What may stand in the file beside the database before it is copied.
const CHECKPOINT: i64 = 16 << 20;
