//! From quantities and prices to a bill: one line per meter, and their sum, exact.

use std::fmt;

use rust_decimal::Decimal;

use crate::class::Class;
use crate::estimate::{Estimate, Estimates};
use crate::meter::{Meter, Side};
use crate::money::{Money, TooLarge, add, divide, multiply};
use crate::names::By;
use crate::prices::Found;
use crate::quantities::Quantities;
use crate::rate::{Rate, Rates};
use crate::table::PriceTable;

/// How a request was served. The class is what the answer reports, not what was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served<'a> {
    pub class: Class,
    /// A region of the cloud, a zone of data residency, `global`, `inference_geo:us`.
    pub region: Option<&'a str>,
    /// When, in seconds since 1970.
    pub unix_s: u64,
}

/// What a request cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cost {
    Priced(Bill),
    /// No cost is known. Never to be read as zero.
    Unpriced(Unpriced),
}

/// A cost, line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Money,
    /// Why the total is not certain; empty: it is.
    pub estimates: Estimates,
    /// What was consumed and has no price. The total leaves it out: count such a bill as unpriced, too.
    pub missing: Vec<Meter>,
}

/// `amount = quantity × price × multiplier ÷ meter.per()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub meter: Meter,
    /// Quality and size, resolution or search context, where the meter has prices by them.
    pub key: Option<String>,
    /// Tokens, characters, seconds, or calls.
    pub quantity: Decimal,
    /// USD per million tokens or characters, per hour, or per one.
    pub price: Decimal,
    pub multiplier: Option<Decimal>,
    pub amount: Money,
}

/// Why there is no cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpriced {
    /// No entry has the model's name.
    UnknownModel,
    /// The model is known, its price is not.
    NoPrice,
    /// The model has prices, but none for what was consumed; the first such meter.
    NoPriceFor(Meter),
    /// Nothing is known of what was consumed.
    NothingCounted,
}

/// A cost that cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostError {
    /// A quantity is below zero.
    Negative(Meter),
    /// An amount needs more than 28 digits.
    TooLarge,
}

impl Found {
    /// The cost of what a request consumed.
    ///
    /// # Errors
    /// Quantities below zero, and amounts of more than 28 digits.
    pub fn cost(&self, quantities: &Quantities, served: &Served<'_>) -> Result<Cost, CostError> {
        if let Some((meter, _)) = quantities.iter().find(|(_, quantity)| *quantity < Decimal::ZERO) {
            return Err(CostError::Negative(meter));
        }
        let Some(table) = &self.table else { return Ok(Cost::Unpriced(self.unpriced())) };
        let mut rates = Rates::new(table, served.class, served.region, &quantities.keys);
        if self.premium {
            rates = rates.with_premium()?;
        }
        rates.hour = table.window(served.unix_s).map(|window| &window.prices);
        rates.prompt = quantities.prompt_tokens();
        let mut draft =
            Draft { per_prompt: self.notes.search_per_prompt, ..Draft::new(table, quantities, rates) };
        draft.fill()?;
        draft.bill.estimates.add_all(self.estimates);
        if self.notes.since.is_some_and(|since| served.unix_s < since) {
            draft.bill.estimates.add(Estimate::OlderThanPrice);
        }
        draft.cost()
    }

    pub(crate) fn unpriced(&self) -> Unpriced {
        if self.by == By::None { Unpriced::UnknownModel } else { Unpriced::NoPrice }
    }
}

/// A bill being written.
struct Draft<'t> {
    quantities: &'t Quantities,
    rates: Rates<'t>,
    /// The table has prices of tokens.
    by_tokens: bool,
    per_prompt: bool,
    bill: Bill,
}

impl<'t> Draft<'t> {
    fn new(table: &PriceTable, quantities: &'t Quantities, rates: Rates<'t>) -> Self {
        let bill = Bill {
            lines: Vec::new(),
            total: Money::ZERO,
            estimates: Estimates::default(),
            missing: Vec::new(),
        };
        Self { quantities, rates, by_tokens: table.prices_tokens(), per_prompt: false, bill }
    }

    fn fill(&mut self) -> Result<(), CostError> {
        let reasoning = self.reasoning_apart();
        for meter in Meter::all() {
            let counted = self.quantities.get(meter);
            let quantity = match meter {
                Meter::Output => counted.map(|count| add(count, -reasoning)).transpose()?,
                Meter::Reasoning if reasoning > Decimal::ZERO => {
                    Some(add(counted.unwrap_or_default(), reasoning)?)
                }
                Meter::WebSearch => counted.map(|count| self.searches(count)),
                // Nobody counts it: there was one.
                Meter::Request => self.rates.own(meter).map(|_| Decimal::ONE),
                _ => counted,
            };
            if let Some(quantity) = quantity.filter(|_| self.is_billed(meter)) {
                self.line(meter, quantity)?;
            }
        }
        self.marks();
        Ok(())
    }

    /// The part of the output that is reasoning with a price of its own. Where thinking is a class, it prices all.
    fn reasoning_apart(&self) -> Decimal {
        let apart = self.rates.class != Class::Thinking && self.rates.own(Meter::Reasoning).is_some();
        let output = self.quantities.get(Meter::Output).unwrap_or_default();
        if apart { Decimal::from(self.quantities.reasoning_inside).min(output) } else { Decimal::ZERO }
    }

    fn searches(&self, counted: Decimal) -> Decimal {
        let by_context = || self.rates.own(Meter::WebSearch).is_some_and(|rate| rate.keyed);
        if self.quantities.fee_per_request && (by_context() || counted.is_zero()) {
            return Decimal::ONE;
        }
        if self.per_prompt { counted.min(Decimal::ONE) } else { counted }
    }

    /// Tokens are billed where there are counts and prices of them, and then what stands for them is not.
    fn is_billed(&self, meter: Meter) -> bool {
        match meter {
            _ if meter.stands_for_tokens() && self.by_tokens && self.quantities.counted => false,
            Meter::Image => !self.in_megapixels(),
            Meter::Megapixel => self.in_megapixels(),
            _ => self.by_tokens || !matches!(meter.side(), Side::Prompt | Side::Answer),
        }
    }

    /// Images are priced one by one, or else by their pixels where those are known.
    fn in_megapixels(&self) -> bool {
        let has = |meter| self.rates.own(meter).is_some();
        !has(Meter::Image) && has(Meter::Megapixel) && self.quantities.get(Meter::Megapixel).is_some()
    }

    fn line(&mut self, meter: Meter, quantity: Decimal) -> Result<(), CostError> {
        let Some(rate) = self.rates.of(meter) else {
            if !quantity.is_zero() {
                self.bill.missing.push(meter);
            }
            return Ok(());
        };
        if quantity.is_zero() && !matches!(meter, Meter::Input | Meter::Output) {
            return Ok(());
        }
        // Reasoning may have been all of the output.
        if meter == Meter::Output && quantity.is_zero() && self.quantities.reasoning_inside > 0 {
            return Ok(());
        }
        let amount = amount(meter, quantity, &rate)?;
        self.bill.total = self.bill.total.checked_add(amount)?;
        self.bill.estimates.add_all(rate.estimates);
        self.bill.lines.push(Line {
            meter,
            key: if rate.keyed { self.rates.label(meter) } else { None },
            quantity,
            price: rate.price,
            multiplier: rate.multiplier,
            amount,
        });
        Ok(())
    }

    fn marks(&mut self) {
        let bill = &mut self.bill;
        if self.quantities.odd {
            bill.estimates.add(Estimate::OddCounts);
        }
        if self.quantities.guessed {
            bill.estimates.add(Estimate::OwnCounts);
        }
        if self.by_tokens && !self.quantities.counted {
            bill.estimates.add(Estimate::NoTokenCounts);
        }
        if self.rates.class_is_unknown() {
            bill.estimates.add(Estimate::ClassUnknown);
        }
        // Tokens that nobody prices are no gap where something else is the unit of the bill.
        let has_unit = bill.lines.iter().any(|line| !line.meter.is_beside_the_work());
        if !self.by_tokens && !has_unit {
            let tokens =
                self.quantities.iter().filter(|(meter, count)| meter.is_tokens() && !count.is_zero());
            bill.missing.extend(tokens.map(|(meter, _)| meter));
        }
    }

    fn cost(self) -> Result<Cost, CostError> {
        let bill = self.bill;
        if bill.lines.iter().any(|line| line.meter != Meter::Request) {
            return Ok(Cost::Priced(bill));
        }
        let first = bill.missing.first();
        Ok(Cost::Unpriced(first.map_or(Unpriced::NothingCounted, |meter| Unpriced::NoPriceFor(*meter))))
    }
}

pub(crate) fn amount(meter: Meter, quantity: Decimal, rate: &Rate) -> Result<Money, TooLarge> {
    let amount = multiply(quantity, rate.price)?;
    let amount = rate.multiplier.map_or(Ok(amount), |by| multiply(amount, by))?;
    divide(amount, meter.per()).map(Money::of)
}

impl Cost {
    /// With the cost of more of the same: a session's answers are billed one by one, each in the tier of its own prompt.
    ///
    /// # Errors
    /// The sum needs more than 28 digits.
    pub fn and(self, more: Self) -> Result<Self, TooLarge> {
        match (self, more) {
            (Self::Priced(mut bill), Self::Priced(more)) => {
                bill.add(more)?;
                Ok(Self::Priced(bill))
            }
            (Self::Priced(bill), Self::Unpriced(_)) | (Self::Unpriced(_), Self::Priced(bill)) => {
                Ok(Self::Priced(bill))
            }
            (Self::Unpriced(Unpriced::NothingCounted), why) => Ok(why),
            (why, Self::Unpriced(_)) => Ok(why),
        }
    }

    pub fn bill(&self) -> Option<&Bill> {
        match self {
            Self::Priced(bill) => Some(bill),
            Self::Unpriced(_) => None,
        }
    }
}

impl Bill {
    /// Adds another bill: lines of one price become one.
    fn add(&mut self, more: Self) -> Result<(), TooLarge> {
        for line in more.lines {
            let is_same = |known: &&mut Line| {
                (known.meter, &known.key, known.price, known.multiplier)
                    == (line.meter, &line.key, line.price, line.multiplier)
            };
            match self.lines.iter_mut().find(is_same) {
                None => self.lines.push(line),
                Some(known) => {
                    known.quantity = add(known.quantity, line.quantity)?;
                    known.amount = known.amount.checked_add(line.amount)?;
                }
            }
        }
        self.total = self.total.checked_add(more.total)?;
        self.estimates.add_all(more.estimates);
        for meter in more.missing {
            if !self.missing.contains(&meter) {
                self.missing.push(meter);
            }
        }
        Ok(())
    }

    /// Whether everything that was consumed has a price.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

impl From<TooLarge> for CostError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl fmt::Display for CostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative(meter) => write!(f, "the quantity of {meter} is below zero"),
            Self::TooLarge => TooLarge.fmt(f),
        }
    }
}

impl std::error::Error for CostError {}

impl fmt::Display for Unpriced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownModel => f.write_str("the model is not in the price list"),
            Self::NoPrice => f.write_str("the model has no price in the price list"),
            Self::NoPriceFor(meter) => write!(f, "the model has no price for {meter}"),
            Self::NothingCounted => f.write_str("nothing was counted that has a price"),
        }
    }
}
