//! A reservation is enough for any usage within its bounds, and no more than it has to be.

use tidegate_pricing::{
    Bounds, CacheWrites, Ceiling, Class, Decimal, Facts, Images, Kinds, Meter, ModelName, Prices, Quantities,
    Served,
};

use crate::chance::{ANSWER, Chance, PROMPT, WEEK_S, bill, tables};

/// A usage within bounds, chosen at random.
fn within(chance: &mut Chance, bounds: &Bounds<'_>) -> Quantities {
    let mut quantities = Quantities::default();
    let output = bounds.output_tokens * u64::from(bounds.answers.max(1));
    for (meters, most) in [(&PROMPT[..], bounds.prompt_tokens), (&ANSWER[..], output)] {
        let mut left = if chance.one_in(2) { most } else { chance.below(most + 1) };
        let meters: Vec<_> = meters.iter().copied().filter(|meter| allowed(bounds, *meter)).collect();
        while left > 0 {
            let part = if chance.one_in(2) { left } else { 1 + chance.below(left) };
            left -= part;
            let meter = meters[chance.below(meters.len() as u64) as usize];
            let there = quantities.get(meter).unwrap_or_default();
            quantities.put(meter, part + u64::try_from(there.mantissa()).unwrap());
        }
    }
    let mut facts = bounds.facts.clone();
    facts.searches = chance.below(facts.searches + 1);
    facts.audio_in_seconds =
        facts.audio_in_seconds.map(|seconds| (seconds / Decimal::from(1 + chance.below(3))).round_dp(2));
    // The answer says what the request left open.
    facts.search_context = facts.search_context.or_else(|| chance.pick(&["low", "medium", "high"]));
    facts.resolution = facts.resolution.or_else(|| chance.pick(&["720p", "1080p"]));
    if let Some(images) = &mut facts.images {
        images.quality = images.quality.take().or_else(|| chance.pick(&["hd", "low"]));
    }
    quantities.with_facts(&facts).unwrap()
}

fn allowed(bounds: &Bounds<'_>, meter: Meter) -> bool {
    let kinds = bounds.kinds;
    match meter {
        Meter::CacheWrite => bounds.cache >= CacheWrites::Short,
        Meter::CacheWrite1h => bounds.cache == CacheWrites::Any,
        Meter::AudioIn | Meter::AudioCacheRead => kinds.audio_in,
        Meter::ImageIn | Meter::ImageCacheRead => kinds.image_in,
        Meter::VideoIn => kinds.video_in,
        Meter::AudioOut => kinds.audio_out,
        Meter::ImageOut => kinds.image_out,
        Meter::VideoOut => kinds.video_out,
        _ => true,
    }
}

#[test]
fn what_is_reserved_is_enough() {
    let (mut tables_of, mut chance) = (Chance(5), Chance(6));
    let mut compared = 0;
    for found in tables(&mut tables_of, 20_000) {
        let asked = chance.served();
        let classes = [asked.class];
        let bounds = Bounds {
            prompt_tokens: chance.count(),
            output_tokens: chance.below(10_000),
            answers: chance.below(4) as u32,
            kinds: if chance.one_in(2) { Kinds::ALL } else { Kinds::TEXT },
            cache: [CacheWrites::Never, CacheWrites::Short, CacheWrites::Any][chance.below(3) as usize],
            citation_tokens: 0,
            facts: chance.facts(),
            classes: &classes,
            region: asked.region,
        };
        let Ceiling::Highest(reserved) = found.ceiling(&bounds).unwrap() else { continue };
        for _ in 0..5 {
            let quantities = within(&mut chance, &bounds);
            let class = if chance.one_in(2) { Class::Standard } else { asked.class };
            let served = Served { class, unix_s: chance.below(WEEK_S), ..asked };
            let Some(bill) = bill(&found, &quantities, &served) else { continue };
            assert!(
                bill.total <= reserved,
                "{} above {reserved}\n{bounds:?}\n{quantities:?}\n{served:?}\n{found:?}\n{bill:?}",
                bill.total
            );
            compared += 1;
        }
    }
    assert!(compared > 20_000, "{compared}");
}

/// A reservation is no more than a careful reader of the price list would put aside.
#[test]
fn what_is_reserved_is_not_too_much() {
    let prices = Prices::default();
    let ceiling = |provider, asked, bounds: &Bounds<'_>| {
        let found = prices.find(&ModelName { provider, asked, ..ModelName::default() });
        match found.ceiling(bounds).unwrap() {
            Ceiling::Highest(cost) => cost.to_string(),
            Ceiling::Unpriced(why) => why.to_string(),
        }
    };
    let text = Bounds::text(1_000_000, 1_000);
    let images = |count| Facts { images: Some(Images { count, ..Images::default() }), ..Facts::default() };
    for (provider, model, bounds, expected) in [
        ("openai", "gpt-4o", text.clone(), "2.51"),
        ("openai", "gpt-4o", Bounds { answers: 3, ..text.clone() }, "2.53"),
        ("openai", "gpt-4o", Bounds { classes: &[Class::Priority], ..text.clone() }, "4.267"),
        ("anthropic", "claude-haiku-4-5", Bounds::text(1_000, 100), "0.0015"),
        (
            "anthropic",
            "claude-haiku-4-5",
            Bounds { cache: CacheWrites::Any, ..Bounds::text(1_000, 100) },
            "0.0025",
        ),
        ("google", "gemini-2.5-pro", Bounds::text(200_000, 100), "0.251"),
        ("google", "gemini-2.5-pro", Bounds::text(200_001, 100), "0.5015025"),
        ("deepseek", "deepseek-v4-flash", Bounds::text(1_000, 0), "0.0003"),
        ("openai", "gpt-5.5", Bounds { region: Some("eu"), ..Bounds::text(1_000, 0) }, "0.0055"),
        ("openai", "dall-e-3", Bounds { facts: images(2), ..Bounds::text(100, 0) }, "0.24"),
        ("openai", "gpt-image-1", Bounds { facts: images(1), ..Bounds::text(100, 0) }, "0.25"),
        ("openai", "text-embedding-3-small", Bounds::text(1_000, 0), "0.00002"),
        ("openai", "text-embedding-3-small", Bounds::text(1_000, 5), "the model has no price for output"),
        ("openai", "gpt-4o", Bounds::text(u64::MAX, 5), "46116860184273.8790875"),
    ] {
        assert_eq!(ceiling(provider, model, &bounds), expected, "{provider} {model} {bounds:?}");
    }
}
