//! When an alert rule fires, and whether a provider is down. No clock, no I/O: whoever looks at the records says what there
//! is and what time it is.
//!
//! [`RuleText`] is what people write, [`Rule`] what it means. [`Rule::judge`] makes a [`Finding`] of a figure, and
//! [`Standing::step`] goes from one look to the next: a group of requests (or a provider) is quiet, *pending* while the rule
//! waits out its `for_seconds`, *firing* until it is well again, and each change is an [`Event`], told once. [`outage`] does the
//! same sums for providers, from their own faults only. [`Channel`] is who is told.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod channel;
mod condition;
mod event;
mod notice;
pub mod outage;
mod rule;
mod standing;
#[cfg(test)]
mod tests;

pub use channel::{Channel, Hidden, Way};
pub use condition::{Before, Condition, ConditionText, ConditionType, Direction};
pub use event::{Event, Told, What};
pub use notice::{About, Notice};
pub use rule::{Figure, Rule, RuleKind, RuleText, Watch};
pub use standing::{Finding, Group, Phase, Standing, Verdict};
