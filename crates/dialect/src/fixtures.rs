//! What the recorded answers of the dialects are held to: a stream says the same however its bytes are cut, and folds
//! to what the plain answer beside it says.

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_core::ApiError;

use crate::chat::{ChatResponse, Part, StreamEvent};
use crate::fold::Fold;
use crate::{AnswerContext, DialectId, ProviderDialect, provider_dialect};

const CONTEXT: AnswerContext<'_> =
    AnswerContext { provider: "test", model: "asked-for", strict: true, include_usage: true, now_s: 0 };

/// The recorded answers in `fixtures/<folder>`.
pub(crate) struct Fixtures {
    dialect: DialectId,
    folder: PathBuf,
}

impl Fixtures {
    pub(crate) fn of(dialect: DialectId, folder: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
        Self { dialect, folder }
    }

    /// The events of a recorded stream (`text.sse`).
    pub(crate) fn events(&self, file: &str) -> Vec<StreamEvent> {
        let bytes = fs::read(self.folder.join(file)).unwrap();
        self.decode(&[&bytes])
    }

    /// Reads the plain answer `<case>.json`.
    pub(crate) fn plain(&self, case: &str) -> Result<ChatResponse, ApiError> {
        let body = fs::read(self.folder.join(format!("{case}.json"))).unwrap();
        self.provider().decode_chat(&body, &CONTEXT).map(without_made_ids)
    }

    pub(crate) fn folded(&self, file: &str) -> Result<ChatResponse, ApiError> {
        let mut fold = Fold::of(self.dialect);
        self.events(file).iter().for_each(|event| fold.push(event));
        fold.finish()
    }

    /// Every recorded stream, cut anywhere.
    pub(crate) fn assert_splits_do_not_matter(&self) {
        for file in self.streams() {
            let bytes = fs::read(self.folder.join(&file)).unwrap();
            let whole = self.decode(&[&bytes]);
            let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(self.decode(&bytewise), whole, "{file}, byte by byte");
            for at in 0..bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(self.decode(&[head, tail]), whole, "{file}, cut at {at}");
            }
        }
    }

    /// White space and bytes of a byte-order mark before any recorded body, whole or cut.
    pub(crate) fn assert_what_comes_before_does_not_matter(&self) {
        for file in self.files(&[".sse", ".array", ".json"]) {
            let bytes = fs::read(self.folder.join(&file)).unwrap();
            let events = self.decode(&[&bytes]);
            for before in [b"\n\r\n".as_slice(), b" \t", b"\x0c", b"\xef\xbb\xbf", b" \xbb\xbb"] {
                let body = [before, &bytes].concat();
                let before = before.escape_ascii();
                assert_eq!(self.decode(&[&body]), events, "{file} after {before}");
                let bytewise: Vec<&[u8]> = body.chunks(1).collect();
                assert_eq!(self.decode(&bytewise), events, "{file} after {before}, byte by byte");
            }
        }
    }

    /// Every recorded stream that has a plain answer beside it.
    pub(crate) fn assert_streams_fold_to_the_plain_answers(&self) {
        let mut pairs = 0;
        for file in self.streams() {
            let case = file.split('.').next().unwrap();
            if self.folder.join(format!("{case}.json")).exists() {
                pairs += 1;
                assert_eq!(self.folded(&file), self.plain(case), "{file}");
            }
        }
        assert!(pairs > 5, "only {pairs} pairs found");
    }

    /// Every recorded stream keeps to the grammar of [`StreamEvent`].
    pub(crate) fn assert_grammar(&self) {
        for file in self.streams() {
            let events = self.events(&file);
            let (last, before) = events.split_last().unwrap();
            assert!(matches!(last, StreamEvent::End | StreamEvent::Error(_)), "{file}: {last:?}");
            let is_end = |event: &StreamEvent| matches!(event, StreamEvent::End | StreamEvent::Error(_));
            assert!(!before.iter().any(is_end), "{file}: something follows the end");
            let starts = before.iter().filter(|event| matches!(event, StreamEvent::Start { .. })).count();
            let starts_first = matches!(before.first(), None | Some(StreamEvent::Start { .. }));
            assert!(starts <= 1 && starts_first, "{file}: it starts {starts} times");
            assert_finishes_once(&file, before);
        }
    }

    fn streams(&self) -> Vec<String> {
        self.files(&[".sse", ".ndjson", ".array"])
    }

    fn files(&self, endings: &[&str]) -> Vec<String> {
        let files = fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| endings.iter().any(|ending| name.ends_with(ending)));
        names.sort();
        names
    }

    fn decode(&self, pieces: &[&[u8]]) -> Vec<StreamEvent> {
        let mut decoder = self.provider().chat_stream(&CONTEXT);
        let mut events = Vec::new();
        pieces.iter().for_each(|piece| decoder.push(piece, &mut events));
        decoder.finish(&mut events);
        decoder.finish(&mut events);
        events.iter_mut().for_each(hide_made_id);
        events
    }

    fn provider(&self) -> &'static dyn ProviderDialect {
        provider_dialect(self.dialect)
    }
}

/// No content of a choice follows its end, and it ends once.
fn assert_finishes_once(file: &str, events: &[StreamEvent]) {
    let mut finished = Vec::new();
    for event in events {
        match event {
            StreamEvent::Finish { choice, .. } => {
                assert!(!finished.contains(choice), "{file}: choice {choice} ends twice");
                finished.push(*choice);
            }
            StreamEvent::Text { choice, .. }
            | StreamEvent::Reasoning { choice, .. }
            | StreamEvent::ToolCallStart { choice, .. }
            | StreamEvent::ToolCallArguments { choice, .. }
            | StreamEvent::Part { choice, .. } => {
                assert!(!finished.contains(choice), "{file}: choice {choice} goes on after its end");
            }
            _ => {}
        }
    }
}

/// Ids that the decoder made up differ from run to run.
fn hide_made_id(event: &mut StreamEvent) {
    if let StreamEvent::ToolCallStart { id, .. } = event {
        hide(id);
    }
}

fn without_made_ids(mut response: ChatResponse) -> ChatResponse {
    for part in response.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
        if let Part::ToolCall(call) = part {
            hide(&mut call.id);
        }
    }
    response
}

fn hide(id: &mut String) {
    if id.starts_with("call_") && id.len() == 29 {
        id.truncate(5);
    }
}
