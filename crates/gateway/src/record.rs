//! The account of one request. It opens with the request, travels with the answer to its last byte, and closes itself
//! when dropped: a client that goes away, an error and a panic are recorded like a success.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use tidegate_core::Usage;

use crate::log::LogLine;
use crate::metrics::Series;
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
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientGone => "client_gone",
            Self::UpstreamCut => "upstream_cut",
            Self::UpstreamError => "upstream_error",
            Self::Stalled => "stalled",
            Self::Draining => "draining",
        }
    }
}

#[derive(Debug)]
pub struct Record {
    gateway: Arc<Gateway>,
    started: Instant,
    first_byte: Option<Instant>,
    route: &'static str,
    method: http::Method,
    path: Box<str>,
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
        })
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
    pub fn refused(&self, reason: &'static str) {
        self.gateway.metrics.refusal(reason);
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
        if self.gateway.log.enabled() {
            self.gateway.log.push(&LogLine {
                unix_ms: self.gateway.clock.unix_ms(),
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
    }
}

fn count_tokens(series: &Series, usage: &Usage) {
    series.input_tokens.inc_by(usage.prompt());
    series.cached_tokens.inc_by(usage.cache_read.unwrap_or(0));
    series.output_tokens.inc_by(usage.output);
}
