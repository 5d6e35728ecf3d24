//! Service classes: the speed or patience that a request paid for.

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
        let word = word.to_ascii_lowercase();
        match word.as_str() {
            "default" | "auto" | "on_demand" | "normal" => Some(Self::Standard),
            word => NAMES.iter().find(|row| row.1 == word).map(|row| row.0),
        }
    }

    /// The class whose prices hold where the table has none for this one: OpenAI renamed `priority` to `fast`.
    pub(crate) fn or_as(self) -> Option<Self> {
        (self == Self::Fast).then_some(Self::Priority)
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
}
