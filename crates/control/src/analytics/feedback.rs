//! `/v1/analytics/graphs/feedbacks…`, and what groups say of feedback. Nobody keeps feedback yet: everything that would be
//! made of it comes from here.

use schemars::JsonSchema;
use serde::Serialize;

use super::Asking;
use super::graphs::{Graph, Mean, Total};
use crate::call::Call;
use crate::reply::{Answer, Nothing, ok};

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
    pub(super) requests: u64,
    /// Of all items, each with its weight; `None` where there are none.
    pub(super) weighted: Option<f64>,
}

pub(super) fn of_group(_key: &str) -> OfGroup {
    OfGroup::default()
}

pub(crate) async fn count(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, Total>> {
    query.chosen(&call).await?;
    ok(Graph::new(Total { total: 0 }, Vec::new()))
}

pub(crate) async fn scores(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Total, Score>> {
    query.chosen(&call).await?;
    ok(Graph::new(Total { total: 0 }, Vec::new()))
}

pub(crate) async fn weighted(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Mean, Mean>> {
    query.chosen(&call).await?;
    ok(Graph::new(Mean { avg: 0.0 }, Vec::new()))
}

pub(crate) async fn by_model(call: Call, query: Asking, _: Nothing) -> Answer<Graph<Nothing, OfModel>> {
    query.chosen(&call).await?;
    ok(Graph::new(Nothing {}, Vec::new()))
}
