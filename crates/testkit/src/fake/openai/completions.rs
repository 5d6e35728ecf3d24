//! The older completions: every prompt gets the story, as often as asked.

use super::super::shape::{Kind, Member, Violation, check, may, must};
use super::super::story::{Ask, Content, End, Last, Told, id, pieces, tell};
use super::answer::{CREATED, usage};
use super::chat::{count, flag, texts};
use super::{Refusal, known};
use crate::reply::Reply;
use crate::sse;
use serde_json::{Map, Value, json};

const COMPLETION: &[Member] = &[
    must("model", Kind::Text),
    must("prompt", Kind::TextOrList),
    may("best_of", Kind::Whole(0, 20)),
    may("echo", Kind::Flag),
    may("frequency_penalty", Kind::Number(-2.0, 2.0)),
    may("presence_penalty", Kind::Number(-2.0, 2.0)),
    may("logit_bias", Kind::Object),
    may("logprobs", Kind::Whole(0, 5)),
    may("max_tokens", Kind::Whole(0, i64::MAX)),
    may("n", Kind::Whole(1, 128)),
    may("seed", Kind::Whole(i64::MIN, i64::MAX)),
    may("stop", Kind::Texts(4)),
    may("stream", Kind::Flag),
    may("stream_options", Kind::Object),
    may("suffix", Kind::Text),
    may("temperature", Kind::Number(0.0, 2.0)),
    may("top_p", Kind::Number(0.0, 1.0)),
    may("user", Kind::Text),
];

/// A checked request.
struct Request<'a> {
    ask: Ask,
    model: &'a str,
    /// Prompts times `n`.
    choices: usize,
    include_usage: bool,
}

pub(super) fn answer(body: &Value) -> Result<Reply, Refusal> {
    let request = read(check(body, "", COMPLETION)?)?;
    let told = tell(&request.ask);
    let Content::Text { text, end } = &told.content else { unreachable!("no tools were given") };
    let finish = if *end == End::Length { "length" } else { "stop" };
    if request.ask.stream {
        return Ok(Reply::events(events(&request, &told, text, finish)));
    }
    let entries = (0..request.choices).map(|index| entry(index, text, Some(finish)));
    let mut whole = document(&request, entries.collect());
    whole["usage"] = usage(&told, request.choices);
    Ok(Reply::json(200, &whole))
}

fn read(object: &Map<String, Value>) -> Result<Request<'_>, Refusal> {
    let model = object["model"].as_str().unwrap_or_default();
    known(model)?;
    let stream = flag(object, "stream");
    let options = object.get("stream_options").filter(|options| !options.is_null());
    if options.is_some() && !stream {
        return Err(Violation::wrong("stream_options", "'stream' to be true beside it").into());
    }
    let prompts = texts(object.get("prompt"));
    let mut ask = Ask {
        stop: texts(object.get("stop")),
        max_tokens: Some(count(object, "max_tokens").unwrap_or(16)),
        stream,
        ..Ask::default()
    };
    prompts.iter().for_each(|prompt| ask.hear(Last::User, prompt, 0));
    Ok(Request {
        ask,
        model,
        choices: prompts.len().max(1) * count(object, "n").unwrap_or(1),
        include_usage: options.is_some_and(|options| options["include_usage"] == true),
    })
}

fn events(request: &Request<'_>, told: &Told, text: &str, finish: &str) -> Vec<String> {
    let chunk = |entry: Value| sse::data(&document(request, vec![entry]));
    let mut events = Vec::new();
    for index in 0..request.choices {
        events.extend(pieces(text).into_iter().map(|piece| chunk(entry(index, piece, None))));
        events.push(chunk(entry(index, "", Some(finish))));
    }
    if request.include_usage {
        let mut last = document(request, Vec::new());
        last["usage"] = usage(told, request.choices);
        events.push(sse::data(&last));
    }
    events.push(sse::DONE.to_owned());
    events
}

fn document(request: &Request<'_>, choices: Vec<Value>) -> Value {
    json!({
        "id": id("cmpl-", &request.ask.last_text),
        "object": "text_completion",
        "created": CREATED,
        "model": request.model,
        "choices": choices,
    })
}

fn entry(index: usize, text: &str, finish: Option<&str>) -> Value {
    json!({"index": index, "text": text, "logprobs": null, "finish_reason": finish})
}
