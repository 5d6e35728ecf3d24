//! What an operator can choose.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use tidegate_core::Secret;

#[derive(Debug, Clone)]
pub struct Options {
    /// `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS, or `redis+unix:///path`. With TLS the server's
    /// certificate is looked at as `?sslmode` says: `verify-full` (the default), `verify-ca` (whatever its name), `require`
    /// (whoever it is); `&sslrootcert` is a file with the certificates that are believed, or `system`, the default. Secret
    /// because of the password.
    pub url: Secret,
    /// What all keys begin with. Replicas that have it in common share their limits.
    pub prefix: String,
    /// How long an admission may wait for Redis. After that it is away, for all requests.
    pub timeout: Duration,
    /// Between attempts to reach a Redis that is away. Requests do not wait for them.
    pub probe: Duration,
    /// How long Redis believes that a replica lives which is not heard of. Renewed three times within it.
    pub lease: Duration,
    /// So many settlements may wait; what is more is dropped, and counted.
    pub queue: usize,
    /// How many replicas there are at least. Redis tells how many it hears of; this counts while it has not told.
    pub replicas: NonZeroU32,
    pub time: Time,
}

/// Whose time counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Time {
    /// The server's. See the crate's documentation.
    #[default]
    Server,
    /// What callers say, and the latest of it: for tests, and for one replica alone.
    Callers,
}

/// The options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenError {
    pub field: &'static str,
    /// Without the value, which may hold a password.
    pub problem: String,
}

impl Options {
    /// A timeout of 100 ms, a probe every 250 ms, leases of 30 s.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            prefix: "tidegate".to_owned(),
            timeout: Duration::from_millis(100),
            probe: Duration::from_millis(250),
            lease: Duration::from_secs(30),
            queue: 16_384,
            replicas: NonZeroU32::MIN,
            time: Time::Server,
        }
    }

    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let wrong = |field, problem: &str| Err(OpenError { field, problem: problem.to_owned() });
        if self.prefix.is_empty() || self.prefix.contains(['{', '}']) || self.prefix.len() > 64 {
            return wrong("prefix", "must have 1 to 64 characters, and no braces");
        }
        if self.timeout.is_zero() {
            return wrong("timeout", "must be above zero");
        }
        if self.probe.is_zero() {
            return wrong("probe", "must be above zero");
        }
        if self.lease < Duration::from_secs(1) || self.lease > Duration::from_secs(3_600) {
            return wrong("lease", "must be from one second to one hour");
        }
        if self.queue == 0 {
            return wrong("queue", "must be above zero");
        }
        Ok(())
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limits in Redis: {}: {}", self.field, self.problem)
    }
}

impl std::error::Error for OpenError {}
