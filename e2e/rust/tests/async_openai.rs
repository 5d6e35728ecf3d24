//! async-openai through the gateway. `test_rust.py` says in `TIDEGATE_E2E` where the gateway and the upstreams are.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{CreateChatCompletionRequest, FinishReason};
use async_openai::types::embeddings::CreateEmbeddingRequest;
use futures::StreamExt;
use serde_json::{Value, json};

struct Given(Value);

impl Given {
    fn read() -> Self {
        let text = std::env::var("TIDEGATE_E2E").expect("test_rust.py sets TIDEGATE_E2E");
        Self(serde_json::from_str(&text).expect("it is JSON"))
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().expect("a text")
    }

    fn fakes(&self) -> &[Value] {
        self.0["providers"]["fakes"].as_array().expect("a list")
    }

    fn real(&self) -> &Value {
        &self.0["providers"]["real"]
    }

    fn client(&self, provider: &Value) -> Client<OpenAIConfig> {
        let base = format!("{}/v1", self.text("gateway"));
        let mut config = OpenAIConfig::new().with_api_base(base).with_api_key(self.text("key"));
        for (name, value) in provider["headers"].as_object().expect("headers") {
            // The SDK wants names that live for ever.
            let name: &'static str = name.clone().leak();
            let value = value.as_str().expect("a text").to_owned();
            config = config.with_header(name, value).expect("a header");
        }
        Client::with_config(config)
    }

    fn ask(&self, provider: &Value, more: Value) -> CreateChatCompletionRequest {
        let question = json!({"role": "user", "content": self.text("question")});
        let mut request = json!({"model": provider["model"], "messages": [question]});
        for (name, value) in more.as_object().expect("members") {
            request[name] = value.clone();
        }
        serde_json::from_value(request).expect("a request")
    }
}

#[tokio::test]
async fn chat() {
    let given = Given::read();
    for provider in given.fakes() {
        let answer =
            given.client(provider).chat().create(given.ask(provider, json!({}))).await.expect("an answer");
        let choice = &answer.choices[0];
        assert_eq!(choice.message.content.as_deref(), Some(given.text("text")), "{}", provider["name"]);
        assert_eq!(choice.finish_reason, Some(FinishReason::Stop));
        assert!(answer.usage.expect("usage").total_tokens > 0);
    }
}

#[tokio::test]
async fn stream() {
    let given = Given::read();
    for provider in given.fakes() {
        let request = given.ask(provider, json!({}));
        let mut stream = given.client(provider).chat().create_stream(request).await.expect("a stream");
        let mut text = String::new();
        while let Some(chunk) = stream.next().await {
            for choice in chunk.expect("a chunk").choices {
                text += choice.delta.content.as_deref().unwrap_or_default();
            }
        }
        assert_eq!(text, given.text("text"), "{}", provider["name"]);
    }
}

#[tokio::test]
async fn tool_round_trip() {
    let given = Given::read();
    for provider in given.fakes() {
        let client = given.client(provider);
        let tools = json!([given.0["openaiTool"]]);
        let request = given.ask(provider, json!({"tools": tools}));
        let question = json!({"role": "user", "content": given.text("question")});
        let answer = client.chat().create(request).await.expect("an answer");
        let said = serde_json::to_value(&answer.choices[0].message).expect("a message");
        let call = &said["tool_calls"][0];
        let arguments: Value =
            serde_json::from_str(call["function"]["arguments"].as_str().expect("a text")).expect("JSON");
        assert_eq!(arguments, given.0["arguments"], "{}", provider["name"]);
        let said = json!({"role": "assistant", "tool_calls": said["tool_calls"]});
        let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "12:04"});
        let request = given.ask(provider, json!({"tools": tools, "messages": [question, said, result]}));
        let answer = client.chat().create(request).await.expect("an answer");
        assert_eq!(answer.choices[0].message.content.as_deref(), Some(given.text("text")));
    }
}

#[tokio::test]
async fn embeddings() {
    let given = Given::read();
    let real = given.real();
    for provider in
        given.fakes().iter().chain([real]).filter(|provider| provider["embeddingModel"].is_string())
    {
        let request = json!({"model": provider["embeddingModel"], "input": ["a", "b"]});
        let request: CreateEmbeddingRequest = serde_json::from_value(request).expect("a request");
        let answer = given.client(provider).embeddings().create(request).await.expect("an answer");
        assert_eq!(answer.data.len(), 2, "{}", provider["name"]);
    }
}

#[tokio::test]
async fn real_model() {
    let given = Given::read();
    let client = given.client(given.real());
    let request = given.ask(given.real(), json!({"max_tokens": 8}));
    let answer = client.chat().create(request.clone()).await.expect("an answer");
    assert!(answer.choices[0].message.content.as_deref().is_some_and(|text| !text.is_empty()));
    let chunks: Vec<_> = client.chat().create_stream(request).await.expect("a stream").collect().await;
    assert!(chunks.len() > 1 && chunks.iter().all(Result::is_ok));
}
