//! Batches as objects of S3.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, Method, Request};
use tidegate_core::{Clock, FieldError};
use tidegate_parquet::{ParquetError, Writer};
use tidegate_records::RequestRecord;
use tidegate_upstream::sign::{self, Scheme, SigV4};
use tidegate_upstream::{Egress, OutBody};

use crate::batch::Batch;
use crate::exchange::{self, Sent, ask};
use crate::line;
use crate::options::{Format, S3};
use crate::row::{MEMBERS, columns};

pub(crate) struct Warehouse {
    options: S3,
    /// With the bucket and the prefix, and a slash at the end.
    base: String,
    scheme: Scheme,
    egress: Egress,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Warehouse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3({})", self.base)
    }
}

impl Warehouse {
    pub(crate) fn new(options: &S3, egress: Egress, clock: Arc<dyn Clock>) -> Result<Self, FieldError> {
        let is_plain = |text: &str, more: &[u8]| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        let wrong = |field: &str, expected: &str| {
            Err(FieldError::new(field, "has characters that are not taken here", expected))
        };
        if options.bucket.is_empty() || !is_plain(&options.bucket, b"-._") {
            return wrong("sinks.s3.bucket", "a name of letters, digits, -, . and _");
        }
        // As they stand in the URL, and are signed: what needs no encoding.
        if !is_plain(&options.prefix, b"-._/=") {
            return wrong("sinks.s3.prefix", "letters, digits, -, ., _, = and / between them");
        }
        if options.region.is_empty() || !is_plain(&options.region, b"-") {
            return wrong("sinks.s3.region", "a region such as eu-central-1");
        }
        let endpoint = exchange::base("sinks.s3.endpoint", &options.endpoint)?;
        let prefix = options.prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let base = format!("{endpoint}/{}/{prefix}{slash}", options.bucket);
        let scheme = Scheme::SigV4(SigV4 {
            access_key_id: options.access_key_id.as_str().into(),
            session_token: options.session_token.clone(),
            region: options.region.as_str().into(),
            service: "s3".into(),
        });
        Ok(Self { options: options.clone(), base, scheme, egress, clock })
    }

    pub(crate) async fn put(&mut self, batch: &Batch) -> Sent {
        let (ending, media, body) = match self.options.format {
            Format::Jsonl => ("jsonl.gz", "application/gzip", line::packed(&batch.records)),
            Format::Parquet => ("parquet", "application/vnd.apache.parquet", table(&batch.records)),
        };
        let body = match body {
            Ok(body) => Bytes::from(body),
            Err(why) => return Sent::Refused(why),
        };
        let request = Request::builder()
            .method(Method::PUT)
            .uri(format!("{}day={}/{}.{ending}", self.base, batch.day, batch.name))
            .header(CONTENT_TYPE, media)
            .header(USER_AGENT, concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .body(());
        let mut parts = match request {
            Ok(request) => request.into_parts().0,
            Err(error) => return Sent::later(error.to_string()),
        };
        let key = &self.options.secret_access_key;
        let pieces = [body.clone()];
        if let Err(error) = sign::apply(&self.scheme, key, &mut parts, Some(&pieces), || self.clock.unix_ms())
        {
            return Sent::later(error.to_string());
        }
        let request = Request::from_parts(parts, OutBody::full(body));
        ask(&self.egress, request, self.options.timeout, code).await
    }
}

fn table(records: &[RequestRecord]) -> Result<Vec<u8>, String> {
    file(records).map_err(|error| error.to_string())
}

fn file(records: &[RequestRecord]) -> Result<Vec<u8>, ParquetError> {
    let (mut writer, mut file) = (Writer::new(&columns())?, Vec::new());
    for record in records {
        file.extend_from_slice(&writer.push(MEMBERS.iter().map(|member| (member.of)(record)))?);
    }
    file.extend_from_slice(&writer.finish()?);
    Ok(file)
}

/// The word of an error, from `<Error><Code>NoSuchBucket</Code>…`.
fn code(_: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_word = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_word() {
        let of = |text: &str| code(&HeaderMap::new(), text.as_bytes());
        let body = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>x</Message></Error>";
        assert_eq!(of(body).as_deref(), Some("NoSuchBucket"));
        for text in ["", "<Code>", "<Code>a b</Code>", "<Code>&lt;</Code>"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
