//! Strict stand-ins for providers. Each refuses, in the provider's own words, what the provider's published schema
//! refuses (unknown members, wrong order of tool messages, values out of range, missing headers ..), and answers
//! everything else with the one [`story`], so that the answers of all of them can be compared.
//!
//! They are [`Handler`](crate::Handler)s: pure functions of the request.

pub mod anthropic;
pub mod azure;
pub mod cohere;
pub mod gemini;
pub mod openai;
mod shape;
pub mod story;
pub mod vector;

/// The one key that no fake accepts.
pub const BAD_KEY: &str = "bad";
/// The one model (deployment, at Azure) that no fake has.
pub const MISSING_MODEL: &str = "missing";

#[cfg(test)]
mod tests {
    use super::story::TIDE;
    use super::*;
    use crate::{Handler, Seen};
    use serde_json::{Value, json};

    /// Text or arguments, input tokens, output tokens.
    type Answer = (String, u64, u64);

    fn ask(handler: &dyn Handler, url: &str, body: &Value) -> Value {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", "Bearer k"),
            ("x-api-key", "k"),
            ("api-key", "k"),
            ("x-goog-api-key", "k"),
            ("anthropic-version", "2023-06-01"),
        ];
        let reply = handler.answer(&Seen::post(url, &headers, body));
        assert_eq!(reply.status, 200, "{url}: {}", String::from_utf8_lossy(&reply.bytes()));
        serde_json::from_slice(&reply.bytes()).unwrap()
    }

    fn read(body: &Value, said: [&str; 2], input: &str, output: &str) -> Answer {
        let said =
            said.iter().find_map(|path| body.pointer(path)).unwrap_or_else(|| panic!("nothing said: {body}"));
        let text = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
        let count = |path: &str| body.pointer(path).and_then(Value::as_u64).unwrap();
        (text, count(input), count(output))
    }

    fn chat(handler: &dyn Handler, url: &str, text: &str, tools: bool) -> Answer {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": text}]});
        if tools {
            let function =
                json!({"name": "tide", "parameters": {"type": "object", "properties": {"port": {}}}});
            body["tools"] = json!([{"type": "function", "function": function}]);
        }
        let body = ask(handler, url, &body);
        // Beside calls the content is null.
        let said = ["/choices/0/message/tool_calls/0/function/arguments", "/choices/0/message/content"];
        read(&body, said, "/usage/prompt_tokens", "/usage/completion_tokens")
    }

    fn cohere(text: &str, tools: bool) -> Answer {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": text}]});
        if tools {
            body["tools"] = json!([{"type": "function", "function": {"name": "tide", "parameters": {}}}]);
        }
        let body = ask(&cohere::Cohere, "/v2/chat", &body);
        let said = ["/message/content/0/text", "/message/tool_calls/0/function/arguments"];
        read(&body, said, "/usage/tokens/input_tokens", "/usage/tokens/output_tokens")
    }

    fn anthropic(text: &str, tools: bool) -> Answer {
        let mut body =
            json!({"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": text}]});
        if tools {
            body["tools"] = json!([{"name": "tide", "input_schema": {"type": "object"}}]);
        }
        let body = ask(&anthropic::Anthropic, "/v1/messages", &body);
        read(&body, ["/content/0/text", "/content/0/input"], "/usage/input_tokens", "/usage/output_tokens")
    }

    fn gemini(text: &str, tools: bool) -> Answer {
        let mut body = json!({"contents": [{"parts": [{"text": text}]}]});
        if tools {
            body["tools"] = json!([{"functionDeclarations": [{"name": "tide"}]}]);
        }
        let body = ask(&gemini::Gemini, "/v1beta/models/m:generateContent", &body);
        let part = ["/candidates/0/content/parts/0/text", "/candidates/0/content/parts/0/functionCall/args"];
        read(&body, part, "/usageMetadata/promptTokenCount", "/usageMetadata/candidatesTokenCount")
    }

    #[test]
    fn one_story_in_five_dialects() {
        let dated = "/openai/deployments/d/chat/completions?api-version=2024-10-21";
        for (text, tools, expected) in
            [("When is high water?", false, (TIDE, 4, 8)), ("At Brest?", true, (r#"{"port":"Brest"}"#, 2, 4))]
        {
            for answer in [
                chat(&openai::OpenAi, "/v1/chat/completions", text, tools),
                chat(&azure::Azure, dated, text, tools),
                anthropic(text, tools),
                gemini(text, tools),
                cohere(text, tools),
            ] {
                assert_eq!((answer.0.as_str(), answer.1, answer.2), expected);
            }
        }
    }
}
