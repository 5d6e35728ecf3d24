//! The pipe as its users see it.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tidegate_core::Clock;

use crate::body::{Keep, Policy, RawBodies};
use crate::codec;
use crate::counts::Stats;
use crate::journal::{Disk, Journal, RealDisk};
use crate::options::Options;
use crate::queue::Queue;
use crate::record::RequestRecord;
use crate::sink::Sink;
use crate::text::Text;
use crate::writer::Writer;

/// Takes records from any thread and sees that they become rows. Clones share it.
#[derive(Debug, Clone)]
pub struct Pipe(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Arc<Queue>,
    policy: Policy,
    thread: std::sync::Mutex<Option<JoinHandle<()>>>,
}

/// The journal's directory or the thread could not be had.
#[derive(Debug)]
pub struct StartError(io::Error);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request records cannot be kept: {}", self.0)
    }
}

impl std::error::Error for StartError {}

impl Pipe {
    /// Opens the journal and starts the writer, which brings what an earlier process left to `sink`.
    ///
    /// # Errors
    /// [`StartError`]. A store that is away is none.
    pub fn start(options: Options, sink: Box<dyn Sink>, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        Self::start_on(options, sink, clock, Box::new(RealDisk))
    }

    /// As [`Pipe::start`], with another way to make files.
    ///
    /// # Errors
    /// As [`Pipe::start`].
    pub fn start_on(
        options: Options,
        sink: Box<dyn Sink>,
        clock: Arc<dyn Clock>,
        disk: Box<dyn Disk>,
    ) -> Result<Self, StartError> {
        let (journal, found) = Journal::open(options.journal.clone(), disk).map_err(StartError)?;
        let mut stats = Stats {
            recovered: found.entries + found.damaged,
            journaled: found.entries,
            journal_bytes: journal.bytes(),
            torn: found.torn,
            unclean_start: found.unclean,
            ..Stats::default()
        };
        stats.dropped.damaged = found.damaged;
        let queue = Arc::new(Queue::new(&options, stats));
        let policy = options.bodies.clone();
        let writer = Writer::new(queue.clone(), journal, sink, clock, options);
        let thread = std::thread::Builder::new()
            .name("records".into())
            .spawn(move || writer.run())
            .map_err(StartError)?;
        Ok(Self(Arc::new(Shared { queue, policy, thread: std::sync::Mutex::new(Some(thread)) })))
    }

    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Puts a record into the queue. False: it was dropped, and counted. Encodes into a buffer of the calling thread and
    /// copies that under a lock; never waits for a disk. Bodies that the policy does not want go at once.
    pub fn push(&self, record: &RequestRecord, bodies: Option<RawBodies>) -> bool {
        self.push_as(record, bodies, self.0.policy.keep)
    }

    /// As [`Pipe::push`], for somebody who has a rule of his own about whose bodies are kept.
    pub fn push_as(&self, record: &RequestRecord, bodies: Option<RawBodies>, keep: Keep) -> bool {
        thread_local! {
            static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let bodies = bodies.filter(|bodies| !bodies.is_empty() && keep.wants(record)).map(Box::new);
        BYTES.with_borrow_mut(|bytes| {
            bytes.clear();
            bytes.shrink_to(64 * 1024);
            match query_start(record) {
                // Query strings carry keys.
                Some(at) => {
                    let path = Text::from(record.path[..at].to_owned());
                    codec::encode(&RequestRecord { path, ..record.clone() }, bytes);
                }
                None => codec::encode(record, bytes),
            }
            self.0.queue.push(bytes, bodies)
        })
    }

    /// Whether so many records of so many bytes, bodies included, would find room now: for those who would rather say so
    /// than lose some.
    pub fn has_room(&self, records: u64, bytes: u64) -> bool {
        self.0.queue.has_room(records, bytes)
    }

    /// Counts what was refused for want of room before it was pushed.
    pub fn turn_away(&self, records: u64) {
        self.0.queue.with_stats(|stats| stats.turned_away += records);
    }

    /// Waits until every record that was pushed before has found its place, for those who read the store: they find what was
    /// answered. The writer does not let them gather then. Blocks. False: not within `patience`, or the store is away.
    pub fn caught_up(&self, patience: Duration) -> bool {
        self.0.queue.caught_up(patience)
    }

    /// Figures of one moment; they add up.
    pub fn stats(&self) -> Stats {
        self.0.queue.lock().stats
    }

    /// Ends the writer: until the deadline what waits goes to the store, then to the journal, and what the journal does not
    /// take is dropped. Returns soon after the deadline, also when the store hangs: what is then still in its hands is
    /// `queued` in the figures.
    pub fn close(&self, deadline: Duration) -> Stats {
        /// The journal's share of the way out.
        const GRACE: Duration = Duration::from_secs(2);
        let queue = &self.0.queue;
        queue.close(Instant::now() + deadline);
        let state = queue.lock();
        let (state, late) = queue
            .done
            .wait_timeout_while(state, deadline + GRACE, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        let stats = state.stats;
        drop(state);
        if !late.timed_out() {
            let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(thread) = thread {
                // It said that it ended; a panic after that changes nothing.
                let _ = thread.join();
                return queue.lock().stats;
            }
        }
        stats
    }
}

fn query_start(record: &RequestRecord) -> Option<usize> {
    memchr::memchr(b'?', record.path.as_bytes())
}
