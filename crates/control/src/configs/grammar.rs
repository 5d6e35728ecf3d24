//! What is accepted as a config: what the gateway accepts in a header, in a workspace with these providers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidegate_catalog::{PORTKEY_IDS, catalog};
use tidegate_core::field::shown;
use tidegate_routing::Config;
use tidegate_routing::config::{ConfigContext, ConfigError, PathPart, parse};
use tidegate_store::Scope;
use tidegate_store::entity::{Backing, Integration, Provider};
use tidegate_store::id::WorkspaceId;

use crate::call::Call;
use crate::listing::all;
use crate::problem::Problem;

/// The model inside the gateway.
const DEMO: &str = "demo";
/// Mistakes of one config that are told.
const TOLD: usize = 10;

/// The providers that configs of a workspace can name.
#[derive(Debug)]
pub(super) struct Names {
    slugs: BTreeSet<String>,
    /// Catalogue ids of those that hold a key.
    rows: BTreeSet<&'static str>,
    /// Catalogue ids of the workspace's providers, by slug.
    ids: BTreeMap<String, &'static str>,
}

impl Names {
    /// # Errors
    /// The database's.
    pub(super) async fn of(call: &Call, workspace: WorkspaceId) -> Result<Self, Problem> {
        let mut slugs = call.api.options.settings.providers.clone();
        let mut rows: BTreeSet<_> =
            slugs.iter().filter_map(|slug| catalog().get(slug)).map(|row| row.id).collect();
        let integrations = all::<Integration>(call.store(), &call.whole()).await?;
        let mut ids = BTreeMap::new();
        for provider in all::<Provider>(call.store(), &Scope::Workspace(call.organisation, workspace)).await?
        {
            let connection = match &provider.entity.backing {
                Backing::Own(connection) => Some(connection),
                Backing::Integration(id) => {
                    let lent = integrations.iter().find(|integration| integration.id == *id);
                    lent.map(|integration| &integration.entity.connection)
                }
            };
            if let Some(row) = connection.and_then(|own| catalog().get(&own.destination.provider)) {
                if provider.entity.connection().is_some() {
                    rows.insert(row.id);
                }
                ids.insert(provider.entity.slug.clone(), row.id);
            }
            slugs.insert(provider.entity.slug);
        }
        Ok(Self { slugs, rows, ids })
    }

    fn is_provider(&self, name: &str) -> bool {
        let bare = name.strip_prefix('@').unwrap_or(name);
        bare == DEMO
            || self.slugs.contains(bare)
            || catalog().get(bare).is_some()
            || PORTKEY_IDS.contains(&bare)
    }

    /// What the catalogue calls a provider; `None` for one that it does not know, or whose slug the settings gave.
    pub(super) fn catalogue_id(&self, name: &str) -> Option<&'static str> {
        let bare = name.strip_prefix('@').unwrap_or(name);
        self.ids.get(bare).copied().or_else(|| catalog().get(bare).map(|row| row.id))
    }

    fn has_key(&self, name: &str) -> bool {
        self.slugs.contains(name) || catalog().get(name).is_some_and(|row| self.rows.contains(row.id))
    }
}

/// # Errors
/// 400 naming each member: `config.targets[0].weight`.
pub(super) fn check(call: &Call, names: &Names, config: &Value) -> Result<Config, Problem> {
    let context = ConfigContext {
        is_provider: &|name| names.is_provider(name),
        provider_ids: &PORTKEY_IDS,
        has_key: &|name| names.has_key(name),
        hosts: &call.api.options.settings.hosts,
        // A config that names none is completed by the request's header.
        provider_header: true,
    };
    parse(&config.to_string(), &context).map_err(|error| told(&error))
}

fn told(error: &ConfigError) -> Problem {
    let mistakes = error.issues.iter().map(|issue| {
        let hint = issue.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        (member(&issue.path), format!("{}{hint}", issue.message))
    });
    let mut mistakes: Vec<(String, String)> = mistakes.take(TOLD).collect();
    if mistakes.is_empty() {
        mistakes.push(("config".to_owned(), error.message.to_owned()));
    }
    let first = mistakes.first().map_or_else(String::new, |(member, _)| member.clone());
    let lines: Vec<String> =
        mistakes.into_iter().map(|(member, words)| format!("{member}: {words}")).collect();
    Problem::new(http::StatusCode::BAD_REQUEST, lines.join("; ")).about(first)
}

/// `config.targets[0].weight`. Names are foreign text.
fn member(path: &[PathPart]) -> String {
    path.iter().fold("config".to_owned(), |text, part| match part {
        PathPart::Key(key) => format!("{text}.{}", shown(key)),
        PathPart::Index(index) => format!("{text}[{index}]"),
    })
}
