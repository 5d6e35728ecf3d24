//! The highest cost that a request can turn out to have, for a reservation before it is sent.
//!
//! Every reading that the bounds allow is priced, and the dearest counts: each service class, each tier that the prompt
//! can reach, each hour of the price list, each kind of token at its dearest. So a cache that is written counts at the
//! price of writing, which is above that of reading plain input.

use rust_decimal::Decimal;

use crate::bill::{CostError, Unpriced, amount};
use crate::class::Class;
use crate::meter::{Meter, Side};
use crate::money::Money;
use crate::prices::Found;
use crate::quantities::{Facts, Quantities};
use crate::rate::Rates;
use crate::table::{PriceTable, Prices};

/// What a request can consume at most. The settled cost is not above the reserved one as long as the usage, the class
/// and the region stay inside; the region is the one that settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds<'a> {
    /// All tokens of the prompt together.
    pub prompt_tokens: u64,
    /// All generated tokens of one answer, reasoning included.
    pub output_tokens: u64,
    /// How many answers were asked for (`n`). The prompt is billed once.
    pub answers: u32,
    pub kinds: Kinds,
    pub cache: CacheWrites,
    pub citation_tokens: u64,
    /// Seconds, images, calls: at most so many. Keys that are left out count at their dearest.
    pub facts: Facts,
    /// The classes that the answer may report, beside the standard one.
    pub classes: &'a [Class],
    pub region: Option<&'a str>,
}

/// Kinds of tokens beside text that can occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    pub audio_in: bool,
    pub image_in: bool,
    pub video_in: bool,
    pub audio_out: bool,
    pub image_out: bool,
    pub video_out: bool,
}

/// Whether the request can write to the provider's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheWrites {
    Never,
    /// With the short life, or the provider's only one.
    Short,
    /// With any life.
    Any,
}

/// The highest possible cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceiling {
    Highest(Money),
    Unpriced(Unpriced),
}

impl Kinds {
    pub const TEXT: Self = Self {
        audio_in: false,
        image_in: false,
        video_in: false,
        audio_out: false,
        image_out: false,
        video_out: false,
    };
    pub const ALL: Self = Self {
        audio_in: true,
        image_in: true,
        video_in: true,
        audio_out: true,
        image_out: true,
        video_out: true,
    };
}

impl Bounds<'_> {
    /// A request of which nothing but its length is known: one answer, everything possible.
    pub fn new(prompt_tokens: u64, output_tokens: u64) -> Self {
        Self {
            prompt_tokens,
            output_tokens,
            answers: 1,
            kinds: Kinds::ALL,
            cache: CacheWrites::Any,
            citation_tokens: 0,
            facts: Facts::default(),
            classes: &[],
            region: None,
        }
    }

    /// A request of text that writes no cache.
    pub fn text(prompt_tokens: u64, output_tokens: u64) -> Self {
        Self { kinds: Kinds::TEXT, cache: CacheWrites::Never, ..Self::new(prompt_tokens, output_tokens) }
    }

    fn allows(&self, meter: Meter) -> bool {
        match meter {
            Meter::CacheWrite => self.cache >= CacheWrites::Short,
            Meter::CacheWrite1h => self.cache == CacheWrites::Any,
            Meter::AudioIn | Meter::AudioCacheRead => self.kinds.audio_in,
            Meter::ImageIn | Meter::ImageCacheRead => self.kinds.image_in,
            Meter::VideoIn => self.kinds.video_in,
            Meter::AudioOut => self.kinds.audio_out,
            Meter::ImageOut => self.kinds.image_out,
            Meter::VideoOut => self.kinds.video_out,
            // It has a bound of its own.
            Meter::Citation => false,
            _ => true,
        }
    }
}

impl Found {
    /// The highest possible cost within the bounds.
    ///
    /// # Errors
    /// Bounds below zero, and amounts of more than 28 digits.
    pub fn ceiling(&self, bounds: &Bounds<'_>) -> Result<Ceiling, CostError> {
        let Some(table) = &self.table else { return Ok(Ceiling::Unpriced(self.unpriced())) };
        if let Some(highest) = self.plain_ceiling(bounds) {
            return Ok(Ceiling::Highest(highest));
        }
        self.long_ceiling(table, bounds)
    }

    fn long_ceiling(&self, table: &PriceTable, bounds: &Bounds<'_>) -> Result<Ceiling, CostError> {
        let facts = Quantities::default().with_facts(&bounds.facts)?;
        if let Some((meter, _)) = facts.iter().find(|(_, quantity)| *quantity < Decimal::ZERO) {
            return Err(CostError::Negative(meter));
        }
        let mut highest = None;
        for class in bounds.classes.iter().copied().chain([Class::Standard]) {
            let mut rates = Rates::new(table, class, bounds.region, &facts.keys);
            if self.premium {
                rates = rates.with_premium()?;
            }
            rates.dearest = true;
            for hour in hours(table) {
                for prompt in lengths(table, bounds.prompt_tokens) {
                    let rates = Rates { hour, prompt, ..rates };
                    match (Reading { rates, bounds, facts: &facts }).cost(table)? {
                        Ceiling::Highest(cost) => highest = highest.max(Some(cost)),
                        unpriced @ Ceiling::Unpriced(_) => return Ok(unpriced),
                    }
                }
            }
        }
        Ok(highest.map_or(Ceiling::Unpriced(Unpriced::NothingCounted), Ceiling::Highest))
    }
}

/// The hours with prices of their own, and the others.
pub(crate) fn hours(table: &PriceTable) -> impl Iterator<Item = Option<&Prices>> {
    table.schedule.iter().map(|window| Some(&window.prices)).chain([None])
}

/// One length of the prompt in each tier that can be reached.
fn lengths(table: &PriceTable, most: u64) -> impl Iterator<Item = u64> {
    let above = table.thresholds().into_iter().filter(move |above| *above < most);
    above.chain([most])
}

/// One way the request can be read.
pub(crate) struct Reading<'r> {
    pub(crate) rates: Rates<'r>,
    pub(crate) bounds: &'r Bounds<'r>,
    pub(crate) facts: &'r Quantities,
}

impl Reading<'_> {
    fn cost(&self, table: &PriceTable) -> Result<Ceiling, CostError> {
        let by_tokens = table.prices_tokens();
        let stands = |meter: Meter| meter.stands_for_tokens();
        let has_stand_ins =
            self.facts.iter().any(|(meter, _)| stands(meter) && self.rates.of(meter).is_some());
        let beside = self.facts_cost(|meter| !stands(meter))?;
        let instead =
            self.facts_cost(|meter| stands(meter) && !(by_tokens && self.rates.of(meter).is_none()))?;
        let main = match (by_tokens, has_stand_ins) {
            (true, true) => self.tokens_cost()?.and_then(|tokens| instead.map(|instead| tokens.max(instead))),
            (true, false) => self.tokens_cost()?,
            (false, _) => instead,
        };
        let cost = match (main, beside) {
            (Ok(main), Ok(beside)) => main.checked_add(beside)?,
            (Err(meter), _) | (_, Err(meter)) => return Ok(Ceiling::Unpriced(Unpriced::NoPriceFor(meter))),
        };
        let counted = by_tokens || self.facts.iter().next().is_some();
        Ok(if counted { Ceiling::Highest(cost) } else { Ceiling::Unpriced(Unpriced::NothingCounted) })
    }

    /// The tokens at the dearest kinds that are allowed; the meter without a price, if there is one.
    fn tokens_cost(&self) -> Result<Result<Money, Meter>, CostError> {
        let output = u128::from(self.bounds.output_tokens) * u128::from(self.bounds.answers.max(1));
        let output = u64::try_from(output).map_err(|_| CostError::TooLarge)?;
        let parts = [(Meter::Input, self.bounds.prompt_tokens), (Meter::Output, output)];
        let mut sum = Money::ZERO;
        for (main, count) in parts.into_iter().filter(|part| part.1 > 0) {
            match self.dearest(main.side(), count)? {
                Some(cost) => sum = sum.checked_add(cost)?,
                None => return Ok(Err(main)),
            }
        }
        if self.bounds.citation_tokens > 0 {
            let Some(rate) = self.rates.of(Meter::Citation) else { return Ok(Err(Meter::Citation)) };
            sum = sum.checked_add(amount(Meter::Citation, self.bounds.citation_tokens.into(), &rate)?)?;
        }
        Ok(Ok(sum))
    }

    pub(crate) fn dearest(&self, side: Side, count: u64) -> Result<Option<Money>, CostError> {
        let mut dearest = None;
        for meter in Meter::all().filter(|meter| meter.side() == side && self.bounds.allows(*meter)) {
            if let Some(rate) = self.rates.of(meter) {
                dearest = dearest.max(Some(amount(meter, count.into(), &rate)?));
            }
        }
        Ok(dearest)
    }

    /// What the request itself counts.
    pub(crate) fn facts_cost(&self, of: impl Fn(Meter) -> bool) -> Result<Result<Money, Meter>, CostError> {
        let mut sum = Money::ZERO;
        let has = |meter| self.rates.own(meter).is_some();
        let in_megapixels =
            !has(Meter::Image) && has(Meter::Megapixel) && self.facts.get(Meter::Megapixel).is_some();
        for meter in Meter::all().filter(|meter| of(*meter)) {
            let counted = self.facts.get(meter);
            let own = self.rates.own(meter);
            let quantity = match meter {
                Meter::Request => own.as_ref().map(|_| 1.into()),
                // Models with prices by context search without being told to.
                Meter::WebSearch if own.as_ref().is_some_and(|rate| rate.keyed) => {
                    Some(counted.unwrap_or_default().max(1.into()))
                }
                // One of the two is the unit.
                Meter::Image if in_megapixels => None,
                Meter::Megapixel if !in_megapixels => None,
                _ => counted,
            };
            let Some(quantity) = quantity.filter(|quantity| !quantity.is_zero()) else { continue };
            let Some(rate) = self.rates.of(meter) else { return Ok(Err(meter)) };
            sum = sum.checked_add(amount(meter, quantity, &rate)?)?;
        }
        Ok(Ok(sum))
    }
}
