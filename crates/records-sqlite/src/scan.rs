//! A filter as a question to blocks.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tidegate_records::{Between, Filter, RecordId, StatusFilter};

use crate::columns::{Block, Column, hash};
use crate::schema::{HAS_BODIES, INEXACT_COST};

/// A filter with the names of one day as numbers.
#[derive(Debug)]
pub(crate) struct Question {
    first: u64,
    /// The first id that is too late.
    end: u64,
    tests: Vec<Test>,
}

#[derive(Debug)]
enum Test {
    /// Sorted.
    OneOf(Column, Vec<u64>),
    Between(Column, u64, u64),
    TotalTokens(Between<u64>),
    Cost(Between<u64>),
    Pair(u64),
    /// Has bodies, and one of these ids. Sorted.
    Among(Vec<u64>),
}

impl Question {
    /// `number`: of a name on that day. `None`: nothing of the day can fit.
    pub(crate) fn of<E>(
        filter: &Filter,
        before: Option<RecordId>,
        mut number: impl FnMut(&str) -> Result<Option<u64>, E>,
    ) -> Result<Option<Self>, E> {
        let mut tests = Vec::new();
        for (column, names) in [
            (Column::User, &filter.user),
            (Column::ApiKey, &filter.api_key),
            (Column::KeyOwner, &filter.key_owner),
            (Column::VirtualKey, &filter.virtual_key),
            (Column::Config, &filter.config),
            (Column::Model, &filter.model),
            (Column::Provider, &filter.provider),
            (Column::Workspace, &filter.workspace),
            (Column::Organisation, &filter.organisation),
            (Column::Cache, &filter.cache),
        ] {
            if names.is_empty() {
                continue;
            }
            let mut numbers = Vec::with_capacity(names.len());
            for name in names {
                numbers.extend(if name.is_empty() { Some(0) } else { number(name)? });
            }
            if numbers.is_empty() {
                return Ok(None);
            }
            tests.push(one_of(column, numbers));
        }
        for (column, names) in
            [(Column::Trace, &filter.trace), (Column::Span, &filter.span), (Column::Session, &filter.session)]
        {
            if !names.is_empty() {
                tests.push(one_of(column, names.iter().map(|name| name_number(name)).collect()));
            }
        }
        if filter.in_session {
            tests.push(Test::Between(Column::Session, 1, u64::MAX));
        }
        tests.extend(filter.metadata.iter().map(|(name, value)| Test::Pair(hash([name, value]))));
        tests.extend(filter.status.as_ref().map(|status| match status {
            StatusFilter::Is(statuses) => {
                one_of(Column::Status, statuses.iter().map(|status| (*status).into()).collect())
            }
            StatusFilter::Range(first, last) => {
                Test::Between(Column::Status, (*first).into(), (*last).into())
            }
        }));
        for (column, bounds) in
            [(Column::PromptTokens, filter.prompt_tokens), (Column::OutputTokens, filter.completion_tokens)]
        {
            if !bounds.is_any() {
                let max = bounds.max.unwrap_or(u64::MAX).saturating_add(1);
                tests.push(Test::Between(column, bounds.min.unwrap_or(0).saturating_add(1), max));
            }
        }
        if !filter.total_tokens.is_any() {
            tests.push(Test::TotalTokens(filter.total_tokens));
        }
        if !filter.cost.is_any() {
            let Some(bounds) = cost_bounds(filter.cost_bounds()) else { return Ok(None) };
            tests.push(Test::Cost(bounds));
        }
        let first = filter.from_ms.map_or(0, |from| RecordId::first_of(from).bits());
        let end = [filter.to_ms.map(RecordId::first_of), before].into_iter().flatten().min();
        Ok(Some(Self { first, end: end.map_or(u64::MAX, RecordId::bits), tests }))
    }

    /// Only records whose bodies were found.
    pub(crate) fn among(&mut self, mut ids: Vec<u64>) {
        ids.sort_unstable();
        self.tests.insert(0, Test::Among(ids));
    }

    pub(crate) fn first(&self) -> i64 {
        RecordId::from_bits(self.first).signed()
    }

    pub(crate) fn end(&self) -> i64 {
        i64::try_from(self.end).unwrap_or(i64::MAX)
    }

    /// Every record of a range of ids.
    pub(crate) fn is_range(&self) -> bool {
        self.tests.is_empty()
    }

    /// Positions of what fits, in the order of ids.
    pub(crate) fn select(&self, block: &Block<'_>, found: &mut Vec<u32>) {
        found.clear();
        if !self.tests.iter().all(|test| test.possible(block)) {
            return;
        }
        found.extend(block.before(self.first)..block.before(self.end));
        for test in &self.tests {
            test.keep(block, found);
        }
    }
}

impl Test {
    /// False: no record of the block fits.
    fn possible(&self, block: &Block<'_>) -> bool {
        let within = |column, value: u64| {
            let (least, most) = block.bounds(column);
            (least..=most).contains(&value)
        };
        match self {
            Self::OneOf(column, values) => values.iter().any(|value| within(*column, *value)),
            Self::Between(column, min, max) => {
                let (least, most) = block.bounds(*column);
                *min <= most && least <= *max
            }
            Self::Pair(pair) => within(Column::Pairs, *pair),
            Self::Among(ids) => {
                let (first, last) = block.bounds(Column::Id);
                ids.get(ids.partition_point(|id| *id < first)).is_some_and(|id| *id <= last)
            }
            Self::TotalTokens(_) | Self::Cost(_) => true,
        }
    }

    fn keep(&self, block: &Block<'_>, found: &mut Vec<u32>) {
        match self {
            Self::OneOf(column, values) => match &values[..] {
                [value] => found.retain(|at| block.get(*column, *at as usize) == *value),
                _ => found.retain(|at| values.binary_search(&block.get(*column, *at as usize)).is_ok()),
            },
            Self::Between(column, min, max) => {
                found.retain(|at| (*min..=*max).contains(&block.get(*column, *at as usize)));
            }
            Self::TotalTokens(bounds) => found.retain(|at| {
                let get = |column| block.get(column, *at as usize).checked_sub(1);
                let total = get(Column::PromptTokens).zip(get(Column::OutputTokens));
                bounds.holds(total.map(|(prompt, output)| prompt.saturating_add(output)))
            }),
            Self::Cost(bounds) => found.retain(|at| {
                let inexact = block.get(Column::Flags, *at as usize) & INEXACT_COST != 0;
                block.get(Column::Cost, *at as usize).checked_sub(1).is_some_and(|cost| {
                    // What was rounded down is more than the bound that it looks equal to.
                    bounds.holds(Some(cost)) && !(inexact && bounds.max == Some(cost))
                })
            }),
            // Bodies of a record that clashed with this one are not its own.
            Self::Among(ids) => found.retain(|at| {
                let at = *at as usize;
                block.get(Column::Flags, at) & HAS_BODIES != 0
                    && ids.binary_search(&block.get(Column::Id, at)).is_ok()
            }),
            Self::Pair(pair) => found.retain(|at| block.pairs(*at as usize).any(|own| own == *pair)),
        }
    }
}

fn one_of(column: Column, mut values: Vec<u64>) -> Test {
    values.sort_unstable();
    values.dedup();
    Test::OneOf(column, values)
}

/// Of what has too many names to be numbered.
pub(crate) fn name_number(name: &str) -> u64 {
    if name.is_empty() { 0 } else { hash([name, ""]) }
}

/// An amount in 10^-12, rounded down, and whether that is all of it. `None`: it is negative, or beyond what a number holds.
pub(crate) fn picos(amount: Decimal) -> Option<(u64, bool)> {
    let whole = amount.trunc_with_scale(12);
    let mut scaled = whole;
    scaled.rescale(12);
    if scaled.scale() != 12 {
        return None;
    }
    Some((scaled.mantissa().to_u64()?, whole == amount))
}

/// `None`: nothing is between.
fn cost_bounds(bounds: Between<Decimal>) -> Option<Between<u64>> {
    if bounds.max.is_some_and(|max| max.is_sign_negative() && !max.is_zero()) {
        return None;
    }
    let picos = |bound: Decimal| match picos(bound) {
        Some((picos, _)) => picos,
        None if bound.is_sign_negative() => 0,
        None => u64::MAX,
    };
    Some(Between { min: bounds.min.map(picos), max: bounds.max.map(picos) })
}

#[cfg(test)]
mod tests {
    use tidegate_core::Usage;
    use tidegate_records::Facts;

    use super::*;
    use crate::write;

    /// A block of one record: every column has one value, so its bounds alone decide.
    fn one(facts: &Facts<'_>) -> Vec<u8> {
        let mut columns = crate::columns::Columns::new(1);
        let measure = tidegate_insight::Measure::of(facts);
        write::columns_of(&mut columns, facts, &measure, false, |_, name| Ok::<_, ()>(name.len() as u64))
            .unwrap();
        columns.encode()
    }

    #[test]
    fn both_ends_belong_to_a_range() {
        let usage = Usage { input: 7, output: 9, ..Usage::default() };
        let facts = Facts {
            id: RecordId::first_of(1_790_000_000_000),
            status: 429,
            usage: Some(usage),
            cost: "0.5",
            ..Facts::default()
        };
        let bytes = one(&facts);
        let block = Block::read(&bytes).unwrap();
        let between = |min, max| Between { min: Some(min), max: Some(max) };
        let none = Filter::default;
        for (min, max) in (0..12).flat_map(|min| (0..12).map(move |max| (min, max))) {
            let (low, high) = (Decimal::new(min, 1), Decimal::new(max, 1));
            let (min, max) = (min.unsigned_abs(), max.unsigned_abs());
            for filter in [
                Filter { prompt_tokens: between(min, max), ..none() },
                Filter { completion_tokens: between(min, max), ..none() },
                Filter { total_tokens: between(min + 8, max + 8), ..none() },
                Filter { cost: Between { min: Some(low), max: Some(high) }, ..none() },
                Filter { status: Some(StatusFilter::Range(424 + min as u16, 424 + max as u16)), ..none() },
            ] {
                let question = Question::of(&filter, None, |_| Ok::<_, ()>(None)).unwrap();
                let mut found = Vec::new();
                if let Some(question) = question {
                    question.select(&block, &mut found);
                }
                assert_eq!(found.len() == 1, filter.fits(&facts), "{filter:?}");
            }
        }
    }

    #[test]
    fn amounts_are_cut_to_picos() {
        let of = |text: &str| picos(text.parse().unwrap());
        assert_eq!(of("0"), Some((0, true)));
        assert_eq!(of("1.5"), Some((1_500_000_000_000, true)));
        assert_eq!(of("0.000000000001"), Some((1, true)));
        assert_eq!(of("0.0000000000019"), Some((1, false)));
        assert_eq!(of("18446744.073709551615"), Some((u64::MAX, true)));
        assert_eq!(of("18446745"), None);
        assert_eq!(of("-1"), None);
        assert_eq!(of("79228162514264337593543950335"), None);
    }
}
