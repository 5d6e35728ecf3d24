//! Requests of clients: refused with the member at fault, or written for every provider as JSON.

use serde_json::Value;
use tidegate_dialect::{
    Adjust, ClientDialect, EncodeContext, anthropic_messages, openai_chat, provider_dialect,
};

use crate::error::DIALECTS;

pub fn openai(body: &[u8]) {
    any(&openai_chat::OpenAi, body);
}

pub fn anthropic(body: &[u8]) {
    any(&anthropic_messages::Anthropic, body);
}

fn any(client: &dyn ClientDialect, body: &[u8]) {
    let request = match client.decode_chat(body) {
        Ok(request) => request,
        Err(error) => {
            assert!((400..500).contains(&error.status) && !error.message.is_empty(), "{error:?}");
            return;
        }
    };
    for adjust in [Adjust::default(), difficult()] {
        let context = EncodeContext { provider: "fuzz", adjust: &adjust, max_output_tokens: Some(4_096) };
        for dialect in DIALECTS {
            match provider_dialect(dialect).encode_chat(&request, &context) {
                Ok(encoded) => {
                    let value: Value = serde_json::from_slice(&encoded.body).expect("a request is JSON");
                    assert!(value.is_object());
                    assert!(encoded.warnings.header_value().is_ascii());
                }
                Err(error) => assert!(!error.message.is_empty()),
            }
        }
    }
}

/// A vendor that differs in everything.
fn difficult() -> Adjust {
    Adjust {
        rename: vec![("max_completion_tokens".into(), "max_tokens".into())],
        drop: vec!["logit_bias".into(), "seed".into()],
        clamp: vec![("temperature".into(), 0.0, 1.0)],
        developer_to_system: true,
        tool_choice_required: Some("any".into()),
        stop_as_list: true,
        ..Adjust::default()
    }
}
