//! Streams of OpenAI's responses API as they pass: which of their events have content, and which end them. They carry
//! no `[DONE]` and no choices, so the tap of chat streams does not know them.

use memchr::memmem;
use tidegate_dialect::tap::FirstEvent;

/// What the first bytes of such a stream are. An error may come right after `response.created`, with HTTP 200.
pub fn classify_first(bytes: &[u8]) -> FirstEvent {
    for line in bytes.split_inclusive(|b| *b == b'\n').filter(|line| line.ends_with(b"\n")) {
        let Some(name) = line.strip_prefix(b"event:") else { continue };
        match name.trim_ascii() {
            b"response.created" | b"response.queued" | b"response.in_progress" => {}
            b"error" | b"response.failed" => return FirstEvent::Error,
            _ => return FirstEvent::Content,
        }
    }
    FirstEvent::Undecided
}

/// Whether these whole events end the stream.
pub fn is_over(events: &[u8]) -> bool {
    [b"response.completed".as_slice(), b"response.incomplete", b"response.failed", b"event: error"]
        .iter()
        .any(|end| memmem::find(events, end).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_events() {
        for (stream, want) in [
            ("event: response.created\ndata: {}\n\n", FirstEvent::Undecided),
            ("event: response.created\ndata: {}\n\nevent: response.output_item.added\n", FirstEvent::Content),
            ("event: response.created\ndata: {}\n\nevent: error\n", FirstEvent::Error),
            ("event: response.in_progress\ndata: {}\n\nevent: response.failed\r\n", FirstEvent::Error),
            ("event: respon", FirstEvent::Undecided),
        ] {
            assert_eq!(classify_first(stream.as_bytes()), want, "{stream}");
        }
    }

    #[test]
    fn ends() {
        assert!(is_over(b"event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n"));
        assert!(!is_over(b"event: response.output_text.delta\ndata: {}\n\n"));
    }
}
