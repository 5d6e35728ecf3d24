//! A channel's task: takes notices from its queue and tries each until it is delivered, or no more.

use std::sync::Arc;
use std::time::Duration;

use lettre::Address;
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout};

use crate::counts::Tally;
use crate::mail::Mailer;
use crate::notice::Notice;
use crate::retry::Retry;
use crate::webhook::Hook;

/// One delivery.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) notice: Arc<Notice>,
    /// Mail goes to each recipient by itself: one that is refused keeps it from nobody else.
    pub(crate) to: Option<Address>,
}

/// Why an attempt failed. The texts show no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It may pass: a server that is away, or busy.
    Passing { reason: String, after: Option<Duration> },
    /// Trying again would be no different.
    Lasting { reason: String },
}

pub(crate) enum Channel {
    Webhook(Hook),
    Mail(Mailer),
}

impl Channel {
    async fn deliver(&self, job: &Job) -> Result<(), Trouble> {
        match (self, &job.to) {
            (Self::Webhook(hook), _) => hook.deliver(&job.notice).await,
            (Self::Mail(mailer), Some(to)) => mailer.deliver(&job.notice, to).await,
            (Self::Mail(_), None) => Err(Trouble::Lasting { reason: "nobody to write to".to_owned() }),
        }
    }

    /// Until the queue is closed and empty.
    pub(crate) async fn run(self, mut queue: Receiver<Job>, retry: Retry, tally: Arc<Tally>) {
        while let Some(job) = queue.recv().await {
            self.try_all(&job, retry, &tally).await;
        }
    }

    async fn try_all(&self, job: &Job, retry: Retry, tally: &Tally) {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let delivered = timeout(retry.timeout, self.deliver(job)).await.unwrap_or_else(|_| {
                let reason = format!("no answer within {} ms", retry.timeout.as_millis());
                Err(Trouble::Passing { reason, after: None })
            });
            let wait = match delivered {
                Ok(()) => return tally.sent(),
                Err(Trouble::Lasting { reason }) => {
                    tally.trouble(reason);
                    None
                }
                Err(Trouble::Passing { reason, after }) => {
                    tally.trouble(reason);
                    retry.wait_after(attempts, after)
                }
            };
            let Some(wait) = wait else { return tally.failed() };
            tally.retried();
            sleep(wait).await;
        }
    }
}
