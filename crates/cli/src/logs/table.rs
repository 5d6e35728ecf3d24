//! An export job of the API, from the draft to the file.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{LogsExport, open};
use crate::client::segment;
use crate::failure::Failure;
use crate::session::Session;

/// Between questions whether it has run.
const PAUSE: Duration = Duration::from_millis(200);
/// What holds headers and bodies, which are not figures.
const BODIES: [&str; 2] = ["request", "response"];

#[derive(Deserialize)]
struct Restrictions {
    allowed_fields: Vec<String>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Job {
    status: String,
    total_records: u64,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
struct Link {
    signed_url: String,
}

pub(super) async fn export(
    command: &LogsExport,
    session: &Session<'_>,
    workspace: Option<&str>,
    from: &str,
    to: Option<&str>,
) -> Result<String, Failure> {
    let out = command.out.as_ref().ok_or_else(|| {
        Failure::usage(
            "a table is no text for a terminal: say where it goes with --out logs.parquet".to_owned(),
        )
    })?;
    let client = &session.client;
    let place: Vec<_> = workspace.map(|workspace| ("workspace_id", workspace)).into_iter().collect();
    let restrictions: Restrictions = client.get("/logs/exports/field-restrictions", &place).await?.read()?;
    let fields = restrictions.allowed_fields.into_iter().filter(|field| !BODIES.contains(&field.as_str()));
    let filters = [
        ("time_of_generation_min", Some(from)),
        ("time_of_generation_max", to),
        ("status_code", command.status.as_deref()),
        ("ai_model", command.model.as_deref()),
        ("trace_id", command.trace.as_deref()),
    ];
    let filters: Map<String, Value> =
        filters.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    let wanted = json!({
        "workspace_id": workspace,
        "description": "tidegate logs export",
        "filters": filters,
        "requested_data": fields.collect::<Vec<_>>(),
        "format": "parquet",
    });
    let (path, mut file) = open(out)?;
    let Made { id } = client.post("/logs/exports", &wanted).await?.read()?;
    let at = format!("/logs/exports/{}", segment(&id));
    client.post(&format!("{at}/start"), &json!({})).await?;
    let count = loop {
        let job: Job = client.get(&at, &place).await?.read()?;
        match job.status.as_str() {
            "success" => break job.total_records,
            "draft" | "in_progress" => tokio::time::sleep(PAUSE).await,
            status => {
                let why = job.error.unwrap_or_else(|| format!("its status is {status}"));
                return Err(Failure::failed(format!("the export {id} came to nothing: {why}")));
            }
        }
    };
    let Link { signed_url } = client.get(&format!("{at}/download"), &place).await?.read()?;
    // By the way that is known to lead there: the gateway's own idea of its address may be another.
    let (_, path_of_link) = signed_url
        .split_once("/v1/")
        .ok_or_else(|| Failure::failed("the link to the download is no address of the API".to_owned()))?;
    client.download(&format!("/{path_of_link}"), &mut file).await?;
    Ok(format!("wrote {count} logs to {}", path.display()))
}
