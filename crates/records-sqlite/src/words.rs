//! The index of the words that bodies have. It stands in the file of the bodies: it goes when they go, and a word is there
//! exactly when they are.

use rusqlite::{Connection, Result, params};
use tidegate_records::search::words_of;
use tidegate_records::{Filter, RecordId, StoredBodies};

/// Within the transaction of the bodies, and once: a second time would be a second entry.
pub(crate) fn insert(connection: &Connection, id: i64, bodies: &StoredBodies) -> Result<()> {
    let words = words_of(bodies);
    if words.is_empty() {
        return Ok(());
    }
    let text = words.iter().fold(String::new(), |mut text, word| {
        text.push_str(word);
        text.push(' ');
        text
    });
    connection
        .prepare_cached("insert into words(rowid, found) values (?, ?)")?
        .execute(params![id, text])
        .map(drop)
}

/// Ids whose bodies have all words of a filter, within its time.
pub(crate) fn find(connection: &Connection, filter: &Filter, before: Option<RecordId>) -> Result<Vec<u64>> {
    // A file that an earlier binary wrote, and none since.
    let is_there = "select exists (select 1 from sqlite_schema where name = 'words')";
    if !connection.prepare_cached(is_there)?.query_row([], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let first = filter.from_ms.map_or(0, |from| RecordId::first_of(from).signed());
    let end = [filter.to_ms.map(RecordId::first_of), before].into_iter().flatten().min();
    let end = end.map_or(i64::MAX, RecordId::signed);
    // Words have no quotes, so nothing in them can be read as more than a word.
    let wanted: Vec<String> = filter.search.words().iter().map(|word| format!("\"{word}\"")).collect();
    let mut find = connection
        .prepare_cached("select rowid from words where words match ? and rowid >= ? and rowid < ?")?;
    let rows = find.query_map(params![wanted.join(" AND "), first, end], |row| row.get::<_, i64>(0))?;
    rows.map(|id| id.map(i64::unsigned_abs)).collect()
}
