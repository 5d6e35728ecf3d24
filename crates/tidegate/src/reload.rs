//! Settings that change while requests are served: on SIGHUP, and when a file has changed. A request keeps the settings
//! it began with; invalid ones change nothing and say why.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tidegate_gateway::Gateway;
use tidegate_settings::Settings;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::wire::Origin;
use crate::{banner, check};

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Waits for reasons to read the settings again.
pub struct Watch {
    origin: Origin,
    settings: Settings,
    hangup: Signal,
    seen: Vec<Stamp>,
}

/// A file of the settings, and when it was last written; `None` where it is not there.
type Stamp = (PathBuf, Option<SystemTime>);

impl Watch {
    /// Signals and changes count from here on.
    ///
    /// # Errors
    /// The process cannot listen for signals.
    pub fn begin(origin: Origin, settings: Settings) -> Result<Self, String> {
        let hangup = signal(SignalKind::hangup())
            .map_err(|error| format!("cannot listen for the signal to reload: {error}"))?;
        let seen = stamps(&origin, &settings);
        Ok(Self { origin, settings, hangup, seen })
    }

    pub async fn run(mut self, gateway: Arc<Gateway>) {
        loop {
            let asked = tokio::select! {
                _ = self.hangup.recv() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = stamps(&self.origin, &self.settings);
            if !asked && now == self.seen {
                continue;
            }
            self.seen = now;
            match reload(&self.origin, &self.settings, &gateway) {
                Ok(fresh) => {
                    gateway.metrics.reloads.inc();
                    banner::note("settings reloaded");
                    self.settings = fresh;
                }
                Err(why) => {
                    gateway.metrics.reload_failures.inc();
                    banner::note(&format!("settings not reloaded, the old ones stay in force:\n{why}"));
                }
            }
        }
    }
}

fn reload(origin: &Origin, old: &Settings, gateway: &Gateway) -> Result<Settings, String> {
    let fresh = origin.settings()?;
    let fixed = fixed_at_start(old, &fresh);
    if !fixed.is_empty() {
        return Err(format!("{} cannot change while the gateway runs: restart it", fixed.join(", ")));
    }
    let same_egress = fresh.egress == old.egress && fresh.timeouts.connect == old.timeouts.connect;
    // A changed CA file has the same name: it is read anew.
    let reuse =
        (same_egress && fresh.egress.extra_ca_file.is_none()).then(|| gateway.snapshot.load().egress.clone());
    let snapshot = origin.snapshot(&fresh, reuse)?;
    let mistakes = check::saved(&fresh, &snapshot);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    gateway.snapshot.store(Arc::new(snapshot));
    Ok(fresh)
}

/// Settings that listening sockets and threads were made of.
fn fixed_at_start(old: &Settings, fresh: &Settings) -> Vec<&'static str> {
    let (a, b) = (&old.server, &fresh.server);
    let tokens = |settings: &Settings| {
        let access = &settings.access;
        let keys = (access.jwks_url.clone(), access.jwks_file.clone());
        (keys, access.jwt_issuer.clone(), access.jwt_audience.clone())
    };
    [
        ("server.host", a.host != b.host),
        ("server.port", a.port != b.port),
        ("server.data_dir", a.data_dir != b.data_dir),
        ("server.public_url", a.public_url != b.public_url),
        ("server.workers", a.workers != b.workers),
        ("server.grace_period", a.grace_period != b.grace_period),
        ("log", old.log != fresh.log),
        ("limits.max_intake", old.limits.max_intake != fresh.limits.max_intake),
        ("database.url", old.database.url != fresh.database.url),
        ("redis", old.redis != fresh.redis),
        ("alerts", old.alerts != fresh.alerts),
        ("oidc", old.oidc != fresh.oidc),
        ("otlp", old.otlp != fresh.otlp),
        (
            "access.jwks_url, access.jwks_file, access.jwt_issuer, access.jwt_audience",
            tokens(old) != tokens(fresh),
        ),
        ("records", old.records != fresh.records),
        ("limits.max_connections", old.limits.max_connections != fresh.limits.max_connections),
        ("limits.max_header_bytes", old.limits.max_header_bytes != fresh.limits.max_header_bytes),
    ]
    .into_iter()
    .filter_map(|(field, changed)| changed.then_some(field))
    .collect()
}

/// When each file of the settings was last written.
fn stamps(origin: &Origin, settings: &Settings) -> Vec<Stamp> {
    let configs = settings.server.data_dir.join("configs");
    let mut files: Vec<PathBuf> = origin.file.iter().cloned().collect();
    files.extend(settings.egress.extra_ca_file.clone());
    if let Ok(entries) = std::fs::read_dir(&configs) {
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    files.push(configs);
    files.sort_unstable();
    files.into_iter().map(|file| (modified(&file), file)).map(|(stamp, file)| (file, stamp)).collect()
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|meta| meta.modified()).ok()
}
