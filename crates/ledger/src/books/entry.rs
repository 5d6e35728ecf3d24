//! What is written down: each entry moves amounts between two accounts, so that nothing comes from nowhere.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::budget::Budget;

/// Where the money of one budget lies in one period. The six balances of a period add up to zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Where budgets come from: minus what was granted.
    Granted,
    /// For anybody. Below zero after a request that cost more than its ceiling, and after a budget was lowered.
    Free,
    /// Set aside for requests that may still be running.
    Reserved,
    /// Spent.
    Settled,
    /// What a crash left open: as good as spent, until somebody resolves it.
    Held,
    /// Set aside for requests that go out before their entry is on disk.
    Ahead,
}

/// From one account to another. Both belong to the same budget and period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    #[serde(rename = "b")]
    pub budget: u32,
    #[serde(rename = "p")]
    pub period: u32,
    #[serde(rename = "f")]
    pub from: Account,
    #[serde(rename = "t")]
    pub to: Account,
    /// Above zero.
    #[serde(rename = "a")]
    pub amount: Amount,
}

/// One line of the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Counts from 1 without gaps.
    pub seq: u64,
    /// Milliseconds since 1970-01-01 UTC. Never before the entry above.
    pub at: u64,
    pub what: What,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
}

/// Why something moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A process took the books over.
    Start,
    /// A budget is new, or has a new amount or new thresholds.
    Budget { id: u32, budget: Box<Budget> },
    /// A budget is no more. Its open reservations end where they began.
    Remove { id: u32 },
    /// A period begins; milliseconds since 1970 UTC.
    Period { budget: u32, period: u32, start: u64, end: u64 },
    /// A period is over, and so are all its reservations.
    Close { budget: u32, period: u32 },
    /// A slice of a budget that several processes share came to this one, or went back.
    Slice { budget: u32, period: u32 },
    /// What may go out ahead of the disk became more or less.
    Ahead { budget: u32, period: u32 },
    Reserve {
        id: u64,
        request: Box<str>,
        trace: Box<str>,
        /// Sent without a price, so its cost was not reserved.
        #[serde(default, skip_serializing_if = "is_false")]
        unpriced: bool,
    },
    /// A reservation ended.
    Settle {
        id: u64,
        how: How,
        /// The figure is the gateway's own count.
        #[serde(default, skip_serializing_if = "is_false")]
        estimated: bool,
        /// Nobody knows the cost. What was reserved for it counts.
        #[serde(default, skip_serializing_if = "is_false")]
        unpriced: bool,
    },
    /// A reservation that a crash left open is held.
    Hold { id: u64 },
    /// What may have gone out ahead of the disk before a crash is held, under an id of its own.
    Doubt { id: u64 },
    /// Something that was held is settled or given back.
    Resolve { id: u64 },
    /// Usage reached a threshold for the first time in a period.
    Alert { budget: u32, period: u32, mark: Amount },
    /// The event of a threshold was handed over.
    Handed { budget: u32, period: u32, mark: Amount },
}

/// How a request ended, as far as the books care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Success,
    Error,
    Disconnect,
    Panic,
    /// The reservation was dropped without a word.
    Dropped,
    /// It never went out.
    Cancelled,
    /// Found open after a crash, and ended by the policy of the start-up.
    Crash,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
