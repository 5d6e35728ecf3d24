//! The short way to a bill and to a ceiling, for requests of text at the standard class: nearly all there are. What it
//! needs of the price list is read once per model, by the long way itself; whatever is not plain goes the long way. Both
//! give the same to the last digit: see `tests/quick.rs`.

use std::fmt;
use std::sync::OnceLock;

use rust_decimal::Decimal;
use tidegate_core::Usage;

use crate::bill::{Bill, Cost, Line, Served, amount};
use crate::ceiling::{Bounds, CacheWrites, Reading, hours};
use crate::class::Class;
use crate::estimate::Estimate;
use crate::meter::{Meter, Side};
use crate::money::{self, Money};
use crate::prices::Found;
use crate::quantities::{Facts, Keys, Quantities};
use crate::rate::{Rate, Rates};

/// What was read of a model's prices. Not a part of what was found: made anew by whoever needs it.
#[derive(Default)]
pub(crate) struct Quick {
    plain: OnceLock<Option<Plain>>,
    /// By [`Sort`].
    ceilings: [OnceLock<Option<Box<[Tier]>>>; 8],
}

/// Prices that do not depend on the hour, for prompts below the first tier.
struct Plain {
    /// Of input, cache read, cache writes and output.
    rates: [Option<Rate>; 5],
    longest_prompt: u64,
    prices_reasoning: bool,
}

const METERS: [Meter; 5] =
    [Meter::Input, Meter::CacheRead, Meter::CacheWrite, Meter::CacheWrite1h, Meter::Output];

/// What a request can cost at most in one tier, as integers of one scale.
struct Tier {
    /// Prompts that are longer reach it.
    above: Option<u64>,
    prompt: i128,
    output: i128,
    fixed: i128,
    scale: u32,
}

impl Found {
    /// The cost of an answer's usage. `own` says that the counts are the gateway's own.
    ///
    /// # Errors
    /// As [`Found::cost`].
    pub fn cost_of(
        &self,
        usage: &Usage,
        facts: Option<&Facts>,
        own: bool,
        served: &Served<'_>,
    ) -> Result<Cost, crate::CostError> {
        if let Some(bill) = self.plain_bill(usage, facts, own, served) {
            return Ok(Cost::Priced(bill));
        }
        let quantities = Quantities::of_usage(usage);
        let quantities = match facts {
            None => quantities,
            Some(facts) => quantities.with_facts(facts)?,
        };
        self.cost(&if own { quantities.guessed() } else { quantities }, served)
    }

    fn plain_bill(
        &self,
        usage: &Usage,
        facts: Option<&Facts>,
        own: bool,
        served: &Served<'_>,
    ) -> Option<Bill> {
        if facts.is_some() || served.class != Class::Standard || served.region.is_some() {
            return None;
        }
        let none = |count: Option<u64>| count.unwrap_or(0) == 0;
        let others =
            [usage.audio_input, usage.image_input, usage.audio_output, usage.image_output, usage.searches];
        let plain = self.quick.plain.get_or_init(|| self.plain()).as_ref()?;
        if !others.into_iter().all(none) || (plain.prices_reasoning && !none(usage.reasoning)) {
            return None;
        }
        let prompt = usage.prompt();
        let [read, written, written_1h] =
            [usage.cache_read, usage.cache_write, usage.cache_write_1h].map(|count| count.unwrap_or(0));
        // Counts that contradict each other are for the long way.
        let text = prompt.checked_sub(read.checked_add(written)?)?;
        let counts = [text, read, written.checked_sub(written_1h)?, written_1h, usage.output];
        if prompt > plain.longest_prompt {
            return None;
        }
        let estimates = self.estimates;
        let mut bill =
            Bill { lines: Vec::with_capacity(2), total: Money::ZERO, estimates, missing: Vec::new() };
        for ((meter, count), rate) in METERS.into_iter().zip(counts).zip(&plain.rates) {
            // The side's main meter is counted when the whole side is zero, too.
            let is_main = meter == Meter::Output || (meter == Meter::Input && prompt == 0);
            if count == 0 && !is_main {
                continue;
            }
            let rate = rate.as_ref()?;
            let quantity = Decimal::from(count);
            let amount = amount(meter, quantity, rate).ok()?;
            bill.total = bill.total.checked_add(amount).ok()?;
            bill.estimates.add_all(rate.estimates);
            let (price, multiplier) = (rate.price, rate.multiplier);
            bill.lines.push(Line { meter, key: None, quantity, price, multiplier, amount });
        }
        if own {
            bill.estimates.add(Estimate::OwnCounts);
        }
        if self.notes.since.is_some_and(|since| served.unix_s < since) {
            bill.estimates.add(Estimate::OlderThanPrice);
        }
        Some(bill)
    }

    fn plain(&self) -> Option<Plain> {
        let table = self.table.as_ref().filter(|table| table.schedule.is_empty() && table.prices_tokens())?;
        let keys = Keys::default();
        let mut rates = Rates::new(table, Class::Standard, None, &keys);
        if self.premium {
            rates = rates.with_premium().ok()?;
        }
        if rates.own(Meter::Request).is_some() {
            return None;
        }
        let longest_prompt = table.thresholds().first().copied().unwrap_or(u64::MAX);
        let prices_reasoning = rates.own(Meter::Reasoning).is_some();
        let of = METERS.map(|meter| rates.of(meter).filter(|rate| !rate.keyed));
        Some(Plain { rates: of, longest_prompt, prices_reasoning })
    }

    /// The ceiling of plain bounds; `None`: the long way.
    pub(crate) fn plain_ceiling(&self, bounds: &Bounds<'_>) -> Option<Money> {
        let sort = sort(bounds)?;
        let tiers = self.quick.ceilings.get(sort)?.get_or_init(|| self.tiers(bounds)).as_ref()?;
        let output =
            u64::try_from(u128::from(bounds.output_tokens) * u128::from(bounds.answers.max(1))).ok()?;
        let mut highest = None;
        for tier in tiers.iter().filter(|tier| tier.above.is_none_or(|above| bounds.prompt_tokens > above)) {
            let prompt = tier.prompt.checked_mul(bounds.prompt_tokens.into())?;
            let cost =
                prompt.checked_add(tier.output.checked_mul(output.into())?)?.checked_add(tier.fixed)?;
            highest = highest.max(Some((cost, tier.scale)));
        }
        let (cost, scale) = highest?;
        money::fit(cost, scale).ok().map(Money::of)
    }

    fn tiers(&self, bounds: &Bounds<'_>) -> Option<Box<[Tier]>> {
        const MILLION: u64 = 1_000_000;
        let table = self.table.as_ref().filter(|table| table.prices_tokens())?;
        let facts = Quantities::default();
        let mut rates = Rates::new(table, Class::Standard, None, &facts.keys);
        if self.premium {
            rates = rates.with_premium().ok()?;
        }
        rates.dearest = true;
        let thresholds = table.thresholds();
        let ends = thresholds.iter().copied().chain([u64::MAX]);
        let begins = [None].into_iter().chain(thresholds.iter().copied().map(Some));
        let mut priced = Vec::new();
        for (above, prompt) in begins.zip(ends) {
            for hour in hours(table) {
                let reading = Reading { rates: Rates { hour, prompt, ..rates }, bounds, facts: &facts };
                let dearest = |side| reading.dearest(side, MILLION).ok().flatten();
                let fixed = reading.facts_cost(|meter| !meter.stands_for_tokens()).ok()?.ok()?;
                priced.push((above, [dearest(Side::Prompt)?, dearest(Side::Answer)?, fixed]));
            }
        }
        // Of a million tokens: of one, with six more decimals.
        let scale = priced.iter().flat_map(|(_, amounts)| amounts).map(|of| of.amount().scale()).max()? + 6;
        let whole = |amount: Money, digits: u32| {
            let amount = amount.amount();
            amount.mantissa().checked_mul(10_i128.checked_pow(digits.checked_sub(amount.scale())?)?)
        };
        let tier = |(above, [prompt, output, fixed]): (Option<u64>, [Money; 3])| {
            let (prompt, output) = (whole(prompt, scale - 6)?, whole(output, scale - 6)?);
            Some(Tier { above, prompt, output, fixed: whole(fixed, scale)?, scale })
        };
        priced.into_iter().map(tier).collect()
    }
}

/// Which of the plain kinds of bounds these are.
fn sort(bounds: &Bounds<'_>) -> Option<usize> {
    let kinds = &bounds.kinds;
    let is_plain = kinds.image_in == kinds.image_out
        && kinds.audio_in == kinds.audio_out
        && !kinds.video_in
        && !kinds.video_out
        && bounds.cache != CacheWrites::Never
        && bounds.citation_tokens == 0
        && bounds.classes.is_empty()
        && bounds.region.is_none()
        && bounds.facts == Facts::default();
    let bits = [kinds.image_in, kinds.audio_in, bounds.cache == CacheWrites::Any];
    is_plain.then(|| bits.into_iter().fold(0, |sort, bit| sort * 2 + usize::from(bit)))
}

impl Clone for Quick {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Quick {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Quick {}

impl fmt::Debug for Quick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quick")
    }
}
