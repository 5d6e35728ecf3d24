//! Which of a table's prices holds: class, tier, region, hour, key, and what takes the place of a missing one.

use serde_json::{Value, json};
use tidegate_pricing::{
    Class, Cost, Decimal, Estimate, Facts, Found, Images, Measured, Meter, PriceTable, Quantities, Reading,
    Served,
};

/// 2026-11-18, a Wednesday, 00:00 UTC.
const WEDNESDAY: u64 = 1_794_960_000;

fn found(table: &Value) -> Found {
    Found::from(PriceTable::from_json(table).unwrap())
}

fn tokens(counts: &[(Meter, u64)]) -> Quantities {
    let mut quantities = Quantities::default();
    counts.iter().for_each(|(meter, count)| quantities.put(*meter, *count));
    quantities
}

/// The total, the reasons to doubt it, and what has no price.
fn cost(table: &Value, quantities: &Quantities, served: &Served<'_>) -> String {
    match found(table).cost(quantities, served).unwrap() {
        Cost::Unpriced(why) => why.to_string(),
        Cost::Priced(bill) => {
            let reasons = bill.estimates.iter().map(|reason| format!(" ~{}", reason.name()));
            let missing = bill.missing.iter().map(|meter| format!(" -{meter}"));
            std::iter::once(bill.total.to_string()).chain(reasons).chain(missing).collect()
        }
    }
}

#[test]
fn the_class_at_its_tier_comes_first_and_the_standard_base_last() {
    let table = json!({
        "input": "1", "output": "100", "tiers": [{"above": 1_000_000, "input": "2", "output": "200"}],
        "batch": {"input": "3", "output": "300", "tiers": [{"above": 1_000_000, "input": "4"}]},
        "priority": {"output": "400"},
    });
    let counts = |input| tokens(&[(Meter::Input, input), (Meter::Output, 1_000_000)]);
    for (class, input, expected) in [
        (Class::Standard, 1_000_000, "101"),
        (Class::Standard, 2_000_000, "204"),
        (Class::Batch, 1_000_000, "303"),
        // The class has a price for the output, but not in the tier.
        (Class::Batch, 2_000_000, "308 ~tier-unknown"),
        (Class::Priority, 1_000_000, "401"),
        (Class::Priority, 2_000_000, "404 ~tier-unknown"),
        (Class::Fast, 1_000_000, "401"),
        (Class::Flex, 1_000_000, "101 ~class-unknown"),
        (Class::Thinking, 1_000_000, "101"),
    ] {
        let served = Served { class, ..Served::default() };
        assert_eq!(cost(&table, &counts(input), &served), expected, "{class:?} {input}");
    }
}

#[test]
fn all_of_the_prompt_decides_the_tier() {
    let table = json!({"input": "1", "tiers": [{"above": 10, "input": "1000000"}]});
    for (counts, expected) in [
        (vec![(Meter::Input, 4), (Meter::CacheRead, 3), (Meter::CacheWrite1h, 3)], "0.00001"),
        (vec![(Meter::Input, 4), (Meter::CacheRead, 3), (Meter::CacheWrite1h, 4)], "11"),
        (vec![(Meter::AudioIn, 5), (Meter::ImageCacheRead, 3), (Meter::VideoIn, 3)], "11"),
    ] {
        assert_eq!(cost(&table, &tokens(&counts), &Served::default()), expected, "{counts:?}");
    }
}

#[test]
fn regions_multiply_tokens_or_have_prices_of_their_own() {
    let table = json!({
        "input": "1", "web_search": "5", "batch": {"input": "0.5"},
        "regions": [{"in": ["eu", "us"], "multiplier": "1.1"}, {"in": ["ap"], "input": "3"}, {"in": ["regional_endpoint"], "input": "4"}],
    });
    let counts = tokens(&[(Meter::Input, 1_000_000), (Meter::WebSearch, 1)]);
    for (region, class, expected) in [
        (None, Class::Standard, "6"),
        (Some("EU"), Class::Standard, "6.1"),
        (Some("us"), Class::Batch, "5.55"),
        (Some("ap"), Class::Standard, "8"),
        // No price for batches there.
        (Some("ap"), Class::Batch, "5.5 ~region-unknown"),
        (Some("elsewhere"), Class::Standard, "9"),
        (Some("global"), Class::Standard, "6"),
    ] {
        let served = Served { class, region, ..Served::default() };
        assert_eq!(cost(&table, &counts, &served), expected, "{region:?} {class:?}");
    }
}

#[test]
fn hours_replace_the_standard_base_prices() {
    let table = json!({"input": "1", "batch": {"input": "9"}, "schedule": [{"from": "01:00", "to": "02:00", "input": "7"}]});
    let counts = tokens(&[(Meter::Input, 1_000_000)]);
    for (class, after, expected) in
        [(Class::Standard, 3_600, "7"), (Class::Standard, 7_200, "1"), (Class::Batch, 3_600, "9")]
    {
        let served = Served { class, unix_s: WEDNESDAY + after, ..Served::default() };
        assert_eq!(cost(&table, &counts, &served), expected, "{class:?} {after}");
    }
}

#[test]
fn a_meter_without_a_price_takes_that_of_another_or_is_missing() {
    let million = 1_000_000;
    for (table, meter, expected) in [
        (json!({"input": "1", "output": "2"}), Meter::CacheWrite1h, "1"),
        (json!({"input": "1", "cache_write": "3"}), Meter::CacheWrite1h, "3"),
        (json!({"input": "1", "cache_read": "0.5"}), Meter::AudioCacheRead, "0.5"),
        (json!({"input": "1", "output": "2"}), Meter::Citation, "2"),
        (json!({"input": "1"}), Meter::Output, "the model has no price for output"),
        (json!({"image": {"*": "1"}}), Meter::Input, "the model has no price for input"),
        (json!({"input": "1"}), Meter::WebSearch, "the model has no price for web_search"),
    ] {
        assert_eq!(
            cost(&table, &tokens(&[(meter, million)]), &Served::default()),
            expected,
            "{table} {meter}"
        );
    }
    let partly = tokens(&[(Meter::Input, million), (Meter::WebSearch, 2)]);
    assert_eq!(cost(&json!({"input": "1"}), &partly, &Served::default()), "1 -web_search");
    let zero = tokens(&[(Meter::Input, million), (Meter::Output, 0)]);
    assert_eq!(
        cost(&json!({"input": "1"}), &zero, &Served::default()),
        "1",
        "nothing generated, nothing missing"
    );
}

#[test]
fn reasoning_inside_the_output_is_billed_apart_only_at_a_price_of_its_own() {
    let usage = json!({"prompt_tokens": 0, "completion_tokens": 3_000_000, "completion_tokens_details": {"reasoning_tokens": 1_000_000}});
    let counts = Measured::read(&usage, Reading::default()).unwrap().quantities;
    for (table, class, expected) in [
        (json!({"input": "1", "output": "2"}), Class::Standard, "6"),
        (json!({"input": "1", "output": "2", "reasoning": "3"}), Class::Standard, "7"),
        (
            json!({"input": "1", "output": "2", "reasoning": "3", "thinking": {"output": "4"}}),
            Class::Thinking,
            "12",
        ),
    ] {
        let served = Served { class, ..Served::default() };
        assert_eq!(cost(&table, &counts, &served), expected, "{table}");
    }
}

#[test]
fn images_are_priced_by_quality_then_size_or_by_their_pixels() {
    let table = json!({"image": {"hd/9x9": "1", "hd/*": "2", "*/9x9": "3", "*": "4"}});
    let listed = json!({"image": {"hd/9x9": "1", "low/9x9": "0.5"}});
    let pixels = json!({"megapixel": "2"});
    let images = |quality: Option<&str>, size: Option<&str>| {
        let images = Images { count: 2, size: size.map(Box::from), quality: quality.map(Box::from) };
        Quantities::default().with_facts(&Facts { images: Some(images), ..Facts::default() }).unwrap()
    };
    for (table, quality, size, expected) in [
        (&table, Some("HD"), Some("9x9"), "2"),
        (&table, Some("hd"), Some("1x1"), "4"),
        (&table, Some("low"), Some("9x9"), "6"),
        (&table, None, Some("9x9"), "6"),
        (&table, Some("auto"), None, "8"),
        (&listed, Some("odd"), Some("9x9"), "2 ~key-unknown"),
        (&pixels, None, Some("1000x500"), "2"),
        (&pixels, None, None, "the model has no price for image"),
    ] {
        assert_eq!(cost(table, &images(quality, size), &Served::default()), expected, "{quality:?} {size:?}");
    }
}

#[test]
fn token_counts_stand_above_figures_that_stand_for_them() {
    let table =
        json!({"input": "1", "output": "2", "image": {"*": "5"}, "audio_in_hour": "7", "web_search": "1"});
    let facts = Facts {
        images: Some(Images::default()),
        audio_in_seconds: Some(Decimal::from(3_600)),
        searches: 1,
        ..Facts::default()
    };
    let by_facts = Quantities::default().with_facts(&facts).unwrap();
    assert_eq!(cost(&table, &by_facts, &Served::default()), "13 ~no-token-counts");
    let both = tokens(&[(Meter::Input, 1_000_000)]).with_facts(&facts).unwrap();
    assert_eq!(cost(&table, &both, &Served::default()), "2");
    let guessed = tokens(&[(Meter::Input, 1_000_000)]).guessed();
    assert_eq!(cost(&table, &guessed, &Served::default()), "1 ~own-counts");
}

#[test]
fn searches_are_billed_by_call_or_by_request_and_context() {
    let by_context = json!({"input": "1", "web_search": {"low": "1", "high": "3"}});
    let by_call = json!({"input": "1", "web_search": "1"});
    let read = |usage: Value| Measured::read(&usage, Reading::default()).unwrap().quantities;
    let fee = read(json!({"prompt_tokens": 0, "num_search_queries": 7, "search_context_size": "high"}));
    let calls = read(json!({"prompt_tokens": 0, "num_search_queries": 7}));
    for (table, counts, expected) in [
        (&by_context, &fee, "3"),
        (&by_call, &fee, "7"),
        (&by_call, &calls, "7"),
        (&by_context, &calls, "21 ~key-unknown"),
    ] {
        assert_eq!(cost(table, counts, &Served::default()), expected, "{table} {counts:?}");
    }
}

#[test]
fn what_the_catalogue_notes_changes_the_bill() {
    let counts = tokens(&[(Meter::Input, 1_000_000), (Meter::WebSearch, 5)]);
    let mut found = found(&json!({"input": "1", "web_search": "10"}));
    found.notes.search_per_prompt = true;
    found.notes.since = Some(WEDNESDAY);
    for (unix_s, older) in [(WEDNESDAY - 1, true), (WEDNESDAY, false)] {
        let cost = found.cost(&counts, &Served { unix_s, ..Served::default() }).unwrap();
        let bill = cost.bill().unwrap();
        assert_eq!(bill.total.to_string(), "11", "one grounded request, however many searches");
        assert_eq!(bill.estimates.contains(Estimate::OlderThanPrice), older);
    }
}

#[test]
fn the_neutral_usage_is_priced_as_the_providers_is() {
    let usage = tidegate_core::Usage {
        input: 1_000_000,
        cache_read: Some(1_000_000),
        cache_write: Some(3_000_000),
        cache_write_1h: Some(1_000_000),
        output: 1_000_000,
        reasoning: Some(400_000),
        searches: Some(2),
        ..tidegate_core::Usage::default()
    };
    let table = json!({"input": "1", "output": "100", "cache_read": "10", "cache_write": "1000", "cache_write_1h": "10000", "web_search": "0.1"});
    assert_eq!(cost(&table, &Quantities::of_usage(&usage), &Served::default()), "12111.2");
}
