//! A record as the object that the logs API shows. Pure: who may see what is decided by who calls, who leaves the bodies out for
//! those who may not see them.

mod detail;
mod metrics;
mod parts;

use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_core::clock::rfc3339_text;

use crate::body::StoredBodies;
use crate::record::RequestRecord;

pub use detail::{AttemptLine, Detail};
pub use metrics::{Figures, Metrics};

/// Times are milliseconds, costs cents. Members that are `None` are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogObject {
    /// A UUID, see [`crate::RecordId::uuid`].
    #[serde(rename = "_id")]
    pub log_id: String,
    /// The same again: clients ask for either.
    pub id: String,
    #[serde(rename = "organisation_id")]
    pub organisation_id: String,
    /// `2026-03-09T07:55:25.000Z`
    #[serde(rename = "created_at")]
    pub created_at: String,
    pub request: Asked,
    pub response: Answered,
    pub metrics: Metrics,
    /// What went to the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transformed_request: Option<Message>,
    /// What the provider answered, before translation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_response: Option<Message>,
    /// What Portkey's object has no place for.
    pub tidegate: Detail,
}

/// Header names and values, in their order. Credentials were masked before they were stored.
pub type Headers = serde_json::Map<String, serde_json::Value>;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    pub url: String,
    pub method: String,
    /// Empty when no bodies were kept: headers are kept with them.
    pub portkey_headers: Headers,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    pub status: u16,
    pub response_time: u64,
    /// `config.targets[0]`; `config` when there is no list of targets.
    pub last_used_option_json_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Headers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Message {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    pub headers: Headers,
    /// JSON where the body is a whole JSON text, else a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
}

/// The log object. Without `bodies` there are no headers and no bodies in it.
pub fn log_object(record: &RequestRecord, bodies: Option<&StoredBodies>) -> LogObject {
    // What was to be kept out of sight is not shown, should it be there.
    let bodies = bodies.filter(|_| !record.private);
    let (request, response) = (parts::of(bodies, "request"), parts::of(bodies, "response"));
    let (sent, received) = (parts::of(bodies, "sent"), parts::of(bodies, "received"));
    let last = record.attempts.last();
    let url = metrics::url(record);
    let target = last.map_or("", |attempt| &*attempt.target);
    let id = record.id();
    LogObject {
        log_id: id.uuid(),
        id: id.uuid(),
        organisation_id: record.who.organisation.to_string(),
        created_at: rfc3339_text(id.unix_ms()),
        request: Asked {
            url: url.clone(),
            method: record.method.to_string(),
            portkey_headers: request.map(parts::portkey_headers).unwrap_or_default(),
            headers: request.map(parts::headers),
            body: request.and_then(parts::body),
        },
        response: Answered {
            status: record.status,
            response_time: record.timing.total_us / 1_000,
            last_used_option_json_path: if target.is_empty() {
                "config".into()
            } else {
                format!("config.{target}")
            },
            headers: response.map(parts::headers),
            body: response.and_then(parts::body),
        },
        metrics: Metrics::of(record),
        transformed_request: sent.map(|sent| Message {
            url: Some(url),
            method: Some(record.method.to_string()),
            status: None,
            headers: parts::headers(sent),
            body: parts::body(sent),
        }),
        original_response: received.map(|received| Message {
            url: None,
            method: None,
            status: last.and_then(|attempt| attempt.status),
            headers: parts::headers(received),
            body: parts::body(received),
        }),
        tidegate: Detail::of(record, bodies),
    }
}
