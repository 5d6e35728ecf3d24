//! Somebody who can write to the database but has no master key.

use std::path::PathBuf;
use std::sync::Arc;

use tidegate_store::StoreError;
use tidegate_store::audit::AuditHead;
use tidegate_store::entity::{ApiKey, KeyOwner, Provider};
use tidegate_store::sqlite::Sqlite;

use crate::world::{Directory, World, by, provider};

async fn with_log(directory: &Directory) -> (World, PathBuf) {
    let path = directory.file("tidegate.db");
    let world = World::new(Arc::new(Sqlite::open(&path).unwrap())).await;
    for n in 0..6 {
        world.clock.advance(1_000);
        let key = ApiKey::new(format!("k{n}"), KeyOwner::Service, Vec::new());
        world.store.create(&by(), world.home_a(), key).await.unwrap();
    }
    world.store.verify_audit(None).await.unwrap();
    (world, path)
}

fn do_sql(path: &PathBuf, sql: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch("DROP TRIGGER IF EXISTS audit_stays; DROP TRIGGER IF EXISTS audit_kept;")
        .unwrap();
    connection.execute_batch(sql).unwrap();
}

#[tokio::test]
async fn every_way_to_alter_the_log_is_found() {
    for (sql, at) in [
        ("UPDATE audit SET entry = replace(entry, 'k2', 'k9') WHERE seq = 7", 7),
        ("UPDATE audit SET at = at + 1 WHERE seq = 5", 5),
        ("UPDATE audit SET org = '' WHERE seq = 6", 6),
        ("UPDATE audit SET workspace = '' WHERE seq = 6", 6),
        ("UPDATE audit SET hash = x'00' WHERE seq = 10", 10),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 10", 10),
        ("DELETE FROM audit WHERE seq > 6", 7),
        // Two entries change places, hashes and all.
        (
            "UPDATE audit SET seq = 100 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 7; \
             UPDATE audit SET seq = 7 WHERE seq = 100",
            6,
        ),
        // One goes, and the others close the gap.
        ("DELETE FROM audit WHERE seq = 6; UPDATE audit SET seq = seq - 1 WHERE seq > 6", 6),
        // One comes, a copy of another.
        (
            "INSERT INTO audit SELECT 11, at, org, workspace, entry, hash FROM audit WHERE seq = 10; \
             UPDATE audit_head SET seq = 11",
            11,
        ),
    ] {
        let directory = Directory::new();
        let (world, path) = with_log(&directory).await;
        do_sql(&path, sql);
        match world.store.verify_audit(None).await {
            Err(StoreError::AuditBroken { at: found, .. }) => assert_eq!(found, at, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_log_that_was_cut_off_is_found_by_whoever_kept_its_head() {
    let directory = Directory::new();
    let (world, path) = with_log(&directory).await;
    let kept: AuditHead = world.store.audit_head().await.unwrap();
    world.store.verify_audit(Some(&kept)).await.unwrap();
    do_sql(
        &path,
        "DELETE FROM audit WHERE seq > 8; \
         UPDATE audit_head SET seq = 8, hash = (SELECT hash FROM audit WHERE seq = 8)",
    );
    let error = world.store.verify_audit(Some(&kept)).await.unwrap_err();
    assert!(matches!(error, StoreError::AuditBroken { at: 10, .. }), "{error}");
    // Writing on does not help.
    for n in 0..3 {
        let key = ApiKey::new(format!("l{n}"), KeyOwner::Service, Vec::new());
        world.store.create(&by(), world.home_a(), key).await.unwrap();
    }
    let error = world.store.verify_audit(Some(&kept)).await.unwrap_err();
    assert!(matches!(error, StoreError::AuditBroken { at: 10, .. }), "{error}");
}

#[test]
fn the_database_itself_refuses_to_change_entries() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(World::new(Arc::new(Sqlite::open(&path).unwrap())).await) });
    let connection = rusqlite::Connection::open(&path).unwrap();
    for sql in ["UPDATE audit SET at = 0", "DELETE FROM audit"] {
        assert!(connection.execute(sql, []).unwrap_err().to_string().contains("audit entries are not"));
    }
}

/// Pointing a stored credential at another address, in the database, does not make the gateway send it there.
#[tokio::test]
async fn a_credential_does_not_open_beside_another_address() {
    for sql in [
        "UPDATE records SET body = replace(body, 'api.openai.example', 'evil.example') WHERE kind = 'provider'",
        "UPDATE records SET body = replace(body, '\"openai\"', '\"evil\"') WHERE kind = 'provider'",
        // The ciphertext of one provider in another.
        "UPDATE records SET body = (SELECT body FROM records WHERE slug = 'other') WHERE slug = 'p'",
    ] {
        let directory = Directory::new();
        let path = directory.file("tidegate.db");
        let world = World::new(Arc::new(Sqlite::open(&path).unwrap())).await;
        let made = world.store.create(&by(), world.home_a(), provider("p")).await.unwrap();
        world.store.create(&by(), world.home_a(), provider("other")).await.unwrap();
        do_sql(&path, sql);
        let error = match world.store.get::<Provider>(&world.in_a(), made.id).await {
            Ok(changed) => world.store.provider_credentials(&changed).await.unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, StoreError::Tampered { .. }), "{sql}: {error}");
    }
}
