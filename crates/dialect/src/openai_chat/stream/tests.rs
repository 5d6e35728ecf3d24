//! Streams as vendors send them (`fixtures/openai`), read into events.

use super::Decoder;
use crate::chat::{FinishReason, Part, StreamEvent};
use crate::fixtures::Fixtures;
use crate::{AnswerContext, DialectId, StreamDecoder};

const CTX: AnswerContext<'_> =
    AnswerContext { provider: "test", model: "m", strict: true, include_usage: true, now_s: 0 };

fn fixtures() -> Fixtures {
    Fixtures::of(DialectId::OpenAi, "openai")
}

/// The events of a stream in short: `+` starts, `"…"` text, `~…` reasoning, `f(…)` calls, `.` ends.
fn outline(file: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for event in fixtures().events(file) {
        words.push(match event {
            StreamEvent::Start { .. } => "+".to_owned(),
            StreamEvent::Text { choice: 0, text } => format!("{text:?}"),
            StreamEvent::Text { choice, text } => format!("{choice}:{text:?}"),
            StreamEvent::Refusal { text, .. } => format!("!{text:?}"),
            StreamEvent::Reasoning { text, .. } => format!("~{text:?}"),
            StreamEvent::ReasoningSignature { signature, .. } => format!("~={signature}"),
            StreamEvent::RedactedReasoning { data, .. } => format!("~#{data}"),
            StreamEvent::ToolCallStart { index, id, name, signature, .. } => {
                let signature = signature.map(|signature| format!("={signature}")).unwrap_or_default();
                format!("{index}:{id}:{name}{signature}")
            }
            StreamEvent::ToolCallArguments { index, fragment, .. } => format!("{index}({fragment})"),
            StreamEvent::Logprobs { .. } => "logprobs".to_owned(),
            StreamEvent::Annotation { .. } => "annotation".to_owned(),
            StreamEvent::Part { part: Part::Audio(audio), .. } => {
                format!("audio {} {}", audio.data, audio.transcript.unwrap_or_default())
            }
            StreamEvent::Part { .. } => "part".to_owned(),
            StreamEvent::Extra { choice, extra } => {
                let names: Vec<&str> = extra.keys().map(String::as_str).collect();
                format!("{}{}", if choice.is_some() { "@" } else { "@@" }, names.join(","))
            }
            StreamEvent::Finish { choice, finish } => {
                format!("{choice}.{:?}/{}", finish.reason, finish.raw.unwrap_or_default())
            }
            StreamEvent::Usage(usage) => format!("{}>{}", usage.prompt(), usage.output),
            StreamEvent::Warning(warning) => format!("?{}", warning.param),
            StreamEvent::Ping => "ping".to_owned(),
            StreamEvent::Error(error) => format!("ERROR {} {:?} {}", error.status, error.kind, error.message),
            StreamEvent::End => ".".to_owned(),
        });
    }
    words.join(" ")
}

#[test]
fn splits_do_not_matter() {
    fixtures().assert_splits_do_not_matter();
}

#[test]
fn what_comes_before_a_body_does_not_matter() {
    fixtures().assert_what_comes_before_does_not_matter();
}

#[test]
fn streams_fold_to_the_plain_answers() {
    fixtures().assert_streams_fold_to_the_plain_answers();
}

#[test]
fn streams_keep_to_the_grammar() {
    fixtures().assert_grammar();
}

#[test]
fn streams_of_the_reference() {
    for (file, want) in [
        ("refusal.sse", r#"+ !"I cannot " !"help with that." 9>6 0.Stop/stop ."#),
        (
            "tool.sse",
            r#"+ 0:call_a1:tide 0({"port":) 0("Brest","day") 0(:"today"}) 50>12 0.ToolCalls/tool_calls ."#,
        ),
        ("two-choices.sse", r#"+ "Eb" 1:"Fl" "b." 1:"ow." 5>4 0.Stop/stop 1.Length/length ."#),
    ] {
        assert_eq!(outline(file), want, "{file}");
    }
}

#[test]
fn ways_in_which_vendors_differ() {
    for (file, want) in [
        (
            "tools-without-index.sse",
            r#"+ 0:call_b1:tide 0({"port":"Brest"}) 1:call_b2:wind 1({}) 0.ToolCalls/tool_calls ."#,
        ),
        (
            "tools-all-index-zero.sse",
            r#"+ 0:call_b1:tide 0({"port":"Brest"}) 1:call_b2:wind 1({}) 0.ToolCalls/stop ."#,
        ),
        ("tools-object-arguments.sse", r#"+ 0:call_b1:tide 0({"port":"Brest"}) 0.ToolCalls/tool_calls ."#),
        ("tools-id-repeated.sse", r#"+ 0:call_b1:tide 0({"port":) 0("Brest"}) 0.ToolCalls/tool_calls ."#),
        ("tools-stop-reason.sse", "+ 0:call_b1:tide 0({}) 0.ToolCalls/stop ."),
        ("tools-google-signature.sse", "+ 0:function-call-1:tide=CuQBAb4+ 0({}) 0.ToolCalls/stop ."),
        ("finish-empty-string.sse", r#"+ "Ebb" "." 0.Stop/stop ."#),
        ("finish-with-content.sse", r#"+ "Ebb." 0.Stop/eos ."#),
        ("no-done.sse", r#"+ "Ebb." 0.Stop/stop ."#),
        ("done-without-finish.sse", r#"+ "Ebb." 0.Stop/ ."#),
        ("role-in-every-chunk.sse", r#"+ "Ebb" "." 0.Stop/stop ."#),
        ("choices-absent.sse", r#"+ "Ebb." 3>2 0.Stop/stop ."#),
        ("moonshot-usage-in-choice.sse", r#"+ "Ebb." 3>2 0.Stop/stop ."#),
        ("deepseek-starved-late.sse", r#"+ "Eb" 0.Length/insufficient_system_resource ."#),
        ("no-blank-lines.sse", r#"+ "Ebb." 0.Stop/stop ."#),
        ("no-space-after-colon.sse", r#"+ "Ebb." 0.Stop/stop ."#),
        ("json-instead.sse", r#"+ "Ebb." 0.Stop/stop 5>2 ."#),
        ("portkey-content-blocks.sse", r#"+ ~"Moon sets." ~=EqQBsig== "Ebb." 0.Stop/end_turn ."#),
        ("together-text.sse", r#"+ "Ebb." @token_id @seed 0.Stop/eos ."#),
        ("vllm-nulls.sse", r#"+ "Ebb." 0.Stop/stop ."#),
        ("audio.sse", "+ audio  Eb audio UklG  audio RgAA b. audio   0.Stop/stop ."),
        (
            "azure-async-filter.sse",
            "+ @@prompt_filter_results \"Ebb and\" @content_filter_offsets,content_filter_results 5>2 \
             0.ContentFilter/content_filter .",
        ),
        (
            "perplexity-citations.sse",
            "+ \"High at \" @@citations,search_results 5>3 \"noon[1].\" 5>7 0.Stop/stop .",
        ),
        ("groq-reasoning.sse", "+ ~\"Between ebb\" @@x_groq ~\" and flow.\" \"Slack.\" 12>5 0.Stop/stop ."),
    ] {
        assert_eq!(outline(file), want, "{file}");
    }
}

#[test]
fn failures_are_errors_and_nothing_follows() {
    for (file, want) in [
        (
            "cut-short.sse",
            r#"+ "Ebb" ERROR 502 UpstreamBroken test's stream ended before the answer was complete"#,
        ),
        ("error-mid-stream.sse", r#"+ "Ebb" ERROR 502 UpstreamBroken The server had an error"#),
        ("error-first.sse", "ERROR 429 RateLimit Rate limit reached, please try again in 6s"),
        ("openrouter-error-finish.sse", "+ ERROR 502 UpstreamBroken Provider disconnected"),
        (
            "deepseek-starved.sse",
            "+ ERROR 503 Overloaded the provider ran out of resources before it answered",
        ),
        ("mistral-error-object.sse", "+ ERROR 503 Overloaded Service unavailable."),
        ("not-json.sse", "+ ERROR 502 UpstreamBroken test sent an event that is not a JSON object"),
        (
            "html-instead.sse",
            "ERROR 502 UpstreamBroken test answered with an HTML page instead of a completion",
        ),
        ("json-error-instead.sse", "ERROR 503 Overloaded overloaded"),
    ] {
        assert_eq!(outline(file), want, "{file}");
    }
}

/// Wherever the connection breaks, the client hears of an end: a clean one only after a reason to finish.
#[test]
fn streams_cut_anywhere_end() {
    for file in
        ["text.sse", "parallel-tools.sse", "azure-filter.sse", "json-instead.sse", "no-blank-lines.sse"]
    {
        let path = format!("{}/fixtures/openai/{file}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(path).unwrap();
        for cut in (0..bytes.len()).step_by(7) {
            let mut decoder = Decoder::new(&CTX);
            let mut events = Vec::new();
            decoder.push(&bytes[..cut], &mut events);
            decoder.finish(&mut events);
            let finished = events.iter().any(|event| matches!(event, StreamEvent::Finish { .. }));
            match events.last() {
                Some(StreamEvent::End) => assert!(finished, "{file}, cut at {cut}"),
                Some(StreamEvent::Error(_)) => assert!(!finished, "{file}, cut at {cut}"),
                other => panic!("{file}, cut at {cut}: {other:?}"),
            }
        }
    }
}

#[test]
fn answers_without_bounds_are_errors() {
    let choice = |index: usize| format!(r#"{{"index":{index},"delta":{{"content":"a"}}}}"#);
    let call = |index: usize| format!(r#"{{"index":{index},"function":{{"name":"f"}}}}"#);
    let list = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<Vec<_>>().join(",");
    for (data, want) in [
        (format!(r#"{{"choices":[{}]}}"#, list(129, &choice)), "test sent too many choices in one answer"),
        (
            format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{}]}}}}]}}"#, list(1_025, &call)),
            "test sent too many tool calls in one answer",
        ),
    ] {
        let mut decoder = Decoder::new(&CTX);
        let mut events = Vec::new();
        decoder.push(format!("data: {data}\n\n").as_bytes(), &mut events);
        let Some(StreamEvent::Error(error)) = events.last() else { panic!("{want}") };
        assert_eq!(error.message, want);
    }
}

/// What cannot be framed behind the end, in the bytes that brought the end, is not read.
#[test]
fn nothing_follows_the_end() {
    let mut bytes = b"data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n:".to_vec();
    bytes.resize(bytes.len() + 2 * crate::framing::MAX_FRAME, b'x');
    let mut decoder = Decoder::new(&CTX);
    let mut events = Vec::new();
    decoder.push(&bytes, &mut events);
    assert_eq!(events.last(), Some(&StreamEvent::End));
}

#[test]
fn hints_inside_error_events_are_kept() {
    let [StreamEvent::Error(error)] = &fixtures().events("error-first.sse")[..] else { panic!() };
    assert_eq!(error.retry_after_ms, Some(6_000));
}

#[test]
fn events_behind_a_plain_request_are_read() {
    let body = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/openai/text.sse")).unwrap();
    let ctx =
        crate::AnswerContext { provider: "test", model: "m", strict: true, include_usage: true, now_s: 0 };
    let answer = super::super::response::read(&body, &ctx).unwrap();
    assert_eq!(answer.choices[0].finish.as_ref().unwrap().reason, FinishReason::Stop);
}
