//! The model inside the binary: `@demo/echo` speaks the OpenAI dialect with no key and no network, so that the first
//! request to a fresh gateway gets an answer.
//!
//! It is a pure function of the request body and the time: the same request always gets the same answer. It answers to
//! every model name, and to sampling parameters (`temperature`, `seed`, ..) it pays no attention, as it never draws.
//! **Its tokens are words**: a run of whitespace and the run of other characters after it is one token, in prompts and
//! in answers; an image, a sound or a file counts as one.
//!
//! What it answers is bounded whatever it is asked: see the constants of the modules.

mod chat;
mod completions;
mod embeddings;
mod fields;
mod models;
mod reply;
mod schema;
mod words;

pub use reply::Reply;

/// What the demo model can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    ChatCompletions,
    Completions,
    Embeddings,
    Models,
}

/// Answers `body` as OpenAI would, at `now_s` seconds since 1970 (the `created` of the answer).
///
/// A request that cannot be served gets status 400 and OpenAI's error body naming the parameter.
/// [`Endpoint::Models`] reads no body.
pub fn answer(endpoint: Endpoint, body: &[u8], now_s: u64) -> Reply {
    let answered = match endpoint {
        Endpoint::ChatCompletions => chat::answer(body, now_s),
        Endpoint::Completions => completions::answer(body, now_s),
        Endpoint::Embeddings => embeddings::answer(body),
        Endpoint::Models => Ok(models::list()),
    };
    answered.unwrap_or_else(|error| Reply::bad_request(&error))
}
