//! Reads.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row as Columns, params};
use uuid::Uuid;

use super::failed;
use crate::backend::{AuditRow, AuditRowQuery, Change, ChangeRows, DataKeyRow, Row, RowQuery, VersionRow};
use crate::error::StoreError;
use crate::kind::{Kind, Op};
use crate::row::{home, integer, natural, organisation, workspace};
use crate::scope::Home;
use crate::sql;
use crate::token::Digest;

pub(super) fn row(connection: &Connection, kind: Kind, id: Uuid) -> Result<Option<Row>, StoreError> {
    one(connection, sql::ROW, params![kind.as_str(), id.to_string()], read_row)
}

pub(super) fn row_by_slug(
    connection: &Connection,
    kind: Kind,
    home: Home,
    slug: &str,
) -> Result<Option<Row>, StoreError> {
    let place = (home.organisation.to_string(), workspace(home.workspace));
    one(connection, sql::ROW_BY_SLUG, params![kind.as_str(), place.0, place.1, slug], read_row)
}

pub(super) fn row_by_digest(
    connection: &Connection,
    kind: Kind,
    digest: &Digest,
) -> Result<Option<Row>, StoreError> {
    let parameters = params![digest.as_bytes().as_slice(), kind.as_str()];
    match one(connection, sql::OWNER_OF_DIGEST, parameters, |columns| id_at(columns, 0))? {
        Some(id) => row(connection, kind, id),
        None => Ok(None),
    }
}

/// The rows and their count in one transaction: a page and a total that fit.
pub(super) fn rows(connection: &Connection, query: &RowQuery) -> Result<(Vec<Row>, u64), StoreError> {
    let (org, kind) = (query.organisation.to_string(), query.kind.as_str());
    let (limit, offset) = (query.limit, integer(query.offset));
    let transaction = connection.unchecked_transaction().map_err(failed)?;
    let (rows, total) = match query.workspace {
        None => (
            many(connection, sql::ROWS_OF_ORG, params![org, kind, limit, offset], read_row)?,
            count(connection, sql::COUNT_OF_ORG, params![org, kind])?,
        ),
        Some(place) => {
            let place = place.to_string();
            let listed = params![org, place, kind, limit, offset];
            (
                many(connection, sql::ROWS_OF_WORKSPACE, listed, read_row)?,
                count(connection, sql::COUNT_OF_WORKSPACE, params![org, place, kind])?,
            )
        }
    };
    transaction.commit().map_err(failed)?;
    Ok((rows, total))
}

pub(super) fn scan(
    connection: &Connection,
    kind: Kind,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    many(connection, sql::SCAN, params![kind.as_str(), after, limit], read_row)
}

pub(super) fn versions(
    connection: &Connection,
    kind: Kind,
    id: Uuid,
    before: u64,
    limit: u32,
) -> Result<Vec<VersionRow>, StoreError> {
    let parameters = params![kind.as_str(), id.to_string(), integer(before), limit];
    many(connection, sql::VERSIONS, parameters, |columns| {
        Ok(VersionRow {
            kind,
            id,
            version: natural(columns.get(0)?),
            at: natural(columns.get(1)?),
            author: columns.get(2)?,
            comment: columns.get(3)?,
            body: columns.get(4)?,
        })
    })
}

pub(super) fn changes(connection: &Connection, since: u64, limit: u32) -> Result<ChangeRows, StoreError> {
    let transaction = connection.unchecked_transaction().map_err(failed)?;
    let changes = many(connection, sql::CHANGES, params![integer(since), limit], |columns| {
        Ok(Change {
            seq: natural(columns.get(0)?),
            op: Op::parse(&text(columns, 1)?).map_err(wrong)?,
            kind: Kind::parse(&text(columns, 2)?).map_err(wrong)?,
            id: id_at(columns, 3)?,
            home: home(&text(columns, 4)?, &text(columns, 5)?).map_err(wrong)?,
            version: natural(columns.get(6)?),
        })
    })?;
    let head = change_head(connection)?;
    let forgotten = counter(connection, "forgotten")?;
    transaction.commit().map_err(failed)?;
    Ok(ChangeRows { changes, head, forgotten })
}

pub(super) fn change_head(connection: &Connection) -> Result<u64, StoreError> {
    counter(connection, "change")
}

fn counter(connection: &Connection, name: &str) -> Result<u64, StoreError> {
    count(connection, sql::COUNTER, params![name])
}

pub(super) fn audit(connection: &Connection, query: &AuditRowQuery) -> Result<Vec<AuditRow>, StoreError> {
    let mut parameters: Vec<Value> =
        vec![integer(query.after).into(), integer(query.from).into(), integer(query.until).into()];
    let mut statement = sql::AUDIT_ALL;
    if let Some(organisation) = query.organisation {
        parameters.push(organisation.to_string().into());
        statement = sql::AUDIT_OF_ORG;
        if let Some(workspace) = query.workspace {
            parameters.push(workspace.to_string().into());
            statement = sql::AUDIT_OF_WORKSPACE;
        }
    }
    parameters.push(i64::from(query.limit).into());
    many(connection, statement, rusqlite::params_from_iter(parameters), |columns| {
        Ok(AuditRow {
            seq: natural(columns.get(0)?),
            at: natural(columns.get(1)?),
            organisation: organisation(&text(columns, 2)?).map_err(wrong)?,
            workspace: crate::row::workspace_of(&text(columns, 3)?).map_err(wrong)?,
            entry: columns.get(4)?,
            hash: columns.get(5)?,
        })
    })
}

pub(super) fn audit_head(connection: &Connection) -> Result<(u64, Vec<u8>), StoreError> {
    let head =
        one(connection, sql::AUDIT_HEAD, [], |columns| Ok((natural(columns.get(0)?), columns.get(1)?)))?;
    head.ok_or_else(|| StoreError::AuditBroken { at: 0, problem: "the head is missing".to_owned() })
}

pub(super) fn data_keys(connection: &Connection) -> Result<Vec<DataKeyRow>, StoreError> {
    many(connection, sql::DATA_KEYS, [], |columns| {
        Ok(DataKeyRow {
            id: columns.get(0)?,
            owner: organisation(&text(columns, 1)?).map_err(wrong)?,
            master: columns.get(2)?,
            wrapped: columns.get(3)?,
        })
    })
}

pub(super) fn last_used(
    connection: &Connection,
    kind: Kind,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, u64)>, StoreError> {
    let mut found = Vec::new();
    for id in ids {
        let parameters = params![kind.as_str(), id.to_string()];
        let at = one(connection, sql::LAST_USED, parameters, |columns| Ok(natural(columns.get(0)?)))?;
        found.extend(at.map(|at| (*id, at)));
    }
    Ok(found)
}

pub(super) fn one<T>(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
    read: impl FnOnce(&Columns<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(statement).map_err(failed)?;
    statement.query_row(parameters, read).optional().map_err(failed)
}

pub(super) fn many<T>(
    connection: &Connection,
    statement: &str,
    parameters: impl Params,
    read: impl FnMut(&Columns<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(statement).map_err(failed)?;
    let rows = statement.query_map(parameters, read).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}

fn count(connection: &Connection, statement: &str, parameters: impl Params) -> Result<u64, StoreError> {
    let found = one(connection, statement, parameters, |columns| Ok(natural(columns.get(0)?)))?;
    found.ok_or_else(|| StoreError::internal("a counter is missing"))
}

fn read_row(columns: &Columns<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        kind: Kind::parse(&text(columns, 0)?).map_err(wrong)?,
        id: id_at(columns, 1)?,
        home: home(&text(columns, 2)?, &text(columns, 3)?).map_err(wrong)?,
        slug: columns.get(4)?,
        version: natural(columns.get(5)?),
        created_at: natural(columns.get(6)?),
        updated_at: natural(columns.get(7)?),
        body: columns.get(8)?,
    })
}

pub(super) fn text(columns: &Columns<'_>, at: usize) -> rusqlite::Result<String> {
    columns.get(at)
}

pub(super) fn id_at(columns: &Columns<'_>, at: usize) -> rusqlite::Result<Uuid> {
    crate::id::parse(&text(columns, at)?).map_err(wrong)
}

/// A value that this program never writes.
fn wrong(error: StoreError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
