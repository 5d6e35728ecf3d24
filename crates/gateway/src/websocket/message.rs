//! The messages of a provider as they pass: of each its type, and of the few that matter their bytes.

use bytes::Bytes;

/// A message of more bytes is not looked into. What is looked for is far smaller, also with long transcripts in it.
const LARGEST: usize = 4 * 1024 * 1024;
/// Where a message's type is not known by here, it is kept until it is.
const SNIFFED: usize = 512;

/// Messages that are kept whole.
const WANTED: [&[u8]; 11] = [
    b"session.created",
    b"session.updated",
    b"response.created",
    b"response.done",
    b"error",
    // Of the responses API over a WebSocket.
    b"response.completed",
    b"response.incomplete",
    b"response.failed",
    b"transcription_session.created",
    b"transcription_session.updated",
    b"conversation.item.input_audio_transcription.completed",
];

/// A text message that has passed.
#[derive(Debug, PartialEq, Eq)]
pub enum Passed {
    /// One that is wanted, whole.
    Whole(Bytes),
    /// Any other: its type, where it was found, and how long it was.
    Other { kind: Box<[u8]>, bytes: usize },
}

/// Puts text messages together, by reference.
#[derive(Debug, Default)]
pub struct Messages {
    parts: Vec<Bytes>,
    bytes: usize,
    /// Of a message that is not wanted.
    kind: Option<Box<[u8]>>,
}

impl Messages {
    /// Bytes of a text message's payload; `is_end` when the message ends with them.
    pub fn push(&mut self, bytes: Bytes, is_end: bool) -> Option<Passed> {
        self.bytes += bytes.len();
        if self.kind.is_none() {
            self.parts.push(bytes);
            if is_end || self.bytes >= SNIFFED {
                self.sniff(is_end);
            }
        }
        if !is_end {
            return None;
        }
        let Self { parts, bytes, kind } = std::mem::take(self);
        Some(match kind {
            Some(kind) => Passed::Other { kind, bytes },
            None => Passed::Whole(joined(parts)),
        })
    }

    /// Lets go of a message that nobody looks at.
    fn sniff(&mut self, is_end: bool) {
        let kind = match &self.parts[..] {
            [one] => kind_of(one),
            _ => {
                self.parts = vec![joined(std::mem::take(&mut self.parts))];
                kind_of(&self.parts[0])
            }
        };
        let unwanted = match kind {
            Some(kind) if WANTED.contains(&kind) => None,
            Some(kind) => Some(kind.into()),
            None if is_end || self.bytes > LARGEST => Some(Box::default()),
            None => None,
        };
        if unwanted.is_some() || self.bytes > LARGEST {
            self.kind = Some(unwanted.unwrap_or_default());
            self.parts = Vec::new();
        }
    }
}

fn joined(mut parts: Vec<Bytes>) -> Bytes {
    match parts.len() {
        1 => parts.pop().unwrap_or_default(),
        _ => parts.concat().into(),
    }
}

/// The `type` of an object's own, from as much of it as there is. Names with escapes are not it.
fn kind_of(json: &[u8]) -> Option<&[u8]> {
    let mut depth = 0_u32;
    let mut at = 0;
    // A string at the object's own level, and what it is followed by.
    let mut is_kind = false;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at;
                loop {
                    match json.get(at)? {
                        b'\\' => at += 1,
                        b'"' => break,
                        _ => {}
                    }
                    at += 1;
                }
                let text = &json[start..at];
                at += 1;
                if depth != 1 {
                    continue;
                }
                if is_kind {
                    return Some(text);
                }
                let after = json.get(at..)?.trim_ascii_start();
                is_kind = text == b"type" && after.first() == Some(&b':');
            }
            b',' if depth == 1 => is_kind = false,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_the_objects_own() {
        for (json, want) in [
            (r#"{"type":"response.done","response":{}}"#, Some("response.done")),
            ("{ \"event_id\" : \"e\" , \"type\" : \"error\"", Some("error")),
            (r#"{"response":{"type":"inner"},"type":"outer"}"#, Some("outer")),
            (r#"{"a":"type","b":"x","type":"z"}"#, Some("z")),
            (r#"{"a":"\"type\":\"x\"","type":"z"}"#, Some("z")),
            (r#"{"list":["type","x"],"type":"z"}"#, Some("z")),
            (r#"{"type":7,"x":"y"}"#, None),
            (r#"{"type":"respon"#, None),
            ("", None),
            ("[]", None),
        ] {
            let kind = kind_of(json.as_bytes()).map(|kind| String::from_utf8_lossy(kind).into_owned());
            assert_eq!(kind.as_deref(), want, "{json}");
        }
    }

    #[test]
    fn wanted_messages_come_whole_however_they_are_cut() {
        let long = format!(r#"{{"event_id":"e","type":"response.done","text":"{}"}}"#, "x".repeat(2_000));
        for cut in 0..long.len() {
            let mut messages = Messages::default();
            let whole = Bytes::copy_from_slice(long.as_bytes());
            assert_eq!(messages.push(whole.slice(..cut), false), None);
            assert_eq!(messages.push(whole.slice(cut..), true), Some(Passed::Whole(whole)));
        }
    }

    #[test]
    fn others_are_let_go_of() {
        let mut messages = Messages::default();
        let head = format!(r#"{{"type":"response.output_audio.delta","delta":"{}"#, "x".repeat(600));
        assert_eq!(messages.push(head.clone().into(), false), None);
        assert!(messages.parts.is_empty(), "nothing is held of audio");
        let end = messages.push(Bytes::from_static(b"\"}"), true);
        let kind: Box<[u8]> = b"response.output_audio.delta".as_slice().into();
        assert_eq!(end, Some(Passed::Other { kind, bytes: head.len() + 2 }));
        // What has no type at all is held no longer than others.
        let mut messages = Messages::default();
        for _ in 0..10 {
            messages.push(vec![b' '; LARGEST / 8].into(), false);
        }
        assert!(messages.parts.is_empty());
    }
}
