//! `/v1/analytics/graphs/…` and `/summary/cache`: the reference's graphs with its names and units. Money is cents, times are
//! milliseconds, shares are percent; a bucket in which nothing is has zeros.

use schemars::JsonSchema;
use serde::Serialize;
use tidegate_insight::{Amount, Bucket, Cell, Dimension, Group, Query as Question, Shape, Sum, Wants};
use tidegate_records::StatusFilter;

use super::{Asking, ask, filled};
use crate::call::Call;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum GraphWord {
    AnalyticsGraph,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Graph<S, P> {
    object: GraphWord,
    summary: S,
    data_points: Vec<P>,
    /// As `data_points`: one of the official clients looks here.
    data: Vec<P>,
}

impl<S, P: Clone> Graph<S, P> {
    pub(super) fn new(summary: S, points: Vec<P>) -> Self {
        Self { object: GraphWord::AnalyticsGraph, summary, data: points.clone(), data_points: points }
    }
}

/// A figure of a bucket.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct At<T> {
    /// When the bucket begins.
    pub(super) timestamp: Timestamp,
    #[serde(flatten)]
    pub(super) figures: T,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Total {
    pub(super) total: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Mean {
    pub(super) avg: f64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct TotalAndMean {
    total: u64,
    avg: f64,
}

/// Cents.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Cents {
    total: f64,
    avg: f64,
}

/// Milliseconds.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Latency {
    avg: f64,
    p50: f64,
    p90: f64,
    p99: f64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct PerUser {
    /// Requests that name a user.
    total: u64,
    /// Different users.
    unique: u64,
    avg: f64,
}

/// Percent.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Rate {
    rate: f64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Stack {
    stats: Vec<OfStatus>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct OfStatus {
    response_status_code: u16,
    count: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Codes {
    total_errors: u64,
    unique_error_codes: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Code {
    status_code: u16,
    count: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Rescues {
    retry: u64,
    fallback: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct RescuesByTries {
    retry: Vec<Tries>,
    fallback: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
struct Tries {
    /// Retries before it succeeded; 5 is five or more.
    retry_success_count: u64,
    count: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct HitRate {
    /// Hits.
    total: u64,
    rate: f64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Hits {
    simple_hits: u64,
    semantic_hits: u64,
    rate: f64,
    cumulative_simple_cache_savings: f64,
    cumulative_semantic_cache_savings: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum SummaryWord {
    AnalyticsSummary,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CacheSummary {
    object: SummaryWord,
    summary: CacheFigures,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CacheFigures {
    hits: u64,
    /// Of hits, milliseconds.
    avg_latency: f64,
    /// For which the cache was asked.
    total_requests: u64,
    /// Mean time of a miss over that of a hit.
    cache_speedup: f64,
}

const PLAIN: Wants = Wants::NUMBERS;
const SHAPES: Wants = Wants::ALL;
const USERS: Wants = Wants::NUMBERS.with_users(true);
/// Statuses that are told apart.
const STATUSES: usize = 500;

type Points<T> = Vec<At<T>>;

/// The whole, and a figure of each bucket.
async fn over_time<T>(
    call: &Call,
    query: &Asking,
    wants: Wants,
    mut figures: impl FnMut(&Cell) -> T,
) -> Result<(Cell, Points<T>), Problem> {
    let chosen = query.chosen(call).await?;
    let question = chosen.question(chosen.usual_bucket(), wants);
    let answer = ask(call, question.clone()).await?;
    let nothing = Cell::default();
    let Some(Group { total, points, .. }) = answer.groups.into_iter().next() else {
        return Ok((nothing, Vec::new()));
    };
    let points = filled(&question, &points)
        .map(|(start, cell)| At { timestamp: Timestamp(start), figures: figures(cell.unwrap_or(&nothing)) });
    let points = points.collect();
    Ok((total, points))
}

/// 0 where there is nothing to divide by.
pub(super) fn over(top: f64, bottom: u64) -> f64 {
    if bottom == 0 { 0.0 } else { top / bottom as f64 }
}

pub(super) fn cents(picos: u128) -> f64 {
    // Dollars have 12 decimals, cents 10: the division by a power of ten gives the nearest that a number can say.
    picos as f64 / 1e10
}

fn total(sum: Sum) -> impl Fn(&Cell) -> Total {
    move |cell| Total { total: cell.sum(sum) }
}

pub(crate) async fn requests(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, At<Total>>> {
    let (all, points) = over_time(&call, &query, PLAIN, total(Sum::Requests)).await?;
    ok(Graph::new(total(Sum::Requests)(&all), points))
}

pub(crate) async fn cost(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Cents, At<Cents>>> {
    let figures = |cell: &Cell| {
        let total = cents(cell.amount(Amount::Cost));
        Cents { total, avg: over(total, cell.sum(Sum::Requests)) }
    };
    let (all, points) = over_time(&call, &query, PLAIN, figures).await?;
    ok(Graph::new(figures(&all), points))
}

pub(crate) async fn latency(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Latency, At<Latency>>> {
    let figures = |cell: &Cell| {
        let quantile = |share| cell.shape(Shape::Latency).quantile(share).unwrap_or(0.0) / 1e3;
        let avg = over(cell.sum(Sum::LatencyUs) as f64 / 1e3, cell.sum(Sum::Requests));
        Latency { avg, p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99) }
    };
    let (all, points) = over_time(&call, &query, SHAPES, figures).await?;
    ok(Graph::new(figures(&all), points))
}

pub(crate) async fn tokens(
    call: Call,
    query: Asking,
    _: Nothing,
) -> Answer<Graph<TotalAndMean, At<TotalAndMean>>> {
    let figures = |cell: &Cell| {
        let total = cell.sum(Sum::Prompt).saturating_add(cell.sum(Sum::Output));
        TotalAndMean { total, avg: over(total as f64, cell.sum(Sum::Requests)) }
    };
    let (all, points) = over_time(&call, &query, PLAIN, figures).await?;
    ok(Graph::new(figures(&all), points))
}

pub(crate) async fn users(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, At<Total>>> {
    let figures = |cell: &Cell| Total { total: cell.users() };
    let (all, points) = over_time(&call, &query, USERS, figures).await?;
    ok(Graph::new(figures(&all), points))
}

pub(crate) async fn requests_per_user(
    call: Call,
    query: Asking,
    _: Nothing,
) -> Answer<Graph<PerUser, At<Mean>>> {
    let avg = |cell: &Cell| over(cell.sum(Sum::WithUser) as f64, cell.users());
    let (all, points) = over_time(&call, &query, USERS, |cell| Mean { avg: avg(cell) }).await?;
    let summary = PerUser { total: all.sum(Sum::WithUser), unique: all.users(), avg: avg(&all) };
    ok(Graph::new(summary, points))
}

pub(crate) async fn errors(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, At<Total>>> {
    let (all, points) = over_time(&call, &query, PLAIN, total(Sum::Errors)).await?;
    ok(Graph::new(total(Sum::Errors)(&all), points))
}

pub(crate) async fn error_rate(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Rate, At<Rate>>> {
    let figures =
        |cell: &Cell| Rate { rate: over(cell.sum(Sum::Errors) as f64 * 100.0, cell.sum(Sum::Requests)) };
    let (all, points) = over_time(&call, &query, PLAIN, figures).await?;
    ok(Graph::new(figures(&all), points))
}

/// Errors by their status, with the question for the buckets.
async fn by_status(
    call: &Call,
    query: &Asking,
    bucket: Option<Bucket>,
) -> Result<(Question, Vec<(u16, Group)>), Problem> {
    let chosen = query.chosen(call).await?;
    let bucket = bucket.unwrap_or_else(|| chosen.usual_bucket());
    let mut question = chosen.grouped(bucket, Dimension::Status, STATUSES, PLAIN);
    // A filter that is there says which statuses; of those, errors are counted.
    question.filter.status.get_or_insert(StatusFilter::Range(400, u16::MAX));
    let answer = ask(call, question.clone()).await?;
    let of_status = |group: Group| Some((group.key.as_ref()?.parse::<u16>().ok()?, group));
    let mut groups: Vec<(u16, Group)> = answer.groups.into_iter().filter_map(of_status).collect();
    groups.retain(|(status, _)| *status >= 400);
    Ok((question, groups))
}

pub(crate) async fn error_stacks(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, At<Stack>>> {
    let (question, mut groups) = by_status(&call, &query, None).await?;
    groups.sort_by_key(|(status, _)| *status);
    let points = filled(&question, &[])
        .map(|(start, _)| {
            let of_status = |(status, group): &(u16, Group)| {
                let cell = group.points.iter().find(|(own, _)| *own == start).map(|(_, cell)| cell)?;
                Some(OfStatus { response_status_code: *status, count: cell.sum(Sum::Requests) })
            };
            let stats = groups.iter().filter_map(of_status).collect();
            At { timestamp: Timestamp(start), figures: Stack { stats } }
        })
        .collect();
    let total = groups.iter().map(|(_, group)| group.total.sum(Sum::Requests)).sum();
    ok(Graph::new(Total { total }, points))
}

pub(crate) async fn error_codes(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Codes, Code>> {
    let (_, groups) = by_status(&call, &query, Some(Bucket::None)).await?;
    let code =
        |(status, group): &(u16, Group)| Code { status_code: *status, count: group.total.sum(Sum::Requests) };
    let codes: Vec<Code> = groups.iter().map(code).collect();
    let total_errors = codes.iter().map(|code| code.count).sum();
    ok(Graph::new(Codes { total_errors, unique_error_codes: codes.len() as u64 }, codes))
}

const RETRIED: [Sum; 5] = [Sum::Retried1, Sum::Retried2, Sum::Retried3, Sum::Retried4, Sum::Retried5];

pub(crate) async fn rescued(
    call: Call,
    query: Asking,
    _: Nothing,
) -> Answer<Graph<Rescues, At<RescuesByTries>>> {
    let figures = |cell: &Cell| {
        let tries = (1..).zip(RETRIED).map(|(retries, sum)| (retries, cell.sum(sum)));
        let tries = tries.filter(|(_, count)| *count > 0);
        let retry = tries.map(|(retry_success_count, count)| Tries { retry_success_count, count }).collect();
        RescuesByTries { retry, fallback: cell.sum(Sum::FellBack) }
    };
    let (all, points) = over_time(&call, &query, PLAIN, figures).await?;
    let retry = RETRIED.iter().map(|sum| all.sum(*sum)).sum();
    ok(Graph::new(Rescues { retry, fallback: all.sum(Sum::FellBack) }, points))
}

fn hits(cell: &Cell) -> u64 {
    cell.sum(Sum::CacheHits) + cell.sum(Sum::SemanticHits)
}

fn misses(cell: &Cell) -> u64 {
    cell.sum(Sum::CacheMisses) + cell.sum(Sum::Refreshed)
}

fn hit_rate(cell: &Cell) -> f64 {
    over(hits(cell) as f64 * 100.0, hits(cell) + misses(cell))
}

pub(crate) async fn cache_hits(call: Call, query: Asking, _: Nothing) -> Answer<Graph<HitRate, At<Hits>>> {
    let (mut simple, mut semantic) = (0u128, 0u128);
    let figures = |cell: &Cell| {
        simple += cell.amount(Amount::Saved);
        semantic += cell.amount(Amount::SavedSemantic);
        Hits {
            simple_hits: cell.sum(Sum::CacheHits),
            semantic_hits: cell.sum(Sum::SemanticHits),
            rate: hit_rate(cell),
            cumulative_simple_cache_savings: cents(simple),
            cumulative_semantic_cache_savings: cents(semantic),
        }
    };
    let (all, points) = over_time(&call, &query, PLAIN, figures).await?;
    ok(Graph::new(HitRate { total: hits(&all), rate: hit_rate(&all) }, points))
}

pub(crate) async fn cache_latency(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Nothing, At<Mean>>> {
    let figures = |cell: &Cell| Mean { avg: over(cell.sum(Sum::CacheHitUs) as f64 / 1e3, hits(cell)) };
    let (_, points) = over_time(&call, &query, PLAIN, figures).await?;
    ok(Graph::new(Nothing {}, points))
}

pub(crate) async fn cache_summary(call: Call, query: Asking, _: Nothing) -> Answer<CacheSummary> {
    let chosen = query.chosen(&call).await?;
    let answer = ask(&call, chosen.question(Bucket::None, PLAIN)).await?;
    let cell = answer.groups.into_iter().next().map(|group| group.total).unwrap_or_default();
    let avg_latency = over(cell.sum(Sum::CacheHitUs) as f64 / 1e3, hits(&cell));
    let of_misses = over(cell.sum(Sum::CacheMissUs) as f64 / 1e3, misses(&cell));
    let cache_speedup = if avg_latency > 0.0 { of_misses / avg_latency } else { 0.0 };
    ok(CacheSummary {
        object: SummaryWord::AnalyticsSummary,
        summary: CacheFigures {
            hits: hits(&cell),
            avg_latency,
            total_requests: hits(&cell) + misses(&cell),
            cache_speedup,
        },
    })
}
