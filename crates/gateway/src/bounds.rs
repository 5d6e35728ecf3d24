//! What a request can consume at most, and what it can make do with.

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::Value;
use tidegate_catalog::Endpoint;
use tidegate_dialect::peek::Peek;
use tidegate_ledger::{Grant, Least};
use tidegate_pricing::{Bounds, CacheWrites, Ceiling, Class, Facts, Found, Images, Kinds, Money};
use tidegate_routing::Target;

use crate::accept::{Call, CallBody};
use crate::prepare::Job;
use crate::route::Route;

/// Models whose longest answer nobody knows are taken to give no more than this.
const LONGEST_ANSWER: u64 = 32_768;
/// What a picture that is named by its address can be worth in tokens.
const TOKENS_PER_IMAGE: u64 = 4_096;
/// An answer shorter than this is not worth asking for.
const LEAST_ANSWER: u64 = 64;

/// What an answer of a session can be made of where nobody knows the model: the windows of the first that there were.
const SESSION_WINDOW: u64 = 32_000;
const SESSION_ANSWER: u64 = 4_096;

/// The most that one answer of a session can consume: all that the model can look at, in any form.
pub fn of_session<'a>(job: &Job) -> Bounds<'a> {
    let facts = tidegate_catalog::model(job.provider, &job.model);
    let known = |count: Option<u64>| count.filter(|count| *count > 0);
    let window = facts.and_then(|facts| known(facts.context_window)).unwrap_or(SESSION_WINDOW);
    let answer = facts.and_then(|facts| known(facts.max_output_tokens)).unwrap_or(SESSION_ANSWER);
    Bounds { cache: CacheWrites::Short, ..Bounds::new(window, answer) }
}

/// With how little left an answer of a session may still begin: enough for a short one.
pub fn least_of_session(found: &Found, priced: bool) -> Option<Least> {
    let short = Bounds { cache: CacheWrites::Short, ..Bounds::new(LEAST_ANSWER, LEAST_ANSWER) };
    let cost = match found.ceiling(&short) {
        Ok(Ceiling::Highest(cost)) => cost,
        _ if !priced => Money::ZERO,
        _ => return None,
    };
    Some(Least { cost, tokens: tokens(&short) })
}

/// The most that the request can consume: a token is at least a byte of the prompt.
pub fn of<'a>(call: &Call, target: &Target, job: &Job) -> Bounds<'a> {
    let facts = tidegate_catalog::model(job.provider, &job.model);
    let CallBody::Json(frames) = &call.body else {
        if call.asked.is_some() {
            return of_session(job);
        }
        return Bounds::new(0, 0);
    };
    let asked = Asked::of(&call.peek, target);
    let bytes = frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
    let says = |word: &Finder<'_>| frames.iter().any(|frame| word.find(frame).is_some());
    let [images, audio, cached] = Words::get().kinds.each_ref().map(says);
    let pictures = if images {
        frames.iter().map(|frame| Words::get().image_url.find_iter(frame).count() as u64).sum()
    } else {
        0
    };
    let window = facts.and_then(|facts| facts.context_window).unwrap_or(u64::MAX);
    let prompt = bytes.saturating_add(pictures * TOKENS_PER_IMAGE).min(window);
    let longest = facts.and_then(|facts| facts.max_output_tokens);
    let output = match answers_in_text(call.route) {
        true => asked.output.or(longest).unwrap_or(LONGEST_ANSWER),
        false => 0,
    };
    Bounds {
        answers: asked.answers,
        kinds: Kinds {
            image_in: images,
            image_out: images,
            audio_in: audio,
            audio_out: audio,
            ..Kinds::TEXT
        },
        cache: if cached { CacheWrites::Any } else { CacheWrites::Short },
        facts: self::facts(call.route, frames).unwrap_or_default(),
        classes: Class::dearer(asked.tier),
        ..Bounds::new(prompt, output)
    }
}

/// Words in a body that make it dearer.
struct Words {
    /// Of images, of audio, of caches that live longer.
    kinds: [Finder<'static>; 3],
    image_url: Finder<'static>,
}

impl Words {
    fn get() -> &'static Self {
        static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
            kinds: ["image", "audio", "cache_control"].map(Finder::new),
            image_url: Finder::new("image_url"),
        });
        &WORDS
    }
}

/// With how little the request can be content: its prompt, and an answer that is short. `None` where the length of the
/// answer cannot be bounded.
pub fn least(found: &Found, bounds: &Bounds<'_>, route: Route, priced: bool) -> Option<Least> {
    if !answers_in_text(route) || bounds.output_tokens <= LEAST_ANSWER {
        return None;
    }
    let short = Bounds { output_tokens: LEAST_ANSWER, ..bounds.clone() };
    let cost = match found.ceiling(&short) {
        Ok(Ceiling::Highest(cost)) => cost,
        // Budgets in tokens hold without a price.
        _ if !priced => Money::ZERO,
        _ => return None,
    };
    Some(Least { cost, tokens: tokens(&short) })
}

/// The longest answer that a grant pays for, in tokens.
pub fn affordable(found: &Found, bounds: &Bounds<'_>, grant: &Grant, priced: bool) -> u64 {
    let fits = |output_tokens: u64| {
        let tried = Bounds { output_tokens, ..bounds.clone() };
        let money = match found.ceiling(&tried) {
            Ok(Ceiling::Highest(cost)) => {
                tidegate_ledger::Amount::usd(cost).is_some_and(|cost| cost <= grant.usd)
            }
            _ => false,
        };
        (money || !priced) && tokens(&tried) <= grant.whole_tokens()
    };
    let (mut low, mut high) = (LEAST_ANSWER.min(bounds.output_tokens), bounds.output_tokens);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

/// All tokens within the bounds.
pub fn tokens(bounds: &Bounds<'_>) -> u64 {
    bounds.prompt_tokens.saturating_add(bounds.output_tokens.saturating_mul(u64::from(bounds.answers)))
}

/// What the request says of work that is not counted in tokens.
pub fn facts(route: Route, frames: &[Bytes]) -> Option<Facts> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Members {
        n: Option<u32>,
        size: Option<Box<str>>,
        quality: Option<Box<str>>,
        input: Option<Value>,
    }
    let Route::Unified(endpoint) = route else { return None };
    if !matches!(endpoint, Endpoint::ImagesGenerations | Endpoint::AudioSpeech) {
        return None;
    }
    let members: Members = serde_json::from_slice(&joined(frames)).ok()?;
    let mut facts = Facts::default();
    if endpoint == Endpoint::AudioSpeech {
        facts.characters =
            members.input.as_ref().and_then(Value::as_str).map(|text| text.chars().count() as u64);
    } else {
        let (size, quality) = (members.size, members.quality);
        facts.images = Some(Images { count: members.n.unwrap_or(1), size, quality });
    }
    Some(facts)
}

fn answers_in_text(route: Route) -> bool {
    matches!(
        route,
        Route::Unified(
            Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Messages | Endpoint::Responses
        )
    )
}

/// What the request says about the length of its answers.
struct Asked<'a> {
    /// The service tier.
    tier: Option<&'a str>,
    output: Option<u64>,
    answers: u32,
}

impl<'a> Asked<'a> {
    fn of(peek: &'a Peek, target: &'a Target) -> Self {
        let params = |name: &str| target.override_params.as_deref().and_then(|params| params.get(name));
        let number = |name: &str, own: Option<u64>| match params(name) {
            Some(value) => value.as_u64(),
            None => own,
        };
        let output = number("max_completion_tokens", peek.max_completion_tokens)
            .or_else(|| number("max_tokens", peek.max_tokens))
            .or_else(|| number("max_output_tokens", peek.max_output_tokens));
        let answers = number("n", peek.n).and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
        let tier = match params("service_tier").or_else(|| params("speed")) {
            Some(value) => value.as_str(),
            None => peek.service_tier.as_deref(),
        };
        Self { tier, output, answers }
    }
}

fn joined(frames: &[Bytes]) -> Bytes {
    match frames {
        [one] => one.clone(),
        several => several.concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_pricing::{ModelName, Overrides, Prices};

    use super::*;

    #[test]
    fn the_longest_answer_that_fits_is_found() {
        let prices = Prices::new(Overrides::new());
        let name = ModelName { provider: "openai", asked: "gpt-4o", ..ModelName::default() };
        let found = prices.find(&name);
        // 2.50 and 10 USD per million tokens.
        let bounds = Bounds::text(1_000, 10_000);
        let usd = |text: &str| text.parse().unwrap();
        for (usd, tokens, want) in [
            (usd("0.1025"), 11_000, 10_000),
            (usd("0.0525"), 11_000, 5_000),
            (usd("0.0525099"), 11_000, 5_000),
            (usd("1"), 3_000, 2_000),
            (usd("0"), 0, LEAST_ANSWER),
        ] {
            let grant = Grant { usd, tokens: tidegate_ledger::Amount::tokens(tokens), lowered: true };
            assert_eq!(affordable(&found, &bounds, &grant, true), want, "{usd} {tokens}");
        }
        let route = Route::Unified(Endpoint::ChatCompletions);
        let least = least(&found, &bounds, route, true).unwrap();
        assert_eq!((least.cost.to_string(), least.tokens), ("0.00314".to_owned(), 1_064));
        assert!(super::least(&found, &Bounds::text(1, LEAST_ANSWER), route, true).is_none());
        assert!(super::least(&found, &bounds, Route::Unified(Endpoint::Embeddings), true).is_none());
    }

    #[test]
    fn facts_of_images_and_speech() {
        let of = |endpoint, body: &'static str| {
            facts(Route::Unified(endpoint), &[Bytes::from_static(body.as_bytes())])
        };
        let images =
            of(Endpoint::ImagesGenerations, r#"{"n":3,"size":"1024x1024"}"#).unwrap().images.unwrap();
        assert_eq!((images.count, images.size.as_deref()), (3, Some("1024x1024")));
        assert_eq!(of(Endpoint::AudioSpeech, r#"{"input":"abcé"}"#).unwrap().characters, Some(4));
        assert!(of(Endpoint::ChatCompletions, "{}").is_none());
    }
}
