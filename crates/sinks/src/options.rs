//! What can be set.

use std::path::PathBuf;
use std::time::Duration;

use tidegate_core::Secret;

/// A table of ClickHouse, over its HTTP interface.
#[derive(Debug, Clone)]
pub struct ClickHouse {
    /// `https://clickhouse.example:8443`
    pub url: String,
    pub user: String,
    pub password: Option<Secret>,
    pub database: String,
    /// Made if it is not there.
    pub table: String,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// A bucket of S3, or of what speaks as S3 does.
#[derive(Debug, Clone)]
pub struct S3 {
    /// `https://s3.eu-central-1.amazonaws.com`; the bucket is the first segment of the path.
    pub endpoint: String,
    pub region: String,
    pub bucket: String,
    /// Before every object's name; empty, or without slashes at its ends.
    pub prefix: String,
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// With temporary credentials.
    pub session_token: Option<Secret>,
    pub format: Format,
    pub timeout: Duration,
}

/// Of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON object a line, compressed with gzip.
    Jsonl,
    Parquet,
}

/// What waits, and for how long.
#[derive(Debug, Clone)]
pub struct SpoolOptions {
    /// Made if it is not there. One process at a time.
    pub directory: PathBuf,
    /// Records on their way to the disk, at most.
    pub queue: usize,
    /// Bytes on disk; records beyond are dropped.
    pub most_bytes: u64,
    /// Bytes of one batch, as records are stored.
    pub batch_bytes: u64,
    /// Records of one batch.
    pub batch_records: u64,
    /// How long a batch may wait to become full.
    pub interval: Duration,
    /// How long records gather before they are written to disk.
    pub gather: Duration,
    /// The pause after the first failure; doubled after each, up to `pause_most`.
    pub pause: Duration,
    pub pause_most: Duration,
    /// Refusals of one batch that are not about credentials or a missing place, after which it is given up.
    pub refusals: u32,
}

impl SpoolOptions {
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            queue: 16_384,
            most_bytes: 1 << 30,
            batch_bytes: 16 << 20,
            batch_records: 10_000,
            interval: Duration::from_secs(10),
            gather: Duration::from_millis(200),
            pause: Duration::from_millis(500),
            pause_most: Duration::from_secs(60),
            refusals: 20,
        }
    }
}
