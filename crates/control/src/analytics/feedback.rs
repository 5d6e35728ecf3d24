//! `/v1/analytics/graphs/feedbacks…`, and what groups say of feedback: marks by the time at which they were given, joined
//! to records by their trace where the question asks for more than a time.

use std::collections::{BTreeMap, HashMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;
use tidegate_insight::Dimension;
use tidegate_records::traces::{Feedback, Place};
use tidegate_records::{Filter, ListRow};

use super::graphs::{At, Graph, Mean, Total};
use super::{Asking, Chosen};
use crate::call::Call;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

/// Traces that are asked for at once.
const AT_ONCE: usize = 500;
/// Records of a list, and lists of so many traces: agents make many records under one trace.
const ROWS: usize = 1_000;
const PAGES: usize = 20;

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Score {
    /// -10 to 10.
    score: i8,
    total: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct OfModel {
    ai_model: String,
    total: u64,
    avg_weighted_feedback: f64,
}

/// Of a group of requests.
#[derive(Debug, Clone, Default)]
pub(super) struct OfGroup {
    /// Traces with feedback.
    pub(super) requests: u64,
    /// Of all marks, each with its weight; `None` where there are none.
    pub(super) weighted: Option<f64>,
}

/// Marks with weights, added up.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: u64,
    /// Millionths.
    value: i64,
    weight: u64,
}

impl Sum {
    fn of<'m>(marks: impl IntoIterator<Item = &'m Feedback>) -> Self {
        marks.into_iter().fold(Self::default(), |sum, mark| Self {
            count: sum.count + 1,
            value: sum.value.saturating_add(mark.weighted_millionths()),
            weight: sum.weight.saturating_add(u64::from(mark.weight.millionths())),
        })
    }

    fn mean(self) -> Option<f64> {
        (self.weight > 0).then(|| self.value as f64 / self.weight as f64)
    }
}

/// The marks of the time that the question is about, oldest first.
async fn given(call: &Call, chosen: &Chosen) -> Result<Vec<Feedback>, Problem> {
    let Some(books) = &call.api.options.books else { return Ok(Vec::new()) };
    let filter = &chosen.filter;
    let first = |of: &[String]| of.first().cloned().unwrap_or_default();
    let place = Place { organisation: first(&filter.organisation), workspace: first(&filter.workspace) };
    let (from_ms, to_ms) = (chosen.from_ms, chosen.to_ms);
    let mut given = books.ask(move |book| book.feedback_between(&place, from_ms, to_ms)).await?;
    given.retain(|mark| chosen.marks.is_none_or(|marks| marks.hold(mark)));
    Ok(given)
}

/// The marks that the question is about, oldest first.
async fn marks(call: &Call, chosen: &Chosen) -> Result<Vec<Feedback>, Problem> {
    let filter = &chosen.filter;
    let only_time = Filter {
        organisation: filter.organisation.clone(),
        workspace: filter.workspace.clone(),
        from_ms: filter.from_ms,
        to_ms: filter.to_ms,
        ..Filter::default()
    };
    if *filter == only_time {
        return given(call, chosen).await;
    }
    // Who sees some requests only sees their feedback, and feedback on nothing that is kept is no request's.
    let joined = joined(call, chosen).await?;
    Ok(joined.into_iter().map(|(mark, _)| mark).collect())
}

/// The marks on requests that the question is about, each with the newest record of its trace.
async fn joined(call: &Call, chosen: &Chosen) -> Result<Vec<(Feedback, ListRow)>, Problem> {
    let marks = given(call, chosen).await?;
    let rows = records(call, chosen, &marks).await?;
    let with_row = |mark: Feedback| rows.get(&mark.trace).cloned().map(|row| (mark, row));
    Ok(marks.into_iter().filter_map(with_row).collect())
}

/// The newest record of each trace that has a mark, as far as the question lets records be seen.
async fn records(
    call: &Call,
    chosen: &Chosen,
    marks: &[Feedback],
) -> Result<HashMap<String, ListRow>, Problem> {
    let Some(records) = &call.api.options.records else { return Ok(HashMap::new()) };
    let distinct: HashSet<&str> = marks.iter().map(|mark| mark.trace.as_str()).collect();
    let traces: Vec<String> = distinct.into_iter().map(str::to_owned).collect();
    // A mark may come long after the request that it is for.
    let filter = Filter { from_ms: None, to_ms: None, ..chosen.filter.clone() };
    let find = move |shelf: &mut dyn crate::records::Shelf| {
        let mut found = HashMap::new();
        for traces in traces.chunks(AT_ONCE) {
            let filter = Filter { trace: traces.to_vec(), ..filter.clone() };
            let mut before = None;
            for _ in 0..PAGES {
                let page = shelf.list(&filter, before, ROWS)?;
                for row in page.rows {
                    // Newest first.
                    found.entry(row.trace.clone()).or_insert(row);
                }
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
        }
        Ok(found)
    };
    records.ask(find).await
}

/// What was said of requests, by what tells them apart: the model, or a member of the metadata.
pub(super) async fn of_groups(
    call: &Call,
    chosen: &Chosen,
    dimension: &Dimension,
) -> Result<HashMap<String, OfGroup>, Problem> {
    let joined = joined(call, chosen).await?;
    let key = |row: &ListRow| match dimension {
        Dimension::Metadata(name) => {
            row.metadata.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())
        }
        _ => Some(row.model.clone()),
    };
    let mut groups = HashMap::<String, Vec<&Feedback>>::new();
    for (mark, row) in &joined {
        if let Some(key) = key(row) {
            groups.entry(key).or_default().push(mark);
        }
    }
    let of_group = |(key, marks): (String, Vec<&Feedback>)| {
        let traces: HashSet<&str> = marks.iter().map(|mark| mark.trace.as_str()).collect();
        (key, OfGroup { requests: traces.len() as u64, weighted: Sum::of(marks).mean() })
    };
    Ok(groups.into_iter().map(of_group).collect())
}

/// The whole, and a figure of each bucket.
async fn over_time<T>(
    call: &Call,
    query: &Asking,
    figures: impl Fn(Sum) -> T,
) -> Result<(T, Vec<At<T>>), Problem> {
    let chosen = query.chosen(call).await?;
    let marks = marks(call, &chosen).await?;
    let bucket = chosen.usual_bucket();
    let mut by_start = BTreeMap::<u64, Vec<&Feedback>>::new();
    for mark in &marks {
        by_start.entry(bucket.start(mark.id.unix_ms())).or_default().push(mark);
    }
    let at = |start: u64| {
        let here = by_start.get(&start).into_iter().flatten().copied();
        At { timestamp: Timestamp(start), figures: figures(Sum::of(here)) }
    };
    let points = bucket.all(chosen.from_ms, chosen.to_ms).map(at).collect();
    Ok((figures(Sum::of(&marks)), points))
}

pub(crate) async fn count(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, At<Total>>> {
    let (all, points) = over_time(&call, &query, |sum| Total { total: sum.count }).await?;
    ok(Graph::new(all, points))
}

pub(crate) async fn scores(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, Score>> {
    let chosen = query.chosen(&call).await?;
    let marks = marks(&call, &chosen).await?;
    let mut by_score = BTreeMap::<i8, u64>::new();
    marks.iter().for_each(|mark| *by_score.entry(mark.value.get()).or_default() += 1);
    let points = by_score.into_iter().map(|(score, total)| Score { score, total }).collect();
    ok(Graph::new(Total { total: marks.len() as u64 }, points))
}

pub(crate) async fn weighted(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Mean, At<Mean>>> {
    let figures = |sum: Sum| Mean { avg: sum.mean().unwrap_or(0.0) };
    let (all, points) = over_time(&call, &query, figures).await?;
    ok(Graph::new(all, points))
}

pub(crate) async fn by_model(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Nothing, OfModel>> {
    let chosen = query.chosen(&call).await?;
    let joined = joined(&call, &chosen).await?;
    let mut models = BTreeMap::<&str, Vec<&Feedback>>::new();
    for (mark, row) in &joined {
        models.entry(&row.model).or_default().push(mark);
    }
    let of_model = |(model, marks): (&str, Vec<&Feedback>)| {
        let sum = Sum::of(marks);
        let avg_weighted_feedback = sum.mean().unwrap_or(0.0);
        OfModel { ai_model: model.to_owned(), total: sum.count, avg_weighted_feedback }
    };
    ok(Graph::new(Nothing {}, models.into_iter().map(of_model).collect()))
}
