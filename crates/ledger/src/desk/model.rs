//! The desk against a naive one that keeps every reservation for ever and adds them up each time, and against the books
//! that its entries make.

use std::collections::BTreeMap;

use super::{BudgetId, Charge, Demand, Desk, Least, Receipt, Share, Stake};
use crate::amount::Amount;
use crate::books::{Books, Entry, How, What};
use crate::budget::{Budget, FirstDay, Limit, Reset, Scope, Unit};
use crate::testing::{Chance, DAY, tiny};

/// In hundred-thousandths of a USD, or in tokens.
struct NaiveBudget {
    unit: Unit,
    reset: Reset,
    amount: i64,
    /// How often it was reset by hand.
    turn: u64,
}

struct NaiveUse {
    budget: usize,
    /// Start of the period and turn.
    period: (u64, u64),
    reserved: i64,
    settled: i64,
    reservation: usize,
}

#[derive(Default)]
struct Naive {
    budgets: Vec<NaiveBudget>,
    uses: Vec<NaiveUse>,
    reservations: usize,
}

impl Naive {
    fn period(&self, budget: usize, now: u64) -> (u64, u64) {
        (self.budgets[budget].reset.period(now).start, self.budgets[budget].turn)
    }

    fn sums(&self, budget: usize, now: u64) -> (i64, i64) {
        let period = self.period(budget, now);
        let uses = self.uses.iter().filter(|entry| entry.budget == budget && entry.period == period);
        uses.fold((0, 0), |(settled, reserved), entry| (settled + entry.settled, reserved + entry.reserved))
    }

    fn free(&self, budget: usize, now: u64) -> i64 {
        let (settled, reserved) = self.sums(budget, now);
        self.budgets[budget].amount - settled - reserved
    }

    /// The reservation and what it was given in each unit, or the budget that refused.
    fn reserve(
        &mut self,
        on: &[usize],
        ask: [i64; 2],
        least: [i64; 2],
        now: u64,
    ) -> Result<(usize, [i64; 2]), usize> {
        let mut grant = ask;
        for budget in on {
            let unit = self.budgets[*budget].unit as usize;
            let free = self.free(*budget, now);
            if free <= 0 || free < least[unit] {
                return Err(*budget);
            }
            grant[unit] = grant[unit].min(free);
        }
        self.reservations += 1;
        for budget in on {
            let period = self.period(*budget, now);
            let reserved = grant[self.budgets[*budget].unit as usize];
            let reservation = self.reservations;
            self.uses.push(NaiveUse { budget: *budget, period, reserved, settled: 0, reservation });
        }
        Ok((self.reservations, grant))
    }

    fn settle(&mut self, reservation: usize, cost: [Option<i64>; 2]) {
        let budgets = &self.budgets;
        for entry in self.uses.iter_mut().filter(|entry| entry.reservation == reservation) {
            entry.settled = cost[budgets[entry.budget].unit as usize].unwrap_or(entry.reserved);
            entry.reserved = 0;
        }
    }
}

fn budget(i: usize, amount: i64, unit: Unit, reset: Reset) -> Budget {
    let amount = match unit {
        Unit::Usd => Amount::usd(tiny(amount as u64)).unwrap(),
        Unit::Tokens => Amount::tokens(amount as u64),
    };
    let alerts = vec![amount.millionths(500_000), amount.millionths(900_000)];
    Budget::new(Scope::Workspace, format!("b{i}"), Limit::new(unit, amount, reset, alerts).unwrap())
}

fn in_unit(amount: i64, unit: Unit) -> Amount {
    let size = match unit {
        Unit::Usd => Amount::usd(tiny(amount.unsigned_abs())).unwrap(),
        Unit::Tokens => Amount::tokens(amount.unsigned_abs()),
    };
    if amount < 0 { Amount::ZERO - size } else { size }
}

struct Pair {
    desk: Desk,
    naive: Naive,
    ids: Vec<BudgetId>,
    open: Vec<(Receipt, usize)>,
    out: Vec<Entry>,
    now: u64,
    admitted: u64,
    refused: u64,
}

impl Pair {
    fn new(chance: &mut Chance) -> Self {
        let stake = Stake { ahead: [0, 1_000, 100_000][chance.below(3) as usize], doubt: 200_000 };
        let mut pair = Self {
            desk: Desk::new(&Books::default(), stake, Share::Whole),
            naive: Naive::default(),
            ids: Vec::new(),
            open: Vec::new(),
            out: Vec::new(),
            now: 0,
            admitted: 0,
            refused: 0,
        };
        let resets = [
            Reset::Never,
            Reset::Daily,
            Reset::Weekly(FirstDay::Monday),
            Reset::Monthly,
            Reset::Days { count: 3, from: 1 },
        ];
        for i in 0..5 {
            let unit = [Unit::Usd, Unit::Tokens][chance.below(2) as usize];
            let (amount, reset) = (100 + chance.below(400) as i64, resets[chance.below(5) as usize]);
            pair.ids.push(pair.desk.put(budget(i, amount, unit, reset), 0, &mut pair.out));
            pair.naive.budgets.push(NaiveBudget { unit, reset, amount, turn: 0 });
        }
        pair
    }

    fn reserve(&mut self, chance: &mut Chance, seed: u64) {
        let on: Vec<usize> = (0..5).filter(|_| chance.below(2) == 0).collect();
        let budgets: Vec<BudgetId> = on.iter().map(|i| self.ids[*i]).collect();
        let ask = [chance.below(80) as i64, chance.below(80) as i64];
        let unpriced = chance.below(10) == 0;
        let ask = if unpriced { [0, ask[1]] } else { ask };
        let wants = [chance.below(80) as i64, chance.below(80) as i64];
        let least = (chance.below(2) == 0).then_some([wants[0].min(ask[0]), wants[1].min(ask[1])]);
        let demand = Demand {
            budgets: &budgets,
            cost: (!unpriced).then(|| tiny(ask[0] as u64)),
            tokens: ask[1] as u64,
            least: least.map(|least| Least { cost: tiny(least[0] as u64), tokens: least[1] as u64 }),
            request: "r",
            trace: "t",
        };
        let durable = self.desk.seq() - chance.below(self.desk.seq().min(20));
        let ours = self.desk.reserve(&demand, self.now, durable, &mut self.out);
        let theirs = self.naive.reserve(&on, ask, least.unwrap_or(ask), self.now);
        match (ours, theirs) {
            (Ok(ours), Ok((number, grant))) => {
                let units = on.iter().map(|i| self.naive.budgets[*i].unit);
                for unit in units {
                    let given = if unit == Unit::Usd { ours.grant.usd } else { ours.grant.tokens };
                    assert_eq!(given, in_unit(grant[unit as usize], unit), "seed {seed}");
                }
                self.open.push((ours.receipt, number));
                self.admitted += 1;
            }
            (Err(super::Refusal::Exceeded(ours)), Err(theirs)) => {
                assert_eq!(ours.budget, self.ids[theirs], "seed {seed}");
                self.refused += 1;
            }
            (ours, theirs) => panic!("seed {seed}: {ours:?} is not {theirs:?} for {demand:?}"),
        }
    }

    fn settle(&mut self, chance: &mut Chance) {
        if self.open.is_empty() {
            return;
        }
        let (receipt, number) = self.open.swap_remove(chance.below(self.open.len() as u64) as usize);
        // Mostly below the ceiling, sometimes above it.
        let cost = [chance.below(60) as i64, chance.below(60) as i64];
        let known = chance.below(8) > 0;
        let charge =
            Charge { cost: known.then(|| tiny(cost[0] as u64)), tokens: cost[1] as u64, estimated: false };
        self.desk.settle(receipt, &charge, How::Success, self.now, &mut self.out);
        self.naive.settle(number, [known.then_some(cost[0]), Some(cost[1])]);
    }

    fn change(&mut self, chance: &mut Chance) {
        let i = chance.below(5) as usize;
        let naive = &mut self.naive.budgets[i];
        if chance.below(2) == 0 {
            naive.turn += 1;
            assert!(self.desk.reset(self.ids[i], self.now, &mut self.out));
        } else {
            naive.amount = 100 + chance.below(400) as i64;
            let changed = budget(i, naive.amount, naive.unit, naive.reset);
            assert_eq!(self.desk.put(changed, self.now, &mut self.out), self.ids[i]);
        }
    }

    fn compare(&mut self, seed: u64) {
        for (i, id) in self.ids.iter().enumerate() {
            let standing = self.desk.standing(*id, self.now, &mut self.out).unwrap();
            let (settled, reserved) = self.naive.sums(i, self.now);
            let unit = self.naive.budgets[i].unit;
            let free = self.naive.free(i, self.now);
            assert_eq!(
                (standing.settled, standing.reserved, standing.free),
                (in_unit(settled, unit), in_unit(reserved, unit), in_unit(free, unit)),
                "seed {seed}, budget {i}"
            );
        }
    }
}

#[test]
fn thousands_of_schedules_agree_with_the_naive_ledger_and_with_the_books() {
    let (mut admitted, mut refused, mut alerts) = (0, 0, 0);
    for seed in 0..1_500 {
        let chance = &mut Chance(seed);
        let mut pair = Pair::new(chance);
        for _ in 0..80 {
            pair.now += [0, 0, 0, 60_000, DAY / 3, DAY][chance.below(6) as usize];
            match chance.below(16) {
                0..9 => pair.reserve(chance, seed),
                9..15 => pair.settle(chance),
                _ => pair.change(chance),
            }
            pair.compare(seed);
        }
        while !pair.open.is_empty() {
            pair.settle(chance);
        }
        pair.compare(seed);
        let mut books = Books::default();
        let mut fired = BTreeMap::new();
        for entry in &pair.out {
            books.apply(entry).unwrap_or_else(|violation| panic!("seed {seed}: {violation}: {entry:?}"));
            if let What::Alert { budget, period, mark } = entry.what {
                *fired.entry((budget, period, mark)).or_insert(0) += 1;
            }
        }
        books.prove().unwrap();
        assert!(books.open.is_empty());
        assert!(books.budgets.values().all(|shelf| shelf.periods.len() == 1), "what is over was closed");
        (admitted, refused) = (admitted + pair.admitted, refused + pair.refused);
        alerts += fired.len();
    }
    assert!(admitted > 20_000 && refused > 10_000 && alerts > 1_000, "{admitted} {refused} {alerts}");
}
