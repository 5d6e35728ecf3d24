//! The handle: claims of requests, and budgets as the control plane sets them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidegate_ledger::{Amount, Budget, Claim, Pool, PoolAway};
use tidegate_postgres::Server;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::error::PoolError;
use crate::key::{Key, Place, milliseconds};
use crate::line::{Line, State};
use crate::migrate;
use crate::operation::{Action, Operation, Slice, Task};
use crate::options::Options;
use crate::session::{connect, told, too_slow};

const PUT: &str = "INSERT INTO tidegate_ledger_budgets AS old (scope, owner, unit, reset, amount, version) \
    VALUES ($1, $2, $3, $4, $5::TEXT::NUMERIC, $6) ON CONFLICT (scope, owner, unit, reset) \
    DO UPDATE SET amount = excluded.amount, version = excluded.version, removed = FALSE \
    WHERE old.version <= excluded.version";
const REMOVE: &str = "UPDATE tidegate_ledger_budgets SET removed = TRUE, version = $5 \
    WHERE scope = $1 AND owner = $2 AND unit = $3 AND reset = $4 AND version <= $5";
const RESET: &str = "UPDATE tidegate_ledger_budgets SET epoch = greatest(epoch, $5) \
    WHERE scope = $1 AND owner = $2 AND unit = $3 AND reset = $4";
/// Lines of processes that ended: nothing that they sent can still be on its way.
const FORGET: &str = "DELETE FROM tidegate_ledger_lines WHERE at < now() - INTERVAL '1 day'";

/// Budgets in a PostgreSQL database. See the crate's documentation.
pub struct Postgres {
    server: Server,
    options: Arc<Options>,
    lines: Vec<Handle>,
    /// For what is not a request's. Taken out while it is used: one that is given up goes.
    desk: Mutex<Option<Client>>,
}

struct Handle {
    queue: mpsc::UnboundedSender<Operation>,
    state: Arc<State>,
}

/// For metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Why the database is away, for the operator; `None` while it is there.
    pub away: Option<String>,
    /// Operations that wait now.
    pub waiting: usize,
    /// Operations that were done again because a connection broke, since the start.
    pub again: u64,
}

pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Postgres {
    /// Connects, and makes or changes the tables if need be.
    ///
    /// # Errors
    /// A server that cannot be reached, and tables of a newer program.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn open(server: Server, options: Options) -> Result<Self, PoolError> {
        let client = connect(&server, options.patience).await?;
        let preparing = async {
            migrate::run(&client).await?;
            client.execute(FORGET, &[]).await.map_err(|error| told(&error))
        };
        timeout(options.patience.saturating_mul(5), preparing)
            .await
            .map_err(|_| too_slow(options.patience))??;
        let options = Arc::new(options);
        let lines = (0..options.lines.max(1)).map(|_| {
            let (queue, operations) = mpsc::unbounded_channel();
            let state = Arc::new(State::default());
            let line = Line::new(server.clone(), Arc::clone(&options), Arc::clone(&state), queue.downgrade());
            tokio::spawn(line.work(operations));
            Handle { queue, state }
        });
        let lines = lines.collect();
        Ok(Self { server, options, lines, desk: Mutex::new(Some(client)) })
    }

    /// Sets up a budget, or changes its amount, for all replicas. Of several, the one with the highest `version` counts,
    /// whatever the order in which they come; that of the object that it belongs to is meant. Only scope, id, unit,
    /// reset and amount matter here.
    ///
    /// # Errors
    /// [`PoolError::Away`], after which it may be in force all the same. It can be said again.
    pub async fn put(&self, budget: &Budget, version: u64) -> Result<(), PoolError> {
        let (key, version) = (Key::of(budget), milliseconds(version));
        let amount = budget.limit.amount().to_string();
        self.run(PUT, &[&key.scope, &key.owner, &key.unit, &key.reset, &amount, &version]).await.map(|_| ())
    }

    /// Nobody can claim from it any more, unless it is put again with a version that is not lower.
    ///
    /// # Errors
    /// As [`Postgres::put`].
    pub async fn remove(&self, budget: &Budget, version: u64) -> Result<(), PoolError> {
        let (key, version) = (Key::of(budget), milliseconds(version));
        self.run(REMOVE, &[&key.scope, &key.owner, &key.unit, &key.reset, &version]).await.map(|_| ())
    }

    /// Begins the running period anew: nothing of it is claimed. `epoch` is the number of this reset, such as its time in
    /// milliseconds: saying it again changes nothing. Replicas reset their books afterwards; until then they go on
    /// with the slices that they have, which now come on top.
    ///
    /// # Errors
    /// As [`Postgres::put`].
    pub async fn reset(&self, budget: &Budget, epoch: u64) -> Result<(), PoolError> {
        let (key, epoch) = (Key::of(budget), milliseconds(epoch));
        self.run(RESET, &[&key.scope, &key.owner, &key.unit, &key.reset, &epoch]).await.map(|_| ())
    }

    /// The next claim would be told at once that the database is away.
    pub fn is_away(&self) -> bool {
        self.lines.iter().any(|line| line.state.away().is_some())
    }

    pub fn stats(&self) -> Stats {
        Stats {
            away: self.lines.iter().find_map(|line| line.state.away()),
            waiting: self.lines.iter().map(|line| line.state.waiting.load(Ordering::Relaxed)).sum(),
            again: self.lines.iter().map(|line| line.state.again.load(Ordering::Relaxed)).sum(),
        }
    }

    async fn ask(&self, task: Task) -> Result<Slice, PoolAway> {
        let away = |reason: String| PoolAway { reason };
        let line = task.place.key.line(self.lines.len());
        let Some(Handle { queue, state }) = self.lines.get(line) else {
            return Err(away("there is no line".to_owned()));
        };
        // What is given back may wait: it is not lost.
        if let (Action::Claim { .. }, Some(reason)) = (&task.action, state.away()) {
            return Err(away(reason));
        }
        if state.waiting.fetch_add(1, Ordering::Relaxed) >= self.options.most_waiting {
            state.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(away(format!("{} operations wait", self.options.most_waiting)));
        }
        let (sender, answer) = oneshot::channel();
        if queue.send(Operation { task, answer: Some(sender) }).is_err() {
            return Err(away("closed".to_owned()));
        }
        match timeout(self.options.patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(away("closed".to_owned())),
            Err(_) => Err(away(format!("no answer for {} ms", self.options.patience.as_millis()))),
        }
    }

    /// Rows that a statement touched.
    pub(crate) async fn run(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, PoolError> {
        self.with_desk(async |client| client.execute(sql, parameters).await).await
    }

    pub(crate) async fn rows(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, PoolError> {
        self.with_desk(async |client| client.query(sql, parameters).await).await
    }

    async fn with_desk<T>(
        &self,
        act: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, PoolError> {
        let patience = self.options.patience;
        let mut desk = self.desk.lock().await;
        let client = match desk.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => connect(&self.server, patience).await?,
        };
        let outcome = timeout(patience, act(&client)).await.map_err(|_| too_slow(patience))?;
        *desk = Some(client);
        outcome.map_err(|error| told(&error))
    }
}

impl Pool for Postgres {
    async fn claim(&self, claim: &Claim) -> Result<Amount, PoolAway> {
        let place = Place::of(&claim.budget, claim.period_start);
        let action = Action::Claim { least: claim.least, want: claim.want };
        self.ask(Task { place, action }).await.map(Slice::take)
    }

    /// On record as soon as the database is there, also when this says that it is away.
    async fn give_back(&self, claim: &Claim, rest: Amount) -> Result<(), PoolAway> {
        if rest <= Amount::ZERO {
            return Ok(());
        }
        let place = Place::of(&claim.budget, claim.period_start);
        self.ask(Task { place, action: Action::GiveBack { rest } }).await.map(|_| ())
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("options", &self.options)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
