//! The threads that hold the connections.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{oneshot, watch};

use super::{Sync, connect, failed, question};
use crate::backend::Answer;
use crate::error::StoreError;

/// Commits that share a transaction at most.
const GROUP: usize = 64;

type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Does its part of the transaction and gives what is to be said once the transaction is through, or was not.
type Write = Box<dyn FnOnce(Result<&Connection, StoreError>) -> (bool, Ending) + Send>;
type Ending = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(super) struct Readers {
    queue: Sender<Read>,
    _threads: Vec<Ended>,
}
pub(super) struct Writer {
    queue: Sender<Write>,
    /// Commits are not waited for, and shall be before the next one.
    settles: Arc<AtomicBool>,
    _thread: Ended,
}

/// Waits for a thread when it is dropped, so that the connection it held is closed by then. The queue that keeps the thread
/// alive must be dropped first: fields are, in their order.
struct Ended(Option<JoinHandle<()>>);

impl Ended {
    fn when_dropped(name: &str, run: impl FnOnce() + Send + 'static) -> Result<Self, StoreError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StoreError::internal)?;
        Ok(Self(Some(thread)))
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // A panic of the thread has been told where it happened. No thread can wait for itself.
        if let Some(thread) = self.0.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl Readers {
    pub fn start(path: &Path, count: usize) -> Result<Self, StoreError> {
        // Before the queue: should a connection fail, they are waited for after it is gone.
        let mut threads = Vec::with_capacity(count);
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
            threads.push(Ended::when_dropped("store-read", run)?);
        }
        Ok(Self { queue: sender, _threads: threads })
    }

    pub fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'static, T> {
        let (answer, waiting) = oneshot::channel();
        let sent = self.queue.send(Box::new(move |connection| {
            let _ = answer.send(read(connection));
        }));
        Box::pin(async move {
            sent.map_err(|_| ended())?;
            waiting.await.map_err(|_| ended())?
        })
    }
}

impl Writer {
    /// `is_unsettled`: until [`Writer::settle`] a commit is answered before it is on the disk.
    pub fn start(
        connection: Connection,
        head: watch::Sender<u64>,
        is_unsettled: bool,
    ) -> Result<Self, StoreError> {
        let (queue, receiver) = channel::<Write>();
        let settles = Arc::new(AtomicBool::new(false));
        let due = settles.clone();
        let run = move || {
            let mut is_unsettled = is_unsettled;
            write_all(&connection, &receiver, &head, || {
                if is_unsettled && due.load(Ordering::Acquire) {
                    settle(&connection).map_err(failed)?;
                    is_unsettled = false;
                }
                Ok(())
            });
        };
        Ok(Self { queue, settles, _thread: Ended::when_dropped("store-write", run)? })
    }

    pub fn settle(&self) -> Answer<'static, ()> {
        self.settles.store(true, Ordering::Release);
        self.ask(|_| Ok(()))
    }

    /// Runs `write` in a transaction and answers when that is on the disk.
    pub fn ask<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'static, T> {
        let (answer, waiting) = oneshot::channel();
        let sent = self.queue.send(Box::new(move |connection| {
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

/// Commits wait for the disk from here on, and what was committed before is there.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    Sync::Full.set(connection)?;
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

fn write_all(
    connection: &Connection,
    receiver: &Receiver<Write>,
    head: &watch::Sender<u64>,
    mut before: impl FnMut() -> Result<(), StoreError>,
) {
    while let Ok(first) = receiver.recv() {
        let group: Vec<Write> = std::iter::once(first).chain(receiver.try_iter().take(GROUP - 1)).collect();
        let mut endings = Vec::with_capacity(group.len());
        let through = transaction(connection, group, &mut endings, &mut before);
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
    before: &mut impl FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let begun = before().and_then(|()| connection.execute_batch("BEGIN IMMEDIATE").map_err(failed));
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
