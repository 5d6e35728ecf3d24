//! Feedback: marks on traces, `/v1/feedback`. Clients send one, an array, or an object whose members are numbered.

use http::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tidegate_core::field::shown;
use tidegate_records::RecordId;
use tidegate_records::traces::{Feedback, FeedbackChange, Place, Value, Weight};
use tidegate_store::Home;

use crate::body::Body;
use crate::call::Call;
use crate::endpoint::Content;
use crate::find::Place as Where;
use crate::problem::Problem;
use crate::read;
use crate::reply::{Answer, Reply, ok};

/// Marks of one request.
const MOST: usize = 1_000;
/// Bytes of a trace id, and of a mark's metadata as JSON.
const LONGEST_TRACE: usize = 512;
const LARGEST_METADATA: usize = 16 * 1024;

/// A mark on a trace. Several are sent as an array.
#[derive(Debug, JsonSchema)]
pub(crate) struct Given {
    #[expect(dead_code, reason = "read by hand, because every form of a batch names its item in errors")]
    trace_id: String,
    /// From −10 to 10.
    #[expect(dead_code, reason = "likewise")]
    value: i64,
    /// From 0 to 1; 1 unless said otherwise.
    #[expect(dead_code, reason = "likewise")]
    weight: Option<f64>,
    /// An object, or the JSON text of one.
    #[expect(dead_code, reason = "likewise")]
    metadata: Option<Map<String, Json>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Changed {
    #[serde(default)]
    #[schemars(with = "i64")]
    value: Json,
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    weight: Json,
    /// An object, or the JSON text of one.
    #[serde(default)]
    #[schemars(with = "Option<Map<String, Json>>")]
    metadata: Json,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Saved {
    status: Success,
    message: &'static str,
    feedback_ids: Vec<String>,
    /// The first of them: clients look for either.
    feedback_id: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Success {
    Success,
}

pub(crate) async fn create(call: Call, content: Content) -> Result<Response<Body>, Problem> {
    let named: Where = read::query(content.query.as_deref())?;
    let items = read::items(&content.headers, &content.body, MOST)?;
    let place = place(&call, &named).await?;
    let now = call.now();
    let mut marks = Vec::with_capacity(items.list.len());
    for (at, item) in items.list.into_iter().enumerate() {
        let about = |field: &str| if items.is_one { field.to_owned() } else { format!("{at}.{field}") };
        let id = call.api.options.ids.next(now);
        marks.push(Feedback {
            id,
            place: place.clone(),
            trace: trace(&about("trace_id"), item.get("trace_id"))?,
            value: value(&about("value"), item.get("value").unwrap_or(&Json::Null))?,
            weight: weight(&about("weight"), item.get("weight").unwrap_or(&Json::Null))?
                .unwrap_or(Weight::ONE),
            metadata: metadata(&about("metadata"), item.get("metadata").unwrap_or(&Json::Null))?
                .unwrap_or_default(),
            changed_ms: now,
        });
    }
    let ids = marks.iter().map(|mark| mark.id.uuid()).collect();
    if !marks.is_empty() {
        call.books()?.ask(move |book| book.add_feedback(&marks)).await?;
    }
    Reply::json(Saved::of("Feedback successfully saved", ids)).into_response()
}

pub(crate) async fn update(call: Call, named: Where, changed: Changed) -> Answer<Saved> {
    let missing = || Problem::not_found("this feedback");
    let id = RecordId::from_uuid(call.name(0)).map_err(|_| missing())?;
    let place = place(&call, &named).await?;
    let change = FeedbackChange {
        value: value("value", &changed.value)?,
        weight: weight("weight", &changed.weight)?,
        metadata: metadata("metadata", &changed.metadata)?,
        at_ms: call.now(),
    };
    let Some(books) = &call.api.options.books else { return Err(missing()) };
    let found = books.ask(move |book| book.change_feedback(&place, id, &change)).await?;
    found.ok_or_else(missing)?;
    ok(Saved::of("Feedback successfully updated", vec![id.uuid()]))
}

/// The workspace that is marked, if the caller may write there.
async fn place(call: &Call, named: &Where) -> Result<Place, Problem> {
    let home: Home = call.home(named.workspace_id.as_deref()).await?;
    let workspace = home.workspace.map(|id| id.to_string()).unwrap_or_default();
    Ok(Place { organisation: home.organisation.to_string(), workspace })
}

fn trace(field: &str, given: Option<&Json>) -> Result<String, Problem> {
    let expected = format!("a text of at most {LONGEST_TRACE} bytes");
    match given {
        None | Some(Json::Null) => Err(Problem::field(field, "is missing", expected)),
        Some(Json::String(text)) if text.is_empty() => Err(Problem::field(field, "is empty", expected)),
        Some(Json::String(text)) if text.len() <= LONGEST_TRACE => Ok(text.clone()),
        Some(Json::String(_)) => Err(Problem::field(field, "is too long", expected)),
        Some(other) => {
            Err(Problem::field(field, format!("{} is no text", shown(&other.to_string())), expected))
        }
    }
}

fn value(field: &str, given: &Json) -> Result<Value, Problem> {
    let expected = "a whole number from -10 to 10";
    if given.is_null() {
        return Err(Problem::field(field, "is missing", expected));
    }
    let value = given.as_i64().and_then(Value::new);
    value.ok_or_else(|| {
        Problem::field(field, format!("{} is not accepted", shown(&given.to_string())), expected)
    })
}

fn weight(field: &str, given: &Json) -> Result<Option<Weight>, Problem> {
    if given.is_null() {
        return Ok(None);
    }
    let weight = given.as_f64().and_then(Weight::new);
    let wrong = || {
        let problem = format!("{} is not accepted", shown(&given.to_string()));
        Problem::field(field, problem, "a number from 0 to 1")
    };
    weight.map(Some).ok_or_else(wrong)
}

fn metadata(field: &str, given: &Json) -> Result<Option<Map<String, Json>>, Problem> {
    let wrong = |problem: &str| Problem::field(field, problem, "a JSON object, or the JSON text of one");
    let members = match given {
        Json::Null => return Ok(None),
        Json::Object(members) => members.clone(),
        Json::String(text) if text.is_empty() => Map::new(),
        Json::String(text) => serde_json::from_str(text).map_err(|_| wrong("is no object"))?,
        _ => return Err(wrong("is no object")),
    };
    if Json::Object(members.clone()).to_string().len() > LARGEST_METADATA {
        let expected = format!("at most {LARGEST_METADATA} bytes of JSON");
        return Err(Problem::field(field, "is too large", expected));
    }
    Ok(Some(members))
}

impl Saved {
    fn of(message: &'static str, feedback_ids: Vec<String>) -> Self {
        Self { status: Success::Success, message, feedback_id: feedback_ids.first().cloned(), feedback_ids }
    }
}
