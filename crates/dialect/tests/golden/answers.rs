//! Recorded answers and streams of each provider dialect, as each client dialect shows them.

use std::fs;

use serde_json::Value;
use tidegate_core::ApiError;
use tidegate_dialect::anthropic_messages::Anthropic;
use tidegate_dialect::openai_chat::{Completions, OpenAi};
use tidegate_dialect::{AnswerContext, ClientDialect, DialectId, provider_dialect};

use super::snapshots::Snapshots;
use super::{FOLDERS, files, fixtures};

const CLIENTS: [(&str, &dyn ClientDialect, bool); 4] = [
    ("openai", &OpenAi, true),
    ("openai, not strict", &OpenAi, false),
    ("completions", &Completions, true),
    ("anthropic", &Anthropic, true),
];

#[test]
fn answers_of_every_provider_for_every_client() {
    for (folder, dialect) in FOLDERS {
        let mut snapshots = Snapshots::new(fixtures(folder).join("snapshots"), "");
        for file in files(&fixtures(folder)) {
            let body = fs::read(fixtures(folder).join(&file)).unwrap();
            let mut text = String::new();
            for (name, client, strict) in CLIENTS {
                let ctx = context(folder, strict);
                let shown = if file.ends_with(".json") {
                    plain(dialect, &body, client, &ctx)
                } else {
                    streamed(dialect, &body, client, &ctx)
                };
                text.push_str(&format!("=== {name}\n{}\n", hide_made_ids(shown.trim_end())));
            }
            snapshots.check(&file, &text);
        }
        snapshots.finish();
    }
}

fn context(provider: &'static str, strict: bool) -> AnswerContext<'static> {
    AnswerContext { provider, model: "asked-for", strict, include_usage: true, now_s: 1_760_000_000 }
}

fn plain(dialect: DialectId, body: &[u8], client: &dyn ClientDialect, ctx: &AnswerContext<'_>) -> String {
    match provider_dialect(dialect).decode_chat(body, ctx) {
        Ok(answer) => pretty(&serde_json::from_slice(&client.encode_chat(&answer, ctx)).unwrap()),
        Err(error) => refused(client, &error, ctx.provider),
    }
}

fn streamed(dialect: DialectId, body: &[u8], client: &dyn ClientDialect, ctx: &AnswerContext<'_>) -> String {
    let mut decoder = provider_dialect(dialect).chat_stream(ctx);
    let mut events = Vec::new();
    decoder.push(body, &mut events);
    decoder.finish(&mut events);
    let mut encoder = client.chat_stream(ctx);
    let mut out = Vec::new();
    for event in &events {
        encoder.push(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn refused(client: &dyn ClientDialect, error: &ApiError, provider: &str) -> String {
    let body = client.encode_error(error, Some(provider));
    format!("HTTP {}\n{}", client.error_status(error), pretty(&body))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// Ids that the gateway makes up differ from run to run: a known prefix and 24 letters and digits.
fn hide_made_ids(text: &str) -> String {
    let mut hidden = text.to_owned();
    for prefix in ["chatcmpl-", "cmpl-", "msg_", "call_", "toolu_"] {
        let quoted = format!("\"{prefix}");
        let mut from = 0;
        while let Some(found) = hidden[from..].find(&quoted) {
            let start = from + found + quoted.len();
            let length = hidden[start..].bytes().take_while(u8::is_ascii_alphanumeric).count();
            if length == 24 {
                hidden.replace_range(start..start + length, "*");
            }
            from = start;
        }
    }
    hidden
}
