//! Server-sent events: each event's data is redacted by itself. Line ends become `\n`; what stands in a stream besides
//! fields of events is not kept.

use super::{Clean, Policy, json};

pub(super) fn redact(bytes: &[u8], policy: &Policy, cut: bool) -> Clean {
    // A refusal may come as JSON under a stream's content type.
    if matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'[')) {
        return json::redact(bytes, policy);
    }
    let all = String::from_utf8_lossy(bytes);
    let all = all.strip_prefix('\u{feff}').unwrap_or(&all).replace("\r\n", "\n").replace('\r', "\n");
    let mut clean = Clean { text: String::with_capacity(all.len()), complete: true };
    let mut data: Option<String> = None;
    let mut lines = all.split('\n').peekable();
    while let Some(line) = lines.next() {
        if let Some(value) = line.strip_prefix("data:") {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            }
            if lines.peek().is_none() {
                flush(&mut data, policy, &mut clean);
                clean.text.pop();
            }
            continue;
        }
        let field = ["event:", "id:", "retry:", ":"].iter().any(|name| line.starts_with(name));
        // Data that stands before another field of its event comes before it still: order inside an event means nothing.
        flush(&mut data, policy, &mut clean);
        if line.is_empty() || field {
            clean.text.push_str(line);
        } else {
            clean.complete &= cut && lines.peek().is_none();
        }
        if lines.peek().is_some() {
            clean.text.push('\n');
        }
    }
    clean
}

/// The data of an event. Several lines are one text, so they are looked at together.
fn flush(data: &mut Option<String>, policy: &Policy, clean: &mut Clean) {
    let Some(data) = data.take() else { return };
    let shown =
        if matches!(data.trim_start().as_bytes().first(), Some(b'{' | b'[')) && data.trim() != "[DONE]" {
            let json = json::redact(data.as_bytes(), policy);
            clean.complete &= json.complete;
            json.text
        } else {
            data
        };
    for line in shown.split('\n') {
        clean.text.push_str("data: ");
        clean.text.push_str(line);
        clean.text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, cut: bool) -> (String, bool) {
        let paths = vec!["choices[*].delta.content".parse().unwrap(), "..email".parse().unwrap()];
        let clean = redact(text.as_bytes(), &Policy { paths, ..Policy::default() }, cut);
        (clean.text, clean.complete)
    }

    #[test]
    fn each_event_is_redacted() {
        let stream = "event: a\ndata: {\"choices\":[{\"delta\":{\"content\":\"Z\"}}]}\n\n: ping\n\ndata:{\"choices\":[{\"delta\":{\"content\":\"Z\",\"role\":\"x\"}}]}\n\ndata: [DONE]\n\n";
        let wanted = "event: a\ndata: {\"choices\":[{\"delta\":{\"content\":\"[redacted]\"}}]}\n\n: ping\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"[redacted]\",\"role\":\"x\"}}]}\n\ndata: [DONE]\n\n";
        for ends in ["\n", "\r\n", "\r"] {
            assert_eq!(with(&stream.replace('\n', ends), false), (wanted.into(), true), "{ends:?}");
        }
    }

    #[test]
    fn data_of_several_lines_is_one_text() {
        let (clean, complete) = with("data: {\"email\":\ndata: \"Z\",\ndata: \"b\":1}\n\n", false);
        assert_eq!(
            (clean.as_str(), complete),
            ("data: {\"email\":\ndata: \"[redacted]\",\ndata: \"b\":1}\n\n", true)
        );
    }

    #[test]
    fn a_cut_anywhere_shows_nothing() {
        let stream = "event: a\ndata: {\"email\":\"ZZ\",\"b\":1}\n\ndata: {\"api_key\":\"ZZ\"}\n\n";
        for cut in 0..stream.len() {
            let (clean, complete) = with(&stream[..cut], true);
            assert!(complete && !clean.contains('Z'), "{cut} {clean}");
        }
    }

    #[test]
    fn other_lines_are_not_kept() {
        assert_eq!(with("data: {}\n\nZ {\"email\":\"Z\"}\n\n", false), ("data: {}\n\n\n\n".into(), false));
        assert_eq!(with("{\"email\":\"Z\"}", false), ("{\"email\":\"[redacted]\"}".into(), true));
        assert_eq!(
            with("data: {\"a\":1 Z\n\ndata: {\"b\":2}\n\n", false),
            ("data: {\"a\":1 \n\ndata: {\"b\":2}\n\n".into(), false)
        );
    }
}
