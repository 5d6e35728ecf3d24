//! `tidegate logs export`: the figures of requests, a line of JSON or a row for each.

mod table;

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::instant::Instant;
use crate::session::Session;

/// Without --from.
const DAY_MS: u64 = 24 * 3_600 * 1_000;
/// Rows of one request.
const PAGE: &str = "500";

#[derive(Debug, Clone, Args)]
pub struct LogsExport {
    /// From then on: 24h, 7d, 2026-12-31 [default: 24h]
    #[arg(long, value_name = "TIME")]
    from: Option<Instant>,
    /// Until then [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<Instant>,
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Only with one of these statuses: 429,500
    #[arg(long, value_name = "LIST")]
    status: Option<String>,
    /// Only of these models
    #[arg(long, value_name = "LIST")]
    model: Option<String>,
    /// Only of this trace
    #[arg(long, value_name = "ID")]
    trace: Option<String>,
    /// Write here instead of standard output; must not be there yet
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A JSON object a line, newest first
    Jsonl,
    /// The same as a table; needs --out
    Parquet,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    next_cursor: Option<String>,
    data: Vec<Box<RawValue>>,
}

pub(crate) async fn export(command: &LogsExport, session: &Session<'_>) -> Result<String, Failure> {
    let now = session.context.clock.unix_ms();
    let from = command.from.clone().unwrap_or(Instant::Ago(DAY_MS)).text(now);
    let to = command.to.as_ref().map(|to| to.text(now));
    let workspace = session.workspace().await?;
    if command.format == Format::Parquet {
        return table::export(command, session, workspace.as_deref(), &from, to.as_deref()).await;
    }
    let mut query = vec![("time_of_generation_min", from.as_str()), ("page_size", PAGE)];
    let filters = [
        ("time_of_generation_max", to.as_deref()),
        ("status_code", command.status.as_deref()),
        ("ai_model", command.model.as_deref()),
        ("trace_id", command.trace.as_deref()),
        ("workspace_id", workspace.as_deref()),
    ];
    query.extend(filters.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let mut file = command.out.as_ref().map(open).transpose()?;
    let (mut lines, mut count, mut cursor) = (Vec::new(), 0, None::<String>);
    loop {
        let mut query = query.clone();
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page = session.client.get("/logs", &query).await?.read()?;
        count += page.data.len();
        let text = page.data.iter().map(|row| format!("{}\n", row.get())).collect::<String>();
        match &mut file {
            Some((path, file)) => {
                let failed = |error: std::io::Error| Failure::failed(format!("{}: {error}", path.display()));
                file.write_all(text.as_bytes()).map_err(failed)?;
            }
            None => lines.push(text),
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(match file {
        Some((path, _)) => format!("wrote {count} logs to {}", path.display()),
        None => lines.concat().trim_end().to_owned(),
    })
}

fn open(path: &PathBuf) -> Result<(PathBuf, std::fs::File), Failure> {
    let file = std::fs::File::create_new(path)
        .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    Ok((path.clone(), file))
}
