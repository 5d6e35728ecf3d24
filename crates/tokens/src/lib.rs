//! How many tokens a request and its answer were, for answers whose provider does not say.
//!
//! [`vocabulary`] counts text: OpenAI's models with their own vocabularies, the others with the nearest of them and a
//! factor. [`text`] finds the text in bodies as they passed. What comes out is an estimate in any case: providers wrap
//! messages and tools into tokens of their own.
//!
//! A count takes time (some MB of text a second, and the first one loads a vocabulary of some 40 MB), so it belongs on
//! a thread of its own.

mod packed;
pub mod text;
pub mod vocabulary;

use bytes::Bytes;

pub use text::{answer_text, prompt_text};
pub use vocabulary::count;

/// Tokens of the messages in a JSON request of OpenAI's or Anthropic's shape. `None` when it is no such request.
pub fn prompt(model: &str, request: &[Bytes]) -> Option<u64> {
    /// What a chat has around each message, and at its end, as OpenAI documents it.
    const PER_MESSAGE: u64 = 4;
    const AT_THE_END: u64 = 3;
    let prompt = prompt_text(request)?;
    let around = if prompt.messages > 0 { prompt.messages * PER_MESSAGE + AT_THE_END } else { 0 };
    Some(count(model, &prompt.text)? + around)
}

/// Tokens of what a model said in an answer, streamed or whole. `None` when the answer is of no known shape.
pub fn answer(model: &str, answer: &[Bytes]) -> Option<u64> {
    count(model, &answer_text(answer)?)
}
