//! The suite against a PostgreSQL server of the test's own.

use std::sync::Arc;
use std::time::Duration;

use tidegate_core::Secret;
use tidegate_postgres::Server;
use tidegate_store::entity::{ApiKey, Config as SavedConfig, KeyOwner};
use tidegate_store::id::{ApiKeyId, EntityId, OrganisationId};
use tidegate_store::migration::Migration;
use tidegate_store::postgres::{MIGRATIONS, Postgres};
use tidegate_store::{Expected, Home, Page, Store, StoreError};
use tidegate_testkit::Postgres as Running;

use crate::suite;
use crate::world::{MASTER, TestClock, World, by, masters};

/// A database of its own.
fn database(server: &Running) -> Server {
    server.database().parse().unwrap()
}

async fn world(server: Server) -> World {
    World::new(Arc::new(Postgres::open(server).await.unwrap())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite() {
    let server = Running::start();
    macro_rules! case {
        ($name:ident) => {
            println!("{}", stringify!($name));
            suite::$name(world(database(&server)).await).await;
        };
    }
    every_case!(case);
}

fn key(name: &str) -> ApiKey {
    ApiKey::new(name, KeyOwner::Service, Vec::new())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_particular_to_a_server() {
    let mut server = Running::start();
    replicas_start_together_and_lose_nothing(&server).await;
    an_upgrade_that_fails_leaves_the_old_schema(&server).await;
    a_write_that_is_given_up_leaves_nothing(&server).await;
    a_server_that_goes_away_comes_back(&mut server).await;
}

async fn replicas_start_together_and_lose_nothing(server: &Running) {
    let config = database(server);
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let config = config.clone();
            tokio::spawn(async move {
                let backend = Arc::new(Postgres::open(config).await.unwrap());
                Store::open(backend, masters(MASTER), TestClock::new()).await.unwrap()
            })
        })
        .collect();
    let mut stores = Vec::new();
    for start in starts {
        stores.push(start.await.unwrap());
    }
    what_exists_once_is_made_by_one_replica(&stores).await;
    let world = world(config).await;
    let made = suite::config("pc-x-000001", serde_json::json!({"n": 0}));
    let id = world.store.create(&by(), world.home_a(), made).await.unwrap().id;
    let scope = world.in_a();
    let mut feed = stores[0].feed().await.unwrap();
    let writers: Vec<_> = stores
        .iter()
        .cloned()
        .map(|store| {
            tokio::spawn(async move {
                let mut added = 0;
                while added < 10 {
                    let add = |config: &mut SavedConfig| {
                        config.content["n"] = (config.content["n"].as_u64().unwrap() + 1).into();
                        Ok(())
                    };
                    match store.update(&by(), &scope, id, Expected::Latest, add).await {
                        Ok(_) => added += 1,
                        Err(StoreError::Conflict { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    // A replica hears of what others do, without polling.
    tokio::time::timeout(Duration::from_secs(120), feed.woken()).await.unwrap();
    // One that polls sees every change of the others, in order.
    let mut versions = Vec::new();
    while versions.len() < 40 {
        versions.extend(feed.poll().await.unwrap().iter().map(|change| change.version));
        tokio::task::yield_now().await;
    }
    assert_eq!(versions, (2..=41).collect::<Vec<_>>());
    for writer in writers {
        writer.await.unwrap();
    }
    let end = stores[1].get::<SavedConfig>(&scope, id).await.unwrap();
    assert_eq!(end.entity.content["n"], 40);
    world.store.verify_audit(None).await.unwrap();
}

async fn what_exists_once_is_made_by_one_replica(stores: &[Store]) {
    let (org, id) = (OrganisationId::make(1).unwrap(), ApiKeyId::make(1).unwrap());
    let tries: Vec<_> = stores
        .iter()
        .cloned()
        .enumerate()
        .map(|(at, store)| {
            tokio::spawn(async move {
                let made =
                    store.create_organisation_once(&by(), org, crate::world::organisation("once")).await;
                assert!(matches!(made, Ok(_) | Err(StoreError::Taken { .. })), "{made:?}");
                let text = Secret::from(format!("tg-of-replica-{at}-0123456789"));
                let home = Home::organisation(org);
                match store.create_key_once(&by(), home, id, key("once"), &text).await {
                    Ok(_) => (usize::from(made.is_ok()), Some(text)),
                    Err(StoreError::Taken { .. }) => (usize::from(made.is_ok()), None),
                    Err(error) => panic!("{error}"),
                }
            })
        })
        .collect();
    let (mut organisations, mut texts) = (0, Vec::new());
    for one in tries {
        let (made, text) = one.await.unwrap();
        organisations += made;
        texts.extend(text);
    }
    assert_eq!((organisations, texts.len()), (1, 1));
    for store in stores {
        assert!(store.find_key(&texts[0]).await.unwrap().is_some(), "all have the same data key");
    }
}

async fn an_upgrade_that_fails_leaves_the_old_schema(server: &Running) {
    let config = database(server);
    let first = world(config.clone()).await;
    let newest = MIGRATIONS.last().unwrap().number;
    let next = |sql, min_reader| {
        let mut all = MIGRATIONS.to_vec();
        all.push(Migration { number: newest + 1, sql, min_reader });
        all
    };
    let broken = next("DROP TABLE last_used; INSERT INTO no_such_table VALUES (1);", 1);
    let error = Postgres::open_with(config.clone(), &broken).await.unwrap_err();
    assert!(matches!(&error, StoreError::MigrationFailed { number, .. } if *number == newest + 1), "{error}");
    let made = first.store.create(&by(), first.home_a(), key("k")).await.unwrap();
    first.store.touch::<ApiKey>(&[(made.id, 5)]).await.unwrap();
    Postgres::open_with(config.clone(), &next("CREATE TABLE added (x BIGINT);", 1)).await.unwrap();
    let older = Postgres::open(config.clone()).await.unwrap();
    assert!(older.is_read_only());
    let older = Store::open(Arc::new(older), masters(MASTER), TestClock::new()).await.unwrap();
    assert_eq!(older.list::<ApiKey>(&first.in_a(), Page::first(9)).await.unwrap().total, 1);
    let written = older.create(&by(), first.home_a(), key("l")).await.unwrap_err();
    assert_eq!(written, StoreError::ReadOnly { found: newest + 1, ours: newest });
}

/// A caller that goes away while its change is made: all of it is there, or nothing, and the next change works.
async fn a_write_that_is_given_up_leaves_nothing(server: &Running) {
    let world = world(database(server)).await;
    for n in 0..40 {
        let by = by();
        let write = world.store.create(&by, world.home_a(), key("k"));
        let _ = tokio::time::timeout(Duration::from_micros(n * 100), write).await;
    }
    world.store.create(&by(), world.home_a(), key("last")).await.unwrap();
    let total = world.store.list::<ApiKey>(&world.in_a(), Page::first(1)).await.unwrap().total;
    let report = world.store.verify_audit(None).await.unwrap();
    assert_eq!(report.entries, total + 4);
}

async fn a_server_that_goes_away_comes_back(server: &mut Running) {
    let world = world(database(server)).await;
    let made = world.store.create(&by(), world.home_a(), key("k")).await.unwrap();
    server.stop();
    let read = world.store.get::<ApiKey>(&world.in_a(), made.id).await.unwrap_err();
    assert!(matches!(read, StoreError::Away { .. }), "{read}");
    let written = world.store.create(&by(), world.home_a(), key("l")).await.unwrap_err();
    assert!(matches!(written, StoreError::Away { .. }), "{written}");
    let woken = world.store.feed();
    assert!(matches!(woken.await, Err(StoreError::Away { .. })));
    server.restart();
    world.store.create(&by(), world.home_a(), key("m")).await.unwrap();
    assert_eq!(world.store.get::<ApiKey>(&world.in_a(), made.id).await.unwrap(), made);
    world.store.verify_audit(None).await.unwrap();
}
