//! A whole answer of `generateContent`.

use tidegate_core::clock::rfc3339_seconds;
use tidegate_core::{ApiError, Warning};

use super::wire::{Answer, AnswerPart, Candidate};
use super::{error, grounding, parts, usage};
use crate::body;
use crate::chat::{ChatResponse, Choice, Extra, Part};

pub(super) fn decode(body: &[u8]) -> Result<ChatResponse, ApiError> {
    let mut answer: Answer = serde_json::from_slice(body).map_err(|e| body::unreadable("Gemini", &e))?;
    check(&answer)?;
    if answer.candidates.is_empty() {
        return Err(ApiError::upstream("the answer holds no candidates and no reason for it"));
    }
    let mut response = ChatResponse {
        usage: answer.usage_metadata.as_ref().map(usage::usage),
        created: answer.create_time.as_deref().and_then(rfc3339_seconds),
        extra: extra(&mut answer),
        id: answer.response_id,
        model: answer.model_version,
        ..ChatResponse::default()
    };
    let alone = answer.candidates.len() == 1;
    for candidate in answer.candidates {
        response.choices.push(choice(candidate, alone, &mut response.warnings)?);
    }
    Ok(response)
}

/// # Errors
/// The error inside a 200, and the reason that a prompt got no candidates.
pub(super) fn check(answer: &Answer) -> Result<(), ApiError> {
    if let Some(error) = &answer.error {
        return Err(error::from_member(error));
    }
    match answer.prompt_feedback.as_ref().filter(|_| answer.candidates.is_empty()).and_then(parts::blocked) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Vendor members of an answer as a whole.
pub(super) fn extra(answer: &mut Answer) -> Extra {
    let mut extra = std::mem::take(&mut answer.rest);
    if let Some(feedback) = answer.prompt_feedback.take().filter(|feedback| !feedback.rest.is_empty()) {
        extra.insert("promptFeedback".into(), feedback.rest.into());
    }
    extra
}

fn choice(mut candidate: Candidate, alone: bool, warnings: &mut Vec<Warning>) -> Result<Choice, ApiError> {
    let read = read_parts(std::mem::take(&mut candidate.content.parts), warnings);
    let mut neutral = read.parts;
    if let (Some(metadata), Some(Part::Text(last))) = (
        candidate.rest.get("groundingMetadata"),
        neutral.iter_mut().rfind(|part| matches!(part, Part::Text(_))),
    ) {
        last.annotations = grounding::annotations(metadata, &read.text, &read.starts);
    }
    let called = neutral.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let word = candidate.finish_reason.as_deref().unwrap_or("FINISH_REASON_UNSPECIFIED");
    let message = candidate.finish_message.as_deref();
    let (finish, warning) = parts::finish(word, message, called, alone && neutral.is_empty())?;
    warnings.extend(warning);
    Ok(Choice {
        index: candidate.index,
        parts: neutral,
        finish: Some(finish),
        logprobs: candidate.logprobs_result.as_ref().map(parts::logprobs),
        extra: parts::extra(&mut candidate),
    })
}

/// The parts of a candidate, the whole of its visible text, and where in that text each part as sent begins.
struct ReadParts {
    parts: Vec<Part>,
    text: String,
    starts: Vec<usize>,
}

fn read_parts(sent: Vec<AnswerPart>, warnings: &mut Vec<Warning>) -> ReadParts {
    let mut read =
        ReadParts { parts: Vec::new(), text: String::new(), starts: Vec::with_capacity(sent.len()) };
    for part in sent {
        read.starts.push(read.text.len());
        let Some(part) = parts::read(part, warnings) else { continue };
        if let Part::Text(text) = &part {
            read.text.push_str(&text.text);
        }
        match (read.parts.last_mut(), part) {
            // A signature that comes after its text.
            (Some(Part::Text(before)), Part::Text(text))
                if text.text.is_empty() && before.signature.is_none() =>
            {
                before.signature = text.signature;
                before.extra.extend(text.extra);
            }
            (_, part) => read.parts.push(part),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tidegate_core::{ErrorKind, Fault};

    use super::*;
    use crate::chat::{FinishReason, Text};

    fn decoded(answer: &Value) -> Result<ChatResponse, ApiError> {
        decode(answer.to_string().as_bytes())
    }

    #[test]
    fn members_find_their_place() {
        let response = decoded(&json!({
            "candidates": [{
                "content": {"role": "model", "parts": [{"text": "High."}, {"text": "", "thoughtSignature": "cw=="}]},
                "finishReason": "STOP", "finishMessage": "done", "safetyRatings": [], "avgLogprobs": -0.1,
            }],
            "promptFeedback": {"safetyRatings": [1]},
            "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 1, "totalTokenCount": 3},
            "modelVersion": "gemini-x", "responseId": "aB3", "createTime": "2026-01-01T00:00:00Z", "new": 1,
        }))
        .unwrap();
        let text = Text { text: "High.".into(), signature: Some("cw==".into()), ..Text::default() };
        let choice = &response.choices[0];
        assert_eq!(choice.parts, [Part::Text(text)]);
        assert_eq!(choice.finish.as_ref().unwrap().reason, FinishReason::Stop);
        let extra = json!({"safetyRatings": [], "avgLogprobs": -0.1, "finishMessage": "done"});
        assert_eq!(Value::Object(choice.extra.clone()), extra);
        assert_eq!(
            Value::Object(response.extra),
            json!({"new": 1, "promptFeedback": {"safetyRatings": [1]}})
        );
        assert_eq!((response.id.as_deref(), response.model.as_deref()), (Some("aB3"), Some("gemini-x")));
        assert_eq!(response.created, Some(1_767_225_600));
        assert_eq!(response.usage.unwrap().total(), 3);
    }

    #[test]
    fn answers_without_content_are_told_apart() {
        let ended = |reason: &str| json!({"candidates": [{"finishReason": reason}]});
        for (answer, outcome) in [
            (ended("MAX_TOKENS"), Ok(FinishReason::Length)),
            (
                json!({"candidates": [{"content": {}, "finishReason": "SAFETY"}]}),
                Ok(FinishReason::ContentFilter),
            ),
            (json!({"candidates": [{}]}), Ok(FinishReason::Stop)),
            (ended("MALFORMED_FUNCTION_CALL"), Err((502, ErrorKind::UpstreamBroken, Fault::Provider))),
            (
                json!({"promptFeedback": {"blockReason": "SAFETY"}}),
                Err((400, ErrorKind::ContentBlocked, Fault::Caller)),
            ),
            (json!({}), Err((502, ErrorKind::UpstreamBroken, Fault::Provider))),
            (json!([]), Err((502, ErrorKind::UpstreamBroken, Fault::Provider))),
            (
                json!({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}),
                Err((503, ErrorKind::Overloaded, Fault::Provider)),
            ),
        ] {
            let seen = decoded(&answer)
                .map(|response| response.choices[0].finish.as_ref().unwrap().reason)
                .map_err(|error| (error.status, error.kind, error.fault));
            assert_eq!(seen, outcome, "{answer}");
        }
    }

    #[test]
    fn one_failed_candidate_does_not_spoil_the_others() {
        let response = decoded(&json!({"candidates": [
            {"index": 0, "content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"},
            {"index": 1, "finishReason": "MALFORMED_FUNCTION_CALL"},
        ]}))
        .unwrap();
        assert_eq!(response.choices.len(), 2);
        assert_eq!(response.warnings.len(), 1);
    }

    #[test]
    fn sources_become_annotations_of_the_last_text() {
        let response = decoded(&json!({"candidates": [{
            "content": {"parts": [{"text": "hm", "thought": true}, {"text": "é "}, {"text": "high"}]},
            "finishReason": "STOP",
            "groundingMetadata": {
                "groundingChunks": [{"web": {"uri": "https://example.com", "title": "t"}}],
                "groundingSupports": [{"segment": {"partIndex": 2, "endIndex": 4}, "groundingChunkIndices": [0]}],
            },
        }]}))
        .unwrap();
        let Some(Part::Text(text)) = response.choices[0].parts.last() else { panic!("no text") };
        assert_eq!(text.annotations[0]["url_citation"]["start_index"], 2);
        assert_eq!(text.annotations[0]["url_citation"]["end_index"], 6);
        assert!(response.choices[0].extra.contains_key("groundingMetadata"));
    }
}
