//! Master keys: in a file, wrong ones, and changes of them.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tidegate_core::Secret;
use tidegate_store::sqlite::Sqlite;
use tidegate_store::vault::{MasterKeys, add_master_key, master_keys_in};
use tidegate_store::{Store, StoreError};

use crate::world::{Directory, MASTER, OTHER_MASTER, TestClock, World, by, masters, provider};

#[tokio::test]
async fn a_wrong_master_key_is_named() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    drop(World::new(Arc::new(Sqlite::open(&path).unwrap())).await);
    let wrong = masters(OTHER_MASTER);
    let given = wrong.ids();
    let needed = masters(MASTER).ids().remove(0);
    let sqlite = Arc::new(Sqlite::open(&path).unwrap());
    let error = Store::open(sqlite.clone(), wrong, TestClock::new()).await.unwrap_err();
    assert_eq!(error, StoreError::WrongMasterKey { needed: needed.clone(), given });
    assert!(error.to_string().contains(&needed) && !error.to_string().contains(MASTER));
    Store::open(sqlite, masters(MASTER), TestClock::new()).await.unwrap();
}

#[test]
fn a_file_is_made_once_for_its_owner_only() {
    let directory = Directory::new();
    let path = directory.file("master.key");
    let missing = master_keys_in(&path, false).unwrap_err();
    assert!(missing.to_string().contains("there is no such file"), "{missing}");
    let made = master_keys_in(&path, true).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(master_keys_in(&path, true).unwrap().ids(), made.ids());
    for lax in [0o640, 0o604, 0o660, 0o644, 0o610] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(lax)).unwrap();
        let error = master_keys_in(&path, true).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{lax:o}: {error}");
    }
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
    assert_eq!(master_keys_in(&path, true).unwrap().ids(), made.ids());
    // Nothing of the making is left over.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn keys_change_while_the_database_is_used() {
    let directory = Directory::new();
    let (path, file) = (directory.file("tidegate.db"), directory.file("master.key"));
    let first = master_keys_in(&file, true).unwrap();
    let backend = Arc::new(Sqlite::open(&path).unwrap());
    let store = Store::open(backend.clone(), first, TestClock::new()).await.unwrap();
    let org = store.create_organisation(&by(), crate::world::organisation("acme")).await.unwrap().id;
    let home = tidegate_store::Home::organisation(org);
    let ws = store.create(&by(), home, crate::world::workspace("w")).await.unwrap().id;
    let home = tidegate_store::Home::workspace(org, ws);
    let made = store.create(&by(), home, provider("p")).await.unwrap();

    let both = add_master_key(&file).unwrap();
    assert_eq!(both.ids().len(), 2);
    // A replica that has both keys reads before and after; one that has only the old key is told which it needs.
    let replica = Store::open(backend.clone(), master_keys_in(&file, false).unwrap(), TestClock::new());
    let replica = replica.await.unwrap();
    let old = both.ids().remove(1);
    let new = both.ids().remove(0);
    assert_eq!(store.rotate_master(&by(), both).await.unwrap(), 2);
    assert_eq!(replica.provider_credentials(&made).await.unwrap().len(), 1);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    let (newest, oldest) = (lines.next().unwrap(), lines.next().unwrap());
    let alone = MasterKeys::parse(&Secret::from(newest), "test").unwrap();
    let reopened = Store::open(backend.clone(), alone, TestClock::new()).await.unwrap();
    assert_eq!(reopened.provider_credentials(&made).await.unwrap().len(), 1);
    reopened.verify_audit(None).await.unwrap();
    let stale = MasterKeys::parse(&Secret::from(oldest), "test").unwrap();
    let error = Store::open(backend, stale, TestClock::new()).await.unwrap_err();
    assert_eq!(error, StoreError::WrongMasterKey { needed: new, given: vec![old] });
}

#[tokio::test]
async fn a_change_without_the_old_key_changes_nothing() {
    let directory = Directory::new();
    let world = World::new(Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap())).await;
    let error = world.store.rotate_master(&by(), masters(OTHER_MASTER)).await.unwrap_err();
    assert!(matches!(error, StoreError::WrongMasterKey { .. }), "{error}");
    // The store goes on with the keys it had.
    world.store.create_organisation(&by(), crate::world::organisation("next")).await.unwrap();
    world.store.rotate_master(&by(), masters(&format!("{OTHER_MASTER} {MASTER}"))).await.unwrap();
}
