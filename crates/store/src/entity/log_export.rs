//! A job that exports logs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entity, Level, check, private::Known};
use crate::error::StoreError;
use crate::id::LogExportId;
use crate::kind::{Kind, words};

words! {
    ExportState { Draft = "draft", InProgress = "in_progress", Success = "success", Failed = "failed", Stopped = "stopped" }
}

words! {
    /// Of the file that is downloaded.
    ExportFormat { Jsonl = "jsonl", Parquet = "parquet" }
}

impl ExportFormat {
    /// Of jobs that do not say.
    fn usual() -> Self {
        Self::Jsonl
    }
}

/// Which logs of a workspace are exported, and what of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogExport {
    #[serde(default)]
    pub description: Option<String>,
    /// As they were sent; whoever exports reads them.
    pub filters: Map<String, Value>,
    pub fields: Vec<String>,
    #[serde(default = "ExportFormat::usual")]
    pub format: ExportFormat,
    pub state: ExportState,
    /// Logs, counted when it ran.
    #[serde(default)]
    pub total: Option<u64>,
    /// Logs from then on are none of it, in milliseconds since 1970. Set when it starts.
    #[serde(default)]
    pub until: Option<u64>,
    /// Only those of this person's keys: whoever started it sees no others.
    #[serde(default)]
    pub only_of: Option<String>,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    pub made_by: String,
    /// Opens the download until it ends.
    #[serde(default)]
    pub link: Option<DownloadLink>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownloadLink {
    /// Hash of its token, in hexadecimal digits.
    pub hash: String,
    /// Milliseconds since 1970.
    pub ends_at: u64,
}

impl Known for LogExport {}
impl Entity for LogExport {
    type Id = LogExportId;
    const KIND: Kind = Kind::LogExport;
    const LEVEL: Level = Level::Workspace;

    fn label(&self) -> &str {
        self.description.as_deref().unwrap_or("logs")
    }

    fn check(&self) -> Result<(), StoreError> {
        /// More than there are.
        const FIELDS: usize = 64;
        check::note("description", self.description.as_deref())?;
        if self.fields.len() > FIELDS {
            return Err(StoreError::invalid("requested_data", "has more fields than there are"));
        }
        Ok(())
    }
}
