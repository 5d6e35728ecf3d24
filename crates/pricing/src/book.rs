//! The catalogue's own prices: `data/prices.tsv`, packed into the program with a chapter for each provider.
//!
//! Nothing is read at start and no index is kept. A provider's lines are inflated when one of them is first asked for; they
//! are sorted, so a look-up is a binary search over the text, and the one line that is found is parsed then.

use std::cmp::Ordering;

use serde_json::Value;

use crate::table::PriceTable;

include!(concat!(env!("OUT_DIR"), "/prices.rs"));

/// What the catalogue says of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name as the provider's API takes it: the line's own, or the one it is an alias of.
    pub(crate) id: &'static str,
    pub(crate) is_alias: bool,
    /// `None`: known, without a price. Not free.
    pub(crate) table: Option<PriceTable>,
    pub(crate) notes: Notes,
}

/// What else is known about the prices of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    /// A source lists it at zero (free tiers, previews): zero is its price, not a gap.
    pub listed_free: bool,
    /// One source only, and far off the same model's price elsewhere. Warn before billing on it.
    pub suspect: bool,
    /// Of grounded requests each is billed once, however many searches it made.
    pub search_per_prompt: bool,
    /// The first day of these prices, in seconds since 1970. Earlier requests had others.
    pub since: Option<u64>,
}

/// The entry of a name at a provider (its id), compared without ASCII case.
pub(crate) fn find(provider: &str, name: &str) -> Option<Entry> {
    let text = tidegate_packed::find(&PRICES, provider)?;
    let line = Line::find(text, name)?;
    match line.prices.strip_prefix('=') {
        Some(id) => Line::find(text, id).filter(|line| !line.is_alias()).and_then(|line| line.entry(true)),
        None => line.entry(false),
    }
}

/// All entries of a provider that have prices, in the order of their names; aliases are left out.
pub(crate) fn all(provider: &str) -> Vec<(&'static str, PriceTable)> {
    let text = tidegate_packed::find(&PRICES, provider).unwrap_or_default();
    let own = text.lines().filter_map(Line::parse).filter(|line| !line.is_alias());
    own.filter_map(|line| Some((line.name, line.entry(false)?.table?))).collect()
}

/// The day that the prices are of, as `2026-11-21`.
pub fn as_of() -> &'static str {
    // The header is a chapter of its own.
    let header = tidegate_packed::find(&PRICES, "#").unwrap_or_default();
    header.split_once("as of ").and_then(|(_, rest)| rest.get(..10)).unwrap_or_default()
}

struct Line<'t> {
    name: &'t str,
    prices: &'t str,
    notes: &'t str,
}

impl<'t> Line<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let mut columns = text.split('\t');
        let (_provider, name, prices) =
            (columns.next()?, columns.next()?, columns.next().unwrap_or_default());
        Some(Self { name, prices, notes: columns.next().unwrap_or_default() })
    }

    fn find(text: &'t str, name: &str) -> Option<Self> {
        let (mut low, mut high) = (0, text.len());
        while low < high {
            // Both ends are beginnings of lines; so is what the middle is brought to.
            let middle = low + (high - low) / 2;
            let begin = text
                .as_bytes()
                .get(low..middle)?
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(low, |at| low + at + 1);
            let rest = text.get(begin..high)?;
            let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
            let line = Self::parse(rest.get(..length)?.trim_end_matches('\n'))?;
            match line.compare(name) {
                Ordering::Less => low = begin + length,
                Ordering::Equal => return Some(line),
                Ordering::Greater => high = begin,
            }
        }
        None
    }

    fn compare(&self, name: &str) -> Ordering {
        let lower = |b: u8| b.to_ascii_lowercase();
        self.name.bytes().map(lower).cmp(name.bytes().map(lower))
    }

    fn is_alias(&self) -> bool {
        self.prices.starts_with('=')
    }
}

impl Line<'static> {
    fn entry(&self, is_alias: bool) -> Option<Entry> {
        let table = match self.prices {
            "-" => None,
            // A line that does not read is a defect of the build: the tests read every one. Unpriced is never wrong.
            text => {
                serde_json::from_str::<Value>(text).ok().and_then(|value| PriceTable::from_json(&value).ok())
            }
        };
        Some(Entry { id: self.name, is_alias, table, notes: Notes::read(self.notes) })
    }
}

impl Notes {
    fn read(text: &str) -> Self {
        let mut notes = Self::default();
        for word in text.split(' ') {
            match word.split_once('=') {
                Some(("since", day)) => {
                    notes.since = tidegate_core::clock::rfc3339_seconds(&format!("{day}T00:00:00Z"));
                }
                Some(_) => {}
                None => match word {
                    "free" => notes.listed_free = true,
                    "suspect" => notes.suspect = true,
                    "per_prompt" => notes.search_per_prompt = true,
                    _ => {}
                },
            }
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../data/prices.tsv");

    /// Of the text before it was packed: the provider with the line.
    fn lines() -> impl Iterator<Item = (&'static str, Line<'static>)> {
        TEXT.lines().skip(1).map(|line| (line.split('\t').next().unwrap(), Line::parse(line).unwrap()))
    }

    #[test]
    fn lines_are_sorted_and_unique() {
        let keys: Vec<_> =
            lines().map(|(provider, line)| (provider, line.name.to_ascii_lowercase())).collect();
        let unsorted = keys.windows(2).find(|pair| pair[0] >= pair[1]);
        assert_eq!(unsorted, None);
        assert!(TEXT.starts_with("#\tas of 2"), "the header sorts before every provider");
        assert!(TEXT.is_ascii() && TEXT.ends_with('\n'));
        assert_eq!(as_of().len(), 10);
    }

    #[test]
    fn every_line_is_found_and_reads() {
        let (mut models, mut priced, mut aliases) = (0, 0, 0);
        for (provider, line) in lines() {
            let at = format!("{} {}", provider, line.name);
            let entry = find(provider, &line.name.to_ascii_uppercase()).unwrap_or_else(|| panic!("{at}"));
            if line.is_alias() {
                assert_eq!(line.prices, format!("={}", entry.id), "{at}");
                assert!(entry.is_alias && line.notes.is_empty(), "{at}");
                aliases += 1;
                continue;
            }
            assert_eq!((entry.id, entry.is_alias), (line.name, false), "{at}");
            assert_eq!(entry.table.is_none(), line.prices == "-", "{at}: {}", line.prices);
            if line.prices != "-" {
                let value = serde_json::from_str(line.prices).unwrap();
                PriceTable::from_json(&value).unwrap_or_else(|error| panic!("{at}: {error}"));
                priced += 1;
            }
            models += 1;
        }
        assert!(models > 12_000 && priced > 9_000 && aliases > 500, "{models} {priced} {aliases}");
    }

    #[test]
    fn notes_are_words_that_are_known() {
        for (provider, line) in lines().filter(|(_, line)| !line.notes.is_empty()) {
            for word in line.notes.split(' ') {
                let known = matches!(word, "free" | "suspect" | "per_prompt" | "per_query");
                let since = || word.starts_with("since=") && Notes::read(word).since.is_some();
                assert!(known || since(), "{} {}: {word}", provider, line.name);
            }
        }
    }

    #[test]
    fn what_is_listed_at_zero_says_so() {
        for (provider, line) in lines() {
            let entry = find(provider, line.name).unwrap();
            let Some(table) = entry.table else { continue };
            let zero = |meter| matches!(table.standard.base.get(meter), Some(crate::table::Price::One(p)) if p.is_zero());
            let free = zero(crate::Meter::Input) && zero(crate::Meter::Output);
            assert!(!free || entry.notes.listed_free, "{} {} is free without a word", provider, line.name);
        }
    }

    #[test]
    fn names_that_are_not_there_are_not_found() {
        for (provider, name) in [
            ("openai", "gpt-does-not-exist"),
            ("openai", ""),
            ("", "gpt-4o"),
            ("zzz", "zzz"),
            ("#", ""),
            ("OpenAI", "gpt-4o"),
            ("openai", "gpt-4o\n"),
        ] {
            assert_eq!(find(provider, name), None, "{provider} {name}");
        }
        assert_eq!(find("openai", "GPT-4o").unwrap().id, "gpt-4o");
        assert!(find("anthropic", "claude-opus-4").unwrap().is_alias);
    }
}
