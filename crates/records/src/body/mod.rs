//! Bodies: which are kept, how much of them, and what is taken out before anything reaches a disk.
//!
//! The request path only collects references to frames ([`RawBody::frame`]); [`prepare`] runs on the writer's thread. What
//! cannot be looked into safely is withheld rather than stored, and the record of it says why.

mod header;
mod json;
mod pack;
mod path;
mod policy;
mod scrub;
mod sse;

pub use pack::unpack;
pub use path::{BadPath, JsonPath};
pub use policy::{Keep, Policy};

use crate::codec::{self, fields};
use crate::text::Text;

/// What stands where something was taken out.
pub const REDACTED: &str = "[redacted]";

/// How bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Json,
    /// Server-sent events: each event's data is looked into by itself.
    Events,
    Text,
    /// Audio, images, forms: nobody can say what is in there, so only their size is kept.
    Binary,
}

impl Kind {
    /// From a `content-type`.
    pub fn of(content_type: &str) -> Self {
        let media = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        match media.as_str() {
            "text/event-stream" => Self::Events,
            "application/json" | "application/x-ndjson" | "application/jsonl" => Self::Json,
            media if media.ends_with("+json") => Self::Json,
            media if media.starts_with("text/") => Self::Text,
            _ => Self::Binary,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Events => "events",
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }
}

/// A body as it passed, by reference to its frames.
#[derive(Debug, Clone)]
pub struct RawBody {
    /// `request`, `response`, `sent`, `received`.
    part: &'static str,
    kind: Kind,
    headers: Vec<(Text, Text)>,
    frames: Vec<bytes::Bytes>,
    kept: u64,
    /// All bytes, also those that are not kept.
    total: u64,
    most: u64,
}

impl RawBody {
    /// `most`: bytes to keep, see [`Policy::most_bytes`].
    pub fn new(part: &'static str, kind: Kind, most: u64) -> Self {
        Self { part, kind, headers: Vec::new(), frames: Vec::new(), kept: 0, total: 0, most }
    }

    /// Headers as they came, credentials included: they are taken out before anything is stored, and looked for in bodies.
    #[must_use]
    pub fn with_headers(mut self, headers: Vec<(Text, Text)>) -> Self {
        self.headers = headers;
        self
    }

    /// The next piece. Beyond the bound it is only counted.
    pub fn frame(&mut self, frame: &bytes::Bytes) {
        let length = frame.len() as u64;
        let room = self.most.saturating_sub(self.kept).min(length);
        self.total += length;
        if room > 0 && self.kind != Kind::Binary {
            self.frames.push(frame.slice(..usize::try_from(room).unwrap_or(frame.len())));
            self.kept += room;
        }
    }
}

/// The bodies of one request.
#[derive(Debug, Clone, Default)]
pub struct RawBodies(Vec<RawBody>);

impl RawBodies {
    pub fn push(&mut self, body: RawBody) {
        self.0.push(body);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What they hold in memory, roughly.
    pub fn bytes(&self) -> u64 {
        let headers =
            |body: &RawBody| body.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        self.0.iter().map(|body| body.kept + headers(body) as u64).sum()
    }
}

impl FromIterator<RawBody> for RawBodies {
    fn from_iter<I: IntoIterator<Item = RawBody>>(bodies: I) -> Self {
        Self(bodies.into_iter().collect())
    }
}

/// What is stored of the bodies of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredBodies {
    pub bodies: Vec<StoredBody>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredBody {
    pub part: Text,
    /// `json`, `events`, `text`, `binary`.
    pub kind: Text,
    pub headers: Vec<(Text, Text)>,
    /// 0: as it is; 1: raw deflate. See [`unpack`].
    pub codec: u64,
    pub data: Vec<u8>,
    /// Bytes of `data` when unpacked.
    pub plain: u64,
    /// Bytes of the whole body as it passed.
    pub total: u64,
    /// Longer than the bound: only the beginning is here.
    pub cut: bool,
    /// Why there is no data, or no more: `binary`, `unreadable`, `failed`.
    pub withheld: Text,
}

impl StoredBodies {
    /// Looking into the bodies failed in a way that nobody foresaw; nothing of them is kept.
    pub(crate) fn failed() -> Self {
        Self { bodies: vec![StoredBody { withheld: "failed".into(), ..StoredBody::default() }] }
    }
}

fields!(StoredBodies { 1 bodies });
fields!(StoredBody {
    1 part, 2 kind, 3 headers, 4 codec, 5 data, 6 plain, 7 total, 8 cut, 9 withheld,
});

/// The form for stores, like that of records: versioned, and open to fields of later binaries.
pub fn to_bytes(bodies: &StoredBodies) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::encode_message(bodies, &mut bytes);
    bytes
}

/// # Errors
/// The bytes are no bodies, or of a version that this binary does not know.
pub fn from_bytes(bytes: &[u8]) -> Result<StoredBodies, codec::DecodeError> {
    codec::decode_message(bytes)
}

impl StoredBody {
    /// The text; `None` when the stored bytes are damaged.
    pub fn text(&self) -> Option<String> {
        String::from_utf8(unpack(self)?).ok()
    }
}

/// Redacts and compresses. A pure function of its arguments.
pub fn prepare(raw: &RawBodies, policy: &Policy) -> StoredBodies {
    let secrets = scrub::Secrets::of(raw.0.iter().flat_map(|body| &body.headers));
    StoredBodies { bodies: raw.0.iter().map(|body| prepare_one(body, policy, &secrets)).collect() }
}

fn prepare_one(raw: &RawBody, policy: &Policy, secrets: &scrub::Secrets) -> StoredBody {
    let cut = raw.total > raw.kept && raw.kind != Kind::Binary;
    let mut stored = StoredBody {
        part: raw.part.into(),
        kind: raw.kind.name().into(),
        headers: header::redact(&raw.headers, policy, secrets),
        total: raw.total,
        cut,
        ..StoredBody::default()
    };
    if raw.kind == Kind::Binary {
        stored.withheld = "binary".into();
        return stored;
    }
    let bytes = raw.frames.concat();
    let clean = match raw.kind {
        Kind::Events => sse::redact(&bytes, policy, cut),
        kind => text(&bytes, kind == Kind::Json, policy),
    };
    if !clean.complete {
        stored.withheld = "unreadable".into();
    }
    pack::pack(secrets.scrub(clean.text, cut || !clean.complete), &mut stored);
    stored
}

/// Text with the paths taken out; `complete` is false where the rest could not be looked into and is not there.
struct Clean {
    text: String,
    complete: bool,
}

/// What looks like JSON is read as JSON, whatever it is called.
fn text(bytes: &[u8], json: bool, policy: &Policy) -> Clean {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if json || matches!(first, Some(b'{' | b'[')) {
        return json::redact(bytes, policy);
    }
    Clean { text: String::from_utf8_lossy(bytes).into_owned(), complete: true }
}
