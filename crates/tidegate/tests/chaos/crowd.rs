//! Sixty-four clients that ask again and again, whatever happens to them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_core::id;
use tidegate_testkit::Server;
use tidegate_testkit::client;
use tokio::task::JoinSet;

use crate::till::{LONGEST, QUESTION, Till};

pub const CLIENTS: usize = 64;
/// Only a broken build waits this long: fifty thousand questions take minutes on a machine that has other things to do.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// Between two questions of a client that was told no.
const BREATH: Duration = Duration::from_millis(20);

/// What became of all questions so far.
#[derive(Debug, Default)]
pub struct Tally {
    pub served: AtomicU64,
    /// Refusals since the last answer.
    pub refused_in_a_row: AtomicU64,
    /// No answer, or none to its end.
    pub broken: AtomicU64,
    /// Answers by status.
    pub statuses: Mutex<BTreeMap<u16, u64>>,
    /// What was received whole.
    pub answers: Mutex<Vec<Answered>>,
}

/// One good answer.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The trace id that the client sent.
    pub trace: String,
    pub asked: Instant,
    pub received: Instant,
    /// `x-ratelimit-remaining-requests`
    pub left: Option<u64>,
}

/// Asks until it is stopped.
pub struct Crowd {
    pub tally: Arc<Tally>,
    stopping: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Crowd {
    /// Clients are spread over `addresses`, and ask [`question`].
    pub fn start(addresses: &[String], key: &str) -> Self {
        Self::asking(&question(), addresses, key)
    }

    /// Another question.
    pub fn asking(question: &Value, addresses: &[String], key: &str) -> Self {
        let body = Bytes::from(question.to_string());
        let (tally, stopping) = (Arc::<Tally>::default(), Arc::<AtomicBool>::default());
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let url = format!("http://{}/v1/chat/completions", addresses[client % addresses.len()]);
            let bearer = format!("Bearer {key}");
            clients.spawn(ask_on(body.clone(), url, bearer, tally.clone(), stopping.clone()));
        }
        Self { tally, stopping, clients }
    }

    /// Every client has heard the end of its last question.
    pub async fn stop(mut self) -> Arc<Tally> {
        self.stopping.store(true, Ordering::SeqCst);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        self.tally
    }
}

impl Tally {
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::SeqCst)
    }

    pub fn of(&self, status: u16) -> u64 {
        self.statuses.lock().unwrap().get(&status).copied().unwrap_or(0)
    }

    /// Returns once everybody is refused and nobody is being served: the budget is used up.
    pub async fn wait_until_used_up(&self, upstream: &Server<Till>) {
        let started = Instant::now();
        loop {
            self.refused_in_a_row.store(0, Ordering::SeqCst);
            while self.refused_in_a_row.load(Ordering::SeqCst) < 4 * CLIENTS as u64 {
                assert!(started.elapsed() < PATIENCE, "never used up: {self:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // Answers that were on their way while the others were refused give something back.
            if upstream.traffic().now().in_flight == 0 {
                let served = self.served();
                self.refused_in_a_row.store(0, Ordering::SeqCst);
                while self.refused_in_a_row.load(Ordering::SeqCst) < 4 * CLIENTS as u64 {
                    assert!(started.elapsed() < PATIENCE, "never used up: {self:?}");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                if served == self.served() {
                    return;
                }
            }
        }
    }

    pub async fn wait_for(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < PATIENCE, "{what} never: {:?}", self.statuses);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// A request that costs at most 0.0006 USD or so.
pub fn question() -> Value {
    let message = json!({"role": "user", "content": "High water?"});
    json!({"model": "gpt-4o", "max_tokens": LONGEST, "messages": [message]})
}

/// A small question to a small model, which costs at most 0.00006 USD or so.
pub fn small_question() -> Value {
    let message = json!({"role": "user", "content": "High water?"});
    json!({"model": "gpt-4.1-mini", "max_tokens": 16, "messages": [message]})
}

async fn ask_on(body: Bytes, url: String, bearer: String, tally: Arc<Tally>, stopping: Arc<AtomicBool>) {
    while !stopping.load(Ordering::SeqCst) {
        let trace = id::random("t-", 20);
        let asked = Instant::now();
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("x-portkey-trace-id", trace.as_str()),
            // So that the upstream knows whose cost it counts.
            ("x-portkey-forward-headers", QUESTION),
            (QUESTION, trace.as_str()),
        ];
        let opened = client::open("POST", &url, &headers, body.clone()).await;
        let answer = match opened {
            Ok(opened) => opened.finish().await,
            Err(_) => {
                tally.broken.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        if answer.broken.is_some() {
            tally.broken.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        *tally.statuses.lock().unwrap().entry(answer.status).or_default() += 1;
        if answer.status == 200 {
            let left = answer.header("x-ratelimit-remaining-requests").and_then(|left| left.parse().ok());
            tally.refused_in_a_row.store(0, Ordering::SeqCst);
            tally.served.fetch_add(1, Ordering::SeqCst);
            tally.answers.lock().unwrap().push(Answered { trace, asked, received: Instant::now(), left });
        } else {
            tally.refused_in_a_row.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(BREATH).await;
        }
    }
}
