//! The threads that hold the connections.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{oneshot, watch};

use super::{connect, failed, question};
use crate::backend::Answer;
use crate::error::StoreError;

/// Commits that share a transaction at most.
const GROUP: usize = 64;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Does its part of the transaction and gives what is to be said once the transaction is through, or was not.
type Write = Box<dyn FnOnce(Result<&Connection, StoreError>) -> (bool, Ending) + Send>;
type Ending = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(super) struct Readers(Sender<Read>);
pub(super) struct Writer(Sender<Write>);

impl Readers {
    pub fn start(path: &Path, count: usize) -> Result<Self, StoreError> {
        let (sender, receiver) = channel::<Read>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..count {
            let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let receiver = receiver.clone();
            let run = move || {
                loop {
                    // The lock is held while waiting: one thread waits for work, the others for the lock.
                    let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match next {
                        Ok(read) => read(&connection),
                        Err(_) => return,
                    }
                }
            };
            thread::Builder::new().name("store-read".to_owned()).spawn(run).map_err(StoreError::internal)?;
        }
        Ok(Self(sender))
    }

    pub fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'static, T> {
        let (answer, waiting) = oneshot::channel();
        let sent = self.0.send(Box::new(move |connection| {
            let _ = answer.send(read(connection));
        }));
        Box::pin(async move {
            sent.map_err(|_| ended())?;
            waiting.await.map_err(|_| ended())?
        })
    }
}

impl Writer {
    pub fn start(connection: Connection, head: watch::Sender<u64>) -> Result<Self, StoreError> {
        let (sender, receiver) = channel::<Write>();
        let run = move || write_all(&connection, &receiver, &head);
        thread::Builder::new().name("store-write".to_owned()).spawn(run).map_err(StoreError::internal)?;
        Ok(Self(sender))
    }

    /// Runs `write` in a transaction and answers when that is on the disk.
    pub fn ask<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'static, T> {
        let (answer, waiting) = oneshot::channel();
        let sent = self.0.send(Box::new(move |connection| {
            let outcome = connection.and_then(write);
            let keep = outcome.is_ok();
            let ending: Ending = Box::new(move |through| {
                let _ = answer.send(through.and(outcome));
            });
            (keep, ending)
        }));
        Box::pin(async move {
            sent.map_err(|_| ended())?;
            waiting.await.map_err(|_| ended())?
        })
    }
}

fn ended() -> StoreError {
    StoreError::away("the database's thread has ended")
}

fn write_all(connection: &Connection, receiver: &Receiver<Write>, head: &watch::Sender<u64>) {
    while let Ok(first) = receiver.recv() {
        let group: Vec<Write> = std::iter::once(first).chain(receiver.try_iter().take(GROUP - 1)).collect();
        let mut endings = Vec::with_capacity(group.len());
        let through = transaction(connection, group, &mut endings);
        if through.is_ok()
            && let Ok(latest) = question::change_head(connection)
        {
            head.send_if_modified(|known| std::mem::replace(known, latest) != latest);
        }
        for ending in endings {
            ending(through.clone());
        }
    }
}

/// One transaction with a savepoint for each: a write that fails takes nobody with it.
fn transaction(
    connection: &Connection,
    group: Vec<Write>,
    endings: &mut Vec<Ending>,
) -> Result<(), StoreError> {
    let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(failed);
    if let Err(error) = &begun {
        endings.extend(group.into_iter().map(|write| write(Err(error.clone())).1));
        return begun;
    }
    let work = |connection: &Connection| -> rusqlite::Result<()> {
        for write in group {
            connection.execute_batch("SAVEPOINT one")?;
            let (keep, ending) = write(Ok(connection));
            endings.push(ending);
            connection.execute_batch(if keep { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" })?;
        }
        connection.execute_batch("COMMIT")
    };
    work(connection).map_err(|error| {
        // The failure may have ended the transaction already.
        let _ = connection.execute_batch("ROLLBACK");
        failed(error)
    })
}
