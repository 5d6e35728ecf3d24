//! The first start, the second, several at once, and one with a key of the operator's.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use tidegate_control::{AdminKey, Api, ApiOptions, FirstStart, first_start};
use tidegate_core::Secret;
use tidegate_store::entity::{ApiKey, Organisation, User, Workspace};
use tidegate_store::{Page, Scope, Store};

use crate::world::{Directory, TestClock, clock, store_in};

async fn is_admin(store: &Store, clock: &Arc<TestClock>, key: &Secret) -> bool {
    let api = Api::new(store.clone(), clock.clone(), ApiOptions::default()).unwrap();
    let request =
        Request::get("/v1/admin/users").header("x-portkey-api-key", key.expose()).body(Bytes::new());
    api.serve(request.unwrap(), [192, 0, 2, 1].into()).await.status() == 200
}

fn nowhere(_: &Secret) -> Result<(), String> {
    Ok(())
}

fn made(start: FirstStart) -> Secret {
    match start.key {
        AdminKey::Made(key) => key,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_start_makes_what_is_missing_once() {
    let (directory, clock) = (Directory::new(), clock());
    let store = store_in(&directory, &clock).await;
    let first = first_start(&store, None, &nowhere).await.unwrap();
    let (organisation, workspace) = (first.organisation, first.workspace);
    assert!(first.link.is_some());
    let key = made(first);
    assert!(key.expose().starts_with("tg-adm-") && is_admin(&store, &clock, &key).await);
    let again = first_start(&store, None, &nowhere).await.unwrap();
    assert!(matches!(again.key, AdminKey::AlreadyThere) && again.link.is_none());
    assert_eq!((again.organisation, again.workspace), (organisation, workspace));
    let place = store.get::<Workspace>(&Scope::Organisation(organisation), workspace).await.unwrap();
    assert!(place.entity.is_default && place.entity.slug == "ws-default");
    assert!(is_admin(&store, &clock, &key).await);
}

#[tokio::test]
async fn a_key_is_kept_before_it_is_good() {
    let (directory, clock) = (Directory::new(), clock());
    let store = store_in(&directory, &clock).await;
    let error = first_start(&store, None, &|_| Err("the disk is full".to_owned())).await.unwrap_err();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    let kept = std::sync::Mutex::new(None);
    let keep = |key: &Secret| {
        *kept.lock().unwrap() = Some(key.clone());
        Ok(())
    };
    let key = made(first_start(&store, None, &keep).await.unwrap());
    assert_eq!(kept.lock().unwrap().as_ref().map(Secret::expose), Some(key.expose()));
    assert!(is_admin(&store, &clock, &key).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_replicas_start_at_once() {
    let (directory, clock) = (Directory::new(), clock());
    // Two processes: each has a store of its own over the same file.
    let stores = [store_in(&directory, &clock).await, store_in(&directory, &clock).await];
    let starts = (0..8).map(|at| {
        let store = stores[at % 2].clone();
        tokio::spawn(async move { first_start(&store, None, &nowhere).await.unwrap() })
    });
    let starts: Vec<_> = starts.collect();
    let (mut keys, mut links) = (Vec::new(), 0);
    for start in starts {
        let start = start.await.unwrap();
        links += usize::from(start.link.is_some());
        keys.extend(match start.key {
            AdminKey::Made(key) => Some(key),
            AdminKey::Taken | AdminKey::AlreadyThere => None,
        });
    }
    assert_eq!((keys.len(), links), (1, 1));
    for store in &stores {
        assert!(is_admin(store, &clock, &keys[0]).await);
        let start = first_start(store, None, &nowhere).await.unwrap();
        let whole = Scope::Organisation(start.organisation);
        assert_eq!(store.list::<Organisation>(&whole, Page::first(9)).await.unwrap().total, 1);
        assert_eq!(store.list::<Workspace>(&whole, Page::first(9)).await.unwrap().total, 1);
        assert_eq!(store.list::<User>(&whole, Page::first(9)).await.unwrap().total, 1);
        assert_eq!(store.list::<ApiKey>(&whole, Page::first(9)).await.unwrap().total, 1);
    }
}

#[tokio::test]
async fn the_operators_key_is_the_admin_key() {
    let (directory, clock) = (Directory::new(), clock());
    let store = store_in(&directory, &clock).await;
    let [one, two] =
        ["a-key-from-elsewhere/0123456789+ab=", "another-key-0123456789-abcdefgh"].map(Secret::from);
    for wrong in ["short", "with a space in it 0123456789", "tg-adm-broken-0123456789"] {
        let error = first_start(&store, Some(Secret::from(wrong)), &nowhere).await.unwrap_err().to_string();
        assert!(error.starts_with("TIDEGATE_ADMIN_KEY: ") && !error.contains(wrong), "{error}");
    }
    let kind = |start: FirstStart| match start.key {
        AdminKey::Made(_) => "made",
        AdminKey::Taken => "taken",
        AdminKey::AlreadyThere => "there",
    };
    let start = async |key: Option<&Secret>| kind(first_start(&store, key.cloned(), &nowhere).await.unwrap());
    assert_eq!(start(Some(&one)).await, "taken");
    assert_eq!(start(Some(&one)).await, "there");
    assert_eq!(start(None).await, "there");
    assert!(is_admin(&store, &clock, &one).await);
    assert_eq!(start(Some(&two)).await, "taken");
    assert!(is_admin(&store, &clock, &two).await && !is_admin(&store, &clock, &one).await);
    // Back again: the one text is another key's no more.
    assert_eq!(start(Some(&one)).await, "taken");
    assert!(is_admin(&store, &clock, &one).await && !is_admin(&store, &clock, &two).await);
    // Somebody revoked it: whoever has the machine gets in again.
    let begun = first_start(&store, None, &nowhere).await.unwrap();
    let whole = Scope::Organisation(begun.organisation);
    let key = store.find_key(&one).await.unwrap().unwrap().0;
    store.revoke_key(&tidegate_store::audit::By::system(), &whole, key.id).await.unwrap();
    assert!(!is_admin(&store, &clock, &one).await);
    assert_eq!(start(None).await, "there");
    assert_eq!(start(Some(&one)).await, "taken");
    assert!(is_admin(&store, &clock, &one).await);
}
