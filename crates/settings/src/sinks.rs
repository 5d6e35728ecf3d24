//! Where records go besides the gateway's own store.

use std::time::Duration;

use tidegate_core::Secret;

/// Warehouses of the operator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sinks {
    /// Bytes that may wait on disk for each of them.
    pub spool: u64,
    pub clickhouse: ClickHouse,
    pub s3: S3,
}

/// A table of ClickHouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickHouse {
    /// Of its HTTP interface; `None` sends nothing there.
    pub url: Option<String>,
    pub user: String,
    pub password: Option<Secret>,
    pub database: String,
    /// Made if it is not there.
    pub table: String,
    /// Records of one insert, at most.
    pub rows: u32,
    /// How long records wait to be inserted together.
    pub interval: Duration,
}

/// A bucket of S3, or of what speaks as S3 does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3 {
    /// `None` sends nothing there.
    pub bucket: Option<String>,
    /// `None` is AWS in the region.
    pub endpoint: Option<String>,
    pub region: String,
    /// Before the names of objects.
    pub prefix: String,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<Secret>,
    pub session_token: Option<Secret>,
    pub format: ObjectFormat,
    /// Records of one object, at most.
    pub rows: u32,
    /// How long records wait to become one object.
    pub interval: Duration,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObjectFormat {
    /// Lines of JSON, compressed with gzip.
    #[default]
    Jsonl,
    Parquet,
}

impl Default for Sinks {
    fn default() -> Self {
        Self { spool: 1 << 30, clickhouse: ClickHouse::default(), s3: S3::default() }
    }
}

impl Default for ClickHouse {
    fn default() -> Self {
        Self {
            url: None,
            user: "default".to_owned(),
            password: None,
            database: "default".to_owned(),
            table: "tidegate_records".to_owned(),
            rows: 10_000,
            interval: Duration::from_secs(10),
        }
    }
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            bucket: None,
            endpoint: None,
            region: "us-east-1".to_owned(),
            prefix: "tidegate".to_owned(),
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            format: ObjectFormat::Jsonl,
            rows: 50_000,
            interval: Duration::from_secs(5 * 60),
        }
    }
}
