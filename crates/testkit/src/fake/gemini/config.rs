//! `generationConfig`: bounds, and what goes with what.

use super::super::shape::{Kind, Member, check, may};
use super::request::Request;
use super::{Refusal, schema};
use serde_json::{Map, Value};

const MEMBERS: &[Member] = &[
    may("temperature", Kind::Number(0.0, 2.0)),
    may("topP", Kind::Number(0.0, 1.0)),
    may("topK", Kind::Number(1.0, 1_000_000.0)),
    may("candidateCount", Kind::Whole(1, 8)),
    may("maxOutputTokens", Kind::Whole(1, 1_000_000)),
    may("stopSequences", Kind::List),
    may("presencePenalty", Kind::Number(-2.0, 2.0)),
    may("frequencyPenalty", Kind::Number(-2.0, 2.0)),
    may("seed", Kind::Whole(i32::MIN as i64, i32::MAX as i64)),
    may("responseMimeType", Kind::Word(&["text/plain", "application/json", "text/x.enum"])),
    may("responseSchema", Kind::Object),
    may("responseJsonSchema", Kind::Object),
    may("responseLogprobs", Kind::Flag),
    may("logprobs", Kind::Whole(0, 20)),
    may("responseModalities", Kind::List),
    may("speechConfig", Kind::Object),
    may("thinkingConfig", Kind::Object),
    may("mediaResolution", Kind::Text),
    may("imageConfig", Kind::Object),
    may("audioTimestamp", Kind::Flag),
    may("enableEnhancedCivicAnswers", Kind::Flag),
];

const LEVELS: &[&str] =
    &["MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", "minimal", "low", "medium", "high", "xhigh"];

pub(super) fn read(config: &Value, request: &mut Request) -> Result<(), Refusal> {
    let config = check(config, "generationConfig", MEMBERS)?;
    let count = |name: &str| config.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    structured(config)?;
    request.ask.json = config.get("responseMimeType").is_some_and(|kind| kind == "application/json");
    request.ask.max_tokens = count("maxOutputTokens");
    request.ask.stop = stops(config)?;
    request.ask.think = thinking(config, &request.model)?;
    request.candidates = count("candidateCount").unwrap_or(1);
    request.logprobs = config.get("responseLogprobs") == Some(&Value::Bool(true));
    if config.contains_key("logprobs") && !request.logprobs {
        return Err(Refusal::invalid("Requested logprobs, but response_logprobs is not enabled."));
    }
    Ok(())
}

fn structured(config: &Map<String, Value>) -> Result<(), Refusal> {
    let schemas = ["responseSchema", "responseJsonSchema"];
    let plain = config.get("responseMimeType").is_none_or(|kind| kind == "text/plain");
    if plain && schemas.iter().any(|name| config.contains_key(*name)) {
        let text =
            "Response schema is only supported with a response mime type of application/json or text/x.enum";
        return Err(Refusal::invalid(text));
    }
    if schemas.iter().all(|name| config.contains_key(*name)) {
        return Err(Refusal::invalid("Only one of response_schema and response_json_schema can be set."));
    }
    match config.get("responseSchema") {
        Some(schema) => schema::check_schema(schema, "generationConfig.responseSchema"),
        None => Ok(()),
    }
}

fn stops(config: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let list = config.get("stopSequences").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<_> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if texts.len() != list.len() || texts.len() > 5 || texts.iter().any(String::is_empty) {
        let text = "Invalid value at 'generationConfig.stopSequences', expected up to 5 non-empty strings";
        return Err(Refusal::invalid(text));
    }
    Ok(texts)
}

/// Whether thoughts are to be shown.
fn thinking(config: &Map<String, Value>, model: &str) -> Result<bool, Refusal> {
    let Some(thinking) = config.get("thinkingConfig").filter(|value| !value.is_null()) else {
        return Ok(false);
    };
    let members = [
        may("includeThoughts", Kind::Flag),
        may("thinkingBudget", Kind::Whole(-1, 32_768)),
        may("thinkingLevel", Kind::Word(LEVELS)),
    ];
    let thinking = check(thinking, "generationConfig.thinkingConfig", &members)?;
    let (budget, level) = (thinking.get("thinkingBudget"), thinking.get("thinkingLevel"));
    if budget.is_some() && level.is_some() {
        return Err(Refusal::invalid("You can only set only one of thinking budget and thinking level."));
    }
    if level.is_some() && ["gemini-2", "gemini-1"].iter().any(|prefix| model.starts_with(prefix)) {
        return Err(Refusal::invalid("Thinking level is not supported for this model."));
    }
    Ok(thinking.get("includeThoughts") == Some(&Value::Bool(true)) && budget.is_none_or(|budget| budget != 0))
}
