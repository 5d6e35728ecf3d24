//! `/v1/analytics/metrics` and `/v1/analytics/query`: any metrics of the table, over time and by what tells requests apart.
//! Money is US dollars and times are milliseconds, as the table says; what there is none of is null.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json};
use tidegate_core::field::shown;
use tidegate_insight::{Bucket, Cell, Dimension, Group, Metric, Query as Question, Value, Wants};

use super::{Asking, Chosen, ask, filled};
use crate::call::Call;
use crate::listing::ListWord;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

/// Buckets of an answer.
const MOST_BUCKETS: u64 = 1_500;
const USUAL_GROUPS: usize = 10;
const MOST_GROUPS: usize = 100;
const MOST_METRICS: usize = 20;

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Metrics {
    object: ListWord,
    total: usize,
    data: Vec<Shown>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Shown {
    id: &'static str,
    name: &'static str,
    name_zh: &'static str,
    /// `count`, `1/s`, `%`, `USD`, `ms`, `bytes`, `tokens/s`, `ratio`
    unit: &'static str,
    /// `count`, `sum`, `ratio`, `max`, `percentile`, `distinct`
    kind: &'static str,
    definition: &'static str,
    /// `up`, `down`, `none`
    better: &'static str,
    /// The name at `/metrics`, if it is there.
    prometheus: Option<&'static str>,
}

pub(crate) async fn metrics(_: Call, _: Nothing, _: Nothing) -> Answer<Metrics> {
    let shown = |metric: &'static Metric| Shown {
        id: metric.id,
        name: metric.name,
        name_zh: metric.name_zh,
        unit: metric.unit.text(),
        kind: metric.kind.text(),
        definition: metric.definition,
        better: metric.better.text(),
        prometheus: metric.prometheus,
    };
    let data: Vec<Shown> = Metric::all().iter().map(shown).collect();
    ok(Metrics { object: ListWord::List, total: data.len(), data })
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Query {
    #[serde(flatten)]
    asking: Asking,
    /// Ids of metrics with commas between them, 20 at most; groups are in the order of the first.
    metrics: Option<String>,
    /// `model`, `provider`, `api_key`, `user`, `status`, `config`, `virtual_key`, `route`, `cache`, `workspace` or
    /// `metadata.` and a key.
    group: Option<String>,
    /// `auto` unless said otherwise, `minute`, `hour`, `day` or `none`.
    bucket: Option<String>,
    /// Groups that are told one by one, 1 to 100; 10 unless said otherwise.
    top: Option<String>,
    /// `previous`: the time before that is as long.
    compare: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Queried {
    object: QueryWord,
    bucket: BucketWord,
    from: Timestamp,
    to: Timestamp,
    /// False: there were more requests than are looked at one by one, and the oldest are not in it.
    exact: bool,
    /// One without a key when there is no grouping; else at most `top`, and if there are more one without a key for all others.
    groups: Vec<Part>,
    previous: Option<Previous>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum QueryWord {
    AnalyticsQuery,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum BucketWord {
    Minute,
    Hour,
    Day,
    None,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    key: Option<String>,
    /// Metrics by their ids: a number, or null where there is nothing that it could be made of.
    total: Map<String, Json>,
    points: Vec<Point>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Point {
    /// When the bucket begins.
    timestamp: Timestamp,
    #[serde(flatten)]
    figures: Map<String, Json>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Previous {
    total: Map<String, Json>,
}

pub(crate) async fn query(call: Call, query: Query, _: Nothing) -> Answer<Queried> {
    let chosen = query.asking.chosen(&call).await?;
    let metrics = query.metrics()?;
    let (bucket, word) = query.bucket(&chosen)?;
    let wants = Wants::of(metrics.iter().copied());
    let with_rank = |question| Question { rank: metrics[0], ..question };
    let question = with_rank(match query.group()? {
        None => chosen.question(bucket, wants),
        Some(group) => chosen.grouped(bucket, group, query.top()?, wants),
    });
    let answer = ask(&call, question.clone()).await?;
    let previous = match query.compare.as_deref() {
        None | Some("none") => None,
        Some("previous") => Some(previous(&call, &chosen, &metrics, wants).await?),
        Some(_) => return Err(Problem::field("compare", "is not accepted", "previous")),
    };
    let seconds = chosen.seconds();
    let part = |group: Group| {
        let nothing = Cell::default();
        let width = bucket.width_ms().map_or(seconds, |ms| ms as f64 / 1e3);
        let points = filled(&question, &group.points).map(|(start, cell)| Point {
            timestamp: Timestamp(start),
            figures: figures(&metrics, cell.unwrap_or(&nothing), width),
        });
        Part { points: points.collect(), total: figures(&metrics, &group.total, seconds), key: group.key }
    };
    ok(Queried {
        object: QueryWord::AnalyticsQuery,
        bucket: word,
        from: Timestamp(chosen.from_ms),
        to: Timestamp(chosen.to_ms),
        exact: answer.exact,
        groups: answer.groups.into_iter().map(part).collect(),
        previous,
    })
}

async fn previous(
    call: &Call,
    chosen: &Chosen,
    metrics: &[&'static Metric],
    wants: Wants,
) -> Result<Previous, Problem> {
    let length = chosen.to_ms - chosen.from_ms;
    let before = Chosen {
        from_ms: chosen.from_ms.saturating_sub(length),
        to_ms: chosen.from_ms,
        until_now: false,
        filter: chosen.filter.clone(),
        marks: chosen.marks,
    };
    let answer = ask(call, before.question(Bucket::None, wants)).await?;
    let total = answer.groups.into_iter().next().map(|group| group.total).unwrap_or_default();
    Ok(Previous { total: figures(metrics, &total, chosen.seconds()) })
}

fn figures(metrics: &[&'static Metric], cell: &Cell, seconds: f64) -> Map<String, Json> {
    let number = |value: Value| match value {
        Value::Count(count) => Some(Number::from(count)),
        Value::Picos(_) | Value::Real(_) => Number::from_f64(value.real()),
    };
    let value = |metric: &&'static Metric| {
        let value = metric.of(cell, seconds).and_then(number).map_or(Json::Null, Json::Number);
        (metric.id.to_owned(), value)
    };
    metrics.iter().map(value).collect()
}

/// What requests are grouped by. `field`: where it is written.
///
/// # Errors
/// 400 for a word that is none.
pub(crate) fn dimension(field: &str, word: &str) -> Result<Dimension, Problem> {
    Ok(match word {
        "model" => Dimension::Model,
        "provider" => Dimension::Provider,
        "api_key" => Dimension::ApiKey,
        "user" => Dimension::User,
        "status" => Dimension::Status,
        "config" => Dimension::Config,
        "virtual_key" => Dimension::VirtualKey,
        "route" => Dimension::Route,
        "cache" => Dimension::Cache,
        "workspace" => Dimension::Workspace,
        other => match other.strip_prefix("metadata.").filter(|key| !key.is_empty()) {
            Some(key) => Dimension::Metadata(key.to_owned()),
            None => {
                let expected = "model, provider, api_key, user, status, config, virtual_key, route, cache, \
                                workspace or metadata.<key>";
                return Err(Problem::field(field, format!("{} is not known", shown(other)), expected));
            }
        },
    })
}

impl Query {
    /// At least one.
    fn metrics(&self) -> Result<Vec<&'static Metric>, Problem> {
        let names = self.metrics.as_deref().unwrap_or_default().split(',').map(str::trim);
        let mut metrics: Vec<&'static Metric> = Vec::new();
        for name in names.filter(|name| !name.is_empty()) {
            let metric = Metric::find(name).ok_or_else(|| {
                let expected = "ids of GET /v1/analytics/metrics";
                Problem::field("metrics", format!("{} is not known", shown(name)), expected)
            })?;
            if !metrics.iter().any(|known| known.id == metric.id) {
                metrics.push(metric);
            }
        }
        if metrics.is_empty() || metrics.len() > MOST_METRICS {
            let problem = format!("{} metrics are not accepted", metrics.len());
            return Err(Problem::field("metrics", problem, format!("1 to {MOST_METRICS}")));
        }
        Ok(metrics)
    }

    fn group(&self) -> Result<Option<Dimension>, Problem> {
        self.group.as_deref().map(|group| dimension("group", group)).transpose()
    }

    fn bucket(&self, chosen: &Chosen) -> Result<(Bucket, BucketWord), Problem> {
        const HOUR: u64 = 3_600_000;
        let length = chosen.to_ms - chosen.from_ms;
        let chosen_bucket = match self.bucket.as_deref() {
            None | Some("auto") if length <= 6 * HOUR + 1_000 => (Bucket::Minute, BucketWord::Minute),
            None | Some("auto") if length <= 8 * 24 * HOUR => (Bucket::Hour, BucketWord::Hour),
            None | Some("auto" | "day") => (Bucket::Day, BucketWord::Day),
            Some("minute") => (Bucket::Minute, BucketWord::Minute),
            Some("hour") => (Bucket::Hour, BucketWord::Hour),
            Some("none") => (Bucket::None, BucketWord::None),
            Some(other) => {
                let expected = "auto, minute, hour, day or none";
                return Err(Problem::field("bucket", format!("{} is not known", shown(other)), expected));
            }
        };
        if chosen_bucket.0.width_ms().is_some_and(|width| length / width > MOST_BUCKETS) {
            let expected = format!("at most {MOST_BUCKETS} of them: a wider one, or a shorter time");
            return Err(Problem::field("bucket", "makes too many points", expected));
        }
        Ok(chosen_bucket)
    }

    fn top(&self) -> Result<usize, Problem> {
        let Some(text) = self.top.as_deref() else { return Ok(USUAL_GROUPS) };
        let number = text.parse::<usize>().ok().filter(|number| (1..=MOST_GROUPS).contains(number));
        let expected = format!("a whole number from 1 to {MOST_GROUPS}");
        number.ok_or_else(|| Problem::field("top", format!("{} is not accepted", shown(text)), expected))
    }
}
