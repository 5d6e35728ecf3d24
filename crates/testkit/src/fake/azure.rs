//! Azure OpenAI in front of the OpenAI fake: dated and v1 URLs, its keys, its filters, its errors.
//!
//! A deployment is any name but [`MISSING_MODEL`]; answers name [`BASE_MODEL`] whatever the deployment is called. A
//! conversation whose last text holds [`BLOCKED`] is stopped by the content filter.

use super::openai::{Refusal, answer, body, chat, embeddings, responses};
use super::{BAD_KEY, MISSING_MODEL};
use crate::reply::Reply;
use crate::seen::{Seen, decode};
use crate::server::Handler;
use crate::sse;
use serde_json::{Value, json};

/// The model behind every deployment.
pub const BASE_MODEL: &str = "gpt-4o-2024-08-06";
/// The text that the content filter stops.
pub const BLOCKED: &str = "a forbidden tide";

const VERSIONS: &[&str] = &[
    "2023-05-15",
    "2024-02-01",
    "2024-06-01",
    "2024-08-01-preview",
    "2024-09-01-preview",
    "2024-10-01-preview",
    "2024-10-21",
    "2024-12-01-preview",
    "2025-01-01-preview",
    "2025-03-01-preview",
    "2025-04-01-preview",
];

/// The first version that knows `stream_options`.
const STREAM_OPTIONS_SINCE: &str = "2024-09-01-preview";

#[derive(Debug, Default)]
pub struct Azure;

impl Handler for Azure {
    fn answer(&self, request: &Seen) -> Reply {
        answer_request(request)
            .unwrap_or_else(|reply| *reply)
            .with_header("apim-request-id", "fake")
            .with_header("x-ms-region", "France Central")
    }
}

/// What a URL asks for.
struct Target {
    endpoint: String,
    /// In the path, for dated URLs.
    deployment: Option<String>,
    version: Option<&'static str>,
}

fn answer_request(request: &Seen) -> Result<Reply, Box<Reply>> {
    authorize(request)?;
    let target = target(request).ok_or_else(|| coded(404, "404", "Resource not found"))?;
    let mut body = body(request).map_err(refused)?;
    let deployment = match (&target.deployment, body["model"].as_str()) {
        (Some(deployment), _) => deployment.clone(),
        (None, Some(model)) => model.to_owned(),
        (None, None) => String::new(),
    };
    if deployment == MISSING_MODEL {
        let text = "The API deployment for this resource does not exist. If you created the deployment \
            within the last 5 minutes, please wait a moment and try again.";
        return Err(coded(404, "DeploymentNotFound", text));
    }
    if let (Some(members), Some(_)) = (body.as_object_mut(), &target.deployment) {
        // The deployment decides; `model` may be there or not.
        members.insert("model".to_owned(), json!(deployment));
    }
    if target.version.is_some_and(|version| version < STREAM_OPTIONS_SINCE)
        && !body["stream_options"].is_null()
    {
        let text = "Unrecognized request argument supplied: stream_options";
        return Err(refused(Refusal::new(400, "unknown_parameter", Some("stream_options"), text)));
    }
    match target.endpoint.as_str() {
        "chat/completions" => chat_completion(&body),
        "embeddings" => embeddings::answer(&body).map_err(refused),
        "responses" if target.version.is_none() => responses::answer(&body).map_err(refused),
        _ => Err(coded(404, "404", "Resource not found")),
    }
}

fn authorize(request: &Seen) -> Result<(), Box<Reply>> {
    let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    match request.header("api-key").or(bearer) {
        None | Some("" | BAD_KEY) => Err(coded(
            401,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a \
             valid key for an active subscription and use a correct regional API endpoint for your \
             resource.",
        )),
        Some(_) => Ok(()),
    }
}

fn target(request: &Seen) -> Option<Target> {
    let version = request.query("api-version");
    if let Some(endpoint) = request.path().strip_prefix("/openai/v1/") {
        let known = matches!(version.as_deref(), None | Some("preview" | "v1"));
        return known.then(|| Target { endpoint: endpoint.to_owned(), deployment: None, version: None });
    }
    let (deployment, endpoint) = request.path().strip_prefix("/openai/deployments/")?.split_once('/')?;
    let version = VERSIONS.iter().find(|known| Some(**known) == version.as_deref()).copied()?;
    Some(Target {
        endpoint: endpoint.to_owned(),
        deployment: Some(decode(deployment)),
        version: Some(version),
    })
}

fn chat_completion(body: &Value) -> Result<Reply, Box<Reply>> {
    let mut request = chat::read(body).map_err(refused)?;
    BASE_MODEL.clone_into(&mut request.model);
    if request.ask.last_text.contains(BLOCKED) {
        return Err(blocked());
    }
    if !request.ask.stream {
        let mut whole = answer::whole(&request);
        for choice in whole["choices"].as_array_mut().into_iter().flatten() {
            choice["content_filter_results"] = filters();
        }
        whole["prompt_filter_results"] = prompt_filters();
        return Ok(Reply::json(200, &whole));
    }
    let first = json!({
        "choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": prompt_filters(),
    });
    let mut events = vec![sse::data(&first)];
    for mut chunk in answer::chunks(&request) {
        for choice in chunk["choices"].as_array_mut().into_iter().flatten() {
            let text = choice["delta"]["content"].as_str().is_some_and(|text| !text.is_empty());
            choice["content_filter_results"] = if text { filters() } else { json!({}) };
        }
        events.push(sse::data(&chunk));
    }
    events.push(sse::DONE.to_owned());
    Ok(Reply::events(events))
}

fn filters() -> Value {
    let safe = json!({"filtered": false, "severity": "safe"});
    json!({"hate": safe, "self_harm": safe, "sexual": safe, "violence": safe})
}

fn prompt_filters() -> Value {
    json!([{"prompt_index": 0, "content_filter_results": filters()}])
}

fn blocked() -> Box<Reply> {
    let mut results = filters();
    results["violence"] = json!({"filtered": true, "severity": "high"});
    Box::new(Reply::json(
        400,
        &json!({"error": {
            "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
            "type": null,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results},
        }}),
    ))
}

fn coded(status: u16, code: &str, message: &str) -> Box<Reply> {
    Box::new(Reply::json(status, &json!({"error": {"code": code, "message": message}})))
}

fn refused(refusal: Refusal) -> Box<Reply> {
    Box::new(refusal.reply())
}

#[cfg(test)]
mod tests {
    use super::super::story::TIDE;
    use super::*;

    const HEADERS: &[(&str, &str)] = &[("api-key", "k"), ("content-type", "application/json")];
    const DATED: &str = "/openai/deployments/d/chat/completions?api-version=2024-10-21";
    const V1: &str = "/openai/v1/chat/completions";

    fn body(content: &str, more: &Value) -> Value {
        let mut body = json!({"messages": [{"role": "user", "content": content}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    #[test]
    fn answers_dated_and_v1_urls() {
        for (url, more) in [(DATED, json!({})), (V1, json!({"model": "d"}))] {
            let reply = Azure.answer(&Seen::post(url, HEADERS, &body("x", &more)));
            let answer: Value = serde_json::from_slice(&reply.bytes()).unwrap();
            assert_eq!(
                (reply.status, &answer["choices"][0]["message"]["content"]),
                (200, &json!(TIDE)),
                "{url}"
            );
            assert_eq!(
                (&answer["model"], &answer["choices"][0]["content_filter_results"]),
                (&json!(BASE_MODEL), &filters())
            );
        }
    }

    #[test]
    fn the_other_endpoints_are_openai_s() {
        for (url, request, status) in [
            ("/openai/v1/embeddings", json!({"model": "d", "input": "x"}), 200),
            ("/openai/deployments/d/embeddings?api-version=2024-10-21", json!({"input": "x"}), 200),
            ("/openai/v1/responses", json!({"model": "d", "input": "x"}), 200),
            ("/openai/deployments/d/responses?api-version=2024-10-21", json!({"input": "x"}), 404),
        ] {
            assert_eq!(Azure.answer(&Seen::post(url, HEADERS, &request)).status, status, "{url}");
        }
    }

    #[test]
    fn streams_begin_with_the_prompt_s_filter() {
        let reply = Azure.answer(&Seen::post(DATED, HEADERS, &body("x", &json!({"stream": true}))));
        let events: Vec<_> = sse::parse(&reply.bytes()).iter().map(sse::Event::json).collect();
        assert_eq!((&events[0]["choices"], &events[0]["id"]), (&json!([]), &json!("")));
        let text: String =
            events.iter().filter_map(|e| e["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, TIDE);
    }

    #[test]
    fn refuses_in_its_own_words() {
        let missing = "/openai/deployments/missing/chat/completions?api-version=2024-10-21";
        let unknown = "/openai/deployments/d/chat/completions?api-version=2031-01-01";
        let old = "/openai/deployments/d/chat/completions?api-version=2024-02-01";
        let usage = json!({"stream": true, "stream_options": {"include_usage": true}});
        for (headers, url, content, more, status, code) in [
            (&HEADERS[1..], DATED, "x", json!({}), 401, "401"),
            (HEADERS, missing, "x", json!({}), 404, "DeploymentNotFound"),
            (HEADERS, V1, "x", json!({"model": "missing"}), 404, "DeploymentNotFound"),
            (HEADERS, unknown, "x", json!({}), 404, "404"),
            (HEADERS, "/openai/deployments/d/chat/completions", "x", json!({}), 404, "404"),
            (HEADERS, "/v1/chat/completions", "x", json!({}), 404, "404"),
            (HEADERS, old, "x", usage, 400, "unknown_parameter"),
            (HEADERS, DATED, BLOCKED, json!({}), 400, "content_filter"),
            (HEADERS, DATED, "x", json!({"foo": 1}), 400, "unknown_parameter"),
            (HEADERS, V1, "x", json!({}), 400, "missing_required_parameter"),
        ] {
            let reply = Azure.answer(&Seen::post(url, headers, &body(content, &more)));
            let answer: Value = serde_json::from_slice(&reply.bytes()).unwrap();
            assert_eq!(
                (reply.status, answer["error"]["code"].as_str()),
                (status, Some(code)),
                "{url} {more}"
            );
        }
    }
}
