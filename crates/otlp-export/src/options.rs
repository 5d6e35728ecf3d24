//! What can be set.

use std::time::Duration;

use tidegate_core::Secret;

#[derive(Debug, Clone)]
pub struct Options {
    /// The collector's base address, to which `/v1/traces` is appended; one that ends in it stays as it is.
    pub endpoint: String,
    /// `name=value` pairs with commas between them, values with percent escapes, as `OTEL_EXPORTER_OTLP_HEADERS` has them.
    pub headers: Option<Secret>,
    /// `service.name`
    pub service: String,
    /// Records that wait, at most.
    pub queue: usize,
    /// Records of one request to the collector.
    pub batch: usize,
    /// How long records gather.
    pub gather: Duration,
    /// How long one answer may take.
    pub timeout: Duration,
    /// Tries of a batch.
    pub tries: u32,
    /// The pause after the first failure; doubled after each.
    pub pause: Duration,
}

impl Options {
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            headers: None,
            service: "tidegate".to_owned(),
            queue: 8_192,
            batch: 256,
            gather: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
            tries: 5,
            pause: Duration::from_millis(500),
        }
    }
}
