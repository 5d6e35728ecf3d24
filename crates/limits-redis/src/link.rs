//! The connection to Redis, and whether it can be used. Requests never wait for it to be made: one task makes it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value};
use tidegate_core::{Clock, Moment};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::counter::{double, doubles};
use crate::dial::Dial;
use crate::held::Held;
use crate::options::{OpenError, Options, Time};
use crate::script::{ADMIT, RENEW, SETTLE};

/// How long making a connection may take, with everything that belongs to it.
const CONNECT: Duration = Duration::from_secs(1);
/// Counters stay for so long after their window: enough for every correction that still counts.
const MARGIN_MS: u64 = 60_000;
/// The same where callers say the time, which Redis cannot follow.
const CALLERS_MARGIN_MS: u64 = 3_600_000;
/// Places that are renewed in one go: a script keeps all others waiting.
const RENEWED_AT_ONCE: usize = 500;

pub(crate) struct Link {
    pub(crate) dial: Dial,
    pub(crate) options: Options,
    pub(crate) held: Held,
    /// Different for each process, so that its permits are.
    replica: String,
    state: watch::Sender<State>,
    closing: AtomicBool,
    generation: AtomicU64,
    switches: AtomicU64,
    replicas: AtomicU32,
    /// The latest time that callers told, in milliseconds since 1970.
    heard: AtomicU64,
    /// Milliseconds since 1970 at `Moment(0)`.
    epoch: u64,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
pub(crate) enum State {
    Up(Up),
    Away(Down),
    /// Nobody will make a connection any more.
    Closed,
}

#[derive(Clone)]
pub(crate) struct Up {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) generation: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Down {
    /// Milliseconds since 1970.
    pub(crate) since: u64,
    pub(crate) reason: Arc<str>,
}

impl Link {
    /// Reads the address; connects to nothing.
    pub(crate) fn new(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        options.check()?;
        let dial = Dial::to(options.url.expose()).map_err(|problem| OpenError { field: "url", problem })?;
        let down = Down { since: clock.unix_ms(), reason: Arc::from("not connected yet") };
        let replicas = AtomicU32::new(options.replicas.get());
        let epoch = clock.unix_ms().saturating_sub(clock.now().0);
        Ok(Self {
            dial,
            options,
            held: Held::default(),
            replica: chance(),
            state: watch::Sender::new(State::Away(down)),
            closing: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            switches: AtomicU64::new(0),
            replicas,
            heard: AtomicU64::new(0),
            epoch,
            clock,
        })
    }

    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// How often Redis went away.
    pub(crate) fn switches(&self) -> u64 {
        self.switches.load(Ordering::Relaxed)
    }

    /// How many replicas Redis heard of lately.
    pub(crate) fn replicas(&self) -> u32 {
        self.replicas.load(Ordering::Relaxed)
    }

    /// The connection of this generation cannot be used. Says so once: those that notice later have nothing to add.
    pub(crate) fn fail(&self, generation: u64, reason: &str) {
        self.state.send_if_modified(|state| {
            if !matches!(state, State::Up(up) if up.generation == generation) {
                return false;
            }
            self.switches.fetch_add(1, Ordering::Relaxed);
            *state = if self.closing.load(Ordering::Relaxed) {
                State::Closed
            } else {
                State::Away(Down { since: self.clock.unix_ms(), reason: Arc::from(reason) })
            };
            true
        });
    }

    /// No new connection will be made.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.state.send_if_modified(|state| {
            let is_away = matches!(state, State::Away(_));
            if is_away {
                *state = State::Closed;
            }
            is_away
        });
    }

    /// Makes connections whenever there is none, until it is dropped.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut state = self.watch();
        while state.wait_for(|state| matches!(state, State::Away(_))).await.is_ok() {
            self.probe().await;
            tokio::time::sleep(self.options.probe).await;
        }
    }

    /// One attempt.
    pub(crate) async fn probe(&self) {
        let made = timeout(CONNECT, self.connect()).await;
        let outcome = match made {
            Ok(made) => made.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer for {} ms", CONNECT.as_millis())),
        };
        self.state.send_if_modified(|state| match (&mut *state, outcome) {
            (State::Away(_), Ok(up)) => {
                *state = State::Up(up);
                true
            }
            (State::Away(down), Err(reason)) => {
                down.reason = Arc::from(reason);
                false
            }
            _ => false,
        });
    }

    /// A connection that works: this replica could write, the scripts are there, and what is running is known there.
    async fn connect(&self) -> Result<Up, RedisError> {
        let mut connection = self.dial.connect().await?;
        let replicas = self.renew(&mut connection).await?;
        // Never fewer than before: a Redis that lost its data has not heard of the others yet, and who believes to be
        // alone takes the whole of every limit when it goes away again.
        self.replicas.fetch_max(replicas, Ordering::Relaxed);
        ADMIT.load(&mut connection).await?;
        SETTLE.load(&mut connection).await?;
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Up { connection, generation })
    }

    /// So many replicas live.
    pub(crate) fn heard_of(&self, replicas: u32) {
        self.replicas.store(replicas, Ordering::Relaxed);
    }

    /// Says that this replica and its requests live, and hears how many replicas do.
    pub(crate) async fn renew(&self, connection: &mut MultiplexedConnection) -> Result<u32, RedisError> {
        let mut heard_of = self.options.replicas.get();
        let (held, replicas) = (self.held.all(), self.key("replicas"));
        let figures: [u8; 24] = doubles([self.time(), self.lease(), self.margin()]);
        let mut chunks = held.chunks(RENEWED_AT_ONCE);
        loop {
            let chunk = chunks.next().unwrap_or_default();
            let count = chunk.len() + 1;
            let answer = RENEW.run(connection, count, |command| {
                command.arg(&replicas);
                chunk.iter().for_each(|(key, _)| _ = command.arg(key));
                command.arg(&figures).arg(&self.replica);
                chunk.iter().for_each(|(_, permit)| _ = command.arg(self.permit(*permit)));
            });
            if let Value::Int(count) = answer.await? {
                heard_of = heard_of.max(u32::try_from(count).unwrap_or(u32::MAX));
            }
            if chunks.len() == 0 {
                return Ok(heard_of);
            }
        }
    }

    /// Not a counter's: these have a hash there.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{{{}}}:{name}", self.options.prefix)
    }

    /// A permit as Redis knows it.
    pub(crate) fn permit(&self, number: u64) -> String {
        format!("{}.{number}", self.replica)
    }

    pub(crate) fn hear(&self, now: Moment) {
        if self.options.time == Time::Callers {
            self.heard.fetch_max(now.0.saturating_add(self.epoch).min(1 << 52), Ordering::Relaxed);
        }
    }

    /// For the scripts: -1 is the server's.
    pub(crate) fn time(&self) -> f64 {
        match self.options.time {
            Time::Server => -1.0,
            Time::Callers => double(self.heard.load(Ordering::Relaxed)),
        }
    }

    pub(crate) fn lease(&self) -> f64 {
        double(u64::try_from(self.options.lease.as_millis()).unwrap_or(0))
    }

    pub(crate) fn margin(&self) -> f64 {
        double(if self.options.time == Time::Server { MARGIN_MS } else { CALLERS_MARGIN_MS })
    }

    /// A time of the server on the clock of this process.
    pub(crate) fn moment(&self, unix_ms: u64) -> Moment {
        Moment(unix_ms.saturating_sub(self.epoch))
    }
}

/// Eleven letters that no other process has.
fn chance() -> String {
    use std::hash::BuildHasher;

    use base64::Engine;
    let number = std::collections::hash_map::RandomState::new().hash_one(std::process::id());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(number.to_le_bytes())
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("options", &self.options).finish_non_exhaustive()
    }
}
