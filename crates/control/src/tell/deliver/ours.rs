//! Calls that an agent's library tells of without saying where they went. If the gateway served one like it in the same
//! trace at that time, it is that one, and is not counted a second time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tidegate_records::{Filter, RecordId, RequestRecord, Span, Text, Timing};

use super::{Delivery, own, pairs};
use crate::call::Call;
use crate::tell::told::Told;
use crate::traces::same::{APART_US, is_of_nowhere, same};

/// How long the teller waits at most while the gateway's own records are being written: it blocks the agent.
const PATIENCE: Duration = Duration::from_millis(600);
/// Twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// The newest records of the traces in question. Calls that are further back are counted as told.
const MOST: usize = 1_000;
const MOST_TRACES: usize = 200;

impl Delivery {
    /// Marks them. When the records cannot be read now, none is.
    pub(super) async fn find_ours(&self, call: &Call, told: &mut [Told]) {
        let asked: Vec<(usize, RequestRecord)> =
            told.iter().enumerate().filter_map(|(at, one)| Some((at, self.of_nowhere(at, one)?))).collect();
        let (Some(records), Some(first)) =
            (&call.api.options.records, asked.iter().map(|(_, one)| one.id().unix_ms()).min())
        else {
            return;
        };
        let traces: BTreeSet<&str> = asked.iter().map(|(_, one)| &*one.span.trace).collect();
        let filter = Filter {
            from_ms: Some(first.saturating_sub(APART_US / 1_000)),
            organisation: vec![self.organisation.clone()],
            workspace: vec![self.workspace.clone()],
            trace: traces.into_iter().take(MOST_TRACES).map(str::to_owned).collect(),
            ..Filter::default()
        };
        let (end, mut pause) = (Instant::now() + PATIENCE, FIRST_PAUSE);
        let pushed = self.pipe.stats().accepted;
        loop {
            // Before the records are read: what had been pushed by now is among them then.
            let is_written = self.pipe.stats().safe() >= pushed;
            let filter = filter.clone();
            let Ok(page) = records.ask(move |reader| reader.records(&filter, None, MOST)).await else {
                return;
            };
            let mut by_trace = BTreeMap::<&str, Vec<RequestRecord>>::new();
            let told_now = asked.iter().map(|(_, one)| one);
            for one in told_now.chain(page.rows.iter().filter(|one| one.source.is_empty())) {
                by_trace.entry(&one.span.trace).or_default().push(one.clone());
            }
            let ours: BTreeSet<u64> =
                by_trace.values().flat_map(|records| same(records).into_keys()).collect();
            if ours.len() == asked.len() || is_written || Instant::now() > end {
                for (at, _) in asked.iter().filter(|(_, one)| ours.contains(&one.id)) {
                    if let Some(call) = told.get_mut(*at).and_then(|one| one.call.as_mut()) {
                        call.is_ours = true;
                    }
                }
                return;
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// As much of the call's record as tells which call it is; `None` for what says where it went.
    fn of_nowhere(&self, at: usize, told: &Told) -> Option<RequestRecord> {
        let call = told.call.as_ref().filter(|call| !call.is_ours)?;
        let record = RequestRecord {
            // Of no other item.
            id: RecordId::first_of(self.start_us(told) / 1_000).bits() | at as u64,
            path: own(&call.url),
            asked_model: own(&call.asked_model),
            model: own(&call.model),
            timing: Timing { total_us: told.duration_us, ..Timing::default() },
            span: Span { trace: own(&told.trace), span: own(&told.span), ..Span::default() },
            who: tidegate_records::Who { metadata: pairs(&told.metadata), ..Default::default() },
            source: Text::Fixed(told.source),
            ..RequestRecord::default()
        };
        (is_of_nowhere(&record) && !told.trace.is_empty()).then_some(record)
    }
}
