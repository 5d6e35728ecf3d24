//! What an upstream was asked, and the two paths under which it tells.

use crate::seen::Seen;
use crate::traffic::Traffic;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

/// How many requests are kept: the latest.
const LENGTH: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: Mutex<VecDeque<Seen>>,
    pub(crate) traffic: Traffic,
}

/// A request to the upstream itself rather than to what it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// `GET /__calls`
    Report,
    /// `POST /__reset`
    Reset,
}

impl Control {
    pub(crate) fn of(method: &str, path: &str) -> Option<Self> {
        match (method, path) {
            ("GET", "/__calls") => Some(Self::Report),
            ("POST", "/__reset") => Some(Self::Reset),
            _ => None,
        }
    }
}

impl Log {
    pub(crate) fn note(&self, seen: Seen) {
        let mut requests = self.requests.lock().unwrap();
        if requests.len() == LENGTH {
            requests.pop_front();
        }
        requests.push_back(seen);
    }

    /// Oldest first.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.requests.lock().unwrap().iter().cloned().collect()
    }

    /// `{"total", "ids": {id: calls}, "traffic": {..}, "requests": [{method, url, headers, body}]}`
    pub(crate) fn report(&self, ids: &BTreeMap<String, u64>) -> Value {
        let requests: Vec<_> = self.requests.lock().unwrap().iter().map(Seen::echo).collect();
        let counts = self.traffic.now();
        json!({"total": counts.requests, "ids": ids, "traffic": counts, "requests": requests})
    }

    pub(crate) fn reset(&self) {
        self.requests.lock().unwrap().clear();
        self.traffic.reset();
    }
}
