//! Warehouses of the operator's own: from the settings to those who bring records there.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidegate_core::Clock;
use tidegate_gateway::Gateway;
use tidegate_records::Sink;
use tidegate_settings::{ObjectFormat, Sinks};
use tidegate_sinks::{ClickHouse, Format, S3, Shipper, SpoolOptions, Target, Told, channel};
use tidegate_upstream::Egress;

use crate::banner;

/// How long one answer may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A warehouse by its name, and who brings records there.
pub type Ship = (&'static str, Shipper);

/// Puts those that are configured before the store of records.
///
/// # Errors
/// What cannot be used, with its setting.
pub fn attach(
    sinks: &Sinks,
    data: &Path,
    egress: &Egress,
    clock: &Arc<dyn Clock>,
    mut store: Box<dyn Sink>,
) -> Result<(Box<dyn Sink>, Vec<Ship>), String> {
    let mut ships = Vec::new();
    for (target, rows, interval) in targets(sinks) {
        let options = SpoolOptions {
            most_bytes: sinks.spool,
            batch_records: u64::from(rows),
            interval,
            ..SpoolOptions::new(data.join("sinks").join(target.name()))
        };
        let (tee, shipper) = channel(&target, options, egress.clone(), clock.clone(), store)
            .map_err(|error| error.to_string())?;
        store = Box::new(tee);
        ships.push((target.name(), shipper));
    }
    Ok((store, ships))
}

fn targets(sinks: &Sinks) -> Vec<(Target, u32, std::time::Duration)> {
    let (clickhouse, s3) = (&sinks.clickhouse, &sinks.s3);
    let to_clickhouse = clickhouse.url.clone().map(|url| {
        let target = ClickHouse {
            url,
            user: clickhouse.user.clone(),
            password: clickhouse.password.clone(),
            database: clickhouse.database.clone(),
            table: clickhouse.table.clone(),
            timeout: PATIENCE,
        };
        (Target::ClickHouse(target), clickhouse.rows, clickhouse.interval)
    });
    // The settings are read together: a bucket has its keys.
    let to_s3 = s3.bucket.clone().zip(s3.access_key_id.clone()).zip(s3.secret_access_key.clone());
    let to_s3 = to_s3.map(|((bucket, access_key_id), secret_access_key)| {
        let aws = || format!("https://s3.{}.amazonaws.com", s3.region);
        let target = S3 {
            endpoint: s3.endpoint.clone().unwrap_or_else(aws),
            region: s3.region.clone(),
            bucket,
            prefix: s3.prefix.clone(),
            access_key_id,
            secret_access_key,
            session_token: s3.session_token.clone(),
            format: match s3.format {
                ObjectFormat::Jsonl => Format::Jsonl,
                ObjectFormat::Parquet => Format::Parquet,
            },
            timeout: PATIENCE,
        };
        (Target::S3(target), s3.rows, s3.interval)
    });
    to_clickhouse.into_iter().chain(to_s3).collect()
}

/// Brings records to a warehouse until the store of records is closed.
pub async fn ship((name, shipper): Ship, gateway: Arc<Gateway>) {
    let away = AtomicBool::new(false);
    let tell = |told: Told<'_>| match told {
        Told::Sent(records) => {
            gateway.metrics.sunk(name, "sent", records);
            if away.swap(false, Ordering::Relaxed) {
                banner::note(&format!("sinks.{name}: it takes records again"));
            }
        }
        Told::Lost(loss, records) => gateway.metrics.sunk(name, loss.as_str(), records),
        Told::Spooled(bytes) => gateway.metrics.sink_waiting(name, bytes),
        Told::Failed(why) => {
            gateway.metrics.sink_failure(name);
            // Once, and not at every try.
            if !away.swap(true, Ordering::Relaxed) {
                banner::note(&format!("sinks.{name}: {why}; its records wait on disk and are tried again"));
            }
        }
    };
    shipper.run(tell).await;
}
