//! The public list of prices: `/model-configs/pricing/{provider}/{model}` and `/pricing/{provider}.json`.
//!
//! Amounts are US cents for one unit (a token, an image, a second), as the reference's data set has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Map, Number, Value, json};
use tidegate_catalog::catalog;
use tidegate_pricing::{Class, Decimal, ListedPrice, Meter, ModelName, PriceTable, Prices, priced_models};

use crate::call::Visit;
use crate::problem::Problem;
use crate::reply::{Answer, Nothing, ok};

/// What a model costs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Record {
    pay_as_you_go: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    batch_config: Map<String, Value>,
    currency: Currency,
}

/// By model.
#[derive(Debug, JsonSchema)]
pub(crate) struct File(Arc<Models>);

type Models = BTreeMap<&'static str, Entry>;

#[derive(Debug, Serialize, JsonSchema)]
struct Entry {
    pricing_config: Record,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Currency {
    Usd,
}

pub(crate) async fn of_model(visit: Visit, _: Nothing, _: Nothing) -> Answer<Record> {
    static PRICES: LazyLock<Prices> = LazyLock::new(Prices::default);
    let (provider, model) = (visit.name(0), visit.name(1));
    let found = PRICES.find(&ModelName { provider, asked: model, ..ModelName::default() });
    match &found.table {
        Some(table) => ok(Record::of(table)),
        None => Err(Problem::not_found("a price of this model")),
    }
}

pub(crate) async fn of_provider(visit: Visit, _: Nothing, _: Nothing) -> Answer<File> {
    /// Made once for each provider that is asked for, of which there are as many as rows in the catalogue.
    static FILES: LazyLock<Mutex<HashMap<&'static str, Arc<Models>>>> = LazyLock::new(Mutex::default);
    let missing = || Problem::not_found("this list of prices");
    let provider =
        visit.name(0).strip_suffix(".json").and_then(|name| catalog().get(name)).ok_or_else(missing)?;
    let kept = FILES.lock().unwrap_or_else(PoisonError::into_inner).get(provider.id).cloned();
    let file = match kept {
        Some(file) => file,
        None => {
            let models = priced_models(provider.id);
            let entry = |table: &PriceTable| Entry { pricing_config: Record::of(table) };
            let file = Arc::new(models.iter().map(|(name, table)| (*name, entry(table))).collect());
            FILES.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.id, Arc::clone(&file));
            file
        }
    };
    if file.is_empty() { Err(missing()) } else { ok(File(file)) }
}

impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl Record {
    fn of(table: &PriceTable) -> Self {
        Self {
            pay_as_you_go: members(&table.listed(Class::Standard)),
            batch_config: members(&table.listed(Class::Batch)),
            currency: Currency::Usd,
        }
    }
}

fn members(prices: &[ListedPrice<'_>]) -> Map<String, Value> {
    let mut members = Map::new();
    for one in prices {
        let price = json!({ "price": cents(one) });
        match (one.meter, one.meter.cents_name(), one.key) {
            (Meter::Image, ..) => {
                let (quality, size) = one.key.and_then(|key| key.split_once('/')).unwrap_or(("*", "*"));
                let named = |part: &str| if part == "*" { "default".to_owned() } else { part.to_owned() };
                let images = members.entry("image").or_insert_with(|| json!({}));
                images[named(quality)][named(size)] = price;
            }
            (_, Some(word), None | Some("*")) => drop(members.insert(word.to_owned(), price)),
            (meter, _, key) => {
                let suffix = key.filter(|key| *key != "*").map(|key| format!("_{key}")).unwrap_or_default();
                let units = members.entry("additional_units").or_insert_with(|| json!({}));
                units[format!("{}{suffix}", meter.cents_unit())] = price;
            }
        }
    }
    members
}

/// For one unit: prices are of a million tokens, of an hour and so on.
fn cents(one: &ListedPrice<'_>) -> Number {
    let cents = one.price.checked_mul(Decimal::ONE_HUNDRED);
    let each = cents.and_then(|cents| cents.checked_div(Decimal::from(one.meter.per())));
    let text = each.unwrap_or_default().normalize().to_string();
    serde_json::from_str(&text).unwrap_or_else(|_| Number::from(0))
}
