//! Requests for a given time: as fast as the answers come, or at a fixed rate.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::answer::fetch;
use crate::summary::Summary;
use crate::target::Target;

/// When the requests are due.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection sends its next request when it has its answer.
    Closed,
    /// So many a second in all, at equal distances. A connection that is behind sends at once.
    PerSecond(f64),
}

/// Sends requests over so many connections; those begun in time are read to their end.
///
/// # Errors
/// A connection cannot be opened.
pub(crate) async fn run(
    target: &Arc<Target>,
    connections: u32,
    time: Duration,
    pace: Pace,
) -> Result<Summary, Box<dyn Error>> {
    let mut senders = Vec::new();
    for _ in 0..connections {
        senders.push(target.connect().await?);
    }
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for (i, sender) in (0..connections).zip(senders) {
        let times = match pace {
            Pace::Closed => Times::Free,
            Pace::PerSecond(rate) => {
                let step = Duration::from_secs_f64(f64::from(connections) / rate);
                Times::Fixed { due: start + step * i / connections, step }
            }
        };
        workers.spawn(work(Arc::clone(target), sender, times, start + time));
    }
    let mut summary = Summary::default();
    while let Some(worker) = workers.join_next().await {
        summary.add(worker?);
    }
    summary.time = start.elapsed();
    Ok(summary)
}

enum Times {
    Free,
    Fixed { due: Instant, step: Duration },
}

impl Times {
    /// Waits for the moment the next request is due.
    async fn next(&mut self) -> Instant {
        match self {
            Self::Free => Instant::now(),
            Self::Fixed { due, step } => {
                let now = *due;
                *due += *step;
                sleep_until(now.into()).await;
                now
            }
        }
    }
}

/// One connection's requests until `stop`. After a failure it goes on with a new connection.
async fn work(
    target: Arc<Target>,
    mut sender: SendRequest<Full<Bytes>>,
    mut times: Times,
    stop: Instant,
) -> Summary {
    let mut summary = Summary::default();
    loop {
        let due = times.next().await;
        if due >= stop {
            return summary;
        }
        match fetch(&mut sender, &target, due).await {
            Ok(answer) => summary.answered(&answer),
            Err(error) => {
                summary.failed(error);
                match target.connect().await {
                    Ok(fresh) => sender = fresh,
                    Err(_) => return summary,
                }
            }
        }
    }
}
