//! What a limit or a budget stands at: a key, a provider or a workspace.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::client::segment;
use crate::failure::{Failure, FailureKind};
use crate::keys::{self, KeyRow};
use crate::limit::{RateLimit, UsageLimit, Used, one_or_many};
use crate::providers::{self, ProviderRow};
use crate::row::text;
use crate::session::{Session, in_workspace};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    Key,
    Provider,
    Workspace,
}

/// An object that has limits.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Owner {
    pub(crate) kind: OwnerKind,
    /// For people.
    pub(crate) name: String,
    #[serde(skip)]
    path: String,
    #[serde(skip)]
    workspace: Option<String>,
    pub(crate) status: String,
    #[serde(rename = "rate_limits")]
    pub(crate) rates: Vec<RateLimit>,
    #[serde(rename = "usage_limits")]
    pub(crate) budgets: Vec<UsageLimit>,
}

#[derive(Debug, Clone, Deserialize)]
struct WorkspaceRow {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    slug: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "one_or_many")]
    rate_limits: Vec<RateLimit>,
    #[serde(default, deserialize_with = "one_or_many")]
    usage_limits: Vec<UsageLimit>,
    #[serde(default)]
    current_usage: Vec<Used>,
}

impl OwnerKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Provider => "provider",
            Self::Workspace => "workspace",
        }
    }
}

impl Owner {
    /// The object of that name, with its limits.
    pub(crate) async fn find(kind: OwnerKind, name: &str, session: &Session<'_>) -> Result<Self, Failure> {
        match kind {
            OwnerKind::Key => {
                let row = keys::find(name, session).await?;
                let answer = session
                    .client
                    .get(&keys::path(&row.id), &in_workspace(row.workspace_id.as_deref()))
                    .await?;
                Ok(Self::of_key(answer.read()?))
            }
            OwnerKind::Provider => {
                let workspace = session.workspace().await?;
                let answer =
                    session.client.get(&providers::path(name), &in_workspace(workspace.as_deref())).await?;
                Ok(Self::of_provider(answer.read()?, workspace))
            }
            OwnerKind::Workspace => {
                let answer = session.client.get(&format!("/admin/workspaces/{}", segment(name)), &[]).await?;
                Ok(Self::of_workspace(answer.read()?))
            }
        }
    }

    /// All objects that can have limits and that the key may see. Lists leave some limits out, so each is read.
    pub(crate) async fn all(session: &Session<'_>) -> Result<Vec<Self>, Failure> {
        let workspace = session.workspace().await?;
        let query = in_workspace(workspace.as_deref());
        let mut owners = Vec::new();
        if let Some(list) = visible(session.list::<WorkspaceRow>("/admin/workspaces", &[]).await)? {
            owners.extend(list.rows.into_iter().map(Self::of_workspace));
        }
        if let Some(list) = visible(session.list::<ProviderRow>("/providers", &query).await)? {
            for row in list.rows {
                let answer = session.client.get(&providers::path(&row.slug), &query).await?;
                owners.push(Self::of_provider(answer.read()?, workspace.clone()));
            }
        }
        if let Some(list) = visible(session.list::<KeyRow>("/api-keys", &query).await)? {
            owners.extend(list.rows.into_iter().map(Self::of_key));
        }
        Ok(owners)
    }

    fn of_key(row: KeyRow) -> Self {
        Self {
            kind: OwnerKind::Key,
            path: keys::path(&row.id),
            name: row.name,
            workspace: row.workspace_id,
            status: row.status,
            rates: row.rate_limits,
            budgets: Used::of(row.usage_limits, row.current_usage),
        }
    }

    fn of_provider(row: ProviderRow, workspace: Option<String>) -> Self {
        Self {
            kind: OwnerKind::Provider,
            path: providers::path(&row.slug),
            name: format!("@{}", row.slug),
            workspace,
            status: row.status,
            rates: row.rate_limits,
            budgets: Used::of(row.usage_limits, row.current_usage),
        }
    }

    fn of_workspace(row: WorkspaceRow) -> Self {
        let name = if row.slug.is_empty() { row.id } else { row.slug };
        Self {
            kind: OwnerKind::Workspace,
            path: format!("/admin/workspaces/{}", segment(&name)),
            name,
            workspace: None,
            status: row.status,
            rates: row.rate_limits,
            budgets: Used::of(row.usage_limits, row.current_usage),
        }
    }

    /// Changes members of the object.
    pub(crate) async fn put(
        &self,
        session: &Session<'_>,
        body: &impl Serialize,
    ) -> Result<crate::client::Answer, Failure> {
        session.client.put(&self.path, &in_workspace(self.workspace.as_deref()), body).await
    }

    /// `key my-app`.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.kind.word(), crate::table::visible(&self.name))
    }
}

/// What the key may not list is left out.
fn visible<T>(listed: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match listed {
        Err(error) if error.kind == FailureKind::Forbidden => Ok(None),
        other => other.map(Some),
    }
}
