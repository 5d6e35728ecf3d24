//! Which models an integration serves: `/v1/integrations/{slug}/models`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tidegate_catalog::models_of;
use tidegate_store::Expected;
use tidegate_store::entity::{Integration, ModelRow};

use super::find::named;
use super::prices::check_config;
use crate::call::Call;
use crate::find::Place;
use crate::flag::Flag;
use crate::patch::Patch;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, done, ok};
use crate::timestamp::Timestamp;

/// Models that are said something of.
const MOST: usize = 5_000;
/// Members of a stored row's details.
const CUSTOM: &str = "is_custom";
const FINETUNE: &str = "is_finetune";
const BASE: &str = ModelRow::BASE;
const PRICES: &str = ModelRow::PRICES;
const CREATED: &str = "created_at";
const UPDATED: &str = "updated_at";

#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Models {
    models: Vec<Model>,
    #[serde(default)]
    allow_all_models: Option<Flag>,
    #[serde(default)]
    workspace_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Model {
    slug: String,
    enabled: Flag,
    #[serde(default)]
    is_custom: Option<Flag>,
    #[serde(default)]
    is_finetune: Option<Flag>,
    #[serde(default)]
    base_model_slug: Patch<String>,
    /// An address of the model's own is not supported: it must be empty.
    #[serde(default)]
    configurations: Option<Map<String, Value>>,
    #[serde(default)]
    pricing_config: Patch<Value>,
}

/// Custom models to remove, in the query or in the body.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Slugs {
    /// With commas between them.
    slugs: Option<String>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Forgotten {
    #[serde(default)]
    models: Vec<Named>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Named {
    Slug(String),
    Model { slug: String },
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Listed {
    object: Object,
    total: usize,
    allow_all_models: bool,
    models: Vec<Row>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    slug: String,
    name: String,
    enabled: bool,
    is_custom: bool,
    is_finetune: bool,
    base_model_slug: Option<String>,
    pricing_config: Option<Value>,
    /// Null for one that nobody said anything of.
    created_at: Option<Timestamp>,
    last_updated_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Object {
    List,
}

/// What was said of models, and then the others that the catalogue knows.
pub(crate) async fn list(call: Call, place: Place, _: Nothing) -> Answer<Listed> {
    let integration = named(&call, place.workspace_id.as_deref()).await?;
    let connection = &integration.entity.connection;
    let known = models_of(&connection.destination.provider);
    let is_known = |slug: &str| known.contains(&slug);
    let mut models: Vec<Row> =
        connection.models.rows.iter().map(|row| Row::of(row, is_known(&row.slug))).collect();
    let said = |slug: &str| connection.models.rows.iter().any(|row| row.slug == slug);
    let others = known.iter().filter(|slug| !said(slug));
    models.extend(others.map(|slug| Row::unsaid(slug, !connection.models.only_listed)));
    ok(Listed {
        object: Object::List,
        total: models.len(),
        allow_all_models: !connection.models.only_listed,
        models,
    })
}

/// Models that are not named stay as they are.
pub(crate) async fn allow(call: Call, place: Place, body: Models) -> Answer<Nothing> {
    let wanted = body.workspace_id.as_deref().or(place.workspace_id.as_deref());
    let integration = named(&call, wanted).await?;
    for (at, model) in body.models.iter().enumerate() {
        check(&format!("models[{at}]"), model)?;
    }
    let known = models_of(&integration.entity.connection.destination.provider);
    let before = &integration.entity.connection.models.rows;
    let new = body.models.iter().filter(|model| !before.iter().any(|row| row.slug == model.slug));
    if before.len() + new.count() > MOST {
        return Err(Problem::field("models", "are too many", format!("at most {MOST} of an integration")));
    }
    let now = call.now();
    let change = |stored: &mut Integration| {
        let models = &mut stored.connection.models;
        if let Some(all) = body.allow_all_models {
            models.only_listed = !all.0;
        }
        for model in &body.models {
            let at = models.rows.iter().position(|row| row.slug == model.slug);
            let mut row = match at {
                Some(at) => models.rows.remove(at),
                None => ModelRow {
                    slug: model.slug.clone(),
                    enabled: true,
                    details: Map::from_iter([(CREATED.to_owned(), json!(now))]),
                },
            };
            model.write(&mut row, now, known.contains(&model.slug.as_str()));
            models.rows.insert(at.unwrap_or(models.rows.len()), row);
        }
        Ok(())
    };
    call.store().update(&call.by, &call.whole(), integration.id, Expected::Latest, change).await?;
    done()
}

pub(crate) async fn forget(call: Call, query: Slugs, body: Forgotten) -> Answer<Nothing> {
    let integration = named(&call, query.place.workspace_id.as_deref()).await?;
    let in_query = query.slugs.iter().flat_map(|slugs| slugs.split(','));
    let in_query = in_query.map(|slug| slug.trim().to_owned()).filter(|slug| !slug.is_empty());
    let in_body = body.models.into_iter().map(|named| match named {
        Named::Slug(slug) | Named::Model { slug } => slug,
    });
    let slugs: Vec<String> = in_query.chain(in_body).collect();
    if slugs.is_empty() {
        return Err(Problem::field(
            "slugs",
            "is missing",
            "slugs of custom models, with commas between them",
        ));
    }
    let connection = &integration.entity.connection;
    let known = models_of(&connection.destination.provider);
    let is_custom = |row: &ModelRow| Row::of(row, known.contains(&row.slug.as_str())).is_custom;
    let not_custom = connection
        .models
        .rows
        .iter()
        .find(|row| slugs.contains(&row.slug) && !is_custom(row))
        .map(|row| &row.slug);
    let not_custom = not_custom.or_else(|| slugs.iter().find(|slug| known.contains(&slug.as_str())));
    if let Some(slug) = not_custom {
        let problem = format!("{} is no custom model", tidegate_core::field::shown(slug));
        return Err(Problem::field(
            "slugs",
            problem,
            "custom models; others are switched off with `enabled`",
        ));
    }
    let change = |stored: &mut Integration| {
        stored.connection.models.rows.retain(|row| !slugs.contains(&row.slug));
        Ok(())
    };
    call.store().update(&call.by, &call.whole(), integration.id, Expected::Latest, change).await?;
    done()
}

fn check(field: &str, model: &Model) -> Result<(), Problem> {
    let is_name =
        |text: &str| !text.trim().is_empty() && text.len() <= 255 && !text.chars().any(char::is_control);
    let expected = "a model's name of at most 255 bytes";
    if !is_name(&model.slug) {
        return Err(Problem::field(&format!("{field}.slug"), "is not accepted", expected));
    }
    if let Patch::Set(base) = &model.base_model_slug
        && !is_name(base)
    {
        return Err(Problem::field(&format!("{field}.base_model_slug"), "is not accepted", expected));
    }
    if model.configurations.as_ref().is_some_and(|members| !members.is_empty()) {
        let problem = "an address of a model's own is not supported in this version";
        return Err(Problem::field(
            &format!("{field}.configurations"),
            problem,
            "an integration for that address",
        ));
    }
    match &model.pricing_config {
        Patch::Set(prices) => check_config(&format!("{field}.pricing_config"), prices),
        Patch::Keep | Patch::Clear => Ok(()),
    }
}

impl Model {
    fn write(&self, row: &mut ModelRow, now: u64, is_known: bool) {
        row.enabled = self.enabled.0;
        for (name, flag, usual) in [(CUSTOM, self.is_custom, !is_known), (FINETUNE, self.is_finetune, false)]
        {
            if flag.is_some() || !row.details.contains_key(name) {
                row.details.insert(name.to_owned(), json!(flag.map_or(usual, |flag| flag.0)));
            }
        }
        let base = self.base_model_slug.clone().map(Value::String);
        for (name, change) in [(BASE, base), (PRICES, self.pricing_config.clone())] {
            match change {
                Patch::Keep => {}
                Patch::Clear => drop(row.details.remove(name)),
                Patch::Set(value) => drop(row.details.insert(name.to_owned(), value)),
            }
        }
        row.details.insert(UPDATED.to_owned(), json!(now));
    }
}

impl Row {
    fn of(row: &ModelRow, is_known: bool) -> Self {
        let flag = |name: &str, usual| row.details.get(name).and_then(Value::as_bool).unwrap_or(usual);
        let time = |name: &str| row.details.get(name).and_then(Value::as_u64).map(Timestamp);
        Self {
            slug: row.slug.clone(),
            name: row.slug.clone(),
            enabled: row.enabled,
            is_custom: flag(CUSTOM, !is_known),
            is_finetune: flag(FINETUNE, false),
            base_model_slug: row.details.get(BASE).and_then(Value::as_str).map(str::to_owned),
            pricing_config: row.details.get(PRICES).cloned(),
            created_at: time(CREATED),
            last_updated_at: time(UPDATED),
        }
    }

    fn unsaid(slug: &str, enabled: bool) -> Self {
        Self {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            enabled,
            is_custom: false,
            is_finetune: false,
            base_model_slug: None,
            pricing_config: None,
            created_at: None,
            last_updated_at: None,
        }
    }
}
