//! `GET /v1/logs/tail`: logs as they come, as server-sent events.
//!
//! The same rows as in the list, for the same callers and by the same filters: what this process stored since the tail was
//! opened. Whoever wants what was there before reads the list after the tail has begun, and knows rows that come twice by
//! their ids.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_store::store::Feed;
use tidegate_store::{Kind, StoreError};
use tokio::sync::mpsc::Sender;
use tokio::time::{MissedTickBehavior, interval};

use super::filter::Asked;
use super::row::Row;
use super::{Chosen, chosen};
use crate::body::{BrokenOff, Flow};
use crate::call::Call;
use crate::find::Place;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, Reply};
use crate::tails::{MOST, MOST_OF_ONE, News, NoTail, Tail};

pub(crate) const EVENTS: &str = "text/event-stream";
/// A comment, so that nobody on the way takes the stream for dead. A client that takes nothing for as long again is left.
const BEAT: Duration = Duration::from_secs(15);
/// How long a change of rights may go unnoticed when nobody tells this process of it.
const LOOK: Duration = Duration::from_millis(500);
/// What ends by the clock tells nobody.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Rows of one part of the stream.
const AT_ONCE: usize = 50;

static UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Query {
    #[serde(flatten)]
    asked: Asked,
    #[serde(flatten)]
    place: Place,
    /// As `workspace_id`.
    workspace_slug: Option<String>,
}

/// Server-sent events: logs as `data` with their `id`; `event: skipped` with `{"count"}` where the client was too slow;
/// `event: end` with `{"reason"}`, `revoked` or `shutdown`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Events {}

pub(crate) async fn serve(call: Call, query: Query, _: Nothing) -> Answer<Events> {
    let named = query.place.workspace_id.or(query.workspace_slug);
    let chosen = chosen(&call, &query.asked, named.as_deref()).await?;
    let none = || Problem::conflict("this gateway keeps no records of requests (records.enabled)");
    let tails = call.api.options.tails.as_ref().ok_or_else(none)?;
    // Before anything is told: a change of rights from here on is seen.
    let feed = call.store().feed().await?;
    let tail = tails.open(chosen.workspace.id, chosen.filter.clone()).map_err(refused)?;
    let (sender, flow) = Flow::new();
    tokio::spawn(Stream { call, chosen, named, asked: query.asked, feed, tail }.run(sender));
    Ok(Reply::flow(EVENTS, flow)
        .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .with_header(UNBUFFERED.clone(), HeaderValue::from_static("no")))
}

fn refused(why: NoTail) -> Problem {
    let full = |most: usize, whose: &str| {
        let message = format!(
            "{most} live tails are open {whose}, and more are not served; close one, or read GET /v1/logs"
        );
        Problem::new(StatusCode::TOO_MANY_REQUESTS, message).after_seconds(5)
    };
    match why {
        NoTail::Full => full(MOST, "on this gateway"),
        NoTail::WorkspaceFull => full(MOST_OF_ONE, "in this workspace"),
        NoTail::Closing => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the gateway is being stopped").after_seconds(1)
        }
    }
}

/// A tail that somebody reads.
struct Stream {
    call: Call,
    chosen: Chosen,
    named: Option<String>,
    asked: Asked,
    feed: Feed,
    tail: Tail,
}

impl Stream {
    async fn run(mut self, to: Sender<Result<Bytes, BrokenOff>>) {
        let ticks = |every| {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.reset();
            ticks
        };
        let (mut beat, mut look, mut look_again) = (ticks(BEAT), ticks(LOOK), ticks(LOOK_AGAIN));
        // At most one part waits here: what comes meanwhile waits in the tail, which has its bound.
        let mut part = Some(Bytes::from_static(b": the tail begins\n\n"));
        let mut is_stuck = false;
        let reason = loop {
            tokio::select! {
                biased;
                () = to.closed() => return,
                () = self.feed.woken() => if self.is_over(false).await { break "revoked" },
                _ = look.tick() => if self.is_over(false).await { break "revoked" },
                _ = look_again.tick() => if self.is_over(true).await { break "revoked" },
                _ = beat.tick() => match part {
                    Some(_) if is_stuck => return,
                    Some(_) => is_stuck = true,
                    None => part = Some(Bytes::from_static(b":\n\n")),
                },
                permit = to.reserve(), if part.is_some() => {
                    let Ok(permit) = permit else { return };
                    permit.send(Ok(part.take().unwrap_or_default()));
                    is_stuck = false;
                }
                news = self.tail.next(AT_ONCE), if part.is_none() => match news {
                    Some(news) => part = Some(self.written(&news)),
                    None => break "shutdown",
                },
            }
        };
        // Whoever has no room for it sees the end of the stream.
        let last = format!("event: end\ndata: {{\"reason\":\"{reason}\"}}\n\n");
        let _ = to.try_send(Ok(last.into()));
    }

    fn written(&self, News { records, skipped }: &News) -> Bytes {
        let mut text = String::new();
        for record in records {
            let row = Row::of(record, &self.chosen.workspace.entity.slug);
            // Rows are texts and numbers.
            let Ok(row) = serde_json::to_string(&row) else { continue };
            let _ = write!(text, "id: {}\ndata: {row}\n\n", record.id().uuid());
        }
        if *skipped > 0 {
            let _ = write!(text, "event: skipped\ndata: {{\"count\":{skipped}}}\n\n");
        }
        text.into()
    }

    /// Whether the caller may not see this any more. While the database is away what was so stays so.
    async fn is_over(&mut self, in_any_case: bool) -> bool {
        let mut changed = in_any_case;
        loop {
            match self.feed.poll().await {
                Ok(changes) if changes.is_empty() => break,
                Ok(changes) => changed |= changes.iter().any(|change| is_of_rights(change.kind)),
                Err(StoreError::ChangesGone { .. }) => {
                    changed = true;
                    match self.call.store().feed().await {
                        Ok(feed) => self.feed = feed,
                        Err(_) => return false,
                    }
                }
                Err(_) => return false,
            }
        }
        changed && !self.is_allowed().await
    }

    /// As if it were asked for now. What would be another tail now ends as well: the client opens that one.
    async fn is_allowed(&self) -> bool {
        let chosen = async {
            let call = self.call.again().await?;
            chosen(&call, &self.asked, self.named.as_deref()).await
        };
        match chosen.await {
            Ok(chosen) => chosen.view == self.chosen.view && chosen.workspace.id == self.chosen.workspace.id,
            Err(problem) => problem.status().is_server_error(),
        }
    }
}

fn is_of_rights(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Organisation | Kind::Workspace | Kind::User | Kind::Member | Kind::ApiKey | Kind::Session
    )
}
