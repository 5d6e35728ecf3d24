//! Does operations one after the other, each until it is known what became of it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_ledger::{Amount, PoolAway};
use tidegate_postgres::Server;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::operation::{Action, Operation, Slice};
use crate::options::Options;
use crate::session::{Failure, Session, too_slow};

/// What a line shares with those who ask it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Why the database is away, if it is.
    away: Mutex<Option<String>>,
    pub(crate) waiting: AtomicUsize,
    /// Operations that were done again because nobody knew.
    pub(crate) again: AtomicU64,
}

impl State {
    pub(crate) fn away(&self) -> Option<String> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_away(&self, reason: Option<String>) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

pub(crate) struct Line {
    /// Different for each line of each process.
    name: String,
    /// Of the operation that is done now.
    number: i64,
    server: Server,
    options: Arc<Options>,
    state: Arc<State>,
    session: Option<Session>,
    own: mpsc::WeakUnboundedSender<Operation>,
}

impl Line {
    pub(crate) fn new(
        server: Server,
        options: Arc<Options>,
        state: Arc<State>,
        own: mpsc::WeakUnboundedSender<Operation>,
    ) -> Self {
        Self { name: Uuid::new_v4().to_string(), number: 0, server, options, state, session: None, own }
    }

    /// Until nobody can ask any more.
    pub(crate) async fn work(mut self, mut queue: mpsc::UnboundedReceiver<Operation>) {
        while let Some(operation) = queue.recv().await {
            let is_counted = operation.answer.is_some();
            self.finish(operation).await;
            self.state.waiting.fetch_sub(usize::from(is_counted), Ordering::Relaxed);
            // While it is away callers are told so at once: somebody must look whether it is back.
            while self.state.away().is_some() && !queue.is_closed() {
                sleep(self.options.pause).await;
                self.connect().await;
            }
        }
    }

    async fn finish(&mut self, operation: Operation) {
        let mut sent = false;
        self.number += 1;
        let outcome = loop {
            if !sent && operation.is_idle() {
                return;
            }
            self.connect().await;
            if self.session.is_some() {
                self.state.again.fetch_add(u64::from(sent), Ordering::Relaxed);
                sent = true;
                match self.attempt(&operation).await {
                    Ok(amount) => break Ok(amount),
                    Err(Failure::Refused(reason)) => break Err(PoolAway { reason }),
                    Err(Failure::Unknown(reason)) => {
                        self.session = None;
                        self.state.set_away(Some(reason));
                    }
                }
            }
            sleep(self.options.pause).await;
        };
        let is_claim = matches!(operation.task.action, Action::Claim { .. });
        let slice = outcome.map(|amount| {
            let slice = if is_claim { amount } else { Amount::ZERO };
            Slice::new(slice, operation.task.place, self.own.clone())
        });
        if let Some(answer) = operation.answer {
            // Who asked may have gone: then the slice goes back.
            drop(answer.send(slice));
        }
    }

    async fn attempt(&self, operation: &Operation) -> Result<Amount, Failure> {
        let Some(session) = &self.session else { return Err(Failure::Unknown("no connection".to_owned())) };
        let run = session.run(&self.name, self.number, &self.options.holder, &operation.task);
        match timeout(self.options.patience, run).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Unknown(too_slow(self.options.patience).to_string())),
        }
    }

    /// Makes a connection if there is none that works.
    async fn connect(&mut self) {
        if self.session.as_ref().is_some_and(|session| !session.client.is_closed()) {
            return;
        }
        match Session::open(&self.server, self.options.patience).await {
            Ok(session) => {
                self.session = Some(session);
                self.state.set_away(None);
            }
            Err(error) => {
                self.session = None;
                self.state.set_away(Some(error.to_string()));
            }
        }
    }
}
