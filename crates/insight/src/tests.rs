//! Blocks and answers, against adding records up one by one.

use std::ops::Range;

use tidegate_core::Usage;
use tidegate_records::{Facts, Filter, ReadError, RecordId, StatusFilter};

use crate::answer::{at_once, in_two_steps};
use crate::cells::{merge_columns, merge_numbers};
use crate::later::Later;
use crate::testing::Chance;
use crate::*;

const START: u64 = 1_790_000_000_000;
const COUNT: u64 = 900;

/// Records of four days in memory, with blocks of every cube for all days but one.
#[derive(Debug)]
struct Shelf {
    records: Vec<Facts<'static>>,
    blocks: Vec<(Cube, Vec<u8>)>,
    without: u32,
    scanned: u64,
}

fn records(count: u64) -> Vec<Facts<'static>> {
    let mut chance = Chance(11);
    let mut pick = move |names: &[&'static str]| names[chance.below(names.len() as u64) as usize];
    let mut more = Chance(5);
    (0..count)
        .map(|i| Facts {
            id: RecordId::from_bits(
                RecordId::first_of(START + i * 4 * 86_400_000 / count).bits() + i % 4_096,
            ),
            organisation: "org",
            workspace: pick(&["a", "b"]),
            provider: pick(&["openai", "anthropic"]),
            model: pick(&["x", "y", "z", ""]),
            route: pick(&["chat", "messages"]),
            api_key: pick(&["", "k1", "k2"]),
            key_owner: pick(&["", "ann"]),
            config: pick(&["", "pc"]),
            user: pick(&["", "u1", "u2", "u3", "u4"]),
            cache: pick(&["disabled", "hit", "miss", "semantic_hit"]),
            metadata: vec![("team", pick(&["red", "blue"]))],
            status: [200, 200, 200, 429, 500][more.below(5) as usize],
            stream: more.below(2) == 0,
            attempts: 1,
            total_us: more.below(5_000_000),
            ttft_us: Some(more.below(900_000)),
            usage: Some(Usage { input: more.below(1_000), output: more.below(90), ..Usage::default() }),
            cost: pick(&["", "0.0012", "0.0000000000019", "3.5"]),
            saved: pick(&["", "0.5"]),
            currency: "USD",
            ..Facts::default()
        })
        .collect()
}

impl Shelf {
    fn new() -> Self {
        Self::of(COUNT)
    }

    fn of(count: u64) -> Self {
        let records = records(count);
        let without = (records[records.len() / 2].id.unix_ms() / 86_400_000) as u32;
        let mut blocks = Vec::new();
        for cube in Cube::all() {
            for batch in records.chunks(60) {
                let mut cells = Cells::new(cube);
                for facts in batch.iter().filter(|facts| facts.id.day() != without) {
                    cells.add(facts, combination(facts), &Measure::of(facts));
                }
                blocks.push((cube, cells.encode()));
            }
        }
        Self { records, blocks, without, scanned: 0 }
    }
}

impl Source for Shelf {
    fn scan(
        &mut self,
        filter: &Filter,
        wanted: Wanted<'_>,
        most: u64,
        each: &mut dyn FnMut(Seen<'_>),
    ) -> Result<Scanned, ReadError> {
        let mut records = 0;
        for facts in self.records.iter().rev().filter(|facts| filter.fits(facts)) {
            if records == most {
                return Ok(Scanned { records, cut: true });
            }
            records += 1;
            let key = wanted.group.map(|group| group.of(facts)).unwrap_or_default();
            let user = if wanted.user { facts.user } else { "" };
            each(Seen { key: &key, user, measure: &Measure::of(facts) });
        }
        self.scanned += records;
        Ok(Scanned { records, cut: false })
    }

    fn cells(
        &mut self,
        cube: Cube,
        hours: Range<u32>,
        reading: Reading,
        each: &mut dyn FnMut(&Block<'_>),
    ) -> Result<Vec<u32>, ReadError> {
        for (_, bytes) in self.blocks.iter().filter(|(own, _)| *own == cube) {
            let block = Block::read(bytes).unwrap();
            // As a store does that keeps parts.
            let parts = block.split();
            let read = parts.iter().filter(|(part, _)| reading.reads(*part));
            let read: Vec<(u8, &[u8])> = read.map(|(part, bytes)| (*part, &bytes[..])).collect();
            each(&Block::read(&Block::joined(&read).unwrap()).unwrap());
        }
        let missing = (hours.start / 24..=hours.end / 24).contains(&self.without);
        Ok(missing.then_some(self.without).into_iter().collect())
    }

    fn verify(&mut self, _: u32) -> Result<Verified, ReadError> {
        Ok(Verified::default())
    }
}

fn combination(facts: &Facts<'_>) -> &'static str {
    Combination::write(&facts.metadata).leak()
}

fn query(from_ms: u64, to_ms: u64) -> Query {
    Query {
        from_ms,
        to_ms,
        until_now: false,
        bucket: Bucket::None,
        group: None,
        filter: Filter::default(),
        top: 100,
        rank: Metric::find("requests").unwrap(),
        wants: Wants::ALL,
    }
}

/// By adding up, whatever cubes there are.
fn brute(shelf: &Shelf, query: &Query, key: Option<&str>, bucket: Option<u64>) -> Cell {
    let filter = Filter { from_ms: Some(query.from_ms), to_ms: Some(query.to_ms), ..query.filter.clone() };
    let mut cell = Cell::default();
    for facts in shelf.records.iter().filter(|facts| filter.fits(facts)) {
        let own = query.group.as_ref().map(|group| group.of(facts).into_owned());
        let at = query.bucket.start(facts.id.unix_ms());
        if (key.is_none() || own.as_deref() == key) && bucket.is_none_or(|bucket| bucket == at) {
            cell.add(&Measure::of(facts), true);
        }
    }
    cell
}

fn same(got: &Cell, want: &Cell) {
    assert_eq!((got.sums, got.amounts), (want.sums, want.amounts));
    for shape in Shape::ALL {
        for share in [0.5, 0.95] {
            assert_eq!(got.shape(shape).quantile(share), want.shape(shape).quantile(share));
        }
    }
}

#[test]
fn answers_are_what_adding_up_gives() {
    let mut shelf = Shelf::new();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let filters = [
        Filter::default(),
        Filter { workspace: names(&["a"]), model: names(&["x", "", "unknown"]), ..Filter::default() },
        Filter { status: Some(StatusFilter::Range(400, 599)), ..Filter::default() },
        Filter { api_key: names(&["k1"]), key_owner: names(&["ann"]), ..Filter::default() },
        Filter { user: names(&["u1", "u9"]), ..Filter::default() },
        Filter { metadata: vec![("team".into(), "red".into())], ..Filter::default() },
        Filter { workspace: names(&["nowhere"]), ..Filter::default() },
    ];
    let groups = [
        None,
        Some(Dimension::Model),
        Some(Dimension::Status),
        Some(Dimension::ApiKey),
        Some(Dimension::User),
        Some(Dimension::Metadata("team".into())),
    ];
    let buckets = [Bucket::None, Bucket::FiveMinutes, Bucket::Hour, Bucket::Day, Bucket::Week];
    let (mut from_cells, mut chance) = (0, Chance(3));
    for (from_ms, to_ms) in
        [(START, START + 4 * 86_400_000), (START + 5_000_000, START + 200_000_000), (0, START)]
    {
        for filter in &filters {
            for group in &groups {
                for bucket in buckets {
                    let query = Query {
                        bucket,
                        group: group.clone(),
                        filter: filter.clone(),
                        ..query(from_ms, to_ms)
                    };
                    shelf.scanned = 0;
                    let mut answer = answer(&mut shelf, &query).unwrap();
                    let whole = brute(&shelf, &query, None, None);
                    from_cells += u64::from(shelf.scanned < whole.sum(Sum::Requests));
                    if query.group.is_some() && chance.below(2) == 0 {
                        // As where there are too many groups.
                        answer = in_two_steps(&mut shelf, &query).unwrap();
                    }
                    assert!(answer.exact);
                    let mut all = Cell::default();
                    for group in &answer.groups {
                        all.merge(&group.total);
                        same(&group.total, &brute(&shelf, &query, group.key.as_deref(), None));
                        for (start, cell) in &group.points {
                            same(cell, &brute(&shelf, &query, group.key.as_deref(), Some(*start)));
                        }
                        let points = group.points.iter().map(|(_, cell)| cell.sum(Sum::Requests));
                        let within: u64 = points.sum();
                        assert!(bucket == Bucket::None || within == group.total.sum(Sum::Requests));
                    }
                    same(&all, &whole);
                }
            }
        }
    }
    assert!(from_cells > 50, "cubes answered: {from_cells}");
}

#[test]
fn the_others_are_together_and_users_are_counted_once() {
    let mut shelf = Shelf::new();
    let whole = query(START - 86_400_000, START + 6 * 86_400_000);
    let by_model = Query { top: 2, group: Some(Dimension::Model), bucket: Bucket::Day, ..whole.clone() };
    let answer_of = |shelf: &mut Shelf, query: &Query| answer(shelf, query).unwrap();
    for answer in [answer_of(&mut shelf, &by_model), in_two_steps(&mut shelf, &by_model).unwrap()] {
        assert_eq!((answer.groups.len(), &answer.groups[2].key), (3, &None));
        let sum: u64 = answer.groups.iter().map(|group| group.total.sum(Sum::Requests)).sum();
        assert_eq!(sum, COUNT);
        assert!(answer.groups[0].total.sum(Sum::Requests) >= answer.groups[1].total.sum(Sum::Requests));
        let points: u64 = answer.groups[2].points.iter().map(|(_, cell)| cell.sum(Sum::Requests)).sum();
        assert_eq!(points, answer.groups[2].total.sum(Sum::Requests));
    }

    let wants = Wants::NUMBERS.with_users(true);
    for (bucket, group) in [
        (Bucket::None, None),
        (Bucket::Day, None),
        (Bucket::Hour, None),
        (Bucket::Day, Some(Dimension::Workspace)),
        (Bucket::None, Some(Dimension::Model)),
    ] {
        let answer = answer_of(&mut shelf, &Query { wants, bucket, group, ..whole.clone() });
        answer.groups.iter().for_each(|group| assert_eq!(group.total.users(), 4));
    }
}

/// By everything that users are told apart by, with filters and without; and with no more than is wanted.
#[test]
fn more_points_than_are_held_at_once_take_two_steps() {
    let mut shelf = Shelf::of(4_000);
    let query = Query {
        top: 1,
        group: Some(Dimension::Model),
        bucket: Bucket::FiveMinutes,
        wants: Wants::ALL,
        ..query(START - 86_400_000, START + 6 * 86_400_000)
    };
    for bucket in [Bucket::Day, Bucket::FiveMinutes] {
        let query = Query { bucket, ..query.clone() };
        assert_eq!(at_once(&mut shelf, &query).unwrap().is_some(), bucket == Bucket::Day);
        let answer = answer(&mut shelf, &query).unwrap();
        let points = answer.groups.iter().flat_map(|group| &group.points);
        assert_eq!(points.map(|(_, cell)| cell.sum(Sum::Requests)).sum::<u64>(), 4_000);
    }
}

#[test]
fn the_others_are_the_whole_without_those_who_are_shown() {
    let mut shelf = Shelf::new();
    for id in ["requests", "cost", "error_rate", "latency_p95", "ttft_p50", "latency_max", "users"] {
        let metric = Metric::find(id).unwrap();
        let query = Query {
            top: 2,
            rank: metric,
            wants: Wants::of([metric]),
            group: Some(Dimension::Model),
            bucket: Bucket::Day,
            ..query(START + 5_000_000, START + 3 * 86_400_000)
        };
        let told = |answer: Answer| {
            let groups = answer.groups.into_iter();
            let of = |cell: &Cell| (cell.sum(Sum::Requests), metric.of(cell, 100.0));
            groups
                .map(|group| {
                    let points: Vec<_> =
                        group.points.iter().map(|(start, cell)| (*start, of(cell))).collect();
                    (group.key, of(&group.total), points)
                })
                .collect::<Vec<_>>()
        };
        let (once, twice) =
            (at_once(&mut shelf, &query).unwrap().unwrap(), in_two_steps(&mut shelf, &query).unwrap());
        assert_eq!(once.groups.len(), 3);
        assert_eq!(told(once), told(twice), "{id}");
    }
}

#[test]
fn users_of_any_group_and_metrics_alone_are_what_adding_up_gives() {
    let mut shelf = Shelf::new();
    let only = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let filters = [
        Filter::default(),
        Filter { workspace: only(&["a"]), ..Filter::default() },
        Filter { model: only(&["x"]), ..Filter::default() },
        Filter { metadata: vec![("team".into(), "red".into())], ..Filter::default() },
        Filter { status: Some(StatusFilter::Is(vec![429])), ..Filter::default() },
    ];
    let groups = [
        Dimension::Workspace,
        Dimension::Provider,
        Dimension::Model,
        Dimension::Route,
        Dimension::Status,
        Dimension::Cache,
        Dimension::ApiKey,
        Dimension::KeyOwner,
        Dimension::VirtualKey,
        Dimension::Config,
        Dimension::User,
        Dimension::Metadata("team".into()),
    ];
    let (mut from_cells, mut chance) = (0, Chance(3));
    let some = |(at, metric): &(usize, &Metric)| at % 16 == 0 || Wants::of([*metric]).users;
    let metrics: Vec<&'static Metric> =
        Metric::all().iter().enumerate().filter(some).map(|(_, metric)| metric).collect();
    for (filter, metric) in
        filters.iter().flat_map(|filter| metrics.iter().map(move |metric| (filter, *metric)))
    {
        for group in std::iter::once(None).chain(groups.iter().cloned().map(Some)) {
            let query = Query {
                group,
                filter: filter.clone(),
                wants: Wants::of([metric]),
                rank: metric,
                ..query(START + 5_000_000, START + 3 * 86_400_000)
            };
            shelf.scanned = 0;
            let mut answer = answer(&mut shelf, &query).unwrap();
            let scanned = shelf.scanned;
            if query.group.is_some() && chance.below(2) == 0 {
                answer = in_two_steps(&mut shelf, &query).unwrap();
            }
            let filter = Filter { from_ms: Some(query.from_ms), to_ms: Some(query.to_ms), ..filter.clone() };
            let fitting = || shelf.records.iter().filter(|facts| filter.fits(facts));
            from_cells += u64::from(scanned < fitting().count() as u64 / 2);
            let mut requests = 0;
            for group in &answer.groups {
                let mut want = brute(&shelf, &query, group.key.as_deref(), None);
                for facts in fitting().filter(|facts| !facts.user.is_empty()) {
                    let own = query.group.as_ref().map(|group| group.of(facts).into_owned());
                    if group.key.is_none() || own == group.key {
                        want.users
                            .insert(facts.user.bytes().fold(0, |all, byte| all * 256 + u64::from(byte)));
                    }
                }
                requests += want.sum(Sum::Requests);
                let seconds = 100.0;
                assert_eq!(metric.of(&group.total, seconds), metric.of(&want, seconds), "{query:?}");
            }
            assert_eq!(requests, fitting().count() as u64);
        }
    }
    assert!(from_cells > 100, "{from_cells}");
}

#[test]
fn blocks_are_merged_exactly_in_any_order() {
    let shelf = Shelf::new();
    for cube in Cube::all() {
        let mut want = Cells::new(cube);
        for facts in shelf.records.iter().filter(|facts| facts.id.day() != shelf.without) {
            want.add(facts, combination(facts), &Measure::of(facts));
        }
        let bytes: Vec<&Vec<u8>> =
            shelf.blocks.iter().filter(|(own, _)| *own == cube).map(|(_, b)| b).collect();
        let (mut first, mut second) = (Cells::new(cube), Cells::new(cube));
        bytes[..9].iter().for_each(|bytes| first.merge(&Block::read(bytes).unwrap()));
        bytes[9..].iter().rev().for_each(|bytes| second.merge(&Block::read(bytes).unwrap()));
        let (first, second) = (first.encode(), second.encode());
        let mut all = Cells::new(cube);
        all.merge(&Block::read(&second).unwrap());
        all.merge(&Block::read(&first).unwrap());
        assert!(all == want, "{cube:?}");
        let blocks: Vec<Block<'_>> = bytes.iter().map(|bytes| Block::read(bytes).unwrap()).collect();
        let merged = merged(cube, &blocks).unwrap();
        let mut at_once = Cells::new(cube);
        at_once.merge(&Block::read(&merged.bytes).unwrap());
        assert!(at_once == want && want.hours() == Some((merged.first, merged.last)), "{cube:?}");
        let more = Facts { user: "new", ..shelf.records[0].clone() };
        all.add(&more, combination(&more), &Measure::of(&more));
        assert!(all != want, "{cube:?}");
    }
}

/// Kept for the end or merged as they come, however few are kept: the same cells.
#[test]
fn shapes_that_are_merged_later_are_the_same() {
    let shelf = Shelf::new();
    let blocks: Vec<Block<'_>> = shelf.blocks.iter().map(|(_, bytes)| Block::read(bytes).unwrap()).collect();
    for most in [0, 3_000, usize::MAX] {
        let (mut want, mut got) = (vec![Cell::default(); 7], vec![Cell::default(); 7]);
        let mut later = Later::of(most);
        for block in &blocks {
            // Every eighth cell has no place.
            let places: Vec<usize> =
                (0..block.len()).map(|at| if at % 8 == 7 { usize::MAX } else { at % 8 }).collect();
            merge_columns(block, &places, &mut want, Wants::ALL);
            merge_numbers(block, &places, &mut got, Wants::ALL);
            later.keep(block, &places, &mut got, Wants::ALL);
        }
        assert!(most == 0 || got != want, "something is kept");
        later.merge(&mut got);
        assert!(got == want && want.iter().any(|cell| !cell.shape(Shape::Latency).is_empty()));
    }
}

/// Gathered by numbers or by names: the same cells.
#[test]
fn what_is_gathered_by_numbers_is_what_is_gathered_by_names() {
    let shelf = Shelf::new();
    let texts = std::cell::RefCell::new(vec![std::rc::Rc::<str>::from("")]);
    let number = |text: &str| {
        let mut texts = texts.borrow_mut();
        let at = texts.iter().position(|own| **own == *text);
        at.unwrap_or_else(|| {
            texts.push(text.into());
            texts.len() - 1
        }) as u64
    };
    for count in [1, 255, 256, 700] {
        let mut gather = Gather::new(&Cube::FIGURES);
        let mut users = Gather::new(&By::ALL.map(Cube::UsersBy));
        for facts in &shelf.records[..count] {
            let names = Names::of(facts, combination(facts));
            let names = Names {
                organisation: number(names.organisation),
                workspace: number(names.workspace),
                provider: number(names.provider),
                model: number(names.model),
                route: number(names.route),
                cache: number(names.cache),
                api_key: number(names.api_key),
                key_owner: number(names.key_owner),
                virtual_key: number(names.virtual_key),
                config: number(names.config),
                user: number(names.user),
                metadata: number(names.metadata),
            };
            gather.add(&Measure::of(facts), &names);
            users.add_user(facts.id.unix_ms(), facts.status, &names);
        }
        assert!(users.records() == count as u64 && users.most_cells() > 0);
        assert_eq!(gather.records(), count as u64);
        let text = |at: u64| Ok::<_, ()>(texts.borrow()[at as usize].clone());
        let mut gathered = gather.finish(text).unwrap();
        assert_eq!(gathered.len(), Cube::FIGURES.len());
        gathered.extend(users.finish(text).unwrap());
        for gathered in &gathered {
            let mut want = Cells::new(gathered.cube);
            shelf.records[..count]
                .iter()
                .for_each(|facts| want.add(facts, combination(facts), &Measure::of(facts)));
            assert_eq!(want.hours().unwrap_or_default(), (gathered.first, gathered.last));
            let mut got = Cells::new(gathered.cube);
            got.merge(&Block::read(&gathered.bytes).unwrap());
            assert!(got == want, "{count} records, {:?}", gathered.cube);
        }
    }
}

#[test]
fn any_bytes_are_read_without_harm() {
    let shelf = Shelf::new();
    let bytes = &shelf.blocks[0].1;
    let cells = Block::read(bytes).unwrap().len();
    for cut in 0..bytes.len() {
        assert!(Block::read(&bytes[..cut]).is_none(), "{cut}");
    }
    for at in 0..bytes.len().min(600) {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            if let Some(block) = Block::read(&changed).filter(|block| block.len() <= cells) {
                let mut all = Cells::new(Cube::Traffic);
                all.merge(&block);
            }
        }
    }
}

#[test]
fn buckets_begin_where_they_should() {
    // 2026-09-21 is a Monday.
    let monday = 1_789_948_800_000;
    assert_eq!(Bucket::Week.start(monday), monday);
    assert_eq!(Bucket::Week.start(monday - 1), monday - 7 * 86_400_000);
    assert_eq!(Bucket::Day.start(START), monday);
    assert_eq!(Bucket::Hour.all(monday + 1, monday + 3 * 3_600_000).count(), 3);
    assert_eq!(Bucket::None.all(0, 10).count(), 0);
}
