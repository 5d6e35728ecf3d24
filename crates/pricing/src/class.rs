//! Service classes: the speed or patience that a request paid for.

use tidegate_core::{ServiceTier, Usage};

/// The class of an answer. What the answer reports counts, not what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Class {
    #[default]
    Standard,
    Batch,
    Flex,
    Priority,
    Fast,
    Ultrafast,
    /// With thinking on, where that prices the whole output (Alibaba's Qwen).
    Thinking,
}

const NAMES: [(Class, &str); 7] = [
    (Class::Standard, "standard"),
    (Class::Batch, "batch"),
    (Class::Flex, "flex"),
    (Class::Priority, "priority"),
    (Class::Fast, "fast"),
    (Class::Ultrafast, "ultrafast"),
    (Class::Thinking, "thinking"),
];

impl Class {
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// The class that a price table calls so; `standard` has no name there.
    pub(crate) fn of_table(name: &str) -> Option<Self> {
        NAMES.iter().skip(1).find(|row| row.1 == name).map(|row| row.0)
    }

    /// The class that an answer's `service_tier` or `speed` names, in any case. `None` for words that are not known:
    /// treat such an answer as standard and say so.
    pub fn of_answer(word: &str) -> Option<Self> {
        match ServiceTier::of_answer(word) {
            Some(tier) => Some(tier.into()),
            None => word.eq_ignore_ascii_case(Self::Thinking.name()).then_some(Self::Thinking),
        }
    }

    /// The class that an answer with this usage was served in.
    pub fn of_usage(usage: &Usage) -> Self {
        usage.tier.map(Self::from).unwrap_or_default()
    }

    /// The classes above the standard price that an answer may report to a request with this `service_tier`: for
    /// [`Bounds::classes`](crate::Bounds). Cheaper ones need nothing set aside for them.
    pub fn dearer(asked: Option<&str>) -> &'static [Self] {
        match asked.and_then(ServiceTier::of_answer) {
            Some(ServiceTier::Priority) => &[Self::Priority],
            // The one word was the other's before.
            Some(ServiceTier::Fast) => &[Self::Fast, Self::Priority],
            Some(ServiceTier::Ultrafast) => &[Self::Ultrafast, Self::Fast, Self::Priority],
            _ => &[],
        }
    }

    /// The class whose prices hold where the table has none for this one: OpenAI renamed `priority` to `fast`.
    pub(crate) fn or_as(self) -> Option<Self> {
        (self == Self::Fast).then_some(Self::Priority)
    }
}

impl From<ServiceTier> for Class {
    fn from(tier: ServiceTier) -> Self {
        match tier {
            ServiceTier::Standard => Self::Standard,
            ServiceTier::Batch => Self::Batch,
            ServiceTier::Flex => Self::Flex,
            ServiceTier::Priority => Self::Priority,
            ServiceTier::Fast => Self::Fast,
            ServiceTier::Ultrafast => Self::Ultrafast,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_the_classes() {
        for (at, (class, name)) in NAMES.iter().enumerate() {
            assert_eq!((*class as usize, class.name()), (at, *name));
        }
        assert_eq!(Class::of_answer("Priority"), Some(Class::Priority));
        assert_eq!(Class::of_answer("default"), Some(Class::Standard));
        assert_eq!(Class::of_answer("platinum"), None);
        assert_eq!(Class::of_table("standard"), None);
    }

    /// What is set aside for a request is enough for every answer that it may get, and no more than it has to be.
    #[test]
    fn a_tier_chooses_the_price_and_its_ceiling() {
        use crate::{Bounds, Ceiling, Cost, ModelName, Prices, Quantities, Served};
        let prices = Prices::default();
        let found = prices.find(&ModelName { provider: "openai", asked: "gpt-4o", ..ModelName::default() });
        let cost = |tier| {
            let usage = Usage { input: 1_000_000, output: 100_000, tier, ..Usage::default() };
            let served = Served { class: Class::of_usage(&usage), ..Served::default() };
            let Ok(Cost::Priced(bill)) = found.cost(&Quantities::of_usage(&usage), &served) else { panic!() };
            assert!(bill.estimates.is_empty(), "{tier:?}");
            bill.total
        };
        let ceiling = |asked| {
            let bounds = Bounds { classes: Class::dearer(asked), ..Bounds::text(1_000_000, 100_000) };
            let Ok(Ceiling::Highest(most)) = found.ceiling(&bounds) else { panic!() };
            most
        };
        let standard = cost(None);
        assert_eq!(standard, cost(Some(ServiceTier::Standard)));
        assert_eq!(cost(Some(ServiceTier::Batch)).checked_add(cost(Some(ServiceTier::Batch))), Ok(standard));
        assert!(cost(Some(ServiceTier::Priority)) > standard);
        for asked in [None, Some("default"), Some("flex"), Some("auto")] {
            assert_eq!(ceiling(asked), standard, "{asked:?}");
        }
        assert_eq!(ceiling(Some("priority")), cost(Some(ServiceTier::Priority)));
    }
}
