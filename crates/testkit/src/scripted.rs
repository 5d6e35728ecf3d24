//! An upstream that does what the name of the model says, in OpenAI's and (on `/messages`) Anthropic's shape.
//!
//! | model | answer |
//! |---|---|
//! | `txt:S` | 200, the text S, header `x-up: 1` |
//! | `stNNN` | status NNN with an OpenAI error body |
//! | `seq:a,b#id` | statuses a, b, .. on successive calls (200 is the text `ok`); the last one repeats |
//! | `ra:MS#id` | first 429 with `retry-after-ms: MS`, then `ok` |
//! | `slow:MS` | the text `late` after MS milliseconds |
//! | `html` | 502 with an HTML body |
//! | `badjson` | 200 with half a JSON body |
//! | `hdr` | 200 with a trace id and a request id of its own in headers |
//! | `break` | one event of a stream, then the connection is destroyed |
//! | any but an error, with `stream: true` | a stream of the text `Hi` |
//! | anything else | 200, the request as it arrived: `{"echo": {method, url, headers, body}}` |
//!
//! Counters are kept for each id, and a call without `#id` counts under the whole model name.

use crate::reply::Reply;
use crate::seen::Seen;
use crate::server::Handler;
use crate::sse;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

#[derive(Debug, Default)]
pub struct Scripted {
    calls: Mutex<BTreeMap<String, u64>>,
}

impl Handler for Scripted {
    fn answer(&self, request: &Seen) -> Reply {
        let body = request.json();
        let model = body["model"].as_str().unwrap_or_default();
        let (script, id) = model.split_once('#').unwrap_or((model, model));
        let call = self.count(id);
        let form =
            Form { model, anthropic: request.path().ends_with("/messages"), stream: body["stream"] == true };
        play(script, call, form).unwrap_or_else(|| Reply::json(200, &json!({"echo": request.echo()})))
    }

    fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.lock().unwrap().clone()
    }

    fn reset(&self) {
        self.calls.lock().unwrap().clear();
    }
}

impl Scripted {
    /// How often the id was called.
    pub fn calls_of(&self, id: &str) -> u64 {
        self.calls.lock().unwrap().get(id).copied().unwrap_or(0)
    }

    /// Counts a call and returns how many there were before.
    fn count(&self, id: &str) -> u64 {
        let mut calls = self.calls.lock().unwrap();
        let count = calls.entry(id.to_owned()).or_default();
        *count += 1;
        *count - 1
    }
}

/// What the answer has to look like.
#[derive(Debug, Clone, Copy)]
struct Form<'a> {
    model: &'a str,
    anthropic: bool,
    stream: bool,
}

/// `None` for a script that is none, and no stream either: echo.
fn play(script: &str, call: u64, form: Form<'_>) -> Option<Reply> {
    let (word, argument) = script.split_once(':').unwrap_or((script, ""));
    let millis = || argument.parse().map(Duration::from_millis).unwrap_or_default();
    Some(match word {
        "txt" => form.text(argument),
        "seq" => {
            let statuses: Vec<_> = argument.split(',').filter_map(|status| status.parse().ok()).collect();
            let at = usize::try_from(call).unwrap_or(usize::MAX).min(statuses.len().saturating_sub(1));
            match *statuses.get(at)? {
                200 => form.text("ok"),
                status => error(status),
            }
        }
        "ra" if call == 0 => error(429).with_header("retry-after-ms", argument),
        "ra" => form.text("ok"),
        "slow" => form.text("late").after(millis()),
        "html" => Reply::text(502, "text/html", "<h1>x</h1>"),
        "badjson" => Reply::text(200, "application/json", "{bad"),
        "hdr" => form.text("x").with_header("x-portkey-trace-id", "fromup").with_header("x-request-id", "r1"),
        "break" => Reply::broken(form.events().into_iter().take(1).collect()),
        _ => match script.strip_prefix("st").and_then(|status| status.parse().ok()) {
            Some(status) => error(status),
            None if form.stream => Reply::events(form.events()),
            None => return None,
        },
    })
}

fn error(status: u16) -> Reply {
    Reply::json(status, &json!({"error": {"message": "bad", "type": "t", "param": null, "code": "c"}}))
}

impl Form<'_> {
    fn text(self, text: &str) -> Reply {
        if self.stream {
            return Reply::events(self.events());
        }
        let body = if self.anthropic {
            json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": self.model,
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": 3, "output_tokens": 4},
            })
        } else {
            json!({
                "id": "chat1", "object": "chat.completion", "created": 1, "model": self.model,
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"},
                ],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            })
        };
        Reply::json(200, &body).with_header("x-up", "1")
    }

    fn events(self) -> Vec<String> {
        if self.anthropic { anthropic_events() } else { openai_events() }
    }
}

fn openai_events() -> Vec<String> {
    let delta = json!({"role": "assistant", "content": "Hi"});
    let chunk = json!({
        "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": null}],
    });
    vec![sse::data(&chunk), sse::DONE.to_owned()]
}

fn anthropic_events() -> Vec<String> {
    let usage = json!({"input_tokens": 3, "output_tokens": 1});
    let events: [Value; 6] = [
        json!({"type": "message_start", "message": {"id": "m1", "model": "cl", "usage": usage}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    events.iter().map(sse::typed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client;
    use crate::server::Server;

    fn ask(scripted: &Scripted, url: &str, body: &Value) -> Reply {
        scripted.answer(&Seen::post(url, &[], body))
    }

    #[test]
    fn answers_by_model() {
        let chat = |text: &str, model: &str| {
            format!(
                r#"{{"id":"chat1","object":"chat.completion","created":1,"model":"{model}","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}}}"#
            )
        };
        let error = r#"{"error":{"message":"bad","type":"t","param":null,"code":"c"}}"#.to_owned();
        let scripted = Scripted::default();
        for (model, status, body) in [
            ("txt:a", 200, chat("a", "txt:a")),
            ("txt:b:c", 200, chat("b:c", "txt:b:c")),
            ("st418", 418, error.clone()),
            ("seq:500,200#a", 500, error.clone()),
            ("seq:500,200#a", 200, chat("ok", "seq:500,200#a")),
            ("seq:500,200#a", 200, chat("ok", "seq:500,200#a")),
            ("seq:503#b", 503, error.clone()),
            ("ra:10#e", 429, error),
            ("ra:10#e", 200, chat("ok", "ra:10#e")),
            ("slow:5", 200, chat("late", "slow:5")),
            ("html", 502, "<h1>x</h1>".to_owned()),
            ("badjson", 200, "{bad".to_owned()),
            ("hdr", 200, chat("x", "hdr")),
            (
                "other",
                200,
                r#"{"echo":{"method":"POST","url":"/chat/completions","headers":{},"body":{"model":"other"}}}"#.to_owned(),
            ),
        ] {
            let reply = ask(&scripted, "/chat/completions", &json!({"model": model}));
            assert_eq!((reply.status, String::from_utf8(reply.bytes()).unwrap()), (status, body), "{model}");
        }
        assert_eq!((scripted.calls_of("a"), scripted.calls_of("html"), scripted.calls_of("none")), (3, 1, 0));
    }

    #[test]
    fn headers_and_delays_are_part_of_the_answer() {
        let scripted = Scripted::default();
        let ask = |model: &str| ask(&scripted, "/chat/completions", &json!({"model": model}));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert!(ask("txt:a").headers.contains(&header("x-up", "1")));
        assert!(ask("ra:10#x").headers.contains(&header("retry-after-ms", "10")));
        assert!(ask("hdr").headers.contains(&header("x-request-id", "r1")));
        assert_eq!(ask("slow:30").delay, Duration::from_millis(30));
    }

    #[test]
    fn streams_in_both_dialects() {
        let scripted = Scripted::default();
        let chat = ask(&scripted, "/chat/completions", &json!({"model": "m", "stream": true}));
        assert_eq!(
            String::from_utf8(chat.bytes()).unwrap(),
            "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"finish_reason\":null}]}\n\ndata: [DONE]\n\n"
        );
        let messages = ask(&scripted, "/v1/messages", &json!({"model": "m", "stream": true}));
        let names: Vec<_> = sse::parse(&messages.bytes()).into_iter().map(|event| event.name).collect();
        assert_eq!(names.first().map(String::as_str), Some("message_start"));
        assert_eq!((names.len(), names.last().map(String::as_str)), (6, Some("message_stop")));
        let refused = ask(&scripted, "/chat/completions", &json!({"model": "st429", "stream": true}));
        assert_eq!(refused.status, 429);
    }

    #[tokio::test]
    async fn is_served_logged_and_reset() {
        let server = Server::start(Scripted::default()).await;
        let url = format!("{}/v1/chat/completions?x=1", server.url());
        let answer = client::post(&url, &[("x-a", "b")], &json!({"model": "txt:é#1"})).await;
        assert_eq!((answer.status, answer.header("x-up")), (200, Some("1")));
        assert_eq!(answer.json()["choices"][0]["message"]["content"], "é");
        let seen = server.only_request();
        assert_eq!((seen.url.as_str(), seen.header("x-a")), ("/v1/chat/completions?x=1", Some("b")));
        let report = client::get(&format!("{}/__calls", server.url()), &[]).await.json();
        assert_eq!(
            (&report["total"], &report["ids"]["1"], &report["traffic"]["finished"]),
            (&json!(1), &json!(1), &json!(1))
        );
        assert_eq!(report["requests"][0]["body"]["model"], "txt:é#1");
        client::post(&format!("{}/__reset", server.url()), &[], &Value::Null).await;
        assert_eq!((server.requests().len(), server.traffic().now().requests), (0, 0));
    }

    #[tokio::test]
    async fn a_broken_stream_shows_its_event_and_then_breaks() {
        let server = Server::start(Scripted::default()).await;
        let body = json!({"model": "break", "stream": true});
        let answer = client::post(&format!("{}/chat/completions", server.url()), &[], &body).await;
        assert_eq!((answer.status, answer.events().len()), (200, 1));
        assert!(answer.broken.is_some(), "{answer:?}");
    }

    #[tokio::test]
    async fn a_client_that_leaves_is_seen_to_leave() {
        let server = Server::start(Scripted::default()).await;
        let body = json!({"model": "slow:600000"}).to_string();
        let url = format!("{}/chat/completions", server.url());
        let asking = tokio::spawn(async move { client::open("POST", &url, &[], body.into()).await });
        server.traffic().wait_until(|counts| counts.in_flight == 1).await;
        asking.abort();
        let counts =
            server.traffic().wait_until(|counts| counts.cancelled == 1 && counts.open_connections == 0).await;
        assert_eq!((counts.in_flight, counts.finished), (0, 0));
    }
}
