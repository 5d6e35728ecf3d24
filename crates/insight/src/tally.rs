//! What is gathered for an answer: cells by group and bucket.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use foldhash::fast::{FixedState, RandomState};

use crate::block::{Block, NAME};
use crate::cell::Cell;
use crate::cells::{merge_columns, merge_numbers};
use crate::combination::Combination;
use crate::cube::{COMBINATION, Cube, Dimension, NAMES, Place};
use crate::later::Later;
use crate::query::{Answer, Bucket, Group, Query};
use crate::source::Seen;
use crate::wants::Wants;

const HOUR_MS: u64 = 3_600_000;
/// Records that are looked at one by one for an answer.
const MOST_RECORDS: u64 = 2_000_000;
/// Groups that are told apart before the order is known.
const MOST_GROUPS: usize = 50_000;
/// Points of all groups that are held at once; fewer with shapes, which are larger.
const MOST_POINTS: usize = 20_000;
const MOST_SHAPES: usize = 2_000;
/// Hashes of users that are kept for an answer.
const MOST_USERS: usize = 4_000_000;

/// What of records or cells is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Figures,
    /// Who the users were.
    Users,
}

/// The number of the group of all that are not told one by one.
pub(crate) const OTHERS: u32 = u32::MAX;

/// Cells by group and bucket.
pub(crate) struct Tally {
    pub(crate) bucket: Bucket,
    wants: Wants,
    grouped: bool,
    /// No others than these are told apart.
    closed: bool,
    pub(crate) keys: HashMap<String, u32, RandomState>,
    pub(crate) places: HashMap<(u32, u64), usize, RandomState>,
    pub(crate) cells: Vec<Cell>,
    /// What is still to be merged into the cells.
    later: Later,
    pub(crate) exact: bool,
    /// Records that may be looked at still.
    pub(crate) left: u64,
    held_users: usize,
    /// Cells that may be held; with more there is no answer.
    most_cells: usize,
    /// Those who are not told apart are not gathered at all.
    pub(crate) leaves_others: bool,
}

impl Tally {
    pub(crate) fn new(
        query: &Query,
        bucket: Bucket,
        shown: Option<HashMap<String, u32, RandomState>>,
    ) -> Self {
        Self {
            bucket,
            wants: query.wants,
            grouped: query.group.is_some(),
            closed: shown.is_some(),
            keys: shown.unwrap_or_default(),
            places: HashMap::default(),
            cells: Vec::new(),
            later: Later::default(),
            exact: true,
            left: MOST_RECORDS,
            held_users: 0,
            most_cells: usize::MAX,
            leaves_others: false,
        }
    }

    /// Gives up where there are many cells.
    pub(crate) fn of_few(self) -> Self {
        Self { most_cells: if self.wants.has_shapes() { MOST_SHAPES } else { MOST_POINTS }, ..self }
    }

    /// It gave up: what is here is not all.
    pub(crate) fn is_over(&self) -> bool {
        self.cells.len() > self.most_cells
    }

    /// The first groups with their points, and all others as one.
    pub(crate) fn ranked(&self, query: &Query) -> Answer {
        let mut points: HashMap<u32, Vec<(u64, usize)>, RandomState> = HashMap::default();
        for ((number, start), place) in &self.places {
            points.entry(*number).or_default().push((*start, *place));
        }
        let group = |key: Option<&str>, numbers: &[u32]| {
            let mut own: BTreeMap<u64, Cell> = BTreeMap::new();
            let mut total = Cell::default();
            for (start, place) in numbers.iter().filter_map(|number| points.get(number)).flatten() {
                own.entry(*start).or_default().merge(&self.cells[*place]);
                total.merge(&self.cells[*place]);
            }
            Group { key: key.map(str::to_owned), total, points: own.into_iter().collect() }
        };
        let mut ranked: Vec<(f64, u32, Group)> = self
            .keys
            .iter()
            .filter(|(_, number)| points.contains_key(*number))
            .map(|(key, number)| {
                let group = group(Some(key), &[*number]);
                (query.ranked(&group.total), *number, group)
            })
            .collect();
        ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.key.cmp(&b.2.key)));
        let rest = ranked.split_off(query.top.min(ranked.len()));
        let rest: Vec<u32> = rest
            .iter()
            .map(|(_, number, _)| *number)
            .chain(points.contains_key(&OTHERS).then_some(OTHERS))
            .collect();
        let others = (!rest.is_empty()).then(|| group(None, &rest));
        Answer {
            exact: self.exact,
            groups: ranked.into_iter().map(|(_, _, group)| group).chain(others).collect(),
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

    pub(crate) fn record(&mut self, seen: Seen<'_>, part: Part) {
        if self.is_over() || part == Part::Users && seen.user.is_empty() {
            return;
        }
        let key = self.key(seen.key);
        if key == OTHERS && self.leaves_others {
            return;
        }
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

    pub(crate) fn block(
        &mut self,
        query: &Query,
        cube: Cube,
        block: &Block<'_>,
        part: Part,
        is_in_time: impl Fn(usize) -> bool,
    ) {
        if self.is_over() {
            return;
        }
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
                    numbers.as_ref().is_none_or(|numbers| numbers.contains(&block.get(NAME + place, at)))
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
            if key == OTHERS && self.leaves_others {
                continue;
            }
            *place = self.place(key, u64::from(block.hour(at)) * HOUR_MS);
            if let Some(user) = user {
                self.user(*place, block.name(user, at));
            }
        }
        if !cube.has_figures() {
            return;
        }
        if self.grouped && self.bucket == Bucket::None {
            // A cell for each of many groups, and each gets something of every block.
            merge_numbers(block, &places, &mut self.cells, self.wants);
            self.later.keep(block, &places, &mut self.cells, self.wants);
        } else {
            merge_columns(block, &places, &mut self.cells, self.wants);
        }
    }

    /// All that was gathered is in the cells after this.
    pub(crate) fn finish(&mut self) {
        self.later.merge(&mut self.cells);
    }

    /// What was gathered under a number.
    pub(crate) fn group(&self, number: u32, key: Option<String>) -> Group {
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
