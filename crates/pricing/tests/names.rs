//! Whose name and whose price count.

use serde_json::json;
use tidegate_pricing::{
    Bounds, By, Ceiling, Cost, Estimate, ModelName, Overrides, PriceTable, Prices, Quantities, Served,
    Unpriced,
};

fn table(input: &str) -> PriceTable {
    PriceTable::from_json(&json!({"input": input, "output": "1"})).unwrap()
}

fn asked<'a>(provider: &'a str, asked: &'a str) -> ModelName<'a> {
    ModelName { provider, asked, ..ModelName::default() }
}

fn million_in(prices: &Prices, name: &ModelName<'_>) -> String {
    let mut quantities = Quantities::default();
    quantities.put(tidegate_pricing::Meter::Input, 1_000_000);
    match prices.find(name).cost(&quantities, &Served::default()).unwrap() {
        Cost::Priced(bill) => format!("{}{}", bill.total, if bill.estimates.is_empty() { "" } else { "~" }),
        Cost::Unpriced(why) => why.to_string(),
    }
}

#[test]
fn the_answers_name_counts_where_it_is_known() {
    let prices = Prices::default();
    let find = |provider, asked, answered, base_model| {
        let name = ModelName { provider, asked, answered, base_model, slug: None };
        let found = prices.find(&name);
        (found.id.as_deref().map(str::to_owned), found.by, found.asked_for.as_deref().map(str::to_owned))
    };
    let some = |id: &str| Some(id.to_owned());
    for (provider, asked, answered, base, expected) in [
        ("openai", "gpt-4o", Some("gpt-4o-2024-08-06"), None, (some("gpt-4o-2024-08-06"), By::Exact, None)),
        ("openai", "gpt-4o", Some("gpt-4o-2031-01-01"), None, (some("gpt-4o"), By::Exact, None)),
        ("openai", "gpt-4o", Some("o3"), None, (some("o3"), By::Exact, some("gpt-4o"))),
        ("openai", "no-such", Some("gpt-4o-2031-01-01"), None, (some("gpt-4o"), By::Family, None)),
        (
            "azure-openai",
            "prod-chat",
            Some("gpt-4o-2024-08-06"),
            None,
            (some("gpt-4o-2024-08-06"), By::Exact, None),
        ),
        ("azure-openai", "gpt-4", None, Some("gpt-4o"), (some("gpt-4o"), By::Exact, None)),
        ("azure-openai", "prod-chat", Some("secret"), Some("gpt-4o"), (some("gpt-4o"), By::Exact, None)),
        ("azure-openai", "prod-chat", None, None, (None, By::None, None)),
    ] {
        assert_eq!(
            find(provider, asked, answered, base),
            expected,
            "{provider} {asked} {answered:?} {base:?}"
        );
    }
}

#[test]
fn the_operators_prices_come_first() {
    let mut own = Overrides::new();
    own.set("openai", "GPT-4o", table("7"));
    own.set("team-key", "gpt-4o", table("8"));
    own.set("openai", "house-model", table("9"));
    own.set("anthropic", "claude-opus-4-0", table("11"));
    own.set("ollama", "*", table("0.5"));
    let prices = Prices::new(own);
    let with_slug = ModelName { slug: Some("Team-Key"), ..asked("openai", "gpt-4o") };
    for (name, expected) in [
        (asked("openai", "gpt-4o"), "7"),
        (asked("openai", "openai/gpt-4o"), "7"),
        (with_slug, "8"),
        (asked("openai", "house-model"), "9"),
        (asked("anthropic", "claude-opus-4"), "11"),
        (asked("openai", "gpt-4o-2024-05-13"), "5"),
        (asked("openai", "gpt-4o-2031-01-01"), "7~"),
        // Known without a price, and not known: the fallback, marked.
        (asked("ollama", "llama3.2"), "0.5~"),
        (asked("ollama", "nobody-knows"), "0.5~"),
        (asked("openai", "*"), "the model is not in the price list"),
    ] {
        assert_eq!(million_in(&prices, &name), expected, "{name:?}");
    }
    assert_eq!(prices.find(&with_slug).by, By::Override);
}

#[test]
fn nothing_unknown_is_free() {
    let prices = Prices::default();
    for (name, why) in [
        (asked("openai", "gpt-does-not-exist"), Unpriced::UnknownModel),
        (asked("ollama", "llama3.2"), Unpriced::NoPrice),
    ] {
        let found = prices.find(&name);
        assert_eq!(found.cost(&Quantities::default(), &Served::default()), Ok(Cost::Unpriced(why)));
        assert_eq!(found.ceiling(&Bounds::text(1, 1)), Ok(Ceiling::Unpriced(why)));
    }
    let found = prices.find(&asked("openai", "gpt-4o"));
    let nothing = found.cost(&Quantities::default(), &Served::default());
    assert_eq!(nothing, Ok(Cost::Unpriced(Unpriced::NothingCounted)));
}

#[test]
fn names_are_kept_without_bound_on_none() {
    let prices = Prices::default();
    for n in 0..2_000 {
        assert_eq!(prices.find(&asked("openai", &format!("made-up-{n}"))).by, By::None);
    }
    let long = "x".repeat(100_000);
    assert_eq!(prices.find(&asked("openai", &long)).by, By::None);
    assert_eq!(prices.find(&asked("openai", "gpt-4o")).by, By::Exact);
    let geo = prices.find(&asked("bedrock", "ca.anthropic.claude-sonnet-4-5-20250929-v1:0"));
    assert!(geo.estimates.contains(Estimate::GeoPrefix));
    assert_eq!(
        million_in(&prices, &asked("bedrock", "ca.anthropic.claude-sonnet-4-5-20250929-v1:0")),
        "6.6~"
    );
}
