//! What the control plane gives the path of a request: who is known, what holds them back, what things cost, where the
//! account goes. All of it is in memory; who fills it is outside.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use tidegate_access::door::Keyless;
use tidegate_access::{KeyHasher, Router, route};
use tidegate_core::Clock;
use tidegate_directory::Directory;
use tidegate_limits::{IpRules, Limits, Memory, MemoryOptions, Networks, Rule};
use tidegate_pricing::{Overrides, Prices, UnpricedPolicy};
use tidegate_records::{IdSource, Pipe};

use crate::body::ClientBody;
use crate::limiter::{Books, Limiter};
use crate::tokens::Tokens;

/// Parts that live as long as the process.
#[derive(Debug)]
pub struct Control {
    pub directory: Arc<Directory>,
    /// What is taken in place of API keys; `None`: nothing is.
    pub tokens: Option<Arc<Tokens>>,
    pub limits: Limiter,
    /// `None`: nothing is kept, and no budget can be set.
    pub books: Option<Books>,
    pub prices: Prices,
    pub records: Option<Recorder>,
    /// Answers the gateway's own API.
    pub admin: Option<Arc<dyn Admin>>,
    /// Shows people what is here; `None` where that is switched off.
    pub console: Option<Arc<dyn Console>>,
}

/// Where the account of each request goes.
#[derive(Debug)]
pub struct Recorder {
    pub pipe: Pipe,
    pub ids: Arc<IdSource>,
}

/// The gateway's own API. A trait, so that the path of a request knows nothing of databases.
pub trait Admin: Send + Sync + fmt::Debug {
    /// `peer` is the client's address as far as proxies are believed.
    fn serve(
        &self,
        request: Request<Bytes>,
        peer: IpAddr,
    ) -> Pin<Box<dyn Future<Output = Response<ClientBody>> + Send + '_>>;

    /// The gateway stops: answers that have no end are to end.
    fn drain(&self) {}

    fn tails(&self) -> TailFigures {
        TailFigures::default()
    }
}

/// Who watches the records of requests as they come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TailFigures {
    /// Streams that are open.
    pub open: u64,
    /// Records that one of them had no room for.
    pub skipped: u64,
}

/// The pages for people.
pub trait Console: Send + Sync + fmt::Debug {
    /// Answers `GET` and `HEAD` of `/console` and what is below.
    fn serve(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Bytes>;

    /// Where whoever sent these headers to `/` is sent instead of being greeted: browsers are, programs are not.
    fn instead_of_greeting(&self, headers: &HeaderMap) -> Option<HeaderValue>;
}

/// What the settings say about callers. Changes with them.
#[derive(Debug, Clone, Default)]
pub struct Doors {
    pub keyless: Keyless,
    pub addresses: IpRules,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Networks,
    /// For every address, user, model and route alike.
    pub each: Each,
    pub unpriced: UnpricedPolicy,
    /// How long keys are believed that cannot be checked against the database; `None`: for ever.
    pub stale_after_ms: Option<u64>,
}

/// Rules that hold for each value of something.
#[derive(Debug, Clone, Default)]
pub struct Each {
    pub address: Box<[Rule]>,
    /// The user that the request's metadata names.
    pub user: Box<[Rule]>,
    /// The model that was asked for.
    pub model: Box<[Rule]>,
    /// By its label.
    pub route: Box<[Rule]>,
}

/// Keys whose limits are counted at the same time, at most.
const MOST_COUNTED: usize = 1_000_000;

impl Control {
    /// Without keys, budgets and records: what is limited is counted all the same.
    pub fn none(clock: &dyn Clock) -> Self {
        let epoch_unix_ms = clock.unix_ms().saturating_sub(clock.now().0);
        let options = MemoryOptions { max_keys: MOST_COUNTED, epoch_unix_ms };
        Self {
            directory: Arc::new(Directory::new(KeyHasher::plain())),
            tokens: None,
            limits: Limiter::Here(Limits::new(Memory::new(options))),
            books: None,
            prices: Prices::new(Overrides::new()),
            records: None,
            admin: None,
            console: None,
        }
    }
}

/// Every route there is. A table that contradicts itself does not pass its tests.
pub fn router() -> &'static Router {
    static ROUTER: LazyLock<Router> = LazyLock::new(|| {
        let table = Router::new(route::table());
        #[expect(clippy::expect_used, reason = "the table is a constant, and a test builds it")]
        table.expect("the table of routes is unambiguous")
    });
    &ROUTER
}
