//! Counters in Redis, as a store.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::{RedisError, Value};
use tidegate_core::{Clock, Moment};
use tidegate_limits::store::{Admission, Away, Denial, End, Store};
use tidegate_limits::{Demand, Standing, Unit};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::answer::Answer;
use crate::counter::{Counter, counters, doubles};
use crate::link::{Link, State, Up};
use crate::options::{OpenError, Options};
use crate::script::ADMIT;
use crate::settle::{Counts, Job, Settlement, work};

/// A [`Store`] whose counters are in Redis. While Redis is away every demand is denied with
/// [`Denial::Away`], at once.
#[derive(Debug)]
pub struct Redis {
    inner: Arc<Inner>,
}

/// What a request was charged, and where.
#[derive(Debug)]
pub struct RedisReceipt {
    permit: u64,
    /// Milliseconds since 1970 on the server.
    at: u64,
    tokens: u64,
    counters: Vec<Counter>,
}

/// For metrics. Numbers count since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisStats {
    /// Since when it is away, in milliseconds since 1970, and why: for the operator.
    pub away: Option<(u64, String)>,
    /// How often it went away.
    pub switches: u64,
    /// Replicas that Redis heard of lately, this one among them.
    pub replicas: u32,
    /// Settlements that wait.
    pub waiting: usize,
    /// Settlements that did not fit into the queue, or were left at the end.
    pub lost: u64,
    /// Settlements that were sent and not answered.
    pub unsure: u64,
    /// Admissions that were taken back because their answer came too late.
    pub late: u64,
}

struct Inner {
    link: Arc<Link>,
    queue: mpsc::Sender<Job>,
    counts: Arc<Counts>,
    permits: AtomicU64,
    late: AtomicU64,
    runtime: Handle,
    keeper: JoinHandle<()>,
}

impl Redis {
    /// Tries to connect once, and goes on trying in the background: a gateway starts also while Redis is away.
    ///
    /// # Errors
    /// Options that cannot be used.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let link = Arc::new(Link::new(options, clock)?);
        link.probe().await;
        let (queue, jobs) = mpsc::channel(link.options.queue);
        let counts = Arc::new(Counts::default());
        let runtime = Handle::current();
        runtime.spawn(work(Arc::clone(&link), Arc::clone(&counts), jobs));
        let keeper = runtime.spawn(Arc::clone(&link).keep());
        let (permits, late) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { inner: Arc::new(Inner { link, queue, counts, permits, late, runtime, keeper }) })
    }

    pub fn is_away(&self) -> bool {
        !matches!(self.inner.link.state(), State::Up(_))
    }

    pub fn stats(&self) -> RedisStats {
        let inner = &self.inner;
        let away = match inner.link.state() {
            State::Up(_) => None,
            State::Away(down) => Some((down.since, down.reason.to_string())),
            State::Closed => Some((0, "closed".to_owned())),
        };
        RedisStats {
            away,
            switches: inner.link.switches(),
            replicas: inner.link.replicas(),
            waiting: inner.queue.max_capacity() - inner.queue.capacity(),
            lost: inner.counts.lost.load(Ordering::Relaxed),
            unsure: inner.counts.unsure.load(Ordering::Relaxed),
            late: inner.late.load(Ordering::Relaxed),
        }
    }

    /// Completes when everything that was settled before is in Redis, or known to be lost. While Redis is away it
    /// waits; for a stop, with a time of its own.
    pub async fn flush(&self) {
        self.ask(Job::Flush).await;
    }

    /// Renews the leases of this replica's requests now, and hears how many replicas there are.
    pub async fn renew(&self) {
        self.ask(Job::Renew).await;
    }

    /// Completes when Redis is there.
    pub async fn ready(&self) {
        let mut state = self.inner.link.watch();
        // It cannot end: this holds the sender.
        let _ = state.wait_for(|state| matches!(state, State::Up(_))).await;
    }

    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.inner.link
    }

    async fn ask(&self, job: impl FnOnce(oneshot::Sender<()>) -> Job) {
        let (done, answer) = oneshot::channel();
        if self.inner.queue.send(job(done)).await.is_ok() {
            let _ = answer.await;
        }
    }
}

impl Store for Redis {
    type Receipt = RedisReceipt;

    async fn admit(&self, demand: &Demand<'_>, now: Moment) -> Result<Admission<RedisReceipt>, Denial> {
        let link = &self.inner.link;
        link.hear(now);
        let counters = counters(&link.options.prefix, demand);
        let permit = self.inner.permits.fetch_add(1, Ordering::Relaxed);
        let tokens = demand.tokens.min(Demand::MAX_TOKENS);
        if counters.is_empty() {
            let receipt = RedisReceipt { permit, at: 0, tokens, counters };
            return Ok(Admission { receipt, standing: Standing::default(), at: now });
        }
        let up = match link.state() {
            State::Up(up) => up,
            State::Away(down) => return Err(away(&down.reason)),
            State::Closed => return Err(away("closed")),
        };
        let generation = up.generation;
        let call = Box::pin(ask(Arc::clone(link), up, permit, tokens, counters));
        let mut asking = Asking { call: Some(call), inner: Arc::clone(&self.inner) };
        let Ok(asked) = timeout(link.options.timeout, asking.answer()).await else {
            let reason = format!("no answer for {} ms", link.options.timeout.as_millis());
            link.fail(generation, &reason);
            return Err(away(&reason));
        };
        let Asked { receipt, answer } = asked;
        let answer = answer.map_err(|error| {
            let reason = error.to_string();
            link.fail(generation, &reason);
            away(&reason)
        })?;
        let standing = answer.judge(demand, &receipt.counters).map_err(Denial::Refused)?;
        Ok(Admission { at: link.moment(receipt.at), receipt, standing })
    }

    fn settle(&self, receipt: RedisReceipt, end: End, now: Option<Moment>) {
        now.into_iter().for_each(|now| self.inner.link.hear(now));
        self.inner.settle(&receipt, end);
    }
}

impl Inner {
    fn settle(&self, receipt: &RedisReceipt, end: End) {
        let mut corrections = Vec::new();
        for counter in &receipt.counters {
            let from = counter.need(receipt.tokens);
            let to = match (end, counter.rule.unit()) {
                (End::Used(tokens), Unit::Tokens) => tokens.min(Demand::MAX_TOKENS),
                (End::Used(_), Unit::Requests) => from,
                (End::Used(_), Unit::Concurrency) | (End::Cancelled, _) => 0,
            };
            if from != to {
                corrections.push((counter.key.clone(), counter.corrected(from, to)));
            }
        }
        if receipt.counters.iter().any(Counter::is_held) {
            // From here on nobody renews it, so it runs out even if the settlement is lost.
            self.link.held.remove(receipt.permit);
        }
        if corrections.is_empty() {
            return;
        }
        let settlement = Settlement { permit: receipt.permit, at: receipt.at, corrections };
        if self.queue.try_send(Job::Settle(settlement)).is_err() {
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.keeper.abort();
        self.link.close();
    }
}

/// An answer, and the receipt if it is a yes.
struct Asked {
    receipt: RedisReceipt,
    answer: Result<Answer, RedisError>,
}

/// One round trip. Owns everything, because it may outlive the request.
async fn ask(link: Arc<Link>, mut up: Up, permit: u64, tokens: u64, counters: Vec<Counter>) -> Asked {
    let figures: [u8; 24] = doubles([link.time(), link.lease(), link.margin()]);
    let value = ADMIT.run(&mut up.connection, counters.len(), |command| {
        counters.iter().for_each(|counter| _ = command.arg(&counter.key));
        command.arg(&figures).arg(link.permit(permit));
        counters.iter().for_each(|counter| _ = command.arg(&counter.asked(tokens)));
    });
    let answer = value.await.and_then(|value: Value| {
        let odd = (redis::ErrorKind::UnexpectedReturnType, "the script answered something else");
        Answer::read(&value, counters.len()).ok_or_else(|| odd.into())
    });
    let at = answer.as_ref().map_or(0, |answer| answer.at);
    if answer.as_ref().is_ok_and(Answer::is_admitted) {
        let held = counters.iter().filter(|counter| counter.is_held());
        let keys: Box<[String]> = held.map(|counter| counter.key.clone()).collect();
        if !keys.is_empty() {
            link.held.add(permit, keys);
        }
    }
    Asked { receipt: RedisReceipt { permit, at, tokens, counters }, answer }
}

type Call = Pin<Box<dyn Future<Output = Asked> + Send>>;

/// A question that is asked to its end, whatever becomes of the request: when it turns out to have been answered with
/// yes, that is taken back.
struct Asking {
    call: Option<Call>,
    inner: Arc<Inner>,
}

impl Asking {
    async fn answer(&mut self) -> Asked {
        let asked = match &mut self.call {
            Some(call) => call.await,
            None => std::future::pending().await,
        };
        self.call = None;
        asked
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        let inner = Arc::clone(&self.inner);
        self.inner.runtime.spawn(async move {
            let patience = inner.link.options.lease;
            if let Ok(Asked { receipt, answer: Ok(answer) }) = timeout(patience, call).await
                && answer.is_admitted()
            {
                inner.late.fetch_add(1, Ordering::Relaxed);
                inner.settle(&receipt, End::Cancelled);
            }
        });
    }
}

fn away(reason: &str) -> Denial {
    Denial::Away(Away { reason: reason.to_owned() })
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("link", &self.link).finish_non_exhaustive()
    }
}
