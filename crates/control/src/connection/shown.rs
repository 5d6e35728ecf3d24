//! What of a connection is shown: never a secret, at most its first and last characters.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_store::entity::{Connection, Credential, CredentialState};
use tidegate_store::id::EntityId;
use uuid::Uuid;

use super::field::{Field, camel};
use super::{CUSTOM_HOST, DEPLOYMENTS, HEADERS, deployment};
use crate::timestamp::Timestamp;

/// What stands for a header's value.
pub(super) const MASK: &str = "***";

/// In whose words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `configurations` of an integration.
    Integration,
    /// `model_config` of a virtual key.
    VirtualKey,
}

/// One credential of a pool.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CredentialRow {
    id: Uuid,
    label: String,
    /// The share of requests; 0 for a spare.
    weight: u32,
    status: State,
    masked_key: String,
    created_at: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Active,
    Disabled,
}

pub(crate) fn credentials(connection: &Connection) -> Vec<CredentialRow> {
    let row = |credential: &Credential| CredentialRow {
        id: credential.id.uuid(),
        label: credential.label.clone(),
        weight: credential.weight,
        status: match credential.state {
            CredentialState::Active => State::Active,
            CredentialState::Disabled => State::Disabled,
        },
        masked_key: credential.shown.clone(),
        created_at: Timestamp(credential.added_at),
    };
    connection.credentials.iter().map(row).collect()
}

/// Of the first credential.
pub(crate) fn masked_key(connection: &Connection) -> Option<String> {
    connection.credentials.first().map(|credential| credential.shown.clone())
}

/// Everything that is no secret, in the words in which it is entered.
pub(crate) fn settings(connection: &Connection, style: Style) -> Map<String, Value> {
    let name = |option: &str| match (Field::of_option(option), style) {
        (Some(field), Style::Integration) => field.name.to_owned(),
        (Some(field), Style::VirtualKey) => field.camel(),
        (None, Style::Integration) => option.to_owned(),
        (None, Style::VirtualKey) => camel(option),
    };
    let mut shown = Map::new();
    for (option, value) in &connection.destination.options {
        shown.insert(name(option), Value::String(value.clone()));
    }
    for (option, value) in &connection.settings {
        match option.as_str() {
            DEPLOYMENTS if style == Style::Integration => {
                shown.insert("azure_deployment_config".to_owned(), deployment::shown(value, false));
            }
            DEPLOYMENTS => drop(shown.insert("deploymentConfig".to_owned(), deployment::shown(value, true))),
            // They may hold a key under any name.
            HEADERS => drop(shown.insert(name(HEADERS), masked(value))),
            option if value.is_string() => drop(shown.insert(name(option), value.clone())),
            _ => {}
        }
    }
    if let Some(url) = connection.destination.base_url.as_ref()
        && !connection.settings.contains_key(CUSTOM_HOST)
    {
        shown.insert(name("base_url"), Value::String(url.clone()));
    }
    shown
}

fn masked(headers: &Value) -> Value {
    let members = headers.as_object().into_iter().flatten();
    Value::Object(members.map(|(name, _)| (name.clone(), Value::from(MASK))).collect())
}
