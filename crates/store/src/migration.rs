//! Migrations: numbered, forward only, run in one transaction, known by the hash of their text.

use aws_lc_rs::digest::{SHA256, digest};

use crate::error::StoreError;
use crate::id::hex;

/// A step from one schema to the next. Its text never changes once it is released.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// From 1, without gaps.
    pub number: u32,
    pub sql: &'static str,
    /// The schema that a program must know at least to read a database after this step. Steps only add, so it is
    /// usually that of the migration before.
    pub min_reader: u32,
}

/// What a database says of itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applied {
    /// Numbers and hashes, ascending.
    pub migrations: Vec<(u32, String)>,
    /// 0 for an empty database.
    pub min_reader: u32,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// How many of the known migrations have run; the rest is to be.
    RunFrom(usize),
    /// A newer program made it and says that this one may read.
    ReadOnly { found: u32, ours: u32 },
}

impl Migration {
    pub(crate) fn hash(&self) -> String {
        hex(digest(&SHA256, self.sql.as_bytes()).as_ref())
    }
}

/// What to do with a database.
pub(crate) fn plan(known: &[Migration], applied: &Applied) -> Result<Plan, StoreError> {
    for (position, (number, hash)) in applied.migrations.iter().enumerate() {
        match known.get(position) {
            Some(migration) if migration.number == *number && migration.hash() == *hash => {}
            Some(_) => return Err(StoreError::MigrationAltered { number: *number }),
            None => break,
        }
    }
    let ours = known.last().map_or(0, |migration| migration.number);
    let found = applied.migrations.last().map_or(0, |(number, _)| *number);
    if found <= ours {
        return Ok(Plan::RunFrom(applied.migrations.len()));
    }
    if applied.min_reader > ours {
        return Err(StoreError::TooNew { found, needs: applied.min_reader, ours });
    }
    Ok(Plan::ReadOnly { found, ours })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration { number: 1, sql: "one", min_reader: 1 };
    const TWO: Migration = Migration { number: 2, sql: "two", min_reader: 1 };
    const THREE: Migration = Migration { number: 3, sql: "three", min_reader: 3 };

    fn applied(migrations: &[Migration]) -> Applied {
        Applied {
            migrations: migrations.iter().map(|migration| (migration.number, migration.hash())).collect(),
            min_reader: migrations.last().map_or(0, |migration| migration.min_reader),
        }
    }

    #[test]
    fn a_plan_follows_from_both_sides() {
        assert_eq!(plan(&[ONE, TWO], &applied(&[])), Ok(Plan::RunFrom(0)));
        assert_eq!(plan(&[ONE, TWO], &applied(&[ONE])), Ok(Plan::RunFrom(1)));
        assert_eq!(plan(&[ONE], &applied(&[ONE, TWO])), Ok(Plan::ReadOnly { found: 2, ours: 1 }));
        assert_eq!(
            plan(&[ONE, TWO], &applied(&[ONE, TWO, THREE])),
            Err(StoreError::TooNew { found: 3, needs: 3, ours: 2 })
        );
        let other = Migration { sql: "another one", ..ONE };
        assert_eq!(plan(&[other], &applied(&[ONE])), Err(StoreError::MigrationAltered { number: 1 }));
    }
}
