//! What can go wrong between "send this" and the head of the answer, in the words the rest of the gateway acts on.
//!
//! Kinds are found by walking the source chain of the client's error: our own dialer's errors come back whole, hyper's
//! and the kernel's are classified here. The text names the host and port as the request named them, never an address
//! they resolved to, a path, a query, a header or a credential.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use http::Uri;
use tidegate_core::Fault;

use crate::dial::Endpoint;

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SendErrorKind {
    /// The request itself cannot be sent: no host, a scheme other than http and https, user info in the URL.
    InvalidRequest,
    /// The address policy forbids the host or what it resolved to.
    Blocked,
    /// The name has no address.
    Dns,
    ConnectRefused,
    /// Resolving, connecting, the proxy's tunnel and TLS together took longer than allowed.
    ConnectTimeout,
    /// Any other failure to connect: no route to the host.
    ConnectFailed,
    /// The gateway has no file descriptor left to connect with.
    Exhausted,
    /// The handshake failed: a certificate that is not trusted, a port that does not speak TLS.
    Tls,
    /// The configured proxy cannot be reached, refused the tunnel or answered what is not HTTP.
    Proxy,
    /// The connection was reset after the request began, before an answer.
    ResetBeforeHeaders,
    /// The connection was closed in good order after the request began, before an answer.
    Closed,
    /// What came is not an HTTP answer, or its head is too large.
    BadResponse,
    /// The request's own body failed while it was sent: the client went away.
    RequestBody,
    /// The upstream refused the request unread, or the connection went away before it was written.
    Canceled,
}

/// A failed send. `Display` is fit for a client's error message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    pub kind: SendErrorKind,
    /// One clause, in lower case, naming the host where there is one. No secret, no query, no resolved address, and not
    /// where the operator's proxy is.
    pub detail: String,
}

/// Settings the egress client cannot start with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupError(pub(crate) String);

impl SendErrorKind {
    /// Every kind, in the order of the counters.
    pub const ALL: [Self; 14] = [
        Self::InvalidRequest,
        Self::Blocked,
        Self::Dns,
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::ConnectFailed,
        Self::Exhausted,
        Self::Tls,
        Self::Proxy,
        Self::ResetBeforeHeaders,
        Self::Closed,
        Self::BadResponse,
        Self::RequestBody,
        Self::Canceled,
    ];

    /// A fixed word for logs and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Blocked => "blocked",
            Self::Dns => "dns",
            Self::ConnectRefused => "connect_refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::ConnectFailed => "connect_failed",
            Self::Exhausted => "exhausted",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::ResetBeforeHeaders => "reset_before_headers",
            Self::Closed => "closed",
            Self::BadResponse => "bad_response",
            Self::RequestBody => "request_body",
            Self::Canceled => "canceled",
        }
    }

    /// Who has to act. A refused connection counts against the provider; a target the policy forbids counts against
    /// whoever named it.
    pub fn fault(self) -> Fault {
        match self {
            Self::InvalidRequest | Self::Blocked | Self::RequestBody => Fault::Caller,
            Self::Exhausted | Self::Proxy => Fault::Gateway,
            Self::Dns
            | Self::ConnectRefused
            | Self::ConnectTimeout
            | Self::ConnectFailed
            | Self::Tls
            | Self::ResetBeforeHeaders
            | Self::Closed
            | Self::BadResponse
            | Self::Canceled => Fault::Provider,
        }
    }
}

impl SendError {
    pub(crate) fn new(kind: SendErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Certain that the upstream did not act on the request, and another try may fare better. `false` for a reset or
    /// close before the answer: the model may already be at work, and be paid for.
    pub fn is_safe_to_retry(&self) -> bool {
        matches!(
            self.kind,
            SendErrorKind::Dns
                | SendErrorKind::ConnectRefused
                | SendErrorKind::ConnectTimeout
                | SendErrorKind::ConnectFailed
                | SendErrorKind::Exhausted
                | SendErrorKind::Tls
                | SendErrorKind::Proxy
                | SendErrorKind::Canceled
        )
    }

    /// See [`SendErrorKind::fault`].
    pub fn fault(&self) -> Fault {
        self.kind.fault()
    }

    /// The failure of one attempt to connect to `target` (`host:port`).
    pub(crate) fn of_connect(target: &str, error: &io::Error) -> Self {
        if let Some(EMFILE | ENFILE) = error.raw_os_error() {
            let detail = format!("the gateway has too many open files to connect to {target}");
            return Self::new(SendErrorKind::Exhausted, detail);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                Self::new(SendErrorKind::ConnectRefused, format!("{target} refused the connection"))
            }
            io::ErrorKind::TimedOut => Self::connect_timeout(target),
            kind => Self::new(SendErrorKind::ConnectFailed, format!("cannot connect to {target}: {kind}")),
        }
    }

    pub(crate) fn connect_timeout(target: &str) -> Self {
        Self::new(SendErrorKind::ConnectTimeout, format!("connecting to {target} took too long"))
    }

    /// A failure of a request on its way to `uri`, or of its answer.
    pub(crate) fn of_exchange(kind: SendErrorKind, uri: &Uri) -> Self {
        match Endpoint::of(uri) {
            Ok(to) => Self::new(kind, describe(kind, &to.to_string())),
            Err(error) => error,
        }
    }

    /// Classifies what the pooled client reported for a request to `target` (`host:port`).
    pub(crate) fn of_client(target: &str, error: &(dyn StdError + 'static)) -> Self {
        let mut link = Some(error);
        let mut connected = false;
        while let Some(error) = link {
            if let Some(own) = error.downcast_ref::<Self>() {
                return own.clone();
            }
            // The first link that says something decides: below "the body failed" is whatever made it fail.
            if let Some(kind) = classify(error) {
                return Self::new(kind, describe(kind, target));
            }
            connected |= error.is::<hyper::Error>();
            link = error.source();
        }
        // Failures of hyper's are about a connection; those of the pool alone come before there is one.
        let kind = if connected { SendErrorKind::ResetBeforeHeaders } else { SendErrorKind::Canceled };
        Self::new(kind, describe(kind, target))
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl StdError for SendError {}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for SetupError {}

/// Too many open files in the system, and in this process: the same numbers on every Unix, without an `ErrorKind`.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

fn classify(error: &(dyn StdError + 'static)) -> Option<SendErrorKind> {
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        return classify_hyper(error);
    }
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        return Some(classify_h2(error));
    }
    error.downcast_ref::<io::Error>().map(classify_io)
}

fn classify_hyper(error: &hyper::Error) -> Option<SendErrorKind> {
    if error.is_parse() {
        Some(SendErrorKind::BadResponse)
    } else if error.is_user() {
        Some(SendErrorKind::RequestBody)
    } else if error.is_canceled() {
        Some(SendErrorKind::Canceled)
    } else if error.is_incomplete_message() || error.is_closed() {
        Some(SendErrorKind::Closed)
    } else {
        None
    }
}

fn classify_h2(error: &h2::Error) -> SendErrorKind {
    if let Some(error) = error.get_io() {
        return classify_io(error);
    }
    match error.reason() {
        // Ours, because what came broke the protocol.
        _ if error.is_library() => SendErrorKind::BadResponse,
        // Ours, because the body of the request failed: nothing else makes the client reset a stream it waits for.
        _ if error.is_reset() && !error.is_remote() => SendErrorKind::RequestBody,
        Some(h2::Reason::REFUSED_STREAM) => SendErrorKind::Canceled,
        Some(h2::Reason::NO_ERROR) => SendErrorKind::Closed,
        _ => SendErrorKind::ResetBeforeHeaders,
    }
}

pub(crate) fn classify_io(error: &io::Error) -> SendErrorKind {
    match error.kind() {
        // HTTP/2 reports an end of the connection under open streams as a broken pipe.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => SendErrorKind::Closed,
        _ => SendErrorKind::ResetBeforeHeaders,
    }
}

fn describe(kind: SendErrorKind, target: &str) -> String {
    match kind {
        SendErrorKind::ResetBeforeHeaders => format!("{target} reset the connection before answering"),
        SendErrorKind::Closed => format!("{target} closed the connection before answering"),
        SendErrorKind::BadResponse => format!("what {target} answered is not HTTP, or its head is too large"),
        SendErrorKind::RequestBody => format!("the request's body ended early on its way to {target}"),
        SendErrorKind::Canceled => format!("{target} gave the request back unread"),
        kind => format!("sending to {target} failed: {}", kind.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_upstream_cannot_have_acted_on_is_safe_to_repeat() {
        let safe = SendErrorKind::ALL.into_iter().filter(|kind| SendError::new(*kind, "").is_safe_to_retry());
        let expected = [
            SendErrorKind::Dns,
            SendErrorKind::ConnectRefused,
            SendErrorKind::ConnectTimeout,
            SendErrorKind::ConnectFailed,
            SendErrorKind::Exhausted,
            SendErrorKind::Tls,
            SendErrorKind::Proxy,
            SendErrorKind::Canceled,
        ];
        assert_eq!(safe.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_are_distinct() {
        let words = SendErrorKind::ALL.map(SendErrorKind::as_str);
        for (i, word) in words.iter().enumerate() {
            assert!(!words[..i].contains(word), "{word}");
        }
    }

    #[test]
    fn failures_to_connect_are_told_apart() {
        let cases = [
            (io::Error::from_raw_os_error(EMFILE), SendErrorKind::Exhausted, Fault::Gateway),
            (io::ErrorKind::ConnectionRefused.into(), SendErrorKind::ConnectRefused, Fault::Provider),
            (io::ErrorKind::TimedOut.into(), SendErrorKind::ConnectTimeout, Fault::Provider),
            (io::ErrorKind::HostUnreachable.into(), SendErrorKind::ConnectFailed, Fault::Provider),
        ];
        for (io, kind, fault) in cases {
            let error = SendError::of_connect("api.example:443", &io);
            assert_eq!((error.kind, error.fault()), (kind, fault), "{io}");
            assert!(error.to_string().contains("api.example:443"), "{error}");
        }
    }

    #[test]
    fn what_no_connection_reported_was_not_sent() {
        let error = SendError::of_client("api.example:443", &fmt::Error);
        assert_eq!(error.kind, SendErrorKind::Canceled);
    }

    #[test]
    fn errors_of_the_kernel_are_classified_and_our_own_come_back_whole() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = SendError::of_client("api.example:443", &reset);
        assert_eq!(error.kind, SendErrorKind::ResetBeforeHeaders);
        let own = SendError::new(SendErrorKind::Blocked, "no");
        let wrapped = io::Error::other(own.clone());
        assert_eq!(SendError::of_client("api.example:443", wrapped.get_ref().unwrap()), own);
    }
}
