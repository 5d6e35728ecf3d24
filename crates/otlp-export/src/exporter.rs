//! From the queue to the collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate_otlp::message::{
    Any, AnyValue, ExportTraceServiceRequest, InstrumentationScope, KeyValue, Resource, ResourceSpans,
    ScopeSpans, Span,
};
use tidegate_otlp::spans;
use tidegate_records::codec;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep, timeout_at};

use crate::options::Options;
use crate::send::{Sender, Sent};

/// What became of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Sent,
    /// There was no room in the queue.
    Dropped,
    /// No try brought them to the collector, or it refused them.
    Failed,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug)]
pub struct Exporter {
    options: Options,
    sender: Sender,
    queue: Receiver<Vec<u8>>,
    dropped: Arc<AtomicU64>,
}

impl Exporter {
    pub(crate) fn new(
        options: Options,
        sender: Sender,
        queue: Receiver<Vec<u8>>,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        Self { options, sender, queue, dropped }
    }

    /// Until the store behind the [`crate::Tee`] is closed and the queue is empty. `tell` hears what became of how many
    /// requests, and the last reason of a failure.
    pub async fn run(mut self, tell: impl Fn(Outcome, u64, Option<&str>) + Send) {
        while let Some(batch) = self.gather().await {
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                tell(Outcome::Dropped, dropped, None);
            }
            let (spans, count) = spans_of(&batch);
            if count == 0 {
                continue;
            }
            match self.send(&request(&self.options.service, spans)).await {
                Ok(()) => tell(Outcome::Sent, count, None),
                Err(why) => tell(Outcome::Failed, count, Some(&why)),
            }
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tell(Outcome::Dropped, dropped, None);
        }
    }

    /// `None`: there will be no more.
    async fn gather(&mut self) -> Option<Vec<Vec<u8>>> {
        let mut batch = vec![self.queue.recv().await?];
        let until = Instant::now() + self.options.gather;
        while batch.len() < self.options.batch {
            match timeout_at(until, self.queue.recv()).await {
                Ok(Some(record)) => batch.push(record),
                Ok(None) | Err(_) => break,
            }
        }
        Some(batch)
    }

    async fn send(&self, request: &ExportTraceServiceRequest) -> Result<(), String> {
        let mut pause = self.options.pause;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.sender.send(request).await {
                Sent::Taken => return Ok(()),
                Sent::Refused(why) => return Err(why),
                Sent::Later { why, .. } if tries >= self.options.tries => return Err(why),
                Sent::Later { after, .. } => sleep(after.unwrap_or(pause)).await,
            }
            pause *= 2;
        }
    }
}

/// Of the requests that have any, and how many those are.
fn spans_of(batch: &[Vec<u8>]) -> (Vec<Span>, u64) {
    let (mut all, mut count) = (Vec::new(), 0);
    // One that this binary cannot read is none of its own.
    for record in batch.iter().filter_map(|bytes| codec::decode(bytes).ok()) {
        let spans = spans::of(&record);
        count += u64::from(!spans.is_empty());
        all.extend(spans);
    }
    (all, count)
}

fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let text = |key: &str, text: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Any::String(text.to_owned())) }),
    };
    let scope =
        InstrumentationScope { name: "tidegate".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![
                    text("service.name", service),
                    text("service.version", env!("CARGO_PKG_VERSION")),
                ],
            }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
        }],
    }
}
