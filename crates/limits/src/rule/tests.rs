use serde_json::json;

use super::*;
use crate::testing::Chance;

fn requests(amount: u64, count: u32, period: Period) -> Rule {
    let span = Span::new(count, period).unwrap();
    Rule::requests(amount, Window { span, algorithm: Algorithm::Moving })
}

fn read(text: &str) -> Result<Vec<Rule>, String> {
    parse_text("LIMIT", text, Unit::Requests, Algorithm::Moving).map_err(|error| error.to_string())
}

#[test]
fn every_written_form_of_text() {
    use Period::*;
    for (text, rules) in [
        ("100/2minutes", vec![requests(100, 2, Minute)]),
        ("60/minute", vec![requests(60, 1, Minute)]),
        ("5/3second", vec![requests(5, 3, Second)]),
        ("60/minute;600/hour", vec![requests(60, 1, Minute), requests(600, 1, Hour)]),
        ("1/second, 2/day|3/month", vec![requests(1, 1, Second), requests(2, 1, Day), requests(3, 1, Month)]),
        ("1 per 10 seconds", vec![requests(1, 10, Second)]),
        ("10 per day", vec![requests(10, 1, Day)]),
        ("5 / minute", vec![requests(5, 1, Minute)]),
        ("1/90second", vec![requests(1, 90, Second)]),
        ("5 PER Minute", vec![requests(5, 1, Minute)]),
        ("7per3WEEKS", vec![requests(7, 3, Week)]),
        ("1/year", vec![requests(1, 1, Year)]),
        ("0/minute", vec![requests(0, 1, Minute)]),
        ("inf", vec![]),
        (" INFINITE ", vec![]),
    ] {
        assert_eq!(read(text), Ok(rules), "{text}");
    }
}

#[test]
fn text_that_is_no_rule_says_why() {
    for (text, problem) in [
        ("5/s", "`s` is no unit of time"),
        ("5/sec", "`sec` is no unit"),
        ("5/millisecond", "`millisecond` is no unit"),
        ("", "a rule is empty"),
        ("5/minute;", "a rule is empty"),
        ("banana", "`banana` does not begin with a count"),
        ("-5/minute", "does not begin with a count"),
        ("5", "has no `/` or `per`"),
        ("5 minutes", "has no `/` or `per`"),
        ("5/", "the unit of time is missing"),
        ("5/10", "the unit of time is missing"),
        ("5/0minutes", "a window of `0minutes` cannot be counted"),
        ("5/99999999999seconds", "cannot be counted"),
        ("5/11years", "cannot be counted"),
        ("5.5/minute", "has no `/` or `per`"),
        ("99999999999999999999/minute", "is too large"),
        ("5/minuteß", "is no unit of time"),
        ("5 pé", "has no `/` or `per`"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.starts_with("LIMIT: ") && error.contains(problem), "{text}: {error}");
        assert!(error.contains("; expected "), "{error}");
    }
}

#[test]
fn concurrency_is_a_bare_number() {
    let read = |text| parse_text("F", text, Unit::Concurrency, Algorithm::Moving);
    assert_eq!(read("8"), Ok(vec![Rule::concurrency(8)]));
    assert!(read("8/minute").is_err());
    assert!(read("eight").is_err());
}

#[test]
fn every_form_of_a_policy() {
    for (unit, period) in [
        ("rps", Period::Second),
        ("rpm", Period::Minute),
        ("rph", Period::Hour),
        ("rpd", Period::Day),
        ("rpw", Period::Week),
        ("minute", Period::Minute),
    ] {
        let window = Window { span: Span::one(period), algorithm: Algorithm::FixedOnTheClock };
        let of = |kind| json!({"type": kind, "unit": unit, "value": 7});
        assert_eq!(parse_policies("r", &of("requests")), Ok(vec![Rule::requests(7, window)]));
        assert_eq!(parse_policies("r", &of("tokens")), Ok(vec![Rule::tokens(7, window)]));
    }
    let several = json!([
        {"type": "requests", "unit": "rpm", "value": 0},
        {"type": "tokens", "unit": "2minutes", "value": 5, "algorithm": "token-bucket"},
        {"type": "concurrency", "value": 3, "unit": null},
    ]);
    let span = Span::new(2, Period::Minute).unwrap();
    let bucket = Window { span, algorithm: Algorithm::TokenBucket };
    assert_eq!(parse_policies("r", &several), Ok(vec![Rule::tokens(5, bucket), Rule::concurrency(3)]));
    assert_eq!(parse_policies("r", &json!(null)), Ok(vec![]));
    assert_eq!(parse_policies("r", &json!([])), Ok(vec![]));
}

#[test]
fn wrong_policies_name_the_member() {
    for (policy, message) in [
        (json!([{"type": "requests", "unit": "rpx", "value": 1}]), r#"r[0].unit: "rpx" is not accepted"#),
        (json!([{"type": "requests", "unit": "RPM", "value": 1}]), "r[0].unit: "),
        (json!([{"type": "requests", "value": 1}]), "r[0].unit: is missing"),
        (json!([{"type": "cost", "unit": "rpm", "value": 1}]), r#"r[0].type: "cost" is not accepted"#),
        (json!([{"unit": "rpm", "value": 1}]), "r[0].type: is missing"),
        (json!({"type": "tokens", "unit": "rpm"}), "r.value: is missing"),
        (json!({"type": "tokens", "unit": "rpm", "value": -1}), "r.value: -1 is not accepted"),
        (json!({"type": "tokens", "unit": "rpm", "value": 1.5}), "r.value: 1.5 is not accepted"),
        (json!({"type": "tokens", "unit": "rpm", "value": "9"}), r#"r.value: "9" is not accepted"#),
        (json!({"type": "tokens", "unit": "rpm", "value": u64::MAX}), "r.value: "),
        (json!({"type": "tokens", "unit": "rpm", "value": 1, "burst": 2}), "r.burst: is not a member"),
        (json!({"type": "tokens", "unit": "rpm", "value": 1, "algorithm": "leaky"}), "r.algorithm: `leaky`"),
        (json!({"type": "tokens", "unit": "rpm", "value": 1, "algorithm": 1}), "r.algorithm: 1 is not"),
        (json!({"type": "concurrency", "unit": "rpm", "value": 1}), "r.unit: concurrency is counted"),
        (json!(["rpm"]), r#"r[0]: "rpm" is not accepted"#),
        (json!("rpm"), r#"r: "rpm" is not accepted"#),
        (json!(vec![json!({}); 33]), "r: 33 rules are too many"),
    ] {
        let error = parse_policies("r", &policy).unwrap_err().to_string();
        assert!(error.starts_with(message), "{policy}: {error}");
    }
}

#[test]
fn a_rule_in_the_words_of_each_reference() {
    let minute = Window { span: Span::one(Period::Minute), algorithm: Algorithm::Moving };
    let two = Window { span: Span::new(2, Period::Minute).unwrap(), ..minute };
    let words = |rule: Rule| [rule.to_string(), rule.policy_words(), rule.forward_words()];
    assert_eq!(words(Rule::requests(5, minute)), ["5 requests per minute", "5 rpm", "5 per 1 minute"]);
    assert_eq!(words(Rule::tokens(5, two)), ["5 tokens per 2 minutes", "5 per 2 minutes", "5 per 2 minute"]);
    assert_eq!(words(Rule::concurrency(5)), ["5 requests at once", "5 concurrent", "5 concurrent"]);
}

#[test]
fn hostile_text_stays_out_of_messages() {
    let error = read(&format!("\u{1b}[31m{}", "x".repeat(10_000))).unwrap_err();
    assert!(error.len() < 400 && !error.contains('\u{1b}'), "{error}");
}

#[test]
fn no_text_is_too_odd() {
    const PIECES: [&str; 24] = [
        "1",
        "60",
        "0",
        "/",
        "per",
        "PE",
        " ",
        ";",
        ",",
        "|",
        "minute",
        "s",
        "2hours",
        "inf",
        "in",
        "é",
        "\u{212a}",
        "-",
        ".",
        "\0",
        "18446744073709551616",
        "week",
        "year",
        "ſecond",
    ];
    for seed in 0..20_000 {
        let chance = &mut Chance(seed);
        let text: String = (0..chance.below(8)).map(|_| chance.one_of(&PIECES)).collect();
        for unit in [Unit::Requests, Unit::Tokens, Unit::Concurrency] {
            let Ok(rules) = parse_text("F", &text, unit, Algorithm::Moving) else { continue };
            for rule in rules {
                assert!(rule.unit() == unit && rule.amount() <= Rule::MAX_AMOUNT, "{text}");
                assert!(
                    rule.window().is_none_or(|window| (1_000..=Span::MAX_MS).contains(&window.span.ms()))
                );
                let written = rule.forward_words().replace(" concurrent", "");
                assert_eq!(parse_text("F", &written, unit, Algorithm::Moving), Ok(vec![rule]), "{text}");
            }
        }
    }
}
