//! Notices on their way: from a ledger to a webhook and a mail server, over real sockets.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test says what is wrong by failing")]

mod courier;
mod ledger;
mod mail;
mod options;
mod smtp;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use tidegate_core::{Clock, Moment};
use tidegate_notify::{Counts, Notifier, Options, Retry};
use tidegate_upstream::{AddressPolicy, Egress, EgressSettings};

/// Long, because only a broken test gets there.
const PATIENCE: Duration = Duration::from_secs(120);

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Moment {
        Moment(0)
    }

    fn unix_ms(&self) -> u64 {
        1_795_261_936_966
    }
}

/// Tries again at once.
fn eager(attempts: u32) -> Retry {
    let soon = Duration::from_millis(1);
    Retry { attempts, first_wait: soon, longest_wait: soon, timeout: PATIENCE }
}

fn start(options: &Options) -> Notifier {
    let egress = |allow_private| {
        let policy = AddressPolicy { allow_private, ..AddressPolicy::default() };
        Egress::new(EgressSettings { policy, ..EgressSettings::default() }).unwrap()
    };
    let clock: Arc<dyn Clock> = Arc::new(Fixed);
    Notifier::start(options, &egress(true), &clock).unwrap()
}

/// Waits until everything is delivered, and says what became of it.
async fn closed(notifier: Notifier) -> Vec<Counts> {
    notifier.close(PATIENCE).await;
    notifier.counts()
}
