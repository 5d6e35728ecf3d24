//! From a question to its answer: from cells where a cube has what is asked for, from records where not.

use std::ops::Range;

use tidegate_records::{Filter, ReadError};

use crate::cell::Cell;
use crate::cube::{By, Cube, Dimension};
use crate::query::{Answer, Bucket, Group, Query};
use crate::source::{Reading, Source, Wanted};
use crate::tally::{OTHERS, Part, Tally};
use crate::wants::Wants;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// # Errors
/// [`ReadError`]
pub fn answer(source: &mut dyn Source, query: &Query) -> Result<Answer, ReadError> {
    if query.group.is_none() {
        let mut tally = Tally::new(query, query.bucket, None);
        gather(source, query, &mut tally)?;
        let exact = tally.exact;
        return Ok(Answer { exact, groups: vec![tally.group(0, None)] });
    }
    match at_once(source, query)? {
        Some(answer) => Ok(answer),
        None => in_two_steps(source, query),
    }
}

/// Of groups and their points, where they are few. Users are many, or else quickly read twice.
pub(crate) fn at_once(source: &mut dyn Source, query: &Query) -> Result<Option<Answer>, ReadError> {
    if query.bucket == Bucket::None || query.group == Some(Dimension::User) {
        return Ok(None);
    }
    let all = Query { wants: query.wants.and(Wants::of([query.rank])), ..query.clone() };
    let mut tally = Tally::new(&all, query.bucket, None).of_few();
    gather(source, &all, &mut tally)?;
    Ok((!tally.is_over()).then(|| tally.ranked(query)))
}

/// First who is to be told, then their points: points of everybody would be too many to hold.
pub(crate) fn in_two_steps(source: &mut dyn Source, query: &Query) -> Result<Answer, ReadError> {
    let of_rank = Wants::of([query.rank]);
    let is_whole = query.bucket == Bucket::None;
    let wants = if is_whole { query.wants.and(of_rank) } else { of_rank };
    let ranking = Query { wants, ..query.clone() };
    let mut totals = Tally::new(&ranking, Bucket::None, None);
    gather(source, &ranking, &mut totals)?;
    let mut exact = totals.exact;
    let mut ranked: Vec<(f64, &str, usize)> = totals
        .keys
        .iter()
        .filter_map(|(key, number)| {
            let place = *totals.places.get(&(*number, 0))?;
            Some((query.ranked(&totals.cells[place]), key.as_str(), place))
        })
        .collect();
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let rest = ranked.split_off(query.top.min(ranked.len()));
    let group =
        |key: Option<&str>, total: Cell| Group { key: key.map(str::to_owned), total, points: Vec::new() };
    let mut groups: Vec<Group> =
        ranked.iter().map(|(_, key, place)| group(Some(key), totals.cells[*place].clone())).collect();
    let beyond = totals.places.get(&(OTHERS, 0)).copied();
    if !rest.is_empty() || beyond.is_some() {
        let mut others = Cell::default();
        if is_whole {
            let places = rest.iter().map(|(_, _, place)| *place).chain(beyond);
            places.for_each(|place| others.merge(&totals.cells[place]));
        }
        groups.push(group(None, others));
    }
    if !is_whole && !groups.is_empty() {
        let shown = (0u32..).zip(&ranked).map(|(at, (_, key, _))| ((*key).to_owned(), at)).collect();
        let mut tally = Tally::new(query, query.bucket, Some(shown));
        // There are many others, and what they are together is known without them, where it can be taken from the whole.
        tally.leaves_others = query.wants.are_sums();
        gather(source, query, &mut tally)?;
        exact &= tally.exact;
        for (at, group) in (0u32..).zip(&mut groups) {
            let number = if group.key.is_some() { at } else { OTHERS };
            let Group { total, points, .. } = tally.group(number, None);
            (group.total, group.points) = (total, points);
        }
        if let Some((others, shown)) =
            groups.split_last_mut().filter(|(last, _)| last.key.is_none() && tally.leaves_others)
        {
            let whole = Query { group: None, ..query.clone() };
            let mut tally = Tally::new(&whole, query.bucket, None);
            gather(source, &whole, &mut tally)?;
            exact &= tally.exact;
            *others = tally.group(0, None).without(shown);
        }
    }
    Ok(Answer { exact, groups })
}

/// The first of some cubes that has all that is asked for, and is no coarser than the buckets.
fn cube_for(query: &Query, bucket: Bucket, mut cubes: impl Iterator<Item = Cube>) -> Option<Cube> {
    cubes.find(|cube| {
        let is_fine = bucket.width_ms().is_none_or(|width| width >= u64::from(cube.hours()) * HOUR_MS);
        is_fine
            && query.group.as_ref().is_none_or(|group| cube.place(group).is_some())
            && cube.lists(&query.filter).is_some()
    })
}

fn gather(source: &mut dyn Source, query: &Query, tally: &mut Tally) -> Result<(), ReadError> {
    gather_parts(source, query, tally)?;
    tally.finish();
    Ok(())
}

fn gather_parts(source: &mut dyn Source, query: &Query, tally: &mut Tally) -> Result<(), ReadError> {
    let cube = cube_for(query, tally.bucket, Cube::FIGURES.into_iter());
    if !query.wants.users {
        return gather_part(source, query, tally, cube, Part::All);
    }
    if let Some(cube) = cube_for(query, tally.bucket, std::iter::once(Cube::Users)) {
        return gather_part(source, query, tally, Some(cube), Part::All);
    }
    let users = cube_for(query, tally.bucket, By::ALL.into_iter().map(Cube::UsersBy));
    let (Some(cube), Some(users)) = (cube, users) else {
        return gather_part(source, query, tally, None, Part::All);
    };
    gather_part(source, query, tally, Some(cube), Part::Figures)?;
    gather_part(source, query, tally, Some(users), Part::Users)
}

/// From a cube, or without one from records.
fn gather_part(
    source: &mut dyn Source,
    query: &Query,
    tally: &mut Tally,
    cube: Option<Cube>,
    part: Part,
) -> Result<(), ReadError> {
    let Some(cube) = cube else {
        return scan(source, query, query.from_ms..query.to_ms, tally, part);
    };
    let unit = u64::from(cube.hours()) * HOUR_MS;
    let first = query.from_ms.div_ceil(unit) * unit;
    let end = if query.until_now { query.to_ms.div_ceil(unit) } else { query.to_ms / unit } * unit;
    if first >= end {
        return scan(source, query, query.from_ms..query.to_ms, tally, part);
    }
    scan(source, query, end..query.to_ms, tally, part)?;
    let hour = |ms: u64| u32::try_from(ms / HOUR_MS).unwrap_or(u32::MAX);
    let hours = hour(first)..hour(end);
    let by_day = !matches!(tally.bucket, Bucket::Minute | Bucket::FiveMinutes | Bucket::Hour);
    let reading = Reading { wants: query.wants, by_day };
    let missing = source.cells(cube, hours.clone(), reading, &mut |block| {
        tally.block(query, cube, block, part, |at| hours.contains(&block.hour(at)));
    })?;
    for day in missing {
        let start = u64::from(day) * DAY_MS;
        scan(source, query, start.max(first)..(start + DAY_MS).min(end), tally, part)?;
    }
    scan(source, query, query.from_ms..first, tally, part)
}

/// Records one by one.
fn scan(
    source: &mut dyn Source,
    query: &Query,
    ms: Range<u64>,
    tally: &mut Tally,
    part: Part,
) -> Result<(), ReadError> {
    if ms.is_empty() || tally.is_over() {
        return Ok(());
    }
    if tally.left == 0 {
        tally.exact = false;
        return Ok(());
    }
    let filter = Filter { from_ms: Some(ms.start), to_ms: Some(ms.end), ..query.filter.clone() };
    let user = query.wants.users && part != Part::Figures;
    let wanted = Wanted { group: query.group.as_ref(), user };
    let most = tally.left;
    let scanned = source.scan(&filter, wanted, most, &mut |seen| tally.record(seen, part))?;
    tally.left = most.saturating_sub(scanned.records);
    tally.exact &= !scanned.cut;
    Ok(())
}
