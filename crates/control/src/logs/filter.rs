//! The query of a list of logs, under the names of the analytics API.

use std::collections::BTreeSet;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tidegate_core::clock::rfc3339_seconds;
use tidegate_core::field::shown;
use tidegate_pricing::Decimal;
use tidegate_records::{Between, Filter, Search, StatusFilter};

use super::marked::{Marks, nothing};
use crate::problem::Problem;

/// Names with commas between them, times and numbers. Everything that is given must hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Asked {
    /// RFC 3339.
    pub(crate) time_of_generation_min: Option<String>,
    pub(crate) time_of_generation_max: Option<String>,
    pub(crate) status_code: Option<String>,
    /// `true` is any status from 200 to 299, `false` any from 300 on.
    pub(crate) is_success: Option<String>,
    pub(crate) ai_model: Option<String>,
    /// `provider__model`
    pub(crate) ai_org_model: Option<String>,
    /// Ids in the catalogue.
    pub(crate) ai_org: Option<String>,
    pub(crate) virtual_keys: Option<String>,
    pub(crate) configs: Option<String>,
    pub(crate) api_key_ids: Option<String>,
    /// The users that metadata names.
    pub(crate) user: Option<String>,
    pub(crate) trace_id: Option<String>,
    /// The sessions that requests name.
    pub(crate) session: Option<String>,
    /// `HIT`, `MISS`, `SEMANTIC HIT`, `SEMANTIC MISS`, `REFRESH`, `DISABLED`
    pub(crate) cache_status: Option<String>,
    /// A JSON object of texts.
    pub(crate) metadata: Option<String>,
    /// Cents.
    pub(crate) cost_min: Option<String>,
    pub(crate) cost_max: Option<String>,
    pub(crate) total_units_min: Option<String>,
    pub(crate) total_units_max: Option<String>,
    pub(crate) prompt_token_min: Option<String>,
    pub(crate) prompt_token_max: Option<String>,
    pub(crate) completion_token_min: Option<String>,
    pub(crate) completion_token_max: Option<String>,
    /// -10 to 10: a mark of the request's trace, times its weight, is not below.
    pub(crate) weighted_feedback_min: Option<String>,
    /// Likewise not above; the same mark is within both.
    pub(crate) weighted_feedback_max: Option<String>,
    /// This version has no prompts, so that no request fits.
    pub(crate) prompt_slug: Option<String>,
    /// Ids of requests' own spans.
    pub(crate) span_id: Option<String>,
    /// Words that must all be in the bodies of request and answer, where those are kept; 500 characters at most. Case and
    /// everything but letters and digits mean nothing.
    pub(crate) search: Option<String>,
}

/// Names of one parameter.
const MOST: usize = 200;

impl Asked {
    /// # Errors
    /// 400 naming the parameter. One that is known and cannot be answered is an error: a list that leaves it out
    /// would be another list.
    pub(crate) fn filter(&self) -> Result<Filter, Problem> {
        let (provider, model) = self.provider_and_model()?;
        let mut filter = Filter {
            from_ms: time("time_of_generation_min", self.time_of_generation_min.as_deref())?,
            // Of the last second, all.
            to_ms: time("time_of_generation_max", self.time_of_generation_max.as_deref())?
                .map(|ms| ms.saturating_add(1_000)),
            status: self.status()?,
            provider,
            model,
            api_key: names("api_key_ids", self.api_key_ids.as_deref())?,
            virtual_key: names("virtual_keys", self.virtual_keys.as_deref())?
                .into_iter()
                .map(|slug| slug.strip_prefix('@').map(str::to_owned).unwrap_or(slug))
                .collect(),
            config: names("configs", self.configs.as_deref())?,
            user: names("user", self.user.as_deref())?,
            trace: names("trace_id", self.trace_id.as_deref())?,
            span: names("span_id", self.span_id.as_deref())?,
            session: names("session", self.session.as_deref())?,
            cache: self.cache()?,
            metadata: metadata(self.metadata.as_deref())?,
            cost: Between {
                min: dollars("cost_min", self.cost_min.as_deref())?,
                max: dollars("cost_max", self.cost_max.as_deref())?,
            },
            prompt_tokens: Between {
                min: number("prompt_token_min", self.prompt_token_min.as_deref())?,
                max: number("prompt_token_max", self.prompt_token_max.as_deref())?,
            },
            completion_tokens: Between {
                min: number("completion_token_min", self.completion_token_min.as_deref())?,
                max: number("completion_token_max", self.completion_token_max.as_deref())?,
            },
            total_tokens: Between {
                min: number("total_units_min", self.total_units_min.as_deref())?,
                max: number("total_units_max", self.total_units_max.as_deref())?,
            },
            search: search(self.search.as_deref())?,
            ..Filter::default()
        };
        if !names("prompt_slug", self.prompt_slug.as_deref())?.is_empty() {
            nothing(&mut filter);
        }
        Ok(filter)
    }

    /// Which marks the requests have; `None`: any, or none.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub(crate) fn marks(&self) -> Result<Option<Marks>, Problem> {
        Marks::read(self.weighted_feedback_min.as_deref(), self.weighted_feedback_max.as_deref())
    }

    fn status(&self) -> Result<Option<StatusFilter>, Problem> {
        let codes = names("status_code", self.status_code.as_deref())?;
        let codes =
            codes.iter().map(|code| number::<u16>("status_code", Some(code)).map(Option::unwrap_or_default));
        let codes: Vec<u16> = codes.collect::<Result<_, _>>()?;
        let success = match self.is_success.as_deref() {
            None => None,
            Some("true" | "1") => Some(true),
            Some("false" | "0") => Some(false),
            Some(_) => return Err(Problem::field("is_success", "is not accepted", "true or false")),
        };
        Ok(match (codes.is_empty(), success) {
            (true, None) => None,
            (true, Some(true)) => Some(StatusFilter::Range(200, 299)),
            (true, Some(false)) => Some(StatusFilter::Range(300, u16::MAX)),
            (false, None) => Some(StatusFilter::Is(codes)),
            (false, Some(_)) => {
                return Err(Problem::field("is_success", "stands beside status_code", "one of the two"));
            }
        })
    }

    fn cache(&self) -> Result<Vec<String>, Problem> {
        let word = |shown: String| match shown.as_str() {
            "HIT" => Ok("hit".to_owned()),
            "MISS" => Ok("miss".to_owned()),
            "SEMANTIC HIT" => Ok("semantic_hit".to_owned()),
            "SEMANTIC MISS" => Ok("semantic_miss".to_owned()),
            "REFRESH" => Ok("refreshed".to_owned()),
            "DISABLED" => Ok("disabled".to_owned()),
            _ => Err(Problem::field(
                "cache_status",
                "is not accepted",
                "HIT, MISS, SEMANTIC HIT, SEMANTIC MISS, REFRESH, DISABLED",
            )),
        };
        names("cache_status", self.cache_status.as_deref())?.into_iter().map(word).collect()
    }

    /// Records are filtered by providers and by models, each on its own: pairs must be all of some with all of others.
    fn provider_and_model(&self) -> Result<(Vec<String>, Vec<String>), Problem> {
        let providers = names("ai_org", self.ai_org.as_deref())?;
        let models = names("ai_model", self.ai_model.as_deref())?;
        let pairs = names("ai_org_model", self.ai_org_model.as_deref())?;
        if pairs.is_empty() {
            return Ok((providers, models));
        }
        if !providers.is_empty() || !models.is_empty() {
            let expected = "ai_org_model, or ai_org and ai_model";
            return Err(Problem::field("ai_org_model", "stands beside ai_org or ai_model", expected));
        }
        let split = |pair: &str| pair.split_once("__").map(|(org, model)| (org.to_owned(), model.to_owned()));
        let pairs: Option<BTreeSet<(String, String)>> = pairs.iter().map(|pair| split(pair)).collect();
        let pairs =
            pairs.ok_or_else(|| Problem::field("ai_org_model", "is not accepted", "provider__model"))?;
        let providers: BTreeSet<&String> = pairs.iter().map(|(provider, _)| provider).collect();
        let models: BTreeSet<&String> = pairs.iter().map(|(_, model)| model).collect();
        if providers.len() * models.len() != pairs.len() {
            let expected = "models of one provider, or one model of several";
            return Err(Problem::field("ai_org_model", "pairs that cannot be asked together", expected));
        }
        Ok((providers.into_iter().cloned().collect(), models.into_iter().cloned().collect()))
    }
}

/// Filters in JSON, by the names and with the errors of the list of logs.
///
/// # Errors
/// 400 naming the parameter, or `field` where they are no filters at all.
pub(crate) fn of_members(
    field: &str,
    filters: &Map<String, Value>,
) -> Result<(Filter, Option<Marks>), Problem> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let texts =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            Some(texts.collect::<Vec<_>>().join(","))
        }
        other => Some(other.to_string()),
    };
    let mut members = Map::new();
    for (name, value) in filters {
        if let Some(text) = text(value).filter(|text| !text.is_empty()) {
            members.insert(name.clone(), text.into());
        }
    }
    if let Some(Value::Object(between)) = filters.get("created_at") {
        for (bound, name) in [("gte", "time_of_generation_min"), ("lte", "time_of_generation_max")] {
            if let Some(time) = between.get(bound).and_then(Value::as_str) {
                members.entry(name).or_insert_with(|| time.into());
            }
        }
    }
    let asked: Asked = serde_json::from_value(Value::Object(members))
        .map_err(|error| Problem::field(field, error.to_string(), "filters of the list of logs"))?;
    Ok((asked.filter()?, asked.marks()?))
}

pub(crate) fn names(field: &str, text: Option<&str>) -> Result<Vec<String>, Problem> {
    let names = text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.len() > MOST {
        return Err(Problem::field(
            field,
            format!("{} are too many", names.len()),
            format!("at most {MOST}"),
        ));
    }
    Ok(names)
}

fn search(text: Option<&str>) -> Result<Search, Problem> {
    match text.map(str::trim) {
        None | Some("") => Ok(Search::default()),
        Some(text) => Search::parse(text).map_err(|bad| {
            let (wrong, right) = bad.told();
            Problem::field("search", wrong, right)
        }),
    }
}

pub(crate) fn time(field: &str, text: Option<&str>) -> Result<Option<u64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let seconds = rfc3339_seconds(text).and_then(|seconds| seconds.checked_mul(1_000));
    let wrong =
        || Problem::field(field, format!("{} is no time", shown(text)), "such as 2026-01-31T12:00:00Z");
    seconds.map(Some).ok_or_else(wrong)
}

pub(crate) fn number<N: FromStr>(field: &str, text: Option<&str>) -> Result<Option<N>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let wrong = || Problem::field(field, format!("{} is not accepted", shown(text)), "a whole number from 0");
    text.parse().map(Some).map_err(|_| wrong())
}

/// From cents.
fn dollars(field: &str, text: Option<&str>) -> Result<Option<Decimal>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let cents = Decimal::from_str(text).ok().and_then(|cents| cents.checked_div(Decimal::ONE_HUNDRED));
    let wrong = || Problem::field(field, format!("{} is not accepted", shown(text)), "a number of cents");
    cents.map(Some).ok_or_else(wrong)
}

pub(crate) fn metadata(text: Option<&str>) -> Result<Vec<(String, String)>, Problem> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let wrong = || Problem::field("metadata", "is not accepted", "a JSON object of texts");
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| wrong())?;
    let pair = |(name, value): (String, Value)| match value {
        Value::String(text) => Ok((name, text)),
        _ => Err(wrong()),
    };
    members.into_iter().map(pair).collect()
}
