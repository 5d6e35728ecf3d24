//! One request and its answer, timed and checked.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use memchr::{memchr_iter, memmem};
use tidegate_bench::answers::MARK;

use crate::target::Target;

/// Bytes of an answer's end that are kept to look for the expected tail.
const TAIL: usize = 512;

/// A right answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// From the moment the request was due to the first chunk with a mark, and to the end of the body. What a
    /// provider sends before its first content (a role) does not count: Tidegate waits for the content, since
    /// an error in its place is still one that another target can answer.
    pub(crate) first_chunk: Duration,
    pub(crate) whole: Duration,
    pub(crate) marks: usize,
    /// Pieces in which the body arrived.
    pub(crate) reads: usize,
}

/// What was read of a body.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) marks: usize,
    pub(crate) reads: usize,
    tail: Vec<u8>,
}

/// Sends one request that was due at `due` and reads its answer to the end.
///
/// # Errors
/// The connection broke, or the answer is not right; a sentence says which.
pub(crate) async fn fetch(
    sender: &mut SendRequest<Full<Bytes>>,
    target: &Target,
    due: Instant,
) -> Result<Answer, String> {
    let mut body = begin(sender, target).await?;
    let mut progress = Progress::default();
    let mut first_chunk = None;
    while progress.read(&mut body).await? {
        if progress.marks > 0 {
            first_chunk.get_or_insert_with(|| due.elapsed());
        }
    }
    progress.check(target)?;
    let whole = due.elapsed();
    let first_chunk = first_chunk.unwrap_or(whole);
    Ok(Answer { first_chunk, whole, marks: progress.marks, reads: progress.reads })
}

/// Sends one request and reads the head of its answer.
///
/// # Errors
/// As [`fetch`].
pub(crate) async fn begin(
    sender: &mut SendRequest<Full<Bytes>>,
    target: &Target,
) -> Result<Incoming, String> {
    sender.ready().await.map_err(|error| format!("the connection is closed: {error}"))?;
    let response =
        sender.send_request(target.request()).await.map_err(|error| format!("no answer: {error}"))?;
    if response.status() == StatusCode::OK {
        return Ok(response.into_body());
    }
    let status = response.status();
    let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Err(format!("status {status}: {}", String::from_utf8_lossy(&body)))
}

impl Progress {
    /// Reads the next piece; `false` at the end.
    pub(crate) async fn read(&mut self, body: &mut Incoming) -> Result<bool, String> {
        let Some(frame) = body.frame().await else { return Ok(false) };
        let frame = frame.map_err(|error| format!("the answer broke off: {error}"))?;
        if let Some(data) = frame.data_ref() {
            self.reads += 1;
            self.marks += memchr_iter(MARK, data).count();
            self.tail.extend_from_slice(&data[data.len().saturating_sub(TAIL)..]);
            self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        }
        Ok(true)
    }

    fn check(&self, target: &Target) -> Result<(), String> {
        if self.marks != target.marks {
            return Err(format!("{} marks in place of {}", self.marks, target.marks));
        }
        if memmem::find(&self.tail, target.tail.as_bytes()).is_none() {
            return Err(format!("the end is {:?}", String::from_utf8_lossy(&self.tail)));
        }
        Ok(())
    }
}
