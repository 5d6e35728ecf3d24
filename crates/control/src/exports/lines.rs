//! The logs of a job: which they are, and each as a line of JSON. Reads block.

use serde_json::{Map, Value};
use tidegate_records::log::Metrics;
use tidegate_records::{Filter, ReadError, Reader, RequestRecord, log_object};

use super::fields;

/// Logs of one job.
pub(super) const MOST: u64 = 50_000;
/// Bytes of one download: what is beyond is told as cut.
const LARGEST: usize = 256 << 20;
/// Records of one read.
const AT_ONCE: usize = 500;

/// The lines, newest first, up to the first that finds no room.
pub(super) fn all(
    reader: &mut dyn Reader,
    filter: &Filter,
    fields: &[String],
    workspace: &str,
) -> Result<String, ReadError> {
    let with_bodies = fields::has_bodies(fields);
    let (mut text, mut before, mut count) = (String::new(), None, 0);
    loop {
        let page = reader.records(filter, before, AT_ONCE)?;
        for record in &page.rows {
            let line = fields::line(&log(reader, record, workspace, with_bodies)?, fields);
            let line = Value::Object(line).to_string();
            if count == MOST || text.len() + line.len() >= LARGEST {
                return Ok(text);
            }
            text.push_str(&line);
            text.push('\n');
            count += 1;
        }
        before = page.next;
        if before.is_none() {
            return Ok(text);
        }
    }
}

fn log(
    reader: &mut dyn Reader,
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
