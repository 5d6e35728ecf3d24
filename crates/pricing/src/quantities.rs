//! What a request consumed, meter by meter: disjoint, so that nothing is billed twice.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tidegate_core::Usage;

use crate::meter::{Meter, Side};
use crate::money::{TooLarge, add};
use crate::usage::split::{AnswerSide, PromptSide};

/// Disjoint quantities. From a provider's usage object ([`Measured`](crate::Measured)), from the neutral
/// [`Usage`], or filled by hand; what the request itself says is added with [`Quantities::with_facts`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quantities {
    by_meter: BTreeMap<Meter, Decimal>,
    /// Reasoning tokens that [`Meter::Output`] has inside: billed apart only where they have a price of their own.
    pub(crate) reasoning_inside: u64,
    /// The answer was counted in tokens.
    pub(crate) counted: bool,
    /// The provider charges one search fee per request, by the size of the context.
    pub(crate) fee_per_request: bool,
    /// The counts contradict each other.
    pub(crate) odd: bool,
    /// The counts are the gateway's own.
    pub(crate) guessed: bool,
    pub(crate) keys: Keys,
}

/// What chooses among the prices of one meter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) quality: Option<Box<str>>,
    pub(crate) image_size: Option<Box<str>>,
    pub(crate) resolution: Option<Box<str>>,
    pub(crate) plan: Option<Box<str>>,
    pub(crate) search_context: Option<Box<str>>,
}

/// What the request, or the answer outside its usage object, says about the amount of work. `None` and zero: nothing
/// of that kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Images to make. Where the request does not say how many, it is one.
    pub images: Option<Images>,
    pub images_in: u32,
    /// Unicode scalar values of the text to speak.
    pub characters: Option<u64>,
    pub audio_in_seconds: Option<Decimal>,
    pub audio_out_seconds: Option<Decimal>,
    pub video_in_seconds: Option<Decimal>,
    pub video_out_seconds: Option<Decimal>,
    /// `1280x720`, `1080p`.
    pub resolution: Option<Box<str>>,
    /// The plan of a video reader.
    pub plan: Option<Box<str>>,
    /// Pages read with annotations; other pages are in the usage object.
    pub annotated_pages: u64,
    pub search_units: u64,
    /// Calls of the web search, or queries of a grounded answer.
    pub searches: u64,
    /// `low`, `medium` or `high`.
    pub search_context: Option<Box<str>>,
    /// Calls of other server-side tools.
    pub tools: Vec<(Meter, u64)>,
}

/// Images to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Images {
    pub count: u32,
    /// `1024x1024`; `auto` is as good as none.
    pub size: Option<Box<str>>,
    /// `standard`, `hd`, `low`, …
    pub quality: Option<Box<str>>,
}

impl Quantities {
    /// From the neutral counts. What is not in there (modality of cached tokens) is taken to be text.
    pub fn of_usage(usage: &Usage) -> Self {
        let mut quantities = Self::default();
        let prompt = PromptSide {
            total: usage.prompt(),
            cached: usage.cache_read.unwrap_or(0),
            written: usage.cache_write.unwrap_or(0),
            written_1h: usage.cache_write_1h.unwrap_or(0),
            audio: usage.audio_input.unwrap_or(0),
            image: usage.image_input.unwrap_or(0),
            ..PromptSide::default()
        };
        prompt.put(&mut quantities);
        let answer = AnswerSide {
            total: usage.output,
            audio: usage.audio_output.unwrap_or(0),
            image: usage.image_output.unwrap_or(0),
            reasoning_inside: usage.reasoning.unwrap_or(0),
            ..AnswerSide::default()
        };
        answer.put(&mut quantities);
        if let Some(searches) = usage.searches {
            quantities.put(Meter::WebSearch, searches);
        }
        quantities
    }

    /// The same, marked as the gateway's own count: the provider sent none.
    #[must_use]
    pub fn guessed(self) -> Self {
        Self { guessed: true, ..self }
    }

    /// Adds what the request says.
    ///
    /// # Errors
    /// A sum with what is there already needs more than 28 digits.
    pub fn with_facts(mut self, facts: &Facts) -> Result<Self, TooLarge> {
        if let Some(images) = &facts.images {
            let count = images.count.max(1);
            self.put(Meter::Image, u64::from(count));
            self.put_decimal(Meter::Megapixel, images.megapixels(count))?;
            (self.keys.quality, self.keys.image_size) = (given(&images.quality), given(&images.size));
        }
        let seconds = [
            (Meter::AudioInHour, facts.audio_in_seconds),
            (Meter::AudioOutHour, facts.audio_out_seconds),
            (Meter::VideoInSecond, facts.video_in_seconds),
            (Meter::VideoOutSecond, facts.video_out_seconds),
        ];
        for (meter, seconds) in seconds {
            // What the answer says is more exact.
            if !self.by_meter.contains_key(&meter) {
                self.put_decimal(meter, seconds)?;
            }
        }
        let counts = [
            (Meter::CharsIn, facts.characters.unwrap_or(0)),
            (Meter::ImageInEach, u64::from(facts.images_in)),
            (Meter::AnnotatedPage, facts.annotated_pages),
            (Meter::Search, facts.search_units),
            (Meter::WebSearch, facts.searches),
        ];
        for (meter, count) in
            counts.into_iter().chain(facts.tools.iter().copied()).filter(|(_, count)| *count > 0)
        {
            self.put_decimal(meter, Some(count.into()))?;
        }
        let from_facts = [
            (&mut self.keys.resolution, &facts.resolution),
            (&mut self.keys.plan, &facts.plan),
            (&mut self.keys.search_context, &facts.search_context),
        ];
        for (key, fact) in from_facts {
            *key = key.take().or_else(|| given(fact));
        }
        Ok(self)
    }

    /// The quantity of a meter: tokens, seconds, characters or calls.
    pub fn get(&self, meter: Meter) -> Option<Decimal> {
        self.by_meter.get(&meter).copied()
    }

    /// The quantities, in the order of the lines of a bill.
    pub fn iter(&self) -> impl Iterator<Item = (Meter, Decimal)> {
        self.by_meter.iter().map(|(meter, quantity)| (*meter, *quantity))
    }

    /// All tokens of the prompt, cached and newly cached too: what the tier goes by.
    pub fn prompt_tokens(&self) -> u64 {
        let tokens = self.iter().filter(|(meter, _)| meter.side() == Side::Prompt);
        tokens.fold(0_u64, |sum, (_, count)| {
            sum.saturating_add(u64::try_from(count.trunc().mantissa()).unwrap_or(u64::MAX))
        })
    }

    /// Sets a count. Counts of tokens say that the answer was counted in tokens.
    pub fn put(&mut self, meter: Meter, count: u64) {
        self.counted |= matches!(meter.side(), Side::Prompt | Side::Answer);
        self.by_meter.insert(meter, count.into());
    }

    /// Adds an amount, if there is one.
    ///
    /// # Errors
    /// The sum needs more than 28 digits.
    pub fn put_decimal(&mut self, meter: Meter, amount: Option<Decimal>) -> Result<(), TooLarge> {
        if let Some(amount) = amount {
            let sum = add(self.get(meter).unwrap_or_default(), amount)?;
            self.by_meter.insert(meter, sum);
        }
        Ok(())
    }
}

impl Images {
    fn megapixels(&self, count: u32) -> Option<Decimal> {
        let (width, height) = self.size.as_deref()?.split_once('x')?;
        let (width, height): (u16, u16) = (width.parse().ok()?, height.parse().ok()?);
        let pixels = i128::from(width) * i128::from(height) * i128::from(count);
        Decimal::try_from_i128_with_scale(pixels, 6).ok()
    }
}

fn given(key: &Option<Box<str>>) -> Option<Box<str>> {
    key.clone().filter(|key| !key.is_empty() && !key.eq_ignore_ascii_case("auto"))
}
