use crate::{AnswerContext, DialectId, provider_dialect};

use tidegate_core::ServiceTier;

use super::*;

const OPENAI: &str = concat!(
    ": keep-alive\r\n\r\n",
    "data: {\"id\":\"c\",\"model\":\"gpt-x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"id\":\"c\",\"model\":\"gpt-x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"usage\\\":{ [DONE]\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"id\":\"c\",\"model\":\"gpt-x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
    "data: {\"id\":\"c\",\"model\":\"gpt-x\",\"choices\":[],\"usage\": {\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\n\n",
    "data: [DONE]\n\n",
);

const ANTHROPIC: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-x\",\"content\":[],\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"say message_stop\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":48}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

fn read(kind: TapKind, pieces: &[&str]) -> TapReport {
    let mut tap = Tap::new(kind);
    for piece in pieces {
        tap.push(&Bytes::copy_from_slice(piece.as_bytes()));
    }
    tap.end();
    tap.end();
    tap.report().clone()
}

fn tokens(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

#[test]
fn a_stream_is_read_however_it_is_cut() {
    let openai = TapReport {
        usage: Some(Usage { reported_total: Some(10), ..tokens(9, 1) }),
        model: Some("gpt-x".into()),
        finished: true,
        error: None,
        first_content: true,
    };
    let anthropic =
        TapReport { usage: Some(tokens(25, 48)), model: Some("claude-x".into()), ..openai.clone() };
    let crlf = OPENAI.replace('\n', "\r\n");
    let cases = [
        (TapKind::OpenAiStream, OPENAI, &openai),
        (TapKind::OpenAiStream, &crlf, &openai),
        (TapKind::AnthropicStream, ANTHROPIC, &anthropic),
    ];
    for (kind, text, expected) in cases {
        assert_eq!(&read(kind, &[text]), expected, "{text}");
        for cut in 0..text.len() {
            assert_eq!(&read(kind, &[&text[..cut], &text[cut..]]), expected, "cut at {cut} of {text}");
        }
        for size in [1, 2, 7, 50, 200] {
            let pieces: Vec<&str> =
                text.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
            assert_eq!(&read(kind, &pieces), expected, "pieces of {size} of {text}");
        }
    }
}

#[test]
fn the_report_is_live() {
    let mut tap = Tap::new(TapKind::OpenAiStream);
    let mut seen = Vec::new();
    for event in OPENAI.split_inclusive("\n\n") {
        tap.push(&Bytes::from(event));
        let report = tap.report();
        seen.push((report.model.is_some(), report.first_content, report.finished, report.usage.is_some()));
    }
    let expected = [
        (true, false, false, false), // the comment is in CRLF, so it comes with the role
        (true, true, false, false),
        (true, true, true, false),
        (true, true, true, true),
        (true, true, true, true),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn streams_that_do_not_end_well() {
    let head =
        "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}\n\n";
    let openai = |tail: &str| read(TapKind::OpenAiStream, &[head, tail]);
    assert!(!openai("").finished);
    assert!(!openai("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"\"}]}\n\n").finished);
    assert!(
        openai("data: {\"choices\":[{\"delta\":{},\"finish_reason\": \"stop\"}]}").finished,
        "no line end"
    );
    let failed =
        openai("data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":503}}\n\n");
    let error = TapError {
        message: "overloaded".into(),
        vendor_type: Some("server_error".into()),
        code: Some("503".into()),
    };
    assert_eq!((failed.finished, failed.error), (false, Some(error)));
    let failed = openai("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}\n\n");
    assert!(failed.error.is_some());

    let event = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let failed = read(TapKind::AnthropicStream, &[&ANTHROPIC[..ANTHROPIC.len() / 2], "\n\n", event]);
    assert!(!failed.finished);
    assert_eq!(failed.error.unwrap().vendor_type.as_deref(), Some("overloaded_error"));
}

#[test]
fn usage_in_the_places_vendors_put_it() {
    let usage = "{\"prompt_tokens\":3,\"completion_tokens\":4}";
    let cases = [
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}},\"usage\":{usage}}}]}}\n\n"),
        format!("data: {{\"choices\":[],\"x_groq\":{{\"usage\":{usage}}}}}\n\n"),
        format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":1}}}}\n\ndata: {{\"usage\":{usage}}}\n\n"
        ),
    ];
    for text in cases {
        assert_eq!(read(TapKind::OpenAiStream, &[&text]).usage, Some(tokens(3, 4)), "{text}");
    }
}

#[test]
fn an_event_too_long_to_keep_is_passed_over() {
    let piece = "x".repeat(100 * 1024);
    let mut pieces = vec!["data: {\"choices\":[{\"delta\":{\"content\":\""];
    pieces.extend([piece.as_str(); 3]);
    pieces.extend(["\"}}],\"model\":\"long\"}\n", "\n", OPENAI]);
    let report = read(TapKind::OpenAiStream, &pieces);
    assert_eq!(report.model.as_deref(), Some("gpt-x"), "the next event is read again");
    assert!(report.finished && report.usage.is_some());
}

#[test]
fn whole_bodies() {
    let openai = "{\"id\":\"c\",\"model\":\"gpt-x\",\"choices\":[{\"message\":{\"content\":\"\\\"usage\\\":{}\"},\"finish_reason\":\"stop\"}],\
        \"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1},\"service_tier\":\"default\"}\n";
    let anthropic = "{\"type\":\"message\",\"model\":\"claude-x\",\"content\":[{\"type\":\"tool_use\",\"input\":{\"usage\":{\"input_tokens\":7}}}],\
        \"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":25,\"output_tokens\":48}}";
    let report = |model: &str, usage| TapReport {
        usage: Some(usage),
        model: Some(model.into()),
        finished: true,
        error: None,
        first_content: true,
    };
    let cases = [
        (
            TapKind::OpenAiBody,
            openai,
            report("gpt-x", Usage { tier: Some(ServiceTier::Standard), ..tokens(9, 1) }),
        ),
        (TapKind::AnthropicBody, anthropic, report("claude-x", tokens(25, 48))),
    ];
    for (kind, text, expected) in cases {
        for cut in 0..text.len() {
            assert_eq!(read(kind, &[&text[..cut], &text[cut..]]), expected, "cut at {cut} of {text}");
        }
    }
}

/// The tap and the decoders read usage apart; they must agree on what it means.
#[test]
fn usage_is_what_the_dialects_decode() {
    let openai = [
        r#"{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}"#,
        r#"{"prompt_tokens":9.0,"completion_tokens":1.0,"prompt_tokens_details":[],"total_tokens":"x"}"#,
        r#"{"prompt_tokens":4,"total_tokens":4,"prompt_tokens_details":null}"#,
        r#"{"completion_tokens":3,"total_tokens":10}"#,
        r#"{"prompt_tokens":9,"completion_tokens":6,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2,"audio_tokens":1,"image_tokens":3},"completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":1,"image_tokens":1,"accepted_prediction_tokens":2,"rejected_prediction_tokens":1}}"#,
        r#"{"prompt_tokens":9,"completion_tokens":1,"prompt_cache_hit_tokens":8}"#,
        r#"{"prompt_tokens":9,"completion_tokens":1,"cached_tokens":8}"#,
        r#"{"prompt_tokens":1,"prompt_cache_hit_tokens":2}"#,
        r#"{"prompt_tokens":5,"completion_tokens":2,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":10}}"#,
        r#"{"prompt_tokens":5,"completion_tokens":20,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":10}}"#,
        r#"{"prompt_tokens":5,"completion_tokens":2,"reasoning_tokens":30,"num_search_queries":3}"#,
        r#"{"input_tokens":5,"output_tokens":7,"input_tokens_details":{"cached_tokens":2},"output_tokens_details":{"reasoning_tokens":3}}"#,
        r#"{"queue_time":0.1}"#,
    ];
    for usage in openai {
        let body = format!(
            "{{\"id\":\"c\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"a\"}},\"finish_reason\":\"stop\"}}],\"usage\":{usage}}}"
        );
        agrees(DialectId::OpenAi, TapKind::OpenAiBody, &body);
        let tiered = format!(
            "{},\"service_tier\":\"priority\",\"system_fingerprint\":null}}",
            &body[..body.len() - 1]
        );
        agrees(DialectId::OpenAi, TapKind::OpenAiBody, &tiered);
    }
    let anthropic = [
        r#"{"input_tokens":25,"output_tokens":48}"#,
        r#"{"input_tokens":25,"cache_creation_input_tokens":6,"cache_read_input_tokens":7,"output_tokens":48,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":4},"output_tokens_details":{"thinking_tokens":5},"server_tool_use":{"web_search_requests":2},"service_tier":"standard"}"#,
        r#"{"input_tokens":25,"output_tokens":48,"service_tier":"batch","speed":"standard"}"#,
        r#"{"input_tokens":25,"output_tokens":48,"service_tier":"standard","speed":"fast"}"#,
        r#"{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2,"iterations":[{"type":"message","input_tokens":10,"cache_read_input_tokens":3,"output_tokens":20},{"type":"compaction","input_tokens":5,"output_tokens":6},{"type":"advisor_message","input_tokens":100,"output_tokens":100}]}"#,
    ];
    for usage in anthropic {
        let body = format!(
            "{{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[{{\"type\":\"text\",\"text\":\"a\"}}],\"stop_reason\":\"end_turn\",\"usage\":{usage}}}"
        );
        agrees(DialectId::Anthropic, TapKind::AnthropicBody, &body);
    }
}

/// Where answers say it: beside OpenAI's usage, in Anthropic's, which says it once and counts on.
#[test]
fn the_tier_that_an_answer_was_served_in() {
    let openai =
        "{\"service_tier\":\"flex\",\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}";
    let tier = |kind, text: &str| read(kind, &[text]).usage.unwrap().tier;
    assert_eq!(tier(TapKind::OpenAiStream, &format!("data: {openai}\n\n")), Some(ServiceTier::Flex));
    let body = "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"service_tier\":\"priority\"}";
    assert_eq!(tier(TapKind::OpenAiBody, body), Some(ServiceTier::Priority));
    assert_eq!(tier(TapKind::OpenAiBody, &body.replace("priority", "platinum")), None);
    let anthropic = "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1,\"service_tier\":\"batch\"}}}\n\n\
        data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":2}}\n\n";
    assert_eq!(tier(TapKind::AnthropicStream, anthropic), Some(ServiceTier::Batch));
}

fn agrees(dialect: DialectId, kind: TapKind, body: &str) {
    let ctx = AnswerContext { provider: "p", model: "m", strict: false, include_usage: true, now_s: 0 };
    let decoded = provider_dialect(dialect).decode_chat(body.as_bytes(), &ctx).unwrap();
    assert_eq!(read(kind, &[body]).usage, decoded.usage, "{body}");
}

#[test]
fn odd_bodies() {
    let openai = |text: &str| read(TapKind::OpenAiBody, &[text]);
    let moved = "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"data\":[{\"usage\":{\"prompt_tokens\":5}}],\"model\":\"m\"}";
    assert_eq!((openai(moved).usage, openai(moved).model), (Some(tokens(1, 2)), Some("m".into())));
    let nested = "{\"choices\":[{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}]}";
    assert_eq!(openai(nested).usage, Some(tokens(1, 2)));
    let users_own = "{\"content\":[{\"input\":{\"usage\":{\"input_tokens\":7}}}]}";
    assert_eq!(read(TapKind::AnthropicBody, &[users_own]).usage, None);
    assert!(!openai("{\"choices\":[").finished);
    let failed = openai("{\"error\":{\"message\":\"no\",\"code\":402}}");
    assert_eq!(failed.error.unwrap().code.as_deref(), Some("402"));
    assert_eq!(openai("{\"error\":null,\"choices\":[]}").error, None);
    assert_eq!(openai(""), TapReport::default());
}

#[test]
fn a_long_body_is_not_kept() {
    let mut tap = Tap::new(TapKind::OpenAiBody);
    tap.push(&Bytes::from("{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\""));
    for _ in 0..100 {
        tap.push(&Bytes::from(vec![b'x'; 10_000]));
        let Reader::Body(body) = &tap.reader else { unreachable!() };
        assert!(body.kept() < 30_000, "{}", body.kept());
    }
    tap.push(&Bytes::from("\"}}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}"));
    tap.end();
    assert_eq!((tap.report().usage.clone(), tap.report().model.as_deref()), (Some(tokens(1, 2)), Some("m")));
}

#[test]
fn other_answers_are_only_watched_for_their_end() {
    let mut tap = Tap::new(TapKind::None);
    tap.push(&Bytes::from("RIFF"));
    assert!(tap.report().first_content && !tap.report().finished);
    tap.end();
    assert!(tap.report().finished);
}
