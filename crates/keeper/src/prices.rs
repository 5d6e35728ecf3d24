//! What a connection's models cost, where its operator says so.

use tidegate_pricing::OwnPrices;
use tidegate_store::entity::Connection;

/// What cannot be read counts as unsaid: it was checked when it was stored, by a program that may have been newer.
pub(crate) fn of(connection: &Connection) -> OwnPrices {
    let mut prices = OwnPrices::default();
    for row in &connection.models.rows {
        if let Some(base) = row.base() {
            prices.base(&row.slug, base);
        }
        if let Some(config) = row.prices() {
            let _ = prices.price(&row.slug, config);
        }
    }
    if let Some(adjustments) = connection.settings.get(Connection::PRICE_FACTORS) {
        let _ = prices.adjust(adjustments);
    }
    prices
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};
    use tidegate_core::Usage;
    use tidegate_pricing::{Cost, ModelName, Prices, Quantities, Served};
    use tidegate_store::entity::ModelRow;

    use super::*;

    fn row(slug: &str, details: &Value) -> ModelRow {
        let details = details.as_object().cloned().unwrap_or_default();
        ModelRow { slug: slug.into(), enabled: true, details }
    }

    #[test]
    fn prices_bases_and_factors_are_read_from_what_is_stored() {
        let mut connection = Connection::new("openai", None);
        connection.settings =
            Map::from_iter([("pricing_adjustments".to_owned(), json!({"multiplier": {"default": 2}}))]);
        connection.models.rows = vec![
            row(
                "gpt-4o",
                &json!({"pricing_config": {"pay_as_you_go": {"request_token": {"price": 0.0001}}}}),
            ),
            row("mine", &json!({"base_model_slug": "gpt-4o-mini", "pricing_config": null})),
            row("newer", &json!({"pricing_config": {"words": 1}})),
        ];
        let own = of(&connection);
        let cost = |asked| {
            let found =
                own.find(&Prices::default(), &ModelName { provider: "openai", asked, ..Default::default() });
            let usage = Usage { input: 1_000_000, ..Usage::default() };
            match found.cost(&Quantities::of_usage(&usage), &Served::default()).unwrap() {
                Cost::Priced(bill) => bill.total.to_string(),
                Cost::Unpriced(why) => why.to_string(),
            }
        };
        assert_eq!((cost("gpt-4o"), cost("mine")), ("2".to_owned(), "0.3".to_owned()));
        assert_eq!(cost("newer"), "the model is not in the price list");
    }
}
