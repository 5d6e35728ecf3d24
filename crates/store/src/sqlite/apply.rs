//! Writes, each within a transaction that the writer thread holds.

use rusqlite::{Connection, Params, params};
use uuid::Uuid;

use super::failed;
use super::question::{one, row};
use crate::audit::ChainKey;
use crate::backend::{AuditDraft, Batch, Row, VersionRow, Write};
use crate::error::StoreError;
use crate::kind::{Kind, Op};
use crate::row::{integer, missing, natural, nothing, owner, taken, unchanged, workspace};
use crate::scope::Home;
use crate::sql;

/// The number of the latest change.
pub(super) fn batch(connection: &Connection, batch: Batch) -> Result<u64, StoreError> {
    for write in &batch.writes {
        apply(connection, write)?;
    }
    for draft in &batch.audit {
        append(connection, draft, &batch.chain)?;
    }
    super::question::change_head(connection)
}

fn apply(connection: &Connection, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Require(kind, id) => {
            row(connection, *kind, *id)?.map(|_| ()).ok_or_else(|| missing(*kind, *id))
        }
        Write::RequireVersion(kind, id, expected) => {
            unchanged(row(connection, *kind, *id)?.as_ref(), *kind, *id, *expected)
        }
        Write::RequireEmptyWorkspace(org, place) => {
            let example =
                first_word(connection, sql::IN_WORKSPACE, params![org.to_string(), place.to_string()])?;
            nothing(example, Kind::Workspace, place)
        }
        Write::RequireEmptyOrganisation(org) => {
            let example = first_word(connection, sql::IN_ORG, params![org.to_string()])?;
            nothing(example, Kind::Organisation, org)
        }
        Write::Insert(row) => insert(connection, row),
        Write::Update { row, expected } => update(connection, row, *expected),
        Write::Delete { kind, id, home, expected } => delete(connection, *kind, *id, *home, *expected),
        Write::Digests { kind, id, digests } => {
            run(connection, sql::DELETE_DIGESTS, params![kind.as_str(), id.to_string()])?;
            for digest in digests {
                let parameters = params![digest.as_bytes().as_slice(), kind.as_str(), id.to_string()];
                if run(connection, sql::INSERT_DIGEST, parameters)? == 0 {
                    return Err(StoreError::Taken { kind: *kind, what: "this secret".to_owned() });
                }
            }
            Ok(())
        }
        Write::Version(version) => insert_version(connection, version),
        Write::DataKey(key) => {
            let parameters = params![key.id, owner(key.owner), key.master, key.wrapped];
            match run(connection, sql::INSERT_DATA_KEY, parameters)? {
                0 => Err(StoreError::Taken { kind: Kind::Store, what: "a data key".to_owned() }),
                _ => Ok(()),
            }
        }
        Write::DropDataKeys(org) => {
            run(connection, sql::DROP_DATA_KEYS, params![org.to_string()]).map(|_| ())
        }
        Write::Rewrap { id, from, to, wrapped } => {
            // None: the key is gone or was encrypted anew by somebody else. The check that ends the batch decides.
            run(connection, sql::REWRAP, params![to, wrapped, id, from]).map(|_| ())
        }
        Write::RequireMaster(master) => match first_word(connection, sql::OTHER_MASTER, params![master])? {
            None => Ok(()),
            Some(key) => Err(StoreError::Conflict { kind: Kind::Store, what: key, expected: 0, current: 0 }),
        },
    }
}

fn insert(connection: &Connection, row: &Row) -> Result<(), StoreError> {
    let parameters = params![
        row.kind.as_str(),
        row.id.to_string(),
        row.home.organisation.to_string(),
        workspace(row.home.workspace),
        row.slug,
        integer(row.version),
        integer(row.created_at),
        integer(row.updated_at),
        row.body,
    ];
    if run(connection, sql::INSERT, parameters)? == 0 {
        return Err(taken(row));
    }
    note_change(connection, Op::Insert, row.kind, row.id, row.home, row.version)
}

fn update(connection: &Connection, row: &Row, expected: u64) -> Result<(), StoreError> {
    if let Some(slug) = &row.slug {
        let place = (row.home.organisation.to_string(), workspace(row.home.workspace));
        let parameters = params![row.kind.as_str(), place.0, place.1, slug];
        let holder = first_word(connection, sql::SLUG_OWNER, parameters)?;
        if holder.is_some_and(|holder| holder != row.id.to_string()) {
            return Err(taken(row));
        }
    }
    let parameters = params![
        row.slug,
        integer(row.version),
        integer(row.updated_at),
        row.body,
        row.kind.as_str(),
        row.id.to_string(),
        integer(expected),
    ];
    if run(connection, sql::UPDATE, parameters)? == 0 {
        return Err(passed_by(connection, row.kind, row.id, expected)?);
    }
    note_change(connection, Op::Update, row.kind, row.id, row.home, row.version)
}

fn delete(
    connection: &Connection,
    kind: Kind,
    id: Uuid,
    home: Home,
    expected: u64,
) -> Result<(), StoreError> {
    let (word, text) = (kind.as_str(), id.to_string());
    if run(connection, sql::DELETE, params![word, text, integer(expected)])? == 0 {
        return Err(passed_by(connection, kind, id, expected)?);
    }
    for statement in [sql::DELETE_VERSIONS, sql::DELETE_DIGESTS, sql::DELETE_LAST_USED] {
        run(connection, statement, params![word, text])?;
    }
    for statement in [sql::DELETE_ALERT_STATE, sql::DELETE_ALERT_EVENTS] {
        run(connection, statement, params![text])?;
    }
    note_change(connection, Op::Delete, kind, id, home, expected)
}

fn insert_version(connection: &Connection, version: &VersionRow) -> Result<(), StoreError> {
    let parameters = params![
        version.kind.as_str(),
        version.id.to_string(),
        integer(version.version),
        integer(version.at),
        version.author,
        version.comment,
        version.body,
    ];
    run(connection, sql::INSERT_VERSION, parameters).map(|_| ())
}

fn note_change(
    connection: &Connection,
    op: Op,
    kind: Kind,
    id: Uuid,
    home: Home,
    version: u64,
) -> Result<(), StoreError> {
    let seq = one(connection, sql::RAISE_COUNTER, params!["change"], |columns| columns.get::<_, i64>(0))?;
    let parameters = params![
        seq.ok_or_else(|| StoreError::internal("the counter of changes is missing"))?,
        op.as_str(),
        kind.as_str(),
        id.to_string(),
        home.organisation.to_string(),
        workspace(home.workspace),
        integer(version),
    ];
    run(connection, sql::INSERT_CHANGE, parameters).map(|_| ())
}

fn append(connection: &Connection, draft: &AuditDraft, chain: &ChainKey) -> Result<(), StoreError> {
    let (last, before) = super::question::audit_head(connection)?;
    let seq = last + 1;
    let hash = chain.link(&before, seq, &draft.entry);
    let place = (owner(draft.organisation), workspace(draft.workspace));
    let parameters = params![integer(seq), integer(draft.at), place.0, place.1, draft.entry, hash];
    run(connection, sql::INSERT_AUDIT, parameters)?;
    run(connection, sql::SET_AUDIT_HEAD, params![integer(seq), hash]).map(|_| ())
}

pub(super) fn touch(connection: &Connection, uses: &[(Kind, Uuid, u64)]) -> Result<(), StoreError> {
    for (kind, id, at) in uses {
        run(connection, sql::TOUCH, params![kind.as_str(), id.to_string(), integer(*at)])?;
    }
    Ok(())
}

pub(super) fn trim(connection: &Connection, upto: u64) -> Result<(), StoreError> {
    run(connection, sql::FORGET, params![integer(upto)])?;
    run(connection, sql::FORGOTTEN, params![integer(upto)]).map(|_| ())
}

pub(super) fn run(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<usize, StoreError> {
    connection
        .prepare_cached(statement)
        .and_then(|mut statement| statement.execute(parameters))
        .map_err(failed)
}

fn first_word(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
) -> Result<Option<String>, StoreError> {
    one(connection, statement, parameters, |columns| columns.get(0))
}

/// Why a change from `expected` met nothing.
fn passed_by(connection: &Connection, kind: Kind, id: Uuid, expected: u64) -> Result<StoreError, StoreError> {
    let parameters = params![kind.as_str(), id.to_string()];
    let current = one(connection, sql::VERSION, parameters, |columns| columns.get(0).map(natural))?;
    Ok(match current {
        Some(current) => StoreError::Conflict { kind, what: id.to_string(), expected, current },
        None => missing(kind, id),
    })
}
