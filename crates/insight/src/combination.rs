//! All the metadata of a record as one name. Records mostly have the same few pairs, so cells by all of them are few, and
//! say what cells by any one of them would.

/// The pairs of a record in their order, each with the lengths of its parts: `3:env4:prod`. None is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Combination<'a>(&'a str);

/// Combinations of a day in a store: where a record has a value of its own the day has no cells by metadata.
pub const MOST_COMBINATIONS: usize = 4_096;

impl<'a> Combination<'a> {
    pub fn read(text: &'a str) -> Self {
        Self(text)
    }

    pub fn write(pairs: &[(&str, &str)]) -> String {
        let mut text = String::new();
        for part in pairs.iter().flat_map(|(name, value)| [name, value]) {
            text.push_str(&part.len().to_string());
            text.push(':');
            text.push_str(part);
        }
        text
    }

    pub fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let mut part = || {
                let (length, after) = rest.split_once(':')?;
                let (part, after) = after.split_at_checked(length.parse().ok()?)?;
                rest = after;
                Some(part)
            };
            part().zip(part())
        })
    }

    /// The first value that the name has; empty when none.
    pub fn value(self, name: &str) -> &'a str {
        self.pairs().find(|(own, _)| *own == name).map_or("", |(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back() {
        let pairs = [("env", "prod"), ("", "1:x"), ("ü:", ""), ("env", "second")];
        let text = Combination::write(&pairs);
        assert!(Combination::read(&text).pairs().eq(pairs));
        assert_eq!(Combination::read(&text).value("env"), "prod");
        assert_eq!(Combination::read(&text).value("ü"), "");
        assert_eq!((Combination::write(&[]), Combination::read("").pairs().count()), (String::new(), 0));
        for damaged in ["x", "3:en", "3:env", "3:env9:prod", ":", "-1:a1:b", "1:ü1:b"] {
            assert_eq!(Combination::read(damaged).pairs().count(), 0, "{damaged}");
        }
    }
}
