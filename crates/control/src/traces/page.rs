//! A page of traces, the one with the latest call or span first. Reads block.
//!
//! Neither store lists traces: records and spans come newest first, each trace is taken where its first one is met, and
//! is then read whole. One that a later page meets again by an older record was on an earlier page already.

use std::collections::{HashMap, HashSet, VecDeque};

use tidegate_records::traces::{Book, MOST_SPANS, Place, ToldSpan};
use tidegate_records::{Facts, Filter, ReadError, Reader, RecordId, RequestRecord};

use super::{Row, tree};

/// Records and spans of one read.
const AT_ONCE: usize = 500;
/// Records and spans that are looked at for a page: one that finds fewer traces is short, and says where to go on.
const MOST_LOOKED_AT: usize = 20_000;
/// Records and spans of a trace are looked for this long before and after the one that was met.
const AROUND_MS: u64 = 24 * 3_600_000;

/// What a list asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// With organisation and workspace.
    pub(super) records: Filter,
    pub(super) place: Option<Place>,
    pub(super) before: Option<RecordId>,
    pub(super) size: usize,
}

impl Wanted {
    fn takes(&self, span: &ToldSpan) -> bool {
        let filter = &self.records;
        let any = |names: &[String], own: &str| names.is_empty() || names.iter().any(|name| name == own);
        let has = |name: &str, value: &str| {
            span.metadata.iter().any(|(own, told)| **own == *name && **told == *value)
        };
        let at = span.id().unix_ms();
        filter.from_ms.is_none_or(|from| at >= from)
            && filter.to_ms.is_none_or(|to| at < to)
            && any(&filter.user, &span.user)
            && any(&filter.key_owner, &span.key_owner)
            && any(&filter.session, &span.session)
            && filter.metadata.iter().all(|(name, value)| has(name, value))
    }
}

/// Rows, and where the next page goes on.
pub(super) fn page(
    reader: &mut dyn Reader,
    book: &mut dyn Book,
    wanted: &Wanted,
) -> Result<(Vec<Row>, Option<RecordId>), ReadError> {
    let mut both = Both::new(wanted);
    let (mut met, mut seen, mut looked_at) = (Vec::<(RecordId, String)>::new(), HashSet::new(), 0);
    let mut next = None;
    while let Some((id, trace)) = both.next(reader, book, wanted)? {
        looked_at += 1;
        if !trace.is_empty() && seen.insert(trace.clone()) {
            if met.len() == wanted.size {
                next = met.last().map(|(id, _)| *id);
                break;
            }
            met.push((id, trace));
        }
        if looked_at >= MOST_LOOKED_AT {
            next = Some(id);
            break;
        }
    }
    let Some(((newest, _), (oldest, _))) = met.first().zip(met.last()) else { return Ok((Vec::new(), next)) };
    let from_ms = oldest.unix_ms().saturating_sub(AROUND_MS);
    let whole = Whole::read(reader, book, wanted, &met, (from_ms, newest.unix_ms() + AROUND_MS))?;
    let mut rows = Vec::with_capacity(met.len());
    for (_, trace) in &met {
        let (records, told) = whole.of(trace);
        let newest = newest_of(wanted, records, told);
        if wanted.before.is_some_and(|before| newest >= before) {
            continue;
        }
        let tree = tree::of(trace, records, told, false);
        rows.push(Row { summary: tree.summary, spans: tree.spans });
    }
    Ok((rows, next))
}

/// Of what the list asks for.
fn newest_of(wanted: &Wanted, records: &[RequestRecord], told: &[ToldSpan]) -> RecordId {
    let fits = records.iter().filter(|record| wanted.records.fits(&Facts::of(record))).map(RequestRecord::id);
    let told = told.iter().filter(|span| wanted.takes(span)).map(ToldSpan::id);
    fits.chain(told).max().unwrap_or_default()
}

/// Records and spans together, newest first.
struct Both {
    records: Source,
    spans: Source,
}

#[derive(Default)]
struct Source {
    waiting: VecDeque<(RecordId, String)>,
    before: Option<RecordId>,
    is_over: bool,
}

impl Both {
    fn new(wanted: &Wanted) -> Self {
        let source = || Source { before: wanted.before, ..Source::default() };
        Self { records: source(), spans: source() }
    }

    fn next(
        &mut self,
        reader: &mut dyn Reader,
        book: &mut dyn Book,
        wanted: &Wanted,
    ) -> Result<Option<(RecordId, String)>, ReadError> {
        // A page may be empty though there is more behind it.
        while self.records.waiting.is_empty() && !self.records.is_over {
            let page = reader.list(&wanted.records, self.records.before, AT_ONCE)?;
            self.records.is_over = page.next.is_none();
            self.records.before = page.next;
            self.records.waiting = page.rows.into_iter().map(|row| (row.id, row.trace)).collect();
        }
        while self.spans.waiting.is_empty() && !self.spans.is_over {
            let Some(place) = &wanted.place else { break };
            let end = wanted.records.to_ms.map_or(RecordId::from_bits(u64::MAX), RecordId::first_of);
            let before = self.spans.before.map_or(end, |before| before.min(end));
            let found = book.spans_before(place, wanted.records.from_ms.unwrap_or(0), before, AT_ONCE);
            let found = found.map_err(|error| ReadError(error.to_string()))?;
            self.spans.is_over = found.len() < AT_ONCE;
            self.spans.before = found.last().map(ToldSpan::id);
            let taken = found.iter().filter(|span| wanted.takes(span));
            self.spans.waiting = taken.map(|span| (span.id(), span.trace.to_string())).collect();
        }
        let of = |source: &Source| source.waiting.front().map(|(id, _)| *id);
        let from = if of(&self.records) >= of(&self.spans) { &mut self.records } else { &mut self.spans };
        Ok(from.waiting.pop_front())
    }
}

/// Everything of some traces.
#[derive(Default)]
pub(super) struct Whole(HashMap<String, (Vec<RequestRecord>, Vec<ToldSpan>)>);

impl Whole {
    fn read(
        reader: &mut dyn Reader,
        book: &mut dyn Book,
        wanted: &Wanted,
        met: &[(RecordId, String)],
        (from_ms, to_ms): (u64, u64),
    ) -> Result<Self, ReadError> {
        let traces: Vec<String> = met.iter().map(|(_, trace)| trace.clone()).collect();
        let filter = Filter {
            organisation: wanted.records.organisation.clone(),
            workspace: wanted.records.workspace.clone(),
            key_owner: wanted.records.key_owner.clone(),
            from_ms: Some(from_ms),
            to_ms: Some(to_ms),
            trace: traces.clone(),
            ..Filter::default()
        };
        Self::of_traces(reader, book, wanted.place.as_ref(), &filter)
    }

    /// The traces that the filter names.
    pub(super) fn of_traces(
        reader: &mut dyn Reader,
        book: &mut dyn Book,
        place: Option<&Place>,
        filter: &Filter,
    ) -> Result<Self, ReadError> {
        let mut whole = Self::default();
        let (mut before, mut count) = (None, 0);
        while count < MOST_SPANS {
            let page = reader.records(filter, before, AT_ONCE)?;
            count += page.rows.len();
            for record in page.rows {
                whole.0.entry(record.span.trace.to_string()).or_default().0.push(record);
            }
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        if let Some(place) = place {
            let told = book.spans_of(place, &filter.trace).map_err(|error| ReadError(error.to_string()))?;
            let own = &filter.key_owner;
            for span in
                told.into_iter().filter(|span| own.is_empty() || own.contains(&span.key_owner.to_string()))
            {
                whole.0.entry(span.trace.to_string()).or_default().1.push(span);
            }
        }
        Ok(whole)
    }

    pub(super) fn of(&self, trace: &str) -> (&[RequestRecord], &[ToldSpan]) {
        self.0.get(trace).map_or((&[], &[]), |(records, told)| (records, told))
    }
}
