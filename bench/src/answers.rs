//! The answers of the mock provider, built once. Texts hold exactly one [`MARK`] per answer or chunk, whatever dialect
//! carries them, so that a client can count what reached it without parsing.

use bytes::Bytes;

/// Occurs once in each plain answer and in each chunk of a stream, and nowhere else.
pub const MARK: u8 = b'~';

/// The size of a plain answer, in bytes.
pub const PLAIN_SIZE: usize = 1024;

/// The size of a chunk of a stream, in bytes.
pub const CHUNK_SIZE: usize = 200;

/// How a provider's answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    OpenAi,
    Anthropic,
}

/// A whole answer of [`PLAIN_SIZE`] bytes.
pub fn plain(form: Form) -> Bytes {
    let (before, after) = match form {
        Form::OpenAi => (
            r#"{"id":"chatcmpl-Tq7mWb2xKc","object":"chat.completion","created":1760000000,"model":"gpt-bench-2026","choices":[{"index":0,"message":{"role":"assistant","content":""#,
            r#"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":212,"completion_tokens":128,"total_tokens":340,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default","system_fingerprint":"fp_bench"}"#,
        ),
        Form::Anthropic => (
            r#"{"id":"msg_01Tq7mWb2xKc","type":"message","role":"assistant","model":"claude-bench-2026","content":[{"type":"text","text":""#,
            r#""}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":212,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":128,"service_tier":"standard"}}"#,
        ),
    };
    Bytes::from(fill(before, after, PLAIN_SIZE))
}

/// A whole OpenAI answer whose text is a number: how many bytes of the request arrived.
pub fn size(received: u64) -> Bytes {
    Bytes::from(format!(
        r#"{{"id":"chatcmpl-size","object":"chat.completion","created":1760000000,"model":"gpt-bench-2026","choices":[{{"index":0,"message":{{"role":"assistant","content":"~{received} bytes"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}}}"#
    ))
}

/// The events of a stream: what comes before the chunks, the chunk that is repeated, what comes after.
#[derive(Debug, Clone)]
pub struct Events {
    pub start: Bytes,
    /// [`CHUNK_SIZE`] bytes.
    pub chunk: Bytes,
    pub end: Bytes,
    /// The end for who asked to be told the usage, where that has to be asked for.
    pub end_with_usage: Bytes,
}

pub fn events(form: Form) -> Events {
    match form {
        Form::OpenAi => openai_events(),
        Form::Anthropic => anthropic_events(),
    }
}

fn openai_events() -> Events {
    let head = r#"data: {"id":"chatcmpl-Tq7","object":"chat.completion.chunk","created":1760000000,"model":"gpt-bench-2026","choices":["#;
    let start = format!(
        "{head}{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":\"\"}},\"finish_reason\":null}}]}}\n\n"
    );
    let before = format!("{head}{{\"index\":0,\"delta\":{{\"content\":\"");
    let last = format!("{head}{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n");
    let usage = format!(
        "{head}],\"usage\":{{\"prompt_tokens\":212,\"completion_tokens\":128,\"total_tokens\":340}}}}\n\n"
    );
    let done = "data: [DONE]\n\n";
    Events {
        start: start.into(),
        chunk: fill(&before, "\"},\"finish_reason\":null}]}\n\n", CHUNK_SIZE).into(),
        end: format!("{last}{done}").into(),
        end_with_usage: format!("{last}{usage}{done}").into(),
    }
}

fn anthropic_events() -> Events {
    let start = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01Tq7\",\"type\":\"message\",",
        "\"role\":\"assistant\",\"model\":\"claude-bench-2026\",\"content\":[],\"stop_reason\":null,",
        "\"stop_sequence\":null,\"usage\":{\"input_tokens\":212,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,",
        "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    );
    let before = concat!(
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,",
        "\"delta\":{\"type\":\"text_delta\",\"text\":\"",
    );
    let end = concat!(
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",",
        "\"stop_sequence\":null},\"usage\":{\"output_tokens\":128}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );
    let end = Bytes::from(end);
    let chunk = fill(before, "\"}}\n\n", CHUNK_SIZE).into();
    Events { start: start.into(), chunk, end_with_usage: end.clone(), end }
}

/// `before`, a text with one mark that makes the whole `size` bytes long, `after`.
fn fill(before: &str, after: &str, size: usize) -> String {
    let words = "High water at Brest is at noon, low water six hours later. ";
    let room = size - before.len() - after.len() - 1;
    let text: String = words.chars().cycle().take(room).collect();
    format!("{before}~{text}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(bytes: &[u8]) -> usize {
        memchr::memchr_iter(MARK, bytes).count()
    }

    #[test]
    fn sizes_and_marks_are_as_promised() {
        for form in [Form::OpenAi, Form::Anthropic] {
            let answer = plain(form);
            assert_eq!((answer.len(), marks(&answer)), (PLAIN_SIZE, 1));
            serde_json::from_slice::<serde_json::Value>(&answer).unwrap();
            let events = events(form);
            assert_eq!((events.chunk.len(), marks(&events.chunk)), (CHUNK_SIZE, 1));
            assert_eq!(marks(&events.start) + marks(&events.end), 0);
        }
        assert_eq!(marks(&size(5)), 1);
        serde_json::from_slice::<serde_json::Value>(&size(5)).unwrap();
    }
}
