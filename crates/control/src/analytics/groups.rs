//! `/v1/analytics/groups/…`: requests by what tells them apart, with the reference's columns. Money is cents, times are
//! milliseconds, shares are percent.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidegate_core::field::shown;
use tidegate_insight::{Amount, Bucket, Cell, Dimension, Group, Metric, Sum, Wants};
use tidegate_store::Home;
use tidegate_store::entity::Workspace;

use super::graphs::cents;
use super::{Asking, Chosen, ask, feedback};
use crate::call::Call;
use crate::listing::{ListWord, Paging, all};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};
use crate::timestamp::Timestamp;

/// Groups that are told apart.
const MOST: usize = 10_000;
/// Rows of a page.
const USUAL: u32 = 100;
const LARGEST: u32 = 1_000;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Query {
    #[serde(flatten)]
    asking: Asking,
    #[serde(flatten)]
    paging: Paging,
    /// Names with commas between them: `requests`, `cost`, `total_tokens`, `avg_tokens`, `avg_input_tokens`,
    /// `avg_output_tokens`, `avg_latency`, `p95_latency`, `p99_latency`, `success_rate`, `error_count`, `cache_hit_rate`,
    /// `last_seen`, `first_seen`. All when there are none.
    columns: Option<String>,
    /// A column; `requests` unless said otherwise.
    order_by: Option<String>,
    /// `desc` unless said otherwise, or `asc`.
    order_by_type: Option<String>,
    /// A row for all groups together, in `summary`.
    include_total: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    object: ListWord,
    /// Up to 10,000.
    total: usize,
    data: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    object: GroupWord,
    /// The group under its dimension's name, and the columns.
    #[serde(flatten)]
    columns: Map<String, Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum GroupWord {
    AnalyticsGroup,
}

/// A column: its name, whether it needs shapes, and how it is made.
struct Column {
    name: &'static str,
    figure: Figure,
}

enum Figure {
    Metric(&'static str),
    Cents,
    Time(Sum),
}

const COLUMNS: [Column; 14] = {
    const fn metric(name: &'static str, id: &'static str) -> Column {
        Column { name, figure: Figure::Metric(id) }
    }
    [
        metric("requests", "requests"),
        Column { name: "cost", figure: Figure::Cents },
        metric("total_tokens", "tokens"),
        metric("avg_tokens", "tokens_per_request"),
        metric("avg_input_tokens", "tokens_in_per_request"),
        metric("avg_output_tokens", "tokens_out_per_request"),
        metric("avg_latency", "latency"),
        metric("p95_latency", "latency_p95"),
        metric("p99_latency", "latency_p99"),
        metric("success_rate", "success_rate"),
        metric("error_count", "errors"),
        metric("cache_hit_rate", "cache_hit_rate"),
        Column { name: "last_seen", figure: Figure::Time(Sum::Last) },
        Column { name: "first_seen", figure: Figure::Time(Sum::First) },
    ]
};

impl Column {
    fn value(&self, cell: &Cell) -> f64 {
        match self.figure {
            // What there is none of is 0, as in the reference.
            Figure::Metric(id) => {
                Metric::find(id).and_then(|metric| metric.of(cell, 0.0)).map_or(0.0, |v| v.real())
            }
            Figure::Cents => cents(cell.amount(Amount::Cost)),
            Figure::Time(sum) => cell.sum(sum) as f64,
        }
    }

    fn json(&self, cell: &Cell) -> Value {
        match self.figure {
            Figure::Time(sum) => json!(cell.sum(sum).checked_sub(1).map(Timestamp)),
            Figure::Metric("requests") => json!(cell.sum(Sum::Requests)),
            Figure::Metric("errors") => json!(cell.sum(Sum::Errors)),
            Figure::Metric("tokens") => json!(cell.sum(Sum::Prompt).saturating_add(cell.sum(Sum::Output))),
            Figure::Metric(_) | Figure::Cents => json!(self.value(cell)),
        }
    }
}

/// What a path names, and the member of a row that names the group.
fn dimension(name: &str) -> Option<(Dimension, &'static str)> {
    Some(match name {
        "users" => (Dimension::User, "user"),
        "ai-models" => (Dimension::Model, "ai_model"),
        "workspaces" | "workspace" => (Dimension::Workspace, "workspace"),
        "ai_service" => (Dimension::Provider, "ai_service"),
        "provider" => (Dimension::VirtualKey, "provider"),
        "model" => (Dimension::Model, "model"),
        "status_code" => (Dimension::Status, "status_code"),
        "api_key" => (Dimension::ApiKey, "api_key"),
        "config" => (Dimension::Config, "config"),
        _ => return None,
    })
}

pub(crate) async fn by_dimension(call: Call, query: Query, _: Nothing) -> Answer<Listed> {
    let name = call.name(0);
    if name == "prompt" {
        // No request names a prompt yet.
        query.asking.chosen(&call).await?;
        return ok(Listed { object: ListWord::List, total: 0, data: Vec::new(), summary: None });
    }
    let (dimension, member) = dimension(name).ok_or_else(|| {
        let expected = "users, ai-models, workspaces, ai_service, model, status_code, api_key, config, workspace, \
                        provider, prompt or metadata/{key}";
        Problem::field("dimension", format!("{} is not known", shown(name)), expected)
    })?;
    let is_of_all = dimension == Dimension::Workspace && query.asking.named().is_none();
    // Who may see all workspaces may compare them.
    let chosen = match is_of_all && call.authorize(Home::organisation(call.organisation)).is_ok() {
        true => query.asking.of_organisation(&call).await?,
        false => query.asking.chosen(&call).await?,
    };
    listed(&call, &query, &chosen, dimension, member).await
}

pub(crate) async fn by_metadata(call: Call, query: Query, _: Nothing) -> Answer<Listed> {
    let chosen = query.asking.chosen(&call).await?;
    let dimension = Dimension::Metadata(call.name(0).to_owned());
    listed(&call, &query, &chosen, dimension, "metadata_value").await
}

async fn listed(
    call: &Call,
    query: &Query,
    chosen: &Chosen,
    dimension: Dimension,
    member: &'static str,
) -> Answer<Listed> {
    let columns = query.columns()?;
    let order = query.order()?;
    let (skip, size) = query.paging.clone().bounds(USUAL, LARGEST)?;
    let wanted = columns.iter().chain([&order.0]).filter_map(|column| match column.figure {
        Figure::Metric(id) => Metric::find(id),
        Figure::Cents | Figure::Time(_) => None,
    });
    let wants = Wants::NUMBERS.and(Wants::of(wanted));
    let answer = ask(call, chosen.grouped(Bucket::None, dimension.clone(), MOST, wants)).await?;
    let mut summary = Cell::default();
    answer.groups.iter().for_each(|group| summary.merge(&group.total));
    // Nobody's requests are no user, and no value of metadata; those without a key have one group.
    let is_named = |group: &Group| match (&group.key, &dimension) {
        (None, _) => false,
        (Some(key), Dimension::User | Dimension::Metadata(_) | Dimension::Workspace) => !key.is_empty(),
        (Some(_), _) => true,
    };
    let mut groups: Vec<Group> = answer.groups.into_iter().filter(is_named).collect();
    groups.sort_by(|a, b| {
        let by_value = order.0.value(&a.total).total_cmp(&order.0.value(&b.total));
        let by_value = if order.1 == Ordering::Less { by_value } else { by_value.reverse() };
        by_value.then_with(|| a.key.cmp(&b.key))
    });
    let slugs = match dimension {
        Dimension::Workspace => slugs(call).await?,
        _ => HashMap::new(),
    };
    let of_feedback = match dimension {
        Dimension::Metadata(_) | Dimension::Model => {
            Some(feedback::of_groups(call, chosen, &dimension).await?)
        }
        _ => None,
    };
    let total = groups.len();
    let row = |key: Option<&str>, cell: &Cell| {
        let mut members = Map::new();
        if let Some(key) = key {
            let key = slugs.get(key).map_or(key, String::as_str);
            let number = key.parse::<u16>().ok().filter(|_| dimension == Dimension::Status);
            members.insert(member.to_owned(), number.map_or_else(|| json!(key), |status| json!(status)));
        }
        columns.iter().for_each(|column| drop(members.insert(column.name.to_owned(), column.json(cell))));
        if let Some(of_feedback) = &of_feedback {
            let feedback = key.and_then(|key| of_feedback.get(key)).cloned().unwrap_or_default();
            members.insert("avg_weighted_feedback".to_owned(), json!(feedback.weighted));
            members.insert("requests_with_feedback".to_owned(), json!(feedback.requests));
        }
        Row { object: GroupWord::AnalyticsGroup, columns: members }
    };
    let shown = groups.iter().skip(skip).take(size);
    let data = shown.map(|group| row(group.key.as_deref(), &group.total)).collect();
    let summary = query.with_total()?.then(|| row(None, &summary));
    ok(Listed { object: ListWord::List, total, data, summary })
}

/// Slugs of the organisation's workspaces by their ids.
async fn slugs(call: &Call) -> Result<HashMap<String, String>, Problem> {
    let workspaces = all::<Workspace>(call.store(), &call.whole()).await?;
    Ok(workspaces.into_iter().map(|one| (one.id.to_string(), one.entity.slug)).collect())
}

fn column(field: &str, name: &str) -> Result<&'static Column, Problem> {
    static TABLE: [Column; COLUMNS.len()] = COLUMNS;
    TABLE.iter().find(|column| column.name == name).ok_or_else(|| {
        let names: Vec<&str> = TABLE.iter().map(|column| column.name).collect();
        Problem::field(field, format!("{} is not known", shown(name)), names.join(", "))
    })
}

impl Query {
    fn columns(&self) -> Result<Vec<&'static Column>, Problem> {
        let named = self.columns.as_deref().unwrap_or_default().split(',').map(str::trim);
        let named: BTreeSet<&str> = named.filter(|name| !name.is_empty()).collect();
        match named.is_empty() {
            true => COLUMNS.iter().map(|known| column("columns", known.name)).collect(),
            false => named.into_iter().map(|name| column("columns", name)).collect(),
        }
    }

    fn order(&self) -> Result<(&'static Column, Ordering), Problem> {
        let by = column("order_by", self.order_by.as_deref().unwrap_or("requests"))?;
        let direction = match self.order_by_type.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("desc") => Ordering::Greater,
            Some("asc") => Ordering::Less,
            Some(_) => return Err(Problem::field("order_by_type", "is not accepted", "asc or desc")),
        };
        Ok((by, direction))
    }

    fn with_total(&self) -> Result<bool, Problem> {
        match self.include_total.as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Problem::field("include_total", "is not accepted", "true or false")),
        }
    }
}
