//! From settings to what requests need: providers with their rows, the egress client, bounds.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate_access::door::Keyless;
use tidegate_catalog::catalog;
use tidegate_dialect::peek::PeekLimits;
use tidegate_limits::{IpRules, QueueRules};
use tidegate_routing::HostRules;
use tidegate_routing::plan::Defaults;
use tidegate_settings::{PrivateTarget, Settings};
use tidegate_upstream::{AddressPolicy, Egress, EgressSettings, ProxyEnv, SetupError};

use crate::accept::Bounds;
use crate::control::{Doors, Each};
use crate::realm::{KnownProvider, Realm};
use crate::state::{DefaultTimeouts, Snapshot};

/// What the settings do not hold: read from files and the environment by the binary.
#[derive(Debug, Default)]
pub struct Surroundings {
    pub proxy: ProxyEnv,
    pub extra_ca_pem: Option<Vec<u8>>,
    /// `TRUSTED_CUSTOM_HOSTS`, as the reference reads it.
    pub trusted_hosts: Vec<String>,
    /// Saved configs by id: their JSON text.
    pub configs: HashMap<Box<str>, Box<str>>,
}

impl Snapshot {
    /// `reuse` is the egress client of the settings before, when nothing it was made of has changed: its connections
    /// stay open.
    ///
    /// # Errors
    /// A proxy variable or a CA file that cannot be used.
    pub fn new(settings: &Settings, around: Surroundings, reuse: Option<Egress>) -> Result<Self, SetupError> {
        let on_loopback = settings.server.host.is_loopback();
        let policy = address_policy(settings, on_loopback);
        let hosts = HostRules { trusted: trusted_hosts(settings, &around), allow_private: on_loopback };
        let egress = match reuse {
            Some(egress) => egress,
            None => Egress::new(EgressSettings {
                policy,
                proxy: if settings.egress.proxy { around.proxy } else { ProxyEnv::default() },
                extra_ca_pem: around.extra_ca_pem,
                connect_timeout: settings.timeouts.connect.unwrap_or(Duration::from_secs(3600)),
                ..EgressSettings::default()
            })?,
        };
        Ok(Self {
            egress,
            bounds: bounds(settings),
            timeouts: DefaultTimeouts {
                connect_ms: settings.timeouts.connect.map(millis),
                first_byte_ms: settings.timeouts.first_byte.map(millis),
                between_chunks_ms: settings.timeouts.between_chunks.map(millis),
                request_ms: settings.timeouts.request.map(millis),
                idle_ms: settings.timeouts.idle.map(millis),
            },
            max_hops: settings.routing.hops_max,
            hosts,
            doors: doors(settings),
            home: Arc::new(Realm::of_settings(
                settings.providers.iter().filter_map(known).collect(),
                around.configs,
            )),
            default_provider: settings.models.default_provider.as_deref().map(Box::from),
            queue: QueueRules {
                max_len: settings.rate_limits.queue as usize,
                max_per_key: settings.rate_limits.queue_per_key as usize,
                max_wait_ms: millis(settings.rate_limits.queue_wait),
            },
            pace: settings.streams.pace,
            routing: Defaults { retry_budget: Some(settings.routing.retry_budget) },
        })
    }
}

fn known(provider: &tidegate_settings::Provider) -> Option<(Box<str>, Arc<KnownProvider>)> {
    let row = catalog().get(&provider.provider)?;
    let options =
        provider.options.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect();
    let known = KnownProvider {
        row,
        api_key: provider.api_key.clone(),
        base_url: provider.base_url.as_deref().map(Box::from),
        options,
        models: provider.models.iter().map(|model| model.as_str().into()).collect(),
        stored: None,
    };
    Some((provider.slug.as_str().into(), Arc::new(known)))
}

fn doors(settings: &Settings) -> Doors {
    let (access, rates) = (&settings.access, &settings.rate_limits);
    Doors {
        keyless: Keyless { from: access.keyless, after_first_key: access.keyless_after_first_key },
        addresses: IpRules { allow: access.allow.clone(), deny: access.deny.clone() },
        proxies: access.proxies.clone(),
        each: Each {
            address: rates.per_address.clone().into(),
            user: rates.per_user.clone().into(),
            model: rates.per_model.clone().into(),
            route: rates.per_route.clone().into(),
        },
        unpriced: settings.budgets.unpriced,
        stale_after_ms: settings.database.serve_stale.map(millis),
    }
}

/// Private targets have to be listed, also those that are the base of a provider.
fn address_policy(settings: &Settings, on_loopback: bool) -> AddressPolicy {
    let mut policy = AddressPolicy { allow_private: on_loopback, ..AddressPolicy::default() };
    for target in &settings.egress.allow_private {
        match target {
            PrivateTarget::Network(network) => policy.allow.push(*network),
            PrivateTarget::Host(host) => policy.allow_hosts.push(host.clone()),
        }
    }
    policy
}

/// Hosts that a request's custom host may name whatever they look like. The reference's own defaults are loopback names:
/// off loopback they would be the gateway's own machine, so there they have to be listed.
fn trusted_hosts(settings: &Settings, around: &Surroundings) -> Vec<String> {
    let mut trusted = around.trusted_hosts.clone();
    if settings.server.host.is_loopback() {
        trusted.extend(["localhost", "127.0.0.1", "::1", "host.docker.internal"].map(str::to_owned));
    }
    for target in &settings.egress.allow_private {
        match target {
            PrivateTarget::Host(host) => trusted.push(host.clone()),
            PrivateTarget::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                trusted.push(network.addr().to_string());
            }
            PrivateTarget::Network(_) => {}
        }
    }
    trusted
}

fn bounds(settings: &Settings) -> Bounds {
    let limits = &settings.limits;
    Bounds {
        max_body: usize::try_from(limits.max_body).unwrap_or(usize::MAX),
        max_intake: usize::try_from(limits.max_intake).unwrap_or(usize::MAX),
        max_url: usize::try_from(limits.max_url_bytes).unwrap_or(usize::MAX),
        json: PeekLimits { max_depth: limits.max_json_depth, ..PeekLimits::default() },
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The saved configs of a data directory: `configs/<id>.json`. A file that cannot be read is told, not skipped.
///
/// # Errors
/// What is wrong, with the file's name.
pub fn saved_configs(data_dir: &Path) -> Result<HashMap<Box<str>, Box<str>>, String> {
    let dir = data_dir.join("configs");
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(format!("{}: {error}", dir.display())),
    };
    let mut configs = HashMap::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{}: {error}", dir.display()))?.path();
        let Some(id) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        configs.insert(id.into(), text.into());
    }
    Ok(configs)
}
