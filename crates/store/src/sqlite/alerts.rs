//! How alert rules stand, and whose turn it is.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::apply::run;
use super::question::{id_at, many, one, text};
use crate::backend::{AlertNote, AlertStateRow};
use crate::error::StoreError;
use crate::row::{integer, natural};
use crate::sql;

pub(super) fn states(
    connection: &Connection,
    rules: &[Uuid],
) -> Result<Vec<(Uuid, AlertStateRow)>, StoreError> {
    let mut found = Vec::with_capacity(rules.len());
    for rule in rules {
        let state = one(connection, sql::ALERT_STATE, params![rule.to_string()], |columns| {
            Ok(AlertStateRow { version: natural(columns.get(0)?), body: columns.get(1)? })
        })?;
        found.extend(state.map(|state| (*rule, state)));
    }
    Ok(found)
}

pub(super) fn note(connection: &Connection, note: &AlertNote) -> Result<bool, StoreError> {
    let rule = note.rule.to_string();
    let written = match note.expected {
        0 => run(connection, sql::INSERT_ALERT_STATE, params![rule, note.state])?,
        expected => run(connection, sql::UPDATE_ALERT_STATE, params![note.state, rule, integer(expected)])?,
    };
    if written == 0 {
        return Ok(false);
    }
    for (id, body) in &note.events {
        run(connection, sql::INSERT_ALERT_EVENT, params![rule, id.to_string(), body])?;
    }
    if !note.events.is_empty() {
        run(connection, sql::TRIM_ALERT_EVENTS, params![rule, i64::from(note.keep)])?;
    }
    Ok(true)
}

pub(super) fn amend(connection: &Connection, rule: Uuid, event: Uuid, body: &str) -> Result<(), StoreError> {
    run(connection, sql::AMEND_ALERT_EVENT, params![body, rule.to_string(), event.to_string()]).map(|_| ())
}

pub(super) fn events(
    connection: &Connection,
    rule: Uuid,
    before: Option<Uuid>,
    limit: u32,
) -> Result<Vec<(Uuid, String)>, StoreError> {
    let before = before.unwrap_or(Uuid::max());
    let parameters = params![rule.to_string(), before.to_string(), i64::from(limit)];
    many(connection, sql::ALERT_EVENTS, parameters, |columns| Ok((id_at(columns, 0)?, text(columns, 1)?)))
}

pub(super) fn take_turn(connection: &Connection, name: &str, now: u64, due: u64) -> Result<bool, StoreError> {
    Ok(run(connection, sql::TAKE_TURN, params![name, integer(now), integer(due)])? > 0)
}
