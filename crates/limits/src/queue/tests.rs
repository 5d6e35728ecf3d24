use std::collections::BTreeMap;

use super::*;
use crate::demand::{Demand, Layer, Scope};
use crate::memory::{Memory, MemoryOptions};
use crate::permit::Limits;
use crate::rule::{Algorithm, Rule};
use crate::testing::{Chance, rpm};

type Queue = FairQueue<&'static str, u64>;

const WIDE: QueueRules = QueueRules { max_len: 1_000, max_per_key: 1_000, max_wait_ms: 10_000 };

fn queue(rules: QueueRules) -> Queue {
    FairQueue::new(rules)
}

/// Puts `count` items of `tokens` in.
fn fill(queue: &mut Queue, key: &'static str, count: usize, tokens: u64) {
    for _ in 0..count {
        assert!(queue.push(key, tokens, 0, u64::MAX, Moment(0)).is_ok());
    }
}

/// The keys of the next `count` items, in their order.
fn order(queue: &mut Queue, count: usize) -> String {
    let next = |_| queue.serve(Moment(0), |_, _, _| Offer::Take(())).map(|(left, ())| left.key);
    (0..count).map_while(next).collect()
}

fn check(queue: &Queue) {
    let waiting: usize = queue.lanes.values().map(Lane::len).sum();
    assert_eq!((waiting, queue.deadlines.len()), (queue.len, queue.len));
    let busy = queue.lanes.values().filter(|lane| lane.len() > 0).count();
    assert_eq!((queue.heads.len(), queue.resting.len()), (busy, queue.lanes.len() - busy));
    assert!(queue.resting.len() <= queue.rules.max_len);
    for (at, key) in &queue.heads {
        assert_eq!(queue.lanes[key].stand, Stand::Head(*at));
        assert_eq!(queue.lanes[key].first().map(|first| first.sequence), Some(at.1));
    }
    assert!(queue.resting.iter().all(|(at, key)| queue.lanes[key].stand == Stand::Resting(*at)));
}

#[test]
fn one_key_is_served_in_order() {
    let mut queue = queue(WIDE);
    for i in 0..5 {
        queue.push("a", 10, i, 100, Moment(i)).unwrap();
    }
    for i in 0..5 {
        let (left, with) = queue.serve(Moment(50), |_, item, _| Offer::Take(*item)).unwrap();
        assert_eq!((left, with), (Left { key: "a", item: i, tokens: 10, since: Moment(i) }, i));
    }
    assert_eq!(queue.serve(Moment(50), |_, _, _| Offer::Take(())), None);
}

#[test]
fn shares_are_by_tokens_and_not_by_requests() {
    let mut queue = queue(WIDE);
    fill(&mut queue, "H", 10, 300);
    fill(&mut queue, "l", 30, 100);
    assert_eq!(order(&mut queue, 16), "HlllHlllHlllHlll");
}

#[test]
fn a_heavy_user_does_not_delay_who_comes_later() {
    let mut queue = queue(WIDE);
    fill(&mut queue, "H", 900, 5_000);
    assert_eq!(order(&mut queue, 10), "HHHHHHHHHH");
    fill(&mut queue, "a", 3, 100);
    fill(&mut queue, "b", 1, 100);
    assert_eq!(order(&mut queue, 6), "abaaHH");
}

#[test]
fn coming_back_at_once_gains_nothing() {
    let mut queue = queue(WIDE);
    fill(&mut queue, "H", 1, 1_000);
    fill(&mut queue, "l", 20, 100);
    assert_eq!(order(&mut queue, 1), "H");
    fill(&mut queue, "H", 2, 1_000);
    assert_eq!(order(&mut queue, 14), "lllllllllllHll");
}

#[test]
fn true_usage_moves_the_next_turn() {
    for (used, expected) in [(100, "llHl"), (300, "llll"), (1, "lHlH")] {
        let mut queue = queue(WIDE);
        fill(&mut queue, "H", 3, 100);
        fill(&mut queue, "l", 10, 60);
        assert_eq!(order(&mut queue, 1), "H");
        queue.correct(&"H", 100, used);
        check(&queue);
        assert_eq!(order(&mut queue, 4), expected, "{used}");
    }
}

#[test]
fn a_key_whose_own_limit_is_in_the_way_is_passed_over() {
    let mut queue = queue(WIDE);
    fill(&mut queue, "a", 2, 10);
    fill(&mut queue, "b", 2, 10);
    let skip_a = |key: &&str, _: &u64, _: u64| if *key == "a" { Offer::Skip } else { Offer::Take(()) };
    assert_eq!(queue.serve(Moment(0), skip_a).map(|(left, ())| left.key), Some("b"));
    assert_eq!(queue.serve(Moment(0), skip_a).map(|(left, ())| left.key), Some("b"));
    assert_eq!(queue.serve(Moment(0), skip_a), None);
    let mut asked = 0;
    let stop = |_: &&str, _: &u64, _: u64| {
        asked += 1;
        Offer::<()>::Stop
    };
    fill(&mut queue, "b", 1, 10);
    assert_eq!(queue.serve(Moment(0), stop), None);
    assert_eq!(asked, 1);
    assert_eq!(order(&mut queue, 3), "aab", "its turn was kept, for one item");
}

#[test]
fn what_is_full_says_so() {
    let mut queue = queue(QueueRules { max_len: 4, max_per_key: 3, max_wait_ms: 100 });
    fill(&mut queue, "a", 3, 10);
    let refused = queue.push("a", 10, 7, 100, Moment(0)).unwrap_err();
    assert_eq!(refused, Rejected { item: 7, reason: Rejection::KeyFull });
    fill(&mut queue, "b", 1, 10);
    let refused = queue.push("c", 30, 8, 100, Moment(0)).unwrap_err();
    assert_eq!(
        refused,
        Rejected { item: 8, reason: Rejection::Full },
        "it would be as heavy as the heaviest"
    );
    let queued = queue.push("c", 29, 9, 100, Moment(5)).unwrap();
    let displaced = queued.displaced.unwrap();
    assert_eq!((displaced.key, queue.len()), ("a", 4));
    check(&queue);
    assert!(FairQueue::new(QueueRules { max_len: 0, ..WIDE }).push("a", 1, (), 9, Moment(0)).is_err());
}

#[test]
fn nobody_waits_longer_than_the_shorter_bound() {
    let mut queue = queue(QueueRules { max_wait_ms: 1_000, ..WIDE });
    for (item, wait_ms, at) in [(1, 5_000, 0), (2, 300, 100), (3, 0, 150)] {
        queue.push("a", 1, item, wait_ms, Moment(at)).unwrap();
    }
    assert_eq!(queue.next_deadline(), Some(Moment(150)));
    let expired = |queue: &mut Queue, at| -> Vec<u64> {
        queue.expire(Moment(at)).into_iter().map(|left| left.item).collect()
    };
    assert!(expired(&mut queue, 149).is_empty());
    assert_eq!(expired(&mut queue, 400), [3, 2]);
    assert_eq!(queue.serve(Moment(1_000), |_, _, _| Offer::Take(())), None, "too late to be served");
    assert_eq!(expired(&mut queue, 1_000), [1]);
    assert_eq!((queue.next_deadline(), queue.is_empty()), (None, true));
}

#[test]
fn who_leaves_makes_room_and_keeps_the_turn_of_its_key() {
    let mut queue = queue(WIDE);
    let first = queue.push("a", 500, 1, 100, Moment(0)).unwrap().place;
    fill(&mut queue, "b", 4, 10);
    fill(&mut queue, "a", 2, 10);
    // Others went on while something of its own was in the way of "a".
    for _ in 0..3 {
        queue.serve(Moment(0), |key, _, _| if *key == "a" { Offer::Skip } else { Offer::Take(()) });
    }
    assert_eq!(queue.take_back(&first).map(|left| left.item), Some(1));
    assert_eq!(queue.take_back(&first), None);
    check(&queue);
    assert_eq!(order(&mut queue, 3), "aab");
}

#[test]
fn it_waits_on_the_limits_and_wakes_in_fair_order() {
    let limits = Limits::new(Memory::new(MemoryOptions { max_keys: 10, epoch_unix_ms: 0 }));
    let rules = [rpm(2, Algorithm::FixedOnTheClock), Rule::concurrency(9)];
    let layers = [Layer { scope: Scope::Workspace, id: "w", rules: &rules }];
    let mut queue = queue(QueueRules { max_wait_ms: 600_000, ..WIDE });
    fill(&mut queue, "H", 5, 1_000);
    fill(&mut queue, "l", 2, 1_000);
    let mut served = Vec::new();
    for at in [0, 30_000, 60_000, 120_000, 180_000] {
        while let Some((left, _permit)) = queue.serve(Moment(at), |_, _, tokens| {
            match limits.admit_now(&Demand { layers: &layers, tokens }, Moment(at)) {
                Ok(permit) => Offer::Take(permit),
                Err(_) => Offer::Stop,
            }
        }) {
            served.push((at, left.key));
        }
    }
    let expected =
        [(0, "H"), (0, "l"), (60_000, "H"), (60_000, "l"), (120_000, "H"), (120_000, "H"), (180_000, "H")];
    assert_eq!(served, expected);
}

/// Whatever happens: what goes in comes out once, the maps agree, and keys that all wait are served alike.
#[test]
fn random_schedules_lose_nothing_and_repeat_themselves() {
    const KEYS: [&str; 5] = ["a", "b", "c", "d", "e"];
    let play = |seed| {
        let chance = &mut Chance(seed);
        let rules = QueueRules { max_len: 12, max_per_key: 6, max_wait_ms: 50 };
        let (mut queue, mut inside, mut log) = (queue(rules), BTreeMap::new(), Vec::new());
        for step in 0..300 {
            let now = Moment(step * 3);
            let mut out = Vec::new();
            match chance.below(8) {
                0..4 => {
                    let (key, tokens) = (chance.one_of(&KEYS), chance.below(50));
                    match queue.push(key, tokens, step, chance.below(80), now) {
                        Ok(queued) => {
                            inside.insert(step, queued.place);
                            out.extend(queued.displaced.map(|left| left.item));
                        }
                        Err(rejected) => assert_eq!(rejected.item, step),
                    }
                }
                4 | 5 => {
                    let served = queue.serve(now, |_, item, _| match item % 7 {
                        0 => Offer::Skip,
                        _ => Offer::Take(()),
                    });
                    out.extend(served.map(|(left, ())| left.item));
                }
                6 => {
                    let place = inside.values().nth(chance.below(13) as usize).cloned();
                    out.extend(place.and_then(|place| queue.take_back(&place)).map(|left| left.item));
                    queue.correct(&chance.one_of(&KEYS), chance.below(50), chance.below(50));
                }
                _ => out.extend(queue.expire(now).into_iter().map(|left| left.item)),
            }
            for item in out {
                assert!(inside.remove(&item).is_some(), "seed {seed}: {item} came out twice");
                log.push(item);
            }
            assert_eq!(inside.len(), queue.len(), "seed {seed}");
            check(&queue);
        }
        log
    };
    for seed in 0..500 {
        assert_eq!(play(seed), play(seed));
    }
}

#[test]
fn keys_that_all_wait_get_alike_to_within_an_item_each() {
    const KEYS: [&str; 3] = ["a", "b", "c"];
    const MOST: u64 = 1_000;
    for seed in 0..300 {
        let chance = &mut Chance(seed);
        let mut queue = queue(WIDE);
        for key in KEYS {
            // Each has a size of its own, and enough to wait for the whole test.
            let most = 1 + chance.below(MOST);
            (0..300).for_each(|_| drop(queue.push(key, 1 + chance.below(most), 0, 100, Moment(0))));
        }
        let mut got = BTreeMap::from(KEYS.map(|key| (key, 0)));
        while KEYS.iter().all(|key| queue.lanes.get(key).is_some_and(|lane| lane.len() > 0)) {
            let (left, ()) = queue.serve(Moment(0), |_, _, _| Offer::Take(())).unwrap();
            *got.get_mut(left.key).unwrap() += left.tokens;
            let (least, most) = (got.values().min().unwrap(), got.values().max().unwrap());
            assert!(most - least <= 2 * MOST, "seed {seed}: {got:?}");
        }
    }
}

#[test]
fn always_new_keys_leave_nothing_behind() {
    let mut queue = FairQueue::new(QueueRules { max_len: 10, ..WIDE });
    for i in 0..1_000u64 {
        queue.push(i, 1_000_000, (), 100, Moment(0)).unwrap();
        if i > 5 {
            queue.serve(Moment(0), |_, _, _| Offer::Take(())).unwrap();
        }
        assert!(queue.lanes.len() <= 20, "{}", queue.lanes.len());
    }
}
