//! Sessions: `/v1/sessions`, over the records of requests. A session is what requests name as one (a header, metadata,
//! baggage), with everything in their traces.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::Usage;
use tidegate_core::field::shown;
use tidegate_pricing::Decimal;
use tidegate_records::{Filter, ReadError, Reader, RecordId, RequestRecord, session};

use super::page::Whole;
use super::{Row as TraceRow, read, tree, within};
use crate::call::Call;
use crate::find::Place;
use crate::listing::{Count, ListWord};
use crate::logs::filter::{metadata, names, time};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

/// Sessions of a page.
const USUAL: u32 = 25;
const LARGEST: u32 = 100;
/// Records of one read.
const AT_ONCE: usize = 500;
/// Records that are looked at for a page: one that finds fewer sessions is short, and says where to go on.
const MOST_LOOKED_AT: usize = 20_000;
/// Records of the sessions of one answer.
const MOST_RECORDS: usize = 10_000;
/// Traces of one session.
const MOST_TRACES: usize = 500;
/// A list looks for the records of a session this long before the one that was met.
const BEFORE_MS: u64 = 7 * 24 * 3_600_000;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Query {
    /// RFC 3339.
    time_of_generation_min: Option<String>,
    time_of_generation_max: Option<String>,
    /// The users that metadata names, with commas between them.
    user: Option<String>,
    /// A JSON object of texts.
    metadata: Option<String>,
    /// 25 unless said otherwise; 100 at most.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    page_size: Count,
    /// `next` of the page before.
    before: Option<String>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    object: ListWord,
    /// The one with the latest request first, with figures of at most 7 days before it. A page may be short where sessions
    /// are rare among many records.
    data: Vec<Row>,
    /// For `before`; null: there are no more.
    next: Option<String>,
}

/// A session in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Row {
    #[serde(flatten)]
    figures: Figures,
    /// How many traces it has.
    traces: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SessionObject {
    object: SessionWord,
    #[serde(flatten)]
    figures: Figures,
    /// In the order of time, at most 500 of them.
    traces: Vec<TraceRow>,
    /// It has more than 10,000 requests or 500 traces: these are the latest of them.
    is_cut: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SessionWord {
    Session,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Figures {
    session_id: String,
    /// When its first and its last request began.
    first_at: Timestamp,
    last_at: Timestamp,
    /// Calls of models.
    requests: usize,
    /// Of them.
    errors: usize,
    /// An exact decimal in `currency`; null when nothing has a cost.
    cost: Option<String>,
    currency: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
    /// In the order of their first request.
    users: Vec<String>,
    models: Vec<String>,
}

pub(crate) async fn list(call: Call, query: Query, _: Nothing) -> Answer<Listed> {
    let (wanted, _) = within(&call, query.place.workspace_id.as_deref()).await?;
    let size = query.page_size.read("page_size", USUAL, 1..=LARGEST)?;
    let mut filter = wanted.records;
    filter.in_session = true;
    filter.from_ms = time("time_of_generation_min", query.time_of_generation_min.as_deref())?;
    // Of the last second, all.
    filter.to_ms = time("time_of_generation_max", query.time_of_generation_max.as_deref())?
        .map(|ms| ms.saturating_add(1_000));
    filter.user = names("user", query.user.as_deref())?;
    filter.metadata = metadata(query.metadata.as_deref())?;
    let before = match query.before.as_deref() {
        None => None,
        Some(text) => Some(text.parse::<RecordId>().map_err(|_| {
            Problem::field("before", format!("{} is none", shown(text)), "next of the page before")
        })?),
    };
    let found = read(&call, move |reader, _| page(reader, &filter, before, size)).await?;
    let (data, next) = found.unwrap_or_default();
    ok(Listed { object: ListWord::List, data, next: next.map(|id| id.to_string()) })
}

pub(crate) async fn retrieve(call: Call, named: Place, _: Nothing) -> Answer<SessionObject> {
    let missing = || Problem::not_found("this session");
    let name = call.name(0).to_owned();
    let (wanted, _) = within(&call, named.workspace_id.as_deref()).await?;
    let found = read(&call, move |reader, book| {
        let own = Filter { session: vec![name.clone()], ..wanted.records.clone() };
        let (mut all, is_cut) = gather(reader, &own, &wanted.records)?;
        let Some(records) = all.remove(&name) else { return Ok(None) };
        let traces = traces_of(&records);
        let is_cut = is_cut || traces.len() > MOST_TRACES;
        let latest = traces.iter().rev().take(MOST_TRACES).cloned().collect::<Vec<_>>();
        let filter = Filter { trace: latest.clone(), ..wanted.records };
        let whole = match latest.is_empty() {
            true => Whole::default(),
            false => Whole::of_traces(reader, book, wanted.place.as_ref(), &filter)?,
        };
        let row = |trace: &String| {
            let (records, told) = whole.of(trace);
            let tree = tree::of(trace, records, told, false);
            TraceRow { summary: tree.summary, spans: tree.spans }
        };
        let traces = latest.iter().rev().map(row).collect();
        let figures = Figures::of(&name, &records);
        Ok(Some(SessionObject { object: SessionWord::Session, figures, traces, is_cut }))
    });
    ok(found.await?.flatten().ok_or_else(missing)?)
}

/// Rows, and where the next page goes on. Each session is taken where its latest record is met: one that a later page meets
/// again by an older record was on an earlier page already.
fn page(
    reader: &mut dyn Reader,
    filter: &Filter,
    before: Option<RecordId>,
    size: usize,
) -> Result<(Vec<Row>, Option<RecordId>), ReadError> {
    let (mut met, mut seen, mut looked_at) = (Vec::<(RecordId, String)>::new(), HashSet::new(), 0);
    let (mut at, mut next) = (before, None);
    'pages: loop {
        let page = reader.list(filter, at, AT_ONCE)?;
        for row in page.rows {
            looked_at += 1;
            if seen.insert(row.session.clone()) {
                if met.len() == size {
                    next = met.last().map(|(id, _)| *id);
                    break 'pages;
                }
                met.push((row.id, row.session));
            }
            if looked_at >= MOST_LOOKED_AT {
                next = Some(row.id);
                break 'pages;
            }
        }
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    let Some((oldest, _)) = met.last() else { return Ok((Vec::new(), next)) };
    let place = Filter {
        organisation: filter.organisation.clone(),
        workspace: filter.workspace.clone(),
        key_owner: filter.key_owner.clone(),
        from_ms: Some(oldest.unix_ms().saturating_sub(BEFORE_MS)),
        ..Filter::default()
    };
    let own = Filter { session: met.iter().map(|(_, session)| session.clone()).collect(), ..place.clone() };
    let (all, _) = gather(reader, &own, &place)?;
    let mut rows = Vec::with_capacity(met.len());
    for (_, name) in &met {
        let Some(records) = all.get(name) else { continue };
        let fits = records.iter().filter(|record| filter.fits(&tidegate_records::Facts::of(record)));
        let newest = fits.map(RequestRecord::id).max().unwrap_or_default();
        if before.is_none_or(|before| newest < before) {
            rows.push(Row { figures: Figures::of(name, records), traces: traces_of(records).len() });
        }
    }
    Ok((rows, next))
}

/// The records that name the sessions and those in their traces, by session and in the order of time; and whether there
/// are more of them. `place` has no session and no trace.
fn gather(
    reader: &mut dyn Reader,
    own: &Filter,
    place: &Filter,
) -> Result<(HashMap<String, Vec<RequestRecord>>, bool), ReadError> {
    let (named, mut is_cut) = all(reader, own)?;
    let mut session_of: HashMap<String, String> = HashMap::new();
    for record in named.iter().filter(|record| !record.span.trace.is_empty()) {
        session_of.insert(record.span.trace.to_string(), session::of(record).to_owned());
    }
    let mut found: HashMap<String, HashMap<u64, RequestRecord>> = HashMap::new();
    for record in named {
        found.entry(session::of(&record).to_owned()).or_default().insert(record.id, record);
    }
    let mut traces: Vec<String> = session_of.keys().cloned().collect();
    traces.sort_unstable();
    if !traces.is_empty() {
        let (inside, more) = all(reader, &Filter { trace: traces, ..place.clone() })?;
        is_cut |= more;
        for record in inside.into_iter().filter(|record| session::of(record).is_empty()) {
            if let Some(session) = session_of.get(&*record.span.trace) {
                found.entry(session.clone()).or_default().insert(record.id, record);
            }
        }
    }
    let ordered = |records: HashMap<u64, RequestRecord>| {
        let mut records: Vec<RequestRecord> = records.into_values().collect();
        records.sort_by_key(|record| record.id);
        records
    };
    Ok((found.into_iter().map(|(session, records)| (session, ordered(records))).collect(), is_cut))
}

/// The latest of them.
fn all(reader: &mut dyn Reader, filter: &Filter) -> Result<(Vec<RequestRecord>, bool), ReadError> {
    let (mut records, mut before) = (Vec::new(), None);
    loop {
        let page = reader.records(filter, before, AT_ONCE)?;
        records.extend(page.rows);
        before = page.next;
        if before.is_none() || records.len() >= MOST_RECORDS {
            return Ok((records, before.is_some()));
        }
    }
}

/// In the order of their first request.
fn traces_of(records: &[RequestRecord]) -> Vec<String> {
    distinct(records.iter().map(|record| &*record.span.trace))
}

impl Figures {
    fn of(session: &str, records: &[RequestRecord]) -> Self {
        let same = super::same::same(records);
        let calls: Vec<&RequestRecord> =
            records.iter().filter(|record| !same.contains_key(&record.id)).collect();
        let costs: Vec<Decimal> =
            calls.iter().filter_map(|record| Decimal::from_str(&record.cost.amount).ok()).collect();
        let cost = costs.iter().try_fold(Decimal::ZERO, |sum, cost| sum.checked_add(*cost));
        let usage = |of: fn(&Usage) -> u64| -> u64 {
            calls.iter().filter_map(|record| record.usage.as_ref().map(of)).sum()
        };
        let at =
            |record: Option<&&RequestRecord>| Timestamp(record.map_or(0, |record| record.id().unix_ms()));
        let currency = calls.iter().map(|record| &*record.cost.currency).find(|text| !text.is_empty());
        Self {
            session_id: session.to_owned(),
            first_at: at(calls.first()),
            last_at: at(calls.last()),
            requests: calls.len(),
            errors: calls.iter().filter(|record| record.is_error()).count(),
            cost: cost.filter(|_| !costs.is_empty()).map(|cost| cost.normalize().to_string()),
            currency: currency.map(str::to_owned),
            input_tokens: usage(Usage::prompt),
            output_tokens: usage(|usage| usage.output),
            users: distinct(calls.iter().map(|record| &*record.who.user)),
            models: distinct(calls.iter().map(|record| match &*record.model {
                "" => &*record.asked_model,
                model => model,
            })),
        }
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen = HashSet::new();
    texts.filter(|text| !text.is_empty() && seen.insert(*text)).map(str::to_owned).collect()
}
