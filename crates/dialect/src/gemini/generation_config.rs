//! Sampling, bounds, form of the answer and thinking: `generationConfig`.

use serde_json::Number;
use tidegate_core::{ApiError, Verdict, Warnings};

use super::request::Extensions;
use super::wire::GenerationConfig;
use super::{schema, thinking};
use crate::chat::{ChatRequest, ResponseFormat};
use crate::losses;
use thinking::Generation;

const MAX_CANDIDATES: u32 = 8;
const MAX_STOPS: usize = 5;

pub(super) fn generation_config<'a>(
    request: &'a ChatRequest,
    extensions: &mut Extensions<'a>,
    warnings: &mut Warnings,
) -> Result<GenerationConfig<'a>, ApiError> {
    let mut config = GenerationConfig {
        temperature: request.temperature.as_ref(),
        top_p: request.top_p.as_ref(),
        top_k: request.top_k.as_ref(),
        candidate_count: candidates(request.n)?,
        max_output_tokens: request.max_tokens,
        stop_sequences: losses::of_stops(&request.stop, MAX_STOPS, warnings),
        presence_penalty: request.presence_penalty.as_ref(),
        frequency_penalty: request.frequency_penalty.as_ref(),
        seed: request.seed.as_ref().map(|seed| small_seed(seed, warnings)),
        response_logprobs: request.logprobs,
        logprobs: request.top_logprobs,
        thinking_config: request
            .reasoning
            .as_ref()
            .and_then(|reasoning| thinking::config(&request.model, reasoning, warnings)),
        response_modalities: extensions.response_modalities.take(),
        speech_config: extensions.speech_config.take(),
        image_config: extensions.image_config.take(),
        media_resolution: extensions.media_resolution,
        ..GenerationConfig::default()
    };
    if let Some(format) = &request.response_format {
        response_format(format, &request.model, &mut config, warnings)?;
    }
    Ok(config)
}

fn candidates(n: Option<u32>) -> Result<Option<u32>, ApiError> {
    match n {
        None | Some(1) => Ok(None),
        Some(n @ 2..=MAX_CANDIDATES) => Ok(Some(n)),
        Some(_) => Err(ApiError::bad_request(
            "n",
            format!("Gemini gives from 1 to {MAX_CANDIDATES} answers at a time"),
        )),
    }
}

/// Gemini's seeds have 32 bits. A larger one becomes, always, the same smaller one.
fn small_seed(seed: &Number, warnings: &mut Warnings) -> i32 {
    if let Some(small) = seed.as_i64().and_then(|seed| i32::try_from(seed).ok()) {
        return small;
    }
    let folded = i128_of(seed).rem_euclid(i128::from(i32::MAX));
    let small = i32::try_from(folded).unwrap_or_default();
    warnings.push_note(Verdict::Shaped, "seed", small.to_string());
    small
}

/// A fraction has no whole seed: it counts as 0.
fn i128_of(seed: &Number) -> i128 {
    seed.as_i64().map(i128::from).or_else(|| seed.as_u64().map(i128::from)).unwrap_or_default()
}

fn response_format<'a>(
    format: &'a ResponseFormat,
    model: &str,
    config: &mut GenerationConfig<'a>,
    warnings: &mut Warnings,
) -> Result<(), ApiError> {
    let ResponseFormat::JsonSchema { schema, .. } = format else {
        config.response_mime_type = (*format == ResponseFormat::JsonObject).then_some("application/json");
        return Ok(());
    };
    config.response_mime_type = Some("application/json");
    if Generation::of(model) >= Generation::V2_5 {
        config.response_json_schema = Some(schema);
    } else {
        let path = "response_format.json_schema.schema";
        config.response_schema = Some(schema::convert(schema, path, warnings)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::DialectId;

    fn written(request: &ChatRequest) -> Result<(Value, String), ApiError> {
        let mut warnings = Warnings::default();
        let config = generation_config(request, &mut Extensions::default(), &mut warnings)?;
        Ok((serde_json::to_value(config).unwrap(), warnings.header_value()))
    }

    fn request(model: &str) -> ChatRequest {
        ChatRequest::new(DialectId::OpenAi, model)
    }

    #[test]
    fn parameters_are_renamed() {
        let request = ChatRequest {
            temperature: Number::from_f64(0.5),
            top_p: Number::from_f64(0.9),
            top_k: Some(40.into()),
            frequency_penalty: Number::from_f64(-0.5),
            presence_penalty: Number::from_f64(1.5),
            seed: Some(7.into()),
            max_tokens: Some(9),
            stop: vec!["x".into()],
            n: Some(2),
            logprobs: Some(true),
            top_logprobs: Some(3),
            ..request("gemini-2.5-flash")
        };
        let expected = json!({
            "temperature": 0.5, "topP": 0.9, "topK": 40, "candidateCount": 2, "maxOutputTokens": 9,
            "stopSequences": ["x"], "presencePenalty": 1.5, "frequencyPenalty": -0.5, "seed": 7,
            "responseLogprobs": true, "logprobs": 3,
        });
        assert_eq!(written(&request).unwrap(), (expected, String::new()));
    }

    #[test]
    fn nothing_asked_is_nothing_said() {
        let request = ChatRequest { n: Some(1), ..request("gemini-2.5-flash") };
        assert_eq!(written(&request).unwrap(), (json!({}), String::new()));
    }

    #[test]
    fn large_seeds_and_long_stop_lists_are_shaped() {
        for (seed, small) in [(Number::from(1_u64 << 40), 512), (Number::from(u64::MAX), 3)] {
            let request = ChatRequest { seed: Some(seed), ..request("gemini-2.5-flash") };
            let warned = format!("shaped;seed={small}");
            assert_eq!(written(&request).unwrap(), (json!({"seed": small}), warned));
        }
        let stop = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
        let request = ChatRequest { stop, ..request("gemini-2.5-flash") };
        let expected = json!({"stopSequences": ["a", "b", "c", "d", "e"]});
        assert_eq!(written(&request).unwrap(), (expected, "shaped;stop=first_5".to_owned()));
    }

    #[test]
    fn too_many_answers_are_refused() {
        for n in [0, 9] {
            let request = ChatRequest { n: Some(n), ..request("gemini-2.5-flash") };
            assert_eq!(written(&request).unwrap_err().param.as_deref(), Some("n"));
        }
    }

    #[test]
    fn the_form_of_the_answer_depends_on_the_model() {
        let schema =
            json!({"type": "object", "additionalProperties": false, "properties": {"a": {"const": "x"}}});
        let by_schema = || ResponseFormat::JsonSchema {
            name: "n".into(),
            description: None,
            schema: schema.clone(),
            strict: Some(true),
        };
        let json_type = "application/json";
        let converted = json!({"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}});
        for (model, format, expected, warned) in [
            ("gemini-2.5-flash", ResponseFormat::Text, json!({}), ""),
            ("gemini-2.0-flash", ResponseFormat::JsonObject, json!({"responseMimeType": json_type}), ""),
            (
                "gemini-3-pro",
                by_schema(),
                json!({"responseMimeType": json_type, "responseJsonSchema": schema}),
                "",
            ),
            (
                "gemini-2.0-flash",
                by_schema(),
                json!({"responseMimeType": json_type, "responseSchema": converted}),
                "dropped;response_format.json_schema.schema=additionalProperties",
            ),
        ] {
            let request = ChatRequest { response_format: Some(format), ..request(model) };
            assert_eq!(written(&request).unwrap(), (expected, warned.to_owned()), "{model}");
        }
    }
}
