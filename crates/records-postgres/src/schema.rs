//! Tables and their days.

use tidegate_records::RecordId;

pub(crate) const ROWS: &str = "request_record";
pub(crate) const BODIES: &str = "request_body";

/// Held while tables are made or dropped. Any number would do; it must not change.
const LOCK: &str = "SELECT pg_advisory_xact_lock(5183490263710485512);";

/// Columns are only ever added, with a default: an older program goes on writing a newer one's tables.
const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS request_record (
  id BIGINT NOT NULL PRIMARY KEY, seal BIGINT NOT NULL, organisation TEXT NOT NULL, workspace TEXT NOT NULL,
  api_key TEXT NOT NULL, key_owner TEXT NOT NULL, user_name TEXT NOT NULL, provider TEXT NOT NULL, virtual_key TEXT NOT NULL, config TEXT NOT NULL,
  model TEXT NOT NULL, route TEXT NOT NULL, cache TEXT NOT NULL, status INT NOT NULL, total_us BIGINT NOT NULL,
  prompt_tokens BIGINT, completion_tokens BIGINT, total_tokens BIGINT, cost NUMERIC, currency TEXT NOT NULL, trace TEXT NOT NULL,
  metadata TEXT[] NOT NULL, has_bodies BOOLEAN NOT NULL, record BYTEA NOT NULL
) PARTITION BY RANGE (id);
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'request_record'::REGCLASS AND attname = 'session') THEN
    ALTER TABLE request_record ADD COLUMN session TEXT NOT NULL DEFAULT '';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'request_record'::REGCLASS AND attname = 'span') THEN
    ALTER TABLE request_record ADD COLUMN span TEXT NOT NULL DEFAULT '';
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS request_record_status ON request_record (status, id) WHERE status <> 200;
CREATE INDEX IF NOT EXISTS request_record_workspace ON request_record (workspace, id);
CREATE INDEX IF NOT EXISTS request_record_provider ON request_record (provider, id);
CREATE INDEX IF NOT EXISTS request_record_model ON request_record (model, id);
CREATE INDEX IF NOT EXISTS request_record_api_key ON request_record (api_key, id) WHERE api_key <> '';
CREATE INDEX IF NOT EXISTS request_record_key_owner ON request_record (key_owner, id) WHERE key_owner <> '';
CREATE INDEX IF NOT EXISTS request_record_virtual_key ON request_record (virtual_key, workspace, id) WHERE virtual_key <> '';
CREATE INDEX IF NOT EXISTS request_record_config ON request_record (config, workspace, id) WHERE config <> '';
CREATE INDEX IF NOT EXISTS request_record_user ON request_record (user_name, id) WHERE user_name <> '';
CREATE INDEX IF NOT EXISTS request_record_trace ON request_record (trace, id) WHERE trace <> '';
CREATE INDEX IF NOT EXISTS request_record_session ON request_record (session, id) WHERE session <> '';
CREATE INDEX IF NOT EXISTS request_record_sessions ON request_record (id) WHERE session <> '';
CREATE INDEX IF NOT EXISTS request_record_metadata ON request_record USING GIN (metadata) WITH (gin_pending_list_limit = 512);
CREATE INDEX IF NOT EXISTS request_record_numbers ON request_record
  USING BRIN (cost, prompt_tokens, completion_tokens, total_tokens) WITH (pages_per_range = 8);
CREATE TABLE IF NOT EXISTS request_body (
  id BIGINT NOT NULL PRIMARY KEY, bodies BYTEA NOT NULL, words TEXT[] NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'request_body'::REGCLASS AND attname = 'words') THEN
    ALTER TABLE request_body ADD COLUMN words TEXT[] NOT NULL DEFAULT '{}';
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS request_body_words ON request_body USING GIN (words) WITH (gin_pending_list_limit = 512);
"#;

/// Roll-ups, by the hour and of days that are over, and the last day (since 1970) of which records may be there that none has. `{day}` is a day as a range of ids,
/// `{epoch}` the day of the first id.
const ROLLUPS: &str = r#"
DO $$ BEGIN
  IF to_regclass('request_rollup') IS NULL THEN
    CREATE TABLE request_rollup (
      id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, day INT NOT NULL, cube INT NOT NULL, tier INT NOT NULL,
      records BIGINT NOT NULL, cells BYTEA NOT NULL
    );
    CREATE INDEX request_rollup_day ON request_rollup (day, cube, tier);
    CREATE TABLE request_rollup_since AS SELECT coalesce(max(id) / {day} + {epoch}, 0)::INT AS day FROM request_record;
  END IF;
END $$;
CREATE TABLE IF NOT EXISTS request_rollup_settled (
  day INT NOT NULL, cube INT NOT NULL, part INT NOT NULL, records BIGINT NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY (day, cube, part)
);
"#;

/// One statement list, which the server runs as one transaction.
pub(crate) fn tables() -> String {
    const DAY_MS: u64 = 86_400_000;
    let epoch = RecordId::first_of(0).unix_ms();
    let day = RecordId::first_of(epoch + DAY_MS).signed();
    let rollups =
        ROLLUPS.replace("{day}", &day.to_string()).replace("{epoch}", &(epoch / DAY_MS).to_string());
    format!("{LOCK} {TABLES} {rollups}")
}

/// Makes the partitions of days.
pub(crate) fn days(days: impl Iterator<Item = (&'static str, u32)>) -> String {
    let mut sql = LOCK.to_owned();
    for (table, day) in days {
        let [from, to] = [day, day + 1].map(|day| RecordId::first_of(u64::from(day) * 86_400_000).signed());
        let name = partition(table, day);
        sql.push_str(&format!(
            " CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES FROM ({from}) TO ({to});"
        ));
        // Workspaces have virtual keys and configs of their own: the planner takes them for independent unless it is told. And bodies
        // are compressed already.
        sql.push_str(&match table {
            BODIES => format!(" ALTER TABLE {name} ALTER COLUMN bodies SET STORAGE EXTERNAL;"),
            _ => format!(
                " CREATE STATISTICS IF NOT EXISTS {name}_own (mcv) ON workspace, virtual_key, config FROM {name};"
            ),
        });
    }
    sql
}

pub(crate) fn drop(names: &[String]) -> String {
    format!("{LOCK} DROP TABLE IF EXISTS {};", names.join(", "))
}

pub(crate) const PARTITIONS: &str = "SELECT c.relname::TEXT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
     WHERE i.inhparent = ANY (ARRAY['request_record'::REGCLASS, 'request_body'::REGCLASS])";

/// A day that is over: its indexes know all of it, and so does the planner. Records that came last wait beside an index of words or
/// pairs, and ranges of pages that were filled last are in none by ranges, until somebody says that no more will come.
pub(crate) fn finish(day: u32) -> String {
    let mut sql = String::from("DO $$ DECLARE own RECORD; BEGIN ");
    for table in [ROWS, BODIES] {
        let name = partition(table, day);
        sql.push_str(&format!(
            "IF to_regclass('{name}') IS NOT NULL THEN \
               FOR own IN SELECT c.oid, a.amname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                 JOIN pg_am a ON a.oid = c.relam WHERE i.indrelid = to_regclass('{name}') LOOP \
                 IF own.amname = 'gin' THEN PERFORM gin_clean_pending_list(own.oid); \
                 ELSIF own.amname = 'brin' THEN PERFORM brin_summarize_new_values(own.oid); END IF; \
               END LOOP; \
               ANALYZE {name}; \
             END IF; "
        ));
    }
    sql + "END $$"
}

/// Days since 1970: no calendar is needed to name a table.
fn partition(table: &str, day: u32) -> String {
    format!("{table}_{day}")
}

/// The table and the day of a partition.
pub(crate) fn day_of(name: &str) -> Option<(&'static str, u32)> {
    let (table, day) = name.rsplit_once('_')?;
    let table = [ROWS, BODIES].into_iter().find(|known| *known == table)?;
    Some((table, day.parse().ok()?))
}
