//! Guardrails around one try at a target: hooks on the request before it is sent, hooks on a whole answer before the
//! client sees it. What the checks say is `tidegate-guard`'s; what follows from it is here: 446 for a denial, 246 for a
//! failed check without one, `hook_results` in the body.
//!
//! A stream is not judged by output hooks: it would have to be held back whole. Their absence is reported as a warning,
//! so nobody can take a stream for guarded.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use tidegate_catalog::Endpoint;
use tidegate_core::{Fault, Warnings};
use tidegate_guard::{Hook, HookLists, Input, Shape, Side, denied_body, hook_results, parse_hooks, run};
use tidegate_routing::plan::{HookList, Plan};
use tidegate_routing::{Outcome, Target};

use crate::accept::Call;
use crate::attempt::{Answer, AnswerBody, Attempted, Passing};
use crate::body::Source;
use crate::headers::GatewayHeaders;
use crate::prepare::{self, Scene};
use crate::refuse::Refusal;
use crate::route::Route;

/// The reference's statuses: a check failed, and a hook denied.
const FAILED: u16 = 246;
const DENIED: u16 = 446;
/// A whole answer that hooks look at is read up to here.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// The hooks of a plan's targets, by the target's path. Targets without hooks are absent.
#[derive(Debug, Default)]
pub struct Guards(HashMap<Box<str>, Arc<TargetHooks>>);

#[derive(Debug)]
struct TargetHooks {
    before: Vec<Hook>,
    after: Vec<Hook>,
}

impl Guards {
    /// Reads the hooks of every target, with the guardrails that the request's headers add.
    ///
    /// # Errors
    /// A hook that cannot be read: 400 naming its member.
    pub fn of(plan: &Plan, own: &GatewayHeaders) -> Result<Self, Refusal> {
        let input = header_list(own.input_guardrails.as_ref(), "x-portkey-default-input-guardrails")?;
        let output = header_list(own.output_guardrails.as_ref(), "x-portkey-default-output-guardrails")?;
        let mut guards = HashMap::new();
        for target in plan.targets() {
            let hooks = target.hooks.as_deref();
            let before =
                parse(hooks.and_then(|hooks| hooks.before.as_deref()), input.as_deref(), Side::Request)?;
            let after =
                parse(hooks.and_then(|hooks| hooks.after.as_deref()), output.as_deref(), Side::Response)?;
            if !before.is_empty() || !after.is_empty() {
                guards.insert(target.path.clone(), Arc::new(TargetHooks { before, after }));
            }
        }
        Ok(Self(guards))
    }

    /// What of a plan's hooks cannot run here, one clause each, for `tidegate check`.
    pub fn mistakes(plan: &Plan) -> Vec<String> {
        match Self::of(plan, &GatewayHeaders::default()) {
            Err(refusal) => vec![refusal.error.message],
            Ok(guards) => {
                let mut found: Vec<String> = Vec::new();
                for (path, hooks) in &guards.0 {
                    for check in hooks.before.iter().chain(&hooks.after).flat_map(Hook::unavailable_checks) {
                        found.push(format!(
                            "{path}: the check `{check}` cannot run here, so it would always pass"
                        ));
                    }
                }
                found.sort_unstable();
                found.dedup();
                found
            }
        }
    }

    fn get(&self, target: &Target) -> Option<&Arc<TargetHooks>> {
        if self.0.is_empty() { None } else { self.0.get(&target.path) }
    }
}

/// One try at a target, with its hooks if it has any and the endpoint is one that has.
pub async fn attempt(scene: &Scene<'_>, call: &Call, target: &Target) -> Attempted {
    match (scene.resolved.guards.get(target), shape(call.route)) {
        (Some(hooks), Some(shape)) => Box::pin(guarded(scene, call, target, hooks, shape)).await,
        _ => crate::attempt::one(scene, call, target, None).await,
    }
}

async fn guarded(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    hooks: &TargetHooks,
    shape: Shape,
) -> Attempted {
    let request = match prepare::merged(scene, call, target) {
        Ok(request) => Value::Object(request),
        Err(refusal) => return Attempted::refused(refusal),
    };
    let metadata = GatewayHeaders::text(call.own.metadata.as_ref());
    let metadata: Map<String, Value> =
        metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let now = || scene.gateway.clock.unix_ms();
    let input = Input { shape, request: &request, response: None, metadata: &metadata };
    let before = run(&hooks.before, Side::Request, input, &now);
    if before.denied {
        return denied_before(&target.provider, &before.results);
    }
    let changed = match before.transformed_request {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    };
    let seen = changed.clone().map_or(request, Value::Object);
    let mut attempted = crate::attempt::one(scene, call, target, changed).await;
    let Ok(answer) = &mut attempted.answer else { return attempted };
    let verdict = Before { results: before.results, failed: before.failed };
    if answer.body.is_stream() {
        on_stream(answer, &verdict, !hooks.after.is_empty());
    } else {
        let input = Input { shape, request: &seen, response: None, metadata: &metadata };
        on_whole(answer, &verdict, &hooks.after, input, &now).await;
    }
    attempted.outcome.status = answer.status.as_u16();
    attempted
}

/// What the hooks on the request said.
struct Before {
    results: Vec<Value>,
    failed: bool,
}

fn denied_before(provider: &str, results: &[Value]) -> Attempted {
    let outcome =
        Outcome { status: DENIED, fault: Fault::Caller, denied_before_call: true, ..Outcome::default() };
    let row = tidegate_catalog::catalog().get(provider.strip_prefix('@').unwrap_or(provider));
    let answer = Answer {
        status: status(DENIED),
        headers: HeaderMap::new(),
        body: AnswerBody::Full(denied_body(results, &[]).to_string().into()),
        provider: row.map_or(crate::plan::DEMO, |row| row.id),
        model: Box::default(),
        usage: None,
        warnings: Warnings::default(),
        estimated: false,
        uncalled: true,
        strict: true,
        names_events: false,
        detail: Some("an input guardrail denied the request".into()),
        meter: None,
        stored: None,
        hides_usage: false,
    };
    Attempted { outcome, answer: Ok(Box::new(answer)) }
}

fn on_stream(answer: &mut Answer, before: &Before, has_output_hooks: bool) {
    if before.failed && answer.status == StatusCode::OK {
        answer.status = status(FAILED);
    }
    if has_output_hooks {
        answer.warnings.dropped("output_guardrails");
    }
    if before.results.is_empty() || answer.strict {
        return;
    }
    let results = serde_json::json!({"hook_results": {"before_request_hooks": before.results}}).to_string();
    let mut event = Vec::new();
    let name = answer.names_events.then_some("hook_results");
    tidegate_dialect::framing::write_event(&mut event, name, results.as_bytes());
    match &mut answer.body {
        AnswerBody::Full(_) | AnswerBody::Session(_) => {}
        AnswerBody::Pass(passing) => passing.source.hold(std::iter::once(Bytes::from(event))),
        AnswerBody::Translated(translating) => translating.preface = event,
    }
}

async fn on_whole(
    answer: &mut Answer,
    before: &Before,
    hooks: &[Hook],
    input: Input<'_>,
    now: &(dyn Fn() -> u64 + Sync),
) {
    let Some(mut body) = whole_body(answer).await else { return };
    let mut after = tidegate_guard::Outcome::default();
    if answer.status == StatusCode::OK {
        after = run(hooks, Side::Response, Input { response: Some(&body), ..input }, now);
        if let Some(changed) = after.transformed_response.take() {
            body = changed;
        }
    }
    if after.denied {
        answer.status = status(DENIED);
        answer.headers = HeaderMap::new();
        body = denied_body(&before.results, &after.results);
    } else {
        if (before.failed || after.failed) && answer.status == StatusCode::OK {
            answer.status = status(FAILED);
        }
        if let (Value::Object(members), false) =
            (&mut body, before.results.is_empty() && after.results.is_empty())
        {
            members.insert("hook_results".into(), hook_results(&before.results, &after.results));
        }
    }
    answer.body = AnswerBody::Full(body.to_string().into());
}

/// The answer's JSON. `None`, and the answer untouched, when it is none or too large to be looked at.
async fn whole_body(answer: &mut Answer) -> Option<Value> {
    let bytes = match &mut answer.body {
        AnswerBody::Full(bytes) => bytes.clone(),
        AnswerBody::Pass(passing) => {
            let Passing { source, tap, .. } = &mut **passing;
            let bytes = source.collect(ANSWER_LIMIT).await.ok()?;
            tap.push(&bytes);
            tap.end();
            answer.usage = tap.report().usage.clone();
            *source = Source::of([bytes.clone()]);
            bytes
        }
        AnswerBody::Translated(_) | AnswerBody::Session(_) => return None,
    };
    serde_json::from_slice(&bytes).ok()
}

fn shape(route: Route) -> Option<Shape> {
    Some(match route {
        Route::Unified(Endpoint::ChatCompletions) => Shape::Chat,
        Route::Unified(Endpoint::Completions) => Shape::Complete,
        Route::Unified(Endpoint::Embeddings) => Shape::Embed,
        Route::Unified(Endpoint::Messages) => Shape::Messages,
        _ => return None,
    })
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_REQUEST)
}

fn parse(list: Option<&HookList>, defaults: Option<&[Value]>, side: Side) -> Result<Vec<Hook>, Refusal> {
    let lists = HookLists {
        hooks: list.map_or(&[], |list| &list.hooks),
        guardrails: list.map_or(&[], |list| &list.guardrails),
        mutators: list.map_or(&[], |list| &list.mutators),
        defaults: defaults.or(list.map(|list| list.defaults.as_slice())).unwrap_or_default(),
    };
    parse_hooks(&lists, side)
        .map_err(|error| Refusal::bad_request("guardrails", &error.member, error.to_string()))
}

fn header_list(value: Option<&http::HeaderValue>, name: &'static str) -> Result<Option<Vec<Value>>, Refusal> {
    let Some(text) = GatewayHeaders::text(value) else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| {
        Refusal::bad_request("guardrails", name, format!("{name} must be a JSON list of guardrails: {error}"))
    })
}
