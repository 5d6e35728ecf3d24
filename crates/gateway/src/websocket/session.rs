//! One session: the joined connections, what it costs, and what has to hold for it to go on.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, UPGRADE};
use http::{Response, StatusCode};
use tidegate_directory::Provider;
use tidegate_http1::upgrade::{Takeover, Upgraded};
use tidegate_upstream::Tunnel;
use tidegate_websocket::Sender;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::ending::Why;
use super::message::Messages;
use super::peek;
use super::relay::{Finished, Relay, Side, Watch};
use super::tally::Tally;
use crate::accept::Call;
use crate::authenticate::Standing;
use crate::body::ClientBody;
use crate::charge::Meter;
use crate::patience::Patience;
use crate::prepare::Scene;
use crate::record::{End, Record};

/// How often it is looked at whether a session may go on. A key that is revoked ends its sessions within a second.
const LOOK: Duration = Duration::from_millis(400);

/// A provider's side that has agreed.
#[derive(Debug)]
pub struct Opening {
    pub tunnel: Box<Tunnel>,
    /// Its messages are those of OpenAI's API: they say what is used, and errors are told in their form.
    pub speaks_openai: bool,
}

/// A session, before the client has been told that there is one.
pub struct Joined {
    opening: Opening,
    accept: HeaderValue,
    standing: Option<Standing>,
    meter: Option<Box<Meter>>,
    stored: Option<Arc<Provider>>,
    model: Box<str>,
    idle: Option<Duration>,
    stall: Option<Duration>,
}

impl Opening {
    /// Joins it with the client that asked; `None` for a call that asked for no WebSocket.
    pub fn join(
        self,
        scene: &Scene<'_>,
        call: &Call,
        meter: Option<Box<Meter>>,
        stored: Option<Arc<Provider>>,
        (model, stall): (&str, Option<Duration>),
    ) -> Option<Box<Joined>> {
        let asked = call.asked.as_ref()?;
        Some(Box::new(Joined {
            opening: self,
            accept: asked.accept.clone(),
            standing: Standing::of(&scene.gateway.control.directory, scene.caller, &call.parts.headers),
            meter,
            stored,
            model: model.into(),
            idle: scene.snapshot.timeouts.idle_ms.map(Duration::from_millis),
            stall,
        }))
    }
}

/// The answer of 101, which takes the connection with it.
pub fn respond(joined: Joined, mut headers: HeaderMap, mut record: Box<Record>) -> Response<ClientBody> {
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, joined.accept.clone());
    record.begin_stream();
    let Joined { opening, standing, meter, stored, model, idle, stall, .. } = joined;
    let cut = record.gateway.cut.clone();
    let session = Session {
        tally: Tally::new(record, meter, stored, &model),
        standing,
        speaks_openai: opening.speaks_openai,
        messages: Messages::default(),
        // Asked for here, so that a cut just now is not missed.
        cut: Patience::new(None, &cut),
        look: None,
        idle,
        stall,
        moved: None,
    };
    let takeover = Takeover::new(move |upgraded| run(upgraded, opening.tunnel, session));
    let mut response = Response::new(ClientBody::full(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    response.extensions_mut().insert(takeover);
    response
}

async fn run(upgraded: Upgraded, tunnel: Box<Tunnel>, mut session: Session) {
    let Upgraded { io, receiver } = upgraded;
    let client = Side { io, receiver };
    let mut tunnel = tunnel;
    let receiver = std::mem::take(&mut tunnel.receiver);
    let mut relay = Relay::new(client, Side { io: tunnel, receiver });
    let finished = poll_fn(|cx| relay.poll(cx, &mut session)).await;
    session.finish(&finished);
    relay.shut().await;
}

struct Session {
    tally: Tally,
    standing: Option<Standing>,
    speaks_openai: bool,
    messages: Messages,
    cut: Patience,
    look: Option<Interval>,
    /// How long both sides may be silent.
    idle: Option<Duration>,
    /// How long a frame may be left unfinished.
    stall: Option<Duration>,
    /// When the client and the provider last sent something.
    moved: Option<[Instant; 2]>,
}

impl Session {
    fn finish(&mut self, finished: &Finished) {
        let end = match (&finished.why, finished.closed) {
            (Some(why), _) => {
                if let Some(detail) = why.detail() {
                    self.tally.record.detail = Some(detail.into());
                }
                if let Why::Refused(refusal) = why {
                    self.tally.record.refused(refusal.reason);
                }
                why.end()
            }
            (None, Some((Sender::Server, Some(code)))) if !code.is_good() => {
                let detail = format!("the provider closed with code {}", code.0);
                self.tally.record.detail = Some(detail.into());
                End::UpstreamError
            }
            (None, Some(_)) => End::Ok,
            // The other side was waited for in vain.
            (None, None) => End::ClientGone,
        };
        self.tally.close(end);
    }

    /// Whether it may go on, as things are now.
    fn judge(&mut self, unfinished: [bool; 2]) -> Option<Why> {
        let now = Instant::now();
        let moved = *self.moved.get_or_insert([now; 2]);
        let gateway = &self.tally.record.gateway;
        if let Some(standing) = &self.standing
            && let Err(refusal) = standing.judge(&gateway.control.directory, gateway.clock.unix_ms())
        {
            return Some(Why::Refused(Box::new(refusal)));
        }
        let is_over =
            |since: Instant, limit: Option<Duration>| limit.is_some_and(|limit| now - since >= limit);
        for (at, from) in [Sender::Client, Sender::Server].into_iter().enumerate() {
            if unfinished[at] && is_over(moved[at], self.stall) {
                return Some(Why::Stalled(from));
            }
        }
        is_over(moved[0].max(moved[1]), self.idle).then_some(Why::Idle)
    }
}

impl Watch for Session {
    fn moved(&mut self, from: Sender, bytes: usize) {
        let now = Instant::now();
        let moved = self.moved.get_or_insert([now; 2]);
        moved[usize::from(from == Sender::Server)] = now;
        self.tally.record.passed(from, bytes);
        match from {
            Sender::Client => self.tally.heard(bytes),
            Sender::Server => self.tally.record.first_byte(),
        }
    }

    fn text(&mut self, payload: Bytes, is_end: bool) {
        if !self.speaks_openai {
            return;
        }
        if let Some(event) = self.messages.push(payload, is_end).and_then(peek::read) {
            self.tally.see(event);
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>, unfinished: [bool; 2]) -> Poll<Why> {
        if self.cut.poll(cx).is_ready() {
            return Poll::Ready(Why::Draining);
        }
        if let Poll::Ready(refusal) = self.tally.poll(cx) {
            return Poll::Ready(Why::Refused(Box::new(refusal)));
        }
        loop {
            let look = self.look.get_or_insert_with(|| {
                let mut look = tokio::time::interval(LOOK);
                look.set_missed_tick_behavior(MissedTickBehavior::Delay);
                look
            });
            if look.poll_tick(cx).is_pending() {
                return Poll::Pending;
            }
            if let Some(why) = self.judge(unfinished) {
                return Poll::Ready(why);
            }
        }
    }

    fn last_words(&self, why: &Why) -> Option<Bytes> {
        if self.speaks_openai { why.event() } else { None }
    }
}
