//! Recorded requests of each client dialect, as each provider dialect gets them.

use std::fs;

use serde_json::Value;
use tidegate_core::ApiError;
use tidegate_dialect::anthropic_messages::Anthropic;
use tidegate_dialect::openai_chat::{Completions, OpenAi};
use tidegate_dialect::{Adjust, ClientDialect, DialectId, EncodeContext, provider_dialect};

use super::snapshots::Snapshots;
use super::{FOLDERS, files, fixtures};

#[test]
fn requests_of_every_client_for_every_provider() {
    for folder in ["openai", "anthropic"] {
        let mut snapshots = Snapshots::new(fixtures(folder).join("snapshots"), "request-");
        let requests = fixtures(folder).join("requests");
        let names = files(&requests);
        assert!(names.len() > 5, "only {} requests in {}", names.len(), requests.display());
        for file in names {
            let client: &dyn ClientDialect = match folder {
                "anthropic" => &Anthropic,
                _ if file.starts_with("completions-") => &Completions,
                _ => &OpenAi,
            };
            let body = fs::read(requests.join(&file)).unwrap();
            snapshots.check(&file, &for_every_provider(client, &body));
        }
        snapshots.finish();
    }
}

fn for_every_provider(client: &dyn ClientDialect, body: &[u8]) -> String {
    let request = match client.decode_chat(body) {
        Ok(request) => request,
        Err(error) => return format!("=== refused\n{}\n", refused(&error)),
    };
    let mut text = String::new();
    for warning in &request.warnings {
        text.push_str(&format!("{} {}\n", warning.verdict.as_str(), warning.param));
    }
    let adjust = Adjust::default();
    for (provider, dialect) in FOLDERS {
        let ctx = EncodeContext { provider, adjust: &adjust, max_output_tokens: Some(8_192) };
        let written = match provider_dialect(dialect).encode_chat(&request, &ctx) {
            Ok(encoded) => {
                let body: Value = serde_json::from_slice(&encoded.body).unwrap();
                let warnings = encoded.warnings.header_value();
                format!("warnings: {warnings}\n{}", serde_json::to_string_pretty(&body).unwrap())
            }
            Err(error) => refused(&error),
        };
        text.push_str(&format!("=== {provider} ({})\n{}\n", name_of(dialect), written.trim_end()));
    }
    text
}

fn name_of(dialect: DialectId) -> &'static str {
    match dialect {
        DialectId::OpenAi => "chat completions",
        DialectId::Anthropic => "messages",
        DialectId::Gemini => "generateContent",
        DialectId::Cohere => "v2 chat",
        DialectId::Ollama => "api chat",
    }
}

fn refused(error: &ApiError) -> String {
    let param = error.param.as_deref().unwrap_or("-");
    format!("HTTP {} {param}: {}", error.status, error.message)
}
