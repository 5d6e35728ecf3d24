//! From the queue to the spool, and from the spool to the warehouse.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tidegate_core::FieldError;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout_at};

use crate::batch::Batch;
use crate::exchange::Sent;
use crate::options::SpoolOptions;
use crate::spool::Spool;
use crate::{clickhouse, s3};

/// Why records did not get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// There was no room in memory: the disk is too slow.
    QueueFull,
    /// There was no room on disk: the warehouse is too slow, or away for too long.
    SpoolFull,
    /// The disk took them not.
    SpoolFailed,
    /// They were changed on disk.
    Damaged,
    /// They are of a version that this binary does not read.
    Unreadable,
    /// The warehouse does not want them.
    Refused,
}

impl Loss {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::SpoolFull => "spool_full",
            Self::SpoolFailed => "spool_failed",
            Self::Damaged => "damaged",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }
}

/// What is heard of the way there.
#[derive(Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// So many records are in the warehouse.
    Sent(u64),
    Lost(Loss, u64),
    /// A try failed; there will be another. Why, without secrets and without anything that was sent.
    Failed(&'a str),
    /// Bytes that wait on disk.
    Spooled(u64),
}

#[derive(Debug)]
pub(crate) enum Warehouse {
    ClickHouse(clickhouse::Warehouse),
    S3(s3::Warehouse),
}

impl Warehouse {
    async fn put(&mut self, batch: &Batch) -> Sent {
        match self {
            Self::ClickHouse(warehouse) => warehouse.put(batch).await,
            Self::S3(warehouse) => warehouse.put(batch).await,
        }
    }
}

#[derive(Debug)]
pub struct Shipper {
    warehouse: Warehouse,
    options: SpoolOptions,
    spool: Shelf,
    queue: Receiver<Vec<u8>>,
    unqueued: Arc<AtomicU64>,
    /// Entries that were damaged when the spool was opened.
    damaged: u64,
}

/// The spool, for calls that block. Empty when it is closed.
#[derive(Debug, Clone)]
struct Shelf(Arc<Mutex<Option<Spool>>>);

impl Shelf {
    /// `None`: it is closed, or the call was not made.
    async fn with<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Spool) -> T + Send + 'static,
    ) -> Option<T> {
        let shelf = self.0.clone();
        let called =
            spawn_blocking(move || shelf.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(call));
        called.await.ok().flatten()
    }
}

/// How far those who fill the spool are.
#[derive(Debug, Clone, Copy, Default)]
struct Filled {
    /// Changes whenever there may be a batch more.
    news: u64,
    /// Nothing more will come.
    over: bool,
}

impl Shipper {
    pub(crate) fn open(
        warehouse: Warehouse,
        options: SpoolOptions,
        queue: Receiver<Vec<u8>>,
        unqueued: Arc<AtomicU64>,
    ) -> Result<Self, FieldError> {
        let opened = Spool::open(&options).map_err(|error: io::Error| {
            let problem = format!("{}: {error}", options.directory.display());
            FieldError::new("server.data_dir", problem, "a directory of this process alone")
        });
        let (spool, found) = opened?;
        let spool = Shelf(Arc::new(Mutex::new(Some(spool))));
        Ok(Self { warehouse, options, spool, queue, unqueued, damaged: found.damaged })
    }

    /// Until the store behind the [`crate::Tee`] is closed and everything is in the warehouse; a warehouse that is away
    /// then is tried once more, and what waits stays on disk for the next start. `tell` hears of it.
    pub async fn run(self, tell: impl Fn(Told<'_>) + Send + Sync) {
        let Self { warehouse, options, spool, queue, unqueued, damaged } = self;
        if damaged > 0 {
            tell(Told::Lost(Loss::Damaged, damaged));
        }
        let (filled, filling) = watch::channel(Filled::default());
        tokio::join!(
            fill(&spool, &options, queue, &unqueued, filled, &tell),
            ship(&spool, &options, warehouse, filling, &tell),
        );
        if let Some(spool) = spool.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            spool.close();
        }
    }
}

async fn fill(
    spool: &Shelf,
    options: &SpoolOptions,
    mut queue: Receiver<Vec<u8>>,
    unqueued: &AtomicU64,
    filled: watch::Sender<Filled>,
    tell: &(impl Fn(Told<'_>) + Sync),
) {
    /// Records of one write to disk.
    const AT_ONCE: usize = 4_096;
    let mut due: Option<Instant> = None;
    loop {
        let mut records = Vec::new();
        // Zero: the batch is due, or there will be no more.
        let count = match due {
            None => queue.recv_many(&mut records, AT_ONCE).await,
            Some(due) => timeout_at(due.into(), queue.recv_many(&mut records, AT_ONCE)).await.unwrap_or(0),
        };
        let over = count == 0 && queue.is_closed() && queue.is_empty();
        if count > 0 && count < AT_ONCE {
            // Each write waits for the disk: not one for each record.
            sleep(options.gather).await;
            while records.len() < AT_ONCE {
                let Ok(record) = queue.try_recv() else { break };
                records.push(record);
            }
        }
        lost(tell, Loss::QueueFull, unqueued.swap(0, Ordering::Relaxed));
        let written = spool
            .with(move |spool| {
                let now = Instant::now();
                let appended = spool.append(&records, now);
                if over || spool.due().is_some_and(|due| due <= now) {
                    spool.seal();
                }
                (appended, spool.due(), spool.bytes())
            })
            .await;
        let Some((appended, next, bytes)) = written else { break };
        lost(tell, Loss::SpoolFull, appended.full);
        lost(tell, Loss::SpoolFailed, appended.failed);
        tell(Told::Spooled(bytes));
        due = next;
        filled.send_modify(|filled| (filled.news, filled.over) = (filled.news + 1, over));
        if over {
            break;
        }
    }
}

async fn ship(
    spool: &Shelf,
    options: &SpoolOptions,
    mut warehouse: Warehouse,
    mut filling: watch::Receiver<Filled>,
    tell: &(impl Fn(Told<'_>) + Sync),
) {
    loop {
        let over = filling.borrow_and_update().over;
        match spool.with(Spool::oldest).await {
            Some(Ok(Some((batch, damaged)))) => {
                if !deliver(&batch, options, &mut warehouse, &mut filling, tell).await {
                    break;
                }
                lost(tell, Loss::Damaged, damaged);
                lost(tell, Loss::Unreadable, batch.unreadable);
                let bytes = spool.with(|spool| {
                    // Should the file stay, its batch is sent again under its name at the next start.
                    let _ = spool.forget_oldest();
                    spool.bytes()
                });
                tell(Told::Spooled(bytes.await.unwrap_or(0)));
            }
            Some(Ok(None)) if over => break,
            Some(Ok(None)) => {
                if filling.changed().await.is_err() {
                    break;
                }
            }
            Some(Err(error)) => {
                tell(Told::Failed(&format!("the spool cannot be read: {error}")));
                if over {
                    break;
                }
                sleep(options.pause_most).await;
            }
            None => break,
        }
    }
}

/// Tries until the batch is there, or given up. False: the gateway ends, and the batch stays where it is.
async fn deliver(
    batch: &Batch,
    options: &SpoolOptions,
    warehouse: &mut Warehouse,
    filling: &mut watch::Receiver<Filled>,
    tell: &(impl Fn(Told<'_>) + Sync),
) -> bool {
    let count = batch.records.len() as u64;
    if count == 0 {
        return true;
    }
    let (mut pause, mut refusals) = (options.pause, 0);
    loop {
        let over = filling.borrow().over || filling.has_changed().is_err();
        let after = match warehouse.put(batch).await {
            Sent::Taken => {
                tell(Told::Sent(count));
                return true;
            }
            Sent::Refused(why) => {
                refusals += 1;
                tell(Told::Failed(&why));
                if refusals >= options.refusals {
                    lost(tell, Loss::Refused, count);
                    return true;
                }
                None
            }
            Sent::Later { why, after } => {
                tell(Told::Failed(&why));
                after
            }
        };
        if over {
            return false;
        }
        tokio::select! {
            () = sleep(after.unwrap_or(pause)) => {}
            () = ended(filling) => {}
        }
        pause = (pause * 2).min(options.pause_most.max(Duration::from_millis(1)));
    }
}

/// When nothing more will come.
async fn ended(filling: &mut watch::Receiver<Filled>) {
    let _ = filling.wait_for(|filled| filled.over).await;
}

fn lost(tell: &impl Fn(Told<'_>), loss: Loss, count: u64) {
    if count > 0 {
        tell(Told::Lost(loss, count));
    }
}
