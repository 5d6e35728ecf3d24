//! The versions of a config: each change of it made one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_core::field::shown;
use tidegate_store::Expected;
use tidegate_store::entity::{Config, Stored};
use tidegate_store::id::{EntityId, version_id};
use tidegate_store::store::Version;
use uuid::Uuid;

use super::diff::{self, Difference};
use super::grammar::{self, Names};
use super::row::VersionRow;
use super::secrets::masked;
use super::{Filter, Updated, workspace_of};
use crate::call::Call;
use crate::find::{Place, named};
use crate::listing::{List, page};
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};

/// Versions of one config that can be listed.
const MOST: u32 = 1_000;

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Compared {
    /// Number or id of a version; the one before `to` unless said otherwise.
    from: Option<String>,
    /// The newest unless said otherwise.
    to: Option<String>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Rollback {
    /// Number or id.
    version: NumberOrId,
    #[serde(default)]
    workspace_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum NumberOrId {
    Number(u64),
    Id(String),
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Differences {
    object: Object,
    from: Side,
    to: Side,
    /// Credentials are masked: two that differ may look alike.
    changes: Vec<Difference>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Side {
    version: u64,
    version_id: Uuid,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Object {
    ConfigDiff,
}

pub(crate) async fn versions(call: Call, filter: Filter, _: Nothing) -> Answer<List<VersionRow>> {
    let config = named::<Config>(&call, filter.place.workspace_id.as_deref()).await?;
    let versions = call.store().history::<Config>(&call.whole(), config.id, None, MOST).await?;
    let (total, versions) = page(filter.paging, versions)?;
    ok(List::new(total, versions.iter().map(|version| VersionRow::of(&config, version)).collect()))
}

pub(crate) async fn version(call: Call, place: Place, _: Nothing) -> Answer<VersionRow> {
    let config = named::<Config>(&call, place.workspace_id.as_deref()).await?;
    let version = one(&call, &config, call.name(1)).await?;
    let version = version.ok_or_else(|| Problem::not_found("this version"))?;
    ok(VersionRow::of(&config, &version))
}

pub(crate) async fn compare(call: Call, query: Compared, _: Nothing) -> Answer<Differences> {
    let config = named::<Config>(&call, query.place.workspace_id.as_deref()).await?;
    let to = query.to.unwrap_or_else(|| config.version.to_string());
    let to = asked(&call, &config, "to", &to).await?;
    let before = to.version.saturating_sub(1).max(1);
    let from = query.from.unwrap_or_else(|| before.to_string());
    let from = asked(&call, &config, "from", &from).await?;
    let side = |version: &Version<Config>| Side {
        version: version.version,
        version_id: version_id(config.id.uuid(), version.version),
    };
    let (before, after) = (&from.entity.content, &to.entity.content);
    let (shown_before, shown_after) = (masked(before), masked(after));
    let changes = diff::between(
        diff::Side { real: before, shown: &shown_before },
        diff::Side { real: after, shown: &shown_after },
    );
    ok(Differences { object: Object::ConfigDiff, from: side(&from), to: side(&to), changes })
}

/// The content of an old version becomes the newest one; nothing between them is lost.
pub(crate) async fn rollback(call: Call, place: Place, body: Rollback) -> Answer<Updated> {
    let wanted = body.workspace_id.as_deref().or(place.workspace_id.as_deref());
    let config = named::<Config>(&call, wanted).await?;
    let text = match body.version {
        NumberOrId::Number(number) => number.to_string(),
        NumberOrId::Id(text) => text,
    };
    let version = asked(&call, &config, "version", &text).await?;
    // What was good then may name a provider that is gone.
    let names = Names::of(&call, workspace_of(config.home.workspace)?).await?;
    grammar::check(&call, &names, &version.entity.content)?;
    let change = |stored: &mut Config| {
        stored.content.clone_from(&version.entity.content);
        Ok(())
    };
    let by = call.by.clone().saying(format!("back to version {}", version.version));
    let changed = call.store().update(&by, &call.whole(), config.id, Expected::Latest, change).await?;
    ok(Updated::of(&changed))
}

/// As [`one`], for a version that a member names.
async fn asked(
    call: &Call,
    config: &Stored<Config>,
    field: &str,
    text: &str,
) -> Result<Version<Config>, Problem> {
    one(call, config, text).await?.ok_or_else(|| {
        let expected = format!("a number from 1 to {}, or the id of a version", config.version);
        Problem::field(field, format!("there is no version {}", shown(text)), expected)
    })
}

/// A version by its number or id.
async fn one(call: &Call, config: &Stored<Config>, text: &str) -> Result<Option<Version<Config>>, Problem> {
    let number = match Uuid::try_parse(text) {
        // Ids are made from numbers, so there is no index on them.
        Ok(id) => (1..=config.version).rev().find(|number| version_id(config.id.uuid(), *number) == id),
        Err(_) => text.parse().ok().filter(|number| (1..=config.version).contains(number)),
    };
    let Some(number) = number else { return Ok(None) };
    let found = call.store().history::<Config>(&call.whole(), config.id, Some(number + 1), 1).await?;
    Ok(found.into_iter().find(|version| version.version == number))
}
