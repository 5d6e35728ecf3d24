//! What a provider's events say of an answer: that it began, that it ended, and what it used.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidegate_core::Usage;
use tidegate_pricing::{Measured, Quantities, Reading};

use super::message::Passed;

/// Something that the books or the log are told.
#[derive(Debug)]
pub enum Event {
    /// The model that answers, and the one that writes down what the client says.
    Session {
        model: Option<Box<str>>,
        transcriber: Option<Box<str>>,
    },
    /// What the client said was written down, which is billed beside the answers.
    Transcribed {
        used: Option<Box<Used>>,
    },
    Began,
    /// An answer is over. Without usage, nothing was used.
    Done {
        used: Option<Box<Used>>,
    },
    /// The provider says that something is wrong. The session may go on.
    Error {
        message: Box<str>,
    },
    /// A piece of an answer, which its end will count; for answers that have none.
    Piece(Piece),
}

/// Bytes of a message with audio, or a message with text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Audio(usize),
    Text,
}

/// What one answer used, as the provider counts it.
#[derive(Debug)]
pub struct Used {
    pub usage: Usage,
    pub quantities: Quantities,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    response: Option<Answer<'a>>,
    session: Option<Session>,
    error: Option<Failure>,
    /// Of a transcription.
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Session {
    model: Option<Box<str>>,
    audio: Option<Audio>,
    /// Where the first version of the API had it.
    input_audio_transcription: Option<Transcription>,
}

#[derive(Deserialize)]
struct Audio {
    input: Option<AudioInput>,
}

#[derive(Deserialize)]
struct AudioInput {
    transcription: Option<Transcription>,
}

#[derive(Deserialize)]
struct Transcription {
    model: Option<Box<str>>,
}

impl Session {
    fn event(self) -> Event {
        let now = self.audio.and_then(|audio| audio.input?.transcription);
        let transcriber = now.or(self.input_audio_transcription).and_then(|own| own.model);
        Event::Session { model: self.model, transcriber }
    }
}

#[derive(Deserialize)]
struct Failure {
    message: Option<Box<str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    total_tokens: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    #[serde(alias = "input_tokens_details")]
    input_token_details: Option<Input>,
    #[serde(alias = "output_tokens_details")]
    output_token_details: Option<Output>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Input {
    cached_tokens: Option<u64>,
    audio_tokens: Option<u64>,
    image_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Output {
    audio_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
}

/// What a message says; nothing for most.
pub fn read(passed: Passed) -> Option<Event> {
    match passed {
        Passed::Other { kind, bytes } => piece(&kind, bytes).map(Event::Piece),
        Passed::Whole(message) => told(&message),
    }
}

fn piece(kind: &[u8], bytes: usize) -> Option<Piece> {
    let name = kind.strip_suffix(b".delta")?;
    if !kind.starts_with(b"response.") {
        return None;
    }
    Some(if name.ends_with(b"audio") { Piece::Audio(bytes) } else { Piece::Text })
}

fn told(message: &Bytes) -> Option<Event> {
    let told: Told<'_> = serde_json::from_slice(message).ok()?;
    Some(match &*told.kind {
        "session.created"
        | "session.updated"
        | "transcription_session.created"
        | "transcription_session.updated" => told.session?.event(),
        "conversation.item.input_audio_transcription.completed" => {
            Event::Transcribed { used: told.usage.and_then(used) }
        }
        "response.created" => Event::Began,
        "error" => Event::Error { message: told.error.and_then(|error| error.message).unwrap_or_default() },
        _ => Event::Done { used: told.response.and_then(|answer| used(answer.usage?)) },
    })
}

fn used(raw: &RawValue) -> Option<Box<Used>> {
    let object = serde_json::from_str(raw.get()).ok()?;
    let Measured { quantities, .. } = Measured::read(&object, Reading::default()).ok()?;
    let counts: Counts = serde_json::from_str(raw.get()).ok()?;
    let (input, output) =
        (counts.input_token_details.unwrap_or_default(), counts.output_token_details.unwrap_or_default());
    let prompt = counts.input_tokens.unwrap_or(0);
    let cached = input.cached_tokens.filter(|cached| *cached <= prompt);
    let usage = Usage {
        input: prompt - cached.unwrap_or(0),
        cache_read: cached,
        output: counts.output_tokens.unwrap_or(0),
        reasoning: output.reasoning_tokens,
        audio_input: input.audio_tokens,
        audio_output: output.audio_tokens,
        image_input: input.image_tokens,
        reported_total: counts.total_tokens,
        ..Usage::default()
    };
    Some(Box::new(Used { usage, quantities }))
}

/// The sum of two answers' counts. What neither said stays unsaid.
pub fn sum(a: &Usage, b: &Usage) -> Usage {
    let both = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
    };
    Usage {
        input: a.input.saturating_add(b.input),
        cache_read: both(a.cache_read, b.cache_read),
        cache_write: both(a.cache_write, b.cache_write),
        cache_write_1h: both(a.cache_write_1h, b.cache_write_1h),
        output: a.output.saturating_add(b.output),
        reasoning: both(a.reasoning, b.reasoning),
        audio_input: both(a.audio_input, b.audio_input),
        audio_output: both(a.audio_output, b.audio_output),
        image_input: both(a.image_input, b.image_input),
        image_output: both(a.image_output, b.image_output),
        accepted_prediction: both(a.accepted_prediction, b.accepted_prediction),
        rejected_prediction: both(a.rejected_prediction, b.rejected_prediction),
        searches: both(a.searches, b.searches),
        reported_total: both(a.reported_total, b.reported_total),
        tier: a.tier.or(b.tier),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_pricing::{Decimal, Meter};

    use super::*;

    const DONE: &str = r#"{"type":"response.done","event_id":"e","response":{"id":"r","usage":{"total_tokens":253,"input_tokens":132,
        "output_tokens":121,"input_token_details":{"text_tokens":119,"audio_tokens":13,"cached_tokens":64,
        "cached_tokens_details":{"text_tokens":60,"audio_tokens":4}},"output_token_details":{"text_tokens":30,"audio_tokens":91}}}}"#;

    #[test]
    fn a_session_says_who_writes_down_what_the_client_says() {
        for (kind, session) in [
            (
                "session.updated",
                r#"{"type":"realtime","audio":{"input":{"transcription":{"model":"whisper-1"}}}}"#,
            ),
            ("transcription_session.created", r#"{"input_audio_transcription":{"model":"whisper-1"}}"#),
        ] {
            let event = format!(r#"{{"type":"{kind}","session":{session}}}"#);
            let told = told(&event.into());
            let Some(Event::Session { model: None, transcriber }) = told else { panic!("{told:?}") };
            assert_eq!(transcriber.as_deref(), Some("whisper-1"));
        }
        let off = r#"{"type":"session.updated","session":{"audio":{"input":{"transcription":null}}}}"#;
        assert!(matches!(
            told(&Bytes::from_static(off.as_bytes())),
            Some(Event::Session { transcriber: None, .. })
        ));
    }

    #[test]
    fn an_answers_end_says_what_it_used_by_kind() {
        let Some(Event::Done { used: Some(used) }) = told(&Bytes::from_static(DONE.as_bytes())) else {
            panic!("it is the end of an answer");
        };
        let Used { usage, quantities } = *used;
        assert_eq!((usage.input, usage.cache_read, usage.output), (68, Some(64), 121));
        assert_eq!((usage.audio_input, usage.audio_output, usage.total()), (Some(13), Some(91), 253));
        for (meter, count) in [
            (Meter::Input, 59),
            (Meter::AudioIn, 9),
            (Meter::CacheRead, 60),
            (Meter::AudioCacheRead, 4),
            (Meter::Output, 30),
            (Meter::AudioOut, 91),
        ] {
            assert_eq!(quantities.get(meter), Some(Decimal::from(count)), "{meter}");
        }
        let twice = sum(&usage, &usage);
        assert_eq!((twice.total(), twice.cache_read, twice.searches), (506, Some(128), None));
    }

    #[test]
    fn other_messages() {
        let of = |text: &'static str| told(&Bytes::from_static(text.as_bytes()));
        assert!(matches!(
            of(r#"{"type":"session.created","session":{"model":"gpt-realtime","x":[1]}}"#),
            Some(Event::Session { model: Some(model), transcriber: None }) if &*model == "gpt-realtime"
        ));
        assert!(matches!(of(r#"{"type":"response.created","response":{}}"#), Some(Event::Began)));
        for none in [
            r#"{"type":"response.done","response":{"status":"cancelled","usage":null}}"#,
            r#"{"type":"response.done"}"#,
            r#"{"type":"response.done","response":{"usage":{"input_tokens":-1}}}"#,
        ] {
            assert!(matches!(of(none), Some(Event::Done { used: None })), "{none}");
        }
        assert!(of("{").is_none());
        for (kind, want) in [
            ("response.output_audio.delta", Some(Piece::Audio(9))),
            ("response.audio.delta", Some(Piece::Audio(9))),
            ("response.output_text.delta", Some(Piece::Text)),
            ("response.audio_transcript.delta", Some(Piece::Text)),
            ("conversation.item.input_audio_transcription.delta", None),
            ("rate_limits.updated", None),
        ] {
            assert_eq!(piece(kind.as_bytes(), 9), want, "{kind}");
        }
    }
}
