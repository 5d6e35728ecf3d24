//! The catalogue's prices as lists, for whoever shows them: what the API says that they are.

use rust_decimal::Decimal;

use crate::book;
use crate::class::Class;
use crate::meter::Meter;
use crate::names::Platform;
use crate::table::{Price, PriceTable};

/// One price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPrice<'t> {
    pub meter: Meter,
    /// Quality and size, resolution, or search context, where the price depends on it; `*` is any.
    pub key: Option<&'t str>,
    /// US dollars for [`Meter::per`] units.
    pub price: Decimal,
}

impl PriceTable {
    /// The prices of a service class below all tiers and in no region. Empty where nothing is said of the class.
    pub fn listed(&self, class: Class) -> Vec<ListedPrice<'_>> {
        let prices = self.sheet(class).map(|sheet| sheet.base.0.as_slice()).unwrap_or_default();
        let mut listed = Vec::with_capacity(prices.len());
        for (meter, price) in prices {
            match price {
                Price::One(price) => listed.push(ListedPrice { meter: *meter, key: None, price: *price }),
                Price::Keyed(prices) => listed.extend(prices.iter().map(|(key, price)| ListedPrice {
                    meter: *meter,
                    key: Some(key),
                    price: *price,
                })),
            }
        }
        listed
    }
}

/// The models of a provider (its id or an alias) that have a price, by name. Reads the whole catalogue.
pub fn priced_models(provider: &str) -> Vec<(&'static str, PriceTable)> {
    let platform = Platform::of(provider);
    book::all(&platform.provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_a_model_and_models_of_a_provider() {
        let models = priced_models("openai");
        assert!(models.len() > 50 && models.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        let (_, table) = models.iter().find(|(name, _)| *name == "gpt-4o").unwrap();
        let input = |class| table.listed(class).into_iter().find(|one| one.meter == Meter::Input);
        let (standard, batch) = (input(Class::Standard).unwrap(), input(Class::Batch).unwrap());
        assert_eq!((standard.key, batch.price * Decimal::TWO), (None, standard.price));
        let (_, images) = models.iter().find(|(name, _)| *name == "dall-e-3").unwrap();
        assert!(images.listed(Class::Standard).iter().any(|one| one.key == Some("hd/1024x1024")));
        assert_eq!(images.listed(Class::Flex), []);
        assert_eq!(priced_models("together"), priced_models("together-ai"), "an alias is the provider");
        assert_eq!(priced_models("nobody"), []);
    }
}
