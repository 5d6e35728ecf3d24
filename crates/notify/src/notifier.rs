//! The channels together: notices in, and what became of them.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use tidegate_core::{Clock, FieldError};
use tidegate_ledger::{Alert, OnAlert};
use tidegate_upstream::Egress;
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::channel::{Channel, Job};
use crate::counts::{Counts, Tally};
use crate::mail::Mailer;
use crate::notice::Notice;
use crate::options::Options;
use crate::webhook::Hook;

/// Delivers notices. A clone is the same notifier; its tasks end with the last clone, or by [`Notifier::close`].
#[derive(Clone)]
pub struct Notifier(Arc<Vec<Line>>);

/// A channel as those see it who have something to say.
struct Line {
    name: String,
    tally: Arc<Tally>,
    /// Who gets every notice, where it is mail.
    mail: Option<Vec<Address>>,
    open: Mutex<Option<Open>>,
}

struct Open {
    queue: Sender<Job>,
    task: JoinHandle<()>,
}

/// A key with more addresses than this is a mistake; the first ones are written to.
const MAX_RECIPIENTS: usize = 32;

impl Notifier {
    /// Starts a task for each channel, on the runtime that this is called in. Connects nowhere.
    ///
    /// # Errors
    /// The first member of the options that is not accepted: an address, a secret, a certificate.
    pub fn start(options: &Options, egress: &Egress, clock: &Arc<dyn Clock>) -> Result<Self, FieldError> {
        let mut channels = Vec::new();
        for (i, webhook) in options.webhooks.iter().enumerate() {
            let hook = Hook::new(&format!("webhooks[{i}]"), webhook, egress.clone(), Arc::clone(clock))?;
            channels.push((hook.name(), None, Channel::Webhook(hook)));
        }
        if let Some(mail) = &options.mail {
            let mailer = Mailer::new("mail", mail)?;
            channels.push((mailer.name(), Some(mailer.to().to_vec()), Channel::Mail(mailer)));
        }
        let start = |(name, mail, channel): (String, Option<Vec<Address>>, Channel)| {
            let (queue, waiting) = mpsc::channel(options.queue.max(1));
            let tally = Arc::new(Tally::default());
            let task = tokio::spawn(channel.run(waiting, options.retry, Arc::clone(&tally)));
            Line { name, tally, mail, open: Mutex::new(Some(Open { queue, task })) }
        };
        Ok(Self(Arc::new(channels.into_iter().map(start).collect())))
    }

    /// Takes a notice for every channel. Never waits: what does not fit is dropped and counted.
    pub fn notify(&self, notice: Notice) {
        let notice = Arc::new(notice);
        for line in self.0.iter() {
            match &line.mail {
                None => line.offer(Job { notice: Arc::clone(&notice), to: None }),
                Some(everyone) => {
                    for to in line.recipients(everyone, &notice.recipients) {
                        line.offer(Job { notice: Arc::clone(&notice), to: Some(to) });
                    }
                }
            }
        }
    }

    /// For [`tidegate_ledger::Options::on_alert`]: the notices of the ledger as they are.
    pub fn on_alert(&self) -> OnAlert {
        let notifier = self.clone();
        Box::new(move |alert: &Alert| notifier.notify(Notice::of_alert(alert)))
    }

    /// Channel by channel.
    pub fn counts(&self) -> Vec<Counts> {
        self.0.iter().map(|line| line.tally.read(&line.name)).collect()
    }

    /// Takes nothing more and waits until all is delivered, so long at most; what waits then is dropped and counted.
    pub async fn close(&self, within: Duration) {
        let deadline = Instant::now() + within;
        let opened: Vec<_> = self.0.iter().filter_map(|line| Some((line, line.take()?))).collect();
        for (line, mut task) in opened {
            if timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
                let _ = task.await;
                line.tally.dropped(line.tally.read(&line.name).waiting);
            }
        }
    }
}

impl Line {
    fn offer(&self, job: Job) {
        self.tally.taken();
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_taken = open.as_ref().is_some_and(|open| open.queue.try_send(job).is_ok());
        if !is_taken {
            self.tally.dropped(1);
        }
    }

    /// Everyone once. What is no address is counted, as it would be if the server refused it.
    fn recipients(&self, everyone: &[Address], others: &[String]) -> BTreeSet<Address> {
        let mut to: BTreeSet<Address> = everyone.iter().cloned().collect();
        for text in others.iter().take(MAX_RECIPIENTS) {
            match text.trim().parse() {
                Ok(address) => {
                    to.insert(address);
                }
                Err(_) => {
                    self.tally.taken();
                    self.tally.failed();
                    self.tally.trouble("a recipient is no mail address".to_owned());
                }
            }
        }
        to
    }

    /// Closes the queue; the task ends when it is empty.
    fn take(&self) -> Option<JoinHandle<()>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take().map(|open| open.task)
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.counts()).finish()
    }
}
