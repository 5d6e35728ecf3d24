//! What one request leaves behind: plain owned data, without I/O and without references to the request.
//!
//! Times are microseconds; counts are exact; what is unknown is `None` or empty, never zero. No header, query string,
//! body or credential has a place here: bodies travel beside the record, see [`crate::body`].

use tidegate_core::Usage;

use crate::codec::fields;
use crate::id::RecordId;
use crate::text::Text;

/// The account of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestRecord {
    /// Made when the request began: its time is the record's.
    pub id: u64,
    pub who: Who,
    /// The kind of endpoint: `chat_completions`, `messages`, …
    pub route: Text,
    pub method: Text,
    /// Of the request to the gateway, without the query.
    pub path: Text,
    /// Catalogue id of the provider that answered.
    pub provider: Text,
    pub virtual_key: Text,
    pub config: Text,
    pub config_version: u64,
    /// `single`, `fallback`, `loadbalance`, …
    pub mode: Text,
    pub prompt: Text,
    pub asked_model: Text,
    pub model: Text,
    pub stream: bool,
    /// In the order in which they began.
    pub attempts: Vec<Attempt>,
    /// HTTP status that the client got.
    pub status: u16,
    /// `ok`, `client_gone`, `upstream_cut`, …
    pub end: Text,
    pub error: Text,
    pub finish: Text,
    pub timing: Timing,
    /// `None`: nobody said.
    pub usage: Option<Usage>,
    /// The usage was counted here because the provider sent none.
    pub usage_estimated: bool,
    pub cost: Cost,
    pub span: Span,
    /// `disabled`, `miss`, `hit`, `semantic_miss`, `semantic_hit`, `refreshed`; empty when no cache was asked.
    pub cache: Text,
    /// `none`, `passed`, `denied`, …
    pub guardrail: Text,
    /// Which limit or budget refused.
    pub limit: Text,
    pub warnings: Vec<Text>,
    pub bytes: Bytes,
    /// Name and version of the client's library.
    pub client: Text,
    /// What limits and budgets did together: `passed`, `queued`, `refused`, `overdrawn`; empty when none applied.
    pub limit_outcome: Text,
    /// The caller asked for figures only: no body was kept, and none is told as missing.
    pub private: bool,
    /// Where the account comes from: empty for a request that the gateway served, `log` or `otlp` for one that was told.
    pub source: Text,
}

/// Who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    pub organisation: Text,
    pub workspace: Text,
    /// Id of the API key, never the key.
    pub api_key: Text,
    pub user: Text,
    pub session: Text,
    /// As the client sent it, in its order.
    pub metadata: Vec<(Text, Text)>,
    /// The person whom the API key was made for; empty for keys of services.
    pub key_owner: Text,
}

/// One request to a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempt {
    pub provider: Text,
    /// Where the target stands in the config: `targets[0].targets[1]`.
    pub target: Text,
    pub virtual_key: Text,
    pub model: Text,
    /// `None`: no answer came.
    pub status: Option<u16>,
    /// After the request began.
    pub start_us: u64,
    pub duration_us: u64,
    /// After the attempt began.
    pub first_byte_us: Option<u64>,
    /// `network`, `timeout`, `rate_limited`, …; empty when it succeeded.
    pub error: Text,
    /// `closed`, `half_open`, `open`; empty when no breaker is configured.
    pub circuit: Text,
    /// Sent because another attempt was slow.
    pub hedge: bool,
    /// Why the next attempt was made, or why there was none.
    pub reason: Text,
    pub retry_after_ms: Option<u64>,
    /// What was asked for, without the query.
    pub url: Text,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timing {
    pub total_us: u64,
    /// To the first byte of content.
    pub ttft_us: Option<u64>,
    pub chunks: u64,
    /// In a queue before admission.
    pub waited_us: u64,
    /// The longest silence inside a stream.
    pub stall_us: u64,
    /// In the gateway's own code, where that was measured.
    pub own_us: Option<u64>,
}

/// What it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cost {
    /// An exact decimal such as `0.0012345`; empty when unknown.
    pub amount: Text,
    /// `USD`; empty when unknown.
    pub currency: Text,
    /// Made from estimated usage.
    pub estimate: bool,
    /// The model has no price.
    pub unpriced: bool,
    /// Exact decimal that a cache hit saved.
    pub saved: Text,
    /// Exact decimals per meter: `input`, `cache_read`, `output`, …
    pub parts: Vec<(Text, Text)>,
}

/// Where the request stands in a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    pub trace: Text,
    pub span: Text,
    pub parent: Text,
    pub name: Text,
}

/// Sizes of bodies in bytes, as they went over the wire between client and gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bytes {
    pub request: u64,
    pub response: u64,
}

/// The warning of a call that was told and that the gateway served too: its tokens and cost are counted there.
pub const COUNTED_ELSEWHERE: &str =
    "the gateway has a record of this call: its tokens and cost are counted there";

impl RequestRecord {
    pub fn id(&self) -> RecordId {
        RecordId::from_bits(self.id)
    }

    /// When it began, in microseconds since 1970, to the millisecond.
    pub fn began_us(&self) -> u64 {
        self.id().unix_ms() * 1_000
    }

    /// It was told, and the gateway served it too.
    pub fn is_counted_elsewhere(&self) -> bool {
        self.warnings.iter().any(|warning| *warning == COUNTED_ELSEWHERE)
    }

    /// The gateway or a provider failed, or the answer did not end as it should. A client that left is no error.
    pub fn is_error(&self) -> bool {
        self.status >= 400 || !(self.end.is_empty() || self.end == "ok" || self.end == "client_gone")
    }
}

// The numbers are the format: one that was given is never used for anything else, and a field's kind never changes.
fields!(RequestRecord {
    1 id, 2 who, 3 route, 4 method, 5 path, 6 provider, 7 virtual_key, 8 config, 9 config_version, 10 mode, 11 prompt,
    12 asked_model, 13 model, 14 stream, 15 attempts, 16 status, 17 end, 18 error, 19 finish, 20 timing, 21 usage,
    22 usage_estimated, 23 cost, 24 span, 25 cache, 26 guardrail, 27 limit, 28 warnings, 29 bytes, 30 client,
    31 limit_outcome, 32 private, 33 source,
});
fields!(Who { 1 organisation, 2 workspace, 3 api_key, 4 user, 5 session, 6 metadata, 7 key_owner });
fields!(Attempt {
    1 provider, 2 target, 3 virtual_key, 4 model, 5 status, 6 start_us, 7 duration_us, 8 first_byte_us, 9 error,
    10 circuit, 11 hedge, 12 reason, 13 retry_after_ms, 14 url,
});
fields!(Timing { 1 total_us, 2 ttft_us, 3 chunks, 4 waited_us, 5 stall_us, 6 own_us });
fields!(Cost { 1 amount, 2 currency, 3 estimate, 4 unpriced, 5 saved, 6 parts });
fields!(Span { 1 trace, 2 span, 3 parent, 4 name });
fields!(Bytes { 1 request, 2 response });
fields!(Usage {
    1 input, 2 cache_read, 3 cache_write, 4 cache_write_1h, 5 output, 6 reasoning, 7 audio_input, 8 audio_output,
    9 image_input, 10 image_output, 11 accepted_prediction, 12 rejected_prediction, 13 searches, 14 reported_total, 15 tier,
});
