//! The price of one meter in one situation: service class, length of the prompt, region, time of day.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::class::Class;
use crate::estimate::{Estimate, Estimates};
use crate::meter::Meter;
use crate::money::{TooLarge, multiply};
use crate::quantities::Keys;
use crate::table::{Price, PriceTable, Prices, Region, Sheet};

/// Where and how a request is served, as far as prices go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates<'t> {
    pub(crate) table: &'t PriceTable,
    pub(crate) class: Class,
    pub(crate) region: Option<&'t Region>,
    /// Prices of the hour, in place of the standard base prices.
    pub(crate) hour: Option<&'t Prices>,
    /// Of token prices: the region's, and the surcharge of a profile.
    pub(crate) multiplier: Option<Decimal>,
    /// Tokens of the prompt, all together.
    pub(crate) prompt: u64,
    pub(crate) keys: &'t Keys,
    /// What is not said about a key may turn out to be the dearest.
    pub(crate) dearest: bool,
}

/// A price that was found.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    pub(crate) price: Decimal,
    pub(crate) multiplier: Option<Decimal>,
    /// Whether the meter has prices by key here.
    pub(crate) keyed: bool,
    pub(crate) estimates: Estimates,
}

/// The surcharge of a regional profile.
const PREMIUM: Decimal = Decimal::from_parts(11, 0, 0, false, 1);

impl<'t> Rates<'t> {
    pub(crate) fn new(table: &'t PriceTable, class: Class, region: Option<&str>, keys: &'t Keys) -> Self {
        let region = region.and_then(|name| table.region(name));
        let multiplier = region.and_then(Region::multiplier);
        Self { table, class, region, hour: None, multiplier, prompt: 0, keys, dearest: false }
    }

    pub(crate) fn with_premium(mut self) -> Result<Self, TooLarge> {
        self.multiplier = Some(match self.multiplier {
            Some(by) => multiply(by, PREMIUM)?,
            None => PREMIUM,
        });
        Ok(self)
    }

    /// The price of a meter: its own, or that of the one it falls back to.
    pub(crate) fn of(&self, meter: Meter) -> Option<Rate> {
        let mut priced_as = Some(meter);
        while let Some(at) = priced_as {
            if let Some(rate) = self.own(at) {
                return Some(rate);
            }
            priced_as = at.or_as();
        }
        None
    }

    /// The price that the table has for this very meter.
    pub(crate) fn own(&self, meter: Meter) -> Option<Rate> {
        let exact = |price: &Price| pick(price, self.keys, meter, self.dearest);
        self.first(meter, exact).or_else(|| {
            // The keys are not in the list: better too much than too little.
            let mut rate = self.first(meter, dearest)?;
            rate.estimates.add(Estimate::KeyUnknown);
            Some(rate)
        })
    }

    /// The first place that has a price, from the most special to the most general. In each place the region's own
    /// prices come before those of everywhere.
    fn first(&self, meter: Meter, pick: impl Fn(&Price) -> Option<Decimal>) -> Option<Rate> {
        let special = (self.class != Class::Standard).then_some([(self.class, true), (self.class, false)]);
        let places = special.into_iter().flatten().chain([(Class::Standard, true), (Class::Standard, false)]);
        for (class, in_tier) in places {
            for regional in [true, false] {
                let price = self.prices(class, in_tier, regional, meter);
                if let Some((price, amount)) = price.and_then(|price| Some((price, pick(price)?))) {
                    return Some(Rate {
                        price: amount,
                        multiplier: self.multiplier.filter(|_| meter.is_tokens()),
                        keyed: matches!(price, Price::Keyed(_)),
                        estimates: self.doubts(meter, class, in_tier, regional),
                    });
                }
            }
        }
        None
    }

    fn prices(&self, class: Class, in_tier: bool, regional: bool, meter: Meter) -> Option<&'t Price> {
        let sheet = self.sheet(class, regional)?;
        if in_tier {
            return sheet.tier(self.prompt)?.1.get(meter);
        }
        let hour = self.hour.filter(|_| class == Class::Standard && !regional);
        hour.and_then(|prices| prices.get(meter)).or_else(|| sheet.base.get(meter))
    }

    fn sheet(&self, class: Class, regional: bool) -> Option<&'t Sheet> {
        if regional { self.region.and_then(|region| region.sheet(class)) } else { self.table.sheet(class) }
    }

    /// What the place of a price leaves open.
    fn doubts(&self, meter: Meter, class: Class, in_tier: bool, regional: bool) -> Estimates {
        let in_standard_tier = |regional| self.prices(Class::Standard, true, regional, meter).is_some();
        let tier =
            class != Class::Standard && !in_tier && (in_standard_tier(true) || in_standard_tier(false));
        let region = !regional && self.prices(Class::Standard, false, true, meter).is_some();
        let doubts = [(tier, Estimate::TierUnknown), (region, Estimate::RegionUnknown)];
        doubts.into_iter().filter_map(|(is, reason)| is.then_some(reason)).collect()
    }

    /// Whether the table has nothing about the class. Thinking is no class at most providers.
    pub(crate) fn class_is_unknown(&self) -> bool {
        let silent = matches!(self.class, Class::Standard | Class::Thinking);
        !silent && self.sheet(self.class, false).is_none() && self.sheet(self.class, true).is_none()
    }

    /// What a line says about the key, where there are prices by key.
    pub(crate) fn label(&self, meter: Meter) -> Option<String> {
        let or_any = |key: &Option<Box<str>>| key.as_deref().unwrap_or("*").to_owned();
        match meter {
            Meter::Image => Some(format!("{}/{}", or_any(&self.keys.quality), or_any(&self.keys.image_size))),
            Meter::VideoOutSecond => Some(or_any(&self.keys.resolution)),
            Meter::VideoInSecond => Some(or_any(&self.keys.plan)),
            Meter::WebSearch => Some(or_any(&self.keys.search_context)),
            _ => None,
        }
    }
}

/// The price for the keys that are known. With `at_worst`, only when all of them are.
fn pick(price: &Price, keys: &Keys, meter: Meter, at_worst: bool) -> Option<Decimal> {
    let prices = match price {
        Price::One(price) => return Some(*price),
        Price::Keyed(prices) => prices,
    };
    let (first, second) = match meter {
        Meter::Image => (keys.quality.as_deref(), Some(keys.image_size.as_deref())),
        Meter::VideoOutSecond => (keys.resolution.as_deref(), None),
        Meter::VideoInSecond => (keys.plan.as_deref(), None),
        Meter::WebSearch => (keys.search_context.as_deref(), None),
        _ => (None, None),
    };
    let find = |key: &str| prices.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|row| row.1);
    let pair = |a: Option<&str>, b: Option<&str>| match (a, b) {
        (None, None) => None,
        (a, b) => find(&format!("{}/{}", a.unwrap_or("*"), b.unwrap_or("*"))),
    };
    let full = match second {
        Some(second) => first.and(second).and_then(|_| pair(first, second)),
        None => first.and_then(find),
    };
    if at_worst {
        return full.or_else(|| dearest(price));
    }
    let wildcard = || match second {
        Some(second) => {
            first.and_then(|_| pair(first, None)).or_else(|| second.and_then(|_| pair(None, Some(second?))))
        }
        None => None,
    };
    full.or_else(wildcard).or_else(|| find("*"))
}

fn dearest(price: &Price) -> Option<Decimal> {
    match price {
        Price::One(price) => Some(*price),
        Price::Keyed(prices) => {
            prices.iter().map(|row| row.1).max_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal))
        }
    }
}
