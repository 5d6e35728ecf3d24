//! The account of one request. It opens with the request, travels with the answer to its last byte, and closes itself
//! when dropped: a client that goes away, an error and a panic are recorded like a success.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderValue;
use tidegate_core::Usage;
use tidegate_ledger::How;
use tidegate_records::RecordId;
use tidegate_routing::Target;
use tidegate_websocket::Sender;

use crate::accept::Call;
use crate::account::{Account, Closing, Tried};
use crate::attempt::Attempted;
use crate::authenticate::Caller;
use crate::limiter::Permit;
use crate::log::LogLine;
use crate::metrics::Series;
use crate::plan::Resolved;
use crate::policy::Review;
use crate::queue::Asker;
use crate::state::Gateway;

/// How the answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last byte went to the client.
    Ok,
    /// The client left before the end.
    ClientGone,
    /// The provider's stream broke; the client was told by an error event.
    UpstreamCut,
    /// The provider reported an error inside its stream; the client was told.
    UpstreamError,
    /// The provider went silent for longer than `between_chunks`.
    Stalled,
    /// The gateway stopped before the stream did; the client was told.
    Draining,
    /// Neither side of a session said anything for too long.
    Idle,
    /// The caller of a session may not go on: a budget is used up, or the key is no longer good.
    Refused,
}

impl End {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientGone => "client_gone",
            Self::UpstreamCut => "upstream_cut",
            Self::UpstreamError => "upstream_error",
            Self::Stalled => "stalled",
            Self::Draining => "draining",
            Self::Idle => "idle",
            Self::Refused => "refused",
        }
    }

    /// For the books; a panic ends a request as well.
    fn how(self) -> How {
        match self {
            _ if std::thread::panicking() => How::Panic,
            Self::ClientGone => How::Disconnect,
            Self::Ok => How::Success,
            _ => How::Error,
        }
    }
}

#[derive(Debug)]
pub struct Record {
    pub(crate) gateway: Arc<Gateway>,
    started: Instant,
    first_byte: Option<Instant>,
    pub(crate) route: &'static str,
    pub(crate) method: http::Method,
    pub(crate) path: Box<str>,
    /// Catalogue id of the provider that answered; empty when none did.
    pub provider: &'static str,
    pub model: Box<str>,
    pub status: u16,
    pub attempts: u32,
    pub usage: Option<Usage>,
    pub trace_id: Option<HeaderValue>,
    /// For the operator's log only.
    pub detail: Option<Box<str>>,
    end: End,
    streaming: bool,
    /// The stream has said its finish, whether or not its client heard it.
    pub(crate) is_finished: bool,
    /// Which limit or budget refused it.
    pub limit: Option<&'static str>,
    /// `None` for requests that leave nothing behind.
    pub(crate) account: Option<Box<Account>>,
}

impl Record {
    pub fn open(gateway: &Arc<Gateway>, route: &'static str, method: &http::Method, path: &str) -> Box<Self> {
        gateway.metrics.open_requests.inc();
        Box::new(Self {
            gateway: gateway.clone(),
            started: Instant::now(),
            first_byte: None,
            route,
            method: method.clone(),
            path: path.get(..256).unwrap_or(path).into(),
            provider: "",
            model: Box::default(),
            status: 0,
            attempts: 0,
            usage: None,
            trace_id: None,
            detail: None,
            // Until the body says otherwise; of a HEAD's answer nothing is asked.
            end: if method == http::Method::HEAD { End::Ok } else { End::ClientGone },
            streaming: false,
            is_finished: false,
            limit: None,
            account: None,
        })
    }

    /// The id under which the request is kept.
    pub fn id(&self) -> Option<RecordId> {
        self.account.as_ref().and_then(|account| account.id())
    }

    /// The first byte of the answer's content is about to go out.
    pub fn first_byte(&mut self) {
        if self.first_byte.is_none() {
            self.first_byte = Some(Instant::now());
        }
    }

    /// The answer is a stream; it counts as open until the record closes.
    pub fn begin_stream(&mut self) {
        if !self.streaming {
            self.streaming = true;
            self.gateway.metrics.open_streams.inc();
        }
    }

    /// The gateway itself said no.
    pub fn refused(&mut self, reason: &'static str) {
        self.gateway.metrics.refusal(reason);
        if matches!(reason, "rate_limit" | "budget" | "unpriced") {
            self.limit = Some(reason);
        }
    }

    pub(crate) fn caller(&mut self, caller: &Caller, now_ms: u64) {
        self.account = Account::open(&self.gateway, caller, now_ms);
    }

    pub(crate) fn call(&mut self, call: &Call) {
        self.trace_id.clone_from(&call.own.trace_id);
        if let Some(account) = &mut self.account {
            account.call(&self.gateway.control, call);
        }
    }

    pub(crate) fn plan(&mut self, resolved: &Resolved) {
        if let Some(account) = &mut self.account {
            account.plan(resolved);
        }
    }

    /// Policies may hold for it.
    pub(crate) fn reviewed(&mut self, review: Option<&Arc<Review>>) {
        if let Some(review) = review {
            self.account.get_or_insert_default().review = Some(review.clone());
        }
    }

    /// The caller's limits were charged.
    pub(crate) fn admitted(&mut self, charged: Option<Permit>) {
        if charged.is_some() {
            self.account.get_or_insert_default().charged = charged;
        }
    }

    /// It waited for a limit; `asker` is whose turn it was.
    pub(crate) fn waited(&mut self, waited: Duration, asker: Asker) {
        let account = self.account.get_or_insert_default();
        (account.waited, account.asker) = (Some(waited), Some(asker));
    }

    /// An attempt is over.
    pub(crate) fn attempted(&mut self, target: &Target, attempted: &Attempted, began: Instant) {
        let request_began = self.started;
        let Some(account) = &mut self.account else { return };
        let answer = attempted.answer.as_deref().ok();
        account.attempted(&Tried {
            target,
            outcome: &attempted.outcome,
            provider: answer.map_or("", |answer| answer.provider),
            model: answer.map_or("", |answer| &answer.model),
            stored: answer.and_then(|answer| answer.stored.as_deref()),
            request_began,
            began,
        });
    }

    /// Bytes of the answer that go out.
    pub(crate) fn sent(&mut self, bytes: &Bytes) {
        if let Some(account) = &mut self.account {
            account.sent(bytes);
        }
    }

    /// Bytes of a session.
    pub(crate) fn passed(&mut self, from: Sender, bytes: usize) {
        if let Some(account) = &mut self.account {
            account.passed(from, bytes as u64);
        }
    }

    pub fn ended(&mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let metrics = &self.gateway.metrics;
        metrics.open_requests.dec();
        let series = metrics.series(self.route, self.provider);
        series.count(self.status);
        let duration = self.started.elapsed();
        series.duration.observe(duration.as_secs_f64());
        let ttfb = self.first_byte.map(|at| at.duration_since(self.started));
        if self.streaming {
            metrics.open_streams.dec();
            metrics.stream_end(self.end.as_str());
            if let Some(ttfb) = ttfb {
                series.ttft.observe(ttfb.as_secs_f64());
            }
        }
        if let Some(usage) = &self.usage {
            count_tokens(&series, usage);
        }
        let unix_ms = self.gateway.clock.unix_ms();
        if self.gateway.log.enabled() {
            self.gateway.log.push(&LogLine {
                unix_ms,
                method: self.method.as_str(),
                path: &self.path,
                provider: self.provider,
                model: &self.model,
                status: self.status,
                attempts: self.attempts,
                ttfb_us: ttfb.map(|ttfb| u64::try_from(ttfb.as_micros()).unwrap_or(u64::MAX)),
                duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
                input_tokens: self.usage.as_ref().map(Usage::prompt),
                output_tokens: self.usage.as_ref().map(|usage| usage.output),
                end: self.end.as_str(),
                trace_id: self.trace_id.as_ref().and_then(|id| id.to_str().ok()),
                detail: self.detail.as_deref(),
            });
        }
        if let Some(account) = self.account.take() {
            account.close(Box::new(Closing {
                gateway: self.gateway.clone(),
                unix_ms,
                route: self.route,
                method: self.method.clone(),
                path: std::mem::take(&mut self.path),
                provider: self.provider,
                model: std::mem::take(&mut self.model),
                status: self.status,
                usage: self.usage.take(),
                trace_id: self.trace_id.take(),
                detail: self.detail.take(),
                limit: self.limit,
                duration,
                ttfb,
                end: self.end,
                streaming: self.streaming,
                is_finished: self.is_finished,
                how: End::how(self.end),
            }));
        }
    }
}

fn count_tokens(series: &Series, usage: &Usage) {
    series.input_tokens.inc_by(usage.prompt());
    series.cached_tokens.inc_by(usage.cache_read.unwrap_or(0));
    series.output_tokens.inc_by(usage.output);
}
