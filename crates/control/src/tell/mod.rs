//! What programs tell about requests that did not come through the gateway, and about the steps around them: `/v1/logs`
//! and OpenTelemetry. Calls of models become records, other steps spans; both stand in the tree of their trace.

mod cost;
mod deliver;
mod gen_ai;
mod item;
mod otlp;
mod read_value;
mod told;
mod unpacked;
mod usage;

use std::collections::HashMap;

use http::Response;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::body::Body;
use crate::call::Call;
use crate::endpoint::Content;
use crate::feedback::Success;
use crate::find::Place;
use crate::problem::Problem;
use crate::read;
use crate::reply::Reply;
use deliver::Delivery;
use told::Told;

pub(crate) use otlp::{Export, Exported, logs as otlp_logs, traces as otlp_traces};

/// Items of one request.
const MOST: usize = 5_000;

/// A call of a model or a step around one. Several are sent as an array. The callback handlers of LangChain and LlamaIndex
/// send `trace_id`, `span_id`, `parent_span_id`, `span_name` and `start_time` beside `request`, others within `metadata`.
#[derive(Debug, JsonSchema)]
pub(crate) struct Item {
    /// `url`, `method`, `provider`, `headers`, `body` of a call; anything of another step.
    #[expect(dead_code, reason = "read by hand, because clients send it in many forms")]
    request: Option<Map<String, Value>>,
    /// `status`, `headers`, `body`, and `response_time` in milliseconds.
    #[expect(dead_code, reason = "likewise")]
    response: Option<Map<String, Value>>,
    /// What is told of the trace is taken out of it; the rest is kept as texts of at most 128 characters.
    #[expect(dead_code, reason = "likewise")]
    metadata: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Taken {
    status: Success,
    message: &'static str,
    /// Of the items that were taken, for `GET /v1/logs/{id}` where they are calls of models.
    ids: Vec<String>,
    /// Items that say nothing that can be kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Refused {
    /// From 0.
    index: usize,
    message: String,
}

pub(crate) async fn create(call: Call, content: Content) -> Result<Response<Body>, Problem> {
    let named: Place = read::query(content.query.as_deref())?;
    let body = unpacked::unpacked(&content.headers, &content.body, call.api.options.max_intake)?;
    let (is_one, values) = read::values(&content.headers, &body, MOST)?;
    let delivery = Delivery::begin(&call, named.workspace_id.as_deref()).await?;
    let (mut told, mut refused) = (Vec::with_capacity(values.len()), Vec::new());
    for (index, value) in values.into_iter().enumerate() {
        match item::read(value, &delivery.origin) {
            Ok(item) => told.push(item),
            // One by itself is told so plainly; of many the others do not suffer for it.
            Err(problem) if is_one => return Err(problem),
            Err(problem) => refused.push(Refused { index, message: problem.to_string() }),
        }
    }
    name_traces(&mut told);
    let ids = delivery.deliver(&call, told).await?;
    let ids = ids.into_iter().map(|id| id.uuid()).collect();
    Reply::json(Taken { status: Success::Success, message: "Logs successfully saved", ids, refused })
        .into_response()
}

/// Handlers send the steps of a run together and may leave their trace unnamed: it is that of the step above, or is named
/// by the topmost one.
fn name_traces(told: &mut [Told]) {
    /// Steps above each other; what goes deeper, or in a circle, is a trace of its own.
    const DEEPEST: usize = 64;
    let by_span: HashMap<String, usize> = told
        .iter()
        .enumerate()
        .map(|(at, one)| (one.span.clone(), at))
        .filter(|(span, _)| !span.is_empty())
        .collect();
    let named = |mut at: usize| {
        for _ in 0..DEEPEST {
            if !told[at].trace.is_empty() {
                return told[at].trace.clone();
            }
            match by_span.get(&told[at].parent) {
                Some(above) => at = *above,
                None => return told[at].span.clone(),
            }
        }
        String::new()
    };
    let traces: Vec<String> = (0..told.len()).map(named).collect();
    for (one, trace) in told.iter_mut().zip(traces) {
        one.trace = trace;
    }
}
