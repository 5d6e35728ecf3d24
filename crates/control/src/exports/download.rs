//! The download of a job: parts are read and written one after the other, as fast as they are taken.

use bytes::Bytes;
use tidegate_records::RecordId;
use tokio::sync::mpsc::Sender;

use super::file::{File, Wants};
use crate::body::{BrokenOff, Flow};
use crate::problem::Problem;
use crate::records::Records;

/// # Errors
/// Fields that make no file.
pub(super) fn start(records: Option<Records>, wants: Wants) -> Result<Flow, Problem> {
    let file = File::new(wants).map_err(|error| Problem::internal(error.0))?;
    let (sender, flow) = Flow::new();
    tokio::spawn(async move {
        // Whoever reads has left: nothing more is made.
        let _ = make(records, file, &sender).await;
    });
    Ok(flow)
}

async fn make(
    records: Option<Records>,
    mut file: File,
    to: &Sender<Result<Bytes, BrokenOff>>,
) -> Result<(), Gone> {
    let mut before: Option<RecordId> = None;
    if let Some(records) = records {
        loop {
            // Each part is a turn of its own, so that a slow download holds no reader.
            let part = records.ask(move |reader| file.read(reader, before).map(|part| (file, part))).await;
            let Ok((back, (bytes, next))) = part else { return send(to, Err(BrokenOff)).await };
            file = back;
            if !bytes.is_empty() {
                send(to, Ok(bytes)).await?;
            }
            before = next;
            if before.is_none() {
                break;
            }
        }
    }
    let rest = file.finish().map_err(|_| BrokenOff);
    if rest.as_ref().is_ok_and(Bytes::is_empty) { Ok(()) } else { send(to, rest).await }
}

/// Nobody reads any more.
struct Gone;

async fn send(to: &Sender<Result<Bytes, BrokenOff>>, part: Result<Bytes, BrokenOff>) -> Result<(), Gone> {
    to.send(part).await.map_err(|_| Gone)
}
