//! A store in memory that can be told to fail, a disk that fills up, records to push.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidegate_core::{Clock, ServiceTier, SystemClock, Usage};

use crate::journal::{Disk, RealDisk, SegmentFile};
use crate::record::{Bytes, Span, Timing, Who};
use crate::{
    Attempt, Batch, Cost, IdSource, Options, Pipe, RequestRecord, Sink, SinkError, Stats, StoredBodies,
    Written,
};

/// A directory that goes when the test is over.
#[derive(Debug)]
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let name = tidegate_core::id::random("tidegate-records-", 16);
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn options(directory: &Path) -> Options {
    let mut options = Options::new(directory);
    options.gather = Duration::from_millis(1);
    options.retry = Duration::from_millis(1);
    options.retry_most = Duration::from_millis(4);
    options.journal.sync = false;
    options
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// A record as encoded, and its bodies.
type Kept = (Vec<u8>, Option<StoredBodies>);

#[derive(Debug, Default)]
pub struct Shelf {
    pub rows: Mutex<BTreeMap<u64, Kept>>,
    pub away: AtomicBool,
    /// Ids that are refused for good.
    pub refused: Mutex<BTreeSet<u64>>,
    /// Fails every so many calls, after it has stored the batch: the answer got lost.
    pub forgetful: AtomicU32,
    pub calls: AtomicU32,
    pub panics: AtomicBool,
}

/// The store's end of a [`Shelf`].
#[derive(Debug)]
pub struct ShelfSink(pub Arc<Shelf>);

impl Sink for ShelfSink {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        let call = self.0.calls.fetch_add(1, Ordering::Relaxed);
        assert!(!self.0.panics.load(Ordering::Relaxed), "as told");
        if self.0.away.load(Ordering::Relaxed) {
            return Err(SinkError::Away("told so".into()));
        }
        let refused = self.0.refused.lock().unwrap();
        if batch.iter().any(|entry| refused.contains(&entry.facts.id.bits())) {
            return Err(SinkError::Refused("told so".into()));
        }
        let mut rows = self.0.rows.lock().unwrap();
        let mut written = Written::default();
        for entry in batch {
            match rows.get(&entry.facts.id.bits()) {
                Some((there, _)) if there == entry.encoded => written.known += 1,
                Some(_) => written.clashed += 1,
                None => {
                    rows.insert(entry.facts.id.bits(), (entry.encoded.to_vec(), entry.bodies.cloned()));
                    written.new += 1;
                }
            }
        }
        let every = self.0.forgetful.load(Ordering::Relaxed);
        if every != 0 && call.is_multiple_of(every) {
            return Err(SinkError::Away("stored, but did not say so".into()));
        }
        Ok(written)
    }
}

/// A disk with so many bytes left; files that were made there share them.
#[derive(Debug, Clone)]
pub struct SmallDisk {
    pub left: Arc<AtomicI64>,
    /// Cutting back fails too.
    pub stuck: Arc<AtomicBool>,
    pub panics: Arc<AtomicBool>,
}

impl SmallDisk {
    pub fn new(left: i64) -> Self {
        Self { left: Arc::new(AtomicI64::new(left)), stuck: Arc::default(), panics: Arc::default() }
    }
}

struct SmallFile(Box<dyn SegmentFile>, SmallDisk);

impl Disk for SmallDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(SmallFile(RealDisk.create(path)?, self.clone())))
    }
}

impl SegmentFile for SmallFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        assert!(!self.1.panics.load(Ordering::Relaxed), "as told");
        let left = self.1.left.fetch_sub(bytes.len() as i64, Ordering::Relaxed);
        if left < bytes.len() as i64 {
            // As file systems do: what fits is written.
            self.0.append(&bytes[..usize::try_from(left.max(0)).unwrap()])?;
            self.1.left.fetch_add(bytes.len() as i64, Ordering::Relaxed);
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.0.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.1.stuck.load(Ordering::Relaxed) {
            return Err(io::Error::other("stuck"));
        }
        self.0.cut(length)
    }
}

pub fn wait(pipe: &Pipe, what: &str, until: impl Fn(&Stats) -> bool) -> Stats {
    let patience = Instant::now() + Duration::from_secs(120);
    loop {
        let stats = pipe.stats();
        assert!(stats.adds_up(), "{stats:?}");
        if until(&stats) {
            return stats;
        }
        assert!(Instant::now() < patience, "waited for {what}: {stats:?}");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

pub fn ids() -> IdSource {
    IdSource::new(1, None)
}

pub fn small(ids: &IdSource) -> RequestRecord {
    let id = ids.next(1_790_000_000_000).bits();
    RequestRecord {
        id,
        status: 200,
        provider: "openai".into(),
        model: "gpt-4o".into(),
        ..RequestRecord::default()
    }
}

/// Every member set.
pub fn full() -> RequestRecord {
    let pair = |name: &'static str, value: &'static str| (name.into(), value.into());
    RequestRecord {
        id: 0x1234_5678_9abc_def0,
        who: Who {
            organisation: "org".into(),
            workspace: "ws".into(),
            api_key: "key-1".into(),
            user: "ann".into(),
            session: "s-1".into(),
            metadata: vec![pair("team", "search"), pair("", "x"), pair("empty", "")],
            key_owner: "bea".into(),
        },
        route: "chat_completions".into(),
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        provider: "openai".into(),
        virtual_key: "openai-eu".into(),
        config: "pc-1".into(),
        config_version: 3,
        mode: "fallback".into(),
        prompt: "greet@2".into(),
        asked_model: "gpt-4o".into(),
        model: "gpt-4o-2024-08-06".into(),
        stream: true,
        attempts: vec![
            Attempt {
                provider: "azure-openai".into(),
                target: "targets[0]".into(),
                virtual_key: "azure".into(),
                model: "gpt-4o".into(),
                status: Some(429),
                start_us: 120,
                duration_us: 90_000,
                first_byte_us: Some(80_000),
                error: "rate_limited".into(),
                circuit: "closed".into(),
                hedge: true,
                reason: "status 429".into(),
                retry_after_ms: Some(0),
                url: "https://a.example/v1/chat/completions".into(),
            },
            Attempt::default(),
        ],
        status: 200,
        end: "ok".into(),
        error: "none".into(),
        finish: "stop".into(),
        timing: Timing {
            total_us: 1_234_567,
            ttft_us: Some(345_678),
            chunks: 210,
            waited_us: 5,
            stall_us: 40_000,
            own_us: Some(310),
        },
        usage: Some(Usage {
            input: 812,
            cache_read: Some(0),
            cache_write: Some(1),
            cache_write_1h: Some(2),
            output: 120,
            reasoning: Some(64),
            audio_input: Some(3),
            audio_output: Some(4),
            image_input: Some(5),
            image_output: Some(6),
            accepted_prediction: Some(7),
            rejected_prediction: Some(8),
            searches: Some(9),
            reported_total: Some(u64::MAX),
            tier: Some(ServiceTier::Priority),
        }),
        usage_estimated: true,
        cost: Cost {
            amount: "0.00323".into(),
            currency: "USD".into(),
            estimate: true,
            unpriced: true,
            saved: "0.1".into(),
            parts: vec![pair("input", "0.00203"), pair("output", "0.0012")],
        },
        span: Span {
            trace: "t".repeat(200).into(),
            span: "b".into(),
            parent: "c".into(),
            name: "chat ünï".into(),
        },
        cache: "miss".into(),
        guardrail: "passed".into(),
        limit: "rpm".into(),
        warnings: vec!["seed".into(), "".into(), "logit_bias".into()],
        bytes: Bytes { request: 4096, response: 123_456_789_012 },
        client: "openai-python 1.2".into(),
        limit_outcome: "queued".into(),
        private: true,
        source: "otlp".into(),
    }
}
