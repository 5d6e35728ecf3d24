//! Amounts as integers: adding them up never rounds, and takes no look at digits.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tidegate_pricing::Money;

/// An exact amount of USD or of tokens, in steps of 10⁻²⁰. Signed, because books subtract.
///
/// Sums stop at ±1.7 · 10¹⁸ instead of wrapping; with [`Amount::MOST_PER_REQUEST`] that is out of reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

const DECIMALS: u32 = 20;
const ONE: i128 = 10_i128.pow(DECIMALS);
const HALF: u64 = 10_u64.pow(DECIMALS / 2);
/// For the text of any amount: 39 digits, a sign and a point.
pub(crate) const ROOM: usize = 41;

/// Text that is not a plain decimal number of at most 20 decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnAmount;

/// What a request's figure became, and whether that is the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) amount: Amount,
    /// It was negative, above the bound, or finer than 10⁻²⁰.
    pub(crate) adjusted: bool,
}

impl Amount {
    pub const ZERO: Self = Self(0);
    /// Above every other amount.
    pub(crate) const MAX: Self = Self(i128::MAX);
    pub(crate) const SMALLEST: Self = Self(1);
    /// One request costs at most a thousand million USD, or tokens. A greater figure is a provider's mistake: it is cut
    /// to this, and counted.
    pub const MOST_PER_REQUEST: Self = Self(1_000_000_000 * ONE);
    /// No budget is greater.
    pub const MOST_PER_BUDGET: Self = Self(1_000_000_000_000_000 * ONE);

    pub fn tokens(count: u64) -> Self {
        Self(i128::from(count).saturating_mul(ONE))
    }

    /// `None` for amounts finer than 10⁻²⁰ USD or above [`Amount::MOST_PER_BUDGET`].
    pub fn usd(money: Money) -> Option<Self> {
        let decimal = money.amount().normalize();
        let factor = 10_i128.pow(DECIMALS.checked_sub(decimal.scale())?);
        let amount = Self(decimal.mantissa().checked_mul(factor)?);
        (amount.0.unsigned_abs() <= Self::MOST_PER_BUDGET.0.unsigned_abs()).then_some(amount)
    }

    /// The figure of one request: never below zero, never above the bound, rounded up where it is too fine.
    pub(crate) fn of_request(money: Money) -> Taken {
        let exact = Self::usd(money);
        let near = exact.or_else(|| Self::usd(money.rounded_up(DECIMALS)));
        let amount = near.unwrap_or(Self::MOST_PER_REQUEST).clamp(Self::ZERO, Self::MOST_PER_REQUEST);
        Taken { amount, adjusted: exact != Some(amount) }
    }

    pub(crate) fn tokens_of_request(count: u64) -> Taken {
        let amount = Self::tokens(count).min(Self::MOST_PER_REQUEST);
        Taken { amount, adjusted: amount != Self::tokens(count) }
    }

    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// A count of tokens: rounded down; 0 for what is below.
    pub fn whole(self) -> u64 {
        u64::try_from(self.0 / ONE).unwrap_or(0)
    }

    /// So many millionths of it, rounded down to whole millionths of one: a share needs no twenty decimals.
    pub(crate) fn millionths(self, count: u32) -> Self {
        const STEP: i128 = ONE / 1_000_000;
        Self(self.0 / 1_000_000 * i128::from(count) / STEP * STEP)
    }

    /// Its text, in the room given: the journal has several of them for each request.
    pub(crate) fn spell(self, room: &mut [u8; ROOM]) -> &[u8] {
        let size = self.0.unsigned_abs();
        // What one request costs is less than 0.18 as a rule, and fits into a word: that is divided many times faster.
        let (mut whole, rest) = match u64::try_from(size) {
            Ok(small) => (0, [small / HALF, small % HALF]),
            Err(_) => {
                let (whole, rest) = (size / ONE.unsigned_abs(), size % ONE.unsigned_abs());
                (whole as u64, [rest / u128::from(HALF), rest % u128::from(HALF)].map(|half| half as u64))
            }
        };
        let mut at = ROOM;
        // Zeros are left out until there is another digit.
        for mut half in rest.into_iter().rev() {
            let zeros = half == 0 && at == ROOM;
            for _ in 0..if zeros { 0 } else { DECIMALS / 2 } {
                if half % 10 != 0 || at < ROOM {
                    at -= 1;
                    room[at] = b'0' + (half % 10) as u8;
                }
                half /= 10;
            }
        }
        if at < ROOM {
            at -= 1;
            room[at] = b'.';
        }
        loop {
            at -= 1;
            room[at] = b'0' + (whole % 10) as u8;
            whole /= 10;
            if whole == 0 {
                break;
            }
        }
        if self.0 < 0 {
            at -= 1;
            room[at] = b'-';
        }
        &room[at..]
    }

    /// # Errors
    /// More than 28 digits.
    pub fn money(self) -> Result<Money, tidegate_pricing::NotMoney> {
        self.to_string().parse()
    }
}

impl std::ops::Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::ops::SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, |sum, next| sum + next)
    }
}

impl fmt::Display for Amount {
    /// `1500`, `0.0025`: all digits, and no zeros behind them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.spell(&mut [0; ROOM])).unwrap_or_default())
    }
}

impl FromStr for Amount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) || fraction.len() > DECIMALS as usize {
            return Err(NotAnAmount);
        }
        let whole: i128 = whole.parse().map_err(|_| NotAnAmount)?;
        let rest: i128 = format!("{fraction:0<20}").parse().map_err(|_| NotAnAmount)?;
        let size = whole.checked_mul(ONE).and_then(|whole| whole.checked_add(rest)).ok_or(NotAnAmount)?;
        Ok(Self(if text.starts_with('-') { -size } else { size }))
    }
}

impl Serialize for Amount {
    /// A text: readers of JSON would turn a number into binary floating point.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount is a plain decimal number such as \"0.25\", with at most 20 decimals")
    }
}

impl std::error::Error for NotAnAmount {}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        text.parse().unwrap()
    }

    #[test]
    fn texts_go_there_and_back() {
        for text in [
            "0",
            "1",
            "-1.5",
            "0.00000000000000000001",
            "1000000000000000",
            "0.1",
            "0.0000000001",
            "-0.00000000010000000001",
            "0.18446744073709551615",
            "0.18446744073709551616",
            "7.00000000010000000001",
            "10.5",
        ] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        assert_eq!(Amount(i128::MIN).to_string(), "-1701411834604692317.31687303715884105728");
        assert_eq!("1.500".parse::<Amount>().unwrap().to_string(), "1.5");
        for text in ["", "-", ".5", "1.", "1e3", "+1", "0.000000000000000000001", "99999999999999999999"] {
            assert_eq!(text.parse::<Amount>(), Err(NotAnAmount), "{text}");
        }
    }

    #[test]
    fn money_is_taken_to_the_last_digit_or_said_not_to_be() {
        for (money, amount, adjusted) in [
            ("0.00000000225", "0.00000000225", false),
            ("0.000000000000000000011", "0.00000000000000000002", true),
            ("-1", "0", true),
            ("79228162514264337593543950335", "1000000000", true),
            ("1000000000.00000000000000001", "1000000000", true),
        ] {
            let taken = Amount::of_request(usd(money));
            assert_eq!((taken.amount.to_string().as_str(), taken.adjusted), (amount, adjusted), "{money}");
        }
        assert!(Amount::tokens_of_request(u64::MAX).adjusted);
        assert_eq!(Amount::usd(usd("0.25")).unwrap().money(), Ok(usd("0.25")));
    }

    #[test]
    fn shares_are_rounded_down() {
        let one: Amount = "1".parse().unwrap();
        assert_eq!(one.millionths(1_000).to_string(), "0.001");
        assert_eq!("0.0123".parse::<Amount>().unwrap().millionths(1_000).to_string(), "0.000012");
    }
}
