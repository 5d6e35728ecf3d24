//! One part of an answer, its end, and its token probabilities in the neutral form.

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, ErrorKind, Fault, Verdict, Warning, id};

use super::wire::{AnswerPart, Blob, Candidate, FunctionCall, LogprobsResult, PromptFeedback, TokenLogprob};
use crate::DialectId;
use crate::chat::{
    Audio, File, Finish, FinishReason, Image, Part, ReasoningText, Source, Text, ToolCall, ToolKind,
};

/// The part in the neutral form; `None` for one that says nothing. A signature that has no place is reported.
pub(super) fn read(mut part: AnswerPart, warnings: &mut Vec<Warning>) -> Option<Part> {
    if let Some(text) = part.text.take() {
        return read_text(text, part);
    }
    match part.function_call.take() {
        Some(call) if !call.name.is_empty() => return Some(read_call(call, part)),
        // A piece of a call that streams its arguments: nobody here asks for that.
        Some(call) => {
            part.rest.insert("functionCall".into(), json!({"id": call.id, "args": call.args}));
        }
        None => {}
    }
    match part.inline_data.take() {
        // Drafts that the model made while thinking are no part of the answer.
        Some(blob) if part.thought => {
            part.rest.insert("inlineData".into(), json!({"mimeType": blob.mime_type, "data": blob.data}));
        }
        Some(blob) => {
            if part.thought_signature.is_some() {
                warnings.push(lost("thoughtSignature"));
            }
            return Some(read_blob(blob));
        }
        None => {}
    }
    opaque(part)
}

fn read_text(text: String, part: AnswerPart) -> Option<Part> {
    let signature = part.thought_signature;
    if text.is_empty() && signature.is_none() {
        return None;
    }
    Some(if part.thought {
        Part::Reasoning(ReasoningText { origin: DialectId::Gemini, text, signature })
    } else {
        Part::Text(Text { text, signature, extra: part.rest, ..Text::default() })
    })
}

fn read_call(call: FunctionCall, part: AnswerPart) -> Part {
    Part::ToolCall(ToolCall {
        id: call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| id::random("call_", 24)),
        name: call.name,
        arguments: Value::Object(call.args).to_string(),
        kind: ToolKind::Function,
        signature: part.thought_signature,
        cache: None,
        extra: part.rest,
    })
}

fn read_blob(blob: Blob) -> Part {
    if let Some(format) = blob.mime_type.strip_prefix("audio/") {
        let format = match format.split(';').next().unwrap_or(format) {
            "L16" | "l16" | "pcm" => "pcm16",
            "mpeg" => "mp3",
            other => other,
        };
        let format = format.to_owned();
        return Part::Audio(Audio { data: blob.data, format, transcript: None, id: None });
    }
    let is_image = blob.mime_type.starts_with("image/");
    let source = Source::Inline { mime: blob.mime_type, data: blob.data };
    if is_image {
        return Part::Image(Image { source, detail: None, cache: None });
    }
    Part::File(File { source, name: None, title: None, context: None, citations: None, cache: None })
}

/// A part that only Gemini understands (code it ran, its own tools), whole, so that it can go back.
fn opaque(part: AnswerPart) -> Option<Part> {
    let mut block = part.rest;
    if block.is_empty() && part.thought_signature.is_none() {
        return None;
    }
    if block.is_empty() {
        return read_text(String::new(), AnswerPart { rest: block, ..part });
    }
    if part.thought {
        block.insert("thought".into(), true.into());
    }
    if let Some(signature) = part.thought_signature {
        block.insert("thoughtSignature".into(), signature.into());
    }
    Some(Part::Opaque { origin: DialectId::Gemini, block: block.into() })
}

pub(super) fn lost(param: &str) -> Warning {
    Warning { verdict: Verdict::Dropped, param: param.to_owned(), note: None }
}

/// How a candidate ended. `called` says that it holds a function call, for which Gemini has no reason of its own;
/// `empty` that it holds nothing at all.
///
/// # Errors
/// An empty candidate that ended in a failure of the model: 502, so that another try can do better.
pub(super) fn finish(
    word: &str,
    message: Option<&str>,
    called: bool,
    empty: bool,
) -> Result<(Finish, Option<Warning>), ApiError> {
    let mut warning = None;
    let reason = match word {
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "RECITATION"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "LANGUAGE"
        | "MODEL_ARMOR" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MALFORMED_RESPONSE"
        | "MISSING_THOUGHT_SIGNATURE" => {
            if empty {
                let detail = message.unwrap_or("the model gave no usable answer");
                return Err(
                    ApiError::upstream(format!("{word}: {detail}")).with_code(word.to_ascii_lowercase())
                );
            }
            let note = Some(word.to_owned());
            warning = Some(Warning { verdict: Verdict::Shaped, param: "finish_reason".into(), note });
            if called { FinishReason::ToolCalls } else { FinishReason::Stop }
        }
        _ if called => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    };
    Ok((Finish { reason, raw: Some(word.to_owned()), stop_sequence: None }, warning))
}

/// The error that a prompt without candidates amounts to.
pub(super) fn blocked(feedback: &PromptFeedback) -> Option<ApiError> {
    let reason = feedback.block_reason.as_deref()?;
    let detail = feedback.block_reason_message.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
    let message = format!("the prompt was blocked ({reason}){detail}");
    let mut error = ApiError::new(ErrorKind::ContentBlocked, Fault::Caller, 400, message);
    error.vendor_type = Some(reason.to_owned());
    Some(error.with_code("content_filter"))
}

/// Token probabilities in OpenAI's shape.
pub(super) fn logprobs(result: &LogprobsResult) -> Value {
    let entry = |token: &TokenLogprob| {
        Map::from_iter([
            ("token".to_owned(), Value::from(token.token.as_str())),
            ("logprob".to_owned(), token.log_probability.into()),
            ("bytes".to_owned(), token.token.as_bytes().into()),
        ])
    };
    let mut tops = result.top_candidates.iter();
    let content = result.chosen_candidates.iter().map(|chosen| {
        let top = tops.next().map(|top| top.candidates.as_slice()).unwrap_or_default();
        let mut chosen = entry(chosen);
        chosen.insert("top_logprobs".into(), top.iter().map(|token| Value::Object(entry(token))).collect());
        Value::Object(chosen)
    });
    json!({"content": content.collect::<Vec<_>>(), "refusal": null})
}

/// Vendor members of a candidate, the text of its end included.
pub(super) fn extra(candidate: &mut Candidate) -> Map<String, Value> {
    let mut extra = std::mem::take(&mut candidate.rest);
    if let Some(message) = &candidate.finish_message {
        extra.insert("finishMessage".into(), message.as_str().into());
    }
    extra
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(value: Value) -> Option<Part> {
        read(serde_json::from_value(value).unwrap(), &mut Vec::new())
    }

    #[test]
    fn parts_have_a_neutral_form() {
        let opaque = |block| Part::Opaque { origin: DialectId::Gemini, block };
        let inline = |mime: &str| Source::Inline { mime: mime.into(), data: "AA==".into() };
        let sound = |format: &str| {
            let format = format.to_owned();
            Part::Audio(Audio { data: "AA==".into(), format, transcript: None, id: None })
        };
        let thought = |signature: Option<&str>| {
            let signature = signature.map(str::to_owned);
            Part::Reasoning(ReasoningText { origin: DialectId::Gemini, text: "hm".into(), signature })
        };
        let blob = |mime: &str| json!({"inlineData": {"mimeType": mime, "data": "AA=="}});
        for (value, expected) in [
            (json!({"text": "a"}), Some(Part::text("a"))),
            (json!({"text": ""}), None),
            (json!({}), None),
            (
                json!({"text": "", "thoughtSignature": "cw=="}),
                Some(Part::Text(Text { signature: Some("cw==".into()), ..Text::default() })),
            ),
            (json!({"thoughtSignature": "cw=="}), {
                Some(Part::Text(Text { signature: Some("cw==".into()), ..Text::default() }))
            }),
            (json!({"text": "hm", "thought": true}), Some(thought(None))),
            (json!({"text": "hm", "thought": true, "thoughtSignature": "s"}), Some(thought(Some("s")))),
            (
                blob("image/png"),
                Some(Part::Image(Image { source: inline("image/png"), detail: None, cache: None })),
            ),
            (blob("audio/L16;codec=pcm;rate=24000"), Some(sound("pcm16"))),
            (blob("audio/wav"), Some(sound("wav"))),
            (
                json!({"executableCode": {"code": "1"}, "thoughtSignature": "s"}),
                Some(opaque(json!({"executableCode": {"code": "1"}, "thoughtSignature": "s"}))),
            ),
            (
                json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thought": true}),
                Some(opaque(
                    json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}, "thought": true}),
                )),
            ),
        ] {
            assert_eq!(part(value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn calls_keep_their_id_or_get_one() {
        let call = |value: Value| match part(json!({"functionCall": value, "thoughtSignature": "s"})) {
            Some(Part::ToolCall(call)) => call,
            other => panic!("{other:?}"),
        };
        let given = call(json!({"id": "x9", "name": "f", "args": {"a": [1, 2.5, "é"]}}));
        assert_eq!((given.id.as_str(), given.arguments.as_str()), ("x9", r#"{"a":[1,2.5,"é"]}"#));
        assert_eq!(given.signature.as_deref(), Some("s"));
        let made = call(json!({"name": "f"}));
        assert!(made.id.starts_with("call_") && made.id.len() == 29, "{}", made.id);
        assert_eq!(made.arguments, "{}");
    }

    #[test]
    fn ends_are_told_by_a_table() {
        use FinishReason::{ContentFilter, Length, Stop, ToolCalls};
        for (word, called, reason) in [
            ("STOP", false, Stop),
            ("STOP", true, ToolCalls),
            ("MAX_TOKENS", true, Length),
            ("SAFETY", false, ContentFilter),
            ("RECITATION", false, ContentFilter),
            ("IMAGE_SAFETY", false, ContentFilter),
            ("LANGUAGE", false, ContentFilter),
            ("OTHER", false, Stop),
            ("FINISH_REASON_UNSPECIFIED", false, Stop),
            ("MALFORMED_FUNCTION_CALL", false, Stop),
            ("TOO_MANY_TOOL_CALLS", true, ToolCalls),
            ("BRAND_NEW", false, Stop),
        ] {
            let (finish, _) = finish(word, None, called, false).unwrap();
            assert_eq!((finish.reason, finish.raw.as_deref()), (reason, Some(word)), "{word}");
        }
    }

    #[test]
    fn a_failed_answer_without_content_is_an_error() {
        let error = finish("MALFORMED_FUNCTION_CALL", Some("bad call: f("), false, true).unwrap_err();
        assert_eq!((error.status, error.fault), (502, Fault::Provider));
        assert_eq!(error.message, "MALFORMED_FUNCTION_CALL: bad call: f(");
        let (_, warning) = finish("MALFORMED_FUNCTION_CALL", None, false, false).unwrap();
        assert_eq!(warning.unwrap().note.as_deref(), Some("MALFORMED_FUNCTION_CALL"));
    }

    #[test]
    fn probabilities_take_openais_shape() {
        let result: LogprobsResult = serde_json::from_value(json!({
            "chosenCandidates": [{"token": "é", "tokenId": 5, "logProbability": -0.5}],
            "topCandidates": [{"candidates": [{"token": "é", "logProbability": -0.5}, {"token": "e"}]}],
        }))
        .unwrap();
        let top = json!([
            {"token": "é", "logprob": -0.5, "bytes": [195, 169]},
            {"token": "e", "logprob": 0.0, "bytes": [101]},
        ]);
        let token = json!({"token": "é", "logprob": -0.5, "bytes": [195, 169], "top_logprobs": top});
        assert_eq!(logprobs(&result), json!({"content": [token], "refusal": null}));
    }
}
