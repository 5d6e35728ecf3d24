//! One call of the command line: a gateway, a key for it, a workspace, and how the answer is shown.

use std::path::PathBuf;

use clap::Args;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::admin_key;
use crate::client::{Answer, Client};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::row::{Flag, text};

/// The variable with the workspace to work in.
pub const WORKSPACE_VARIABLE: &str = "TIDEGATE_WORKSPACE";
/// No page has more.
const PAGE: usize = 100;
/// A list that goes on and on is a mistake of the other side.
const MAX_PAGES: usize = 1_000;

/// Which gateway, and with which key.
#[derive(Debug, Clone, Default, Args)]
pub struct Remote {
    /// Address of the gateway [default: host and port of the settings; env: TIDEGATE_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// Workspace, by slug or id [default: the default workspace; env: TIDEGATE_WORKSPACE]
    #[arg(long, global = true, value_name = "SLUG")]
    pub workspace: Option<String>,
    /// File with the admin key, - for standard input [default: admin.key in the data directory; env: TIDEGATE_ADMIN_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    pub admin_key_file: Option<PathBuf>,
    /// Print what the API answers, as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

pub(crate) struct Session<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) client: Client,
    remote: &'a Remote,
}

/// All rows of a list, with their text.
pub(crate) struct List<T> {
    pub(crate) rows: Vec<T>,
    raw: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct PageOfRows {
    #[serde(default)]
    total: Option<usize>,
    // The audit log has another name for it.
    #[serde(alias = "records")]
    data: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct WorkspaceRow {
    #[serde(default, deserialize_with = "text")]
    slug: String,
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default)]
    is_default: Flag,
}

impl<'a> Session<'a> {
    pub(crate) fn new(context: &'a Context<'a>, remote: &'a Remote) -> Result<Self, Failure> {
        let key = admin_key::find(context, remote.admin_key_file.as_deref())?;
        let client = Client::new(context, remote.url.as_deref(), key)?;
        Ok(Self { context, client, remote })
    }

    /// Whether standard input is where the admin key came from.
    pub(crate) fn has_used_input(&self) -> bool {
        self.remote.admin_key_file.as_deref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// The answer for people, or as the API wrote it.
    pub(crate) fn show(&self, answer: &Answer, human: impl FnOnce() -> String) -> String {
        if self.remote.json { answer.pretty() } else { human() }
    }

    pub(crate) fn show_list<T>(
        &self,
        list: &List<T>,
        human: impl FnOnce() -> String,
    ) -> Result<String, Failure> {
        #[derive(Serialize)]
        struct Shown<'a> {
            object: &'static str,
            total: usize,
            data: &'a [Box<RawValue>],
        }
        self.show_made(&Shown { object: "list", total: list.raw.len(), data: &list.raw }, human)
    }

    /// What several answers come to.
    pub(crate) fn show_made(
        &self,
        made: &impl Serialize,
        human: impl FnOnce() -> String,
    ) -> Result<String, Failure> {
        if !self.remote.json {
            return Ok(human());
        }
        serde_json::to_string_pretty(made).map_err(|error| Failure::failed(error.to_string()))
    }

    /// The workspace that was named, as it was named.
    pub(crate) fn named_workspace(&self) -> Option<&str> {
        self.remote.workspace.as_deref().or_else(|| self.context.variable(WORKSPACE_VARIABLE))
    }

    /// The workspace to work in; nothing for a key that belongs to one and may not list them.
    ///
    /// # Errors
    /// Several workspaces and none that is the default.
    pub(crate) async fn workspace(&self) -> Result<Option<String>, Failure> {
        if let Some(named) = self.named_workspace() {
            return Ok(Some(named.to_owned()));
        }
        let list: List<WorkspaceRow> = match self.list("/admin/workspaces", &[]).await {
            Err(error) if error.kind == FailureKind::Forbidden => return Ok(None),
            other => other?,
        };
        let mut rows = list.rows;
        if let Some(at) = rows.iter().position(|row| row.is_default.0) {
            rows = vec![rows.swap_remove(at)];
        }
        let name = |row: &WorkspaceRow| if row.slug.is_empty() { row.id.clone() } else { row.slug.clone() };
        match rows.as_slice() {
            [] => {
                Err(Failure::failed("there is no workspace; make one with `tidegate workspaces create NAME`"))
            }
            [one] => Ok(Some(name(one))),
            several => {
                let names: Vec<_> = several.iter().map(name).collect();
                let problem =
                    format!("there are several workspaces; say which with --workspace: {}", names.join(", "));
                Err(Failure::usage(problem))
            }
        }
    }

    /// All pages of a list.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<List<T>, Failure> {
        // The paths of people are the ones that were never renamed.
        let (size, current) = match path.starts_with("/admin/users") {
            true => ("pageSize", "currentPage"),
            false => ("page_size", "current_page"),
        };
        let mut list = List { rows: Vec::new(), raw: Vec::new() };
        let page_size = PAGE.to_string();
        for page in 0..MAX_PAGES {
            let page = page.to_string();
            let mut query = query.to_vec();
            query.extend([(size, page_size.as_str()), (current, page.as_str())]);
            let answer = self.client.get(path, &query).await?;
            let PageOfRows { total, data } = answer.read()?;
            let is_last =
                data.len() < PAGE || total.is_some_and(|total| list.raw.len() + data.len() >= total);
            for row in data {
                list.rows.push(read_row(&row)?);
                list.raw.push(row);
            }
            if is_last {
                break;
            }
        }
        Ok(list)
    }

    /// The rows of a list within the workspace.
    pub(crate) async fn list_here<T: DeserializeOwned>(&self, path: &str) -> Result<List<T>, Failure> {
        let workspace = self.workspace().await?;
        self.list(path, &in_workspace(workspace.as_deref())).await
    }
}

/// The query that names a workspace.
pub(crate) fn in_workspace(workspace: Option<&str>) -> Vec<(&'static str, &str)> {
    workspace.map(|workspace| ("workspace_id", workspace)).into_iter().collect()
}

fn read_row<T: DeserializeOwned>(row: &RawValue) -> Result<T, Failure> {
    serde_json::from_str(row.get()).map_err(|error| {
        Failure::failed(format!("a row of the list has another shape than expected: {error}"))
    })
}
