//! What an operator says of the prices of one connection: prices of models, which model another one is, and factors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::book::Notes;
use crate::cents::{CentsError, number};
use crate::estimate::Estimates;
use crate::meter::Meter;
use crate::names::By;
use crate::prices::{Found, ModelName, Prices};
use crate::quick::Quick;
use crate::table::{Change, Price, PriceTable, Sheet, Window};

/// Prices of one connection, which come before all others. Models are compared without ASCII case.
#[derive(Debug, Default)]
pub struct OwnPrices {
    tables: HashMap<Box<str>, Arc<PriceTable>>,
    bases: HashMap<Box<str>, Box<str>>,
    factors: Factors,
    /// What was found, with the factors in it.
    seen: Mutex<HashMap<Box<str>, Arc<Found>>>,
}

/// Found prices that are kept. When full, all are forgotten.
const MOST_SEEN: usize = 256;
/// Longer names are looked up each time: no caller fills the memory with them.
const LONGEST_SEEN: usize = 200;

#[derive(Debug, Default)]
struct Factors {
    of: HashMap<Meter, Decimal>,
    others: Option<Decimal>,
}

impl OwnPrices {
    /// The price of a model, in place of every other one, as [`PriceTable::from_cents`] reads it.
    ///
    /// # Errors
    /// As there.
    pub fn price(&mut self, model: &str, config: &Value) -> Result<(), CentsError> {
        self.tables.insert(key(model), Arc::new(PriceTable::from_cents(config)?));
        Ok(())
    }

    /// The model, which may be a deployment or somebody's own, costs what `base` costs.
    pub fn base(&mut self, model: &str, base: &str) {
        self.bases.insert(key(model), base.into());
    }

    /// `{"multiplier": {"default": 1.2, "request_token": 2, "image": {"default": 3}, "additional_units": {"web_search":
    /// 1}}}`: what every price is multiplied by. Null is as if it were not there.
    ///
    /// # Errors
    /// Names that stand for nothing here, and factors that are no numbers from 0.
    pub fn adjust(&mut self, adjustments: &Value) -> Result<(), CentsError> {
        let wrong = |at: String, message| CentsError { at, message };
        let object = |value: &Value, at: &str| -> Result<Map<String, Value>, CentsError> {
            let members = value.as_object().ok_or_else(|| wrong(at.to_owned(), "an object of factors"))?;
            Ok(members
                .iter()
                .filter(|(_, one)| !one.is_null())
                .map(|(name, one)| (name.clone(), one.clone()))
                .collect())
        };
        let factor = |value: &Value, at: String| number(value).ok_or_else(|| wrong(at, "a number from 0"));
        let mut factors = Factors::default();
        let members = adjustments.get("multiplier").unwrap_or(&Value::Null);
        for (name, value) in object(members, "multiplier")? {
            let at = format!("multiplier.{name}");
            match name.as_str() {
                "default" => factors.others = Some(factor(&value, at)?),
                "image" => {
                    for (name, value) in object(&value, &at)? {
                        let at = format!("{at}.{name}");
                        if name != "default" {
                            return Err(wrong(at, "images of all kinds have one factor, `default`"));
                        }
                        factors.of.insert(Meter::Image, factor(&value, at)?);
                    }
                }
                "additional_units" => {
                    for (name, value) in object(&value, &at)? {
                        let at = format!("{at}.{name}");
                        let meter = Meter::all()
                            .find(|meter| meter.cents_name().is_none() && meter.cents_unit() == name);
                        let meter = meter.ok_or_else(|| wrong(at.clone(), "no unit of that name"))?;
                        factors.of.insert(meter, factor(&value, at)?);
                    }
                }
                name => {
                    let meter = Meter::all().find(|meter| meter.cents_name() == Some(name));
                    let meter = meter.ok_or_else(|| wrong(at.clone(), "no price of that name"))?;
                    factors.of.insert(meter, factor(&value, at)?);
                }
            }
        }
        self.factors = factors;
        self.seen.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Nothing was said.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.bases.is_empty() && self.factors.is_empty()
    }

    /// The prices of a request's model, over this connection.
    pub fn find(&self, prices: &Prices, name: &ModelName<'_>) -> Arc<Found> {
        if self.is_empty() {
            return prices.find(name);
        }
        let answered = name.answered.unwrap_or_default();
        let length = name.provider.len() + name.asked.len() + answered.len();
        if length > LONGEST_SEEN {
            return self.look_up(prices, name);
        }
        let key = format!("{}\n{}\n{answered}", name.provider, name.asked);
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = seen().get(key.as_str()) {
            return Arc::clone(found);
        }
        let found = self.look_up(prices, name);
        let mut seen = seen();
        if seen.len() >= MOST_SEEN {
            seen.clear();
        }
        seen.insert(key.into(), Arc::clone(&found));
        found
    }

    fn look_up(&self, prices: &Prices, name: &ModelName<'_>) -> Arc<Found> {
        // The operator lists models by the names under which they are asked for.
        let names = [Some(name.asked), name.answered];
        let own = names.into_iter().flatten().find_map(|model| Some((model, self.tables.get(&key(model))?)));
        let found = match own {
            Some((model, table)) => Arc::new(Found {
                id: Some(model.into()),
                by: By::Override,
                notes: Notes::default(),
                estimates: Estimates::default(),
                asked_for: None,
                table: Some(Arc::clone(table)),
                premium: false,
                quick: Quick::default(),
            }),
            None => match self.bases.get(&key(name.asked)) {
                Some(base) => prices.find(&ModelName { asked: base, answered: None, ..*name }),
                None => prices.find(name),
            },
        };
        match &found.table {
            Some(table) if !self.factors.is_empty() => {
                Arc::new(Found { table: Some(Arc::new(self.factors.on(table))), ..Found::clone(&found) })
            }
            _ => found,
        }
    }
}

impl Factors {
    fn is_empty(&self) -> bool {
        self.of.is_empty() && self.others.is_none()
    }

    fn on(&self, table: &PriceTable) -> PriceTable {
        let mut table = table.clone();
        self.on_sheet(&mut table.standard);
        table.classes.iter_mut().for_each(|(_, sheet)| self.on_sheet(sheet));
        for region in &mut table.regions {
            // A region's multiplier is of prices that have their factor already.
            if let Change::Sheets { standard, classes } = &mut region.change {
                self.on_sheet(standard);
                classes.iter_mut().for_each(|(_, sheet)| self.on_sheet(sheet));
            }
        }
        for Window { prices, .. } in &mut table.schedule {
            self.on_prices(prices);
        }
        table
    }

    fn on_sheet(&self, sheet: &mut Sheet) {
        self.on_prices(&mut sheet.base);
        sheet.tiers.iter_mut().for_each(|(_, prices)| self.on_prices(prices));
    }

    fn on_prices(&self, prices: &mut crate::table::Prices) {
        for (meter, price) in &mut prices.0 {
            let Some(factor) = self.of.get(meter).or(self.others.as_ref()) else { continue };
            // A price beyond all bounds is refused where it is used.
            let scale = |price: &mut Decimal| *price = price.checked_mul(*factor).unwrap_or(Decimal::MAX);
            match price {
                Price::One(price) => scale(price),
                Price::Keyed(prices) => prices.iter_mut().for_each(|(_, price)| scale(price)),
            }
        }
    }
}

fn key(model: &str) -> Box<str> {
    model.to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Bounds, Ceiling, Cost, Quantities, Served};

    fn cost(own: &OwnPrices, asked: &str, answered: Option<&str>) -> String {
        let usage = tidegate_core::Usage { input: 1_000_000, output: 1_000_000, ..Default::default() };
        let prices = Prices::default();
        let name = ModelName { provider: "openai", asked, answered, ..ModelName::default() };
        let found = own.find(&prices, &name);
        let Cost::Priced(bill) = found.cost(&Quantities::of_usage(&usage), &Served::default()).unwrap()
        else {
            return "unpriced".to_owned();
        };
        let Ceiling::Highest(highest) = found.ceiling(&Bounds::text(1_000_000, 1_000_000)).unwrap() else {
            return "no ceiling".to_owned();
        };
        assert!(bill.total <= highest, "what was set aside is enough");
        assert!(Arc::ptr_eq(&found, &own.find(&prices, &name)), "looked up once");
        bill.total.to_string()
    }

    fn static_price(input: f64, output: f64) -> Value {
        json!({"pay_as_you_go": {"request_token": {"price": input}, "response_token": {"price": output}}})
    }

    #[test]
    fn a_connections_own_prices_come_first() {
        let mut own = OwnPrices::default();
        assert_eq!(cost(&own, "gpt-4o", None), "12.5", "the list's");
        own.price("GPT-4o", &static_price(0.0001, 0.0002)).unwrap();
        own.price("ours", &static_price(0.0003, 0.0)).unwrap();
        assert_eq!(cost(&own, "gpt-4o", Some("gpt-4o-2024-08-06")), "3");
        assert_eq!(cost(&own, "router", Some("gpt-4o")), "3");
        assert_eq!(cost(&own, "ours", Some("gpt-4o")), "3", "as it was asked for");
        assert_eq!(cost(&own, "gpt-4o-mini", None), "0.75", "others stay");
        assert_eq!(cost(&own, "nobody-knows-it", None), "unpriced");
    }

    #[test]
    fn a_model_costs_what_its_base_costs() {
        let mut own = OwnPrices::default();
        own.base("deployment-7", "gpt-4o");
        assert_eq!(cost(&own, "deployment-7", Some("gpt-4o-mini")), "12.5");
        own.price("deployment-7", &static_price(0.0001, 0.0)).unwrap();
        assert_eq!(cost(&own, "deployment-7", None), "1", "a price of its own says more");
    }

    #[test]
    fn factors_are_of_every_price() {
        let mut own = OwnPrices::default();
        own.adjust(
            &json!({"multiplier": {"default": 2, "response_token": 1.5, "request_audio_token": null}}),
        )
        .unwrap();
        assert_eq!(cost(&own, "gpt-4o", None), "20");
        own.price("ours", &static_price(0.0001, 0.0002)).unwrap();
        assert_eq!(cost(&own, "ours", None), "5");
        own.adjust(&json!({"multiplier": {"request_token": 0}})).unwrap();
        assert_eq!(cost(&own, "gpt-4o", None), "10");
        own.adjust(&json!({"multiplier": {}})).unwrap();
        assert_eq!(cost(&own, "gpt-4o", None), "12.5");
        for (adjustments, at) in [
            (json!({}), "multiplier"),
            (json!({"multiplier": {"tokens": 2}}), "multiplier.tokens"),
            (json!({"multiplier": {"default": -1}}), "multiplier.default"),
            (json!({"multiplier": {"image": {"hd": 2}}}), "multiplier.image.hd"),
            (json!({"multiplier": {"additional_units": {"x": 2}}}), "multiplier.additional_units.x"),
        ] {
            assert_eq!(own.adjust(&adjustments).unwrap_err().at, at, "{adjustments}");
        }
    }
}
