//! Hearing of what other replicas committed, so that they are followed within milliseconds and not within a poll.

use std::future::{pending, poll_fn};
use std::time::Duration;

use tidegate_postgres::Server;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Error};

use super::question::at;
use crate::row::natural;
use crate::sql;

/// Between attempts to connect again. Until then those who follow poll on their timers.
const PAUSE: Duration = Duration::from_secs(1);

/// Ends when it is dropped.
pub(super) struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listener {
    pub fn start(server: Server, head: watch::Sender<u64>) -> Self {
        Self(tokio::spawn(async move {
            loop {
                // Why it ended is told to those who ask for something.
                drop(listen(&server, &head).await);
                tokio::time::sleep(PAUSE).await;
            }
        }))
    }
}

/// Notes that there are changes up to `seq`.
pub(super) fn raise(head: &watch::Sender<u64>, seq: u64) {
    head.send_if_modified(|known| {
        let newer = seq > *known;
        *known = seq.max(*known);
        newer
    });
}

async fn listen(server: &Server, head: &watch::Sender<u64>) -> Result<(), Error> {
    let (client, mut connection) = server.connect().await?;
    let hear = async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(told) = message?
                && let Ok(seq) = told.payload().parse()
            {
                raise(head, seq);
            }
        }
        Ok(())
    };
    let ask = async {
        client.batch_execute(sql::LISTEN).await?;
        // What was committed before it listened.
        let row = client.query_one(sql::COUNTER, &[&"change"]).await?;
        raise(head, at(&row, 0).map_or(0, natural));
        // The connection ends with the client, so the client stays.
        pending().await
    };
    tokio::select! {
        outcome = hear => outcome,
        outcome = ask => outcome,
    }
}
