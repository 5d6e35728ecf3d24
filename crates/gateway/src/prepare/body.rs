//! The request's body for one target: untouched, with another model name, with overrides laid over it, or rewritten in
//! the target's dialect.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};
use tidegate_catalog::{BodyModel, Endpoint, Pairs};
use tidegate_core::{ApiError, Warnings};
use tidegate_dialect::peek::{self, Peek};
use tidegate_dialect::{Adjust, DialectId, EncodeContext, openai_chat, provider_dialect};
use tidegate_routing::Target;

use super::{Reading, Upstream};
use crate::accept::{Call, CallBody};
use crate::refuse::Refusal;

/// The body before it is written: what came, and what the target changes in it.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The model to ask for; empty when none is named.
    pub model: String,
    pub stream: bool,
    pub query: Option<&'a str>,
    frames: Arc<[Bytes]>,
    peek: &'a Peek,
    /// The body's members, once something had to be changed in them.
    members: Option<Map<String, Value>>,
    /// What the body's `model` has to be, where it differs from what came.
    body_model: Option<BodyModel>,
}

/// A body ready to be sent.
#[derive(Debug)]
pub struct Written {
    pub frames: Arc<[Bytes]>,
    pub warnings: Warnings,
}

impl<'a> Draft<'a> {
    /// `model` is the model without its provider prefix, when it had one.
    ///
    /// # Errors
    /// Overrides for a body that is not JSON after all.
    pub fn of(call: &'a Call, target: &Target, model: Option<&str>) -> Result<Self, Refusal> {
        let CallBody::Json(frames) = &call.body else { return Err(unreadable("no JSON body")) };
        let mut draft = Self {
            model: model.or(call.peek.model.as_deref()).unwrap_or_default().to_owned(),
            stream: call.streams(),
            query: call.parts.uri.query(),
            frames: frames.clone(),
            peek: &call.peek,
            members: None,
            body_model: model.map(|model| BodyModel::Replaced(model.to_owned())),
        };
        if target.override_params.is_some() || target.default_params.is_some() {
            draft.merge(target)?;
        }
        Ok(draft)
    }

    /// Lays the target's members over and under the client's.
    fn merge(&mut self, target: &Target) -> Result<(), Refusal> {
        let mut members = self.parse()?;
        for (name, value) in target.default_params.iter().flat_map(|params| params.iter()) {
            if !members.contains_key(name) {
                members.insert(name.clone(), value.clone());
            }
        }
        for (name, value) in target.override_params.iter().flat_map(|params| params.iter()) {
            members.insert(name.clone(), value.clone());
            if name == "model" {
                self.body_model = None;
            }
        }
        if self.body_model.is_none() {
            self.model = members.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        }
        self.stream = members.get("stream").and_then(Value::as_bool).unwrap_or(false);
        self.members = Some(members);
        Ok(())
    }

    /// Holds the answer to so many tokens, under the name by which the client would have asked for it.
    ///
    /// # Errors
    /// The body is not a JSON object.
    pub fn cap_output(&mut self, tokens: u64, endpoint: Endpoint) -> Result<(), Refusal> {
        const NAMES: [&str; 3] = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
        let mut members = self.parse()?;
        let known: Vec<&str> = NAMES.into_iter().filter(|name| members.contains_key(*name)).collect();
        let default = match endpoint {
            Endpoint::ChatCompletions => "max_completion_tokens",
            Endpoint::Responses => "max_output_tokens",
            _ => "max_tokens",
        };
        for name in if known.is_empty() { vec![default] } else { known } {
            members.insert(name.into(), tokens.into());
        }
        self.members = Some(members);
        Ok(())
    }

    /// What the address says about the body's model.
    pub fn set_model(&mut self, model: BodyModel) {
        if model != BodyModel::AsGiven {
            self.body_model = Some(model);
        }
    }

    /// The body as it stands, in one piece.
    pub fn bytes(&self) -> Bytes {
        match &self.members {
            Some(members) => to_bytes(members),
            None => join(&self.frames),
        }
    }

    /// The body as it stands, in the pieces it came in where it is untouched.
    pub fn frames(&self) -> Arc<[Bytes]> {
        match &self.members {
            Some(members) => [to_bytes(members)].into(),
            None => self.frames.clone(),
        }
    }

    /// Takes another body, in which the target's members are already.
    pub fn replace(&mut self, members: Map<String, Value>) {
        self.model = members.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.stream = members.get("stream").and_then(Value::as_bool).unwrap_or(false);
        self.body_model = None;
        self.members = Some(members);
    }

    /// The body's members as they stand.
    ///
    /// # Errors
    /// The body is not a JSON object.
    pub fn parse(&self) -> Result<Map<String, Value>, Refusal> {
        if let Some(members) = &self.members {
            return Ok(members.clone());
        }
        serde_json::from_slice(&join(&self.frames)).map_err(|error| unreadable(&error.to_string()))
    }

    /// A top-level member exists.
    fn has(&self, name: &str) -> bool {
        self.members.as_ref().map_or_else(|| self.peek.keys.has(name), |members| members.contains_key(name))
    }

    /// Whether the vendor's differences touch this body.
    fn needs(&self, adjust: &Adjust) -> bool {
        adjust.rename.iter().any(|(from, _)| self.has(from))
            || adjust.drop.iter().any(|name| self.has(name))
            || adjust.clamp.iter().any(|(name, ..)| self.has(name))
            || (adjust.tool_choice_required.is_some() && self.has("tool_choice"))
            || (adjust.stop_as_list && self.has("stop"))
            || (adjust.tool_id_length.is_some() && peek::contains_word(&self.frames, b"tool_call_id"))
            || (adjust.developer_to_system && peek::contains_word(&self.frames, b"developer"))
    }
}

/// # Errors
/// A request that cannot be read, or that the target's dialect cannot say.
pub fn write(
    call: &Call,
    draft: &Draft<'_>,
    reading: &mut Reading,
    endpoint: Endpoint,
    upstream: &Upstream<'_>,
    set: &Pairs,
) -> Result<Written, Refusal> {
    match reading {
        Reading::Proxy | Reading::Same(_) => same(draft, endpoint, upstream, set),
        Reading::Chat(dialect) => chat(call, draft, *dialect, upstream, set),
        Reading::Embeddings { dialect, base64 } => {
            let mut request = openai_chat::embeddings::decode_request(&draft.bytes())
                .map_err(|error| Refusal::new("request", error))?;
            *base64 = request.base64;
            request.model.clone_from(&draft.model);
            let encoded = provider_dialect(*dialect)
                .encode_embeddings(&request, &context(upstream, &draft.model))
                .map_err(refuse)?;
            Ok(Written { frames: [encoded.body.into()].into(), warnings: encoded.warnings })
        }
    }
}

/// Whether the provider has to be asked for the usage of a stream, which the client did not do. What its caller is
/// charged should be the provider's own count.
pub fn lacks_usage(draft: &Draft<'_>, endpoint: Endpoint, reading: Reading, upstream: &Upstream<'_>) -> bool {
    draft.stream
        && reading == Reading::Same(DialectId::OpenAi)
        && matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Completions)
        && upstream.row().is_some()
        && !draft.has("stream_options")
        && !upstream.adjust().drop.iter().any(|name| name == "stream_options")
}

/// The body with that question in it; nothing is copied.
pub fn asking_for_usage(frames: &[Bytes]) -> Arc<[Bytes]> {
    const QUESTION: &[u8] = br#""stream_options":{"include_usage":true},"#;
    let mut asked = false;
    let mut out = Vec::with_capacity(frames.len() + 2);
    for frame in frames {
        match memchr::memchr(b'{', frame).filter(|_| !asked) {
            Some(at) => {
                asked = true;
                out.extend([frame.slice(..=at), Bytes::from_static(QUESTION), frame.slice(at + 1..)]);
            }
            None => out.push(frame.clone()),
        }
    }
    out.into()
}

/// The client's own dialect: as little change as possible.
fn same(
    draft: &Draft<'_>,
    endpoint: Endpoint,
    upstream: &Upstream<'_>,
    set: &Pairs,
) -> Result<Written, Refusal> {
    let mut warnings = Warnings::default();
    let adjust = upstream.adjust();
    let adjusts = endpoint == Endpoint::ChatCompletions && !adjust.is_empty() && draft.needs(adjust);
    let rebuild = draft.members.is_some() || adjusts || !set.is_empty();
    let frames = match &draft.body_model {
        None if !rebuild => draft.frames.clone(),
        Some(BodyModel::Replaced(model)) if !rebuild && draft.peek.model_range.is_some() => {
            let range = draft.peek.model_range.clone().unwrap_or_default();
            peek::with_model(&draft.frames, range, model).into()
        }
        change => {
            let mut members = draft.parse()?;
            match change {
                Some(BodyModel::Replaced(model)) => {
                    drop(members.insert("model".into(), model.as_str().into()))
                }
                Some(BodyModel::Omitted) => drop(members.shift_remove("model")),
                Some(BodyModel::AsGiven) | None => {}
            }
            if adjusts {
                openai_chat::adjust_body(&mut members, adjust, &mut warnings);
            }
            for (name, value) in set.iter() {
                members.insert(name.into(), value.into());
            }
            [to_bytes(&members)].into()
        }
    };
    Ok(Written { frames, warnings })
}

/// Another dialect: by way of the neutral form.
fn chat(
    call: &Call,
    draft: &Draft<'_>,
    dialect: DialectId,
    upstream: &Upstream<'_>,
    set: &Pairs,
) -> Result<Written, Refusal> {
    let mut request =
        call.client().decode_chat(&draft.bytes()).map_err(|error| Refusal::new("request", error))?;
    request.model.clone_from(&draft.model);
    let mut omit = false;
    match &draft.body_model {
        Some(BodyModel::Replaced(model)) => request.model.clone_from(model),
        Some(BodyModel::Omitted) => omit = true,
        Some(BodyModel::AsGiven) | None => {}
    }
    let encoded =
        provider_dialect(dialect).encode_chat(&request, &context(upstream, &draft.model)).map_err(refuse)?;
    let mut warnings = encoded.warnings;
    request.warnings.into_iter().for_each(|warning| warnings.add(warning));
    let mut body = Bytes::from(encoded.body);
    if omit || !set.is_empty() {
        let mut members: Map<String, Value> =
            serde_json::from_slice(&body).map_err(|error| unreadable(&error.to_string()))?;
        if omit {
            members.shift_remove("model");
        }
        for (name, value) in set.iter() {
            members.insert(name.into(), value.into());
        }
        body = to_bytes(&members);
    }
    Ok(Written { frames: [body].into(), warnings })
}

fn context<'a>(upstream: &'a Upstream<'_>, model: &str) -> EncodeContext<'a> {
    let facts = upstream.row().and_then(|row| tidegate_catalog::model(row.id, model));
    EncodeContext {
        provider: upstream.label(),
        adjust: upstream.adjust(),
        max_output_tokens: facts.and_then(|facts| facts.max_output_tokens),
    }
}

/// What one target cannot be asked another may: a fallback goes on.
fn refuse(error: ApiError) -> Refusal {
    Refusal::new("target_cannot", error)
}

fn unreadable(why: &str) -> Refusal {
    let error = ApiError::bad_request("body", format!("the request's body is not valid JSON: {why}"));
    Refusal::new("request", error.with_code("invalid_json"))
}

fn join(frames: &[Bytes]) -> Bytes {
    match frames {
        [only] => only.clone(),
        frames => frames.concat().into(),
    }
}

fn to_bytes(members: &Map<String, Value>) -> Bytes {
    // A map of JSON values always serialises.
    serde_json::to_vec(members).unwrap_or_default().into()
}
