//! What reading one key and writing one object cost: `cargo run --release -p tidegate-store --example store_cost [keys] [server]`, where
//! `server` is a PostgreSQL database (`host=127.0.0.1 user=test dbname=test`) to use in place of a file.
//! In memory-backed directories the disk's part is missing; set TMPDIR to a directory on the disk that counts.

#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::sync::Arc;
use std::time::Instant;

use tidegate_core::Secret;
use tidegate_core::clock::SystemClock;
use tidegate_store::audit::By;
use tidegate_store::backend::Backend;
use tidegate_store::entity::{ApiKey, KeyOwner, Organisation};
use tidegate_store::postgres::Postgres;
use tidegate_store::sqlite::Sqlite;
use tidegate_store::vault::MasterKeys;
use tidegate_store::{Home, Scope, Store, StoreError};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = std::env::args().nth(1).map_or(Ok(10_000), |text| text.parse())?;
    if let Some(server) = std::env::args().nth(2) {
        return Ok(measure(Arc::new(Postgres::open(server.parse()?).await?), keys).await?);
    }
    let directory = std::env::temp_dir().join(format!("tidegate-cost-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let sqlite = Arc::new(Sqlite::open(&directory.join("tidegate.db"))?);
    let outcome = measure(sqlite, keys).await;
    std::fs::remove_dir_all(&directory)?;
    Ok(outcome?)
}

async fn measure(backend: Arc<dyn Backend>, keys: u32) -> Result<(), StoreError> {
    let store = Store::open(backend, MasterKeys::random()?, Arc::new(SystemClock::new())).await?;
    let named = Organisation { name: "o".into(), slug: "o".into(), settings: Default::default() };
    let home = Home::organisation(store.create_organisation(&By::system(), named).await?.id);
    let text = |n: u32| Secret::from(format!("tg-a-key-to-measure-with-{n:08}"));
    let key = |n: u32| ApiKey::new(format!("k{n}"), KeyOwner::Service, vec!["completions.write".into()]);

    let (mut made, begin) = (Vec::new(), Instant::now());
    for n in 0..200 {
        made.push((store.create_key_as(&By::system(), home, key(n), &text(n)).await?, text(n)));
    }
    say("write one, alone", begin, 200);

    let begin = Instant::now();
    for first in (0..keys).step_by(64) {
        let group: Vec<_> = (first..keys.min(first + 64))
            .map(|n| {
                let (store, key) = (store.clone(), key(n));
                let text = text(1_000 + n);
                tokio::spawn(async move {
                    store.create_key_as(&By::system(), home, key, &text).await.map(|key| (key, text))
                })
            })
            .collect();
        for one in group {
            made.push(one.await.map_err(|error| StoreError::Internal { reason: error.to_string() })??);
        }
    }
    say("write one, 64 at once", begin, keys);

    let begin = Instant::now();
    for (_, text) in made.iter().cycle().step_by(7).take(5_000) {
        store.find_key(text).await?;
    }
    say("read one by its text", begin, 5_000);
    let scope = Scope::Organisation(home.organisation);
    let begin = Instant::now();
    for (key, _) in made.iter().cycle().step_by(7).take(5_000) {
        store.get::<ApiKey>(&scope, key.id).await?;
    }
    say("read one by its id", begin, 5_000);

    let (mut after, mut read, begin) = (None, 0, Instant::now());
    loop {
        let rows = store.scan::<ApiKey>(after, 1_000).await?;
        let Some(last) = rows.last() else { break };
        (after, read) = (Some(last.id), read + rows.len());
    }
    say("read one of all", begin, u32::try_from(read).unwrap_or(u32::MAX));
    let begin = Instant::now();
    let report = store.verify_audit(None).await?;
    say("verify one audit entry", begin, u32::try_from(report.entries).unwrap_or(u32::MAX));
    Ok(())
}

fn say(what: &str, begin: Instant, count: u32) {
    println!("{what}: {:?} ({count})", begin.elapsed() / count.max(1));
}
