//! What holds for the cost of any request, on tables of the catalogue and random ones.

use serde_json::json;
use tidegate_pricing::{Bounds, Decimal, Facts, Found, Meter, Money, PriceTable, Quantities, Served};

use crate::chance::{ANSWER, Chance, PROMPT, bill, tables};

#[test]
fn lines_sum_to_the_cost_and_nothing_is_below_zero() {
    let (mut tables_of, mut chance) = (Chance(1), Chance(2));
    let mut priced = 0;
    for found in tables(&mut tables_of, 20_000) {
        let (quantities, served) = (chance.quantities(), chance.served());
        let Some(bill) = bill(&found, &quantities, &served) else { continue };
        let sum = bill.lines.iter().try_fold(Money::ZERO, |sum, line| sum.checked_add(line.amount)).unwrap();
        assert_eq!(sum, bill.total, "{found:?} {quantities:?}");
        assert!(bill.lines.iter().all(|line| !line.amount.is_negative() && line.quantity >= Decimal::ZERO));
        // Exact: the amount times its unit is quantity by price again, but for durations.
        for line in bill.lines.iter().filter(|line| line.meter.per() != 3_600) {
            let product = line.quantity * line.price * line.multiplier.unwrap_or(Decimal::ONE);
            assert_eq!(line.amount.amount() * Decimal::from(line.meter.per()), product, "{line:?}");
        }
        // No token is billed twice, none is lost.
        if bill.is_complete()
            && bill.lines.iter().any(|line| line.meter == Meter::Input || line.meter == Meter::Output)
        {
            let tokens = |meters: &[Meter]| {
                bill.lines
                    .iter()
                    .filter(|line| meters.contains(&line.meter))
                    .map(|line| line.quantity)
                    .sum::<Decimal>()
            };
            let there =
                |meters: &[Meter]| meters.iter().filter_map(|meter| quantities.get(*meter)).sum::<Decimal>();
            assert_eq!(tokens(&PROMPT), there(&PROMPT));
            assert_eq!(tokens(&ANSWER), there(&ANSWER));
        }
        priced += 1;
    }
    assert!(priced > 10_000, "{priced}");
}

/// At a fixed tier: one token more in the prompt may lead to a cheaper one.
#[test]
fn more_never_costs_less() {
    let (mut tables_of, mut chance) = (Chance(3), Chance(4));
    let tier = |tokens: u64| [128_000, 200_000, 256_000, 272_000, 32_000].map(|above| tokens > above);
    let mut compared = 0;
    for found in tables(&mut tables_of, 20_000) {
        let (quantities, served) = (chance.quantities(), chance.served());
        let meters: Vec<_> = quantities.iter().map(|row| row.0).collect();
        if meters.is_empty() {
            continue;
        }
        let meter = meters[chance.below(meters.len() as u64) as usize];
        let mut more = quantities.clone();
        more.put_decimal(meter, Some(chance.below(1_000).into())).unwrap();
        if tier(more.prompt_tokens()) != tier(quantities.prompt_tokens()) {
            continue;
        }
        let (Some(less), Some(more)) = (bill(&found, &quantities, &served), bill(&found, &more, &served))
        else {
            continue;
        };
        assert!(
            less.total <= more.total,
            "{meter}: {} then {}\n{found:?}\n{quantities:?}",
            less.total,
            more.total
        );
        compared += 1;
    }
    assert!(compared > 5_000, "{compared}");
}

#[test]
fn amounts_that_cannot_be_held_are_errors() {
    let found = Found::from(PriceTable::from_json(&json!({"input": "0.0416666666667"})).unwrap());
    let mut quantities = Quantities::default();
    quantities.put(Meter::Input, u64::MAX);
    assert!(found.cost(&quantities, &Served::default()).is_err());
    assert!(found.ceiling(&Bounds::text(u64::MAX, 0)).is_err());
    let facts = Facts { audio_in_seconds: Some(Decimal::NEGATIVE_ONE), ..Facts::default() };
    let quantities = Quantities::default().with_facts(&facts).unwrap();
    assert!(found.cost(&quantities, &Served::default()).is_err());
    assert!(found.ceiling(&Bounds { facts, ..Bounds::text(1, 0) }).is_err());
}
