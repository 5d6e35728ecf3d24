//! Brings notices of alert rules to the channels that stand in the rules. Nothing is queued here: whoever calls waits, and
//! says how many do.

use std::fmt;
use std::sync::Arc;

use lettre::Address;
use tidegate_alerts::{Notice as RuleNotice, Way};
use tidegate_core::{Clock, FieldError};
use tidegate_upstream::Egress;
use tokio::time::{sleep, timeout};

use crate::channel::Trouble;
use crate::mail::Mailer;
use crate::notice::Notice;
use crate::options::{Form, Mail, Webhook};
use crate::retry::Retry;
use crate::webhook::Hook;

/// A clone is the same courier.
#[derive(Clone)]
pub struct Courier(Arc<Inner>);

struct Inner {
    egress: Egress,
    clock: Arc<dyn Clock>,
    mailer: Option<Mailer>,
    retry: Retry,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("mail", &self.0.mailer.is_some()).finish_non_exhaustive()
    }
}

impl Courier {
    /// `mail`: the server through which letters go; without one, channels of mail fail and say so.
    ///
    /// # Errors
    /// A member of `mail` that is not accepted.
    pub fn new(
        mail: Option<&Mail>,
        retry: Retry,
        egress: &Egress,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, FieldError> {
        let mailer = mail.map(|mail| Mailer::new("mail", mail)).transpose()?;
        Ok(Self(Arc::new(Inner { egress: egress.clone(), clock: Arc::clone(clock), mailer, retry })))
    }

    /// Tries as often as the options say, with waits between.
    ///
    /// # Errors
    /// Why the last attempt failed, without secrets.
    pub async fn deliver(&self, way: &Way, notice: &RuleNotice) -> Result<(), String> {
        self.tried(way, notice, self.0.retry).await
    }

    /// Tries once.
    ///
    /// # Errors
    /// Why it failed, without secrets.
    pub async fn attempt(&self, way: &Way, notice: &RuleNotice) -> Result<(), String> {
        self.tried(way, notice, Retry { attempts: 1, ..self.0.retry }).await
    }

    async fn tried(&self, way: &Way, notice: &RuleNotice, retry: Retry) -> Result<(), String> {
        let notice = Notice::of_rule(notice.clone());
        match way {
            Way::Webhook { url_secret, signing_secret } => {
                let secret = signing_secret.as_ref().map(|secret| secret.0.clone());
                let options = Webhook { url: url_secret.0.clone(), form: Form::Json, secret };
                self.post(&options, &notice, retry).await
            }
            Way::Slack { url_secret } => {
                let options = Webhook { url: url_secret.0.clone(), form: Form::Slack, secret: None };
                self.post(&options, &notice, retry).await
            }
            Way::Email { to } => self.write(to, &notice, retry).await,
        }
    }

    async fn post(&self, options: &Webhook, notice: &Notice, retry: Retry) -> Result<(), String> {
        let Inner { egress, clock, .. } = &*self.0;
        let hook = Hook::new("channel", options, egress.clone(), Arc::clone(clock));
        let hook = hook.map_err(|error| error.to_string())?;
        Post::Hook(&hook).again(notice, retry).await
    }

    /// To each by itself: one that is refused keeps it from nobody else.
    async fn write(&self, to: &[String], notice: &Notice, retry: Retry) -> Result<(), String> {
        let mailer = self.0.mailer.as_ref();
        let mailer = mailer.ok_or("this gateway has no mail server (alerts.smtp_host)")?;
        let mut problems = Vec::new();
        for text in to {
            let written = match text.parse::<Address>() {
                Err(_) => Err("is no mail address".to_owned()),
                Ok(address) => Post::Letter(mailer, &address).again(notice, retry).await,
            };
            if let Err(problem) = written {
                problems.push(format!("{text}: {problem}"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }
}

/// What is delivered by.
enum Post<'a> {
    Hook(&'a Hook),
    Letter(&'a Mailer, &'a Address),
}

impl Post<'_> {
    async fn once(&self, notice: &Notice) -> Result<(), Trouble> {
        match self {
            Self::Hook(hook) => hook.deliver(notice).await,
            Self::Letter(mailer, to) => mailer.deliver(notice, to).await,
        }
    }

    async fn again(&self, notice: &Notice, retry: Retry) -> Result<(), String> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let delivered = timeout(retry.timeout, self.once(notice)).await.unwrap_or_else(|_| {
                let reason = format!("no answer within {} ms", retry.timeout.as_millis());
                Err(Trouble::Passing { reason, after: None })
            });
            match delivered {
                Ok(()) => return Ok(()),
                Err(Trouble::Lasting { reason }) => return Err(reason),
                Err(Trouble::Passing { reason, after }) => match retry.wait_after(attempts, after) {
                    None => return Err(reason),
                    Some(wait) => sleep(wait).await,
                },
            }
        }
    }
}
