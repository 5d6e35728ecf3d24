//! From a question to its answer: from cells where a cube has what is asked for, from records where not.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::{FixedState, RandomState};
use tidegate_records::{Filter, ReadError};

use crate::block::Block;
use crate::cell::Cell;
use crate::cells::merge_columns;
use crate::combination::Combination;
use crate::cube::{By, COMBINATION, Cube, Dimension, NAMES, Place};
use crate::metric::Value;
use crate::query::{Answer, Bucket, Group, Query};
use crate::source::{Reading, Seen, Source, Wanted};
use crate::wants::Wants;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Records that are looked at one by one for an answer.
const MOST_RECORDS: u64 = 2_000_000;
/// Groups that are told apart before the order is known.
const MOST_GROUPS: usize = 50_000;
/// Hashes of users that are kept for an answer.
const MOST_USERS: usize = 4_000_000;

/// # Errors
/// [`ReadError`]
pub fn answer(source: &mut dyn Source, query: &Query) -> Result<Answer, ReadError> {
    let seconds = query.to_ms.saturating_sub(query.from_ms) as f64 / 1e3;
    if query.group.is_none() {
        let mut tally = Tally::new(query, query.bucket, None);
        gather(source, query, &mut tally)?;
        let exact = tally.exact;
        return Ok(Answer { exact, groups: vec![tally.group(0, None)] });
    }
    // First who is to be told, then their points: points of everybody would be too many to hold.
    let of_rank = Wants::of([query.rank]);
    let is_whole = query.bucket == Bucket::None;
    let wants = if is_whole { query.wants.and(of_rank) } else { of_rank };
    let ranking = Query { wants, ..query.clone() };
    let mut totals = Tally::new(&ranking, Bucket::None, None);
    gather(source, &ranking, &mut totals)?;
    let mut exact = totals.exact;
    let rank = |cell: &Cell| query.rank.of(cell, seconds).map_or(f64::NEG_INFINITY, Value::real);
    let mut ranked: Vec<(f64, &str, usize)> = totals
        .keys
        .iter()
        .filter_map(|(key, number)| {
            let place = *totals.places.get(&(*number, 0))?;
            Some((rank(&totals.cells[place]), key.as_str(), place))
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
        gather(source, query, &mut tally)?;
        exact &= tally.exact;
        for (at, group) in (0u32..).zip(&mut groups) {
            let number = if group.key.is_some() { at } else { OTHERS };
            let Group { total, points, .. } = tally.group(number, None);
            (group.total, group.points) = (total, points);
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

/// What of records or cells is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Figures,
    /// Who the users were.
    Users,
}

fn gather(source: &mut dyn Source, query: &Query, tally: &mut Tally) -> Result<(), ReadError> {
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
    if ms.is_empty() {
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

/// The number of the group of all that are not told one by one.
const OTHERS: u32 = u32::MAX;

/// Cells by group and bucket.
struct Tally {
    bucket: Bucket,
    wants: Wants,
    grouped: bool,
    /// No others than these are told apart.
    closed: bool,
    keys: HashMap<String, u32, RandomState>,
    places: HashMap<(u32, u64), usize, RandomState>,
    cells: Vec<Cell>,
    exact: bool,
    /// Records that may be looked at still.
    left: u64,
    held_users: usize,
}

impl Tally {
    fn new(query: &Query, bucket: Bucket, shown: Option<HashMap<String, u32, RandomState>>) -> Self {
        Self {
            bucket,
            wants: query.wants,
            grouped: query.group.is_some(),
            closed: shown.is_some(),
            keys: shown.unwrap_or_default(),
            places: HashMap::default(),
            cells: Vec::new(),
            exact: true,
            left: MOST_RECORDS,
            held_users: 0,
        }
    }

    fn key(&mut self, key: &str) -> u32 {
        if !self.grouped {
            return 0;
        }
        if let Some(number) = self.keys.get(key) {
            return *number;
        }
        if self.closed {
            return OTHERS;
        }
        if self.keys.len() >= MOST_GROUPS {
            self.exact = false;
            return OTHERS;
        }
        let number = u32::try_from(self.keys.len()).unwrap_or(OTHERS);
        self.keys.insert(key.to_owned(), number);
        number
    }

    fn place(&mut self, key: u32, at_ms: u64) -> usize {
        *self.places.entry((key, self.bucket.start(at_ms))).or_insert_with(|| {
            self.cells.push(Cell::default());
            self.cells.len() - 1
        })
    }

    fn record(&mut self, seen: Seen<'_>, part: Part) {
        if part == Part::Users && seen.user.is_empty() {
            return;
        }
        let key = self.key(seen.key);
        let place = self.place(key, seen.measure.at_ms);
        if part != Part::Users {
            self.cells[place].add(seen.measure, self.wants.has_shapes());
        }
        if self.wants.users && part != Part::Figures {
            self.user(place, seen.user);
        }
    }

    fn user(&mut self, place: usize, user: &str) {
        if user.is_empty() {
            return;
        }
        if self.held_users >= MOST_USERS {
            self.exact = false;
        } else if self.cells[place].users.insert(FixedState::default().hash_one(user)) {
            self.held_users += 1;
        }
    }

    fn block(
        &mut self,
        query: &Query,
        cube: Cube,
        block: &Block<'_>,
        part: Part,
        is_in_time: impl Fn(usize) -> bool,
    ) {
        let Some(lists) = cube.lists(&query.filter) else { return };
        let numbers: [Option<Vec<u64>>; NAMES] = lists.map(|names| block.numbers(names));
        let status = query.filter.status.as_ref();
        // Which of the block's names have the metadata that is asked for.
        let metadata = &query.filter.metadata;
        let has_metadata: Vec<bool> = std::iter::once("")
            .chain(block.names().iter().copied())
            .map(|name| {
                let has = |(name, value): (&str, &str), (own, wanted): &(String, String)| {
                    own == name && wanted == value
                };
                metadata.iter().all(|wanted| Combination::read(name).pairs().any(|pair| has(pair, wanted)))
            })
            .take(if metadata.is_empty() { 0 } else { usize::MAX })
            .collect();
        let fits = |at: usize| {
            is_in_time(at)
                && numbers.iter().enumerate().all(|(place, numbers)| {
                    numbers
                        .as_ref()
                        .is_none_or(|numbers| numbers.contains(&block.get(crate::block::NAME + place, at)))
                })
                && status.is_none_or(|status| status.holds(block.status(at)))
                && (metadata.is_empty() || has_metadata.get(block.number(COMBINATION, at)) == Some(&true))
        };
        let group = query.group.as_ref().and_then(|group| cube.place(group));
        let user = cube.user().filter(|_| self.wants.users && part != Part::Figures);
        let mut places = vec![usize::MAX; block.len()];
        // What the block's names are here: each is looked up once, not once a cell.
        let mut keys: Vec<Option<u32>> = vec![None; block.names().len() + 1];
        for (at, place) in places.iter_mut().enumerate().filter(|(at, _)| fits(*at)) {
            let name = match &group {
                None => None,
                Some(Place::Name(name)) => Some(*name),
                Some(Place::Metadata) => Some(COMBINATION),
                Some(Place::Status) => None,
            };
            let key = match name {
                Some(name) => {
                    let number = block.number(name, at);
                    match keys.get(number).copied().flatten() {
                        Some(key) => key,
                        None => {
                            let text = block.name(name, at);
                            let key = self.key(match &query.group {
                                Some(Dimension::Metadata(name)) => Combination::read(text).value(name),
                                _ => text,
                            });
                            if let Some(known) = keys.get_mut(number) {
                                *known = Some(key);
                            }
                            key
                        }
                    }
                }
                None if group.is_some() => self.key(&block.status(at).to_string()),
                None => 0,
            };
            *place = self.place(key, u64::from(block.hour(at)) * HOUR_MS);
            if let Some(user) = user {
                self.user(*place, block.name(user, at));
            }
        }
        if cube.has_figures() {
            merge_columns(block, &places, &mut self.cells, self.wants);
        }
    }

    /// What was gathered under a number.
    fn group(&self, number: u32, key: Option<String>) -> Group {
        let mut points: Vec<(u64, Cell)> = self
            .places
            .iter()
            .filter(|((group, _), _)| *group == number)
            .map(|((_, start), place)| (*start, self.cells[*place].clone()))
            .collect();
        points.sort_by_key(|(start, _)| *start);
        let mut total = Cell::default();
        points.iter().for_each(|(_, cell)| total.merge(cell));
        if self.bucket == Bucket::None {
            points.clear();
        }
        Group { key, total, points }
    }
}
