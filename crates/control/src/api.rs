//! From a request to its answer: route, sender, permission, handler.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use tidegate_access::route::CONTROL;
use tidegate_access::{Access, Reason, Refusal, Route, Router, TableError, admit};
use tidegate_core::clock::Clock;
use tidegate_records::{IdSource, Pipe};
use tidegate_store::Store;
use tidegate_store::audit::{By, Origin};

use crate::alerts::{Lookout, Messenger};
use crate::authenticate::{Uses, sender};
use crate::body::Body;
use crate::books::Books;
use crate::call::{Call, Visit, decoded};
use crate::endpoint::{Content, Endpoint, Run};
use crate::oidc::{Issuer, OidcOptions};
use crate::problem::Problem;
use crate::records::Records;
use crate::settings_view::SettingsView;
use crate::table::table;
use crate::tails::Tails;
use crate::tries::Tries;
use crate::usage::{Uncounted, Usage};

static TRACE: HeaderName = HeaderName::from_static("x-portkey-trace-id");
const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];

/// What an operator may say about the admin API.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Where people reach the gateway, for the links that are given to them: `https://gateway.example.org`.
    pub public_url: String,
    /// Where `/sign-in` leads: the console's page that takes the token from behind `#`.
    pub sign_in_page: String,
    /// How long a sign-in lasts, in milliseconds.
    pub session_ms: u64,
    /// How long an invitation or a link to sign in works, in milliseconds.
    pub link_ms: u64,
    /// Sign-ins that one address may try in a minute.
    pub sign_ins_per_minute: u64,
    pub settings: SettingsView,
    /// Where the records of requests are; `None` where none are kept.
    pub records: Option<Records>,
    /// Who watches records as they are stored; `None` where none are kept.
    pub tails: Option<Tails>,
    /// Where feedback and told spans are; `None` where no records are kept.
    pub books: Option<Books>,
    /// Days that records are kept, at most: a workspace may have fewer.
    pub keep_days: u32,
    /// Logs of one export, at most: a job with more fails and says so.
    pub export_logs: u64,
    /// Takes records that are told; `None` where none are kept.
    pub pipe: Option<Pipe>,
    /// Bytes of what is told in one request, packed and unpacked.
    pub max_intake: u64,
    /// Of the records of requests, too: all ids come from one source.
    pub ids: Arc<IdSource>,
    /// What objects have used of their budgets.
    pub usage: Arc<dyn Usage>,
    /// Brings the notices of alert rules; `None` where nobody does.
    pub messenger: Option<Arc<dyn Messenger>>,
    /// Through whom people sign in, beside links.
    pub oidc: Option<OidcOptions>,
}

impl Default for ApiOptions {
    /// This machine, half a day, a week, ten; ten million logs.
    fn default() -> Self {
        Self {
            public_url: "http://localhost:8787".to_owned(),
            sign_in_page: "/console/sign-in".to_owned(),
            session_ms: 12 * 3_600_000,
            link_ms: 7 * 86_400_000,
            sign_ins_per_minute: 10,
            settings: SettingsView::default(),
            records: None,
            tails: None,
            books: None,
            keep_days: 30,
            export_logs: 10_000_000,
            pipe: None,
            max_intake: 16 << 20,
            ids: Arc::new(IdSource::new(0, None)),
            usage: Arc::new(Uncounted),
            messenger: None,
            oidc: None,
        }
    }
}

/// The admin API. Cheap to clone; clones are the same API.
#[derive(Debug, Clone)]
pub struct Api(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: ApiOptions,
    pub(crate) tries: Tries,
    pub(crate) oidc: Option<Arc<Issuer>>,
    pub(crate) uses: Uses,
    router: Router,
    endpoints: HashMap<(&'static str, Method), Endpoint>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("store", &self.store)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Api {
    /// # Errors
    /// A table of routes that contradicts itself: a defect, which a test finds first.
    pub fn new(store: Store, clock: Arc<dyn Clock>, options: ApiOptions) -> Result<Self, TableError> {
        let endpoints = table().into_iter().map(|one| ((one.template, one.method.clone()), one)).collect();
        let tries = Tries::new(&*clock, options.sign_ins_per_minute);
        let oidc = options.oidc.clone().map(|oidc| Arc::new(Issuer::new(oidc)));
        let router = Router::new(CONTROL.iter().copied())?;
        Ok(Self(Arc::new(Inner {
            store,
            clock,
            options,
            tries,
            oidc,
            uses: Uses::default(),
            router,
            endpoints,
        })))
    }

    /// Who looks at the alert rules.
    pub fn lookout(&self) -> Lookout {
        Lookout::new(Arc::clone(&self.0))
    }

    /// Whether a route is served here, and not by the gateway itself.
    pub fn serves(&self, method: &Method, route: &Route) -> bool {
        self.0.endpoint(method, route).is_some()
    }

    /// The routes of the admin API that nothing serves yet: they answer 501.
    pub fn unserved(&self) -> Vec<(Method, &'static str)> {
        let mut missing = Vec::new();
        for route in CONTROL {
            let verbs = METHODS
                .into_iter()
                .filter(|method| tidegate_access::Verbs::of(method).overlaps(route.verbs()));
            missing.extend(
                verbs
                    .filter(|method| self.0.endpoint(method, route).is_none())
                    .map(|method| (method, route.template())),
            );
        }
        missing
    }

    /// Answers a request. `peer` is the client's address, found by whoever knows which proxies to believe. Never
    /// fails: what goes wrong is an answer, with a [`crate::Cause`] in its extensions where there is more to say.
    pub async fn serve(&self, request: Request<Bytes>, peer: IpAddr) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let id = parts.headers.get(&TRACE).cloned().or_else(|| request_id(&*self.0.clock));
        let is_head = parts.method == Method::HEAD;
        let served = self.0.answer(&self.0, parts, body, peer, id.as_ref()).await;
        let mut response = served.unwrap_or_else(|problem| problem.into_response().map(Body::from));
        if let Some(id) = id {
            // Without it official clients send a request again that was answered with 5xx.
            response.headers_mut().insert(TRACE.clone(), id);
        }
        if is_head {
            *response.body_mut() = Body::default();
        }
        response
    }
}

impl Inner {
    fn endpoint(&self, method: &Method, route: &Route) -> Option<&Endpoint> {
        let method = if *method == Method::HEAD { Method::GET } else { method.clone() };
        self.endpoints.get(&(route.template(), method))
    }

    async fn answer(
        &self,
        shared: &Arc<Inner>,
        parts: Parts,
        body: Bytes,
        peer: IpAddr,
        id: Option<&HeaderValue>,
    ) -> Result<Response<Body>, Problem> {
        let path = parts.uri.path();
        let found = self.router.find(&parts.method, path).map_err(|refusal| self.no_route(path, refusal))?;
        let text = |value: Option<&HeaderValue>| {
            value.and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
        };
        let origin = Origin {
            client_ip: peer.to_string(),
            request_id: text(id),
            method: parts.method.to_string(),
            uri: path.to_owned(),
        };
        let names = decoded(found.names);
        let visit = Visit {
            api: Arc::clone(shared),
            headers: parts.headers.clone(),
            peer,
            origin: origin.clone(),
            names,
        };
        // A body is no part of a request that only reads.
        let body = if parts.method.is_safe() { Bytes::new() } else { body };
        let content =
            |headers| Content { query: parts.uri.query().map(str::to_owned), headers, body: body.clone() };
        let endpoint = self.endpoint(&parts.method, found.route);
        let permission = match found.route.access() {
            Access::Public(_) => {
                let endpoint = endpoint.ok_or_else(|| not_there_yet(found.route.template()))?;
                return match &endpoint.run {
                    Run::Open(run) => run(visit, content(parts.headers)).await,
                    Run::Closed(_) => {
                        Err(Problem::internal("a public route has a handler that needs a sender"))
                    }
                };
            }
            Access::Needs(permission) => permission,
        };
        let sender = sender(&self.store, &self.uses, &parts.method, &parts.headers).await?;
        admit(&sender.principal, permission)?;
        // Not before: whether a route is served is for those who may use it.
        let endpoint = endpoint.ok_or_else(|| not_there_yet(found.route.template()))?;
        let mut by = By::new(sender.actor);
        by.origin = origin;
        let session = sender.session.map(|session| session.id);
        let call = Call::new(visit, sender.principal, sender.organisation, permission, by, session);
        match &endpoint.run {
            Run::Closed(run) => run(call, content(parts.headers)).await,
            Run::Open(_) => Err(Problem::internal("a route that needs a sender has a public handler")),
        }
    }

    /// 405 where another method would do, else what the router says.
    fn no_route(&self, path: &str, refusal: Refusal) -> Problem {
        if refusal.reason != Reason::NotFound {
            return refusal.into();
        }
        let others = METHODS.into_iter().filter(|method| self.router.find(method, path).is_ok());
        let others: Vec<String> = others.map(|method| method.to_string()).collect();
        if others.is_empty() {
            return refusal.saying("there is no such route").into();
        }
        let allowed = others.join(", ");
        let message = format!("this method is not for this path; expected {allowed}");
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, message).allowing(allowed)
    }
}

fn not_there_yet(template: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_IMPLEMENTED,
        format!("{template} is not there yet in this version of the gateway"),
    )
}

fn request_id(clock: &dyn Clock) -> Option<HeaderValue> {
    use tidegate_store::id::{EntityId, SessionId};
    // An id like those of objects: sorts by time and cannot be guessed.
    let id = SessionId::make(clock.unix_ms()).ok()?;
    HeaderValue::from_str(&id.to_string()).ok()
}
