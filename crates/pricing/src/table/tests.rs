use serde_json::{Value, json};

use super::*;

fn error(value: &Value) -> String {
    PriceTable::from_json(value).unwrap_err().to_string()
}

#[test]
fn a_table_holds_what_was_written() {
    let table = PriceTable::from_json(&json!({
        "input": "0.15", "image": {"*": "0.04", "hd/*": "0.08"},
        "tiers": [{"above": 10, "input": "1"}, {"above": 20, "input": "2"}],
        "priority": {"input": "3"},
        "regions": [{"in": ["eu"], "multiplier": "1.1"}, {"in": ["regional_endpoint"], "batch": {"input": "9"}}],
        "schedule": [{"from": "01:00", "to": "24:00", "days": "mon-fri", "input": "4"}],
    }))
    .unwrap();
    assert_eq!(table.standard.base.0.len(), 2);
    let above = |prompt| table.standard.tier(prompt).map(|tier| tier.0);
    assert_eq!([above(10), above(11), above(20), above(21)], [None, Some(10), Some(10), Some(20)]);
    assert_eq!(table.sheet(Class::Fast), table.sheet(Class::Priority), "renamed");
    assert_eq!(table.sheet(Class::Batch), None);
    assert_eq!(table.region("EU").and_then(Region::multiplier), Some(Decimal::new(11, 1)));
    assert!(
        table.region("mars-1").and_then(|region| region.sheet(Class::Batch)).is_some(),
        "any regional endpoint"
    );
    assert_eq!(table.region("global"), None);
    assert_eq!(table.thresholds(), [10, 20]);
}

#[test]
fn windows_hold_from_their_first_minute_on_their_days() {
    let table = json!({"input": "1", "schedule": [{"from": "01:00", "to": "04:00", "days": "mon-fri", "input": "2"}]});
    let table = PriceTable::from_json(&table).unwrap();
    // 2026-11-18 is a Wednesday.
    let wednesday = 1_794_960_000;
    for (after, holds) in [(3_599, false), (3_600, true), (14_399, true), (14_400, false)] {
        assert_eq!(table.window(wednesday + after).is_some(), holds, "{after}");
    }
    for (days, holds) in [(1, true), (2, true), (3, false), (4, false), (5, true)] {
        assert_eq!(table.window(wednesday + days * 86_400 + 7_200).is_some(), holds, "{days}");
    }
}

#[test]
fn mistakes_are_named_by_their_place() {
    for (table, expected) in [
        (json!([]), "an object of prices"),
        (json!({}), "a price table has at least one price"),
        (json!({"input": 2.5}), "input: a decimal text of zero or more, as \"0.25\""),
        (json!({"input": "-1"}), "input: a decimal text of zero or more, as \"0.25\""),
        (json!({"inputs": "1"}), "inputs: no meter of that name"),
        (json!({"input": {"*": "1"}}), "input: this meter has one price"),
        (json!({"image": {}}), "image: between one and a hundred prices"),
        (json!({"batch": {"flex": {"input": "1"}}}), "batch.flex: no meter of that name"),
        (
            json!({"batch": {"tiers": [{"above": 1, "input": "1"}, {"above": 1, "input": "2"}]}}),
            "batch.tiers: tiers ascend by 'above'",
        ),
        (json!({"tiers": [{"above": "1"}]}), "tiers[0].above: a number of tokens above zero"),
        (
            json!({"tiers": [{"above": 1, "input": "x"}]}),
            "tiers[0].input: a decimal text of zero or more, as \"0.25\"",
        ),
        (
            json!({"regions": [{"in": ["eu"], "multiplier": "1", "input": "1"}]}),
            "regions[0]: a region has either a multiplier or prices",
        ),
        (json!({"regions": [{"input": "1"}]}), "regions[0].in: the names of the regions"),
        (
            json!({"schedule": [{"from": "23:00", "to": "01:00"}]}),
            "schedule[0]: 'from' comes before 'to'; write two windows for one over midnight",
        ),
        (
            json!({"schedule": [{"from": "1:00", "to": "02:00"}]}),
            "schedule[0].from: a time of day in UTC, as \"06:30\"",
        ),
        (
            json!({"schedule": [{"from": "01:00", "to": "02:00", "days": "sun"}]}),
            "schedule[0].days: \"mon-fri\", or nothing for all days",
        ),
    ] {
        assert_eq!(error(&table), expected, "{table}");
    }
}
