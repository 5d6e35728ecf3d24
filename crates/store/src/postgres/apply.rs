//! Writes, each within a transaction that is alone among all replicas: what is looked at first stays as it is.

use uuid::Uuid;

use super::question::{at, audit_head, counter, row};
use super::session::{Parameters, Session};
use crate::audit::ChainKey;
use crate::backend::{AuditDraft, Batch, Row, VersionRow, Write};
use crate::error::StoreError;
use crate::kind::{Kind, Op};
use crate::row::{integer, missing, natural, nothing, owner, taken, unchanged, workspace};
use crate::scope::Home;
use crate::sql;
use crate::token::Digest;

/// The number of the latest change.
pub(super) async fn batch(session: &Session, batch: Batch) -> Result<u64, StoreError> {
    for write in &batch.writes {
        apply(session, write).await?;
    }
    for draft in &batch.audit {
        append(session, draft, &batch.chain).await?;
    }
    let head = counter(session, "change").await?;
    session.run(sql::NOTIFY, &[&head.to_string()]).await?;
    Ok(head)
}

async fn apply(session: &Session, write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Require(kind, id) => {
            row(session, *kind, *id).await?.map(|_| ()).ok_or_else(|| missing(*kind, *id))
        }
        Write::RequireVersion(kind, id, expected) => {
            unchanged(row(session, *kind, *id).await?.as_ref(), *kind, *id, *expected)
        }
        Write::RequireEmptyWorkspace(org, place) => {
            let parameters = (org.to_string(), place.to_string());
            let example = first_word(session, sql::IN_WORKSPACE, &[&parameters.0, &parameters.1]).await?;
            nothing(example, Kind::Workspace, place)
        }
        Write::RequireEmptyOrganisation(org) => {
            let example = first_word(session, sql::IN_ORG, &[&org.to_string()]).await?;
            nothing(example, Kind::Organisation, org)
        }
        Write::Insert(row) => insert(session, row).await,
        Write::Update { row, expected } => update(session, row, *expected).await,
        Write::Delete { kind, id, home, expected } => delete(session, *kind, *id, *home, *expected).await,
        Write::Digests { kind, id, digests } => set_digests(session, *kind, *id, digests).await,
        Write::Version(version) => insert_version(session, version).await,
        Write::DataKey(key) => {
            let parameters: Parameters<'_> = &[&key.id, &owner(key.owner), &key.master, &key.wrapped];
            match session.run(sql::INSERT_DATA_KEY, parameters).await? {
                0 => Err(StoreError::Taken { kind: Kind::Store, what: "a data key".to_owned() }),
                _ => Ok(()),
            }
        }
        Write::DropDataKeys(org) => session.run(sql::DROP_DATA_KEYS, &[&org.to_string()]).await.map(|_| ()),
        Write::Rewrap { id, from, to, wrapped } => {
            // None: the key is gone or was encrypted anew by somebody else. The check that ends the batch decides.
            session.run(sql::REWRAP, &[to, wrapped, id, from]).await.map(|_| ())
        }
        Write::RequireMaster(master) => match first_word(session, sql::OTHER_MASTER, &[master]).await? {
            None => Ok(()),
            Some(key) => Err(StoreError::Conflict { kind: Kind::Store, what: key, expected: 0, current: 0 }),
        },
    }
}

async fn insert(session: &Session, row: &Row) -> Result<(), StoreError> {
    let (kind, id) = (row.kind.as_str(), row.id.to_string());
    let place = (row.home.organisation.to_string(), workspace(row.home.workspace));
    let (version, created, updated) =
        (integer(row.version), integer(row.created_at), integer(row.updated_at));
    let parameters: Parameters<'_> =
        &[&kind, &id, &place.0, &place.1, &row.slug, &version, &created, &updated, &row.body];
    if session.run(sql::INSERT, parameters).await? == 0 {
        return Err(taken(row));
    }
    note_change(session, Op::Insert, row.kind, row.id, row.home, row.version).await
}

async fn update(session: &Session, row: &Row, expected: u64) -> Result<(), StoreError> {
    let (kind, id) = (row.kind.as_str(), row.id.to_string());
    if let Some(slug) = &row.slug {
        let place = (row.home.organisation.to_string(), workspace(row.home.workspace));
        let holder = first_word(session, sql::SLUG_OWNER, &[&kind, &place.0, &place.1, slug]).await?;
        if holder.is_some_and(|holder| holder != id) {
            return Err(taken(row));
        }
    }
    let (version, updated, before) = (integer(row.version), integer(row.updated_at), integer(expected));
    let parameters: Parameters<'_> = &[&row.slug, &version, &updated, &row.body, &kind, &id, &before];
    if session.run(sql::UPDATE, parameters).await? == 0 {
        return Err(passed_by(session, row.kind, row.id, expected).await?);
    }
    note_change(session, Op::Update, row.kind, row.id, row.home, row.version).await
}

async fn delete(
    session: &Session,
    kind: Kind,
    id: Uuid,
    home: Home,
    expected: u64,
) -> Result<(), StoreError> {
    let (word, text) = (kind.as_str(), id.to_string());
    if session.run(sql::DELETE, &[&word, &text, &integer(expected)]).await? == 0 {
        return Err(passed_by(session, kind, id, expected).await?);
    }
    for statement in [sql::DELETE_VERSIONS, sql::DELETE_DIGESTS, sql::DELETE_LAST_USED] {
        session.run(statement, &[&word, &text]).await?;
    }
    for statement in [sql::DELETE_ALERT_STATE, sql::DELETE_ALERT_EVENTS] {
        session.run(statement, &[&text]).await?;
    }
    note_change(session, Op::Delete, kind, id, home, expected).await
}

async fn set_digests(session: &Session, kind: Kind, id: Uuid, digests: &[Digest]) -> Result<(), StoreError> {
    let (word, text) = (kind.as_str(), id.to_string());
    session.run(sql::DELETE_DIGESTS, &[&word, &text]).await?;
    for digest in digests {
        let parameters: Parameters<'_> = &[&digest.as_bytes().as_slice(), &word, &text];
        if session.run(sql::INSERT_DIGEST, parameters).await? == 0 {
            return Err(StoreError::Taken { kind, what: "this secret".to_owned() });
        }
    }
    Ok(())
}

async fn insert_version(session: &Session, version: &VersionRow) -> Result<(), StoreError> {
    let (kind, id) = (version.kind.as_str(), version.id.to_string());
    let (number, at) = (integer(version.version), integer(version.at));
    let parameters: Parameters<'_> =
        &[&kind, &id, &number, &at, &version.author, &version.comment, &version.body];
    session.run(sql::INSERT_VERSION, parameters).await.map(|_| ())
}

async fn note_change(
    session: &Session,
    op: Op,
    kind: Kind,
    id: Uuid,
    home: Home,
    version: u64,
) -> Result<(), StoreError> {
    let raised = session.one(sql::RAISE_COUNTER, &[&"change"]).await?;
    let raised = raised.ok_or_else(|| StoreError::internal("the counter of changes is missing"))?;
    let seq: i64 = at(&raised, 0)?;
    let (org, place) = (home.organisation.to_string(), workspace(home.workspace));
    let parameters: Parameters<'_> =
        &[&seq, &op.as_str(), &kind.as_str(), &id.to_string(), &org, &place, &integer(version)];
    session.run(sql::INSERT_CHANGE, parameters).await.map(|_| ())
}

async fn append(session: &Session, draft: &AuditDraft, chain: &ChainKey) -> Result<(), StoreError> {
    let (last, before) = audit_head(session).await?;
    let hash = chain.link(&before, last + 1, &draft.entry);
    let (seq, at) = (integer(last + 1), integer(draft.at));
    let (org, place) = (owner(draft.organisation), workspace(draft.workspace));
    session.run(sql::INSERT_AUDIT, &[&seq, &at, &org, &place, &draft.entry, &hash]).await?;
    session.run(sql::SET_AUDIT_HEAD, &[&seq, &hash]).await.map(|_| ())
}

pub(super) async fn touch(session: &Session, uses: &[(Kind, Uuid, u64)]) -> Result<(), StoreError> {
    for (kind, id, at) in uses {
        session.run(sql::TOUCH, &[&kind.as_str(), &id.to_string(), &integer(*at)]).await?;
    }
    Ok(())
}

pub(super) async fn trim(session: &Session, upto: u64) -> Result<(), StoreError> {
    session.run(sql::FORGET, &[&integer(upto)]).await?;
    session.run(sql::FORGOTTEN, &[&integer(upto)]).await.map(|_| ())
}

async fn first_word(
    session: &Session,
    sql: &'static str,
    parameters: Parameters<'_>,
) -> Result<Option<String>, StoreError> {
    session.one(sql, parameters).await?.map(|columns| at(&columns, 0)).transpose()
}

/// Why a change from `expected` met nothing.
async fn passed_by(session: &Session, kind: Kind, id: Uuid, expected: u64) -> Result<StoreError, StoreError> {
    let current = session.one(sql::VERSION, &[&kind.as_str(), &id.to_string()]).await?;
    Ok(match current {
        Some(columns) => {
            let current = natural(at(&columns, 0)?);
            StoreError::Conflict { kind, what: id.to_string(), expected, current }
        }
        None => missing(kind, id),
    })
}
