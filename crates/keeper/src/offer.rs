//! What a workspace offers its callers: its providers with their credentials, and its configs.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tidegate_access as access;
use tidegate_core::Secret;
use tidegate_directory as directory;
use tidegate_directory::{AllowedModels, Bounds, Credential, Deployment, Deployments, Pool, SavedConfig};
use tidegate_ledger::Scope;
use tidegate_store::Home;
use tidegate_store::entity::{
    Backing, BodyRule, Connection, Grants, Limits, Provider, Stored, Workspace, WorkspaceState,
};
use tidegate_store::id::WorkspaceId;

use crate::bounds::{self, Books, Owner};
use crate::model::{Credentials, Model};
use crate::prices;

/// The workspace as the directory has it; `None` when it is gone.
pub(crate) fn of(model: &Model, books: &Books, id: WorkspaceId) -> Option<directory::Workspace> {
    let stored = model.workspaces.get(&id)?;
    let own = model.providers.values().filter(|(provider, _)| provider.home.workspace == Some(id));
    let providers = own
        .filter_map(|(provider, credentials)| {
            let offered = provider_of(model, books, stored, provider, credentials)?;
            Some((provider.entity.slug.as_str().into(), Arc::new(offered)))
        })
        .collect();
    let mut configs = HashMap::new();
    for config in model.configs.values() {
        if config.home.workspace != Some(id) || config.entity.archived {
            continue;
        }
        let saved = Arc::new(SavedConfig {
            slug: config.entity.slug.as_str().into(),
            version: config.version,
            text: config.entity.content.to_string().into(),
        });
        configs.insert(config.id.to_string().into(), saved.clone());
        configs.insert(config.entity.slug.as_str().into(), saved);
    }
    let holds_here = |home: &Home| {
        home.organisation == stored.home.organisation
            && home.workspace.is_none_or(|workspace| workspace == id)
    };
    let policies = model.policies.values().filter(|(home, _)| holds_here(home));
    Some(directory::Workspace {
        name: access::Workspace {
            id: access::WorkspaceId::new(id.to_string()),
            slug: stored.entity.slug.as_str().into(),
        },
        organisation: access::OrganisationId::new(stored.home.organisation.to_string()),
        providers,
        configs,
        bounds: bounds::read(books, owner_of(stored), &stored.entity.limits),
        policies: policies.map(|(_, policy)| policy.clone()).collect(),
        bodies: stored.entity.records.bodies.map(kept),
        archived: stored.entity.state == WorkspaceState::Archived,
        is_default: stored.entity.is_default,
    })
}

fn kept(rule: BodyRule) -> directory::KeepBodies {
    match rule {
        BodyRule::None => directory::KeepBodies::None,
        BodyRule::Errors => directory::KeepBodies::Errors,
        BodyRule::All => directory::KeepBodies::All,
        BodyRule::Sampled(in_million) => directory::KeepBodies::Sampled(in_million),
    }
}

fn owner_of(workspace: &Stored<Workspace>) -> Owner {
    Owner {
        scope: Scope::Workspace,
        id: workspace.id.to_string().into(),
        name: workspace.entity.slug.as_str().into(),
        created_ms: workspace.created_at,
        version: workspace.version,
    }
}

/// `None` for a provider that cannot be used: switched off, or its integration is, or is no longer lent.
fn provider_of(
    model: &Model,
    books: &Books,
    workspace: &Stored<Workspace>,
    stored: &Stored<Provider>,
    credentials: &Credentials,
) -> Option<directory::Provider> {
    let provider = &stored.entity;
    if provider.disabled {
        return None;
    }
    let bounds = bounds::read(
        books,
        Owner {
            scope: Scope::VirtualKey,
            id: stored.id.to_string().into(),
            name: provider.slug.as_str().into(),
            created_ms: stored.created_at,
            version: stored.version,
        },
        &provider.limits,
    );
    let (connection, credentials, integration) = match &provider.backing {
        Backing::Own(connection) => (connection, credentials, None),
        Backing::Integration(id) => {
            let (integration, credentials) = model.integrations.get(id)?;
            if integration.entity.disabled {
                return None;
            }
            let nothing = Limits::default();
            let limits = match integration.home.workspace {
                Some(owner) => (owner == workspace.id).then_some(&nothing)?,
                None => Grants::of(&integration.entity.grants, workspace.id)?,
            };
            let owner = Owner {
                scope: Scope::Integration,
                id: format!("{id}/{}", workspace.id).into(),
                name: integration.entity.slug.as_str().into(),
                created_ms: integration.created_at,
                version: integration.version,
            };
            let bounds = bounds::read(books, owner, limits);
            (&integration.entity.connection, credentials, Some(bounds))
        }
    };
    Some(connected(stored, connection, credentials, bounds, integration))
}

fn connected(
    stored: &Stored<Provider>,
    connection: &Connection,
    credentials: &Credentials,
    bounds: Bounds,
    integration: Option<Bounds>,
) -> directory::Provider {
    let destination = &connection.destination;
    let mut options: HashMap<Box<str>, Secret> = destination
        .options
        .iter()
        .map(|(name, value)| (name.as_str().into(), Secret::from(value.as_str())))
        .collect();
    let apart = [Connection::PRICE_FACTORS, Connection::HEADERS, Connection::DEPLOYMENTS];
    let settings = connection.settings.iter().filter(|(name, _)| !apart.contains(&name.as_str()));
    for (name, value) in settings {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        options.insert(name.as_str().into(), Secret::from(text));
    }
    let pool = credentials.iter().map(|(id, material)| {
        let weight = connection.credentials.iter().find(|one| one.id == *id).map_or(1, |one| one.weight);
        let options = material.options.iter();
        Credential::new(
            id.to_string().into(),
            weight,
            material.key.clone(),
            options.map(|(name, value)| (name.as_str().into(), value.clone())).collect(),
        )
    });
    let rows = connection.models.rows.iter();
    directory::Provider {
        id: stored.id.to_string().into(),
        slug: stored.entity.slug.as_str().into(),
        provider: destination.provider.as_str().into(),
        base_url: destination.base_url.as_deref().map(|url| url.trim_end_matches('/').into()),
        options,
        headers: headers_of(connection),
        deployments: deployments_of(connection),
        pool: Pool::new(pool.collect()),
        models: AllowedModels {
            only_listed: connection.models.only_listed,
            rows: rows.map(|row| (row.slug.as_str().into(), row.enabled)).collect(),
        },
        prices: Arc::new(prices::of(connection)),
        bounds,
        integration,
        expires_at: stored.entity.expires_at,
    }
}

/// What the admin API let in; what it would not is left out.
fn headers_of(connection: &Connection) -> HeaderMap {
    let stored = connection.settings.get(Connection::HEADERS).and_then(Value::as_object);
    let headers = stored.into_iter().flatten().filter_map(|(name, value)| {
        let mut value = HeaderValue::from_str(value.as_str()?).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    });
    headers.collect()
}

fn deployments_of(connection: &Connection) -> Deployments {
    let stored = connection.settings.get(Connection::DEPLOYMENTS).and_then(Value::as_array);
    let deployments = stored.into_iter().flatten().filter_map(|one| {
        let text = |name: &str| one.get(name).and_then(Value::as_str).map(Box::from);
        Some(Deployment {
            name: text("deployment_id")?,
            api_version: text("api_version"),
            model: text("model"),
            alias: text("alias"),
            is_default: one.get("is_default").and_then(Value::as_bool).unwrap_or(false),
        })
    });
    Deployments(deployments.collect())
}
