//! `GET /v1/providers/health`: whether providers are well, by what became of a workspace's requests to them.

use schemars::JsonSchema;
use serde::Serialize;
use tidegate_alerts::outage::{Health, Sent, State};
use tidegate_records::{Filter, RequestRecord};
use tidegate_store::Home;

use crate::alerts::question::of_workspace;
use crate::call::Call;
use crate::find::Place;
use crate::listing::ListWord;
use crate::problem::Problem;
use crate::records::Records;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

/// What is looked at.
const WINDOW_MS: u64 = 300_000;
/// Fewer requests say nothing.
const LEAST: u64 = 5;
/// How far back it is looked since when something is so.
const BACK_MS: u64 = 900_000;
/// Requests that are read, the newest; at more than three in a second what is older is left out.
const MOST: usize = 3_000;
/// Records of one read.
const AT_ONCE: usize = 1_000;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Providers {
    object: ListWord,
    /// Those that something was sent to in the last five minutes.
    data: Vec<Row>,
    window_seconds: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Its id in the catalogue.
    provider: String,
    state: State,
    /// Of one that is degraded or down: when the faults began that make it so.
    since: Option<Timestamp>,
    /// Sent to it in the window, retries and fallbacks among them.
    requests: u64,
    /// Of these, the ones that failed by its own fault: answers from 500 on, silence, connections that fail or break.
    faults: u64,
}

pub(crate) async fn health(call: Call, place: Place, _: Nothing) -> Answer<Providers> {
    let home = call.home(place.workspace_id.as_deref()).await?;
    let all = match &call.api.options.records {
        None => Vec::new(),
        Some(records) => of_workspace(records, home, call.now(), WINDOW_MS, LEAST).await?,
    };
    let row = |one: Health| Row {
        provider: one.provider,
        state: one.state,
        since: one.since.map(Timestamp),
        requests: one.requests,
        faults: one.faults,
    };
    let data = all.into_iter().map(row).collect();
    ok(Providers { object: ListWord::List, data, window_seconds: WINDOW_MS / 1_000 })
}

/// What was sent to providers for a workspace, as far back as is looked at, in no order.
///
/// # Errors
/// 503: the records cannot be read now.
pub(crate) async fn sent(records: &Records, home: Home, now: u64) -> Result<Vec<Sent>, Problem> {
    let filter = Filter {
        from_ms: Some(now.saturating_sub(BACK_MS)),
        organisation: vec![home.organisation.to_string()],
        workspace: vec![home.workspace.map(|id| id.to_string()).unwrap_or_default()],
        ..Filter::default()
    };
    records
        .ask(move |reader| {
            let (mut all, mut before, mut read) = (Vec::new(), None, 0);
            loop {
                let page = reader.records(&filter, before, AT_ONCE)?;
                page.rows.iter().for_each(|record| add(record, &mut all));
                read += page.rows.len();
                before = page.next;
                if before.is_none() || read >= MOST {
                    return Ok(all);
                }
            }
        })
        .await
}

fn add(record: &RequestRecord, all: &mut Vec<Sent>) {
    // Told by others: nobody here saw how it went.
    if !record.source.is_empty() {
        return;
    }
    let last = record.attempts.len();
    let is_broken = matches!(&*record.end, "upstream_cut" | "upstream_error" | "stalled");
    for (at, attempt) in record.attempts.iter().enumerate() {
        // Refused before anything was sent.
        if attempt.provider.is_empty() || &*attempt.error == "denied" {
            continue;
        }
        let is_fault = matches!(&*attempt.error, "timeout" | "network")
            || attempt.status.is_some_and(|status| status >= 500)
            || (is_broken && at + 1 == last);
        all.push(Sent {
            provider: attempt.provider.to_string(),
            at: record.id().unix_ms() + attempt.start_us / 1_000,
            is_fault,
        });
    }
}
