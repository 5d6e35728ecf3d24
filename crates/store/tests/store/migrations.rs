//! Upgrades: whole or not at all, and what an older program does with a newer database.

use std::sync::Arc;

use tidegate_store::entity::{ApiKey, KeyOwner};
use tidegate_store::migration::Migration;
use tidegate_store::sqlite::{MIGRATIONS, Sqlite};
use tidegate_store::{Page, Store, StoreError};

use crate::world::{Directory, MASTER, TestClock, World, by, masters};

fn newest() -> Migration {
    *MIGRATIONS.last().unwrap()
}

fn next(sql: &'static str, min_reader: u32) -> Vec<Migration> {
    let mut all = MIGRATIONS.to_vec();
    all.push(Migration { number: newest().number + 1, sql, min_reader });
    all
}

const ADDS: &str = "ALTER TABLE versions ADD COLUMN note TEXT; CREATE TABLE added (x INTEGER) STRICT;";

#[tokio::test]
async fn an_upgrade_that_fails_leaves_the_old_schema() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    let world = World::new(Arc::new(Sqlite::open(&path).unwrap())).await;
    let (org, scope) = (world.org, world.in_a());
    drop(world);
    let schema = || {
        let connection = rusqlite::Connection::open(&path).unwrap();
        let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
        let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    };
    let before = schema();
    let broken = "CREATE TABLE added (x INTEGER); DROP TABLE changes; INSERT INTO no_such_table VALUES (1);";
    let error = Sqlite::open_with(&path, &next(broken, 1)).unwrap_err();
    assert!(
        matches!(&error, StoreError::MigrationFailed { number, reason }
            if *number == newest().number + 1 && reason.contains("no_such_table")),
        "{error}"
    );
    assert_eq!(schema(), before);
    let store = Store::open(Arc::new(Sqlite::open(&path).unwrap()), masters(MASTER), TestClock::new());
    let store = store.await.unwrap();
    let home = tidegate_store::Home::workspace(org, scope.workspace().unwrap());
    store.create(&by(), home, ApiKey::new("k", KeyOwner::Service, Vec::new())).await.unwrap();
}

#[tokio::test]
async fn the_program_before_can_still_read_but_not_write() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    let world = World::new(Arc::new(Sqlite::open(&path).unwrap())).await;
    let (home, scope) = (world.home_a(), world.in_a());
    world.store.create(&by(), home, ApiKey::new("k", KeyOwner::Service, Vec::new())).await.unwrap();
    drop(world);
    drop(Sqlite::open_with(&path, &next(ADDS, 1)).unwrap());
    let sqlite = Arc::new(Sqlite::open(&path).unwrap());
    assert!(sqlite.is_read_only());
    let store = Store::open(sqlite, masters(MASTER), TestClock::new()).await.unwrap();
    assert_eq!(store.list::<ApiKey>(&scope, Page::first(9)).await.unwrap().rows[0].entity.name, "k");
    store.verify_audit(None).await.unwrap();
    let written = store.create(&by(), home, ApiKey::new("l", KeyOwner::Service, Vec::new())).await;
    let number = newest().number;
    assert_eq!(written.unwrap_err(), StoreError::ReadOnly { found: number + 1, ours: number });
}

#[test]
fn a_program_that_is_too_old_is_told() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    drop(Sqlite::open_with(&path, &next(ADDS, newest().number + 1)).unwrap());
    let error = Sqlite::open(&path).unwrap_err();
    let number = newest().number;
    assert_eq!(error, StoreError::TooNew { found: number + 1, needs: number + 1, ours: number });
    assert!(error.to_string().contains("use a newer tidegate"), "{error}");
}

#[test]
fn an_altered_migration_is_told() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    drop(Sqlite::open_with(&path, &next(ADDS, 1)).unwrap());
    let error = Sqlite::open_with(&path, &next("CREATE TABLE something_else (x INTEGER);", 1)).unwrap_err();
    assert_eq!(error, StoreError::MigrationAltered { number: newest().number + 1 });
}

/// A newer program wrote a member that this one does not know: a change made by this one keeps it.
#[tokio::test]
async fn members_of_a_newer_program_are_kept() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    let world = World::new(Arc::new(Sqlite::open(&path).unwrap())).await;
    let key = ApiKey::new("k", KeyOwner::Service, Vec::new());
    let made = world.store.create(&by(), world.home_a(), key).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let id = made.id.to_string();
    let body = || -> serde_json::Value {
        let read = "SELECT body FROM records WHERE id = ?1";
        let text: String = connection.query_row(read, [&id], |row| row.get(0)).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let mut newer = body();
    newer["from_the_future"] = serde_json::json!({"a": 1});
    connection.execute("UPDATE records SET body = ?2 WHERE id = ?1", [&id, &newer.to_string()]).unwrap();
    let rename = |key: &mut ApiKey| {
        key.name = "renamed".to_owned();
        key.description = Some("d".to_owned());
        Ok(())
    };
    let scope = world.in_a();
    world.store.update(&by(), &scope, made.id, tidegate_store::Expected::Latest, rename).await.unwrap();
    let found = body();
    assert_eq!((&found["from_the_future"]["a"], &found["name"]), (&1.into(), &"renamed".into()));
}
