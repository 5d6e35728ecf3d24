//! The short way through the prices gives what the long one does, to the last digit.

use tidegate_core::Usage;
use tidegate_pricing::{Bounds, CacheWrites, Class, Found, Kinds, Quantities, Served, priced_models};

use crate::chance::{Chance, WEEK_S, tables};

fn all() -> impl Iterator<Item = Found> {
    let providers = ["openai", "anthropic", "google", "azure-openai", "mistral-ai", "bedrock", "deepseek"];
    let listed = providers.into_iter().flat_map(priced_models).map(|(_, table)| Found::from(table));
    listed.chain(tables(&mut Chance(11), 1_500).collect::<Vec<_>>())
}

fn usage(chance: &mut Chance) -> Usage {
    let mut some = |one_in: u64| chance.one_in(one_in).then(|| chance.count());
    Usage {
        cache_read: some(3),
        cache_write: some(4),
        cache_write_1h: some(9),
        reasoning: some(4),
        audio_input: some(30),
        audio_output: some(30),
        image_input: some(30),
        image_output: some(30),
        searches: some(30),
        input: some(2).unwrap_or_default(),
        output: some(2).unwrap_or_default(),
        ..Usage::default()
    }
}

#[test]
fn costs() {
    let mut chance = Chance(12);
    let mut priced = 0;
    for found in all() {
        for own in [false, true, false, true] {
            let usage = usage(&mut chance);
            let class = if chance.one_in(5) { chance.served().class } else { Class::Standard };
            let served = Served { class, region: None, unix_s: chance.below(WEEK_S) };
            let quantities = Quantities::of_usage(&usage);
            let long = found.cost(&if own { quantities.guessed() } else { quantities }, &served);
            assert_eq!(found.cost_of(&usage, None, own, &served), long, "{usage:?} {found:?}");
            priced += u32::from(long.is_ok_and(|cost| cost.bill().is_some()));
        }
    }
    assert!(priced > 5_000, "{priced}");
}

#[test]
fn ceilings() {
    let mut chance = Chance(13);
    for found in all() {
        for _ in 0..2 {
            let (image, audio) = (chance.one_in(2), chance.one_in(2));
            let kinds =
                Kinds { image_in: image, image_out: image, audio_in: audio, audio_out: audio, ..Kinds::TEXT };
            let cache = if chance.one_in(2) { CacheWrites::Short } else { CacheWrites::Any };
            let answers = chance.below(4) as u32;
            let bounds = Bounds { kinds, cache, answers, ..Bounds::new(chance.count(), chance.count()) };
            // Named once more, the standard class changes nothing but the way.
            let long = Bounds { classes: &[Class::Standard], ..bounds.clone() };
            assert_eq!(found.ceiling(&bounds), found.ceiling(&long), "{bounds:?} {found:?}");
        }
    }
}
