//! `tidegate configs`: saved configs and their versions.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use similar::TextDiff;

use crate::client::segment;
use crate::failure::{Failure, FailureKind};
use crate::row::{Flag, minute, text};
use crate::session::{Session, in_workspace};
use crate::table::{table_or, visible};

/// Lines around a difference.
const CONTEXT_LINES: usize = 3;

#[derive(Debug, Clone, Subcommand)]
pub enum ConfigsCommand {
    /// All configs of the workspace
    List,
    /// The text of a config, by slug or name
    Show { slug: String },
    /// Save a file (- is standard input): a new config, or a new version of the one of that slug or name
    Push {
        file: PathBuf,
        /// Its slug (pc-…) or name [default: the file's name without .json]
        #[arg(long)]
        name: Option<String>,
    },
    /// What pushing a file would change; exit code 1 when it would change something
    Diff {
        file: PathBuf,
        /// The config's slug (pc-…) or name [default: the file's name without .json]
        #[arg(long)]
        name: Option<String>,
    },
    /// All versions of a config, the newest first
    Versions { slug: String },
    /// Make an older version the newest one
    Rollback {
        slug: String,
        /// Version to go back to [default: the one before the newest]
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
    /// Delete a config
    #[command(visible_alias = "delete")]
    Remove { slug: String },
}

#[derive(Debug, Clone, Deserialize)]
struct ConfigRow {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    slug: String,
    #[serde(default, deserialize_with = "text")]
    name: String,
    #[serde(default, deserialize_with = "text")]
    status: String,
    #[serde(default, deserialize_with = "text")]
    version_id: String,
    #[serde(default)]
    is_default: Flag,
    #[serde(default, deserialize_with = "text")]
    created_at: String,
    #[serde(default, deserialize_with = "text")]
    last_updated_at: String,
    /// Only where one is read: the object, or its text.
    #[serde(default)]
    config: Value,
}

#[derive(Serialize)]
struct CreateBody<'a> {
    name: &'a str,
    config: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<&'a str>,
}

#[derive(Serialize)]
struct UpdateBody<T> {
    config: T,
}

#[derive(Deserialize)]
struct Created {
    slug: String,
}

pub(crate) async fn run(command: &ConfigsCommand, session: &Session<'_>) -> Result<String, Failure> {
    match command {
        ConfigsCommand::List => {
            let list = session.list_here::<ConfigRow>("/configs").await?;
            let rows: Vec<_> = list.rows.iter().map(line).collect();
            let header = ["SLUG", "NAME", "STATUS", "DEFAULT", "CHANGED"];
            session.show_list(&list, || {
                table_or(&header, &rows, "no configs; save one with `tidegate configs push FILE`")
            })
        }
        ConfigsCommand::Show { slug } => {
            let found = find(slug, session).await?;
            let (answer, row) = read(&found.slug, session).await?;
            let text = row.indented()?;
            Ok(session.show(&answer, || text.trim_end().to_owned()))
        }
        ConfigsCommand::Push { file, name } => push(file, name.as_deref(), session).await,
        ConfigsCommand::Diff { file, name } => {
            let difference = diff(file, name.as_deref(), session).await?;
            if difference.is_empty() {
                Ok("no difference".to_owned())
            } else {
                Err(Failure::new(FailureKind::Differs, difference))
            }
        }
        ConfigsCommand::Versions { slug } => {
            let found = find(slug, session).await?;
            let list = session.list_here::<ConfigRow>(&format!("{}/versions", path(&found.slug))).await?;
            let rows: Vec<_> = list
                .rows
                .iter()
                .map(|row| vec![row.version_id.clone(), minute(row.saved_at()), row.name.clone()])
                .collect();
            session.show_list(&list, || table_or(&["VERSION", "SAVED", "NAME"], &rows, "no versions"))
        }
        ConfigsCommand::Rollback { slug, to } => roll_back(slug, to.as_deref(), session).await,
        ConfigsCommand::Remove { slug } => {
            let found = find(slug, session).await?;
            let workspace = session.workspace().await?;
            let answer =
                session.client.delete(&path(&found.slug), &in_workspace(workspace.as_deref())).await?;
            Ok(session.show(&answer, || format!("removed {}", visible(&found.slug))))
        }
    }
}

async fn push(file: &Path, name: Option<&str>, session: &Session<'_>) -> Result<String, Failure> {
    let text = read_file(file, session)?;
    let config = parse(file, &text)?;
    let name = name_of(file, name)?;
    match find(&name, session).await {
        Ok(found) => {
            let (_, current) = read(&found.slug, session).await?;
            if current.indented()? == indented(config.get())? {
                return Ok(format!("{} is as in {} already", visible(&found.slug), file.display()));
            }
            let answer = put(&found.slug, &config, session).await?;
            Ok(session.show(&answer, || format!("saved a new version of {}", visible(&found.slug))))
        }
        Err(error) if error.kind == FailureKind::NotFound && !name.starts_with("pc-") => {
            let workspace = session.workspace().await?;
            let body = CreateBody { name: &name, config: &config, workspace_id: workspace.as_deref() };
            let answer = session.client.post("/configs", &body).await?;
            let created: Created = answer.read()?;
            Ok(session.show(&answer, || {
                let slug = visible(&created.slug);
                format!("saved {} as {slug}; requests use it with x-portkey-config: {slug}", visible(&name))
            }))
        }
        Err(error) => Err(error),
    }
}

async fn diff(file: &Path, name: Option<&str>, session: &Session<'_>) -> Result<String, Failure> {
    let text = read_file(file, session)?;
    let ours = indented(parse(file, &text)?.get())?;
    let name = name_of(file, name)?;
    let (theirs, slug) = match find(&name, session).await {
        Ok(found) => (read(&found.slug, session).await?.1.indented()?, found.slug),
        Err(error) if error.kind == FailureKind::NotFound => {
            (String::new(), format!("{name} (not there yet)"))
        }
        Err(error) => return Err(error),
    };
    if ours == theirs {
        return Ok(String::new());
    }
    let file = file.display().to_string();
    let difference = TextDiff::from_lines(&theirs, &ours);
    Ok(difference
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(&slug, &file)
        .to_string()
        .trim_end()
        .to_owned())
}

async fn roll_back(config: &str, to: Option<&str>, session: &Session<'_>) -> Result<String, Failure> {
    let found = find(config, session).await?;
    let list = session.list_here::<ConfigRow>(&format!("{}/versions", path(&found.slug))).await?;
    let mut versions = list.rows;
    // The newest first, whatever the order of the answer; equal times stay as they are.
    versions.sort_by(|a, b| b.saved_at().cmp(a.saved_at()));
    let (_, current) = read(&found.slug, session).await?;
    let wanted = match to {
        Some(id) => versions.iter().find(|row| row.version_id == id),
        None => {
            let newest = versions.iter().position(|row| row.version_id == current.version_id).unwrap_or(0);
            versions.get(newest + 1)
        }
    };
    let Some(wanted) = wanted else {
        let problem = match to {
            Some(id) => format!(
                "{} has no version {id}; `tidegate configs versions {}` has them",
                found.slug, found.slug
            ),
            None => format!("{} has one version only", found.slug),
        };
        return Err(Failure::new(FailureKind::NotFound, problem));
    };
    let config: Box<RawValue> = RawValue::from_string(wanted.indented()?)
        .map_err(|error| Failure::failed(format!("version {} is no JSON: {error}", wanted.version_id)))?;
    let answer = put(&found.slug, &config, session).await?;
    let version = wanted.version_id.clone();
    Ok(session.show(&answer, || format!("{} is as in version {version} again", visible(&found.slug))))
}

async fn put(slug: &str, config: &RawValue, session: &Session<'_>) -> Result<crate::client::Answer, Failure> {
    let workspace = session.workspace().await?;
    session.client.put(&path(slug), &in_workspace(workspace.as_deref()), &UpdateBody { config }).await
}

async fn read(slug: &str, session: &Session<'_>) -> Result<(crate::client::Answer, ConfigRow), Failure> {
    let workspace = session.workspace().await?;
    let answer = session.client.get(&path(slug), &in_workspace(workspace.as_deref())).await?;
    let row = answer.read()?;
    Ok((answer, row))
}

/// The config of that slug, id or name.
async fn find(config: &str, session: &Session<'_>) -> Result<ConfigRow, Failure> {
    let list = session.list_here::<ConfigRow>("/configs").await?;
    let is_named = |row: &ConfigRow| row.slug == config || row.id == config;
    let mut found: Vec<_> = match list.rows.iter().find(|row| is_named(row)) {
        Some(row) => vec![row.clone()],
        None => list.rows.into_iter().filter(|row| row.name == config).collect(),
    };
    match found.len() {
        1 => Ok(found.swap_remove(0)),
        0 => {
            let problem =
                format!("there is no config `{}`; `tidegate configs list` has them", visible(config));
            Err(Failure::new(FailureKind::NotFound, problem))
        }
        _ => {
            let slugs: Vec<_> = found.iter().map(|row| row.slug.as_str()).collect();
            let problem = format!(
                "several configs are called `{}`; name one by its slug: {}",
                visible(config),
                slugs.join(", ")
            );
            Err(Failure::usage(problem))
        }
    }
}

impl ConfigRow {
    fn saved_at(&self) -> &str {
        if self.last_updated_at.is_empty() { &self.created_at } else { &self.last_updated_at }
    }

    /// The config's text, indented, whichever form it came in.
    fn indented(&self) -> Result<String, Failure> {
        match &self.config {
            Value::String(text) => indented(text),
            other => indented(&other.to_string()),
        }
    }
}

fn line(row: &ConfigRow) -> Vec<String> {
    let is_default = if row.is_default.0 { "yes" } else { "" };
    vec![
        row.slug.clone(),
        row.name.clone(),
        row.status.clone(),
        is_default.to_owned(),
        minute(row.saved_at()),
    ]
}

fn indented(text: &str) -> Result<String, Failure> {
    let value: Result<Value, _> = serde_json::from_str(text);
    let text = value.and_then(|value| serde_json::to_string_pretty(&value));
    text.map(|text| text + "\n").map_err(|error| Failure::failed(format!("the config is no JSON: {error}")))
}

fn read_file(file: &Path, session: &Session<'_>) -> Result<String, Failure> {
    if file != Path::new("-") {
        let text = std::fs::read_to_string(file);
        return text.map_err(|error| Failure::usage(format!("{}: {error}", file.display())));
    }
    if session.has_used_input() {
        return Err(Failure::usage("standard input has the admin key; name a file"));
    }
    let text = session.context.terminal.input();
    text.map(|text| text.to_string()).map_err(|error| Failure::usage(format!("standard input: {error}")))
}

fn parse(file: &Path, text: &str) -> Result<Box<RawValue>, Failure> {
    let config: Result<Box<RawValue>, _> = serde_json::from_str(text);
    let config = config.map_err(|error| Failure::usage(format!("{}: no JSON: {error}", file.display())))?;
    if !config.get().starts_with('{') {
        return Err(Failure::usage(format!("{}: a config is a JSON object", file.display())));
    }
    Ok(config)
}

fn name_of(file: &Path, name: Option<&str>) -> Result<String, Failure> {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).filter(|stem| *stem != "-");
    let name = name.or(stem).map(str::to_owned);
    name.ok_or_else(|| Failure::usage("say with --name which config standard input is"))
}

fn path(slug: &str) -> String {
    format!("/configs/{}", segment(slug))
}
