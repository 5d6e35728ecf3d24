//! The file of a job: which logs are in it, and each as a line of JSON or as a row. Reads block.

use std::str::FromStr;

use bytes::Bytes;
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use tidegate_parquet::{Cell, Column, Kind, ParquetError, Writer};
use tidegate_records::log::Metrics;
use tidegate_records::{Filter, ReadError, Reader, RecordId, RequestRecord, log_object};
use tidegate_store::entity::ExportFormat;

use super::fields;

/// Records of one read. Bodies are large: of those that have them, fewer.
const AT_ONCE: usize = 500;
const AT_ONCE_WITH_BODIES: usize = 25;

/// What is exported.
#[derive(Debug)]
pub(super) struct Wants {
    pub(super) filter: Filter,
    /// As they were asked for.
    pub(super) fields: Vec<String>,
    pub(super) format: ExportFormat,
    /// Slug.
    pub(super) workspace: String,
}

#[derive(Debug)]
pub(super) struct File {
    wants: Wants,
    /// `None`: lines.
    table: Option<Box<Writer>>,
}

impl File {
    /// # Errors
    /// A table without columns, or with two of one name.
    pub(super) fn new(wants: Wants) -> Result<Self, ReadError> {
        let column = |name: &String| Some(Column { name: name.clone(), kind: kind(fields::member(name)?) });
        let table = match wants.format {
            ExportFormat::Jsonl => None,
            ExportFormat::Parquet => {
                let columns: Vec<_> = wants.fields.iter().filter_map(column).collect();
                Some(Box::new(Writer::new(&columns).map_err(unwritten)?))
            }
        };
        Ok(Self { wants, table })
    }

    /// The next logs, newest first, and where those after them begin; bytes may wait for more.
    pub(super) fn read(
        &mut self,
        reader: &mut (impl Reader + ?Sized),
        before: Option<RecordId>,
    ) -> Result<(Bytes, Option<RecordId>), ReadError> {
        let with_bodies = fields::has_bodies(&self.wants.fields);
        let at_once = if with_bodies { AT_ONCE_WITH_BODIES } else { AT_ONCE };
        let page = reader.records(&self.wants.filter, before, at_once)?;
        let mut bytes = Vec::new();
        for record in &page.rows {
            let log = log(reader, record, &self.wants.workspace, with_bodies)?;
            match &mut self.table {
                None => {
                    let line = fields::line(&log, &self.wants.fields);
                    bytes.extend_from_slice(Value::Object(line).to_string().as_bytes());
                    bytes.push(b'\n');
                }
                Some(table) => {
                    let members = self.wants.fields.iter().filter_map(|field| fields::member(field));
                    let row = members.map(|member| cell(record, member, log.get(member)));
                    bytes.extend_from_slice(&table.push(row).map_err(unwritten)?);
                }
            }
        }
        Ok((bytes.into(), page.next))
    }

    /// What is left.
    pub(super) fn finish(self) -> Result<Bytes, ReadError> {
        self.table.map_or(Ok(Bytes::new()), |table| table.finish().map_err(unwritten))
    }
}

fn unwritten(error: ParquetError) -> ReadError {
    ReadError(error.to_string())
}

/// How the column of a member is to be read.
fn kind(member: &str) -> Kind {
    match member {
        "created_at" => Kind::Time,
        "is_success" => Kind::Boolean,
        "req_units" | "res_units" | "total_units" | "response_time" | "response_status_code" => Kind::Integer,
        "cost" => Kind::Decimal,
        "request" | "response" | "metadata" => Kind::Json,
        _ => Kind::Text,
    }
}

fn cell(record: &RequestRecord, member: &str, value: Option<&Value>) -> Cell {
    match (kind(member), value) {
        // Not through JSON, whose numbers are rounded and whose times are text.
        (Kind::Time, _) => Cell::Integer(record.id().unix_ms().cast_signed()),
        (Kind::Decimal, _) => cents(record).map_or(Cell::Null, Cell::Decimal),
        (_, None | Some(Value::Null)) => Cell::Null,
        (Kind::Json, Some(value)) => Cell::Text(value.to_string()),
        (Kind::Boolean, Some(value)) => value.as_bool().map_or(Cell::Null, Cell::Boolean),
        (Kind::Integer, Some(value)) => value.as_i64().map_or(Cell::Null, Cell::Integer),
        (Kind::Text, Some(Value::String(text))) => Cell::Text(text.clone()),
        (Kind::Text, Some(other)) => Cell::Text(other.to_string()),
    }
}

/// As in the log.
fn cents(record: &RequestRecord) -> Option<Decimal> {
    Decimal::from_str(&record.cost.amount).ok()?.checked_mul(Decimal::ONE_HUNDRED)
}

fn log(
    reader: &mut (impl Reader + ?Sized),
    record: &RequestRecord,
    workspace: &str,
    with_bodies: bool,
) -> Result<Map<String, Value>, ReadError> {
    let unwritten = |error: serde_json::Error| ReadError(error.to_string());
    let mut metrics = Metrics::of(record);
    workspace.clone_into(&mut metrics.workspace_slug);
    let Value::Object(mut members) = serde_json::to_value(metrics).map_err(unwritten)? else {
        return Ok(Map::new());
    };
    let metadata = record.who.metadata.iter().map(|(name, value)| (name.to_string(), Value::from(&**value)));
    members.insert("metadata".to_owned(), Value::Object(metadata.collect()));
    if with_bodies {
        let found = reader.get(record.id())?;
        let log = log_object(record, found.as_ref().and_then(|found| found.bodies.as_ref()));
        members.insert("request".to_owned(), serde_json::to_value(&log.request).map_err(unwritten)?);
        members.insert("response".to_owned(), serde_json::to_value(&log.response).map_err(unwritten)?);
    }
    Ok(members)
}
