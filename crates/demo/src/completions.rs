//! `POST /v1/completions`: each prompt is echoed, with the same words as in a chat.

use crate::Reply;
use crate::chat::request::stops;
use crate::fields::{BadRequest, Fields, invalid, parse};
use crate::words::{self, Finish};
use serde_json::{Value, json};
use tidegate_core::id;

/// Prompts times `n`.
const MAX_CHOICES: usize = 64;
/// The longest prompt that is repeated, in characters.
const ECHO_CHARS: usize = 2_000;
/// OpenAI's default, in words.
const DEFAULT_MAX_TOKENS: usize = 16;

struct Request {
    model: String,
    prompts: Vec<String>,
    n: usize,
    max_tokens: usize,
    stop: Vec<String>,
    /// The prompt goes before the answer.
    echo: bool,
    stream: bool,
    include_usage: bool,
}

struct Choice {
    text: String,
    finish: Finish,
    tokens: usize,
}

pub(crate) fn answer(body: &[u8], now_s: u64) -> Result<Reply, BadRequest> {
    let request = read(&parse(body)?)?;
    let id = format!("cmpl-{}", id::derived(&format!("{now_s} {}", String::from_utf8_lossy(body)), 24));
    let document = |choices: Value| {
        json!({
            "id": id, "object": "text_completion", "created": now_s, "model": request.model, "choices": choices,
        })
    };
    let choices: Vec<_> = request
        .prompts
        .iter()
        .flat_map(|prompt| (0..request.n).map(|_| complete(prompt, &request)))
        .collect();
    if request.stream {
        return Ok(Reply::stream(&events(&request, &choices, document)));
    }
    let listed = choices.iter().enumerate().map(|(i, choice)| entry(i, &choice.text, Some(choice.finish)));
    let mut whole = document(listed.collect());
    whole["usage"] = usage(&request, &choices);
    Ok(Reply::json(&whole))
}

fn read(body: &Value) -> Result<Request, BadRequest> {
    let fields = Fields::of(body, "")?;
    let prompts = match fields.texts("prompt") {
        Err(_) => return Err(invalid("prompt", "the demo model takes a string or a list of strings")),
        Ok(prompts) if prompts.is_empty() => return Err(fields.missing("prompt")),
        Ok(prompts) => prompts,
    };
    let n = fields.count("n", 1..=16)?.unwrap_or(1);
    if prompts.len().saturating_mul(n) > MAX_CHOICES {
        return Err(invalid("prompt", &format!("prompts times 'n' must be at most {MAX_CHOICES}")));
    }
    let stream = fields.flag("stream")?;
    let options = fields.object("stream_options")?;
    if options.is_some() && !stream {
        return Err(invalid("stream_options", "is only allowed when 'stream' is true"));
    }
    Ok(Request {
        model: fields.required_text("model")?.to_owned(),
        prompts,
        n,
        max_tokens: fields.count("max_tokens", 0..=u64::MAX)?.unwrap_or(DEFAULT_MAX_TOKENS),
        stop: stops(&fields)?,
        echo: fields.flag("echo")?,
        stream,
        include_usage: options.map_or(Ok(false), |options| options.flag("include_usage"))?,
    })
}

fn complete(prompt: &str, request: &Request) -> Choice {
    let prompt = words::shorten(prompt, ECHO_CHARS);
    let (said, finish) = words::cut(&format!("You said: {prompt}"), &request.stop, Some(request.max_tokens));
    let tokens = words::count(&said);
    Choice { text: if request.echo { format!("{prompt} {said}") } else { said }, finish, tokens }
}

fn events(request: &Request, choices: &[Choice], document: impl Fn(Value) -> Value) -> Vec<Value> {
    let chunk = |entry: Value| {
        let mut chunk = document(json!([entry]));
        if request.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    };
    let mut events = Vec::new();
    for (i, choice) in choices.iter().enumerate() {
        events.extend(words::split(&choice.text).into_iter().map(|word| chunk(entry(i, word, None))));
        events.push(chunk(entry(i, "", Some(choice.finish))));
    }
    if request.include_usage {
        let mut last = document(json!([]));
        last["usage"] = usage(request, choices);
        events.push(last);
    }
    events
}

fn entry(index: usize, text: &str, finish: Option<Finish>) -> Value {
    json!({"index": index, "text": text, "logprobs": null, "finish_reason": finish.map(Finish::as_str)})
}

fn usage(request: &Request, choices: &[Choice]) -> Value {
    let prompt: usize = request.prompts.iter().map(|prompt| words::count(prompt)).sum();
    let completion: usize = choices.iter().map(|choice| choice.tokens).sum();
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}

#[cfg(test)]
mod tests {
    use crate::{Endpoint, answer};
    use serde_json::{Value, json};

    fn ask(body: &Value) -> (u16, Value) {
        let reply = answer(Endpoint::Completions, body.to_string().as_bytes(), 7);
        (reply.status, serde_json::from_slice(&reply.chunks[0]).unwrap())
    }

    #[test]
    fn each_prompt_is_answered_n_times() {
        let (status, body) = ask(&json!({"model": "m", "prompt": ["a b", "c"], "n": 2, "max_tokens": 3}));
        let texts: Vec<_> = (0..4).map(|i| body["choices"][i]["text"].as_str().unwrap()).collect();
        assert_eq!((status, texts), (200, vec!["You said: a", "You said: a", "You said: c", "You said: c"]));
        assert_eq!(body["choices"][0]["finish_reason"], "length");
        assert_eq!(body["choices"][3]["finish_reason"], "stop");
        assert_eq!(body["usage"], json!({"prompt_tokens": 3, "completion_tokens": 12, "total_tokens": 15}));
    }

    #[test]
    fn echo_puts_the_prompt_first() {
        let (_, body) = ask(&json!({"model": "m", "prompt": "hi", "echo": true}));
        assert_eq!(body["choices"][0]["text"], "hi You said: hi");
        assert_eq!(body["usage"]["completion_tokens"], 3);
    }

    #[test]
    fn streams_word_by_word() {
        let body =
            json!({"model": "m", "prompt": "é", "stream": true, "stream_options": {"include_usage": true}});
        let reply = answer(Endpoint::Completions, body.to_string().as_bytes(), 7);
        let events: Vec<_> = reply.chunks.iter().map(|c| std::str::from_utf8(c).unwrap()).collect();
        assert_eq!(events.len(), 6, "{events:?}");
        assert!(
            events[2].contains(r#""text":" é""#) && events[2].contains(r#""usage":null"#),
            "{}",
            events[2]
        );
        assert!(events[3].contains(r#""finish_reason":"stop""#), "{}", events[3]);
        assert!(events[4].contains(r#""choices":[],"usage":{"prompt_tokens":1"#), "{}", events[4]);
        assert_eq!(events[5], "data: [DONE]\n\n");
    }

    #[test]
    fn bad_requests_name_the_parameter() {
        for (body, param) in [
            (json!({"prompt": "x"}), "model"),
            (json!({"model": "m"}), "prompt"),
            (json!({"model": "m", "prompt": [1, 2]}), "prompt"),
            (json!({"model": "m", "prompt": vec!["x"; 65]}), "prompt"),
            (json!({"model": "m", "prompt": "x", "n": 0}), "n"),
            (json!({"model": "m", "prompt": "x", "max_tokens": -1}), "max_tokens"),
            (json!({"model": "m", "prompt": "x", "stream_options": {}}), "stream_options"),
        ] {
            let (status, answer) = ask(&body);
            assert_eq!((status, answer["error"]["param"].as_str()), (400, Some(param)), "{body}");
        }
    }
}
