//! The database file: who may read it, copies of it, and what is refused.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidegate_core::clock::{Clock, Moment};
use tidegate_store::entity::{ApiKey, KeyOwner};
use tidegate_store::sqlite::{Sqlite, backup_file, restore};
use tidegate_store::{Home, Page, Scope, Store, StoreError};

use crate::world::{Directory, MASTER, TestClock, World, by, masters};

fn key(name: &str) -> ApiKey {
    ApiKey::new(name, KeyOwner::Service, Vec::new())
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn all_files_are_for_their_owner_only() {
    let directory = Directory::new();
    let sqlite = Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap());
    let world = World::new(sqlite.clone()).await;
    world.store.create(&by(), world.home_a(), key("k")).await.unwrap();
    sqlite.backup(directory.file("backup.db")).await.unwrap();
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// A checkpoint is the one thing that a new file waits for: after it the file has everything without the log beside it.
#[tokio::test]
async fn a_new_file_is_whole_when_it_is_settled() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    let sqlite = Arc::new(Sqlite::found(&path).unwrap());
    let world = World::new(sqlite.clone()).await;
    let made = world.store.create(&by(), world.home_a(), key("k")).await.unwrap();
    let alone = |name: &str| {
        let copy = directory.file(name);
        std::fs::copy(&path, &copy).unwrap();
        Arc::new(Sqlite::open(&copy).unwrap())
    };
    let open = |file| Store::open(file, masters(MASTER), TestClock::new());
    sqlite.settle().await.unwrap();
    let store = open(alone("settled.db")).await.unwrap();
    assert!(store.get::<ApiKey>(&Scope::Organisation(world.org), made.id).await.is_ok());
    // What comes after waits in the log as ever; saying it again changes nothing.
    let later = world.store.create(&by(), world.home_a(), key("l")).await.unwrap();
    sqlite.settle().await.unwrap();
    let store = open(alone("later.db")).await.unwrap();
    assert!(store.get::<ApiKey>(&Scope::Organisation(world.org), later.id).await.is_err());
    assert!(world.store.get::<ApiKey>(&Scope::Organisation(world.org), later.id).await.is_ok());
}

/// Many times: whether a thread is still closing its connection is a matter of moments.
#[tokio::test]
async fn whoever_drops_a_database_leaves_it_closed_and_to_others() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    for _ in 0..20 {
        drop(World::new(Arc::new(Sqlite::open(&path).unwrap())).await);
        assert!(!directory.file("tidegate.db-wal").exists(), "its journal is in it");
        std::fs::File::open(directory.file("tidegate.db.lock")).unwrap().try_lock().unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_of_one_moment_while_writers_go_on() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    let sqlite = Arc::new(Sqlite::open(&path).unwrap());
    let world = Arc::new(World::new(sqlite.clone()).await);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (world, stop) = (world.clone(), stop.clone());
        tokio::spawn(async move {
            let mut made = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                world.store.create(&by(), world.home_a(), key("k")).await.unwrap();
                made += 1;
            }
            made
        })
    };
    let mut totals = Vec::new();
    for n in 0..6 {
        // Both ways: from inside, and from another process that does not have it open.
        let copy = directory.file(&format!("copy-{n}.db"));
        match n % 2 {
            0 => sqlite.backup(copy.clone()).await.unwrap(),
            _ => backup_file(&path, &copy).unwrap(),
        }
        let copied = Arc::new(Sqlite::open(&copy).unwrap());
        let store = Store::open(copied, masters(MASTER), TestClock::new()).await.unwrap();
        let report = store.verify_audit(None).await.unwrap();
        let keys = store.list::<ApiKey>(&world.in_a(), Page::first(1)).await.unwrap().total;
        // The store's key, the organisation and two workspaces have an entry each.
        assert_eq!(report.entries, keys + 4, "an object and its audit entry are there together");
        totals.push(keys);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() >= *totals.last().unwrap());
    assert!(totals.is_sorted());
    let there = sqlite.backup(directory.file("copy-0.db")).await.unwrap_err();
    assert!(there.to_string().ends_with("is there already"), "{there}");
}

#[tokio::test]
async fn a_backup_is_put_back() {
    let directory = Directory::new();
    let (path, copy) = (directory.file("tidegate.db"), directory.file("copy.db"));
    let sqlite = Arc::new(Sqlite::open(&path).unwrap());
    let world = World::new(sqlite.clone()).await;
    world.store.create(&by(), world.home_a(), key("before")).await.unwrap();
    sqlite.backup(copy.clone()).await.unwrap();
    world.store.create(&by(), world.home_a(), key("after")).await.unwrap();
    let scope = world.in_a();

    let busy = restore(&copy, &path).unwrap_err();
    assert!(busy.to_string().contains("stop tidegate first"), "{busy}");
    drop((sqlite, world));
    let damaged = directory.file("damaged.db");
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[4_096..12_000].fill(0x5a);
    std::fs::write(&damaged, bytes).unwrap();
    assert!(restore(&damaged, &path).is_err());
    std::fs::write(directory.file("no.db"), b"not a database at all").unwrap();
    assert!(restore(&directory.file("no.db"), &path).is_err());

    let kept = restore(&copy, &path).unwrap().unwrap();
    let names = async |path| {
        let store = Store::open(Arc::new(Sqlite::open(path).unwrap()), masters(MASTER), TestClock::new())
            .await
            .unwrap();
        store.verify_audit(None).await.unwrap();
        let rows = store.list::<ApiKey>(&scope, Page::first(10)).await.unwrap().rows;
        rows.into_iter().map(|row| row.entity.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&path).await, ["before"]);
    let mut kept = names(&kept).await;
    kept.sort();
    assert_eq!(kept, ["after", "before"]);
}

/// The times of an entry and of its row are the same time, also when the clock goes on in between.
#[tokio::test]
async fn the_log_verifies_with_a_clock_that_runs() {
    #[derive(Debug, Default)]
    struct Running(AtomicU64);
    impl Clock for Running {
        fn now(&self) -> Moment {
            Moment(self.unix_ms())
        }
        fn unix_ms(&self) -> u64 {
            self.0.fetch_add(1, Ordering::Relaxed)
        }
    }
    let directory = Directory::new();
    let sqlite = Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap());
    let store = Store::open(sqlite, masters(MASTER), Arc::new(Running::default())).await.unwrap();
    let org = store.create_organisation(&by(), crate::world::organisation("acme")).await.unwrap().id;
    let made = store.create(&by(), Home::organisation(org), key("k")).await.unwrap();
    store.revoke_key(&by(), &Scope::Organisation(org), made.id).await.unwrap();
    store.verify_audit(None).await.unwrap();
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let directory = Directory::new();
    let path = directory.file("other.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert!(matches!(&error, StoreError::File { .. }), "{error}");
    assert!(error.to_string().contains("another program"), "{error}");
    assert!(Sqlite::open(&directory.file("no/such/directory.db")).is_err());
}
