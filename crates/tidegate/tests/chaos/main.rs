//! Money, limits and records while processes are killed and servers go away: the binary over real sockets, sixty-four
//! clients, and an upstream that keeps its own count of what it served.
//!
//! What is held true here has no exception for bad moments: nobody spends more than the budget, no window lets one too many
//! through, the books balance and agree with the upstream. How much of a budget a crash leaves unusable is printed.
//!
//! `TIDEGATE_CHAOS=full` runs the long forms: five real minutes of limits, two hundred kills, a dollar in small questions.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]
#![expect(clippy::print_stdout, reason = "what is measured is printed")]

mod away;
mod books;
mod budgets;
mod changes;
mod crowd;
mod fleet;
mod killed;
mod kills;
mod node;
mod recorded;
#[expect(dead_code, reason = "the other suite uses all of it")]
#[path = "../tenant.rs"]
mod tenant;
mod thresholds;
mod till;
mod watch;
mod windows;

/// Whether the long forms run.
fn is_full() -> bool {
    std::env::var_os("TIDEGATE_CHAOS").is_some_and(|value| value == "full")
}
