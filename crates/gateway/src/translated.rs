//! A stream that changes its dialect on the way: provider bytes → events → client bytes, one upstream frame at a time,
//! pulled by the client, so that its back-pressure reaches the provider.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use tidegate_core::ApiError;
use tidegate_dialect::chat::StreamEvent;
use tidegate_dialect::{ClientDialect, StreamDecoder, StreamEncoder};

use crate::attempt::Translating;
use crate::body::{Cut, Piece, Source};
use crate::pass::{code, lost};
use crate::patience::Patience;
use crate::record::{End, Record};

/// What an upstream may take to end its body behind the last event.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// Both ends of the translation.
struct Coders {
    decoder: Box<dyn StreamDecoder>,
    encoder: Box<dyn StreamEncoder>,
    client: &'static dyn ClientDialect,
    /// Named in error events.
    provider: &'static str,
}

pub struct TranslatedBody {
    source: Source,
    coders: Coders,
    /// Goes out before the first event.
    preface: Vec<u8>,
    /// Events decoded and not yet written; at first those that were read while the head was held back.
    events: Vec<StreamEvent>,
    patience: Patience,
    record: Box<Record>,
    done: bool,
}

impl TranslatedBody {
    pub(crate) fn new(
        translating: Translating,
        client: &'static dyn ClientDialect,
        provider: &'static str,
        patience: Patience,
        mut record: Box<Record>,
    ) -> Self {
        let Translating { source, decoder, encoder, events, preface } = translating;
        let coders = Coders { decoder, encoder, client, provider };
        record.begin_stream();
        Self { source, coders, preface, events, patience, record, done: false }
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        loop {
            let out = self.write_events();
            if !out.is_empty() {
                self.record.first_byte();
                let out = Bytes::from(out);
                self.record.sent(&out);
                return Poll::Ready(Some(Ok(Frame::data(out))));
            }
            if self.done {
                // The end of the upstream body: unread, its connection could not serve another request.
                if self.source.poll(cx).is_pending() {
                    ready!(self.patience.poll(cx));
                }
                return Poll::Ready(None);
            }
            let Poll::Ready(piece) = self.source.poll(cx) else {
                let (end, message) = lost(ready!(self.patience.poll(cx)));
                self.fail(end, message);
                continue;
            };
            match piece {
                Piece::Data(bytes) => {
                    self.coders.decoder.push(&bytes, &mut self.events);
                    self.patience.touch();
                }
                Piece::End => {
                    self.coders.decoder.finish(&mut self.events);
                    if !ends(&self.events) {
                        self.fail(End::UpstreamCut, "the provider's stream ended without its finish");
                    }
                }
                Piece::Broken => self.fail(End::UpstreamCut, "the provider's stream broke off"),
            }
        }
    }

    fn write_events(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.preface);
        for event in self.events.drain(..) {
            if self.done {
                break;
            }
            match &event {
                StreamEvent::Error(error) => {
                    out.extend_from_slice(&self.coders.client.error_event(error, Some(self.coders.provider)));
                    let end = match error.code.as_deref() {
                        Some("upstream_stalled") => End::Stalled,
                        Some("gateway_stopping") => End::Draining,
                        Some("upstream_stream_interrupted") => End::UpstreamCut,
                        _ => End::UpstreamError,
                    };
                    self.record.ended(end);
                    self.done = true;
                    // Nothing more is wanted of this provider, nor paid for.
                    self.source = Source::of([]);
                }
                StreamEvent::End => {
                    self.coders.encoder.push(&event, &mut out);
                    self.record.ended(End::Ok);
                    self.done = true;
                    self.patience.limit(LAST_BYTES);
                }
                StreamEvent::Ping => out.extend_from_slice(self.coders.encoder.ping()),
                StreamEvent::Usage(usage) => {
                    self.record.usage = Some(usage.clone());
                    self.coders.encoder.push(&event, &mut out);
                }
                StreamEvent::Start { model: Some(model), .. } => {
                    self.record.model = model.as_str().into();
                    self.coders.encoder.push(&event, &mut out);
                }
                _ => self.coders.encoder.push(&event, &mut out),
            }
        }
        out
    }

    fn fail(&mut self, end: End, message: &str) {
        self.events.push(StreamEvent::Error(ApiError::upstream(message).with_code(code(end))));
    }
}

impl std::fmt::Debug for Coders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coders").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TranslatedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TranslatedBody").field("provider", &self.coders.provider).finish_non_exhaustive()
    }
}

/// True when the events end the stream.
pub fn ends(events: &[StreamEvent]) -> bool {
    events.iter().any(|event| matches!(event, StreamEvent::End | StreamEvent::Error(_)))
}
