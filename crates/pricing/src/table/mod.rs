//! A price table: what one model costs at one provider. Built from JSON only, by [`read`], which checks it.

mod read;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

pub use read::TableError;

use crate::class::Class;
use crate::meter::{Meter, Side};

/// The prices of one model. All prices are zero or more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceTable {
    pub(crate) standard: Sheet,
    /// What differs from the standard sheet, by service class.
    pub(crate) classes: Vec<(Class, Sheet)>,
    pub(crate) regions: Vec<Region>,
    pub(crate) schedule: Vec<Window>,
}

/// The prices of a service class: below all tiers, and in each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) base: Prices,
    /// Ascending: prices for the whole request when the prompt has more tokens than this.
    pub(crate) tiers: Vec<(u64, Prices)>,
}

/// Prices by meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prices(pub(crate) Vec<(Meter, Price)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Price {
    One(Decimal),
    /// By quality and size, resolution, or search context; `*` is a wildcard. Never empty.
    Keyed(Vec<(Box<str>, Decimal)>),
}

/// Prices that hold in some regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Of all token prices.
    Multiplier(Decimal),
    /// What differs.
    Sheets { standard: Sheet, classes: Vec<(Class, Sheet)> },
}

/// Prices that hold for some hours of the day, UTC, in place of the standard base prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    /// Minutes since midnight: `from` ≤ time < `to`.
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) weekdays_only: bool,
    pub(crate) prices: Prices,
}

impl PriceTable {
    /// Whether anything but the per-call tools and the units of media is priced by tokens.
    pub(crate) fn prices_tokens(&self) -> bool {
        let tokens = |prices: &Prices| {
            prices.0.iter().any(|(meter, _)| matches!(meter.side(), Side::Prompt | Side::Answer))
        };
        let sheets = std::iter::once(&self.standard).chain(self.classes.iter().map(|(_, sheet)| sheet));
        sheets
            .flat_map(|sheet| std::iter::once(&sheet.base).chain(sheet.tiers.iter().map(|tier| &tier.1)))
            .any(tokens)
    }

    pub(crate) fn sheet(&self, class: Class) -> Option<&Sheet> {
        sheet_of(&self.standard, &self.classes, class)
    }

    /// The entry for a region's name: by itself, else as any regional endpoint where the table prices those.
    pub(crate) fn region(&self, name: &str) -> Option<&Region> {
        let has =
            |region: &&Region, wanted: &str| region.names.iter().any(|n| n.eq_ignore_ascii_case(wanted));
        let named = self.regions.iter().find(|region| has(region, name));
        let any = || self.regions.iter().find(|region| has(region, "regional_endpoint"));
        if name.eq_ignore_ascii_case("global") { named } else { named.or_else(any) }
    }

    /// The window that a time (seconds since 1970, UTC) falls into.
    pub(crate) fn window(&self, unix_s: u64) -> Option<&Window> {
        self.schedule.iter().find(|window| window.holds_at(unix_s))
    }

    /// The sizes of prompt from which a tier begins, in any sheet.
    pub(crate) fn thresholds(&self) -> Vec<u64> {
        let regional = self.regions.iter().flat_map(|region| match &region.change {
            Change::Multiplier(_) => Vec::new(),
            Change::Sheets { standard, classes } => all_sheets(standard, classes).collect(),
        });
        let sheets = all_sheets(&self.standard, &self.classes).chain(regional);
        let mut thresholds: Vec<u64> =
            sheets.flat_map(|sheet| sheet.tiers.iter().map(|tier| tier.0)).collect();
        thresholds.sort_unstable();
        thresholds.dedup();
        thresholds
    }
}

impl Region {
    pub(crate) fn sheet(&self, class: Class) -> Option<&Sheet> {
        match &self.change {
            Change::Multiplier(_) => None,
            Change::Sheets { standard, classes } => sheet_of(standard, classes, class),
        }
    }

    pub(crate) fn multiplier(&self) -> Option<Decimal> {
        match self.change {
            Change::Multiplier(by) => Some(by),
            Change::Sheets { .. } => None,
        }
    }
}

impl Window {
    fn holds_at(&self, unix_s: u64) -> bool {
        let minute = (unix_s / 60) % (24 * 60);
        // 1970 began on a Thursday; here Monday is 0.
        let weekday = (unix_s / 86_400 + 3) % 7;
        (u64::from(self.from)..u64::from(self.to)).contains(&minute) && (!self.weekdays_only || weekday < 5)
    }
}

impl Sheet {
    /// The prices of the tier that a prompt of so many tokens is in, if it is in one.
    pub(crate) fn tier(&self, prompt: u64) -> Option<(u64, &Prices)> {
        let tier = self.tiers.iter().rev().find(|(above, _)| prompt > *above);
        tier.map(|(above, prices)| (*above, prices))
    }
}

impl Prices {
    pub(crate) fn get(&self, meter: Meter) -> Option<&Price> {
        self.0.iter().find(|(known, _)| *known == meter).map(|(_, price)| price)
    }
}

fn sheet_of<'t>(standard: &'t Sheet, classes: &'t [(Class, Sheet)], class: Class) -> Option<&'t Sheet> {
    if class == Class::Standard {
        return Some(standard);
    }
    let find = |class| classes.iter().find(|(known, _)| *known == class).map(|(_, sheet)| sheet);
    find(class).or_else(|| class.or_as().and_then(find))
}

fn all_sheets<'t>(standard: &'t Sheet, classes: &'t [(Class, Sheet)]) -> impl Iterator<Item = &'t Sheet> {
    std::iter::once(standard).chain(classes.iter().map(|(_, sheet)| sheet))
}
