//! A whole request: what stands beside the conversation, the tools and the generation settings, and what is reported as
//! lost.

use serde_json::{Value, json};
use tidegate_core::{ApiError, Verdict, Warnings};

use super::generation_config::generation_config;
use super::wire::Request;
use super::{contents, tools};
use crate::chat::{ChatRequest, Role};
use crate::{EncodeContext, Encoded, losses};

pub(super) fn encode(request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
    let mut warnings = Warnings::default();
    let mut extensions = Extensions::of(request, &mut warnings)?;
    losses::of_request(request, &mut warnings);
    let generation_config = generation_config(request, &mut extensions, &mut warnings)?;
    let mut tools = tools::tools(request, &mut warnings)?;
    if extensions.web_search {
        tools.add_search();
    }
    let conversation = contents::conversation(request, &mut warnings)?;
    let body = Request {
        contents: conversation.contents,
        system_instruction: conversation.system,
        generation_config,
        tool_config: tools.config(request.tool_choice.as_ref(), &mut warnings),
        tools: tools.entries,
        safety_settings: extensions.safety_settings,
        cached_content: extensions.cached_content,
        labels: extensions.labels,
    };
    Encoded::of(&body, ctx.adjust, warnings)
}

/// Members beyond the neutral form that Gemini has a place for, under Google's names or in snake case.
#[derive(Debug, Default)]
pub(super) struct Extensions<'a> {
    safety_settings: Option<&'a Value>,
    cached_content: Option<&'a Value>,
    labels: Option<&'a Value>,
    web_search: bool,
    pub(super) response_modalities: Option<Vec<String>>,
    pub(super) speech_config: Option<Value>,
    pub(super) image_config: Option<Value>,
    pub(super) media_resolution: Option<&'a Value>,
}

impl<'a> Extensions<'a> {
    fn of(request: &'a ChatRequest, warnings: &mut Warnings) -> Result<Self, ApiError> {
        let mut found = Self::default();
        for (member, value) in &request.extra {
            match member.as_str() {
                "safety_settings" | "safetySettings" => found.safety_settings = Some(value),
                "cached_content" | "cachedContent" => {
                    check_cached(request, member)?;
                    found.cached_content = Some(value);
                }
                "labels" => found.labels = Some(value),
                "image_config" | "imageConfig" => found.image_config = Some(image_config(value)),
                "modalities" | "response_modalities" | "responseModalities" => {
                    found.response_modalities = Some(modalities(value, member)?);
                }
                "audio" => found.speech_config = Some(speech(value, warnings)?),
                "speech_config" | "speechConfig" => found.speech_config = Some(value.clone()),
                "media_resolution" | "mediaResolution" => found.media_resolution = Some(value),
                "web_search_options" => {
                    warnings.shaped("web_search_options");
                    found.web_search = true;
                }
                "mcp_servers" => {
                    let message =
                        "Gemini does not reach MCP servers for an answer: give their tools as functions";
                    return Err(ApiError::bad_request("mcp_servers", message));
                }
                _ => warnings.dropped(member),
            }
        }
        Ok(found)
    }
}

/// A cache holds the system instruction and the tools; Gemini takes them in one place only.
fn check_cached(request: &ChatRequest, member: &str) -> Result<(), ApiError> {
    let has_system = request.messages.iter().any(|m| matches!(m.role, Role::System | Role::Developer));
    if has_system || !request.tools.is_empty() || request.tool_choice.is_some() {
        let message = "a request that uses cached content cannot have system messages, tools or a tool choice: they \
                       belong into the cache";
        return Err(ApiError::bad_request(member, message));
    }
    Ok(())
}

fn image_config(value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let renamed = members.iter().map(|(name, value)| {
        let name = match name.as_str() {
            "aspect_ratio" => "aspectRatio",
            "image_size" => "imageSize",
            other => other,
        };
        (name.to_owned(), value.clone())
    });
    Value::Object(renamed.collect())
}

fn modalities(value: &Value, member: &str) -> Result<Vec<String>, ApiError> {
    let words = value.as_array().and_then(|words| {
        words.iter().map(|word| word.as_str().map(str::to_ascii_uppercase)).collect::<Option<Vec<_>>>()
    });
    words.ok_or_else(|| ApiError::bad_request(member, "a list of `text`, `image` and `audio` is wanted"))
}

fn speech(audio: &Value, warnings: &mut Warnings) -> Result<Value, ApiError> {
    let Some(voice) = audio.get("voice").and_then(Value::as_str) else {
        return Err(ApiError::bad_request("audio.voice", "the name of a voice is wanted, such as `Kore`"));
    };
    if audio.get("format").is_some_and(|format| format != "pcm16") {
        warnings.push_note(Verdict::Shaped, "audio.format", "pcm16");
    }
    Ok(json!({"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{
        Effort, FunctionTool, Message, Part, Reasoning, ResponseFormat, Tool, ToolCall, ToolChoice, ToolKind,
        ToolResult,
    };
    use crate::{Adjust, DialectId};

    fn encoded(request: &ChatRequest) -> Result<(Value, String), ApiError> {
        let adjust = Adjust::default();
        let ctx = EncodeContext { provider: "google", adjust: &adjust, max_output_tokens: None };
        let encoded = encode(request, &ctx)?;
        Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded.warnings.header_value()))
    }

    fn with_extra(extra: Value) -> ChatRequest {
        let Value::Object(extra) = extra else { panic!("an object is wanted") };
        let messages = vec![Message::text(Role::User, "a")];
        ChatRequest { messages, extra, ..ChatRequest::new(DialectId::OpenAi, "gemini-2.5-flash") }
    }

    fn conversation() -> Vec<Message> {
        let call = ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: r#"{"q":"z"}"#.into(),
            kind: ToolKind::Function,
            signature: None,
            cache: None,
            extra: serde_json::Map::new(),
        };
        let result = ToolResult {
            call_id: "1".into(),
            name: None,
            content: vec![Part::text("R")],
            is_error: false,
            cache: None,
        };
        vec![
            Message::text(Role::System, "S"),
            Message::text(Role::User, "a"),
            Message::text(Role::User, "b"),
            Message::new(Role::Assistant, vec![Part::text("c"), Part::ToolCall(call)]),
            Message::new(Role::Tool, vec![Part::ToolResult(result)]),
        ]
    }

    #[test]
    fn a_request_in_full() {
        let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"],
                            "additionalProperties": false});
        let function = FunctionTool {
            name: "f".into(),
            description: Some("d".into()),
            parameters: Some(schema),
            strict: Some(true),
            cache: None,
            extra: serde_json::Map::new(),
        };
        let request = ChatRequest {
            messages: conversation(),
            temperature: serde_json::Number::from_f64(0.5),
            top_p: serde_json::Number::from_f64(0.9),
            max_tokens: Some(9),
            stop: vec!["x".into()],
            tools: vec![Tool::Function(function)],
            tool_choice: Some(ToolChoice::Required),
            response_format: Some(ResponseFormat::JsonObject),
            reasoning: Some(Reasoning { effort: Some(Effort::Low), ..Reasoning::default() }),
            stream: true,
            ..ChatRequest::new(DialectId::OpenAi, "gemini-3-flash")
        };
        let (body, warned) = encoded(&request).unwrap();
        let expected = json!({
            "contents": [
                {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
                {"role": "model", "parts": [
                    {"text": "c"},
                    {"functionCall": {"id": "1", "name": "f", "args": {"q": "z"}},
                     "thoughtSignature": "skip_thought_signature_validator"},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "1", "name": "f", "response": {"result": "R"}}},
                ]},
            ],
            "systemInstruction": {"parts": [{"text": "S"}]},
            "generationConfig": {
                "temperature": 0.5, "topP": 0.9, "maxOutputTokens": 9, "stopSequences": ["x"],
                "responseMimeType": "application/json",
                "thinkingConfig": {"includeThoughts": true, "thinkingLevel": "LOW"},
            },
            "tools": [{"functionDeclarations": [{"name": "f", "description": "d", "parameters": {
                "type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"],
            }}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        });
        assert_eq!(body, expected);
        let lost =
            "dropped;tools[0].function.strict, dropped;tools[0].function.parameters=additionalProperties";
        assert_eq!(warned, lost);
    }

    #[test]
    fn googles_own_members_pass() {
        let settings = json!([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]);
        for (extra, member, expected, warned) in [
            (json!({"safety_settings": settings}), "/safetySettings", settings.clone(), ""),
            (json!({"safetySettings": settings}), "/safetySettings", settings.clone(), ""),
            (json!({"cached_content": "cachedContents/1"}), "/cachedContent", json!("cachedContents/1"), ""),
            (json!({"labels": {"team": "x"}}), "/labels", json!({"team": "x"}), ""),
            (
                json!({"image_config": {"aspect_ratio": "16:9"}}),
                "/generationConfig/imageConfig",
                json!({"aspectRatio": "16:9"}),
                "",
            ),
            (
                json!({"modalities": ["text", "image"]}),
                "/generationConfig/responseModalities",
                json!(["TEXT", "IMAGE"]),
                "",
            ),
            (
                json!({"audio": {"voice": "Kore", "format": "mp3"}}),
                "/generationConfig/speechConfig/voiceConfig/prebuiltVoiceConfig/voiceName",
                json!("Kore"),
                "shaped;audio.format=pcm16",
            ),
            (
                json!({"media_resolution": "MEDIA_RESOLUTION_LOW"}),
                "/generationConfig/mediaResolution",
                json!("MEDIA_RESOLUTION_LOW"),
                "",
            ),
            (
                json!({"web_search_options": {}}),
                "/tools",
                json!([{"googleSearch": {}}]),
                "shaped;web_search_options",
            ),
            (
                json!({"store": true, "verbosity": "low"}),
                "/contents/0/role",
                json!("user"),
                "dropped;store, dropped;verbosity",
            ),
        ] {
            let (body, seen) = encoded(&with_extra(extra.clone())).unwrap();
            assert_eq!(body.pointer(member), Some(&expected), "{extra}");
            assert_eq!(seen, warned, "{extra}");
        }
    }

    #[test]
    fn members_without_a_place_are_reported() {
        let request = ChatRequest {
            logit_bias: Some(json!({"5": 1})),
            user: Some("u".into()),
            service_tier: Some("flex".into()),
            parallel_tool_calls: Some(false),
            ..with_extra(json!({}))
        };
        let (body, warned) = encoded(&request).unwrap();
        assert_eq!(body, json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]}));
        let lost = "dropped;logit_bias, dropped;user, dropped;service_tier, dropped;parallel_tool_calls";
        assert_eq!(warned, lost);
    }

    #[test]
    fn requests_that_cannot_be_said_are_refused() {
        let cached = |extra| ChatRequest { messages: conversation(), ..with_extra(extra) };
        for (request, param) in [
            (cached(json!({"cached_content": "cachedContents/1"})), "cached_content"),
            (with_extra(json!({"mcp_servers": []})), "mcp_servers"),
            (with_extra(json!({"modalities": "text"})), "modalities"),
            (with_extra(json!({"audio": {}})), "audio.voice"),
        ] {
            let error = encoded(&request).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
    }
}
