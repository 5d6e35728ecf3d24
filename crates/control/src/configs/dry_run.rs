//! What a config would do with a request, saved or not: `POST /v1/configs/dry-run`. Nothing is sent anywhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tidegate_core::field::shown;
use tidegate_routing::plan::Defaults;
use tidegate_routing::{Facts, Plan, Target, Way};

use super::grammar::{self, Names};
use super::{Content, workspace_of};
use crate::call::Call;
use crate::find::Place;
use crate::problem::Problem;
use crate::reply::{Answer, ok};

/// Where requests go when nobody says which.
const PATH: &str = "/v1/chat/completions";

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DryRun {
    config: Content,
    #[serde(default)]
    request: Sample,
    /// What targets answer, by their place: `{"config.targets[0]": 503}`. All others answer 200.
    #[serde(default)]
    statuses: BTreeMap<String, u16>,
    #[serde(default)]
    workspace_id: Option<String>,
}

/// What of a request a config can look at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Sample {
    /// `/v1/chat/completions` when it is left out.
    #[serde(default)]
    path: Option<String>,
    /// As in `x-portkey-metadata`.
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(default)]
    body: Map<String, Value>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Found {
    object: Object,
    /// All targets, in the order written.
    targets: Vec<TargetRow>,
    /// Where requests like this one start and how they go on, the most frequent first.
    ways: Vec<WayRow>,
}

#[derive(Debug, Serialize, JsonSchema)]
enum Object {
    #[serde(rename = "config-dry-run")]
    DryRun,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TargetRow {
    /// `config.targets[0]`
    path: String,
    name: Option<String>,
    provider: String,
    virtual_key: Option<String>,
    /// The one that is asked for there.
    model: Option<String>,
    weight: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WayRow {
    /// Of all requests, from 0 to 1; of a sample, so a percent or two off.
    share: f64,
    attempts: Vec<AttemptRow>,
    /// Of the last attempt, or of the refusal.
    status: u16,
    /// Why no target, or no other one, could be chosen.
    error: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AttemptRow {
    /// A target, by its path.
    target: String,
    /// 0 for its first call.
    retry: u32,
    /// Before the call.
    wait_ms: u64,
    status: u16,
}

pub(crate) async fn dry_run(call: Call, place: Place, body: DryRun) -> Answer<Found> {
    let home = call.home(body.workspace_id.as_deref().or(place.workspace_id.as_deref())).await?;
    let names = Names::of(&call, workspace_of(home.workspace)?).await?;
    let config = grammar::check(&call, &names, &body.config.object()?)?;
    let plan = Plan::new(&config, Defaults::default(), None);
    let targets = plan.targets();
    check_statuses(&body.statuses, &targets)?;

    let sample = &body.request;
    let headers: BTreeMap<String, &str> =
        sample.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str())).collect();
    let facts = Facts {
        metadata: &sample.metadata,
        params: &sample.body,
        url_path: sample.path.as_deref().unwrap_or(PATH),
        header: &|name| headers.get(name).copied(),
        prompt_prefix_hash: None,
    };
    let model = |target: &Target| model_of(target, &sample.body);
    let price = |target: &Target| {
        tidegate_catalog::model(names.catalogue_id(&target.provider)?, &model(target)?)?.blended_nano_usd
    };
    let status = |target: &Target| body.statuses.get(&*target.path).copied().unwrap_or(200);
    let ways = tidegate_routing::dry_run(&plan, &facts, &price, &status);
    let row = |target: &Target| TargetRow {
        path: target.path.to_string(),
        name: target.name.as_deref().map(str::to_owned),
        provider: target.provider.to_string(),
        virtual_key: target.virtual_key.as_deref().map(str::to_owned),
        model: model(target),
        weight: target.weight,
    };
    ok(Found {
        object: Object::DryRun,
        targets: targets.iter().map(|target| row(target)).collect(),
        ways: ways.into_iter().map(WayRow::of).collect(),
    })
}

/// # Errors
/// 400 for a target that is not there, and for a number that is no status.
fn check_statuses(
    statuses: &BTreeMap<String, u16>,
    targets: &[&std::sync::Arc<Target>],
) -> Result<(), Problem> {
    for (path, status) in statuses {
        let field = format!("statuses.{}", shown(path));
        if !targets.iter().any(|target| *target.path == **path) {
            let paths: Vec<&str> = targets.iter().map(|target| &*target.path).collect();
            return Err(Problem::field(
                &field,
                "is no target of the config",
                format!("one of {}", paths.join(", ")),
            ));
        }
        if !(200..=599).contains(status) {
            return Err(Problem::field(&field, "is no status of an answer", "a number from 200 to 599"));
        }
    }
    Ok(())
}

/// The model that a target is asked for: its own, or the request's.
fn model_of(target: &Target, body: &Map<String, Value>) -> Option<String> {
    let named = |params: &Map<String, Value>| params.get("model").and_then(Value::as_str).map(str::to_owned);
    let own = target.override_params.as_ref().and_then(|params| named(params));
    own.or_else(|| named(body)).or_else(|| target.default_params.as_ref().and_then(|params| named(params)))
}

impl WayRow {
    fn of(way: Way) -> Self {
        let attempts: Vec<AttemptRow> = way
            .attempts
            .iter()
            .map(|attempt| AttemptRow {
                target: attempt.target.path.to_string(),
                retry: attempt.retry,
                wait_ms: attempt.wait_ms,
                status: attempt.status,
            })
            .collect();
        let last = attempts.last().map_or(200, |attempt| attempt.status);
        let (status, error) = match way.end {
            Ok(_) => (last, None),
            Err(error) => (error.status, Some(error.message)),
        };
        Self { share: way.share, attempts, status, error }
    }
}
