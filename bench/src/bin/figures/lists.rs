//! The list of logs with any two filters.

use tidegate_records::{Between, Filter, Reader, StatusFilter};

use crate::times::{Times, report};

const ROUNDS: usize = 7;

/// One filter: its name, and how it is set.
type One = (&'static str, fn(&mut Filter));

fn names(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

/// Every filter, with values that many records have, that few have, and that none has.
fn filters() -> Vec<One> {
    vec![
        ("status 5xx", |f| f.status = Some(StatusFilter::Range(500, 599))),
        ("status 446", |f| f.status = Some(StatusFilter::Is(vec![446]))),
        ("status 418 (none)", |f| f.status = Some(StatusFilter::Is(vec![418]))),
        ("provider", |f| f.provider = names("gemini")),
        ("provider (none)", |f| f.provider = names("nobody")),
        ("model", |f| f.model = names("model-9")),
        ("model (none)", |f| f.model = names("model-3")),
        ("key", |f| f.api_key = names("key-7")),
        ("owner", |f| f.key_owner = names("owner-4")),
        ("virtual key", |f| f.virtual_key = names("openai-us")),
        ("config", |f| f.config = names("pc-batch")),
        ("user", |f| f.user = names("user-31")),
        ("user (none)", |f| f.user = names("nobody")),
        ("cache", |f| f.cache = names("hit")),
        ("trace (none)", |f| f.trace = names("0123456789abcdef")),
        ("metadata", |f| f.metadata = vec![("team".into(), "search".into())]),
        ("metadata (none)", |f| f.metadata = vec![("team".into(), "nobody".into())]),
        ("cost", |f| f.cost = Between { min: "0.02".parse().ok(), max: None }),
        ("cost (none)", |f| f.cost = Between { min: "5".parse().ok(), max: None }),
        ("prompt tokens", |f| f.prompt_tokens = Between { min: Some(8_000), max: None }),
        ("completion tokens", |f| f.completion_tokens = Between { min: Some(1), max: Some(9) }),
        ("total tokens (none)", |f| f.total_tokens = Between { min: Some(100_000), max: None }),
    ]
}

/// Gives how many missed the bar.
pub fn lists(reader: &mut impl Reader, from_ms: u64, to_ms: u64) -> usize {
    let all = filters();
    let mut times = Vec::new();
    for (at, (first, set_first)) in all.iter().enumerate() {
        for (second, set_second) in &all[at + 1..] {
            let mut filter = Filter {
                from_ms: Some(from_ms),
                to_ms: Some(to_ms),
                organisation: names("org"),
                workspace: names("search"),
                ..Filter::default()
            };
            set_first(&mut filter);
            set_second(&mut filter);
            // Two values of one filter are no pair.
            let mut other = filter.clone();
            set_first(&mut other);
            if other != filter {
                continue;
            }
            times.push(Times::of(format!("{first} and {second}"), ROUNDS, || {
                drop(reader.list(&filter, None, 50).unwrap());
            }));
        }
    }
    report("Lists with two filters over 30 days, a page of 50", times, 10)
}
