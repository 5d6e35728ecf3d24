//! What the settings mean: every value typed, bounded and present. Built only by [`load`](crate::load), or as
//! [`Settings::default`] when nothing is written anywhere.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use tidegate_access::door::Origin;
use tidegate_core::Secret;
use tidegate_limits::{Networks, Pace, Rule};
use tidegate_pricing::UnpricedPolicy;

use crate::sinks::Sinks;

use crate::error::Place;

/// Everything the binary is run with. `Debug` shows no secret.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub server: Server,
    pub log: Log,
    pub limits: Limits,
    pub timeouts: Timeouts,
    pub egress: Egress,
    pub routing: Routing,
    pub models: Models,
    pub access: Access,
    pub rate_limits: RateLimits,
    pub streams: Streams,
    pub budgets: Budgets,
    pub database: Database,
    pub redis: Redis,
    pub alerts: Alerts,
    pub oidc: Oidc,
    pub otlp: Otlp,
    pub records: Records,
    pub sinks: Sinks,
    pub console: Console,
    /// The providers that the gateway holds keys, addresses or options for, sorted by slug.
    pub providers: Vec<Provider>,
    /// Where each value that is not a default came from, by field.
    pub(crate) origins: BTreeMap<String, Source>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub host: IpAddr,
    /// 0 takes any free port.
    pub port: u16,
    /// Where the gateway keeps what must survive a restart.
    pub data_dir: PathBuf,
    /// How long requests under way may take to finish after the order to stop.
    pub grace_period: Duration,
    /// Where people reach the gateway, for the links that are given to them: `https://gateway.example.org`. `None` is the
    /// address that it listens on.
    pub public_url: Option<String>,
    /// Threads that serve requests; `None` is one per core.
    pub workers: Option<NonZeroUsize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// A line for each request.
    pub requests: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// What one client may ask of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request body.
    pub max_body: u64,
    /// Bytes of a request that tells of logs or spans, packed and unpacked.
    pub max_intake: u64,
    /// Bytes of a request's header section.
    pub max_header_bytes: u64,
    /// Bytes of a request's path and query.
    pub max_url_bytes: u64,
    /// Objects and lists inside each other in a JSON body.
    pub max_json_depth: u32,
    /// Connections at the same time.
    pub max_connections: u32,
}

/// How long to wait for a provider; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Option<Duration>,
    /// From the request's end to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// Between two pieces of an answer.
    pub between_chunks: Option<Duration>,
    /// Until the answer's header, when a request sets no timeout of its own.
    pub request: Option<Duration>,
    /// Of a WebSocket on which neither side says anything.
    pub idle: Option<Duration>,
}

/// Where the gateway may connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Egress {
    /// Private networks and hosts that may be called.
    pub allow_private: Vec<PrivateTarget>,
    /// PEM file of certificate authorities to trust beside the system's.
    pub extra_ca_file: Option<PathBuf>,
    /// Use the proxies that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name.
    pub proxy: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateTarget {
    Network(IpNet),
    /// A host name, in lower case.
    Host(String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Routing {
    /// Retries as a share of requests, 0 to 1.
    pub retry_budget: f64,
    /// How many gateways a request may pass through before it is taken for a loop.
    pub hops_max: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Models {
    /// Slug or id of the provider of requests that name none and whose model says nothing.
    pub default_provider: Option<String>,
}

/// Who may come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// From where requests are served that bring no API key of the gateway's.
    pub keyless: Origin,
    /// Also when API keys exist.
    pub keyless_after_first_key: bool,
    /// Addresses that may come; empty is all.
    pub allow: Networks,
    /// Addresses that may not; goes before `allow`.
    pub deny: Networks,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Networks,
    /// Where the public keys are that tokens are checked with: a JSON Web Key Set.
    pub jwks_url: Option<String>,
    /// The same as a file.
    pub jwks_file: Option<PathBuf>,
    /// The `iss` that tokens have to have.
    pub jwt_issuer: Option<String>,
    /// The `aud` that tokens have to be for.
    pub jwt_audience: Option<String>,
}

/// Rules that hold for each value alike (empty is none), and waiting where there is a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    pub per_address: Vec<Rule>,
    /// The user that a request's metadata names.
    pub per_user: Vec<Rule>,
    pub per_model: Vec<Rule>,
    pub per_route: Vec<Rule>,
    /// Requests that may wait for their turn instead of being refused; 0: none.
    pub queue: u32,
    /// Of them, those of one API key.
    pub queue_per_key: u32,
    /// The longest that one waits.
    pub queue_wait: Duration,
}

/// How answers that are streamed go out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Streams {
    /// Events per second of one stream; `None`: as fast as they come.
    pub pace: Option<Pace>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budgets {
    /// What happens to requests for models that have no price.
    pub unpriced: UnpricedPolicy,
}

/// Where keys, providers and configs are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Database {
    /// `postgres://…`; `None` is a file in the data directory. Holds a password.
    pub url: Option<Secret>,
    /// How long API keys are believed while the database is away; `None` is for ever.
    pub serve_stale: Option<Duration>,
}

/// Who is told when a budget reaches a threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// How often alert rules are looked at.
    pub every: Duration,
    /// Called with POST; a secret, because some services put the credential into the path.
    pub webhook: Option<Secret>,
    /// Signs what is sent there.
    pub webhook_secret: Option<Secret>,
    pub webhook_form: WebhookForm,
    /// `None` sends no mail.
    pub smtp_host: Option<String>,
    pub smtp_port: u16,
    pub smtp_security: SmtpSecurity,
    pub smtp_user: Option<String>,
    pub smtp_password: Option<Secret>,
    pub mail_from: Option<String>,
    pub mail_to: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WebhookForm {
    #[default]
    Json,
    /// As Slack, Mattermost and others show it.
    Slack,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SmtpSecurity {
    #[default]
    StartTls,
    Tls,
    None,
}

/// The collector of OpenTelemetry that is told of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otlp {
    /// Its base address, such as `http://localhost:4318`; `None` tells nobody.
    pub endpoint: Option<String>,
    /// `name=value` pairs with commas between them, which often hold a credential.
    pub headers: Option<Secret>,
    /// `service.name` of the spans.
    pub service_name: String,
}

/// Counters that several replicas share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redis {
    /// `redis://…`; `None` counts in this process. Holds a password.
    pub url: Option<Secret>,
    /// What its keys begin with: replicas that have it in common share their limits.
    pub prefix: String,
    /// How long an admission waits for it.
    pub timeout: Duration,
    pub when_away: WhenAway,
}

/// What happens to requests with limits while the shared counters are away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenAway {
    /// Each replica counts its share by itself.
    #[default]
    Local,
    /// They are refused.
    Refuse,
}

/// The account of each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    pub enabled: bool,
    /// Days that records are kept.
    pub keep_days: u32,
    pub bodies: Bodies,
    /// Of how many requests, with [`Bodies::Sampled`].
    pub body_share: Option<Share>,
    /// Headers whose value is taken out of what is kept, beside those that hold credentials.
    pub redact_headers: Vec<String>,
    /// Members of JSON bodies that are taken out, such as `messages[*].content`.
    pub redact_paths: Vec<String>,
    /// Logs of one export, at most.
    pub export_logs: u32,
}

/// A part of all, from 0 to 1, to the millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// `None` for what is not between 0 and 1.
    pub fn of(part: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and a million"
        )]
        (0.0..=1.0).contains(&part).then(|| Self((part * 1e6).round() as u32))
    }

    pub fn in_million(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1e6)
    }
}

/// An identity provider through which people sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oidc {
    /// As its tokens name it; `None` lets people sign in with links only.
    pub issuer: Option<String>,
    pub client_id: Option<String>,
    /// `None` for a public client.
    pub client_secret: Option<Secret>,
    /// Whose people become users when they sign in for the first time; `*` is everybody whom the issuer knows.
    pub allowed_domains: Vec<String>,
    pub default_role: OidcRole,
    /// The claim that says which role somebody has.
    pub role_claim: Option<String>,
}

/// The role of somebody who signs in for the first time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OidcRole {
    #[default]
    Member,
    Admin,
}

/// The pages for people, at `/console/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Console {
    pub enabled: bool,
}

/// Which bodies of requests and answers are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bodies {
    #[default]
    None,
    /// Of requests that failed.
    Errors,
    All,
    /// Of a part of all requests.
    Sampled,
}

/// A provider that the gateway itself can call.
#[derive(Debug, Clone)]
pub struct Provider {
    /// What requests call it (`@slug/model`, `x-portkey-provider: slug`).
    pub slug: String,
    /// Id of the catalogue's row.
    pub provider: String,
    pub api_key: Option<Secret>,
    /// Stands for the row's base URL; no trailing slash.
    pub base_url: Option<String>,
    /// The only models that may be called; empty is all.
    pub models: Vec<String>,
    /// Options by their names in a config object (`resource_name`, `aws_region`). Some are credentials, so all are
    /// kept as such.
    pub options: BTreeMap<String, Secret>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    Written(Place),
}

impl Settings {
    /// The provider that requests call `slug`.
    pub fn provider(&self, slug: &str) -> Option<&Provider> {
        let at = self.providers.binary_search_by(|provider| provider.slug.as_str().cmp(slug)).ok()?;
        self.providers.get(at)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8787,
            data_dir: PathBuf::from("./tidegate-data"),
            grace_period: Duration::from_secs(30),
            public_url: None,
            workers: None,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, requests: true }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: 100 * 1024 * 1024,
            max_intake: 16 * 1024 * 1024,
            max_header_bytes: 64 * 1024,
            max_url_bytes: 16 * 1024,
            max_json_depth: 128,
            max_connections: 10_000,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_secs(10)),
            // Reasoning models think for minutes before they say anything.
            first_byte: Some(Duration::from_secs(600)),
            between_chunks: Some(Duration::from_secs(300)),
            request: None,
            // Clients and providers ask each other whether they are there far more often.
            idle: Some(Duration::from_secs(600)),
        }
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            per_address: Vec::new(),
            per_user: Vec::new(),
            per_model: Vec::new(),
            per_route: Vec::new(),
            queue: 0,
            queue_per_key: 16,
            queue_wait: Duration::from_secs(10),
        }
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self { allow_private: Vec::new(), extra_ca_file: None, proxy: true }
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            webhook: None,
            webhook_secret: None,
            webhook_form: WebhookForm::Json,
            smtp_host: None,
            smtp_port: 587,
            every: Duration::from_secs(60),
            smtp_security: SmtpSecurity::StartTls,
            smtp_user: None,
            smtp_password: None,
            mail_from: None,
            mail_to: Vec::new(),
        }
    }
}

impl Default for Otlp {
    fn default() -> Self {
        Self { endpoint: None, headers: None, service_name: "tidegate".to_owned() }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: None,
            prefix: "tidegate".to_owned(),
            timeout: Duration::from_millis(100),
            when_away: WhenAway::Local,
        }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self {
            enabled: true,
            keep_days: 30,
            bodies: Bodies::None,
            body_share: None,
            redact_headers: Vec::new(),
            redact_paths: Vec::new(),
            export_logs: 10_000_000,
        }
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self { retry_budget: 0.2, hops_max: 3 }
    }
}
