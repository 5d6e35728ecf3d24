//! `/v2/embed`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use tidegate_core::{ApiError, Usage, Verdict, Warnings};

use super::{error, response};
use crate::chat::{EmbeddingsInput, EmbeddingsRequest, EmbeddingsResponse, Extra};
use crate::{AnswerContext, EncodeContext, Encoded};

/// What an index is filled with; the other common purpose, a search, has to be said.
const DEFAULT_INPUT_TYPE: &str = "search_document";

#[derive(Debug, Serialize)]
struct Request<'a> {
    model: &'a str,
    input_type: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<Cow<'a, str>>,
    embedding_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<&'a Value>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    embeddings: Embeddings,
    meta: Option<Meta>,
    id: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Embeddings {
    ByType {
        float: Vec<Vec<f32>>,
    },
    /// Of the older API, which some hosts still serve.
    Plain(Vec<Vec<f32>>),
}

#[derive(Debug, Deserialize)]
struct Meta {
    billed_units: Option<Extra>,
    warnings: Option<Value>,
}

pub(super) fn encode(request: &EmbeddingsRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
    let mut warnings = Warnings::default();
    let (texts, images) = inputs(&request.input)?;
    let mut body = Request {
        model: &request.model,
        input_type: "",
        texts,
        images,
        // Numbers; the client's base64 is made from them.
        embedding_types: ["float"],
        output_dimension: request.dimensions,
        truncate: None,
        max_tokens: None,
    };
    if request.user.is_some() {
        warnings.dropped("user");
    }
    for (member, value) in &request.extra {
        match member.as_str() {
            "input_type" => body.input_type = input_type(value)?,
            "truncate" => body.truncate = Some(value),
            "max_tokens" => body.max_tokens = Some(value),
            _ => warnings.dropped(member),
        }
    }
    if body.input_type.is_empty() {
        body.input_type = if body.images.is_empty() { DEFAULT_INPUT_TYPE } else { "image" };
        warnings.push_note(Verdict::Shaped, "input_type", body.input_type);
    }
    Encoded::of(&body, ctx.adjust, warnings)
}

pub(super) fn decode(body: &[u8], ctx: &AnswerContext<'_>) -> Result<EmbeddingsResponse, ApiError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|e| error::instead_of_answer(body, &e))?;
    let vectors = match answer.embeddings {
        Embeddings::ByType { float } => float,
        Embeddings::Plain(vectors) => vectors,
    };
    let mut extra = Extra::from_iter(answer.id.map(|id| ("id".to_owned(), id)));
    let mut usage = None;
    if let Some(meta) = answer.meta {
        let billed = meta.billed_units.as_ref().and_then(|units| units.get("input_tokens"));
        usage = billed
            .and_then(Value::as_number)
            .and_then(|tokens: &Number| response::count(tokens))
            .map(|input| Usage { input, ..Usage::default() });
        extra.extend(meta.billed_units.map(|units| ("billed_units".to_owned(), units.into())));
        extra.extend(meta.warnings.map(|warnings| ("warnings".to_owned(), warnings)));
    }
    Ok(EmbeddingsResponse { model: Some(ctx.model.to_owned()), vectors, usage, extra })
}

type Inputs<'a> = (Vec<&'a str>, Vec<Cow<'a, str>>);

/// Texts, or images; objects `{"text"}` and `{"image": {"base64"}}` are understood as Portkey's gateway does.
fn inputs(input: &EmbeddingsInput) -> Result<Inputs<'_>, ApiError> {
    let items = match input {
        EmbeddingsInput::Texts(texts) => {
            return Ok((texts.iter().map(String::as_str).collect(), Vec::new()));
        }
        EmbeddingsInput::Raw(Value::Array(items)) => items.as_slice(),
        EmbeddingsInput::Raw(item) => std::slice::from_ref(item),
    };
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for item in items {
        let text = item.as_str().or_else(|| item.get("text")?.as_str());
        let image = || item.pointer("/image/base64").and_then(Value::as_str);
        match text {
            Some(text) => texts.push(text),
            None => images.push(data_uri(image().ok_or_else(not_embeddable)?)),
        }
    }
    if texts.is_empty() == images.is_empty() {
        let message = "Cohere embeds either texts or images at a time, and at least one of them";
        return Err(ApiError::bad_request("input", message));
    }
    Ok((texts, images))
}

fn not_embeddable() -> ApiError {
    let message = "Cohere embeds texts and images: strings, `{\"text\": ...}` or `{\"image\": {\"base64\": ...}}` are \
                   wanted, not token numbers";
    ApiError::bad_request("input", message)
}

fn data_uri(base64: &str) -> Cow<'_, str> {
    if base64.starts_with("data:") {
        return base64.into();
    }
    // The first bytes of each format, in base64.
    let mime = match base64 {
        _ if base64.starts_with("iVBOR") => "image/png",
        _ if base64.starts_with("R0lGOD") => "image/gif",
        _ if base64.starts_with("UklGR") => "image/webp",
        _ => "image/jpeg",
    };
    ["data:", mime, ";base64,", base64].concat().into()
}

fn input_type(value: &Value) -> Result<&str, ApiError> {
    let known = ["search_document", "search_query", "classification", "clustering", "image"];
    match value.as_str() {
        Some("query") => Ok("search_query"),
        Some("document") => Ok("search_document"),
        Some(word) if known.contains(&word) => Ok(word),
        _ => Err(ApiError::bad_request("input_type", format!("Cohere takes {}", known.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Adjust, DialectId};

    fn encoded(input: EmbeddingsInput, extra: Value) -> Result<(Value, String), ApiError> {
        let Value::Object(extra) = extra else { panic!("an object is wanted") };
        let request = EmbeddingsRequest {
            origin: DialectId::OpenAi,
            model: "embed-v4".into(),
            input,
            base64: true,
            dimensions: Some(256),
            user: None,
            extra,
        };
        let adjust = Adjust::default();
        let ctx = EncodeContext { provider: "cohere", adjust: &adjust, max_output_tokens: None };
        let encoded = encode(&request, &ctx)?;
        Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded.warnings.header_value()))
    }

    #[test]
    fn inputs_become_texts_or_images() {
        let texts = EmbeddingsInput::Texts(vec!["a".into(), "b".into()]);
        let objects = EmbeddingsInput::Raw(json!([{"text": "a"}, "b"]));
        let image = EmbeddingsInput::Raw(json!([{"image": {"base64": "iVBORw0KGgo="}}]));
        let default = "shaped;input_type=search_document";
        for (input, extra, expected, warned) in [
            (texts, json!({}), json!({"texts": ["a", "b"], "input_type": "search_document"}), default),
            (
                objects,
                json!({"input_type": "query", "truncate": "END", "x": 1}),
                json!({"texts": ["a", "b"], "input_type": "search_query", "truncate": "END"}),
                "dropped;x",
            ),
            (
                image,
                json!({}),
                json!({"images": ["data:image/png;base64,iVBORw0KGgo="], "input_type": "image"}),
                "shaped;input_type=image",
            ),
        ] {
            let (mut body, seen) = encoded(input, extra).unwrap();
            for (member, value) in [
                ("model", json!("embed-v4")),
                ("embedding_types", json!(["float"])),
                ("output_dimension", json!(256)),
            ] {
                assert_eq!(body.as_object_mut().unwrap().remove(member), Some(value));
            }
            assert_eq!((body, seen.as_str()), (expected, warned));
        }
    }

    #[test]
    fn what_cohere_cannot_embed_is_refused() {
        for (input, extra, param) in [
            (json!([1, 2]), json!({}), "input"),
            (json!([]), json!({}), "input"),
            (json!(["a", {"image": {"base64": "x"}}]), json!({}), "input"),
            (json!(["a"]), json!({"input_type": "poetry"}), "input_type"),
        ] {
            let error = encoded(EmbeddingsInput::Raw(input), extra).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
    }

    #[test]
    fn answers_of_both_versions_are_read() {
        let ctx =
            AnswerContext { provider: "cohere", model: "e", strict: true, include_usage: false, now_s: 0 };
        let vectors = vec![vec![1.0, 2.0], vec![0.5, 4.0]];
        for (embeddings, meta, tokens) in [
            (json!({"float": vectors}), json!({"billed_units": {"input_tokens": 4.0}}), Some(4)),
            (json!(vectors), json!({}), None),
        ] {
            let body = json!({"id": "1", "embeddings": embeddings, "meta": meta}).to_string();
            let response = decode(body.as_bytes(), &ctx).unwrap();
            assert_eq!(response.vectors, vectors);
            assert_eq!(response.usage.map(|usage| usage.input), tokens);
        }
        assert_eq!(decode(br#"{"message":"no"}"#, &ctx).unwrap_err().status, 502);
    }
}
