//! `batchEmbedContents`: one request for each text, so that every text has a vector of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_core::{ApiError, Usage, Warnings};

use super::error;
use super::wire::UsageMetadata;
use crate::body;
use crate::chat::{EmbeddingsInput, EmbeddingsRequest, EmbeddingsResponse, Extra};
use crate::{AnswerContext, EncodeContext, Encoded};

#[derive(Debug, Serialize)]
struct Batch<'a> {
    requests: Vec<Embed<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Embed<'a> {
    model: &'a str,
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Content<'a> {
    parts: [TextPart<'a>; 1],
}

#[derive(Debug, Serialize)]
struct TextPart<'a> {
    text: &'a str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    embeddings: Vec<Embedding>,
    /// Of `embedContent`, the form for one text.
    embedding: Option<Embedding>,
    usage_metadata: Option<UsageMetadata>,
    error: Option<Value>,
    #[serde(flatten)]
    rest: Extra,
}

#[derive(Debug, Deserialize)]
struct Embedding {
    values: Vec<f32>,
}

pub(super) fn encode(request: &EmbeddingsRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
    let EmbeddingsInput::Texts(texts) = &request.input else {
        let message =
            "Gemini embeds texts: a string or a list of strings is wanted, not token numbers or objects";
        return Err(ApiError::bad_request("input", message));
    };
    let mut warnings = Warnings::default();
    if request.user.is_some() {
        warnings.dropped("user");
    }
    let (mut task_type, mut title) = (None, None);
    for (member, value) in &request.extra {
        match member.as_str() {
            "task_type" | "taskType" | "task" | "input_type" => task_type = Some(task(value, member)?),
            "title" => title = Some(value),
            _ => warnings.dropped(member),
        }
    }
    let model = qualified(&request.model);
    let embed = |text| Embed {
        model: &model,
        content: Content { parts: [TextPart { text }] },
        task_type,
        title,
        output_dimensionality: request.dimensions,
    };
    let batch = Batch { requests: texts.iter().map(|text| embed(text.as_str())).collect() };
    Encoded::of(&batch, ctx.adjust, warnings)
}

pub(super) fn decode(body: &[u8], ctx: &AnswerContext<'_>) -> Result<EmbeddingsResponse, ApiError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|e| body::unreadable("Gemini", &e))?;
    if let Some(error) = &answer.error {
        return Err(error::from_member(error));
    }
    let embeddings = answer.embeddings.into_iter().chain(answer.embedding);
    let vectors: Vec<Vec<f32>> = embeddings.map(|embedding| embedding.values).collect();
    if vectors.is_empty() {
        return Err(ApiError::upstream("the answer holds no embeddings"));
    }
    let usage = answer.usage_metadata.map(|metadata| Usage {
        input: metadata.prompt_token_count,
        reported_total: metadata.total_token_count,
        ..Usage::default()
    });
    Ok(EmbeddingsResponse { model: Some(ctx.model.to_owned()), vectors, usage, extra: answer.rest })
}

fn qualified(model: &str) -> String {
    if model.starts_with("models/") { model.to_owned() } else { format!("models/{model}") }
}

/// Google's word for the task; the words of Cohere and Voyage are understood too.
fn task<'a>(value: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    match value.as_str() {
        Some("search_query" | "query") => Ok("RETRIEVAL_QUERY"),
        Some("search_document" | "document") => Ok("RETRIEVAL_DOCUMENT"),
        Some("classification") => Ok("CLASSIFICATION"),
        Some("clustering") => Ok("CLUSTERING"),
        Some(word) if word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') => Ok(word),
        _ => {
            let message = "Gemini's tasks are `RETRIEVAL_QUERY`, `RETRIEVAL_DOCUMENT`, `SEMANTIC_SIMILARITY`, \
                           `CLASSIFICATION`, `CLUSTERING`, `QUESTION_ANSWERING`, `FACT_VERIFICATION` and \
                           `CODE_RETRIEVAL_QUERY`; `search_query` and `search_document` are understood too";
            Err(ApiError::bad_request(member, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Adjust, DialectId};

    fn request(input: EmbeddingsInput, extra: Value) -> EmbeddingsRequest {
        let Value::Object(extra) = extra else { panic!("an object is wanted") };
        let model = "gemini-embedding-001".to_owned();
        let origin = DialectId::OpenAi;
        EmbeddingsRequest { origin, model, input, base64: true, dimensions: Some(3), user: None, extra }
    }

    fn encoded(request: &EmbeddingsRequest) -> Result<Encoded, ApiError> {
        let adjust = Adjust::default();
        encode(request, &EncodeContext { provider: "google", adjust: &adjust, max_output_tokens: None })
    }

    #[test]
    fn each_text_is_a_request() {
        let texts = EmbeddingsInput::Texts(vec!["a".into(), "b".into()]);
        let encoded =
            encoded(&request(texts, json!({"input_type": "search_query", "truncate": "END"}))).unwrap();
        let embed = |text: &str| {
            json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]},
                   "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 3})
        };
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(body, json!({"requests": [embed("a"), embed("b")]}));
        assert_eq!(encoded.warnings.header_value(), "dropped;truncate");
    }

    #[test]
    fn what_gemini_cannot_embed_is_refused() {
        let tokens = request(EmbeddingsInput::Raw(json!([1, 2])), json!({}));
        assert_eq!(encoded(&tokens).unwrap_err().param.as_deref(), Some("input"));
        let task = request(EmbeddingsInput::Texts(vec!["a".into()]), json!({"task_type": "poetry"}));
        assert_eq!(encoded(&task).unwrap_err().param.as_deref(), Some("task_type"));
    }

    #[test]
    fn answers_of_both_forms_are_read() {
        let ctx =
            AnswerContext { provider: "google", model: "e", strict: true, include_usage: false, now_s: 0 };
        for (body, vectors, tokens) in [
            (
                json!({"embeddings": [{"values": [1.0, 2.0]}, {"values": [3.0]}]}),
                vec![vec![1.0, 2.0], vec![3.0]],
                None,
            ),
            (
                json!({"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": 4}}),
                vec![vec![0.5]],
                Some(4),
            ),
        ] {
            let response = decode(body.to_string().as_bytes(), &ctx).unwrap();
            assert_eq!((response.vectors, response.usage.map(|usage| usage.input)), (vectors, tokens));
        }
        for body in ["{}", "no", r#"{"embeddings":[{"values":["x"]}]}"#] {
            assert_eq!(decode(body.as_bytes(), &ctx).unwrap_err().status, 502, "{body}");
        }
    }
}
