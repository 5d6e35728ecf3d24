//! `POST /v1/embeddings`: requests read and written, answers read and written. OpenAI's own clients ask for base64
//! (little-endian `f32`) unless told otherwise; providers are always asked for numbers, and packing is done here.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Usage, Warnings};

use super::member::{self, Place, take, take_text};
use super::request::adjust_body;
use super::{base64, error, response};
use crate::chat::{EmbeddingsInput, EmbeddingsRequest, EmbeddingsResponse};
use crate::{AnswerContext, DialectId, EncodeContext, Encoded};

/// Reads a client's request.
///
/// # Errors
/// 400 naming the first member that is wrong.
pub fn decode_request(body: &[u8]) -> Result<EmbeddingsRequest, ApiError> {
    let mut members = member::body(body)?;
    members.retain(|_, value| !value.is_null());
    let input = Place::top("input");
    let value = take(&mut members, "input").ok_or_else(|| input.missing())?;
    let format = Place::top("encoding_format");
    let base64 = match take(&mut members, "encoding_format") {
        None => false,
        Some(word) => match format.string(word)?.as_str() {
            "base64" => true,
            "float" => false,
            other => {
                let message = format!("'{format}' must be \"float\" or \"base64\", not \"{other}\"");
                return Err(format.refuse(message));
            }
        },
    };
    let dimensions = take(&mut members, "dimensions");
    let user = take(&mut members, "user");
    Ok(EmbeddingsRequest {
        origin: DialectId::OpenAi,
        model: Place::top("model").word(take(&mut members, "model"))?,
        input: read_input(&input, value)?,
        base64,
        dimensions: dimensions.map(|value| Place::top("dimensions").count(&value)).transpose()?,
        user: user.map(|value| Place::top("user").string(value)).transpose()?,
        extra: members,
    })
}

/// The answer for a client; `model` is what the request named, for providers that do not repeat it.
pub fn encode_response(response: &EmbeddingsResponse, base64: bool, model: &str) -> Vec<u8> {
    let write = |(index, vector)| Entry {
        object: "embedding",
        index,
        embedding: if base64 { Embedding::Packed(pack(vector)) } else { Embedding::Numbers(vector) },
    };
    let answer = Answer {
        object: "list",
        data: response.vectors.iter().map(Vec::as_slice).enumerate().map(write).collect(),
        model: response.model.as_deref().unwrap_or(model),
        usage: {
            // Required by clients; a vendor that counts nothing is shown as zero.
            let prompt = response.usage.as_ref().map_or(0, Usage::prompt);
            json!({"prompt_tokens": prompt, "total_tokens": prompt})
        },
    };
    // Neither numbers nor strings can fail to be written to memory.
    serde_json::to_vec(&answer).unwrap_or_default()
}

#[derive(Serialize)]
struct Answer<'a> {
    object: &'static str,
    data: Vec<Entry<'a>>,
    model: &'a str,
    usage: Value,
}

#[derive(Serialize)]
struct Entry<'a> {
    object: &'static str,
    index: usize,
    embedding: Embedding<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Embedding<'a> {
    Numbers(&'a [f32]),
    Packed(String),
}

/// The request for a provider.
pub(super) fn encode_request(request: &EmbeddingsRequest, ctx: &EncodeContext<'_>) -> Encoded {
    let mut warnings = Warnings::default();
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(request.model));
    let input = match &request.input {
        EmbeddingsInput::Texts(texts) => match &texts[..] {
            [one] => json!(one),
            many => json!(many),
        },
        EmbeddingsInput::Raw(raw) => raw.clone(),
    };
    body.insert("input".to_owned(), input);
    if let Some(dimensions) = request.dimensions {
        body.insert("dimensions".to_owned(), json!(dimensions));
    }
    if let Some(user) = &request.user {
        body.insert("user".to_owned(), json!(user));
    }
    for (key, value) in &request.extra {
        if request.origin == DialectId::OpenAi {
            body.entry(key.clone()).or_insert_with(|| value.clone());
        } else {
            warnings.dropped(key);
        }
    }
    adjust_body(&mut body, ctx.adjust, &mut warnings);
    Encoded { body: Value::Object(body).to_string().into_bytes(), warnings }
}

/// A provider's answer.
///
/// # Errors
/// An error hidden in the 200, or 502 for a body that holds no vectors.
pub(super) fn decode_response(body: &[u8], ctx: &AnswerContext<'_>) -> Result<EmbeddingsResponse, ApiError> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return Err(error::unreadable(body, ctx.provider));
    };
    if let Some(error) = error::in_success(&members) {
        return Err(error);
    }
    let broken = |what: &str| ApiError::upstream(format!("{} answered with {what}", ctx.provider));
    let Some(Value::Array(items)) = take(&mut members, "data") else {
        return Err(broken("JSON that has no 'data'"));
    };
    let mut vectors = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        let index = item.get("index").and_then(Value::as_u64).unwrap_or(position as u64);
        let vector = item.get("embedding").and_then(read_vector);
        vectors.push((index, vector.ok_or_else(|| broken("an embedding that is not a list of numbers"))?));
    }
    vectors.sort_by_key(|(index, _)| *index);
    let usage = take(&mut members, "usage").as_ref().and_then(read_usage);
    let model = take_text(&mut members, "model");
    members.retain(|key, value| !(value.is_null() || matches!(key.as_str(), "object" | "id" | "created")));
    let vectors = vectors.into_iter().map(|(_, vector)| vector).collect();
    Ok(EmbeddingsResponse { model, vectors, usage, extra: members })
}

/// Texts; token arrays and multimodal objects stay as they are.
fn read_input(at: &Place<'_>, value: Value) -> Result<EmbeddingsInput, ApiError> {
    match value {
        Value::String(text) => Ok(EmbeddingsInput::Texts(vec![text])),
        Value::Array(items) if items.is_empty() => Err(at.refuse(format!("'{at}' must not be empty"))),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            Ok(EmbeddingsInput::Texts(at.strings(Value::Array(items))?))
        }
        Value::Array(items) if items.iter().all(|item| !item.is_string() && !item.is_null()) => {
            Ok(EmbeddingsInput::Raw(Value::Array(items)))
        }
        other => Err(at.wrong("a string, a list of strings or a list of tokens", &other)),
    }
}

fn read_vector(value: &Value) -> Option<Vec<f32>> {
    match value {
        Value::Array(numbers) => numbers.iter().map(|number| Some(number.as_f64()? as f32)).collect(),
        Value::String(packed) => {
            let bytes = base64::decode(packed)?;
            let (floats, rest) = bytes.as_chunks::<4>();
            rest.is_empty().then(|| floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        }
        _ => None,
    }
}

/// Embeddings consume a prompt and nothing else; some vendors give the total alone.
fn read_usage(value: &Value) -> Option<Usage> {
    let usage = response::read_usage(value);
    usage.or_else(|| {
        let total = value.get("total_tokens").and_then(member::whole)?;
        Some(Usage { input: total, reported_total: Some(total), ..Usage::default() })
    })
}

fn pack(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    base64::encode(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Adjust;

    const CTX: AnswerContext<'static> =
        AnswerContext { provider: "vendor", model: "m", strict: true, include_usage: true, now_s: 1 };

    fn decode(value: Value) -> Result<EmbeddingsRequest, ApiError> {
        decode_request(value.to_string().as_bytes())
    }

    #[test]
    fn inputs_of_each_form() {
        let texts =
            |list: &[&str]| EmbeddingsInput::Texts(list.iter().map(|text| (*text).to_owned()).collect());
        for (input, want) in [
            (json!("a"), texts(&["a"])),
            (json!(["a", "b"]), texts(&["a", "b"])),
            (json!([1, 2]), EmbeddingsInput::Raw(json!([1, 2]))),
            (json!([[1], [2]]), EmbeddingsInput::Raw(json!([[1], [2]]))),
            (json!([{"image": {}}]), EmbeddingsInput::Raw(json!([{"image": {}}]))),
        ] {
            let request = decode(json!({"model": "m", "input": input})).unwrap();
            assert_eq!(request.input, want, "{input}");
        }
    }

    #[test]
    fn members_are_read_and_wrong_ones_named() {
        let request =
            decode(json!({"model": "m", "input": "a", "encoding_format": "base64", "dimensions": 8,
            "user": "u", "input_type": "query", "truncate": null}))
            .unwrap();
        assert!(request.base64);
        assert_eq!((request.dimensions, request.user.as_deref()), (Some(8), Some("u")));
        assert_eq!(Value::Object(request.extra), json!({"input_type": "query"}));
        for (value, param) in [
            (json!({"input": "a"}), "model"),
            (json!({"model": "m"}), "input"),
            (json!({"model": "m", "input": []}), "input"),
            (json!({"model": "m", "input": ["a", 1]}), "input"),
            (json!({"model": "m", "input": 1}), "input"),
            (json!({"model": "m", "input": "a", "encoding_format": "int8"}), "encoding_format"),
            (json!({"model": "m", "input": "a", "dimensions": "x"}), "dimensions"),
        ] {
            let error = decode(value.clone()).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{value}");
        }
    }

    #[test]
    fn requests_are_written_with_their_differences() {
        let request = decode(json!({"model": "m", "input": ["a"], "encoding_format": "base64", "user": "u",
            "dimensions": 8, "input_type": "query"}))
        .unwrap();
        let adjust = Adjust { drop: vec!["user".into()], ..Adjust::default() };
        let encoded = encode_request(
            &request,
            &EncodeContext { provider: "p", adjust: &adjust, max_output_tokens: None },
        );
        assert_eq!(
            String::from_utf8(encoded.body).unwrap(),
            r#"{"model":"m","input":"a","dimensions":8,"input_type":"query"}"#
        );
        assert_eq!(encoded.warnings.header_value(), "dropped;user");
    }

    #[test]
    fn vectors_come_in_the_order_of_the_input() {
        let packed = pack(&[0.25, -2.0]);
        let body = json!({"object": "list", "model": "m-1", "data": [
            {"index": 1, "embedding": packed}, {"index": 0, "embedding": [1, 0.5]}],
            "usage": {"total_tokens": 4}});
        let response = decode_response(body.to_string().as_bytes(), &CTX).unwrap();
        assert_eq!(response.vectors, [vec![1.0, 0.5], vec![0.25, -2.0]]);
        assert_eq!(response.usage.unwrap().input, 4);
        assert!(response.extra.is_empty());
    }

    #[test]
    fn answers_are_numbers_or_packed() {
        let response = EmbeddingsResponse {
            model: None,
            vectors: vec![vec![0.1, -2.0]],
            usage: Some(Usage { input: 3, ..Usage::default() }),
            extra: Map::new(),
        };
        let text = |base64| String::from_utf8(encode_response(&response, base64, "m")).unwrap();
        let answer = |embedding: &str| {
            format!(
                concat!(
                    r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":{}}}],"#,
                    r#""model":"m","usage":{{"prompt_tokens":3,"total_tokens":3}}}}"#
                ),
                embedding
            )
        };
        assert_eq!(text(false), answer("[0.1,-2.0]"));
        assert_eq!(text(true), answer(r#""zczMPQAAAMA=""#));
    }

    #[test]
    fn bodies_without_vectors_are_errors() {
        for (body, status) in [
            ("<html>", 502),
            ("{}", 502),
            (r#"{"data":[{"embedding":"***"}]}"#, 502),
            (r#"{"data":[{"embedding":"AAA="}]}"#, 502),
            (r#"{"data":[{}]}"#, 502),
            (r#"{"error":{"code":429,"message":"busy"}}"#, 429),
        ] {
            assert_eq!(decode_response(body.as_bytes(), &CTX).unwrap_err().status, status, "{body}");
        }
    }
}
