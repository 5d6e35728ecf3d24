//! From what was told to records and spans.

mod ours;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};
use tidegate_access::Who as Known;
use tidegate_core::id;
use tidegate_records::traces::{ToldSpan, told_id};
use tidegate_records::{
    COUNTED_ELSEWHERE, Cost, Keep, Kind, Pipe, RawBodies, RawBody, RecordId, RequestRecord, Span, Text,
    Timing, Who, body, session,
};
use tidegate_store::entity::Workspace;

use super::cost;
use super::gen_ai::bounded;
use super::told::{Content, ModelCall, Origin, Told};
use crate::call::Call;
use crate::problem::Problem;
use crate::retention;

/// What began longer ago is taken for told wrongly: late spans come within a day.
const LATEST_MS: u64 = 24 * 3_600_000;
/// Clocks of others run ahead a little.
const AHEAD_MS: u64 = 5 * 60_000;
/// Bytes of what went into a step, or came out of it. (Those of calls of models are bounded as the gateway's own.)
const LARGEST_CONTENT: u64 = 16 * 1024;
/// Bytes of a record, roughly: whether there is room is asked before any is made.
const RECORD_BYTES: u64 = 2_048;

/// On behalf of whom it is told.
#[derive(Debug)]
pub(super) struct Delivery {
    pipe: Pipe,
    organisation: String,
    workspace: String,
    api_key: String,
    key_owner: String,
    /// The caller asked for figures only.
    private: bool,
    /// By what calls are known that came through this gateway.
    pub(super) origin: Origin,
    /// Whose bodies are kept, by the workspace's rule or else by the gateway's.
    keep: Keep,
    now_ms: u64,
}

impl Delivery {
    /// # Errors
    /// 409 where no records are kept, and what the workspace's name may be wrong by.
    pub(super) async fn begin(call: &Call, named: Option<&str>) -> Result<Self, Problem> {
        let home = call.home(named).await?;
        let none = || Problem::conflict("this gateway keeps no records of requests (records.enabled)");
        call.books()?;
        let debug = call.headers.get("x-portkey-debug").and_then(|value| value.to_str().ok());
        let pipe = call.api.options.pipe.clone().ok_or_else(none)?;
        let workspace = match home.workspace {
            None => None,
            Some(id) => Some(call.store().get::<Workspace>(&call.whole(), id).await?),
        };
        let rule = workspace.and_then(|workspace| workspace.entity.records.bodies);
        Ok(Self {
            keep: rule.map_or(pipe.policy().keep, retention::keep),
            pipe,
            organisation: home.organisation.to_string(),
            workspace: home.workspace.map(|id| id.to_string()).unwrap_or_default(),
            api_key: match &call.principal.who {
                Known::Key { id, .. } => id.text().to_owned(),
                _ => String::new(),
            },
            key_owner: call.principal.user.as_ref().map(|user| user.text().to_owned()).unwrap_or_default(),
            private: debug == Some("false"),
            origin: Origin::of(call),
            now_ms: call.now(),
        })
    }

    /// Whether it began when it can have begun.
    pub(super) fn is_timely(&self, start_us: u64) -> bool {
        let ms = start_us / 1_000;
        ms + LATEST_MS >= self.now_ms && ms <= self.now_ms + AHEAD_MS
    }

    /// Hands over all of it, and gives the ids in the order of what was told.
    ///
    /// # Errors
    /// 503 when there is no room, with nothing taken; or the books are away, when what comes again is there once.
    pub(super) async fn deliver(&self, call: &Call, mut told: Vec<Told>) -> Result<Vec<RecordId>, Problem> {
        let count = told.iter().filter(|told| told.call.is_some()).count() as u64;
        if !self.pipe.has_room(count, count * RECORD_BYTES) {
            self.pipe.turn_away(count);
            return Err(full());
        }
        self.find_ours(call, &mut told).await;
        let (mut ids, mut spans) = (Vec::with_capacity(told.len()), BTreeMap::new());
        let mut given = BTreeMap::new();
        for mut told in told {
            let mut span = self.span(&mut told);
            // Ids of one millisecond may meet: two different ones that are told together both stay.
            let names = (told.trace.clone(), told.span.clone());
            while given.get(&span.id).is_some_and(|known| *known != names) {
                span.id = RecordId::from_bits(span.id + 1).bits();
            }
            given.insert(span.id, names);
            let id = span.id();
            ids.push(id);
            match &told.call {
                None => drop(spans.insert(span.id, ToldSpan { content: self.content(&told, &span), ..span })),
                Some(model) => {
                    let record = self.record(&span, &told, model);
                    // What a record has a place for need not be told twice.
                    if !span.attributes.is_empty() {
                        spans.insert(span.id, ToldSpan { has_record: true, ..span });
                    }
                    let bodies = (!self.private).then(|| self.bodies(&told));
                    if !self.pipe.push_as(&record, bodies, self.keep) {
                        return Err(full());
                    }
                }
            }
        }
        let spans: Vec<ToldSpan> = spans.into_values().collect();
        if !spans.is_empty() {
            call.books()?.ask(move |book| book.add_spans(&spans)).await?;
        }
        Ok(ids)
    }

    /// When it began; what says no time that can be has just ended.
    fn start_us(&self, told: &Told) -> u64 {
        match told.start_us.filter(|start| self.is_timely(*start)) {
            Some(start) => start,
            None => (self.now_ms * 1_000).saturating_sub(told.duration_us),
        }
    }

    fn span(&self, told: &mut Told) -> ToldSpan {
        if told.span.is_empty() {
            told.span = id::hex16();
        }
        if told.trace.is_empty() {
            // A trace of its own, the same when it is told again.
            told.trace.clone_from(&told.span);
        }
        let start_us = self.start_us(told);
        let named = |name: &str| {
            let found = told.metadata.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| own(value)).unwrap_or_default()
        };
        let attributes = bounded(std::mem::take(&mut told.attributes));
        let attributes =
            if attributes.is_empty() { String::new() } else { self.scrubbed(&Value::Object(attributes)) };
        ToldSpan {
            id: told_id(start_us / 1_000, &self.workspace, &told.trace, &told.span).bits(),
            organisation: own(&self.organisation),
            workspace: own(&self.workspace),
            trace: own(&told.trace),
            span: own(&told.span),
            parent: own(&told.parent),
            name: own(&told.name),
            kind: own(&told.kind),
            start_us,
            duration_us: told.duration_us,
            is_error: told.is_error,
            status: told.status,
            reason: own(&told.reason),
            provider: told.call.as_ref().map(|call| own(&call.provider)).unwrap_or_default(),
            model: told.call.as_ref().map(|call| own(&call.model)).unwrap_or_default(),
            user: named("_user"),
            session: session::of_metadata(&told.metadata).map(own).unwrap_or_default(),
            key_owner: own(&self.key_owner),
            source: Text::Fixed(told.source),
            attributes: Text::Own(attributes.into()),
            metadata: pairs(&told.metadata),
            ..ToldSpan::default()
        }
    }

    fn record(&self, span: &ToldSpan, told: &Told, model: &ModelCall) -> RequestRecord {
        let status = told.status.unwrap_or(if told.is_error { 500 } else { 200 });
        let usage = model.usage.clone().filter(|_| !model.is_ours);
        let cost = match &usage {
            _ if model.is_ours => cost::counted_elsewhere(),
            Some(usage) => cost::of(model, usage, span.start_us / 1_000_000),
            None => Cost::default(),
        };
        RequestRecord {
            id: span.id,
            who: Who {
                organisation: span.organisation.clone(),
                workspace: span.workspace.clone(),
                api_key: own(&self.api_key),
                user: span.user.clone(),
                session: span.session.clone(),
                metadata: span.metadata.clone(),
                key_owner: span.key_owner.clone(),
            },
            route: Text::Fixed(model.route),
            method: own(&model.method),
            path: own(&model.url),
            provider: span.provider.clone(),
            mode: Text::Fixed("single"),
            asked_model: own(&model.asked_model),
            model: if model.model.is_empty() { own(&model.asked_model) } else { own(&model.model) },
            stream: model.stream,
            status,
            end: Text::Fixed("ok"),
            error: span.reason.clone(),
            finish: own(&model.finish),
            timing: Timing { total_us: span.duration_us, ..Timing::default() },
            usage,
            cost,
            span: Span {
                trace: span.trace.clone(),
                span: span.span.clone(),
                parent: span.parent.clone(),
                name: span.name.clone(),
            },
            warnings: model.is_ours.then_some(Text::Fixed(COUNTED_ELSEWHERE)).into_iter().collect(),
            private: self.private,
            source: span.source.clone(),
            ..RequestRecord::default()
        }
    }

    fn bodies(&self, told: &Told) -> RawBodies {
        let most = self.pipe.policy().most_bytes;
        let parts = [("request", &told.input), ("response", &told.output)];
        parts.into_iter().filter_map(|(part, content)| Some(raw(part, content.as_ref()?, most))).collect()
    }

    /// Of a step that is no call: kept as the bodies of requests are, or not at all.
    fn content(&self, told: &Told, span: &ToldSpan) -> Text {
        let status = told.status.unwrap_or(if told.is_error { 500 } else { 200 });
        let trace = Span { trace: span.trace.clone(), ..Span::default() };
        let like = RequestRecord { id: span.id, status, span: trace, ..RequestRecord::default() };
        if self.private || !self.keep.wants(&like) {
            return Text::default();
        }
        let mut members = Map::new();
        for (name, content) in [("input", &told.input), ("output", &told.output)] {
            let Some(content) = content else { continue };
            let stored = body::prepare(
                &[raw("request", content, LARGEST_CONTENT)].into_iter().collect(),
                self.pipe.policy(),
            );
            let Some(text) = stored.bodies.first().and_then(|body| body.text()) else { continue };
            let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            members.insert(name.to_owned(), value);
        }
        if members.is_empty() {
            Text::default()
        } else {
            Text::Own(Value::Object(members).to_string().into())
        }
    }

    /// Without credentials, as bodies are kept; whatever the policy says of those.
    fn scrubbed(&self, attributes: &Value) -> String {
        let content = Content { body: attributes.clone(), ..Content::default() };
        let stored =
            body::prepare(&[raw("request", &content, u64::MAX)].into_iter().collect(), self.pipe.policy());
        stored.bodies.first().and_then(|body| body.text()).unwrap_or_default()
    }
}

fn full() -> Problem {
    let message = "more is told than can be written down now; send it again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, message).after_seconds(1)
}

fn raw(part: &'static str, content: &Content, most: u64) -> RawBody {
    let headers = content.headers.iter().map(|(name, value)| (own(name), own(value))).collect();
    let (kind, text) = match &content.body {
        Value::String(text) => (Kind::Text, text.clone()),
        other => (Kind::Json, other.to_string()),
    };
    let mut raw = RawBody::new(part, kind, most).with_headers(headers);
    raw.frame(&Bytes::from(text));
    raw
}

fn pairs(metadata: &[(String, String)]) -> Vec<(Text, Text)> {
    metadata.iter().map(|(name, value)| (own(name), own(value))).collect()
}

fn own(text: &str) -> Text {
    Text::Own(text.into())
}
