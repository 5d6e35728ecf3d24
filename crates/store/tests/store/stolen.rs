//! A stolen database gives away nothing that can be used.

use std::sync::Arc;

use serde_json::json;
use tidegate_core::Secret;
use tidegate_store::entity::{ApiKey, KeyOwner, LinkPurpose};
use tidegate_store::sqlite::Sqlite;
use tidegate_store::{Expected, Home};

use crate::suite::config;
use crate::world::{Directory, MASTER, PROVIDER_KEY, World, by, credential, own, provider};

#[tokio::test]
async fn no_secret_stands_in_the_files() {
    let directory = Directory::new();
    let sqlite = Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap());
    let world = World::new(sqlite.clone()).await;
    let (store, scope) = (&world.store, world.in_a());
    let mut secrets = vec![PROVIDER_KEY.to_owned(), MASTER.to_owned()];

    let mut with_settings = provider("p");
    own(&mut with_settings).settings =
        json!({"aws_secret": "SECRET-IN-SETTINGS"}).as_object().unwrap().clone();
    secrets.push("SECRET-IN-SETTINGS".to_owned());
    let made = store.create(&by(), world.home_a(), with_settings).await.unwrap();
    let add = |provider: &mut _| {
        own(provider).add_credential(credential("sk-SECOND-KEY-OF-THE-POOL-11111"), 1).map(|_| ())
    };
    store.update(&by(), &scope, made.id, Expected::Latest, add).await.unwrap();
    secrets.push("sk-SECOND-KEY-OF-THE-POOL-11111".to_owned());

    // Under names that mean a secret, and under names that do not.
    let content =
        json!({"targets": [{"api_key": "SECRET-IN-CONFIG", "odd_name": "SECRET-UNDER-AN-ODD-NAME"}]});
    let saved = store.create(&by(), world.home_a(), config("pc-x-000001", content)).await.unwrap();
    let change = |config: &mut tidegate_store::entity::Config| {
        config.content["more"] = "SECRET-IN-A-LATER-VERSION".into();
        Ok(())
    };
    store.update(&by(), &scope, saved.id, Expected::Latest, change).await.unwrap();
    secrets.extend(
        ["SECRET-IN-CONFIG", "SECRET-UNDER-AN-ODD-NAME", "SECRET-IN-A-LATER-VERSION"].map(String::from),
    );

    store.create(&by(), world.home_a(), crate::suite::rule()).await.unwrap();
    secrets.push("HIDDEN-IN-CHANNELS".to_owned());

    let (text, rotated) =
        ["first", "second"].map(|word| Secret::from(format!("tg-{word}-0123456789abcdefghi"))).into();
    let key = ApiKey::new("k", KeyOwner::Service, Vec::new());
    let key = store.create_key_as(&by(), world.home_a(), key, &text).await.unwrap();
    store.rotate_key_as(&by(), &scope, key.id, &rotated, 60_000).await.unwrap();
    let user = crate::suite::user("a@example.org");
    let user = store.create(&by(), Home::organisation(world.org), user).await.unwrap().id;
    let until = store.now() + 1_000;
    let (_, link) = store.create_link(&by(), world.org, LinkPurpose::SignIn { user }, until).await.unwrap();
    let (_, cookie) = store.create_session(&by(), world.org, user, until, String::new()).await.unwrap();
    secrets.extend([text, rotated, link, cookie].iter().map(|secret| secret.expose().to_owned()));
    store.delete::<tidegate_store::entity::Config>(&by(), &scope, saved.id, Expected::Latest).await.unwrap();
    sqlite.backup(directory.file("backup.db")).await.unwrap();

    let mut read = 0;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        read += bytes.len();
        for secret in &secrets {
            // Also without its first and last characters, which are shown.
            for part in [secret.as_str(), &secret[4..secret.len() - 4]] {
                let found = bytes.windows(part.len()).any(|window| window == part.as_bytes());
                assert!(!found, "{part} stands in {}", path.display());
            }
        }
    }
    assert!(read > 50_000, "the files were read");
    // And the test would find one.
    let named = std::fs::read(directory.file("tidegate.db-wal")).unwrap();
    assert!(named.windows(11).any(|window| window == b"pc-x-000001"));
}

#[tokio::test]
async fn what_is_printed_shows_no_secret() {
    let directory = Directory::new();
    let world = World::new(Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap())).await;
    let fresh = provider("p");
    let stored = world.store.create(&by(), world.home_a(), fresh.clone()).await.unwrap();
    let text = Secret::from("tg-0123456789-abcdefghijklmnopq");
    let key = ApiKey::new("k", KeyOwner::Service, Vec::new());
    let key = world.store.create_key_as(&by(), Home::organisation(world.org), key, &text).await.unwrap();
    let opened = world.store.provider_credentials(&stored).await.unwrap();
    let shown = format!("{fresh:?} {stored:?} {key:?} {text:?} {opened:?} {:?}", world.store);
    assert!(!shown.contains(&PROVIDER_KEY[4..20]) && !shown.contains(&text.expose()[4..20]), "{shown}");
    let json = serde_json::to_string(&stored.entity).unwrap();
    assert!(!json.contains(&PROVIDER_KEY[4..20]), "{json}");
}
