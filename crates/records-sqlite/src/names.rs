//! The numbers of a day's names.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Result};

/// Names kept in memory per day; beyond it they are asked for again.
const MOST: usize = 50_000;
pub(crate) const COLUMNS: usize = 16;

/// Numbers never change their name within a day. 0 is the number of no name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numbers: HashMap<Box<str>, u64, foldhash::fast::RandomState>,
    /// The last name of each column: it is often the next one as well.
    last: [(String, u64); COLUMNS],
}

impl Names {
    /// As [`Names::number`], for a column below [`COLUMNS`].
    pub(crate) fn next(&mut self, connection: &Connection, column: usize, name: &str) -> Result<u64> {
        // Half the columns of a record. To compare nothing with nothing costs more than it seems: the C library looks at memory that
        // is not there, under a mask, and processors take long over that.
        if name.is_empty() {
            return Ok(0);
        }
        if let Some((last, number)) = self.last.get(column)
            && last == name
        {
            return Ok(*number);
        }
        let number = self.number(connection, name)?;
        if let Some(last) = self.last.get_mut(column) {
            last.0.clear();
            last.0.push_str(name);
            last.1 = number;
        }
        Ok(number)
    }

    /// Of a name that is given a number if it has none.
    pub(crate) fn number(&mut self, connection: &Connection, name: &str) -> Result<u64> {
        if name.is_empty() {
            return Ok(0);
        }
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let number = match find(connection, name)? {
            Some(number) => number,
            None => {
                connection.prepare_cached("insert into name(text) values (?)")?.execute([name])?;
                u64::try_from(connection.last_insert_rowid()).unwrap_or(0)
            }
        };
        if self.numbers.len() >= MOST {
            self.numbers.clear();
        }
        self.numbers.insert(name.into(), number);
        Ok(number)
    }
}

pub(crate) fn find(connection: &Connection, name: &str) -> Result<Option<u64>> {
    connection
        .prepare_cached("select id from name where text = ?")?
        .query_row([name], |row| row.get::<_, i64>(0))
        .optional()
        .map(|number| number.and_then(|number| u64::try_from(number).ok()))
}
