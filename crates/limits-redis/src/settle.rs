//! What is told to Redis without waiting for it: settlements, and that this replica lives.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use redis::RedisError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use crate::counter::{SPEC, double, doubles};
use crate::link::{Link, State, Up};
use crate::script::SETTLE;

/// Settlements that are sent together.
const AT_ONCE: usize = 64;
/// From the start to the first renewal; each pause is twice the one before, up to a third of a lease.
const SOON: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) enum Job {
    Settle(Settlement),
    /// Answers when everything before it is done.
    Flush(oneshot::Sender<()>),
    /// Renews now.
    Renew(oneshot::Sender<()>),
}

#[derive(Debug)]
pub(crate) struct Settlement {
    pub(crate) permit: u64,
    /// When it was charged, in milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) corrections: Vec<(String, [u8; SPEC])>,
}

/// Counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Did not fit into the queue, or were left when everything ended.
    pub(crate) lost: AtomicU64,
    /// Sent, and nobody knows whether they arrived.
    pub(crate) unsure: AtomicU64,
}

/// Works until the queue is closed and empty.
pub(crate) async fn work(link: Arc<Link>, counts: Arc<Counts>, mut queue: mpsc::Receiver<Job>) {
    let third = link.options.lease / 3;
    // The connection began with a renewal. The first ones after it come sooner than leases need them: replicas that start
    // together hear of each other by them.
    let mut pause = SOON.min(third);
    let mut beat = pin!(sleep(pause));
    let mut jobs = Vec::with_capacity(AT_ONCE);
    loop {
        tokio::select! {
            biased;
            () = &mut beat => {
                renew(&link).await;
                pause = (pause * 2).min(third);
                beat.as_mut().reset(Instant::now() + pause);
            }
            count = queue.recv_many(&mut jobs, AT_ONCE) => {
                if count == 0 {
                    return;
                }
                handle(&link, &counts, &mut jobs).await;
            }
        }
    }
}

/// In order: what is asked for comes after what was queued before it.
async fn handle(link: &Link, counts: &Counts, jobs: &mut Vec<Job>) {
    let mut settlements = Vec::with_capacity(jobs.len());
    for job in jobs.drain(..) {
        match job {
            Job::Settle(settlement) => settlements.push(settlement),
            Job::Flush(done) => {
                settle(link, counts, &mut settlements).await;
                // Who asked may have gone.
                let _ = done.send(());
            }
            Job::Renew(done) => {
                settle(link, counts, &mut settlements).await;
                renew(link).await;
                let _ = done.send(());
            }
        }
    }
    settle(link, counts, &mut settlements).await;
}

/// Waits for Redis to be there, then sends each once: twice would give tokens back twice.
async fn settle(link: &Link, counts: &Counts, settlements: &mut Vec<Settlement>) {
    if settlements.is_empty() {
        return;
    }
    let settlements = std::mem::take(settlements);
    let count = settlements.len() as u64;
    let mut state = link.watch();
    let state = state.wait_for(|state| !matches!(state, State::Away(_))).await.map(|state| state.clone());
    let Ok(State::Up(up)) = state else {
        counts.lost.fetch_add(count, Ordering::Relaxed);
        return;
    };
    let all = join_all(settlements.iter().map(|settlement| send(link, &up, settlement)));
    let outcomes = match timeout(link.options.lease / 3, all).await {
        Ok(outcomes) => outcomes,
        Err(_) => {
            counts.unsure.fetch_add(count, Ordering::Relaxed);
            link.fail(up.generation, "settlements are not answered");
            return;
        }
    };
    for error in outcomes.into_iter().filter_map(Result::err) {
        counts.unsure.fetch_add(1, Ordering::Relaxed);
        link.fail(up.generation, &error.to_string());
    }
}

async fn send(link: &Link, up: &Up, settlement: &Settlement) -> Result<(), RedisError> {
    let figures: [u8; 24] = doubles([link.time(), double(settlement.at), link.margin()]);
    let mut connection = up.connection.clone();
    let answer = SETTLE.run(&mut connection, settlement.corrections.len(), |command| {
        settlement.corrections.iter().for_each(|(key, _)| _ = command.arg(key));
        command.arg(&figures).arg(link.permit(settlement.permit));
        settlement.corrections.iter().for_each(|(_, spec)| _ = command.arg(spec));
    });
    answer.await.map(|_| ())
}

/// While Redis is away there is nothing to renew: a new connection begins with it.
async fn renew(link: &Link) {
    let State::Up(up) = link.state() else { return };
    let mut connection = up.connection;
    let reason = match timeout(link.options.lease / 3, link.renew(&mut connection)).await {
        Ok(Ok(replicas)) => return link.heard_of(replicas),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a renewal is not answered".to_owned(),
    };
    link.fail(up.generation, &reason);
}
