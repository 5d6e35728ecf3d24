//! How alert rules stand, and whose turn it is. Writes are made under the advisory lock of all writes, so one replica of
//! those that ask at once gets a turn.

use uuid::Uuid;

use super::question::at;
use super::session::Session;
use crate::backend::{AlertNote, AlertStateRow};
use crate::error::StoreError;
use crate::id::parse;
use crate::row::{integer, natural};
use crate::sql;

pub(super) async fn states(
    session: &Session,
    rules: &[Uuid],
) -> Result<Vec<(Uuid, AlertStateRow)>, StoreError> {
    let mut found = Vec::with_capacity(rules.len());
    for rule in rules {
        if let Some(columns) = session.one(sql::ALERT_STATE, &[&rule.to_string()]).await? {
            let state = AlertStateRow { version: natural(at(&columns, 0)?), body: at(&columns, 1)? };
            found.push((*rule, state));
        }
    }
    Ok(found)
}

pub(super) async fn note(session: &Session, note: &AlertNote) -> Result<bool, StoreError> {
    let rule = note.rule.to_string();
    let written = match note.expected {
        0 => session.run(sql::INSERT_ALERT_STATE, &[&rule, &note.state]).await?,
        expected => session.run(sql::UPDATE_ALERT_STATE, &[&note.state, &rule, &integer(expected)]).await?,
    };
    if written == 0 {
        return Ok(false);
    }
    for (id, body) in &note.events {
        session.run(sql::INSERT_ALERT_EVENT, &[&rule, &id.to_string(), body]).await?;
    }
    if !note.events.is_empty() {
        session.run(sql::TRIM_ALERT_EVENTS, &[&rule, &i64::from(note.keep)]).await?;
    }
    Ok(true)
}

pub(super) async fn amend(session: &Session, rule: Uuid, event: Uuid, body: &str) -> Result<(), StoreError> {
    session.run(sql::AMEND_ALERT_EVENT, &[&body, &rule.to_string(), &event.to_string()]).await.map(|_| ())
}

pub(super) async fn events(
    session: &Session,
    rule: Uuid,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<(Uuid, String)>, StoreError> {
    let before = before.unwrap_or(Uuid::max()).to_string();
    let rows = session.many(sql::ALERT_EVENTS, &[&rule.to_string(), &before, &i64::from(limit)]).await?;
    rows.iter().map(|columns| Ok((parse(&at::<String>(columns, 0)?)?, at(columns, 1)?))).collect()
}

pub(super) async fn take_turn(session: &Session, name: &str, now: u64, due: u64) -> Result<bool, StoreError> {
    Ok(session.run(sql::TAKE_TURN, &[&name, &integer(now), &integer(due)]).await? > 0)
}
