//! One session of the stand-in.

use std::sync::Mutex;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{Log, Wire, locked, usage};
use crate::fake::story::TIDE;

/// The text of a message of a flood, without what is around it.
const FLOOD_BYTES: usize = 64 * 1024;

/// The session goes on, or it does not.
enum Next {
    On,
    Dropped,
}

struct Session<'a> {
    socket: WebSocketStream<Wire>,
    log: &'a Mutex<Log>,
    events: u64,
    /// The model that writes down what the client says, if one was asked for.
    transcriber: String,
}

/// What a transcript uses: of Whisper its length, of others tokens.
fn transcript_usage(model: &str) -> Option<Value> {
    match model {
        "" => None,
        "whisper-1" => Some(json!({"type": "duration", "seconds": 9})),
        _ => Some(json!({
            "type": "tokens", "total_tokens": 30, "input_tokens": 20, "output_tokens": 10,
            "input_token_details": {"text_tokens": 0, "audio_tokens": 20}
        })),
    }
}

/// Serves until the client closes, whose code it gives, or leaves.
pub(super) async fn run(socket: WebSocketStream<Wire>, model: &str, log: &Mutex<Log>) -> Option<u16> {
    let mut session = Session { socket, log, events: 0, transcriber: String::new() };
    let created =
        json!({"type": "realtime", "object": "realtime.session", "id": "sess_fake", "model": model});
    session.tell("session.created", json!({"session": created})).await;
    loop {
        match session.socket.next().await {
            Some(Ok(Message::Text(text))) => {
                locked(log).heard.push(text.to_string());
                if let Next::Dropped = session.hear(&text).await {
                    return None;
                }
            }
            Some(Ok(Message::Binary(_))) => session.complain("Binary messages are not taken.").await,
            Some(Ok(Message::Ping(_))) => locked(log).pings += 1,
            Some(Ok(Message::Close(frame))) => {
                // The library answers while it is read on.
                while let Some(Ok(_)) = session.socket.next().await {}
                return frame.map(|frame| frame.code.into());
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

impl Session<'_> {
    async fn hear(&mut self, text: &str) -> Next {
        let Ok(event) = serde_json::from_str::<Value>(text) else {
            self.complain("We could not parse the JSON of your event.").await;
            return Next::On;
        };
        match event["type"].as_str() {
            Some("session.update") if event["session"].is_object() => {
                let transcriber = event["session"]["audio"]["input"]["transcription"]["model"].as_str();
                self.transcriber = transcriber.unwrap_or_default().to_owned();
                self.tell("session.updated", json!({"session": event["session"]})).await;
            }
            Some("conversation.item.create") if event["item"].is_object() => {
                self.tell("conversation.item.added", json!({"item": event["item"]})).await;
                self.tell("conversation.item.done", json!({"item": event["item"]})).await;
            }
            Some("input_audio_buffer.append") if event["audio"].is_string() => {}
            Some("input_audio_buffer.commit") => {
                self.tell("input_audio_buffer.committed", json!({"item_id": "item_fake"})).await;
                if let Some(usage) = transcript_usage(&self.transcriber) {
                    let members = json!({"item_id": "item_fake", "content_index": 0, "transcript": TIDE, "usage": usage});
                    self.tell("conversation.item.input_audio_transcription.completed", members).await;
                }
            }
            Some("response.create") => return self.answer(&event["response"]["metadata"]).await,
            Some("response.cancel") => {}
            _ => self.complain("Invalid value or missing member.").await,
        }
        Next::On
    }

    async fn answer(&mut self, asked: &Value) -> Next {
        let number = |name: &str| asked[name].as_str().and_then(|text| text.parse::<usize>().ok());
        self.tell("response.created", json!({"response": {"id": "resp_fake", "status": "in_progress"}}))
            .await;
        self.tell("response.output_text.delta", json!({"delta": TIDE})).await;
        for _ in 0..number("flood").unwrap_or(0) {
            if !self.tell("response.output_audio.delta", json!({"delta": "A".repeat(FLOOD_BYTES)})).await {
                return Next::Dropped;
            }
            locked(self.log).flooded += 1;
        }
        if let Some(bytes) = number("bytes") {
            self.tell("response.output_text.delta", json!({"delta": "é".repeat(bytes / 2)})).await;
        }
        match (asked["end"].as_str(), number("end")) {
            (Some("drop"), _) => return Next::Dropped,
            (_, Some(code)) => {
                let code = u16::try_from(code).expect("a close's code").into();
                let _ = self.socket.close(Some(CloseFrame { code, reason: "as asked".into() })).await;
                return Next::On;
            }
            _ => {}
        }
        let response = json!({"id": "resp_fake", "status": "completed", "usage": usage(), "output": []});
        let done = self.event("response.done", json!({"response": response}));
        match number("fragments") {
            None => {
                // Together, as answers end that ran side by side.
                for _ in 0..number("times").unwrap_or(1) {
                    let _ = self.socket.feed(Message::text(done.clone())).await;
                }
                let _ = self.socket.flush().await;
            }
            Some(count) => self.send_in(count, done.as_bytes()).await,
        }
        Next::On
    }

    async fn send_in(&mut self, fragments: usize, text: &[u8]) {
        let pieces: Vec<_> = text.chunks(text.len().div_ceil(fragments)).collect();
        for (at, piece) in pieces.iter().enumerate() {
            let opcode = OpCode::Data(if at == 0 { Data::Text } else { Data::Continue });
            let frame = Frame::message(piece.to_vec(), opcode, at + 1 == pieces.len());
            let _ = self.socket.send(Message::Frame(frame)).await;
            // Between the pieces of a message there may be others' control frames.
            let _ = self.socket.send(Message::Ping(bytes::Bytes::from_static(b"there?"))).await;
        }
    }

    async fn complain(&mut self, message: &str) {
        let error = json!({"type": "invalid_request_error", "code": "invalid_event", "message": message, "param": null, "event_id": null});
        self.tell("error", json!({"error": error})).await;
    }

    /// False when the client takes nothing any more.
    async fn tell(&mut self, kind: &str, members: Value) -> bool {
        let event = self.event(kind, members);
        self.socket.send(Message::text(event)).await.is_ok()
    }

    fn event(&mut self, kind: &str, members: Value) -> String {
        self.events += 1;
        let mut event = json!({"type": kind, "event_id": format!("event_{}", self.events)});
        if let (Value::Object(event), Value::Object(members)) = (&mut event, members) {
            event.extend(members);
        }
        event.to_string()
    }
}
