//! Prices as the reference's data set and its API write them: US cents for one unit, under names of their own.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::class::Class;
use crate::meter::Meter;
use crate::money::multiply;
use crate::table::{Price, PriceTable, Prices, Sheet};

/// Prices that cannot be read: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentsError {
    /// The member, as `pay_as_you_go.request_token.price`.
    pub at: String,
    pub message: &'static str,
}

/// Members that hold prices, and the class that each is for.
const SHEETS: [(&str, Class); 2] = [("pay_as_you_go", Class::Standard), ("batch_config", Class::Batch)];
/// Members that hold objects of prices.
const IMAGE: &str = "image";
const OTHERS: &str = "additional_units";
const PRICE: &str = "price";
/// Of a quality or a size of images: any.
const ANY: &str = "default";

impl Meter {
    /// The name of the member that has its price, for what is counted in tokens.
    pub fn cents_name(self) -> Option<&'static str> {
        Some(match self {
            Self::Input => "request_token",
            Self::Output => "response_token",
            Self::CacheRead => "cache_read_input_token",
            Self::CacheWrite => "cache_write_input_token",
            Self::AudioIn => "request_audio_token",
            Self::AudioOut => "response_audio_token",
            Self::AudioCacheRead => "cache_read_audio_input_token",
            Self::ImageIn => "request_image_token",
            Self::ImageOut => "response_image_token",
            Self::ImageCacheRead => "cache_read_image_input_token",
            _ => return None,
        })
    }

    /// Its name among the `additional_units`: the reference's where it has one, else ours.
    pub fn cents_unit(self) -> &'static str {
        match self {
            Self::CacheWrite1h => "cache_write_1h",
            Self::Reasoning => "thinking_token",
            Self::VideoOutSecond => "video_seconds",
            meter => meter.name(),
        }
    }
}

impl PriceTable {
    /// Reads `{"type": "static", "pay_as_you_go": {"request_token": {"price": 0.00025}, …}, "batch_config": {…}}`:
    /// US cents for one token, image, second or call. Members that are null say nothing.
    ///
    /// # Errors
    /// Names that stand for nothing here, prices that are no numbers from 0, no price at all.
    pub fn from_cents(config: &Value) -> Result<Self, CentsError> {
        let members = object(config, "")?;
        let mut table = Self::default();
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            match SHEETS.iter().find(|sheet| sheet.0 == name) {
                Some((_, class)) => {
                    let sheet = Sheet { base: sheet(object(value, name)?, name)?, tiers: Vec::new() };
                    match class {
                        Class::Standard => table.standard = sheet,
                        class => table.classes.push((*class, sheet)),
                    }
                }
                None if name == "type" && value == "static" => {}
                None if name == "currency" && value == "USD" => {}
                None => {
                    return Err(wrong(
                        name,
                        "`type` \"static\", `pay_as_you_go` and `batch_config` are read",
                    ));
                }
            }
        }
        if table.standard.base.0.is_empty() {
            return Err(wrong(
                "pay_as_you_go",
                "at least one price, such as {\"request_token\": {\"price\": 0.00025}}",
            ));
        }
        Ok(table)
    }
}

fn sheet(members: &Map<String, Value>, at: &str) -> Result<Prices, CentsError> {
    let mut prices = Prices::default();
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let at = format!("{at}.{name}");
        match name.as_str() {
            IMAGE => {
                let keyed = images(object(value, &at)?, &at)?;
                if !keyed.is_empty() {
                    prices.0.push((Meter::Image, Price::Keyed(keyed)));
                }
            }
            OTHERS => {
                for (unit, value) in object(value, &at)?.iter().filter(|(_, value)| !value.is_null()) {
                    let at = format!("{at}.{unit}");
                    let meter =
                        Meter::all().find(|meter| meter.cents_name().is_none() && meter.cents_unit() == unit);
                    let meter = meter.ok_or_else(|| wrong(&at, "no unit of that name"))?;
                    prices.0.push((meter, Price::One(price(meter, value, &at)?)));
                }
            }
            name => {
                let meter = Meter::all().find(|meter| meter.cents_name() == Some(name));
                let meter = meter.ok_or_else(|| wrong(&at, "no price of that name"))?;
                prices.0.push((meter, Price::One(price(meter, value, &at)?)));
            }
        }
    }
    Ok(prices)
}

/// By quality, and in it by size.
fn images(qualities: &Map<String, Value>, at: &str) -> Result<Vec<(Box<str>, Decimal)>, CentsError> {
    let mut keyed = Vec::new();
    let named = |part: &str| if part == ANY { "*".to_owned() } else { part.to_owned() };
    for (quality, sizes) in qualities.iter().filter(|(_, value)| !value.is_null()) {
        let at = format!("{at}.{quality}");
        for (size, value) in object(sizes, &at)?.iter().filter(|(_, value)| !value.is_null()) {
            let key = match (named(quality), named(size)) {
                (quality, size) if quality == "*" && size == "*" => "*".to_owned(),
                (quality, size) => format!("{quality}/{size}"),
            };
            keyed.push((key.into(), price(Meter::Image, value, &format!("{at}.{size}"))?));
        }
    }
    Ok(keyed)
}

/// From cents for one unit to dollars for as many as the meter's prices are for.
fn price(meter: Meter, value: &Value, at: &str) -> Result<Decimal, CentsError> {
    let at = format!("{at}.{PRICE}");
    let one = match value {
        Value::Object(members) => members.get(PRICE),
        _ => None,
    };
    let cents =
        one.and_then(number).ok_or_else(|| wrong(&at, "a number from 0, in US cents for one unit"))?;
    let cent = Decimal::new(1, 2);
    let whole = multiply(cents, Decimal::from(meter.per())).and_then(|price| multiply(price, cent));
    whole.map(|price| price.normalize()).map_err(|_| wrong(&at, "a price with fewer digits"))
}

/// A JSON number from 0, to the digit.
pub(crate) fn number(value: &Value) -> Option<Decimal> {
    let Value::Number(number) = value else { return None };
    let text = number.to_string();
    let exact = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)).ok()?;
    Some(exact).filter(|number| !number.is_sign_negative())
}

fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Map<String, Value>, CentsError> {
    value.as_object().ok_or_else(|| wrong(at, "an object of prices"))
}

fn wrong(at: &str, message: &'static str) -> CentsError {
    CentsError { at: at.to_owned(), message }
}

impl std::fmt::Display for CentsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.at.is_empty() {
            f.write_str(self.message)
        } else {
            write!(f, "{}: {}", self.at, self.message)
        }
    }
}

impl std::error::Error for CentsError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cents_for_one_become_dollars_for_as_many_as_prices_are_for() {
        let table = PriceTable::from_cents(&json!({
            "type": "static",
            "pay_as_you_go": {
                "request_token": {"price": 0.00025}, "response_token": {"price": 1e-7},
                "cache_read_input_token": null,
                "image": {"default": {"default": {"price": 4}}, "hd": {"1024x1024": {"price": 8}}},
                "additional_units": {"web_search": {"price": 1}, "video_seconds": {"price": 10}},
            },
            "batch_config": {"request_token": {"price": 0.000125}},
        }));
        let same = PriceTable::from_json(&json!({
            "input": "2.5", "output": "0.001", "image": {"*": "0.04", "hd/1024x1024": "0.08"},
            "web_search": "0.01", "video_out_second": "0.1", "batch": {"input": "1.25"},
        }));
        assert_eq!(table.unwrap(), same.unwrap());
    }

    #[test]
    fn mistakes_are_named_by_their_place() {
        for (config, at) in [
            (json!(1), ""),
            (json!({}), "pay_as_you_go"),
            (json!({"type": "dynamic"}), "type"),
            (json!({"pay_as_you_go": {"request_tokens": {"price": 1}}}), "pay_as_you_go.request_tokens"),
            (json!({"pay_as_you_go": {"request_token": {"price": -1}}}), "pay_as_you_go.request_token.price"),
            (json!({"pay_as_you_go": {"request_token": 1}}), "pay_as_you_go.request_token.price"),
            (json!({"pay_as_you_go": {"image": {"hd": 1}}}), "pay_as_you_go.image.hd"),
            (
                json!({"pay_as_you_go": {"additional_units": {"moon_rides": {"price": 1}}}}),
                "pay_as_you_go.additional_units.moon_rides",
            ),
        ] {
            assert_eq!(PriceTable::from_cents(&config).unwrap_err().at, at, "{config}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<_> =
            Meter::all().map(|meter| meter.cents_name().unwrap_or(meter.cents_unit())).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
