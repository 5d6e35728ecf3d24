//! What belongs to a workspace or an organisation is not there for others: every id of one is tried, on every route
//! that takes an id, with the credentials of the other.

use http::Method;
use serde_json::{Value, json};
use tidegate_access::route::CONTROL;
use tidegate_store::audit::By;
use tidegate_store::entity::{
    AlertRule, ApiKey, Backing, Config, Connection, Entity, ExportFormat, ExportState, Integration, Link,
    LinkPurpose, LogExport, Member, Policy, PolicyKind, PolicyState, Provider, SavedView, Session, Stored,
    User, ViewPage, Workspace,
};
use tidegate_store::{Home, Page, Scope, Store};

use crate::world::World;

/// Words that stand in every object of workspace `b`, and in nothing else.
const MARK: &str = "belongs-to-b";

async fn fill(world: &World) {
    let (store, by, home) = (&world.store, By::system(), Home::workspace(world.org, world.b));
    let config = Config {
        name: MARK.to_owned(),
        slug: "pc-b-000001".to_owned(),
        is_default: false,
        archived: false,
        content: json!({"note": MARK}),
    };
    store.create(&by, home, config).await.unwrap();
    let connection = || Connection::new("openai", Some(format!("https://{MARK}.example/v1")));
    let integration = Integration {
        name: MARK.to_owned(),
        slug: "int-b".to_owned(),
        description: None,
        connection: connection(),
        disabled: false,
        grants: Default::default(),
    };
    store.create(&by, home, integration).await.unwrap();
    let provider = Provider {
        name: MARK.to_owned(),
        slug: "openai-b".to_owned(),
        note: None,
        backing: Backing::Own(connection()),
        disabled: false,
        expires_at: None,
        limits: Default::default(),
    };
    store.create(&by, home, provider).await.unwrap();
    let export = LogExport {
        format: ExportFormat::Jsonl,
        description: Some(MARK.to_owned()),
        filters: Default::default(),
        fields: vec!["id".to_owned()],
        state: ExportState::Draft,
        total: None,
        until: None,
        only_of: None,
        error: None,
        made_by: MARK.to_owned(),
        link: None,
    };
    store.create(&by, home, export).await.unwrap();
    let rule = AlertRule {
        name: MARK.to_owned(),
        description: None,
        enabled: true,
        rule: json!({"kind": "provider_outage"}),
        channels: json!([]),
        made_by: MARK.to_owned(),
    };
    let rule = store.create(&by, home, rule).await.unwrap().id;
    store.note_alert(rule, 0, "{\"groups\":{}}".to_owned(), vec![MARK.to_owned()]).await.unwrap();
    let view = SavedView {
        name: MARK.to_owned(),
        page: ViewPage::Logs,
        tab: String::new(),
        query: MARK.to_owned(),
        shared: true,
        owner: MARK.to_owned(),
    };
    store.create(&by, home, view).await.unwrap();
    for kind in [PolicyKind::UsageLimit, PolicyKind::RateLimit] {
        let policy = Policy {
            name: MARK.to_owned(),
            description: None,
            kind,
            state: PolicyState::Active,
            rule: json!({}),
        };
        store.create(&by, home, policy).await.unwrap();
    }
    let user = User {
        email: format!("{MARK}@example.org"),
        first_name: MARK.to_owned(),
        last_name: String::new(),
        role: tidegate_store::entity::OrganisationRole::Member,
        identity: None,
        disabled: false,
    };
    let user = store.create(&by, Home::organisation(world.org), user).await.unwrap().id;
    store.create(&by, home, Member::new(user, tidegate_store::entity::WorkspaceRole::Member)).await.unwrap();
    let purpose = LinkPurpose::Invite {
        email: format!("{MARK}-2@example.org"),
        role: tidegate_store::entity::OrganisationRole::Member,
        workspaces: Vec::new(),
        key_scopes: Vec::new(),
        invited_by: None,
    };
    store.create_link(&by, world.org, purpose, u64::MAX / 4).await.unwrap();
    let change = |workspace: &mut Workspace| {
        workspace.name = MARK.to_owned();
        Ok(())
    };
    let whole = Scope::Organisation(world.org);
    store.update(&by, &whole, world.b, tidegate_store::Expected::Latest, change).await.unwrap();
}

async fn ids<E: Entity>(store: &Store, scope: Scope, texts: &mut Vec<String>)
where
    E::Id: std::fmt::Display,
{
    let rows: Vec<Stored<E>> = store.list::<E>(&scope, Page::first(1_000)).await.unwrap().rows;
    texts.extend(
        rows.iter()
            .flat_map(|row| [Some(row.id.to_string()), row.entity.slug().map(str::to_owned)])
            .flatten(),
    );
}

/// Every id and slug of workspace `b`, and of `b` itself.
async fn all_ids(world: &World) -> Vec<String> {
    let (store, b, mut texts) = (&world.store, Scope::Workspace(world.org, world.b), Vec::new());
    ids::<ApiKey>(store, b, &mut texts).await;
    ids::<Config>(store, b, &mut texts).await;
    ids::<Integration>(store, b, &mut texts).await;
    ids::<Provider>(store, b, &mut texts).await;
    ids::<Policy>(store, b, &mut texts).await;
    ids::<LogExport>(store, b, &mut texts).await;
    ids::<AlertRule>(store, b, &mut texts).await;
    ids::<SavedView>(store, b, &mut texts).await;
    ids::<Member>(store, b, &mut texts).await;
    texts.extend([world.b.to_string(), "ws-b".to_owned()]);
    texts
}

/// Everything of the organisation as it is stored, but for when keys were used.
async fn state(world: &World) -> Vec<Value> {
    async fn of<E: Entity>(store: &Store, scope: Scope, state: &mut Vec<Value>) {
        for row in store.list::<E>(&scope, Page::first(1_000)).await.unwrap().rows {
            state.push(json!([row.version, serde_json::to_value(&row.entity).unwrap()]));
        }
    }
    let (store, whole, mut state) = (&world.store, Scope::Organisation(world.org), Vec::new());
    of::<ApiKey>(store, whole, &mut state).await;
    of::<Config>(store, whole, &mut state).await;
    of::<LogExport>(store, whole, &mut state).await;
    of::<AlertRule>(store, whole, &mut state).await;
    of::<SavedView>(store, whole, &mut state).await;
    of::<Integration>(store, whole, &mut state).await;
    of::<Provider>(store, whole, &mut state).await;
    of::<Policy>(store, whole, &mut state).await;
    of::<Member>(store, whole, &mut state).await;
    of::<User>(store, whole, &mut state).await;
    of::<Workspace>(store, whole, &mut state).await;
    of::<Link>(store, whole, &mut state).await;
    of::<Session>(store, whole, &mut state).await;
    state
}

#[tokio::test]
async fn nothing_of_another_workspace_or_organisation_is_there() {
    let world = World::new().await;
    fill(&world).await;
    let before = state(&world).await;
    let ids = all_ids(&world).await;
    assert!(ids.len() > 12, "{ids:?}");
    let mut asked = 0;
    for route in CONTROL {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            if !tidegate_access::Verbs::of(&method).overlaps(route.verbs()) {
                continue;
            }
            let names = route.template().matches('{').count();
            // A key of metadata is a word, not an object; what is counted is asked for in `analytics`.
            let names_none = names == 0 || route.template().ends_with("/metadata/{key}");
            if names_none || matches!(route.access(), tidegate_access::Access::Public(_)) {
                continue;
            }
            for id in &ids {
                let uri = filled(route.template(), id);
                for who in ["service_key", "user_key", "ws_admin", "ws_member", "stranger"] {
                    // Things of the organisation are another organisation's only.
                    let body = json!({"name": "taken-over", "scopes": [], "role": "admin", "force_delete": true,
                        "users": [], "slug": "x"});
                    let body = (method != Method::GET).then_some(&body);
                    let got = world.ask(who, method.as_str(), &uri, body).await;
                    // The name of a metadata key is nobody's object: nothing of one's own has it.
                    let is_nothing = route.template().ends_with("/groups/metadata/{key}")
                        && got.status == 200
                        && got.body["data"] == json!([]);
                    assert!(
                        is_nothing || matches!(got.status, 400 | 403 | 404 | 501),
                        "{method} {uri} as {who}: {} {}",
                        got.status,
                        got.text
                    );
                    assert!(!got.text.contains(MARK), "{method} {uri} as {who}: {}", got.text);
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 5_000, "{asked}");
    assert_eq!(state(&world).await, before, "and nothing was changed");
}

/// Lists hold nothing of others either, whatever workspace they are asked about.
#[tokio::test]
async fn lists_hold_nothing_of_others() {
    let world = World::new().await;
    fill(&world).await;
    let lists = CONTROL.iter().filter(|route| {
        route.verbs().overlaps(tidegate_access::Verbs::GET)
            && !route.template().contains('{')
            && matches!(route.access(), tidegate_access::Access::Needs(_))
    });
    let mut seen_by_owner = 0;
    for route in lists {
        let uri = route.template();
        for named in ["", "?workspace_id=ws-b", &format!("?workspaceId={}", world.b)] {
            for who in ["service_key", "user_key", "ws_admin", "ws_member", "stranger"] {
                let got = world.get(who, &format!("{uri}{named}")).await;
                assert!(!got.text.contains(MARK), "{uri}{named} as {who}: {}", got.text);
                // Naming another's workspace is refused where workspaces are named.
                if !named.is_empty() && who != "stranger" && got.status == 200 {
                    assert!(!got.text.contains(&world.b.to_string()), "{uri}{named} as {who}: {}", got.text);
                }
            }
        }
        seen_by_owner += usize::from(world.get("owner", uri).await.text.contains(MARK));
    }
    assert!(seen_by_owner >= 3, "the owner sees what others do not: {seen_by_owner}");
}

/// The template with the id for every name.
fn filled(template: &str, id: &str) -> String {
    let parts = template.split('/').map(|part| if part.starts_with('{') { id } else { part });
    parts.collect::<Vec<_>>().join("/")
}
