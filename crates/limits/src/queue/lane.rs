//! The items of one key, in their order of arrival.

use std::collections::VecDeque;

use tidegate_core::Moment;

#[derive(Debug)]
pub(super) struct Lane<T> {
    waiting: VecDeque<Waiting<T>>,
    /// Sum over `waiting`.
    tokens: u64,
    /// Where in virtual time the last item that was served ends.
    pub(super) ends: u64,
    pub(super) stand: Stand,
    /// The last item that came in, which tells resting lanes with the same end apart.
    latest: u64,
}

/// Where a lane stands: under which key of which map.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stand {
    #[default]
    Nowhere,
    Head((u64, u64)),
    Resting((u64, u64)),
}

#[derive(Debug)]
pub(super) struct Waiting<T> {
    pub(super) sequence: u64,
    pub(super) tokens: u64,
    pub(super) since: Moment,
    pub(super) deadline: Moment,
    pub(super) item: T,
}

impl<T> Lane<T> {
    pub(super) fn push(&mut self, waiting: Waiting<T>) {
        self.tokens = self.tokens.saturating_add(waiting.tokens);
        self.latest = waiting.sequence;
        self.waiting.push_back(waiting);
    }

    pub(super) fn take(&mut self, sequence: u64) -> Option<Waiting<T>> {
        let i = self.waiting.binary_search_by_key(&sequence, |waiting| waiting.sequence).ok()?;
        let waiting = self.waiting.remove(i)?;
        self.tokens = self.tokens.saturating_sub(waiting.tokens);
        Some(waiting)
    }

    pub(super) fn first(&self) -> Option<&Waiting<T>> {
        self.waiting.front()
    }

    pub(super) fn last(&self) -> Option<&Waiting<T>> {
        self.waiting.back()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Where in virtual time the first item starts.
    pub(super) fn start(&self) -> Option<u64> {
        match self.stand {
            Stand::Head((start, _)) => Some(start),
            Stand::Resting(_) | Stand::Nowhere => None,
        }
    }

    pub(super) fn resting_at(&self) -> (u64, u64) {
        (self.ends, self.latest)
    }
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), tokens: 0, ends: 0, stand: Stand::Nowhere, latest: 0 }
    }
}
