//! Anthropic's clients in front of every provider: `/v1/messages` and `/v1/messages/count_tokens`, before strict stand-ins
//! that refuse what the real ones refuse.

use serde_json::{Map, Value, json};
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::fake::anthropic::Anthropic;
use tidegate_testkit::fake::azure::Azure;
use tidegate_testkit::fake::cohere::Cohere;
use tidegate_testkit::fake::gemini::Gemini;
use tidegate_testkit::fake::openai::OpenAi;
use tidegate_testkit::fake::story::TIDE;
use tidegate_testkit::fake::{BAD_KEY, MISSING_MODEL};
use tidegate_testkit::faults::Fault;
use tidegate_testkit::{Faults, Server};

use crate::stage::{MESSAGES, Setup, Tidegate, messages, target};

const COUNT: &str = "/v1/messages/count_tokens";

/// The slugs of [`Providers`].
const SLUGS: [&str; 5] = ["anthropic", "openai", "google", "cohere", "azure-openai"];

/// A gateway in front of every stand-in, each held under its id.
struct Providers {
    tidegate: Tidegate,
    _anthropic: Server<Anthropic>,
    _openai: Server<OpenAi>,
    _google: Server<Gemini>,
    _cohere: Server<Cohere>,
    _azure: Server<Azure>,
}

impl Providers {
    async fn start(key: &str) -> Self {
        let (anthropic, openai) = (Server::start(Anthropic).await, Server::start(OpenAi).await);
        let (google, cohere) = (Server::start(Gemini).await, Server::start(Cohere).await);
        let azure = Server::start(Azure).await;
        let mut setup = Setup::default();
        for (slug, base) in [
            ("anthropic", format!("{}/v1", anthropic.url())),
            ("openai", format!("{}/v1", openai.url())),
            ("google", format!("{}/v1beta", google.url())),
            ("cohere", cohere.url()),
            ("azure-openai", format!("{}/openai", azure.url())),
        ] {
            setup = setup.settings(&format!("[providers.{slug}]\napi_key = '{key}'\nbase_url = '{base}'"));
        }
        let tidegate = setup.start().await;
        Self {
            tidegate,
            _anthropic: anthropic,
            _openai: openai,
            _google: google,
            _cohere: cohere,
            _azure: azure,
        }
    }

    async fn ask(&self, slug: &str, body: &Value) -> Answer {
        let mut body = body.clone();
        let model = body["model"].as_str().unwrap_or("m");
        body["model"] = json!(format!("@{slug}/{model}"));
        self.tidegate.post(MESSAGES, &[("anthropic-version", "2023-06-01")], &body).await
    }

    /// The message, asked for plain and streamed; both must be the same but for ids.
    async fn message(&self, slug: &str, body: &Value) -> Value {
        let plain = self.ask(slug, body).await;
        assert_eq!(plain.status, 200, "{slug}: {}", plain.text());
        let mut body = body.clone();
        body["stream"] = json!(true);
        let streamed = self.ask(slug, &body).await;
        assert_eq!((streamed.status, &streamed.broken), (200, &None), "{slug}: {}", streamed.text());
        assert_eq!(streamed.header("content-type"), Some("text/event-stream"), "{slug}");
        let (mut plain, mut folded) = (plain.json(), fold(&streamed, slug));
        for message in [&mut plain, &mut folded] {
            assert_eq!(
                (&message["type"], &message["role"]),
                (&json!("message"), &json!("assistant")),
                "{slug}"
            );
            assert!(message["id"].as_str().is_some_and(|id| !id.is_empty()), "{slug}: {message}");
            message["id"] = Value::Null;
        }
        for member in ["role", "model", "stop_reason", "stop_sequence"] {
            assert_eq!(folded[member], plain[member], "{slug}: {member}");
        }
        assert_eq!(without_ids(&folded["content"]), without_ids(&plain["content"]), "{slug}");
        for member in ["input_tokens", "output_tokens"] {
            assert_eq!(folded["usage"][member], plain["usage"][member], "{slug}: usage.{member}");
        }
        plain
    }
}

fn tool() -> Value {
    let port = json!({"type": "string", "description": "Where"});
    json!({
        "name": "tide",
        "description": "When is high water?",
        "input_schema": {"type": "object", "properties": {"port": port}, "required": ["port"]},
    })
}

#[tokio::test]
async fn a_text_of_any_provider_is_a_message() {
    let providers = Providers::start("k").await;
    let mut body = messages("m", false);
    body["system"] = json!([{"type": "text", "text": "Be brief."}]);
    for slug in SLUGS {
        let message = providers.message(slug, &body).await;
        assert_eq!(message["content"], json!([{"type": "text", "text": TIDE}]), "{slug}");
        assert_eq!(message["stop_reason"], "end_turn", "{slug}");
        let usage = &message["usage"];
        assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(4), &json!(8)), "{slug}");
    }
}

#[tokio::test]
async fn a_stop_and_a_bound_are_told_as_anthropic_tells_them() {
    let providers = Providers::start("k").await;
    for slug in SLUGS {
        let mut bounded = messages("m", false);
        bounded["max_tokens"] = json!(3);
        let message = providers.message(slug, &bounded).await;
        assert_eq!(message["content"][0]["text"], "The tide at", "{slug}");
        assert_eq!(message["stop_reason"], "max_tokens", "{slug}");
        let mut stopped = messages("m", false);
        stopped["stop_sequences"] = json!(["high"]);
        let message = providers.message(slug, &stopped).await;
        assert_eq!(message["content"][0]["text"], "The tide at Brest is ", "{slug}");
    }
}

/// BerriAI/litellm#25321, #25561: the arguments of a call arrived as `{}`.
#[tokio::test]
async fn incident_tool_arguments_vanished() {
    let providers = Providers::start("k").await;
    for slug in SLUGS {
        let mut body = messages("m", false);
        body["tools"] = json!([tool()]);
        let message = providers.message(slug, &body).await;
        let call = message["content"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&call["type"], &call["name"], &call["input"]),
            (&json!("tool_use"), &json!("tide"), &json!({"port": "Brest"})),
            "{slug}: {message}"
        );
        assert_eq!(message["stop_reason"], "tool_use", "{slug}");
        // The turn goes back with its result, and the conversation ends.
        let history = body["messages"].as_array_mut().unwrap();
        history.push(json!({"role": "assistant", "content": message["content"]}));
        let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": [{"type": "text", "text": "12:04"}]});
        history.push(json!({"role": "user", "content": [result]}));
        let message = providers.message(slug, &body).await;
        assert_eq!(message["content"][0]["text"], TIDE, "{slug}: {message}");
    }
}

#[tokio::test]
async fn two_calls_in_one_turn_stay_two() {
    let providers = Providers::start("k").await;
    for slug in SLUGS {
        let mut body = messages("m", false);
        body["tools"] = json!([tool()]);
        body["messages"][0]["content"] = json!("Both of them: both, please");
        let message = providers.message(slug, &body).await;
        let blocks = message["content"].as_array().unwrap();
        let calls = blocks.iter().filter(|block| block["type"] == "tool_use");
        let ports: Vec<_> = calls.map(|call| &call["input"]["port"]).collect();
        assert_eq!(ports, ["Brest", "Calais"], "{slug}");
    }
}

#[tokio::test]
async fn tokens_are_counted_where_they_can_be_and_estimated_elsewhere() {
    let providers = Providers::start("k").await;
    for slug in SLUGS {
        let mut body = messages(&format!("@{slug}/m"), false);
        for member in ["stream", "max_tokens"] {
            body.as_object_mut().unwrap().remove(member);
        }
        let version = [("anthropic-version", "2023-06-01")];
        let answer = providers.tidegate.post(COUNT, &version, &body).await;
        assert_eq!(answer.status, 200, "{slug}: {}", answer.text());
        let estimated = answer.header("x-tidegate-estimated");
        assert_eq!(estimated, (slug != "anthropic").then_some("true"), "{slug}");
        assert!(answer.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{slug}");
    }
}

#[tokio::test]
async fn a_key_or_model_that_a_provider_refuses_is_told_in_anthropics_words() {
    let refusing = Providers::start(BAD_KEY).await;
    let taking = Providers::start("k").await;
    for slug in SLUGS {
        for stream in [false, true] {
            let bad_key = refusing.ask(slug, &messages("m", stream)).await;
            assert_error(&bad_key, 401, "authentication_error", slug);
            let missing = taking.ask(slug, &messages(MISSING_MODEL, stream)).await;
            assert_error(&missing, 404, "not_found_error", slug);
            let mut wrong = messages("m", stream);
            wrong["temperature"] = json!("warm");
            assert_error(&taking.ask(slug, &wrong).await, 400, "invalid_request_error", slug);
        }
    }
}

#[tokio::test]
async fn statuses_of_any_provider_become_anthropics() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for provider in ["anthropic", "openai"] {
        for (fault, status, kind) in [
            (Fault::Status(400), 400, "invalid_request_error"),
            (Fault::Status(401), 401, "authentication_error"),
            (Fault::Status(403), 403, "permission_error"),
            (Fault::Status(404), 404, "not_found_error"),
            (Fault::Status(413), 413, "request_too_large"),
            (Fault::Status(429), 429, "rate_limit_error"),
            (Fault::Status(500), 500, "api_error"),
            (Fault::Status(529), 529, "overloaded_error"),
            (Fault::Reset, 502, "api_error"),
            (Fault::Html, 502, "api_error"),
            (Fault::EndMid(0), 502, "api_error"),
        ] {
            for stream in [false, true] {
                let config = target(provider, &faults.url_of(fault)).to_string();
                let headers = [("x-portkey-config", config.as_str())];
                let answer = tidegate.post(MESSAGES, &headers, &messages("m", stream)).await;
                assert_error(&answer, status, kind, &format!("{provider} {fault} {stream}"));
            }
        }
    }
}

#[tokio::test]
async fn the_gateways_own_refusals_are_in_anthropics_form() {
    let tidegate = Tidegate::start().await;
    for path in [MESSAGES, COUNT] {
        for (headers, body) in [
            (vec![], messages("m", false).to_string()),
            (vec![("x-portkey-provider", "no-such")], messages("m", false).to_string()),
            (vec![("x-portkey-config", "{")], messages("m", false).to_string()),
            (vec![("x-portkey-provider", "demo")], "{".to_owned()),
            (vec![("x-portkey-provider", "demo"), ("content-type", "text/plain")], "hello".to_owned()),
        ] {
            let answer = client::send("POST", &tidegate.url(path), &headers, body.into()).await;
            assert_error(&answer, 400, "invalid_request_error", &format!("{path} {headers:?}"));
            assert_eq!(answer.json()["status"], "failure", "Portkey's clients read this");
        }
    }
}

fn assert_error(answer: &Answer, status: u16, kind: &str, case: &str) {
    let body = answer.json();
    assert_eq!(answer.status, status, "{case}: {body}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{case}");
    assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!(kind)), "{case}: {body}");
    assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{case}: {body}");
}

/// Builds the message that the events tell, and checks that they come in the order Anthropic's clients count on.
fn fold(answer: &Answer, case: &str) -> Value {
    let mut message = Value::Null;
    let mut blocks: Vec<Value> = Vec::new();
    let mut inputs: Vec<String> = Vec::new();
    let mut open = None;
    let events = answer.events();
    assert_eq!(events.first().map(|event| event.name.as_str()), Some("message_start"), "{case}");
    assert_eq!(events.last().map(|event| event.name.as_str()), Some("message_stop"), "{case}");
    for event in &events {
        let data = event.json();
        assert_eq!(data["type"], event.name, "{case}: name and type agree");
        match event.name.as_str() {
            "message_start" => message = data["message"].clone(),
            "content_block_start" => {
                assert_eq!((open, &data["index"]), (None, &json!(blocks.len())), "{case}");
                open = Some(blocks.len());
                blocks.push(data["content_block"].clone());
                inputs.push(String::new());
            }
            "content_block_delta" => {
                let at = open.unwrap_or_else(|| panic!("{case}: a delta outside of a block"));
                assert_eq!(data["index"], json!(at), "{case}");
                add(&mut blocks[at], &mut inputs[at], &data["delta"]);
            }
            "content_block_stop" => {
                let at = open.take().unwrap_or_else(|| panic!("{case}: a stop without a start"));
                assert_eq!(data["index"], json!(at), "{case}");
                if blocks[at]["type"] == "tool_use" {
                    blocks[at]["input"] = serde_json::from_str(&inputs[at]).unwrap_or(json!({}));
                }
            }
            "message_delta" => {
                merge(&mut message, &data["delta"]);
                merge(&mut message["usage"], &data["usage"]);
            }
            "message_stop" | "ping" => {}
            other => panic!("{case}: {other}"),
        }
    }
    assert_eq!(open, None, "{case}: every block ends");
    message["content"] = blocks.into();
    message
}

/// Blocks of content without the ids of calls, which some providers leave to the gateway to make.
fn without_ids(content: &Value) -> Vec<Value> {
    let mut blocks = content.as_array().unwrap().clone();
    for block in blocks.iter_mut().filter(|block| block["type"] == "tool_use") {
        assert!(block["id"].as_str().is_some_and(|id| !id.is_empty()), "{block}");
        block["id"] = Value::Null;
    }
    blocks
}

fn add(block: &mut Value, input: &mut String, delta: &Value) {
    let member = match delta["type"].as_str() {
        Some("text_delta") => "text",
        Some("thinking_delta") => "thinking",
        Some("signature_delta") => "signature",
        Some("input_json_delta") => {
            input.push_str(delta["partial_json"].as_str().unwrap());
            return;
        }
        other => panic!("an unexpected delta: {other:?}"),
    };
    let text = block[member].as_str().unwrap_or_default().to_owned() + delta[member].as_str().unwrap();
    block[member] = json!(text);
}

fn merge(into: &mut Value, from: &Value) {
    let nothing = Map::new();
    for (name, value) in from.as_object().unwrap_or(&nothing) {
        into[name] = value.clone();
    }
}
