//! Tables. A file's version is its `user_version`. Columns are only ever added, with a default: an older binary goes on reading
//! and writing the files of a newer one.

use rusqlite::{Connection, Result};

pub(crate) const VERSION: i64 = 1;

/// The indexes leave out rows without the name: most of those filters are asked for few rows. `status` leaves out 200, the
/// bulk, which needs no index to be found.
pub(crate) const ROWS: &str = "
create table if not exists name(id integer primary key, text text not null unique) strict;
create table if not exists row(
  id integer primary key, seal integer not null, status integer not null, workspace integer not null,
  api_key integer not null, user integer not null, route integer not null, provider integer not null,
  virtual_key integer not null, config integer not null, asked_model integer not null, model integer not null,
  \"end\" integer not null, error integer not null, cache integer not null, guardrail integer not null,
  flags integer not null, attempts integer not null, total_us integer not null, ttft_us integer,
  input_tokens integer, output_tokens integer, cached_tokens integer, reasoning_tokens integer,
  cost text not null, currency integer not null, trace text not null
) strict;
create table if not exists whole(id integer primary key, record blob not null) strict;
create index if not exists row_status on row(status, id) where status <> 200;
create index if not exists row_provider on row(provider, id);
create index if not exists row_model on row(model, id);
create index if not exists row_workspace on row(workspace, id);
create index if not exists row_api_key on row(api_key, id) where api_key <> 0;
create index if not exists row_virtual_key on row(virtual_key, id) where virtual_key <> 0;
create index if not exists row_user on row(user, id) where user <> 0;
create index if not exists row_trace on row(trace, id) where trace <> '';
";

pub(crate) const BODIES: &str = "
create table if not exists body(id integer primary key, bodies blob not null) strict;
";

pub(crate) const STREAM: i64 = 1;
pub(crate) const ESTIMATE: i64 = 2;
pub(crate) const UNPRICED: i64 = 4;
pub(crate) const HAS_BODIES: i64 = 8;

/// Makes or checks the tables of a file that is to be written.
pub(crate) fn prepare(connection: &Connection, tables: &str) -> Result<()> {
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A commit survives the process; `sync` makes it survive the machine before the journal forgets it.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "wal_autocheckpoint", 1_000)?;
    let version: i64 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    if version == 0 {
        connection
            .execute_batch(&format!("begin immediate; {tables} pragma user_version = {VERSION}; commit;"))?;
    }
    Ok(())
}
