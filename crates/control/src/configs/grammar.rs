//! What is accepted as a config: what the gateway accepts in a header, in a workspace with these providers.

use std::collections::BTreeSet;

use serde_json::Value;
use tidegate_catalog::{PORTKEY_IDS, catalog};
use tidegate_core::field::shown;
use tidegate_routing::config::{ConfigContext, ConfigError, PathPart, parse};
use tidegate_store::Scope;
use tidegate_store::entity::Provider;
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
}

impl Names {
    /// # Errors
    /// The database's.
    pub(super) async fn of(call: &Call, workspace: WorkspaceId) -> Result<Self, Problem> {
        let mut slugs = call.api.options.settings.providers.clone();
        let mut rows: BTreeSet<_> =
            slugs.iter().filter_map(|slug| catalog().get(slug)).map(|row| row.id).collect();
        for provider in all::<Provider>(call.store(), &Scope::Workspace(call.organisation, workspace)).await?
        {
            let connection = provider.entity.connection();
            rows.extend(
                connection.and_then(|own| catalog().get(&own.destination.provider)).map(|row| row.id),
            );
            slugs.insert(provider.entity.slug);
        }
        Ok(Self { slugs, rows })
    }

    fn is_provider(&self, name: &str) -> bool {
        let bare = name.strip_prefix('@').unwrap_or(name);
        bare == DEMO
            || self.slugs.contains(bare)
            || catalog().get(bare).is_some()
            || PORTKEY_IDS.contains(&bare)
    }

    fn has_key(&self, name: &str) -> bool {
        self.slugs.contains(name) || catalog().get(name).is_some_and(|row| self.rows.contains(row.id))
    }
}

/// # Errors
/// 400 naming each member: `config.targets[0].weight`.
pub(super) fn check(call: &Call, names: &Names, config: &Value) -> Result<(), Problem> {
    let context = ConfigContext {
        is_provider: &|name| names.is_provider(name),
        provider_ids: &PORTKEY_IDS,
        has_key: &|name| names.has_key(name),
        hosts: &call.api.options.settings.hosts,
        // A config that names none is completed by the request's header.
        provider_header: true,
    };
    parse(&config.to_string(), &context).map(drop).map_err(|error| told(&error))
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
