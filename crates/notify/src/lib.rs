//! Notices to people and programs outside: a budget reached a threshold, a budget is used up, an alert rule fires.
//!
//! Budgets tell the channels of the settings: [`Notifier`]. Alert rules tell channels of their own: [`Courier`].
//!
//! [`Notifier::notify`] never waits: a notice goes into the bounded queue of each channel (a webhook, mail), and a task
//! for each channel delivers it, with retries. What does not fit is dropped and counted, as is what no attempt delivered;
//! [`Notifier::counts`] has the sums and the last reason.
//!
//! Webhooks go out through [`tidegate_upstream::Egress`], so their addresses are judged like those of providers: private
//! ones are refused unless the operator allows them. They are signed as the Standard Webhooks specification says. The
//! mail server is one that the operator names; it may be anywhere, as the database may.
//!
//! # How often
//!
//! The ledger's journal knows which thresholds were reached in a period and which were handed over, so there is one
//! notice for each, over restarts too, and one more at most after a crash at that very moment: it has the same
//! [`Notice::id`], by which receivers can tell. From the hand-over on a notice is in memory only: one that still waits
//! when the process is killed is lost, so [`Notifier::close`] is given some seconds at an orderly end.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod channel;
mod counts;
mod courier;
mod mail;
mod message;
mod notice;
mod notifier;
mod options;
mod payload;
mod retry;
mod rule;
mod signature;
mod text;
mod webhook;

pub use counts::Counts;
pub use courier::Courier;
pub use notice::{BudgetEvent, Event, Holder, Notice};
pub use notifier::Notifier;
pub use options::{Form, Mail, Options, Security, Webhook};
pub use retry::Retry;
pub use signature::{sign, verify};
