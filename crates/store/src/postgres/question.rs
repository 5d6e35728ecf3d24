//! Reads.

use tokio_postgres::Row as Columns;
use tokio_postgres::types::{FromSql, ToSql};
use uuid::Uuid;

use super::session::{Parameters, Session};
use crate::backend::{AuditRow, AuditRowQuery, Change, ChangeRows, DataKeyRow, Row, RowQuery, VersionRow};
use crate::error::StoreError;
use crate::kind::{Kind, Op};
use crate::row::{home, integer, natural, organisation, workspace, workspace_of};
use crate::scope::Home;
use crate::sql;
use crate::token::Digest;

pub(super) async fn row(session: &Session, kind: Kind, id: Uuid) -> Result<Option<Row>, StoreError> {
    one_row(session, sql::ROW, &[&kind.as_str(), &id.to_string()]).await
}

pub(super) async fn row_by_slug(
    session: &Session,
    kind: Kind,
    home: Home,
    slug: &str,
) -> Result<Option<Row>, StoreError> {
    let place = (home.organisation.to_string(), workspace(home.workspace));
    // A text with a NUL is none that PostgreSQL can hold.
    if slug.contains('\0') {
        return Ok(None);
    }
    one_row(session, sql::ROW_BY_SLUG, &[&kind.as_str(), &place.0, &place.1, &slug]).await
}

pub(super) async fn row_by_digest(
    session: &Session,
    kind: Kind,
    digest: &Digest,
) -> Result<Option<Row>, StoreError> {
    let found = session.one(sql::OWNER_OF_DIGEST, &[&digest.as_bytes().as_slice(), &kind.as_str()]).await?;
    match found {
        Some(columns) => row(session, kind, id_at(&columns, 0)?).await,
        None => Ok(None),
    }
}

pub(super) async fn rows(session: &Session, query: &RowQuery) -> Result<(Vec<Row>, u64), StoreError> {
    let (org, kind) = (query.organisation.to_string(), query.kind.as_str());
    let (limit, offset) = (i64::from(query.limit), integer(query.offset));
    let (columns, total) = match query.workspace {
        None => (
            session.many(sql::ROWS_OF_ORG, &[&org, &kind, &limit, &offset]).await?,
            count(session, sql::COUNT_OF_ORG, &[&org, &kind]).await?,
        ),
        Some(place) => {
            let place = place.to_string();
            (
                session.many(sql::ROWS_OF_WORKSPACE, &[&org, &place, &kind, &limit, &offset]).await?,
                count(session, sql::COUNT_OF_WORKSPACE, &[&org, &place, &kind]).await?,
            )
        }
    };
    Ok((columns.iter().map(read_row).collect::<Result<_, _>>()?, total))
}

pub(super) async fn scan(
    session: &Session,
    kind: Kind,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Row>, StoreError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    let columns = session.many(sql::SCAN, &[&kind.as_str(), &after, &i64::from(limit)]).await?;
    columns.iter().map(read_row).collect()
}

pub(super) async fn versions(
    session: &Session,
    kind: Kind,
    id: Uuid,
    before: u64,
    limit: u32,
) -> Result<Vec<VersionRow>, StoreError> {
    let (text, before, limit) = (id.to_string(), integer(before), i64::from(limit));
    let rows = session.many(sql::VERSIONS, &[&kind.as_str(), &text, &before, &limit]).await?;
    let read = |columns: &Columns| {
        Ok(VersionRow {
            kind,
            id,
            version: natural(at(columns, 0)?),
            at: natural(at(columns, 1)?),
            author: at(columns, 2)?,
            comment: at(columns, 3)?,
            body: at(columns, 4)?,
        })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn changes(session: &Session, since: u64, limit: u32) -> Result<ChangeRows, StoreError> {
    let rows = session.many(sql::CHANGES, &[&integer(since), &i64::from(limit)]).await?;
    let read = |columns: &Columns| {
        Ok(Change {
            seq: natural(at(columns, 0)?),
            op: Op::parse(at(columns, 1)?)?,
            kind: Kind::parse(at(columns, 2)?)?,
            id: id_at(columns, 3)?,
            home: home(at(columns, 4)?, at(columns, 5)?)?,
            version: natural(at(columns, 6)?),
        })
    };
    let changes = rows.iter().map(read).collect::<Result<_, StoreError>>()?;
    // Read after the changes: when some were forgotten in between, that is told rather than missed.
    let forgotten = counter(session, "forgotten").await?;
    Ok(ChangeRows { changes, head: counter(session, "change").await?, forgotten })
}

pub(super) async fn counter(session: &Session, name: &str) -> Result<u64, StoreError> {
    count(session, sql::COUNTER, &[&name]).await
}

pub(super) async fn audit(session: &Session, query: &AuditRowQuery) -> Result<Vec<AuditRow>, StoreError> {
    let (after, from, until) = (integer(query.after), integer(query.from), integer(query.until));
    let organisation_text = query.organisation.map(|id| id.to_string());
    let workspace_text = query.workspace.map(|id| id.to_string());
    let limit = i64::from(query.limit);
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&after, &from, &until];
    let mut statement = sql::AUDIT_ALL;
    if let Some(organisation) = &organisation_text {
        parameters.push(organisation);
        statement = sql::AUDIT_OF_ORG;
        if let Some(workspace) = &workspace_text {
            parameters.push(workspace);
            statement = sql::AUDIT_OF_WORKSPACE;
        }
    }
    parameters.push(&limit);
    let rows = session.many(statement, &parameters).await?;
    let read = |columns: &Columns| {
        Ok(AuditRow {
            seq: natural(at(columns, 0)?),
            at: natural(at(columns, 1)?),
            organisation: organisation(at(columns, 2)?)?,
            workspace: workspace_of(at(columns, 3)?)?,
            entry: at(columns, 4)?,
            hash: at(columns, 5)?,
        })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn audit_head(session: &Session) -> Result<(u64, Vec<u8>), StoreError> {
    let head = session.one(sql::AUDIT_HEAD, &[]).await?;
    let head =
        head.ok_or_else(|| StoreError::AuditBroken { at: 0, problem: "the head is missing".to_owned() })?;
    Ok((natural(at(&head, 0)?), at(&head, 1)?))
}

pub(super) async fn data_keys(session: &Session) -> Result<Vec<DataKeyRow>, StoreError> {
    let read = |columns: &Columns| {
        Ok(DataKeyRow {
            id: at(columns, 0)?,
            owner: organisation(at(columns, 1)?)?,
            master: at(columns, 2)?,
            wrapped: at(columns, 3)?,
        })
    };
    session.many(sql::DATA_KEYS, &[]).await?.iter().map(read).collect()
}

pub(super) async fn last_used(
    session: &Session,
    kind: Kind,
    ids: &[Uuid],
) -> Result<Vec<(Uuid, u64)>, StoreError> {
    let mut found = Vec::new();
    for id in ids {
        if let Some(columns) = session.one(sql::LAST_USED, &[&kind.as_str(), &id.to_string()]).await? {
            found.push((*id, natural(at(&columns, 0)?)));
        }
    }
    Ok(found)
}

async fn count(session: &Session, sql: &'static str, parameters: Parameters<'_>) -> Result<u64, StoreError> {
    let columns = session.one(sql, parameters).await?;
    let columns = columns.ok_or_else(|| StoreError::internal("a counter is missing"))?;
    Ok(natural(at(&columns, 0)?))
}

async fn one_row(
    session: &Session,
    sql: &'static str,
    parameters: Parameters<'_>,
) -> Result<Option<Row>, StoreError> {
    session.one(sql, parameters).await?.as_ref().map(read_row).transpose()
}

fn read_row(columns: &Columns) -> Result<Row, StoreError> {
    Ok(Row {
        kind: Kind::parse(at(columns, 0)?)?,
        id: id_at(columns, 1)?,
        home: home(at(columns, 2)?, at(columns, 3)?)?,
        slug: at(columns, 4)?,
        version: natural(at(columns, 5)?),
        created_at: natural(at(columns, 6)?),
        updated_at: natural(at(columns, 7)?),
        body: at(columns, 8)?,
    })
}

pub(super) fn at<'r, T: FromSql<'r>>(columns: &'r Columns, index: usize) -> Result<T, StoreError> {
    columns.try_get(index).map_err(StoreError::internal)
}

fn id_at(columns: &Columns, index: usize) -> Result<Uuid, StoreError> {
    crate::id::parse(at(columns, index)?)
}
