//! Requests and price tables by chance, from a generator of fixed seed: what fails once fails again.

use serde_json::{Map, Value, json};
use tidegate_pricing::{
    Bill, Class, Cost, Decimal, Facts, Found, Images, Meter, ModelName, PriceTable, Prices, Quantities,
    Served,
};

pub const CLASSES: [Class; 7] = [
    Class::Standard,
    Class::Batch,
    Class::Flex,
    Class::Priority,
    Class::Fast,
    Class::Ultrafast,
    Class::Thinking,
];
pub const PROMPT: [Meter; 9] = [
    Meter::Input,
    Meter::CacheRead,
    Meter::CacheWrite,
    Meter::CacheWrite1h,
    Meter::AudioIn,
    Meter::AudioCacheRead,
    Meter::ImageIn,
    Meter::ImageCacheRead,
    Meter::VideoIn,
];
pub const ANSWER: [Meter; 5] =
    [Meter::Output, Meter::Reasoning, Meter::AudioOut, Meter::ImageOut, Meter::VideoOut];
pub const WEEK_S: u64 = 7 * 86_400;

/// SplitMix64.
pub struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Small, large and around the thresholds of price lists.
    pub fn count(&mut self) -> u64 {
        const EDGES: [u64; 5] = [0, 128_000, 200_000, 272_000, 1_000_000];
        match self.below(4) {
            0 => self.below(10),
            1 => EDGES[self.below(5) as usize] + self.below(3),
            _ => self.below(1_000_000),
        }
    }

    pub fn price(&mut self) -> Value {
        let (whole, scale) = (self.below(100_000), self.below(8) as u32);
        json!(Decimal::new(whole as i64, scale).normalize().to_string())
    }

    pub fn prices(&mut self, most: u64) -> Map<String, Value> {
        const KEYS: [(&str, &[&str]); 3] = [
            ("image", &["*", "*/1024x1024", "hd/*", "hd/1024x1024", "low/*"]),
            ("web_search", &["*", "low", "medium", "high"]),
            ("video_out_second", &["*", "720p", "1080p"]),
        ];
        let meters: Vec<_> = Meter::all().collect();
        let mut prices = Map::new();
        for _ in 0..self.below(most) {
            let name = meters[self.below(meters.len() as u64) as usize].name();
            let keys = KEYS.iter().find(|row| row.0 == name && !self.one_in(3));
            let price = match keys {
                Some((_, keys)) => {
                    let mut by = Map::new();
                    for key in *keys {
                        if self.one_in(2) {
                            by.insert((*key).to_owned(), self.price());
                        }
                    }
                    by.insert(keys[self.below(keys.len() as u64) as usize].to_owned(), self.price());
                    Value::Object(by)
                }
                None => self.price(),
            };
            prices.insert(name.to_owned(), price);
        }
        prices
    }

    pub fn sheet(&mut self, most: u64) -> Map<String, Value> {
        let mut sheet = self.prices(most);
        if self.one_in(2) {
            let tiers =
                [128_000, 200_000, 272_000].into_iter().filter(|_| self.one_in(2)).collect::<Vec<_>>();
            let tiers = tiers.into_iter().map(|above| {
                let mut tier = self.prices(8);
                tier.insert("above".to_owned(), json!(above));
                Value::Object(tier)
            });
            sheet.insert("tiers".to_owned(), tiers.collect());
        }
        sheet
    }

    pub fn table(&mut self) -> Found {
        let mut table = self.sheet(25);
        table.insert("input".to_owned(), self.price());
        table.insert("output".to_owned(), self.price());
        for class in &CLASSES[1..] {
            if self.one_in(4) {
                table.insert(class.name().to_owned(), Value::Object(self.sheet(8)));
            }
        }
        if self.one_in(2) {
            let mut region = self.sheet(6);
            region.insert("in".to_owned(), json!(["eu"]));
            let multiplier = json!({"in": ["us"], "multiplier": self.price()});
            table.insert("regions".to_owned(), json!([region, multiplier]));
        }
        if self.one_in(3) {
            let mut window = self.prices(6);
            window.extend([("from".to_owned(), json!("01:00")), ("to".to_owned(), json!("13:00"))]);
            table.insert("schedule".to_owned(), json!([window]));
        }
        Found::from(PriceTable::from_json(&Value::Object(table)).unwrap())
    }

    pub fn pick(&mut self, of: &[&str]) -> Option<Box<str>> {
        let at = self.below(of.len() as u64 + 1) as usize;
        of.get(at).map(|text| Box::from(*text))
    }

    pub fn facts(&mut self) -> Facts {
        let mut facts = Facts::default();
        if self.one_in(3) {
            let (size, quality) = (self.pick(&["1024x1024", "9x9"]), self.pick(&["hd", "low", "odd"]));
            facts.images = Some(Images { count: self.below(5) as u32, size, quality });
        }
        if self.one_in(3) {
            facts.audio_in_seconds = Some(Decimal::new(self.below(100_000) as i64, 2));
            facts.video_out_seconds = Some(Decimal::new(self.below(100) as i64, 0));
            facts.resolution = self.pick(&["720p", "1080p", "odd"]);
        }
        facts.characters = self.one_in(3).then(|| self.below(10_000));
        facts.searches = if self.one_in(3) { self.below(5) } else { 0 };
        facts.search_context = self.pick(&["low", "high", "odd"]);
        facts
    }

    pub fn quantities(&mut self) -> Quantities {
        let mut quantities = Quantities::default();
        for meter in PROMPT.into_iter().chain(ANSWER) {
            if self.one_in(3) {
                quantities.put(meter, self.count());
            }
        }
        quantities.with_facts(&self.facts()).unwrap()
    }

    pub fn served(&mut self) -> Served<'static> {
        let class = CLASSES[self.below(7) as usize];
        let region = [None, Some("eu"), Some("us"), Some("mars")][self.below(4) as usize];
        Served { class, region, unix_s: self.below(WEEK_S) }
    }
}

pub fn bill(found: &Found, quantities: &Quantities, served: &Served<'_>) -> Option<Bill> {
    match found.cost(quantities, served).unwrap() {
        Cost::Priced(bill) => Some(bill),
        Cost::Unpriced(_) => None,
    }
}

pub fn catalogue() -> Vec<Found> {
    let prices = Prices::default();
    let names = [
        ("openai", "gpt-4o"),
        ("openai", "gpt-5.6-sol"),
        ("openai", "gpt-realtime"),
        ("openai", "gpt-image-1"),
        ("openai", "dall-e-3"),
        ("openai", "whisper-1"),
        ("openai", "sora-2"),
        ("openai", "gpt-4o-search-preview"),
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-opus-4-8"),
        ("google", "gemini-2.5-pro"),
        ("google", "gemini-2.5-flash-image-preview"),
        ("bedrock", "amazon.nova-lite-v1:0"),
        ("bedrock", "ca.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("azure-openai", "gpt-5.5"),
        ("dashscope", "qwen-plus-latest"),
        ("dashscope", "qwen3-vl-plus"),
        ("deepseek", "deepseek-v4-flash"),
        ("perplexity-ai", "sonar-pro"),
        ("perplexity-ai", "sonar-deep-research"),
        ("cohere", "rerank-v3.5"),
        ("mistral-ai", "mistral-ocr-latest"),
    ];
    let found = names.map(|(provider, asked)| {
        let found = prices.find(&ModelName { provider, asked, ..ModelName::default() });
        assert!(found.table.is_some(), "{provider} {asked}");
        Found::clone(&found)
    });
    found.to_vec()
}

/// Tables of the catalogue in turn, and random ones.
pub fn tables(chance: &mut Chance, rounds: usize) -> impl Iterator<Item = Found> {
    let known = catalogue();
    (0..rounds).map(move |round| match known.get(round % (2 * known.len())) {
        Some(found) => found.clone(),
        None => chance.table(),
    })
}
