//! The process is killed while it writes. The test starts itself again as the process that is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tidegate_store::entity::{ApiKey, KeyOwner};
use tidegate_store::migration::Migration;
use tidegate_store::sqlite::{MIGRATIONS, Sqlite};
use tidegate_store::{Page, Store};

use crate::world::{Directory, MASTER, TestClock, World, by, masters};

/// Set for the process that is to be killed: the file it works on.
const FILE: &str = "TIDEGATE_TEST_STORE";

fn start(test: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn file() -> Option<std::path::PathBuf> {
    std::env::var_os(FILE).map(Into::into)
}

/// Writes until it is killed, telling of each write after it was acknowledged.
#[test]
fn writer() {
    let Some(path) = file() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let world = Arc::new(World::new(Arc::new(Sqlite::open(&path).unwrap())).await);
        let write = |world: Arc<World>| async move {
            loop {
                let key = ApiKey::new("k", KeyOwner::Service, Vec::new());
                let made = world.store.create(&by(), world.home_a(), key).await.unwrap();
                println!("\nmade {} {} {}", world.org, world.a, made.id);
                if made.version == 0 {
                    return;
                }
            }
        };
        let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(write(world.clone()))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    for round in 0..6 {
        let directory = Directory::new();
        let path = directory.file("tidegate.db");
        let mut child = start("crash::writer", &path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = Vec::new();
        // Killed after another number of writes each time, in the middle of those under way.
        while acknowledged.len() < 5 + 23 * round {
            let line = lines.next().expect("the writer goes on").unwrap();
            acknowledged.extend(line.strip_prefix("made ").map(str::to_owned));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(lines.map_while(Result::ok).filter_map(|line| {
            let line = line.strip_prefix("made ")?;
            (line.len() == 110).then(|| line.to_owned())
        }));
        let sqlite = Arc::new(Sqlite::open(&path).unwrap());
        let store = Store::open(sqlite, masters(MASTER), TestClock::new()).await.unwrap();
        let report = store.verify_audit(None).await.unwrap();
        let mut total = 0;
        for line in &acknowledged {
            let ids: Vec<_> = line.split(' ').collect();
            let scope = tidegate_store::Scope::Workspace(ids[0].parse().unwrap(), ids[1].parse().unwrap());
            store.get::<ApiKey>(&scope, ids[2].parse().unwrap()).await.unwrap();
            total = store.list::<ApiKey>(&scope, Page::first(1)).await.unwrap().total;
        }
        assert!(total >= acknowledged.len() as u64);
        assert_eq!(report.entries, total + 4, "each write has its audit entry, and each entry its write");
    }
}

/// Long enough to be killed in.
const SLOW: &str = "CREATE TABLE added (x INTEGER) STRICT; \
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 30000000) \
    INSERT INTO added SELECT x FROM n; DROP TABLE last_used;";

#[test]
fn upgrader() {
    let Some(path) = file() else { return };
    let mut migrations = MIGRATIONS.to_vec();
    let number = MIGRATIONS.last().unwrap().number + 1;
    migrations.push(Migration { number, sql: SLOW, min_reader: number });
    println!("\nbegins");
    drop(Sqlite::open_with(&path, &migrations));
    println!("\nthrough");
}

#[tokio::test]
async fn an_upgrade_that_is_killed_leaves_the_old_schema() {
    let directory = Directory::new();
    let path = directory.file("tidegate.db");
    let world = World::new(Arc::new(Sqlite::open(&path).unwrap())).await;
    let key = ApiKey::new("k", KeyOwner::Service, Vec::new());
    world.store.create(&by(), world.home_a(), key).await.unwrap();
    let scope = world.in_a();
    drop(world);
    for _ in 0..3 {
        let mut child = start("crash::upgrader", &path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "begins"));
        // The journal grows: it is in the middle.
        let journal = directory.file("tidegate.db-wal");
        while std::fs::metadata(&journal).map_or(0, |file| file.len()) < 200_000 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(lines.map_while(Result::ok).all(|line| line != "through"), "it was killed too late");
        let sqlite = Arc::new(Sqlite::open(&path).unwrap());
        assert!(!sqlite.is_read_only());
        let store = Store::open(sqlite, masters(MASTER), TestClock::new()).await.unwrap();
        store.verify_audit(None).await.unwrap();
        assert_eq!(store.list::<ApiKey>(&scope, Page::first(9)).await.unwrap().total, 1);
    }
}
