//! The embedded rows, parsed. A row that does not parse is a defect of the build, not of any input: the tests of this
//! file load every row.

use std::collections::HashMap;

use serde::Deserialize;

use crate::Catalog;
use crate::adjust::Adjust;
use crate::provider::Provider;

include!(concat!(env!("OUT_DIR"), "/providers.rs"));
const ADJUST: &str = include_str!("../data/adjust.json");

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
struct File {
    providers: Vec<Provider>,
}

#[expect(clippy::expect_used, reason = "the texts are part of the program, and the tests below load them")]
pub(crate) fn embedded() -> Catalog {
    let file: File = serde_json::from_str(PROVIDERS[0].text()).expect("data/providers.json");
    let mut adjust: HashMap<&'static str, Adjust> = serde_json::from_str(ADJUST).expect("data/adjust.json");
    let mut providers = file.providers;
    let mut by_name =
        HashMap::with_capacity_and_hasher(2 * providers.len(), foldhash::fast::RandomState::default());
    for (at, provider) in providers.iter_mut().enumerate() {
        provider.adjust = adjust.remove(provider.id).unwrap_or_default();
        for name in provider.aliases.iter().chain([&provider.id]) {
            by_name.insert(*name, at);
        }
    }
    Catalog { providers, by_name }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{Endpoint, PORTKEY_IDS, catalog};

    #[test]
    fn ids_are_sorted_and_all_names_unique() {
        let ids: Vec<_> = catalog().ids().collect();
        assert!(ids.is_sorted(), "{ids:?}");
        let names: Vec<_> = catalog().iter().flat_map(|p| p.aliases.iter().chain([&p.id])).collect();
        let unique: HashSet<_> = names.iter().collect();
        assert_eq!(names.len(), unique.len());
    }

    #[test]
    fn portkey_ids_are_known() {
        let unknown: Vec<_> = PORTKEY_IDS.into_iter().filter(|id| catalog().get(id).is_none()).collect();
        assert_eq!(unknown, ["portkey"], "valid there, without an adapter");
        for id in PORTKEY_IDS.into_iter().filter(|id| *id != "portkey") {
            assert_eq!(catalog().get(id).unwrap().id, id, "an id, not an alias");
        }
    }

    #[test]
    fn every_row_holds_together() {
        for provider in catalog() {
            let id = provider.id;
            let base = provider.base_url;
            assert!(
                base.starts_with("https://") || base.starts_with("http://") || base.starts_with('{'),
                "{id}"
            );
            assert!(!base.ends_with('/'), "{id}");
            assert!(provider.docs.starts_with("https://"), "{id}");
            let env: Vec<_> =
                provider.env.iter().copied().chain(provider.env_options.iter().map(|e| e.0)).collect();
            let env: Vec<_> = env.into_iter().chain(provider.env_base_url.iter().map(|e| e.0)).collect();
            assert_eq!(env.len(), env.iter().collect::<HashSet<_>>().len(), "{id}: {env:?}");
            assert!(provider.endpoints().count() > 0, "{id}");
            for endpoint in provider.endpoints() {
                let path = provider.route(endpoint).unwrap().path;
                assert!(path.is_empty() || path.starts_with('/'), "{id} {endpoint:?}");
            }
        }
    }

    #[test]
    fn adjustments_belong_to_rows() {
        let adjust: HashMap<&'static str, Adjust> = serde_json::from_str(ADJUST).unwrap();
        for (id, adjust) in &adjust {
            let provider = catalog().get(id).unwrap();
            assert_eq!((provider.id, &provider.adjust), (*id, adjust));
            assert!(!adjust.is_empty(), "{id}");
            assert!(provider.route(Endpoint::ChatCompletions).is_some(), "{id}");
            for clamp in &adjust.clamp {
                assert!(clamp.min < clamp.max, "{id}");
            }
        }
    }
}
