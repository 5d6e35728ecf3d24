//! Why a cost is not certain. A cost without any of these is what the price list and the provider's counts say.

use std::fmt;

/// One reason to doubt a cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Estimate {
    /// The name is not in the catalogue; its family is.
    Family,
    /// A regional profile that is not in the catalogue, priced from the model it is a profile of.
    GeoPrefix,
    /// A fine-tune of a snapshot that is not in the catalogue, priced as a fine-tune of its family.
    FineTuneFamily,
    /// The operator's price for models that have none.
    FallbackPrice,
    /// One source only has the price, and it is far from the same model's elsewhere.
    SuspectPrice,
    /// The request is older than the price.
    OlderThanPrice,
    /// The model is priced by tokens, and the answer had no counts: billed by what was asked for.
    NoTokenCounts,
    /// The service class is not in the price list: billed as the standard class.
    ClassUnknown,
    /// The service class has a price, but not for a prompt of this length.
    TierUnknown,
    /// The region has prices of its own, but not for this service class or length.
    RegionUnknown,
    /// Quality, size, resolution or search context are not in the price list: billed at the dearest.
    KeyUnknown,
    /// The provider's counts contradict each other; the dearer reading was billed.
    OddCounts,
    /// The provider sent no counts, and the gateway counted itself.
    OwnCounts,
}

const NAMES: [(Estimate, &str); 13] = [
    (Estimate::Family, "family"),
    (Estimate::GeoPrefix, "geo-prefix"),
    (Estimate::FineTuneFamily, "fine-tune-family"),
    (Estimate::FallbackPrice, "fallback-price"),
    (Estimate::SuspectPrice, "suspect-price"),
    (Estimate::OlderThanPrice, "older-than-price"),
    (Estimate::NoTokenCounts, "no-token-counts"),
    (Estimate::ClassUnknown, "class-unknown"),
    (Estimate::TierUnknown, "tier-unknown"),
    (Estimate::RegionUnknown, "region-unknown"),
    (Estimate::KeyUnknown, "key-unknown"),
    (Estimate::OddCounts, "odd-counts"),
    (Estimate::OwnCounts, "own-counts"),
];

/// A set of reasons.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Estimates(u16);

impl Estimate {
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }
}

impl Estimates {
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn contains(self, reason: Estimate) -> bool {
        self.0 & (1 << reason as u16) != 0
    }

    /// The reasons, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Estimate> {
        NAMES.iter().map(|row| row.0).filter(move |reason| self.contains(*reason))
    }

    pub(crate) fn add(&mut self, reason: Estimate) {
        self.0 |= 1 << reason as u16;
    }

    pub(crate) fn add_all(&mut self, others: Self) {
        self.0 |= others.0;
    }
}

impl FromIterator<Estimate> for Estimates {
    fn from_iter<I: IntoIterator<Item = Estimate>>(reasons: I) -> Self {
        let mut set = Self::default();
        reasons.into_iter().for_each(|reason| set.add(reason));
        set
    }
}

impl fmt::Debug for Estimates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_the_reasons() {
        for (at, (reason, name)) in NAMES.iter().enumerate() {
            assert_eq!((*reason as usize, reason.name()), (at, *name));
        }
        let set: Estimates = [Estimate::OddCounts, Estimate::Family].into_iter().collect();
        assert_eq!(set.iter().map(Estimate::name).collect::<Vec<_>>(), ["family", "odd-counts"]);
        assert!(Estimates::default().is_empty() && !set.is_empty());
    }
}
