//! Statements that SQLite and PostgreSQL both understand. Values are bound, never written into a text. Parameters
//! appear in the order of their numbers, as SQLite counts them.

macro_rules! columns {
    () => {
        "kind, id, org, workspace, slug, version, created_at, updated_at, body"
    };
}

pub(crate) const ROW: &str = concat!("SELECT ", columns!(), " FROM records WHERE kind = $1 AND id = $2");
pub(crate) const ROW_BY_SLUG: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM records WHERE kind = $1 AND org = $2 AND workspace = $3 AND slug = $4"
);
pub(crate) const OWNER_OF_DIGEST: &str = "SELECT id FROM digests WHERE digest = $1 AND kind = $2";
pub(crate) const ROWS_OF_ORG: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM records WHERE org = $1 AND kind = $2 ORDER BY id DESC LIMIT $3 OFFSET $4"
);
pub(crate) const COUNT_OF_ORG: &str = "SELECT count(*) FROM records WHERE org = $1 AND kind = $2";
pub(crate) const ROWS_OF_WORKSPACE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM records WHERE org = $1 AND workspace = $2 AND kind = $3 ORDER BY id DESC LIMIT $4 OFFSET $5"
);
pub(crate) const COUNT_OF_WORKSPACE: &str =
    "SELECT count(*) FROM records WHERE org = $1 AND workspace = $2 AND kind = $3";
pub(crate) const SCAN: &str =
    concat!("SELECT ", columns!(), " FROM records WHERE kind = $1 AND id > $2 ORDER BY id LIMIT $3");
pub(crate) const VERSIONS: &str = "SELECT version, at, author, comment, body FROM versions \
     WHERE kind = $1 AND id = $2 AND version < $3 ORDER BY version DESC LIMIT $4";
pub(crate) const CHANGES: &str = "SELECT seq, op, kind, id, org, workspace, version FROM changes \
     WHERE seq > $1 ORDER BY seq LIMIT $2";
pub(crate) const COUNTER: &str = "SELECT value FROM counters WHERE name = $1";
pub(crate) const RAISE_COUNTER: &str =
    "UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value";
/// PostgreSQL only: others hear of it when the transaction is committed.
pub(crate) const NOTIFY: &str = "SELECT pg_notify('tidegate_changes', $1)";
pub(crate) const LISTEN: &str = "LISTEN tidegate_changes";
pub(crate) const FORGET: &str = "DELETE FROM changes WHERE seq <= $1";
pub(crate) const FORGOTTEN: &str = "UPDATE counters SET value = $1 WHERE name = 'forgotten' AND value < $1";
pub(crate) const AUDIT_ALL: &str = "SELECT seq, at, org, workspace, entry, hash FROM audit \
     WHERE seq > $1 AND at >= $2 AND at < $3 ORDER BY seq LIMIT $4";
pub(crate) const AUDIT_OF_ORG: &str = "SELECT seq, at, org, workspace, entry, hash FROM audit \
     WHERE seq > $1 AND at >= $2 AND at < $3 AND org = $4 ORDER BY seq LIMIT $5";
pub(crate) const AUDIT_OF_WORKSPACE: &str = "SELECT seq, at, org, workspace, entry, hash FROM audit \
     WHERE seq > $1 AND at >= $2 AND at < $3 AND org = $4 AND workspace = $5 ORDER BY seq LIMIT $6";
pub(crate) const AUDIT_HEAD: &str = "SELECT seq, hash FROM audit_head";
pub(crate) const DATA_KEYS: &str = "SELECT id, owner, master, wrapped FROM data_keys";
pub(crate) const LAST_USED: &str = "SELECT at FROM last_used WHERE kind = $1 AND id = $2";
pub(crate) const TOUCH: &str = "INSERT INTO last_used (kind, id, at) VALUES ($1, $2, $3) \
     ON CONFLICT (kind, id) DO UPDATE SET at = excluded.at WHERE excluded.at > last_used.at";

pub(crate) const INSERT: &str = concat!(
    "INSERT INTO records (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"
);
pub(crate) const SLUG_OWNER: &str =
    "SELECT id FROM records WHERE kind = $1 AND org = $2 AND workspace = $3 AND slug = $4";
pub(crate) const UPDATE: &str = "UPDATE records SET slug = $1, version = $2, updated_at = $3, body = $4 \
     WHERE kind = $5 AND id = $6 AND version = $7";
pub(crate) const VERSION: &str = "SELECT version FROM records WHERE kind = $1 AND id = $2";
pub(crate) const DELETE: &str = "DELETE FROM records WHERE kind = $1 AND id = $2 AND version = $3";
pub(crate) const DELETE_VERSIONS: &str = "DELETE FROM versions WHERE kind = $1 AND id = $2";
pub(crate) const DELETE_DIGESTS: &str = "DELETE FROM digests WHERE kind = $1 AND id = $2";
pub(crate) const DELETE_LAST_USED: &str = "DELETE FROM last_used WHERE kind = $1 AND id = $2";
pub(crate) const INSERT_DIGEST: &str =
    "INSERT INTO digests (digest, kind, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
pub(crate) const INSERT_VERSION: &str = "INSERT INTO versions (kind, id, version, at, author, comment, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const INSERT_CHANGE: &str = "INSERT INTO changes (seq, op, kind, id, org, workspace, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
pub(crate) const IN_WORKSPACE: &str = "SELECT kind FROM records WHERE org = $1 AND workspace = $2 LIMIT 1";
pub(crate) const IN_ORG: &str = "SELECT kind FROM records WHERE org = $1 AND kind <> 'organisation' LIMIT 1";
pub(crate) const INSERT_DATA_KEY: &str =
    "INSERT INTO data_keys (id, owner, master, wrapped) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
pub(crate) const DROP_DATA_KEYS: &str = "DELETE FROM data_keys WHERE owner = $1";
pub(crate) const REWRAP: &str =
    "UPDATE data_keys SET master = $1, wrapped = $2 WHERE id = $3 AND master = $4";
pub(crate) const OTHER_MASTER: &str = "SELECT id FROM data_keys WHERE master <> $1 LIMIT 1";
pub(crate) const INSERT_AUDIT: &str =
    "INSERT INTO audit (seq, at, org, workspace, entry, hash) VALUES ($1, $2, $3, $4, $5, $6)";
pub(crate) const SET_AUDIT_HEAD: &str = "UPDATE audit_head SET seq = $1, hash = $2";
pub(crate) const ALERT_STATE: &str = "SELECT version, body FROM alert_states WHERE rule = $1";
pub(crate) const INSERT_ALERT_STATE: &str =
    "INSERT INTO alert_states (rule, version, body) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING";
pub(crate) const UPDATE_ALERT_STATE: &str =
    "UPDATE alert_states SET version = version + 1, body = $1 WHERE rule = $2 AND version = $3";
pub(crate) const DELETE_ALERT_STATE: &str = "DELETE FROM alert_states WHERE rule = $1";
pub(crate) const INSERT_ALERT_EVENT: &str = "INSERT INTO alert_events (rule, id, body) VALUES ($1, $2, $3)";
pub(crate) const AMEND_ALERT_EVENT: &str = "UPDATE alert_events SET body = $1 WHERE rule = $2 AND id = $3";
pub(crate) const ALERT_EVENTS: &str =
    "SELECT id, body FROM alert_events WHERE rule = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
pub(crate) const TRIM_ALERT_EVENTS: &str = "DELETE FROM alert_events WHERE rule = $1 AND id <= \
     (SELECT id FROM alert_events WHERE rule = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
pub(crate) const DELETE_ALERT_EVENTS: &str = "DELETE FROM alert_events WHERE rule = $1";
pub(crate) const TAKE_TURN: &str = "INSERT INTO turns (name, at) VALUES ($1, $2) \
     ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE turns.at <= $3";
pub(crate) const APPLIED: &str = "SELECT number, hash, min_reader FROM migrations ORDER BY number";
pub(crate) const INSERT_MIGRATION: &str =
    "INSERT INTO migrations (number, hash, min_reader) VALUES ($1, $2, $3)";
