//! What tests share: a clock they move, a store of their own, two workspaces, somebody of every role, and requests.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tidegate_access::{KeyKind, Scope as Right, ScopeSet};
use tidegate_control::{Api, ApiOptions};
use tidegate_core::Secret;
use tidegate_core::clock::{Clock, Moment};
use tidegate_store::audit::By;
use tidegate_store::entity::{
    ApiKey, KeyOwner, Limits, Member, Organisation, OrganisationRole, User, Workspace, WorkspaceRole,
    WorkspaceState,
};
use tidegate_store::id::{OrganisationId, UserId, WorkspaceId};
use tidegate_store::sqlite::Sqlite;
use tidegate_store::vault::MasterKeys;
use tidegate_store::{Home, Store};

#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    pub fn set(&self, ms: u64) {
        self.0.store(ms, Ordering::Relaxed);
    }

    pub fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment(self.unix_ms())
    }

    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A directory that goes with the test.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name =
            format!("tidegate-control-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How somebody proves who he is.
#[derive(Debug, Clone)]
pub enum Credential {
    Key(String),
    /// The cookie, and the CSRF value for it.
    Cookie(String, String),
}

/// Everybody's names are those of `access`'s matrix: `owner`, `ws_member`, `service_key` and so on. All are of
/// workspace `a`; `service_key_b` is of `b`, and `stranger` an admin key of another organisation.
#[derive(Debug)]
pub struct World {
    pub api: Api,
    pub store: Store,
    pub clock: Arc<TestClock>,
    pub org: OrganisationId,
    pub a: WorkspaceId,
    pub b: WorkspaceId,
    pub users: BTreeMap<&'static str, UserId>,
    credentials: BTreeMap<&'static str, Credential>,
    _directory: Directory,
}

/// An answer.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: http::HeaderMap,
    /// Null when it is not JSON.
    pub body: Value,
    pub text: String,
    pub bytes: Bytes,
}

pub const NOBODY: &str = "nobody";

pub fn store_in(directory: &Directory, clock: &Arc<TestClock>) -> impl Future<Output = Store> {
    let backend = Arc::new(Sqlite::open(&directory.file("tidegate.db")).unwrap());
    let clock = Arc::clone(clock);
    async move {
        let master = "8f3a1c5e7d9b2046f1e3d5c7b9a8070615243342516079881726354453627181";
        let masters = MasterKeys::parse(&Secret::from(master), "test").unwrap();
        Store::open(backend, masters, clock).await.unwrap()
    }
}

/// 2027-01-15T08:00:00Z.
const BEGIN: u64 = 1_800_000_000_000;

pub fn clock() -> Arc<TestClock> {
    Arc::new(TestClock(AtomicU64::new(BEGIN)))
}

pub fn workspace(slug: &str) -> Workspace {
    Workspace {
        name: slug.to_owned(),
        slug: slug.to_owned(),
        description: None,
        is_default: false,
        state: WorkspaceState::Active,
        defaults: serde_json::Map::new(),
        limits: Limits::default(),
        settings: serde_json::Map::new(),
        records: Default::default(),
    }
}

fn words(scopes: ScopeSet) -> Vec<String> {
    scopes.iter().map(|scope| scope.text().to_owned()).collect()
}

impl World {
    pub async fn new() -> Self {
        Self::with(ApiOptions::default()).await
    }

    pub async fn with(options: ApiOptions) -> Self {
        let directory = Directory::new();
        // Objects of the same millisecond are in no order.
        let clock = clock();
        clock.set(BEGIN - 1_000);
        let store = store_in(&directory, &clock).await;
        let organisation = |slug: &str| Organisation {
            name: slug.to_owned(),
            slug: slug.to_owned(),
            settings: serde_json::Map::new(),
        };
        let by = By::system();
        let org = store.create_organisation(&by, organisation("acme")).await.unwrap().id;
        let home = Home::organisation(org);
        let a = store.create(&by, home, workspace("ws-a")).await.unwrap().id;
        clock.advance(1);
        let b = store.create(&by, home, workspace("ws-b")).await.unwrap().id;
        clock.advance(1);
        let api = Api::new(store.clone(), clock.clone(), options).unwrap();
        let mut world = Self {
            api,
            store,
            clock,
            org,
            a,
            b,
            users: BTreeMap::new(),
            credentials: BTreeMap::new(),
            _directory: directory,
        };
        world.people().await;
        world.keys().await;
        let other = world.store.create_organisation(&by, organisation("other")).await.unwrap().id;
        let mut key = ApiKey::new("stranger", KeyOwner::Service, Vec::new());
        key.is_admin = true;
        world.key("stranger", KeyKind::Admin, Home::organisation(other), key).await;
        world.clock.set(BEGIN);
        world
    }

    async fn people(&mut self) {
        use OrganisationRole as Org;
        use WorkspaceRole as Ws;
        for (name, role, place) in [
            ("owner", Org::Owner, None),
            ("admin", Org::Admin, None),
            ("ws_admin", Org::Member, Some(Ws::Admin)),
            ("ws_manager", Org::Member, Some(Ws::Manager)),
            ("ws_member", Org::Member, Some(Ws::Member)),
            ("org_member", Org::Member, None),
        ] {
            let user = User {
                email: format!("{name}@example.org"),
                first_name: name.to_owned(),
                last_name: String::new(),
                role,
                identity: None,
                disabled: false,
            };
            let by = By::system();
            let id = self.store.create(&by, Home::organisation(self.org), user).await.unwrap().id;
            if let Some(role) = place {
                let home = Home::workspace(self.org, self.a);
                self.store.create(&by, home, Member::new(id, role)).await.unwrap();
            }
            let until = self.clock.unix_ms() + 86_400_000;
            let (_, cookie) =
                self.store.create_session(&by, self.org, id, until, String::new()).await.unwrap();
            let cookie = cookie.expose().to_owned();
            let csrf = tidegate_access::KeyHasher::peppered(cookie.as_bytes()).hash("csrf").to_hex();
            self.credentials.insert(name, Credential::Cookie(cookie, csrf));
            self.users.insert(name, id);
        }
    }

    async fn keys(&mut self) {
        let (service, user) = (KeyOwner::Service, KeyOwner::User { user: self.users["ws_member"] });
        let (whole, in_a) = (Home::organisation(self.org), Home::workspace(self.org, self.a));
        let all = |kind| words(ScopeSet::of_kind(kind));
        let mut admin = ApiKey::new("admin", service, Vec::new());
        admin.is_admin = true;
        self.key("admin_key", KeyKind::Admin, whole, admin).await;
        for (name, kind, home, owner) in [
            ("organisation_key", KeyKind::OrganisationService, whole, service),
            ("service_key", KeyKind::WorkspaceService, in_a, service),
            ("service_key_b", KeyKind::WorkspaceService, Home::workspace(self.org, self.b), service),
            ("user_key", KeyKind::WorkspaceUser, in_a, user),
        ] {
            self.key(name, kind, home, ApiKey::new(name, owner, all(kind))).await;
        }
        let scopes = vec![Right::LogsView.text().to_owned()];
        self.key("log_key", KeyKind::WorkspaceService, in_a, ApiKey::new("log_key", service, scopes)).await;
    }

    pub async fn key(&mut self, name: &'static str, kind: KeyKind, home: Home, key: ApiKey) {
        let number = u8::try_from(self.credentials.len()).unwrap();
        self.clock.advance(1);
        let text = tidegate_access::key::generate(kind, &[number; 32]);
        self.store.create_key_as(&By::system(), home, key, &text).await.unwrap();
        self.credentials.insert(name, Credential::Key(text.expose().to_owned()));
    }

    pub fn credential(&self, name: &str) -> &Credential {
        &self.credentials[name]
    }

    /// Sends as somebody, or as [`NOBODY`].
    pub async fn ask(&self, who: &str, method: &str, uri: &str, body: Option<&Value>) -> Got {
        let credential = (who != NOBODY).then(|| self.credential(who).clone());
        self.ask_as(credential.as_ref(), method, uri, body).await
    }

    pub async fn ask_as(
        &self,
        credential: Option<&Credential>,
        method: &str,
        uri: &str,
        body: Option<&Value>,
    ) -> Got {
        let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(uri);
        request = match credential {
            None => request,
            Some(Credential::Key(key)) => request.header("x-portkey-api-key", key),
            Some(Credential::Cookie(cookie, csrf)) => request
                .header("cookie", format!("a=b; tidegate_session={cookie}"))
                .header("x-tidegate-csrf", csrf),
        };
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        self.send(request.body(bytes).unwrap()).await
    }

    pub async fn send(&self, request: Request<Bytes>) -> Got {
        let response = self.api.serve(request, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))).await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        // Files are read as bytes; everything else is text.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Got {
            status: head.status.as_u16(),
            headers: head.headers,
            bytes: bytes.clone(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub async fn get(&self, who: &str, uri: &str) -> Got {
        self.ask(who, "GET", uri, None).await
    }

    /// Sends and expects 200.
    pub async fn done(&self, who: &str, method: &str, uri: &str, body: Value) -> Value {
        let body = (method != "GET").then_some(body);
        let got = self.ask(who, method, uri, body.as_ref()).await;
        assert_eq!(got.status, 200, "{method} {uri} as {who}: {}", got.text);
        got.body
    }
}
