//! Where notices go.

use std::fmt;

use tidegate_core::Secret;

use crate::retry::Retry;

/// The channels, and how hard they try. The default has none: notices go nowhere.
#[derive(Debug, Clone)]
pub struct Options {
    pub webhooks: Vec<Webhook>,
    pub mail: Option<Mail>,
    /// Notices that may wait for each channel; more are dropped. At least 1.
    pub queue: usize,
    pub retry: Retry,
}

/// An address that is told by POST.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Absolute, http or https. A secret, because some services put the credential into the path.
    pub url: Secret,
    pub form: Form,
    /// Signs what is sent: `whsec_` and Base64, or any text of at least 16 bytes.
    pub secret: Option<Secret>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The event's members.
    #[default]
    Json,
    /// `{"text": …}`, as Slack, Mattermost and others show it.
    Slack,
}

/// A mail server, and who is written to.
#[derive(Clone)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub user: Option<String>,
    /// Not without TLS, except to this machine.
    pub password: Option<Secret>,
    pub from: String,
    /// Who gets every notice.
    pub to: Vec<String>,
    /// PEM text of certificates to trust besides the machine's roots.
    pub extra_ca_pem: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// TLS after `STARTTLS`, which the server must offer; port 587 as a rule.
    #[default]
    StartTls,
    /// TLS from the first byte; port 465 as a rule.
    Tls,
    /// In clear, for a relay on this machine or in a network of one's own.
    None,
}

impl Default for Options {
    fn default() -> Self {
        Self { webhooks: Vec::new(), mail: None, queue: 1_024, retry: Retry::default() }
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}
