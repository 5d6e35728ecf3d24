//! Random sequences of operations, compared with a model that is a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tidegate_store::entity::Config;
use tidegate_store::id::ConfigId;
use tidegate_store::sqlite::Sqlite;
use tidegate_store::{Expected, Home, Op, Page, StoreError};

use crate::suite::config;
use crate::world::{Directory, World, by};

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// Workspace, slug, version, number in the content.
type Model = BTreeMap<ConfigId, (bool, String, u64, u64)>;

fn kind_of<T>(outcome: &Result<T, StoreError>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(StoreError::NotFound { .. }) => "not found",
        Err(StoreError::Taken { .. }) => "taken",
        Err(StoreError::Conflict { .. }) => "conflict",
        Err(other) => panic!("{other}"),
    }
}

async fn play(seed: u64, steps: u32) {
    let directory = Directory::new();
    let world = World::new(Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap())).await;
    let mut random = Random(seed);
    let (mut model, mut gone): (Model, Vec<ConfigId>) = (BTreeMap::new(), Vec::new());
    let mut feed = world.store.feed().await.unwrap();
    let mut done = 0_u64;
    for step in 0..steps {
        let told = format!("seed {seed}, step {step}");
        let in_a = random.below(2) == 0;
        let scope = if in_a { world.in_a() } else { world.in_b() };
        let slug = format!("pc-{}", random.below(6));
        let holder = model.iter().find(|(_, row)| row.0 == in_a && row.1 == slug).map(|(id, _)| *id);
        let ids: Vec<_> = model.keys().copied().chain(gone.last().copied()).collect();
        let picked = (!ids.is_empty()).then(|| ids[random.below(ids.len() as u64) as usize]);
        let seen = picked.and_then(|id| model.get(&id).cloned()).filter(|row| row.0 == in_a);
        let stale = random.below(4) == 0;
        let expected = match &seen {
            Some(row) if random.below(2) == 0 => Expected::Version(if stale { row.2 + 3 } else { row.2 }),
            _ => Expected::Latest,
        };
        let conflicts = seen.as_ref().is_some_and(|row| expected == Expected::Version(row.2 + 3));
        match (random.below(4), picked) {
            (0 | 1, Some(id)) => {
                let number = u64::from(step) + 1;
                let change = |config: &mut Config| {
                    config.content = json!({ "n": number });
                    config.slug.clone_from(&slug);
                    Ok(())
                };
                let outcome = world.store.update(&by(), &scope, id, expected, change).await;
                let predicted = match &seen {
                    None => "not found",
                    Some(_) if conflicts => "conflict",
                    Some(_) if holder.is_some_and(|holder| holder != id) => "taken",
                    Some(_) => "done",
                };
                assert_eq!(kind_of(&outcome), predicted, "{told}");
                if let (Ok(stored), Some(row)) = (outcome, seen) {
                    assert_eq!(stored.version, row.2 + 1, "{told}");
                    model.insert(id, (row.0, slug, row.2 + 1, number));
                    done += 1;
                }
            }
            (2, Some(id)) => {
                let outcome = world.store.delete::<Config>(&by(), &scope, id, expected).await;
                let predicted = match &seen {
                    None => "not found",
                    Some(_) if conflicts => "conflict",
                    Some(_) => "done",
                };
                assert_eq!(kind_of(&outcome), predicted, "{told}");
                if outcome.is_ok() {
                    model.remove(&id);
                    gone.push(id);
                    done += 1;
                }
            }
            _ => {
                let home = Home::workspace(world.org, scope.workspace().unwrap());
                let outcome = world.store.create(&by(), home, config(&slug, json!({"n": 0}))).await;
                assert_eq!(kind_of(&outcome), if holder.is_some() { "taken" } else { "done" }, "{told}");
                if let Ok(stored) = outcome {
                    model.insert(stored.id, (in_a, slug, 1, 0));
                    done += 1;
                }
            }
        }
    }
    compare(&world, &model, &gone).await;
    let mut followed = 0;
    loop {
        let changes = feed.poll().await.unwrap();
        if changes.is_empty() {
            break;
        }
        followed += changes.len() as u64;
        assert!(changes.iter().all(|change| change.op != Op::Delete
            || gone.iter().any(|id| {
                use tidegate_store::id::EntityId;
                id.uuid() == change.id
            })));
    }
    assert_eq!(followed, done, "seed {seed}: one change each");
    let report = world.store.verify_audit(None).await.unwrap();
    assert_eq!(report.entries, done + 4, "seed {seed}: one audit entry each");
}

async fn compare(world: &World, model: &Model, gone: &[ConfigId]) {
    for (scope, in_a) in [(world.in_a(), true), (world.in_b(), false)] {
        let listed = world.store.list::<Config>(&scope, Page::first(1_000)).await.unwrap();
        let mut rows: Vec<_> = listed
            .rows
            .into_iter()
            .map(|row| {
                let n = row.entity.content["n"].as_u64().unwrap();
                (row.id, (in_a, row.entity.slug, row.version, n))
            })
            .collect();
        rows.sort();
        let expected: Vec<_> =
            model.iter().filter(|(_, row)| row.0 == in_a).map(|(id, row)| (*id, row.clone())).collect();
        assert_eq!(rows, expected);
        for (id, row) in &expected {
            let history = world.store.history::<Config>(&scope, *id, None, 1_000).await.unwrap();
            let numbers: Vec<_> = history.iter().map(|version| version.version).collect();
            assert_eq!(numbers, (1..=row.2).rev().collect::<Vec<_>>());
        }
        for id in gone {
            assert!(world.store.get::<Config>(&scope, *id).await.is_err());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_operations_do_what_a_map_does() {
    for seed in 0..12 {
        play(seed, 150).await;
    }
}
