//! What happens to requests whose cost is not known. There is no third way: a model without a price is never free.

use crate::bill::Unpriced;
use crate::ceiling::Ceiling;
use crate::money::Money;

/// The operator's choice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum UnpricedPolicy {
    /// Not sent.
    Refuse,
    /// Sent, recorded as unpriced, counted by model.
    #[default]
    Mark,
}

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Reserve this much, then send.
    Reserve(Money),
    /// Send without a reservation, and record it as unpriced.
    Mark(Unpriced),
    Refuse(Unpriced),
}

impl UnpricedPolicy {
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "refuse" => Some(Self::Refuse),
            "mark" => Some(Self::Mark),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Mark => "mark",
        }
    }

    pub fn decide(self, ceiling: Ceiling) -> Admission {
        match (ceiling, self) {
            (Ceiling::Highest(cost), _) => Admission::Reserve(cost),
            (Ceiling::Unpriced(why), Self::Refuse) => Admission::Refuse(why),
            (Ceiling::Unpriced(why), Self::Mark) => Admission::Mark(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_price_is_refused_or_marked() {
        let unpriced = Ceiling::Unpriced(Unpriced::NoPrice);
        assert_eq!(UnpricedPolicy::Refuse.decide(unpriced), Admission::Refuse(Unpriced::NoPrice));
        assert_eq!(UnpricedPolicy::Mark.decide(unpriced), Admission::Mark(Unpriced::NoPrice));
        for policy in [UnpricedPolicy::Refuse, UnpricedPolicy::Mark] {
            assert_eq!(policy.decide(Ceiling::Highest(Money::ZERO)), Admission::Reserve(Money::ZERO));
            assert_eq!(UnpricedPolicy::of(policy.name()), Some(policy));
        }
    }
}
