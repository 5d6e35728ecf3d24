//! Batches as inserts into a table of ClickHouse, over its HTTP interface.

use std::fmt::Write as _;

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request};
use tidegate_core::FieldError;
use tidegate_parquet::Kind;
use tidegate_upstream::sign::{self, Scheme};
use tidegate_upstream::{Egress, OutBody};

use crate::batch::Batch;
use crate::exchange::{self, Sent, ask};
use crate::line;
use crate::options::ClickHouse;
use crate::row::MEMBERS;

const USER: HeaderName = HeaderName::from_static("x-clickhouse-user");
const KEY: HeaderName = HeaderName::from_static("x-clickhouse-key");
const CODE: HeaderName = HeaderName::from_static("x-clickhouse-exception-code");

/// Blocks of inserts whose token the table remembers: what comes again after more than that is doubled until rows of one
/// id are merged.
const REMEMBERED: u32 = 1_000;

pub(crate) struct Warehouse {
    options: ClickHouse,
    base: String,
    user: HeaderValue,
    egress: Egress,
    /// The table is there: this process made it, or found it.
    ready: bool,
}

impl std::fmt::Debug for Warehouse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClickHouse({})", self.base)
    }
}

impl Warehouse {
    pub(crate) fn new(options: &ClickHouse, egress: Egress) -> Result<Self, FieldError> {
        for (field, name) in
            [("sinks.clickhouse.database", &options.database), ("sinks.clickhouse.table", &options.table)]
        {
            let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_name || name.is_empty() {
                return Err(FieldError::new(field, "is no name", "letters, digits and _"));
            }
        }
        let base = exchange::base("sinks.clickhouse.url", &options.url)?;
        let user = HeaderValue::from_str(&options.user).map_err(|_| {
            FieldError::new(
                "sinks.clickhouse.user",
                "has characters that no header has",
                "letters and digits",
            )
        })?;
        Ok(Self { options: options.clone(), base, user, egress, ready: false })
    }

    pub(crate) async fn put(&mut self, batch: &Batch) -> Sent {
        if !self.ready {
            match self.query(&create_table(&self.options), &[], None).await {
                Sent::Taken => self.ready = true,
                // It is not about the batch.
                Sent::Refused(why) | Sent::Later { why, .. } => {
                    return Sent::later(format!("the table cannot be made: {why}"));
                }
            }
        }
        let rows = match line::packed(&batch.records) {
            Ok(rows) => rows,
            Err(why) => return Sent::Refused(why),
        };
        let settings = [
            // The same block again is not inserted again.
            ("insert_deduplicate", "1"),
            ("insert_deduplication_token", batch.name.as_str()),
            ("async_insert", "0"),
            ("date_time_input_format", "best_effort"),
            // A table of an older version takes what it has columns for.
            ("input_format_skip_unknown_fields", "1"),
        ];
        let insert = format!("INSERT INTO {} FORMAT JSONEachRow", self.table());
        self.query(&insert, &settings, Some(rows.into())).await
    }

    fn table(&self) -> String {
        format!("`{}`.`{}`", self.options.database, self.options.table)
    }

    /// A query: with rows in the body, or alone in it.
    async fn query(&self, query: &str, settings: &[(&str, &str)], rows: Option<Bytes>) -> Sent {
        match self.request(query, settings, rows) {
            Ok(request) => ask(&self.egress, request, self.options.timeout, code).await,
            Err(why) => Sent::later(why),
        }
    }

    fn request(
        &self,
        query: &str,
        settings: &[(&str, &str)],
        rows: Option<Bytes>,
    ) -> Result<Request<OutBody>, String> {
        let mut pairs = Serializer::new(String::new());
        // The status is known when everything is done, and not before.
        pairs.append_pair("wait_end_of_query", "1");
        pairs.extend_pairs(settings);
        if rows.is_some() {
            pairs.append_pair("query", query);
        }
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/?{}", self.base, pairs.finish()))
            .header(USER, self.user.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(USER_AGENT, concat!("tidegate/", env!("CARGO_PKG_VERSION")));
        let body = match rows {
            None => Bytes::from(query.to_owned()),
            Some(rows) => {
                request = request.header(CONTENT_ENCODING, "gzip");
                rows
            }
        };
        let request = request.body(OutBody::full(body)).map_err(|error| error.to_string())?;
        let (mut parts, body) = request.into_parts();
        if let Some(password) = self.options.password.as_ref().filter(|password| !password.is_empty()) {
            let scheme = Scheme::Header { name: KEY, prefix: "".into() };
            sign::apply(&scheme, password, &mut parts, None, || 0).map_err(|error| error.to_string())?;
        }
        Ok(Request::from_parts(parts, body))
    }
}

/// Its number of an error. Its text may quote rows.
fn code(headers: &HeaderMap, _: &[u8]) -> Option<String> {
    let code = headers.get(CODE)?.to_str().ok()?;
    code.parse::<u32>().ok().map(|code| format!("ClickHouse code {code}"))
}

/// Rows of one id become one when parts are merged: what a token could not keep away is gone then.
fn create_table(options: &ClickHouse) -> String {
    let mut columns = String::new();
    for member in MEMBERS {
        let kind = match (member.kind, member.few) {
            (Kind::Text, true) => "LowCardinality(String)",
            (Kind::Text, false) => "String",
            (Kind::Json, _) => "Map(LowCardinality(String), String)",
            (Kind::Boolean, _) => "Bool",
            (Kind::Integer, _) => "Nullable(Int64)",
            (Kind::Time, _) => "DateTime64(3, 'UTC')",
            (Kind::Decimal, _) => "Nullable(Decimal(38, 18))",
        };
        let comma = if columns.is_empty() { "" } else { ", " };
        let _ = write!(columns, "{comma}`{}` {kind}", member.name);
    }
    format!(
        "CREATE TABLE IF NOT EXISTS `{}`.`{}` ({columns}) ENGINE = ReplacingMergeTree \
         PARTITION BY toYYYYMM(time) ORDER BY (organisation, workspace, time, id) \
         SETTINGS non_replicated_deduplication_window = {REMEMBERED}",
        options.database, options.table
    )
}
