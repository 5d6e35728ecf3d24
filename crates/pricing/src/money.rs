//! Money, and the arithmetic that makes it. Everything is exact: what does not fit is an error, never a rounded figure.
//!
//! The decimals hold 96 bits, about 28 digits. The library's own `*` and `+` round when a result needs more, without a
//! sign; the functions here work on the integers behind the decimals and say [`TooLarge`] instead.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};

/// An amount in USD. Signed, because books subtract; the cost of a request is never negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

/// A result that needs more than 28 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Text that is not a plain decimal number of at most 28 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotMoney;

/// What a quotient that does not end is rounded to, half to even.
const QUOTIENT_DECIMALS: u32 = 18;

impl Money {
    pub const ZERO: Self = Self(Decimal::ZERO);

    pub(crate) fn of(amount: Decimal) -> Self {
        Self(amount.normalize())
    }

    /// The amount as a decimal, without trailing zeros.
    pub fn amount(self) -> Decimal {
        self.0
    }

    /// For metrics only: the nearest that a float can say.
    pub fn approximate(self) -> f64 {
        self.0.mantissa() as f64 / 10_f64.powi(self.0.scale().cast_signed())
    }

    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    /// # Errors
    /// The sum needs more than 28 digits.
    pub fn checked_add(self, other: Self) -> Result<Self, TooLarge> {
        add(self.0, other.0).map(Self)
    }

    /// # Errors
    /// The difference needs more than 28 digits.
    pub fn checked_sub(self, other: Self) -> Result<Self, TooLarge> {
        add(self.0, -other.0).map(Self)
    }

    /// For display only: half to even at so many decimals.
    #[must_use]
    pub fn rounded(self, decimals: u32) -> Self {
        Self::of(self.0.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven))
    }

    /// Away from zero at so many decimals: for limits and counters that hold fewer digits and must not fall short.
    #[must_use]
    pub fn rounded_up(self, decimals: u32) -> Self {
        Self::of(self.0.round_dp_with_strategy(decimals, RoundingStrategy::AwayFromZero))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        decimal(text).map(Self)
    }
}

impl serde::Serialize for Money {
    /// A text: readers of JSON would turn a number into binary floating point.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the amount needs more than 28 digits")
    }
}

impl std::error::Error for TooLarge {}

impl fmt::Display for NotMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount is a plain decimal number such as \"0.25\", of at most 28 digits")
    }
}

impl std::error::Error for NotMoney {}

/// Reads `-?digits[.digits]`; refuses what would not be held to the last digit.
pub(crate) fn decimal(text: &str) -> Result<Decimal, NotMoney> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(NotMoney);
    }
    Decimal::from_str_exact(text).map(|value| value.normalize()).map_err(|_| NotMoney)
}

pub(crate) fn add(a: Decimal, b: Decimal) -> Result<Decimal, TooLarge> {
    let scale = a.scale().max(b.scale());
    let widen = |value: Decimal| {
        let factor = 10_i128.checked_pow(scale - value.scale()).ok_or(TooLarge)?;
        value.mantissa().checked_mul(factor).ok_or(TooLarge)
    };
    fit(widen(a)?.checked_add(widen(b)?).ok_or(TooLarge)?, scale)
}

pub(crate) fn multiply(a: Decimal, b: Decimal) -> Result<Decimal, TooLarge> {
    let (a, b) = (a.normalize(), b.normalize());
    fit(a.mantissa().checked_mul(b.mantissa()).ok_or(TooLarge)?, a.scale() + b.scale())
}

/// Divides by a power of ten, or by 3,600 (seconds of a price by the hour).
pub(crate) fn divide(value: Decimal, by: u32) -> Result<Decimal, TooLarge> {
    let value = value.normalize();
    let (mantissa, scale) = (value.mantissa(), value.scale());
    match by {
        1 => Ok(value),
        1_000_000 => fit(mantissa, scale + 6),
        // 3,600 = 9 × 400, and a four-hundredth is 25 ten-thousandths.
        3_600 if mantissa % 9 == 0 => fit((mantissa / 9).checked_mul(25).ok_or(TooLarge)?, scale + 4),
        by => round_quotient(mantissa, scale, i128::from(by)),
    }
}

/// `mantissa / 10^scale / by`, half to even.
fn round_quotient(mantissa: i128, scale: u32, by: i128) -> Result<Decimal, TooLarge> {
    let power = |exponent: u32| 10_i128.checked_pow(exponent).ok_or(TooLarge);
    let (dividend, divisor) = match QUOTIENT_DECIMALS.checked_sub(scale) {
        Some(missing) => (mantissa.checked_mul(power(missing)?).ok_or(TooLarge)?, by),
        None => (mantissa, by.checked_mul(power(scale - QUOTIENT_DECIMALS)?).ok_or(TooLarge)?),
    };
    let (quotient, rest) = (dividend.checked_div(divisor), dividend.checked_rem(divisor));
    let (quotient, rest) = (quotient.ok_or(TooLarge)?, rest.ok_or(TooLarge)?);
    let twice = rest.unsigned_abs() * 2;
    let up = match twice.cmp(&divisor.unsigned_abs()) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    fit(if up { quotient + dividend.signum() } else { quotient }, QUOTIENT_DECIMALS)
}

/// The decimal of an integer and a scale, if it can be held to the last digit.
pub(crate) fn fit(mut mantissa: i128, mut scale: u32) -> Result<Decimal, TooLarge> {
    // Most amounts fit into one word, which is divided many times faster.
    if let Ok(mut small) = i64::try_from(mantissa) {
        while scale > 0 && small % 10 == 0 {
            small /= 10;
            scale -= 1;
        }
        return Decimal::try_from_i128_with_scale(small.into(), scale).map_err(|_| TooLarge);
    }
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        decimal(text).unwrap()
    }

    #[test]
    fn texts_are_read_to_the_last_digit_or_refused() {
        for text in
            ["0", "0.00000000225", "79228162514264337593543950335", "-1.5", "0.0000000000000000000000000001"]
        {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
        }
        assert_eq!("1.500".parse::<Money>().unwrap().to_string(), "1.5");
        let refused = ["", "-", ".5", "1.", "1e3", "+1", "1_000", "NaN", "0x1", " 1", "1,5"];
        let too_fine = ["0.00000000000000000000000000001", "79228162514264337593543950336"];
        for text in refused.into_iter().chain(too_fine) {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    #[test]
    fn more_digits_than_fit_are_an_error_where_the_library_rounds() {
        let (a, b) = (d("1.000000000000001"), d("1.000000000000001"));
        assert_eq!(a.checked_mul(b).map(|product| product.scale()), Some(28), "the library drops two digits");
        assert_eq!(multiply(a, b), Err(TooLarge));
        let large = d("79228162514264337593543950335");
        assert_eq!(add(large, d("0.1")), Err(TooLarge));
        assert_eq!(add(large, d("1")), Err(TooLarge));
        assert_eq!(multiply(large, large), Err(TooLarge));
        assert_eq!(divide(d("0.00000000000000000000001"), 1_000_000), Err(TooLarge));
        assert_eq!(multiply(d("2.5"), d("0.4")), Ok(Decimal::ONE), "ends where the digits end");
    }

    #[test]
    fn quotients_end_or_are_rounded_half_to_even() {
        for (seconds, price, amount) in [
            ("60", "0.36", "0.006"),
            ("1", "0.36", "0.0001"),
            ("125", "0.258", "0.008958333333333333"),
            // 18 decimals end in …5 exactly halfway: down to even, then up to even.
            ("1", "0.0000000000000018", "0.0000000000000000005"),
            ("1", "0.0000000000000001", "0"),
            ("2", "1", "0.000555555555555556"),
        ] {
            assert_eq!(
                divide(multiply(d(seconds), d(price)).unwrap(), 3_600),
                Ok(d(amount)),
                "{seconds} {price}"
            );
        }
        let halves = [
            (1, "0"),
            (3, "0.000000000000000002"),
            (5, "0.000000000000000002"),
            (-3, "-0.000000000000000002"),
        ];
        for (halves, rounded) in halves {
            assert_eq!(round_quotient(halves, QUOTIENT_DECIMALS, 2), Ok(d(rounded)), "{halves}");
        }
    }

    #[test]
    fn rounding_is_asked_for() {
        let amount: Money = "0.0000012345".parse().unwrap();
        assert_eq!(amount.rounded(9).to_string(), "0.000001234");
        assert_eq!(amount.rounded_up(9).to_string(), "0.000001235");
        assert_eq!(amount.rounded_up(20), amount);
    }

    #[test]
    fn books_subtract() {
        let (a, b): (Money, Money) = ("0.1".parse().unwrap(), "0.3".parse().unwrap());
        assert_eq!(a.checked_sub(b).unwrap().to_string(), "-0.2");
        assert!(a.checked_sub(b).unwrap().is_negative());
        assert_eq!(a.checked_add(b).unwrap().checked_sub(b).unwrap(), a);
        assert_eq!(serde_json::to_string(&a).unwrap(), "\"0.1\"");
        assert_eq!(serde_json::from_str::<Money>("\"0.10\"").unwrap(), a);
        assert!(serde_json::from_str::<Money>("0.1").is_err());
    }
}
