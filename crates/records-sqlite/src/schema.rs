//! Tables. A file's version is its `user_version`. Columns are only ever added, with a default: an older binary goes on reading
//! and writing the files of a newer one.

use rusqlite::{Connection, Result};

pub(crate) const VERSION: i64 = 5;
/// The oldest that is read. What came before was never released: what such a file has stays in it, under other names, and
/// its day goes on beside it.
pub(crate) const OLDEST: i64 = 4;

/// Records stand in chunks as they came, each behind its length (4 bytes); what lists filter by stands in blocks, with where
/// the record is. A roll-up has the cells of one cube for the records of some blocks: all of a cube's have those of all blocks up
/// to `rolled`. `first` and `last` are ids, or hours since 1970. What is settled are the cells of the day, part by part, for
/// so many records. No table has a row per record.
pub(crate) const ROWS: &str = "
create table if not exists name(id integer primary key, text text not null unique) strict;
create table if not exists chunk(id integer primary key, records blob not null) strict;
create table if not exists block(
  id integer primary key, first integer not null, last integer not null, tier integer not null, count integer not null,
  columns blob not null
) strict;
create index if not exists block_last on block(last, first, count);
create index if not exists block_small on block(tier) where tier < 3;
create table if not exists rollup(
  id integer primary key, cube integer not null, tier integer not null, first integer not null, last integer not null,
  records integer not null, cells blob not null
) strict;
create index if not exists rollup_cube on rollup(cube, tier, first, last, records);
create table if not exists settled(
  cube integer not null, part integer not null, records integer not null, bytes blob not null, primary key (cube, part)
) strict;
create table if not exists rolled(one integer primary key check (one = 1), block integer not null) strict;
insert or ignore into rolled values (1, 0);
";

/// The seal is that of the record which the bodies belong to.
pub(crate) const BODIES: &str = "
create table if not exists body(id integer primary key, seal integer not null, bodies blob not null) strict;
";

/// The words of bodies, by the ids of their records. Neither where a word stands nor the text is kept. Words have no ASCII
/// character but letters and digits, so the tokenizer takes them as they are. Made where it is missing: files that an
/// earlier binary began have no words of what was written before.
pub(crate) const WORDS: &str = "
create virtual table if not exists words using fts5(found, content='', columnsize=0, detail=none, tokenize='ascii');
";

pub(crate) const STREAM: u64 = 1;
pub(crate) const ESTIMATE: u64 = 2;
pub(crate) const UNPRICED: u64 = 4;
pub(crate) const HAS_BODIES: u64 = 8;
/// The cost has more than 12 decimal places.
pub(crate) const INEXACT_COST: u64 = 16;
pub(crate) const FELL_BACK: u64 = 32;
pub(crate) const FIRST_FAILED: u64 = 64;
pub(crate) const USAGE_ESTIMATED: u64 = 128;
pub(crate) const LIMITED: u64 = 256;
pub(crate) const CLIENT_GONE: u64 = 512;
pub(crate) const BROKEN: u64 = 1_024;

/// Makes or checks the tables of a file that is to be written.
pub(crate) fn prepare(connection: &Connection, tables: &str) -> Result<()> {
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit survives the process; `sync` makes it survive the machine before the journal forgets it.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -4_000)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT / PAGE)?;
    let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    if version < VERSION {
        connection.execute_batch("begin immediate")?;
        if (1..OLDEST).contains(&version) {
            put_aside(connection, version)?;
        }
        connection.execute_batch(&format!("{tables} pragma user_version = {VERSION}; commit;"))?;
    }
    Ok(())
}

/// Tables of versions that were never released get other names.
fn put_aside(connection: &Connection, version: i64) -> Result<()> {
    // The tables of an index go with it.
    let tables = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not glob 'words_*'";
    let mut find = connection.prepare(tables)?;
    let tables: Vec<String> = find.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
    for index in ["block_last", "block_small", "rollup_cube"] {
        connection.execute_batch(&format!("drop index if exists {index}"))?;
    }
    for table in tables {
        connection.execute_batch(&format!("alter table {table} rename to {table}_{version}"))?;
    }
    Ok(())
}

/// Bytes.
const PAGE: i64 = 16_384;
/// What may stand in the file beside the database before it is copied.
const CHECKPOINT: i64 = 16 << 20;
