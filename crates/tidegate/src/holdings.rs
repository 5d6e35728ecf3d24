//! What a gateway keeps: keys, providers and configs in a database, budgets in books, records in files. Opened here, top
//! to bottom, before anybody is served; closed here after the last one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use tidegate_access::KeyHasher;
use tidegate_cli::{
    ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE, LEDGER_DIRECTORY, MASTER_KEY_FILE, MASTER_KEY_VARIABLE, STORE_FILE,
};
use tidegate_control::{
    AdminKey, Api, ApiOptions, Body, Books, FirstStart, Lookout, Records, SettingsView, Tails, first_start,
};
use tidegate_core::{Clock, Secret, id};
use tidegate_directory::Directory;
use tidegate_gateway::control::{Admin, Console, Control, Recorder, TailFigures};
use tidegate_gateway::limiter::{self, Limiter};
use tidegate_gateway::tokens::KeySource;
use tidegate_gateway::{ClientBody, Snapshot};
use tidegate_keeper::{Keeper, Pooled};
use tidegate_ledger::{Ledger, Share};
use tidegate_limits_redis::Changes;
use tidegate_notify::Notifier;
use tidegate_otlp_export::Exporter;
use tidegate_records::{IdSource, Pipe, Sink};
use tidegate_records_postgres::{Node, PostgresBook, PostgresOptions, PostgresReader, PostgresSink};
use tidegate_records_sqlite::{SqliteBook, SqliteOptions, SqliteReader, SqliteSink};
use tidegate_settings::Settings;
use tidegate_store::Store;
use tidegate_store::backend::Backend;
use tidegate_store::postgres::Postgres;
use tidegate_store::sqlite::Sqlite;
use tidegate_store::vault::{MasterKeys, master_keys_in};
use tidegate_upstream::Egress;

use crate::alerts;
use crate::bodies;
use crate::console::Built;
use crate::replicas::{self, Pool};
use crate::sign_in;
use crate::sinks;
use crate::tokens;
use crate::usage;

/// How long records that wait may take to reach their files at the end.
const LAST_RECORDS: Duration = Duration::from_secs(10);
/// How long notices that wait may take.
const LAST_NOTICES: Duration = Duration::from_secs(5);
/// How often counters that nobody uses any more are thrown away.
const SWEEP: Duration = Duration::from_secs(60);
/// How long the database may take to give this replica its number.
const NODE_PATIENCE: Duration = Duration::from_secs(10);
/// How often a replica says that it still has its number.
const NODE_RENEWAL: Duration = Duration::from_secs(60);
/// Between parts of what is forgotten, for those who write.
const MORE_TO_FORGET: Duration = Duration::from_millis(50);

/// Everything that was opened.
#[derive(Debug)]
pub struct Holdings {
    pub control: Control,
    pub keeper: Keeper,
    /// What the banner tells once.
    pub first: FirstStart,
    /// What other replicas share the budgets by.
    pub pool: Option<Pool>,
    /// What other replicas tell of.
    pub changes: Option<Arc<Changes>>,
    pub notifier: Notifier,
    /// Which of the replicas that write records this one is.
    pub node: Option<Node>,
    /// Feedback and told spans, and the days that they are kept; 0 is for ever.
    pub told: Option<(Books, u32)>,
    /// Who looks at the alert rules, and how often.
    pub lookout: (Lookout, Duration),
    /// Tells a collector of requests; for [`export`].
    pub exporter: Option<Exporter>,
    /// Bring records to warehouses; for [`sinks::ship`].
    pub ships: Vec<sinks::Ship>,
}

/// What the environment gives, which is no setting: secrets.
#[derive(Debug, Default)]
pub struct Given<'a> {
    master_key: Option<&'a str>,
    admin_key: Option<&'a str>,
}

/// The admin API, and a directory that knows of its changes before it has answered.
#[derive(Debug)]
struct Office {
    api: Api,
    /// Streams of the API that end only when they are told to.
    tails: Tails,
    keeper: Keeper,
    /// Tells other replicas at once.
    changes: Option<Arc<Changes>>,
}

impl Admin for Office {
    fn serve(
        &self,
        request: Request<Bytes>,
        peer: IpAddr,
    ) -> Pin<Box<dyn Future<Output = Response<ClientBody>> + Send + '_>> {
        Box::pin(async move {
            let is_change = !matches!(*request.method(), Method::GET | Method::HEAD);
            let response = self.api.serve(request, peer).await;
            if is_change && response.status().is_success() {
                // A key that was handed out is good at once, and one that was revoked is not.
                self.keeper.catch_up().await;
                if let Some(changes) = &self.changes {
                    // Others hear of it at their next look otherwise.
                    let _ = changes.publish(self.keeper.upto().await).await;
                }
            }
            response.map(|body| match body {
                Body::Whole(bytes) => ClientBody::full(bytes),
                flow @ Body::Flow(_) => ClientBody::made(flow),
            })
        })
    }

    fn drain(&self) {
        self.tails.close();
    }

    fn tails(&self) -> TailFigures {
        let counts = self.tails.counts();
        TailFigures { open: counts.open, skipped: counts.skipped }
    }
}

/// Opens what the settings name.
///
/// # Errors
/// What cannot be opened, with what would help.
pub async fn open(
    settings: &Settings,
    given: &Given<'_>,
    snapshot: &Snapshot,
    clock: &Arc<dyn Clock>,
) -> Result<Holdings, String> {
    let (egress, hosts) = (&snapshot.egress, snapshot.hosts.clone());
    let data = &settings.server.data_dir;
    make(data)?;
    let pool = match &settings.database.url {
        None => None,
        Some(url) => Some(Pool::open(url, data).await?),
    };
    let directory = Arc::new(Directory::new(KeyHasher::plain()));
    let notifier = alerts::start(&settings.alerts, egress, clock)?;
    let share = if pool.is_some() { Share::Slices } else { Share::Whole };
    let on_alert = Some(alerts::on_alert(&notifier, &directory));
    // Nobody hears what a call cost whose client left before its answer began, and the provider bills it. At nothing, whoever
    // leaves early enough has no budget.
    let unheard = tidegate_ledger::Unheard::Ceiling;
    let options =
        tidegate_ledger::Options { share, on_alert, unheard, ..tidegate_ledger::Options::default() };
    let opening = {
        let (data, clock) = (data.clone(), clock.clone());
        tokio::task::spawn_blocking(move || ledger(&data, &clock, options))
    };
    let opening = async { opening.await.map_err(|error| format!("the ledger cannot be opened: {error}"))? };
    let founding = found(settings, given, clock);
    let (ledger, (store, first)) = if data.join(STORE_FILE).exists() {
        // Nothing is changed before it is known that nobody else uses the directory.
        (opening.await?, founding.await?)
    } else {
        // A first start waits for the disk again and again: at both places at once.
        tokio::try_join!(opening, founding)?
    };
    let keeper = Keeper::start(
        store.clone(),
        directory.clone(),
        Some(ledger.clone()),
        pool.clone().map(|pool| Arc::new(pool) as Arc<dyn Pooled>),
        clock.clone(),
    )
    .await
    .map_err(|error| format!("the database cannot be read: {error}"))?;
    let node = node(settings).await?;
    // Ids of gateways that write to one place differ by their node.
    let number = node.as_ref().map_or_else(|| (id::draw() * 1_024.0) as u16, Node::number);
    let ids = Arc::new(IdSource::new(number, None));
    let tails = Tails::default();
    let (records, exporter, ships) = recorder(settings, &ids, egress, clock, &tails)?;
    let pipe = records.as_ref().map(|recorder| recorder.pipe.clone());
    let books = settings.records.enabled.then(|| books(settings)).transpose()?;
    let options = ApiOptions {
        public_url: public_url(settings),
        settings: SettingsView {
            providers: settings.providers.iter().map(|provider| provider.slug.clone()).collect(),
            hosts,
        },
        records: pipe
            .clone()
            .map(|pipe| readers(settings).map(|readers| readers.written_by(pipe)))
            .transpose()?,
        tails: settings.records.enabled.then(|| tails.clone()),
        books: books.clone(),
        keep_days: settings.records.keep_days,
        export_logs: u64::from(settings.records.export_logs),
        pipe,
        max_intake: settings.limits.max_intake,
        usage: Arc::new(usage::Books(ledger.clone())),
        ids,
        messenger: Some(alerts::messenger(&settings.alerts, egress, clock)?),
        oidc: sign_in::options(&settings.oidc, first.organisation, egress)?,
        ..ApiOptions::default()
    };
    let api = Api::new(store.clone(), clock.clone(), options)
        .map_err(|error| format!("the routes of the admin API contradict each other: {error:?}"))?;
    let lookout = (api.lookout(), settings.alerts.every);
    let none = Control::none(&**clock);
    let (limits, changes) = match &settings.redis.url {
        None => (none.limits, None),
        Some(url) => {
            let (limits, changes) = replicas::limits(settings, url, clock).await?;
            (Limiter::Shared(Box::new(limits)), Some(Arc::new(changes)))
        }
    };
    let control = Control {
        directory,
        tokens: tokens::start(&settings.access, &keeper, egress).await?,
        limits,
        books: Some(match &pool {
            None => limiter::Books::Own(ledger),
            Some(pool) => limiter::Books::Shared(ledger, Box::new(pool.clone())),
        }),
        records,
        admin: Some(Arc::new(Office { api, tails, keeper: keeper.clone(), changes: changes.clone() })),
        console: settings.console.enabled.then(|| Arc::new(Built) as Arc<dyn Console>),
        prices: none.prices,
    };
    let told = books.map(|books| (books, settings.records.keep_days));
    Ok(Holdings { control, keeper, first, pool, changes, notifier, node, told, lookout, exporter, ships })
}

/// What [`tend`] looks after.
pub struct Chores {
    pub keeper: Keeper,
    pub changes: Option<Arc<Changes>>,
    pub keys: Option<KeySource>,
    pub node: Option<Node>,
    /// As in [`Holdings`].
    pub told: Option<(Books, u32)>,
    pub shared: Option<(Pool, Notifier)>,
    /// As in [`Holdings`].
    pub lookout: (Lookout, Duration),
}

/// What has to be done again and again while the gateway serves. Ends when it is dropped.
pub async fn tend(chores: Chores, gateway: Arc<tidegate_gateway::Gateway>) {
    let Chores { keeper, changes, keys, node, told, shared, lookout: (lookout, every) } = chores;
    let hear = async {
        let Some(changes) = &changes else { return };
        let mut latest = changes.subscribe();
        while latest.changed().await.is_ok() {
            keeper.catch_up().await;
        }
    };
    let sweep = async {
        loop {
            tokio::time::sleep(SWEEP).await;
            gateway.control.limits.tend(gateway.clock.now());
        }
    };
    let forget = async {
        let Some((books, days)) = told.filter(|(_, days)| *days > 0) else { return };
        loop {
            let first = gateway.clock.unix_ms().saturating_sub(u64::from(days) * 86_400_000);
            // A part at a time; while the database is away, later.
            let more = books.forget(first).await.unwrap_or(false);
            tokio::time::sleep(if more { MORE_TO_FORGET } else { SWEEP }).await;
        }
    };
    let watch = async {
        let (Some((pool, notifier)), Some(books)) = (shared, &gateway.control.books) else { return };
        let (ledger, directory) = (books.ledger().clone(), gateway.control.directory.clone());
        alerts::watch(pool, ledger, notifier, directory, gateway.clock.clone()).await;
    };
    tokio::join!(
        keeper.clone().run(),
        sweep,
        hear,
        watch,
        keep(node),
        forget,
        alerts::look_out(&lookout, every, &gateway.metrics),
        tokens::follow(keys, &gateway)
    );
}

/// Tells the collector until the records are closed.
pub async fn export(exporter: Option<Exporter>, gateway: Arc<tidegate_gateway::Gateway>) {
    let Some(exporter) = exporter else { return };
    exporter.run(|outcome, requests, _| gateway.metrics.exported(outcome.as_str(), requests)).await;
}

/// Brings what waits to its files.
pub async fn close(control: &Control, pool: Option<Pool>, notifier: Notifier) {
    if let Some(recorder) = &control.records {
        recorder.pipe.close(LAST_RECORDS);
    }
    if let Some(books) = &control.books {
        if let Some(pool) = pool {
            pool.give_back(books.ledger()).await;
        }
        books.ledger().close();
    }
    notifier.close(LAST_NOTICES).await;
}

fn make(data: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(data).map_err(|error| {
        format!("{}: {error}; name a directory that can be written with --data-dir", data.display())
    })
}

fn ledger(data: &Path, clock: &Arc<dyn Clock>, options: tidegate_ledger::Options) -> Result<Ledger, String> {
    let at = data.join(LEDGER_DIRECTORY);
    let (ledger, _) = Ledger::open(&at, options, clock.clone()).map_err(|error| {
        format!(
            "{}: {error}. One gateway at a time uses a data directory: give each its own with --data-dir",
            at.display()
        )
    })?;
    Ok(ledger)
}

/// The store, with what a new one begins with.
async fn found(
    settings: &Settings,
    given: &Given<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<(Store, FirstStart), String> {
    let (store, file) = store(settings, given.master_key, clock).await?;
    let first = first(&store, given.admin_key, &settings.server.data_dir).await?;
    if let Some(file) = file {
        // Only then is anybody told of it.
        file.settle().await.map_err(|error| error.to_string())?;
    }
    Ok((store, first))
}

/// The store; and its file, where it is one.
async fn store(
    settings: &Settings,
    master: Option<&str>,
    clock: &Arc<dyn Clock>,
) -> Result<(Store, Option<Arc<Sqlite>>), String> {
    let data = &settings.server.data_dir;
    let path = data.join(STORE_FILE);
    // A file that is there was made with a key. So the key is made first: a start that is cut off between the two can be
    // done again.
    let may_make = settings.database.url.is_some() || !path.exists();
    let masters = match master {
        Some(text) => MasterKeys::parse(&Secret::from(text), MASTER_KEY_VARIABLE),
        None => master_keys_in(&data.join(MASTER_KEY_FILE), may_make),
    };
    let masters = masters.map_err(|error| error.to_string())?;
    let (backend, file): (Arc<dyn Backend>, _) = match &settings.database.url {
        None => {
            let file = Arc::new(Sqlite::found(&path).map_err(|error| error.to_string())?);
            (file.clone(), Some(file))
        }
        Some(url) => {
            let postgres = Postgres::open(replicas::server(url)?).await.map_err(|error| error.to_string())?;
            (Arc::new(postgres), None)
        }
    };
    let store = Store::open(backend, masters, clock.clone()).await.map_err(|error| error.to_string())?;
    Ok((store, file))
}

/// Its number among those who write records to the same database; `None` where nobody else does.
async fn node(settings: &Settings) -> Result<Option<Node>, String> {
    let Some(url) = settings.database.url.as_ref().filter(|_| settings.records.enabled) else {
        return Ok(None);
    };
    let server = replicas::server(url)?;
    let taking = tokio::task::spawn_blocking(move || Node::take(server, NODE_PATIENCE)).await;
    match taking {
        Ok(Ok(node)) => Ok(Some(node)),
        // It was there a moment ago. A number by chance is almost always a different one.
        Ok(Err(_)) | Err(_) => Ok(None),
    }
}

/// Says again and again that the number is in use.
async fn keep(mut node: Option<Node>) {
    while let Some(mut taken) = node.take() {
        tokio::time::sleep(NODE_RENEWAL).await;
        let renewing = tokio::task::spawn_blocking(move || {
            // Said again at the next turn where it failed.
            let _ = taken.renew();
            taken
        });
        node = renewing.await.ok();
    }
}

/// Takes records; tells a collector of them; bring them to warehouses.
type Outlets = (Option<Recorder>, Option<Exporter>, Vec<sinks::Ship>);

/// Where records go, and who tells a collector and warehouses of them, if anybody is to.
fn recorder(
    settings: &Settings,
    ids: &Arc<IdSource>,
    egress: &Egress,
    clock: &Arc<dyn Clock>,
    tails: &Tails,
) -> Result<Outlets, String> {
    if !settings.records.enabled {
        return match &settings.otlp.endpoint {
            None => Ok((None, None, Vec::new())),
            Some(_) => {
                Err("otlp.endpoint has no effect without records.enabled: spans are made of records"
                    .to_owned())
            }
        };
    }
    let at = settings.server.data_dir.join("records");
    let days = settings.records.keep_days;
    let sink: Box<dyn Sink> = match &settings.database.url {
        None => {
            let options =
                SqliteOptions { keep_rows_days: days, keep_bodies_days: days, ..SqliteOptions::new(&at) };
            Box::new(SqliteSink::open(options).map_err(|error| format!("{}: {error}", at.display()))?)
        }
        Some(url) => Box::new(PostgresSink::new(PostgresOptions {
            keep_rows_days: days,
            keep_bodies_days: days,
            ..PostgresOptions::new(replicas::server(url)?)
        })),
    };
    let sink: Box<dyn Sink> = Box::new(tails.tee(sink));
    let (sink, exporter): (Box<dyn Sink>, _) = match &settings.otlp.endpoint {
        None => (sink, None),
        Some(endpoint) => {
            let options = tidegate_otlp_export::Options {
                headers: settings.otlp.headers.clone(),
                service: settings.otlp.service_name.clone(),
                ..tidegate_otlp_export::Options::new(endpoint)
            };
            let both = tidegate_otlp_export::channel(options, egress.clone(), sink);
            let (tee, exporter) = both.map_err(|error| error.to_string())?;
            (Box::new(tee), Some(exporter))
        }
    };
    let data = &settings.server.data_dir;
    let (sink, ships) = sinks::attach(&settings.sinks, data, egress, clock, sink)?;
    let mut options = tidegate_records::Options::new(at.join("journal"));
    options.bodies = bodies::policy(&settings.records)?;
    let pipe = Pipe::start(options, sink, clock.clone()).map_err(|error| error.to_string())?;
    Ok((Some(Recorder { pipe, ids: ids.clone() }), exporter, ships))
}

/// Where people reach the gateway.
fn public_url(settings: &Settings) -> String {
    let server = &settings.server;
    let address = std::net::SocketAddr::new(server.host, server.port);
    server.public_url.clone().unwrap_or_else(|| match server.host.is_unspecified() {
        // Every address of this machine: one of them is known to everybody on it.
        true => format!("http://localhost:{}", server.port),
        false => format!("http://{address}"),
    })
}

/// Those who read the records for the logs API.
fn readers(settings: &Settings) -> Result<Records, String> {
    /// A list that takes longer is not waited for.
    const PATIENCE: Duration = Duration::from_secs(10);
    let at = settings.server.data_dir.join("records");
    match &settings.database.url {
        None => Ok(Records::new(move || Box::new(SqliteReader::new(&at)))),
        Some(url) => {
            let options = PostgresOptions::new(replicas::server(url)?);
            Ok(Records::new(move || Box::new(PostgresReader::new(options.server.clone(), PATIENCE))))
        }
    }
}

/// Those who keep feedback and told spans, beside the records.
fn books(settings: &Settings) -> Result<Books, String> {
    /// An answer that takes longer is not waited for.
    const PATIENCE: Duration = Duration::from_secs(10);
    let at = settings.server.data_dir.join("records");
    match &settings.database.url {
        None => Ok(Books::new(move || Box::new(SqliteBook::new(&at)))),
        Some(url) => {
            let options = PostgresOptions::new(replicas::server(url)?);
            Ok(Books::new(move || Box::new(PostgresBook::new(options.server.clone(), PATIENCE))))
        }
    }
}

/// What a database that nobody has used yet needs. The text of a new admin key is on disk before the key is good: a start
/// that is cut off locks nobody out.
async fn first(store: &Store, admin_key: Option<&str>, data: &Path) -> Result<FirstStart, String> {
    let at = data.join(ADMIN_KEY_FILE);
    let kept = AtomicBool::new(false);
    let keep = |key: &Secret| {
        kept.store(true, Ordering::Relaxed);
        keep_admin_key(&at, key)
    };
    let first = first_start(store, admin_key.map(Secret::from), &keep)
        .await
        .map_err(|error| format!("the first start failed: {error}"))?;
    if kept.into_inner() && !matches!(first.key, AdminKey::Made(_)) {
        // Another replica was faster: what is kept here is no key.
        std::fs::remove_file(&at).map_err(|error| format!("{}: {error}", at.display()))?;
    }
    Ok(first)
}

/// For the command line on this machine, which asks with it. Nobody else may read it.
fn keep_admin_key(path: &Path, key: &Secret) -> Result<(), String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        writeln!(file, "{}", key.expose())?;
        file.sync_all()
    });
    written.map_err(|error| format!("{}: {error}", path.display()))
}

impl<'a> Given<'a> {
    pub fn of(env: &'a BTreeMap<String, String>) -> Self {
        let get = |name: &str| env.get(name).map(String::as_str).filter(|text| !text.is_empty());
        Self { master_key: get(MASTER_KEY_VARIABLE), admin_key: get(ADMIN_KEY_VARIABLE) }
    }
}
