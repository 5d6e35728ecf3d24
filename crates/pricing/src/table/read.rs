//! From the JSON of a price table to the table, with every mistake named by its place. The catalogue's lines and what
//! operators write go through the same door.

use std::fmt;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::{Change, Price, PriceTable, Prices, Region, Sheet, Window};
use crate::class::Class;
use crate::meter::Meter;
use crate::money::decimal;

/// A price table that cannot be used: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// The member, as `batch.tiers[0].input`.
    pub at: String,
    pub message: &'static str,
}

/// Enough for every list there is; a longer one is a mistake, and each request would walk it.
const MOST_ENTRIES: usize = 100;

impl PriceTable {
    /// Reads a table in the schema of the catalogue: meters to prices (texts, in USD per the meter's unit), `tiers`,
    /// service classes, `regions`, `schedule`.
    ///
    /// # Errors
    /// Unknown members, prices that are no decimal texts or below zero, tiers that do not ascend, an empty table.
    pub fn from_json(value: &Value) -> Result<Self, TableError> {
        let at = At::root();
        let members = object(value, &at)?;
        let mut table =
            Self { standard: sheet(members, &at, &["regions", "schedule"], true)?, ..Self::default() };
        table.classes = classes(members, &at)?;
        if let Some(regions) = members.get("regions") {
            table.regions = list(regions, &at.member("regions"), region)?;
        }
        if let Some(schedule) = members.get("schedule") {
            table.schedule = list(schedule, &at.member("schedule"), window)?;
        }
        let nothing =
            table.standard == Sheet::default() && table.classes.is_empty() && table.regions.is_empty();
        if nothing { Err(at.error("a price table has at least one price")) } else { Ok(table) }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            f.write_str(self.message)
        } else {
            write!(f, "{}: {}", self.at, self.message)
        }
    }
}

impl std::error::Error for TableError {}

/// A sheet's own members. `others` are members that the caller reads, as are classes where they may stand.
fn sheet(
    members: &Map<String, Value>,
    at: &At,
    others: &[&str],
    with_classes: bool,
) -> Result<Sheet, TableError> {
    let is_other = |name: &str| {
        name == "tiers" || others.contains(&name) || (with_classes && Class::of_table(name).is_some())
    };
    let mut sheet = Sheet { base: prices(members, at, is_other)?, tiers: Vec::new() };
    if let Some(tiers) = members.get("tiers") {
        let at = at.member("tiers");
        sheet.tiers = list(tiers, &at, tier)?;
        if !sheet.tiers.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(at.error("tiers ascend by 'above'"));
        }
    }
    Ok(sheet)
}

fn tier(value: &Value, at: &At) -> Result<(u64, Prices), TableError> {
    let members = object(value, at)?;
    let above = members.get("above").and_then(Value::as_u64).filter(|above| *above > 0);
    let above = above.ok_or_else(|| at.member("above").error("a number of tokens above zero"))?;
    Ok((above, prices(members, at, |name| name == "above")?))
}

fn classes(members: &Map<String, Value>, at: &At) -> Result<Vec<(Class, Sheet)>, TableError> {
    let named = members.iter().filter_map(|(name, value)| Some((Class::of_table(name)?, name, value)));
    named
        .map(|(class, name, value)| {
            let at = at.member(name);
            Ok((class, sheet(object(value, &at)?, &at, &[], false)?))
        })
        .collect()
}

fn region(value: &Value, at: &At) -> Result<Region, TableError> {
    let members = object(value, at)?;
    let names = members.get("in").ok_or_else(|| at.member("in").error("the names of the regions"))?;
    let names = list(names, &at.member("in"), |name, at| {
        name.as_str().map(Box::from).ok_or_else(|| at.error("the name of a region"))
    })?;
    let change = match members.get("multiplier") {
        Some(by) => {
            if members.len() > 2 {
                return Err(at.error("a region has either a multiplier or prices"));
            }
            Change::Multiplier(price(by, &at.member("multiplier"))?)
        }
        None => {
            Change::Sheets { standard: sheet(members, at, &["in"], true)?, classes: classes(members, at)? }
        }
    };
    Ok(Region { names, change })
}

fn window(value: &Value, at: &At) -> Result<Window, TableError> {
    let members = object(value, at)?;
    let minute = |name: &str| {
        let time = members.get(name).and_then(Value::as_str).and_then(minute_of_day);
        time.ok_or_else(|| at.member(name).error("a time of day in UTC, as \"06:30\""))
    };
    let (from, to) = (minute("from")?, minute("to")?);
    if from >= to {
        return Err(at.error("'from' comes before 'to'; write two windows for one over midnight"));
    }
    let weekdays_only = match members.get("days").map(Value::as_str) {
        None => false,
        Some(Some("mon-fri")) => true,
        Some(_) => return Err(at.member("days").error("\"mon-fri\", or nothing for all days")),
    };
    let prices = prices(members, at, |name| matches!(name, "from" | "to" | "days"))?;
    Ok(Window { from, to, weekdays_only, prices })
}

fn prices(
    members: &Map<String, Value>,
    at: &At,
    is_other: impl Fn(&str) -> bool,
) -> Result<Prices, TableError> {
    let mut prices = Vec::with_capacity(members.len().min(MOST_ENTRIES));
    for (name, value) in members.iter().filter(|(name, _)| !is_other(name)) {
        let at = at.member(name);
        let meter = Meter::of(name).ok_or_else(|| at.error("no meter of that name"))?;
        let found = match value {
            Value::Object(_) if meter.per() != 1 => return Err(at.error("this meter has one price")),
            Value::Object(keys) => Price::Keyed(keyed(keys, &at)?),
            one => Price::One(price(one, &at)?),
        };
        prices.push((meter, found));
    }
    Ok(Prices(prices))
}

fn keyed(keys: &Map<String, Value>, at: &At) -> Result<Vec<(Box<str>, Decimal)>, TableError> {
    if keys.is_empty() || keys.len() > MOST_ENTRIES {
        return Err(at.error("between one and a hundred prices"));
    }
    keys.iter().map(|(key, value)| Ok((key.as_str().into(), price(value, &at.member(key))?))).collect()
}

fn price(value: &Value, at: &At) -> Result<Decimal, TableError> {
    let price = value.as_str().and_then(|text| decimal(text).ok()).filter(|price| !price.is_sign_negative());
    price.ok_or_else(|| at.error("a decimal text of zero or more, as \"0.25\""))
}

fn object<'v>(value: &'v Value, at: &At) -> Result<&'v Map<String, Value>, TableError> {
    value
        .as_object()
        .filter(|members| members.len() <= MOST_ENTRIES)
        .ok_or_else(|| at.error("an object of prices"))
}

fn list<T>(
    value: &Value,
    at: &At,
    read: impl Fn(&Value, &At) -> Result<T, TableError>,
) -> Result<Vec<T>, TableError> {
    let items = value.as_array().filter(|items| items.len() <= MOST_ENTRIES);
    let items = items.ok_or_else(|| at.error("a list of at most a hundred entries"))?;
    items.iter().enumerate().map(|(n, item)| read(item, &at.item(n))).collect()
}

/// `HH:MM`, up to `24:00`.
fn minute_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let number = |part: &str, most: u32| {
        let is_number = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|value| is_number && *value <= most)
    };
    Some(number(hour, 24)? * 60 + number(minute, 59)?).filter(|minutes| *minutes <= 24 * 60)
}

/// A place in the text, spelled out only when there is a mistake at it.
enum At<'p> {
    Root,
    Member(&'p At<'p>, &'p str),
    Item(&'p At<'p>, usize),
}

impl At<'_> {
    fn root() -> Self {
        At::Root
    }

    fn member<'p>(&'p self, name: &'p str) -> At<'p> {
        At::Member(self, name)
    }

    fn item(&self, n: usize) -> At<'_> {
        At::Item(self, n)
    }

    fn error(&self, message: &'static str) -> TableError {
        TableError { at: self.path(), message }
    }

    fn path(&self) -> String {
        match self {
            At::Root => String::new(),
            At::Member(parent, name) => {
                let parent = parent.path();
                if parent.is_empty() { (*name).to_owned() } else { format!("{parent}.{name}") }
            }
            At::Item(parent, n) => format!("{}[{n}]", parent.path()),
        }
    }
}
