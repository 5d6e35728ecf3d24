//! What every database must do, whatever it is.

use std::sync::Arc;

use serde_json::json;
use tidegate_core::Secret;
use tidegate_store::audit::{Actor, AuditQuery};
use tidegate_store::entity::{
    AlertRule, ApiKey, Backing, Config, Connection, Entity, Grant, Grants, Integration, KeyOwner, Limits,
    Link, LinkOutcome, LinkPurpose, Member, Organisation, OrganisationRole, Policy, PolicyKind, PolicyState,
    Provider, SavedView, Standing, User, ViewPage, Workspace, WorkspaceRole,
};
use tidegate_store::id::{ApiKeyId, EntityId, OrganisationId};
use tidegate_store::{Action, Expected, Home, Kind, Op, Page, Scope, Store, StoreError};

use crate::world::{PROVIDER_KEY, World, by, credential, organisation, own, provider, workspace};

/// Runs `$with!(name)` for every case.
macro_rules! every_case {
    ($with:ident) => {
        $with!(objects_come_back_as_they_were);
        $with!(nothing_of_one_workspace_is_seen_from_another);
        $with!(organisations_see_nothing_of_each_other);
        $with!(what_is_named_must_be_in_reach);
        $with!(a_lost_update_is_told);
        $with!(racing_writers_lose_nothing);
        $with!(of_two_changes_that_rely_on_each_other_one_is_made);
        $with!(slugs_are_unique_in_their_place);
        $with!(keys_are_found_rotated_and_revoked);
        $with!(what_exists_once_is_made_once);
        $with!(credentials_follow_their_destination);
        $with!(integrations_are_lent);
        $with!(configs_keep_their_history);
        $with!(every_change_is_in_the_audit_log);
        $with!(the_audit_log_is_paged_and_exported);
        $with!(changes_are_followed);
        $with!(what_has_dependents_stays);
        $with!(links_work_once_and_sessions_end);
        $with!(master_keys_change_in_one_step);
        $with!(lists_are_paged);
        $with!(bounds_hold);
        $with!(uses_are_noted);
        $with!(looks_at_alerts_are_noted_once);
        $with!(one_of_many_takes_a_turn);
    };
}

pub fn config(slug: &str, content: serde_json::Value) -> Config {
    Config { name: slug.to_owned(), slug: slug.to_owned(), is_default: false, archived: false, content }
}

fn key(name: &str) -> ApiKey {
    ApiKey::new(name, KeyOwner::Service, vec!["completions.write".to_owned()])
}

pub fn user(email: &str) -> User {
    User {
        email: email.to_owned(),
        first_name: "A".to_owned(),
        last_name: String::new(),
        role: OrganisationRole::Member,
        identity: None,
        disabled: false,
    }
}

fn policy() -> Policy {
    Policy {
        name: "p".to_owned(),
        description: None,
        kind: PolicyKind::RateLimit,
        state: PolicyState::Active,
        rule: json!({"type": "requests", "unit": "rpm", "value": 5}),
    }
}

fn view() -> SavedView {
    SavedView {
        name: "Errors of today".to_owned(),
        page: ViewPage::Logs,
        tab: String::new(),
        query: "status=5xx&range=24h".to_owned(),
        shared: false,
        owner: "somebody".to_owned(),
    }
}

pub fn rule() -> AlertRule {
    AlertRule {
        name: "Errors".to_owned(),
        description: None,
        enabled: true,
        rule: json!({"kind": "metric"}),
        channels: json!([{"url_secret": "https://hooks.example.org/HIDDEN-IN-CHANNELS"}]),
        made_by: "somebody".to_owned(),
    }
}

fn integration(slug: &str) -> Integration {
    let mut connection = Connection::new("anthropic", None);
    connection.add_credential(credential("sk-ant-ANOTHER-PROVIDERS-SECRET-987654"), 1).unwrap();
    connection.settings = json!({"aws_secret": "HIDDEN-IN-SETTINGS"}).as_object().unwrap().clone();
    Integration {
        name: slug.to_owned(),
        slug: slug.to_owned(),
        description: None,
        connection,
        grants: Grants::default(),
        disabled: false,
    }
}

/// Makes one object, and checks that it is read, listed and found by its slug as it was given back.
async fn makes<E: Entity + PartialEq + std::fmt::Debug>(world: &World, home: Home, entity: E) -> E::Id {
    let made = world.store.create(&by(), home, entity).await.unwrap();
    assert_eq!(made.version, 1);
    let scope = match home.workspace {
        Some(workspace) => Scope::Workspace(home.organisation, workspace),
        None => Scope::Organisation(home.organisation),
    };
    assert_eq!(world.store.get::<E>(&scope, made.id).await.unwrap(), made);
    if let Some(slug) = made.entity.slug() {
        assert_eq!(world.store.by_slug::<E>(&scope, slug).await.unwrap(), made);
    }
    let listed = world.store.list::<E>(&scope, Page::first(100)).await.unwrap();
    assert!(listed.rows.contains(&made) && listed.total >= 1);
    made.id
}

pub async fn objects_come_back_as_they_were(world: World) {
    let (org, a) = (Home::organisation(world.org), world.home_a());
    makes(&world, org, workspace("ws-c")).await;
    let user = makes(&world, org, user("a@example.org")).await;
    makes(&world, a, Member::new(user, WorkspaceRole::Manager)).await;
    makes(&world, a, key("k")).await;
    makes(&world, org, integration("shared")).await;
    makes(&world, a, provider("openai-prod")).await;
    makes(&world, a, config("pc-x-000001", json!({"b": 1, "a": [1, "2", null]}))).await;
    makes(&world, a, policy()).await;
    makes(&world, org, policy()).await;
    makes(&world, a, view()).await;
    makes(&world, a, rule()).await;
}

/// Asks for an object of workspace A with the scope of workspace B, in every way there is.
async fn hidden_from<E: Entity + std::fmt::Debug>(world: &World, scope: &Scope, entity: E) {
    let made = world.store.create(&by(), world.home_a(), entity).await.unwrap();
    let gone = |outcome: Result<(), StoreError>| {
        assert!(matches!(outcome, Err(StoreError::NotFound { .. })), "{}: {outcome:?}", E::KIND);
    };
    let (store, by) = (&world.store, by());
    gone(store.get::<E>(scope, made.id).await.map(|_| ()));
    gone(store.history::<E>(scope, made.id, None, 10).await.map(|_| ()));
    gone(store.note::<E>(&by, Action::Export, scope, made.id).await);
    for expected in [Expected::Latest, Expected::Version(1), Expected::Version(7)] {
        let change = |_: &mut E| -> Result<(), StoreError> { panic!("a foreign object was given out") };
        gone(store.update::<E>(&by, scope, made.id, expected, change).await.map(|_| ()));
        gone(store.delete::<E>(&by, scope, made.id, expected).await);
    }
    if let Some(slug) = made.entity.slug() {
        gone(store.by_slug::<E>(scope, slug).await.map(|_| ()));
    }
    let listed = store.list::<E>(scope, Page::first(1_000)).await.unwrap();
    assert!(listed.rows.iter().all(|row| row.id != made.id), "{}", E::KIND);
    assert!(store.get::<E>(&world.in_a(), made.id).await.is_ok());
}

async fn all_hidden_from(world: &World, scope: &Scope) {
    let user =
        world.store.create(&by(), Home::organisation(world.org), user("x@example.org")).await.unwrap().id;
    hidden_from(world, scope, Member::new(user, WorkspaceRole::Member)).await;
    hidden_from(world, scope, key("k")).await;
    hidden_from(world, scope, integration("i")).await;
    hidden_from(world, scope, provider("p")).await;
    hidden_from(world, scope, config("pc-x-000001", json!({}))).await;
    hidden_from(world, scope, view()).await;
    hidden_from(world, scope, rule()).await;
    hidden_from(world, scope, policy()).await;
}

pub async fn nothing_of_one_workspace_is_seen_from_another(world: World) {
    all_hidden_from(&world, &world.in_b()).await;
    let store = &world.store;
    let foreign = store.get::<Workspace>(&world.in_b(), world.a).await;
    assert!(matches!(foreign, Err(StoreError::NotFound { .. })));
    assert!(store.by_slug::<Workspace>(&world.in_b(), "ws-a").await.is_err());
    assert_eq!(store.get::<Workspace>(&world.in_b(), world.b).await.unwrap().id, world.b);
    let listed = store.list::<Workspace>(&world.in_b(), Page::first(10)).await.unwrap();
    assert_eq!((listed.total, listed.rows[0].id), (1, world.b));
    // Nor are users of the organisation, and nothing of A is in B's audit log.
    assert_eq!(store.list::<User>(&world.in_b(), Page::first(10)).await.unwrap().total, 0);
    let log = store.audit_log(&world.in_b(), &AuditQuery::default(), 100).await.unwrap().0;
    assert!(log.is_empty(), "{log:?}");
}

pub async fn organisations_see_nothing_of_each_other(world: World) {
    let other = world.store.create_organisation(&by(), organisation("other")).await.unwrap().id;
    all_hidden_from(&world, &Scope::Organisation(other)).await;
    // The right workspace under the wrong organisation is no way in either, for reading or for writing.
    let crossed = Scope::Workspace(other, world.a);
    assert!(world.store.list::<ApiKey>(&crossed, Page::first(9)).await.unwrap().rows.is_empty());
    let written = world.store.create(&by(), Home::workspace(other, world.a), key("k")).await;
    assert!(matches!(written, Err(StoreError::NotFound { kind: Kind::Workspace, .. })), "{written:?}");
}

pub async fn what_is_named_must_be_in_reach(world: World) {
    let store = &world.store;
    let other = store.create_organisation(&by(), organisation("other")).await.unwrap().id;
    let stranger = store.create(&by(), Home::organisation(other), user("x@example.org")).await.unwrap().id;
    let out_of_reach = |outcome: Result<(), StoreError>, wanted: Kind| {
        assert!(
            matches!(outcome, Err(StoreError::NotFound { kind, .. }) if kind == wanted),
            "{wanted}: {outcome:?}"
        );
    };
    let a = world.home_a();
    let member = Member::new(stranger, WorkspaceRole::Admin);
    out_of_reach(store.create(&by(), a, member).await.map(|_| ()), Kind::User);
    let theirs = ApiKey::new("k", KeyOwner::User { user: stranger }, Vec::new());
    out_of_reach(store.create(&by(), a, theirs).await.map(|_| ()), Kind::User);
    let foreign = store.create(&by(), Home::organisation(other), integration("i")).await.unwrap().id;
    let lent = Provider { backing: Backing::Integration(foreign), ..provider("p") };
    out_of_reach(store.create(&by(), a, lent).await.map(|_| ()), Kind::Integration);
    // A config of the other workspace, when the key is made and when it is changed.
    let in_b = Home::workspace(world.org, world.b);
    let saved = store.create(&by(), in_b, config("pc-x-000001", json!({}))).await.unwrap().id;
    let mut with_default = key("k");
    with_default.defaults.config = Some(saved);
    out_of_reach(store.create(&by(), a, with_default.clone()).await.map(|_| ()), Kind::Config);
    store.create(&by(), in_b, with_default).await.unwrap();
    let plain = store.create(&by(), a, key("plain")).await.unwrap().id;
    let set = |key: &mut ApiKey| {
        key.defaults.config = Some(saved);
        Ok(())
    };
    let changed = store.update(&by(), &world.in_a(), plain, Expected::Latest, set).await;
    out_of_reach(changed.map(|_| ()), Kind::Config);
}

pub async fn a_lost_update_is_told(world: World) {
    let made = world.store.create(&by(), world.home_a(), key("k")).await.unwrap();
    let (scope, id) = (world.in_a(), made.id);
    let rename = |name: &'static str| {
        move |key: &mut ApiKey| {
            key.name = name.to_owned();
            Ok(())
        }
    };
    let first = world.store.update(&by(), &scope, id, Expected::Version(1), rename("one")).await.unwrap();
    assert_eq!(first.version, 2);
    let second = world.store.update(&by(), &scope, id, Expected::Version(1), rename("two")).await;
    let conflict = StoreError::Conflict { kind: Kind::ApiKey, what: id.to_string(), expected: 1, current: 2 };
    assert_eq!(second.unwrap_err(), conflict);
    let removed = world.store.delete::<ApiKey>(&by(), &scope, id, Expected::Version(1)).await;
    assert_eq!(removed.unwrap_err(), conflict);
    assert_eq!(world.store.get::<ApiKey>(&scope, id).await.unwrap().entity.name, "one");
    // A change that changes nothing is none.
    let same = world.store.update(&by(), &scope, id, Expected::Version(2), rename("one")).await.unwrap();
    assert_eq!(same.version, 2);
    world.store.delete::<ApiKey>(&by(), &scope, id, Expected::Version(2)).await.unwrap();
    assert!(matches!(
        world.store.delete::<ApiKey>(&by(), &scope, id, Expected::Latest).await,
        Err(StoreError::NotFound { .. })
    ));
}

pub async fn racing_writers_lose_nothing(world: World) {
    const WRITERS: usize = 8;
    let id =
        world.store.create(&by(), world.home_a(), config("pc-x-000001", json!({"n": 0}))).await.unwrap().id;
    let world = Arc::new(world);
    let write = |world: Arc<World>| async move {
        let mut lost = 0;
        for _ in 0..5 {
            let add = |config: &mut Config| {
                config.content["n"] = (config.content["n"].as_u64().unwrap() + 1).into();
                Ok(())
            };
            loop {
                match world.store.update(&by(), &world.in_a(), id, Expected::Latest, add).await {
                    Ok(_) => break,
                    Err(StoreError::Conflict { .. }) => lost += 1,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        lost
    };
    let tasks: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(write(world.clone()))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let end = world.store.get::<Config>(&world.in_a(), id).await.unwrap();
    assert_eq!((end.entity.content["n"].as_u64(), end.version), (Some(40), 41));
    let history = world.store.history::<Config>(&world.in_a(), id, None, 100).await.unwrap();
    let counts: Vec<_> =
        history.iter().map(|version| version.entity.content["n"].as_u64().unwrap()).collect();
    assert_eq!(counts, (0..=40).rev().collect::<Vec<_>>());
    world.store.verify_audit(None).await.unwrap();
}

pub async fn slugs_are_unique_in_their_place(world: World) {
    let store = &world.store;
    let first = store.create(&by(), world.home_a(), provider("same")).await.unwrap();
    let taken = store.create(&by(), world.home_a(), provider("same")).await.unwrap_err();
    assert_eq!(taken, StoreError::Taken { kind: Kind::Provider, what: "same".to_owned() });
    let elsewhere = store.create(&by(), Home::workspace(world.org, world.b), provider("same")).await.unwrap();
    assert_eq!(store.by_slug::<Provider>(&world.in_b(), "same").await.unwrap().id, elsewhere.id);
    assert_eq!(store.by_slug::<Provider>(&world.in_a(), "same").await.unwrap().id, first.id);
    let second = store.create(&by(), world.home_a(), provider("second")).await.unwrap();
    let rename = |provider: &mut Provider| {
        provider.slug = "same".to_owned();
        Ok(())
    };
    let renamed = store.update(&by(), &world.in_a(), second.id, Expected::Latest, rename).await;
    assert!(matches!(renamed, Err(StoreError::Taken { .. })), "{renamed:?}");
    store.delete::<Provider>(&by(), &world.in_a(), first.id, Expected::Latest).await.unwrap();
    store.update(&by(), &world.in_a(), second.id, Expected::Latest, rename).await.unwrap();
    assert!(store.by_slug::<Provider>(&world.in_a(), "second").await.is_err());
}

async fn standing(store: &Store, text: &Secret) -> Option<Standing> {
    store.find_key(text).await.unwrap().map(|(_, standing)| standing)
}

fn text(name: &str) -> Secret {
    Secret::from(format!("tg-{name}-{}", "0123456789".repeat(3)))
}

/// Replicas that start together make what exists once: one of them does.
pub async fn what_exists_once_is_made_once(world: World) {
    let store = &world.store;
    let (org, id) = (OrganisationId::make(1).unwrap(), ApiKeyId::make(1).unwrap());
    let by = by();
    let organisation = || store.create_organisation_once(&by, org, organisation("once"));
    let made = tokio::join!(organisation(), organisation(), organisation());
    let taken = |error: &StoreError| matches!(error, StoreError::Taken { .. });
    let all = [made.0, made.1, made.2];
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
    assert!(all.iter().filter_map(|one| one.as_ref().err()).all(taken), "{all:?}");
    let home = Home::organisation(org);
    let (one, two) = (text("one"), text("two"));
    let keys = tokio::join!(
        store.create_key_once(&by, home, id, key("a"), &one),
        store.create_key_once(&by, home, id, key("b"), &two),
    );
    assert!(keys.0.is_ok() != keys.1.is_ok() && keys.0.err().or(keys.1.err()).is_some_and(|e| taken(&e)));
    let standings = (standing(store, &one).await, standing(store, &two).await);
    assert!(
        matches!(standings, (Some(Standing::Valid), None) | (None, Some(Standing::Valid))),
        "{standings:?}"
    );
}

pub async fn keys_are_found_rotated_and_revoked(world: World) {
    let (store, scope) = (&world.store, world.in_a());
    let mut expiring = key("k");
    expiring.expires_at = Some(store.now() + 10_000_000);
    let old = text("k");
    let made = store.create_key_as(&by(), world.home_a(), expiring, &old).await.unwrap();
    assert_eq!(store.find_key(&old).await.unwrap().unwrap().0, made);
    assert!(made.entity.secrets()[0].shown.starts_with("tg-k***"));
    assert_eq!(standing(store, &Secret::from("tg-never-handed-out")).await, None);

    let new = text("new");
    let (rotated, until) = store.rotate_key_as(&by(), &scope, made.id, &new, 1_800_000).await.unwrap();
    assert_eq!((rotated.id, until), (made.id, store.now() + 1_800_000));
    assert_eq!(standing(store, &old).await, Some(Standing::Valid));
    assert_eq!(standing(store, &new).await, Some(Standing::Valid));
    world.clock.advance(1_799_999);
    assert_eq!(standing(store, &old).await, Some(Standing::Valid));
    world.clock.advance(1);
    assert_eq!(standing(store, &old).await, Some(Standing::Replaced));
    assert_eq!(standing(store, &new).await, Some(Standing::Valid));
    world.clock.advance(10_000_000);
    assert_eq!(standing(store, &new).await, Some(Standing::Expired));

    let (_, _) = store.rotate_key_as(&by(), &scope, made.id, &old, 0).await.unwrap();
    let again = store.get::<ApiKey>(&scope, made.id).await.unwrap();
    assert_eq!(again.entity.secrets().len(), 2, "the first text is back, and stands there once");

    let live_text = text("l");
    let live = store.create_key_as(&by(), world.home_a(), key("l"), &live_text).await.unwrap();
    store.revoke_key(&by(), &scope, live.id).await.unwrap();
    assert_eq!(standing(store, &live_text).await, Some(Standing::Revoked));
    let revive = |key: &mut ApiKey| {
        key.revoked_at = None;
        Ok(())
    };
    assert!(store.update(&by(), &scope, live.id, Expected::Latest, revive).await.is_err());
    assert!(store.rotate_key_as(&by(), &scope, live.id, &text("r"), 0).await.is_err());

    let chosen = Secret::from("a-key-that-a-script-brought-along-with-it");
    store.create_key_as(&by(), Home::organisation(world.org), key("admin"), &chosen).await.unwrap();
    assert_eq!(standing(store, &chosen).await, Some(Standing::Valid));
    let again = store.create_key_as(&by(), world.home_a(), key("again"), &chosen).await;
    assert!(matches!(again, Err(StoreError::Taken { .. })), "{again:?}");
    assert!(store.create_key_as(&by(), world.home_a(), key("s"), &Secret::from("short")).await.is_err());

    store.delete::<ApiKey>(&by(), &scope, made.id, Expected::Latest).await.unwrap();
    assert_eq!(standing(store, &new).await, None);
}

pub async fn credentials_follow_their_destination(world: World) {
    let (store, scope) = (&world.store, world.in_a());
    let made = store.create(&by(), world.home_a(), provider("p")).await.unwrap();
    let opened = store.provider_credentials(&made).await.unwrap();
    assert_eq!(opened[0].1.key.as_ref().unwrap().expose(), PROVIDER_KEY);
    let update = async |change: &(dyn Fn(&mut Provider) + Sync)| {
        let change = |provider: &mut Provider| {
            change(provider);
            Ok(())
        };
        store.update(&by(), &scope, made.id, Expected::Latest, change).await.unwrap()
    };
    // Another name and another key beside it: the first key stays.
    let two = update(&|provider| {
        provider.name = "renamed".to_owned();
        own(provider).add_credential(credential("sk-the-second-key-of-the-pool-0000"), 2).unwrap();
    });
    assert_eq!(store.provider_credentials(&two.await).await.unwrap().len(), 2);
    // Another address: both are dropped, but for what is entered with it.
    let moved =
        update(&|provider| own(provider).destination.base_url = Some("https://evil.example".to_owned()));
    assert!(own(&mut moved.await.entity).credentials.is_empty());
    let back = update(&|provider| {
        own(provider).destination.base_url = Some("https://api.openai.example/v1".to_owned());
    });
    assert!(own(&mut back.await.entity).credentials.is_empty(), "nothing comes back");
    let entered = update(&|provider| {
        own(provider).destination.options.insert("region".to_owned(), "eu".to_owned());
        own(provider).add_credential(credential("sk-entered-again-with-the-change-1"), 3).unwrap();
    });
    let opened = store.provider_credentials(&entered.await).await.unwrap();
    assert_eq!(opened[0].1.key.as_ref().unwrap().expose(), "sk-entered-again-with-the-change-1");
    // A ciphertext that is copied from another provider is dropped too.
    let other = store.create(&by(), world.home_a(), provider("q")).await.unwrap();
    let mut lifted = other.entity.clone();
    let lifted = own(&mut lifted).credentials.remove(0);
    let copied = update(&|provider| own(provider).credentials.push(lifted.clone())).await;
    assert_eq!(own(&mut copied.entity.clone()).credentials.len(), 1);
}

pub async fn integrations_are_lent(world: World) {
    let store = &world.store;
    let mut shared = integration("shared");
    let limits =
        Limits { rates: vec![json!({"type": "requests", "unit": "rpm", "value": 5})], ..Limits::default() };
    shared.grants.rows = vec![
        Grant { workspace: world.a, enabled: true, limits: limits.clone() },
        Grant { workspace: world.b, enabled: false, limits: Limits::default() },
    ];
    let shared = store.create(&by(), Home::organisation(world.org), shared).await.unwrap();
    let lent = |slug: &str| Provider { backing: Backing::Integration(shared.id), ..provider(slug) };
    let in_a = store.create(&by(), world.home_a(), lent("x")).await.unwrap();
    let in_b = store.create(&by(), Home::workspace(world.org, world.b), lent("x")).await.unwrap();
    let (found, granted) = store.integration_of(&in_a).await.unwrap().unwrap();
    assert_eq!((found.id, granted), (shared.id, limits));
    let key = &store.integration_credentials(&found).await.unwrap()[0].1;
    assert!(key.key.as_ref().unwrap().expose().starts_with("sk-ant-"));
    assert_eq!(found.entity.connection.settings["aws_secret"], "HIDDEN-IN-SETTINGS");
    assert!(matches!(store.integration_of(&in_b).await, Err(StoreError::NotFound { .. })));
}

pub async fn configs_keep_their_history(world: World) {
    let (store, scope) = (&world.store, world.in_a());
    let made =
        store.create(&by().saying("first"), world.home_a(), config("pc-x-000001", json!({"n": 1}))).await;
    let id = made.unwrap().id;
    let set = |n: u32| {
        move |config: &mut Config| {
            config.content = json!({ "n": n });
            Ok(())
        }
    };
    world.clock.advance(1_000);
    store.update(&by().saying("second"), &scope, id, Expected::Version(1), set(2)).await.unwrap();
    let history = store.history::<Config>(&scope, id, None, 10).await.unwrap();
    let told: Vec<_> =
        history.iter().map(|one| (one.version, one.comment.as_str(), one.author.clone())).collect();
    assert_eq!(told, [(2, "second", Actor::Operator), (1, "first", Actor::Operator)]);
    assert_eq!(history[0].at, history[1].at + 1_000);
    // Going back is another version.
    let first = history[1].entity.content.clone();
    let back = |config: &mut Config| {
        config.content = first.clone();
        Ok(())
    };
    assert_eq!(store.update(&by(), &scope, id, Expected::Latest, back).await.unwrap().version, 3);
    let older = store.history::<Config>(&scope, id, Some(3), 1).await.unwrap();
    assert_eq!((older.len(), older[0].version), (1, 2));
}

pub async fn every_change_is_in_the_audit_log(world: World) {
    let (store, scope) = (&world.store, world.in_a());
    let made = store.create(&by(), world.home_a(), provider("p")).await.unwrap();
    let rename = |provider: &mut Provider| {
        provider.name = "new name".to_owned();
        Ok(())
    };
    store.update(&by(), &scope, made.id, Expected::Latest, rename).await.unwrap();
    let refused = store.update(&by(), &scope, made.id, Expected::Version(1), rename).await;
    assert!(refused.is_err());
    store.delete::<Provider>(&by(), &scope, made.id, Expected::Latest).await.unwrap();
    let key = store.create_key_as(&by(), world.home_a(), key("k"), &text("k")).await.unwrap();
    store.rotate_key_as(&by(), &scope, key.id, &text("r"), 0).await.unwrap();
    store.revoke_key(&by(), &scope, key.id).await.unwrap();
    let log = store.audit_log(&scope, &AuditQuery::default(), 100).await.unwrap().0;
    let told: Vec<_> = log.iter().map(|entry| (entry.event.action, entry.event.resource_type)).collect();
    assert_eq!(
        told,
        [
            (Action::Create, Kind::Provider),
            (Action::Update, Kind::Provider),
            (Action::Delete, Kind::Provider),
            (Action::Create, Kind::ApiKey),
            (Action::Rotate, Kind::ApiKey),
            (Action::Revoke, Kind::ApiKey),
        ]
    );
    assert_eq!(log[1].before["name"], "p");
    assert_eq!(log[1].after["name"], "new name");
    assert_eq!(log[1].event.origin.client_ip, "192.0.2.7");
    assert_eq!(log[1].event.resource_id, made.id.uuid());
    assert!(log[0].before.is_null() && log[2].after.is_null());
    let text = serde_json::to_string(&log).unwrap();
    assert!(!text.contains(PROVIDER_KEY));
    assert_eq!(log[0].after["backing"]["own"]["credentials"][0]["content"], "***");
    assert_eq!(log[3].after["secrets"][0]["digest"], "***");
    store.verify_audit(None).await.unwrap();
}

pub async fn the_audit_log_is_paged_and_exported(world: World) {
    let (store, whole) = (&world.store, world.whole());
    for n in 0..5 {
        world.clock.advance(1_000);
        store.create(&by(), world.home_a(), key(&format!("k{n}"))).await.unwrap();
    }
    let query = AuditQuery { kind: Some(Kind::ApiKey), ..AuditQuery::default() };
    let (first, next) = store.audit_log(&whole, &query, 2).await.unwrap();
    let (rest, end) =
        store.audit_log(&whole, &AuditQuery { after: next.unwrap(), ..query.clone() }, 10).await.unwrap();
    let names: Vec<_> = first.iter().chain(&rest).map(|entry| entry.event.resource_name.as_str()).collect();
    assert_eq!((names, end), (vec!["k0", "k1", "k2", "k3", "k4"], None));
    let late = AuditQuery { from: Some(store.now()), ..query.clone() };
    assert_eq!(store.audit_log(&whole, &late, 10).await.unwrap().0.len(), 1);
    let (lines, _) = store.export_audit(&whole, &query, 100).await.unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[4]["action"], "create");
    assert_eq!(lines[4]["after"]["name"], "k4");
    let report = store.verify_audit(None).await.unwrap();
    assert_eq!(report.head, store.audit_head().await.unwrap());
    store.create(&by(), world.home_a(), key("more")).await.unwrap();
    store.verify_audit(Some(&report.head)).await.unwrap();
}

pub async fn changes_are_followed(world: World) {
    let (store, scope) = (&world.store, world.in_a());
    let mut feed = store.feed().await.unwrap();
    let start = feed.upto();
    assert!(feed.poll().await.unwrap().is_empty());
    let made = store.create(&by(), world.home_a(), key("k")).await.unwrap();
    feed.woken().await;
    store.revoke_key(&by(), &scope, made.id).await.unwrap();
    store.delete::<ApiKey>(&by(), &scope, made.id, Expected::Latest).await.unwrap();
    let refused = store.delete::<ApiKey>(&by(), &scope, made.id, Expected::Latest).await;
    assert!(refused.is_err());
    let changes = feed.poll().await.unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.op, change.kind, change.version)).collect();
    assert_eq!(
        told,
        [(Op::Insert, Kind::ApiKey, 1), (Op::Update, Kind::ApiKey, 2), (Op::Delete, Kind::ApiKey, 2)]
    );
    assert!(changes.iter().all(|change| change.id == made.id.uuid() && change.home == world.home_a()));
    let numbers: Vec<_> = changes.iter().map(|change| change.seq - start).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(feed.poll().await.unwrap().is_empty());
    assert_eq!(store.follow::<ApiKey>(made.id.uuid()).await.unwrap(), None);
    // Those who are too far behind are told, and numbers go on.
    store.trim_changes(1).await.unwrap();
    let gone = store.changes(start, 10).await.unwrap_err();
    assert!(matches!(gone, StoreError::ChangesGone { .. }), "{gone}");
    store.create(&by(), world.home_a(), key("next")).await.unwrap();
    assert_eq!(feed.poll().await.unwrap()[0].seq, start + 4);
}

pub async fn what_has_dependents_stays(world: World) {
    let (store, whole) = (&world.store, world.whole());
    let made = store.create(&by(), world.home_a(), key("k")).await.unwrap();
    let full = store.delete::<Workspace>(&by(), &whole, world.a, Expected::Latest).await.unwrap_err();
    assert!(
        matches!(&full, StoreError::HasDependents { kind: Kind::Workspace, example, .. } if example == "api_key"),
        "{full}"
    );
    let org = store.delete::<Organisation>(&by(), &whole, world.org, Expected::Latest).await;
    assert!(matches!(org, Err(StoreError::HasDependents { .. })));
    store.delete::<ApiKey>(&by(), &whole, made.id, Expected::Latest).await.unwrap();
    store.delete::<Workspace>(&by(), &whole, world.a, Expected::Latest).await.unwrap();
    let late = store.create(&by(), world.home_a(), key("late")).await.unwrap_err();
    assert!(matches!(late, StoreError::NotFound { kind: Kind::Workspace, .. }), "{late}");
    // With the organisation goes its data key; the log still stands.
    store.delete::<Workspace>(&by(), &whole, world.b, Expected::Latest).await.unwrap();
    store.delete::<Organisation>(&by(), &whole, world.org, Expected::Latest).await.unwrap();
    store.verify_audit(None).await.unwrap();
    let log = store.audit_log(&whole, &AuditQuery::default(), 100).await.unwrap().0;
    assert!(log.len() > 5 && log.iter().all(|entry| entry.before.is_null() && entry.after.is_null()));
}

pub async fn links_work_once_and_sessions_end(world: World) {
    let store = &world.store;
    let user = store.create(&by(), Home::organisation(world.org), user("a@example.org")).await.unwrap().id;
    let purpose = LinkPurpose::SignIn { user };
    let until = store.now() + 1_000;
    let invite = LinkPurpose::Invite {
        email: "b@example.org".to_owned(),
        role: OrganisationRole::Member,
        workspaces: Vec::new(),
        key_scopes: Vec::new(),
        invited_by: Some(user),
    };
    for purpose in [&purpose, &invite] {
        let (link, text) = store.create_link(&by(), world.org, purpose.clone(), until).await.unwrap();
        let takers: Vec<_> = (0..8)
            .map(|_| {
                let (store, text) = (store.clone(), text.clone());
                tokio::spawn(async move { store.take_link(&by(), &text).await.unwrap().is_some() })
            })
            .collect();
        let mut taken = 0;
        for taker in takers {
            taken += u32::from(taker.await.unwrap());
        }
        assert_eq!(taken, 1);
        // What became of an invitation is kept, and it is not opened again.
        let left = store.get::<Link>(&world.whole(), link.id).await.ok();
        let end = left.and_then(|link| link.entity.end).map(|end| end.how);
        assert_eq!(end, (purpose == &invite).then_some(LinkOutcome::Accepted));
        assert!(store.renew_link(&by(), &world.whole(), link.id, until).await.is_err());
        assert!(store.cancel_link(&by(), &world.whole(), link.id).await.is_err());
    }
    let (cancelled, text) = store.create_link(&by(), world.org, invite, until).await.unwrap();
    store.cancel_link(&by(), &world.whole(), cancelled.id).await.unwrap();
    assert!(store.take_link(&by(), &text).await.unwrap().is_none());
    let (renewed, old) = store.create_link(&by(), world.org, purpose.clone(), until).await.unwrap();
    let new = store.renew_link(&by(), &world.whole(), renewed.id, until).await.unwrap();
    assert!(store.take_link(&by(), &old).await.unwrap().is_none());
    assert_eq!(store.take_link(&by(), &new).await.unwrap().unwrap().id, renewed.id);
    let (_, late) = store.create_link(&by(), world.org, purpose, until).await.unwrap();
    let (session, cookie) =
        store.create_session(&by(), world.org, user, until, "a browser".to_owned()).await.unwrap();
    let (ended, other) =
        store.create_session(&by(), world.org, user, until, "another".to_owned()).await.unwrap();
    store.end_session(&by(), &world.whole(), ended.id).await.unwrap();
    assert!(store.find_session(&other).await.unwrap().is_none());
    assert_eq!(store.find_session(&cookie).await.unwrap().unwrap(), session);
    world.clock.advance(1_000);
    assert!(store.find_session(&cookie).await.unwrap().is_none());
    assert!(store.take_link(&by(), &late).await.unwrap().is_none());
}

pub async fn master_keys_change_in_one_step(world: World) {
    use crate::world::{MASTER, OTHER_MASTER, masters};
    let store = &world.store;
    let made = store.create(&by(), world.home_a(), provider("p")).await.unwrap();
    let both = masters(&format!("{OTHER_MASTER},{MASTER}"));
    assert_eq!(store.rotate_master(&by(), both).await.unwrap(), 2);
    assert_eq!(store.rotate_master(&by(), masters(OTHER_MASTER)).await.unwrap(), 0);
    let again = store.get::<Provider>(&world.in_a(), made.id).await.unwrap();
    let opened = store.provider_credentials(&again).await.unwrap();
    assert_eq!(opened[0].1.key.as_ref().unwrap().expose(), PROVIDER_KEY);
    store.create_organisation(&by(), organisation("late")).await.unwrap();
    store.verify_audit(None).await.unwrap();
}

pub async fn lists_are_paged(world: World) {
    let store = &world.store;
    let mut ids = Vec::new();
    for n in 0..7 {
        world.clock.advance(1);
        ids.push(store.create(&by(), world.home_a(), key(&format!("k{n}"))).await.unwrap().id);
    }
    let page = store.list::<ApiKey>(&world.whole(), Page { offset: 2, limit: 3 }).await.unwrap();
    let found: Vec<_> = page.rows.iter().map(|row| row.id).collect();
    assert_eq!((found, page.total), (vec![ids[4], ids[3], ids[2]], 7));
    let beyond = store.list::<ApiKey>(&world.in_a(), Page { offset: u64::MAX, limit: 0 }).await.unwrap();
    assert_eq!((beyond.rows.len(), beyond.total), (0, 7));
    let mut scanned = Vec::new();
    loop {
        let rows = store.scan::<ApiKey>(scanned.last().copied(), 2).await.unwrap();
        if rows.is_empty() {
            break;
        }
        scanned.extend(rows.iter().map(|row| row.id));
    }
    assert_eq!(scanned, ids);
}

pub async fn bounds_hold(world: World) {
    let store = &world.store;
    let field = |outcome: Result<(), StoreError>| match outcome {
        Err(StoreError::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let a = world.home_a();
    assert_eq!(field(store.create(&by(), a, key(" ")).await.map(|_| ())), "name");
    assert_eq!(field(store.create(&by(), a, key(&"x".repeat(256))).await.map(|_| ())), "name");
    assert_eq!(field(store.create(&by(), a, provider("no spaces")).await.map(|_| ())), "slug");
    assert_eq!(field(store.create(&by(), a, config("x", json!({}))).await.map(|_| ())), "slug");
    assert_eq!(field(store.create(&by(), a, config("pc-x", json!([]))).await.map(|_| ())), "config");
    let large = json!({ "text": "x".repeat(3 << 20) });
    assert_eq!(field(store.create(&by(), a, config("pc-x", large)).await.map(|_| ())), "body");
    let org = Home::organisation(world.org);
    assert_eq!(field(store.create(&by(), org, provider("p")).await.map(|_| ())), "workspace_id");
    assert_eq!(field(store.create(&by(), a, workspace("w")).await.map(|_| ())), "workspace_id");
    assert_eq!(field(store.create(&by(), org, user("A@b")).await.map(|_| ())), "email");
    let mut odd = provider("p");
    own(&mut odd).destination.base_url = Some("file:///etc".to_owned());
    assert_eq!(field(store.create(&by(), a, odd).await.map(|_| ())), "base_url");
    // Text that would mean something to a database means nothing to it.
    let name = "'; DROP TABLE records; -- \u{1F512}\"\\";
    let made = store.create(&by(), a, key(name)).await.unwrap();
    assert_eq!(store.get::<ApiKey>(&world.in_a(), made.id).await.unwrap().entity.name, name);
    assert!(store.by_slug::<Provider>(&world.in_a(), name).await.is_err());
}

pub async fn uses_are_noted(world: World) {
    let store = &world.store;
    let one = store.create(&by(), world.home_a(), key("1")).await.unwrap().id;
    let two = store.create(&by(), world.home_a(), key("2")).await.unwrap().id;
    store.touch::<ApiKey>(&[(one, 500), (one, 400)]).await.unwrap();
    assert_eq!(store.last_used::<ApiKey>(&[one, two]).await.unwrap(), [(one, 500)]);
    assert_eq!(store.get::<ApiKey>(&world.in_a(), one).await.unwrap().version, 1);
}

pub async fn looks_at_alerts_are_noted_once(world: World) {
    let store = &world.store;
    let one = store.create(&by(), world.home_a(), rule()).await.unwrap().id;
    let other = store.create(&by(), world.home_a(), rule()).await.unwrap().id;
    let events = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let first = store.note_alert(one, 0, "1".into(), events(&["fired"])).await.unwrap().unwrap();
    // Who looked at the same time comes too late, and leaves nothing.
    assert_eq!(store.note_alert(one, 0, "x".into(), events(&["x"])).await.unwrap(), None);
    assert_eq!(store.note_alert(one, 7, "x".into(), events(&["x"])).await.unwrap(), None);
    world.clock.advance(1);
    store.note_alert(one, 1, "2".into(), events(&["a", "b"])).await.unwrap().unwrap();
    store.amend_alert(one, first[0], "fired, told".into()).await.unwrap();
    let states = store.alert_states(&[other, one]).await.unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!((states[0].0, states[0].1.version, states[0].1.body.as_str()), (one, 2, "2"));
    let told = store.alert_events(one, None, 10).await.unwrap();
    assert_eq!(told.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["b", "a", "fired, told"]);
    let older = store.alert_events(one, Some(told[1].0), 10).await.unwrap();
    assert_eq!(older, [told[2].clone()]);
    // As many as are kept, the newest.
    let many: Vec<String> = (0..600).map(|n: u32| n.to_string()).collect();
    world.clock.advance(1);
    store.note_alert(one, 2, "3".into(), many).await.unwrap().unwrap();
    let kept = store.alert_events(one, None, 1_000).await.unwrap();
    assert_eq!((kept.len(), kept[0].1.as_str(), kept[499].1.as_str()), (500, "599", "100"));
    // A rule goes with what is known of it, and with nothing else.
    store.note_alert(other, 0, "1".into(), events(&["fired"])).await.unwrap().unwrap();
    store.delete::<AlertRule>(&by(), &world.in_a(), one, Expected::Latest).await.unwrap();
    assert!(store.alert_events(one, None, 10).await.unwrap().is_empty());
    assert_eq!(store.alert_states(&[one, other]).await.unwrap().len(), 1);
    assert_eq!(store.alert_events(other, None, 10).await.unwrap().len(), 1);
}

pub async fn one_of_many_takes_a_turn(world: World) {
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = world.store.clone();
        asking.spawn(async move { store.take_alert_turn(3_600_000).await.unwrap() });
    }
    let taken = asking.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 1);
    assert!(world.store.take_alert_turn(0).await.unwrap(), "when it is due again");
}

/// Two objects, each removed or changed given that the other stays: again and again one of them does.
pub async fn of_two_changes_that_rely_on_each_other_one_is_made(world: World) {
    let scope = world.in_a();
    for round in 0..10 {
        let made = |n: u32| config(&format!("pc-{round}-{n}"), json!({"n": n}));
        let one = world.store.create(&by(), world.home_a(), made(1)).await.unwrap();
        let other = world.store.create(&by(), world.home_a(), made(2)).await.unwrap();
        let rename = |config: &mut Config| {
            config.name = "changed".into();
            Ok(())
        };
        let (by, expected) = (by(), Expected::Latest);
        let (first, second) = tokio::join!(
            world.store.delete_given::<Config, Config>(&by, &scope, one.id, expected, &other),
            world.store.update_given::<Config, Config>(&by, &scope, other.id, expected, &one, rename),
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let error = first.err().or(second.err()).unwrap();
        assert!(matches!(error, StoreError::Conflict { .. } | StoreError::NotFound { .. }), "{error}");
    }
    world.store.verify_audit(None).await.unwrap();
}
