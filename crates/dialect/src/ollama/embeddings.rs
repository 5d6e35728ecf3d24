//! `/api/embed`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_core::{ApiError, Usage, Warnings};

use super::error;
use crate::body;
use crate::chat::{EmbeddingsInput, EmbeddingsRequest, EmbeddingsResponse, Extra};
use crate::{AnswerContext, EncodeContext, Encoded};

#[derive(Debug, Serialize)]
struct Request<'a> {
    model: &'a str,
    input: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive: Option<&'a Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    model: Option<String>,
    embeddings: Option<Vec<Vec<f32>>>,
    prompt_eval_count: Option<u64>,
    error: Option<Value>,
    #[serde(flatten)]
    rest: Extra,
}

pub(super) fn encode(request: &EmbeddingsRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
    let EmbeddingsInput::Texts(input) = &request.input else {
        let message =
            "Ollama embeds texts: a string or a list of strings is wanted, not token numbers or objects";
        return Err(ApiError::bad_request("input", message));
    };
    let mut warnings = Warnings::default();
    if request.user.is_some() {
        warnings.dropped("user");
    }
    let mut body = Request {
        model: &request.model,
        input,
        dimensions: request.dimensions,
        truncate: None,
        options: None,
        keep_alive: None,
    };
    for (member, value) in &request.extra {
        match member.as_str() {
            "truncate" => body.truncate = Some(value),
            "options" => body.options = Some(value),
            "keep_alive" => body.keep_alive = Some(value),
            _ => warnings.dropped(member),
        }
    }
    Encoded::of(&body, ctx.adjust, warnings)
}

pub(super) fn decode(body: &[u8], ctx: &AnswerContext<'_>) -> Result<EmbeddingsResponse, ApiError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|e| body::unreadable("Ollama", &e))?;
    if let Some(error) = &answer.error {
        return Err(error::from_member(error));
    }
    let Some(vectors) = answer.embeddings else {
        return Err(ApiError::upstream("the answer holds no embeddings"));
    };
    let usage = answer.prompt_eval_count.map(|input| Usage { input, ..Usage::default() });
    let model = answer.model.or_else(|| Some(ctx.model.to_owned()));
    Ok(EmbeddingsResponse { model, vectors, usage, extra: answer.rest })
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
            model: "nomic".into(),
            input,
            base64: false,
            dimensions: Some(64),
            user: Some("u".into()),
            extra,
        };
        let adjust = Adjust::default();
        let ctx = EncodeContext { provider: "ollama", adjust: &adjust, max_output_tokens: None };
        let encoded = encode(&request, &ctx)?;
        Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded.warnings.header_value()))
    }

    #[test]
    fn texts_and_own_members_pass() {
        let texts = EmbeddingsInput::Texts(vec!["a".into(), "b".into()]);
        let extra =
            json!({"truncate": false, "options": {"num_ctx": 9}, "keep_alive": 0, "input_type": "query"});
        let (body, warned) = encoded(texts, extra).unwrap();
        let expected = json!({
            "model": "nomic", "input": ["a", "b"], "dimensions": 64, "truncate": false, "options": {"num_ctx": 9},
            "keep_alive": 0,
        });
        assert_eq!((body, warned.as_str()), (expected, "dropped;user, dropped;input_type"));
    }

    #[test]
    fn tokens_are_refused() {
        let error = encoded(EmbeddingsInput::Raw(json!([[1, 2]])), json!({})).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("input"));
    }

    #[test]
    fn answers_are_read() {
        let ctx =
            AnswerContext { provider: "ollama", model: "e", strict: true, include_usage: false, now_s: 0 };
        let body =
            br#"{"model":"nomic","embeddings":[[1,0.5],[2,3]],"prompt_eval_count":4,"total_duration":9}"#;
        let response = decode(body, &ctx).unwrap();
        assert_eq!(response.vectors, [[1.0, 0.5], [2.0, 3.0]]);
        assert_eq!(response.usage.unwrap().input, 4);
        assert_eq!(Value::Object(response.extra), json!({"total_duration": 9}));
        for body in ["", "{}", r#"{"error":"no"}"#] {
            assert_eq!(decode(body.as_bytes(), &ctx).unwrap_err().status, 502, "{body}");
        }
    }
}
