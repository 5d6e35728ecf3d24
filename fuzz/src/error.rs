//! Error answers of providers: any bytes become an error that each client can be told. An input is read with one status,
//! which depends on its bytes: with all of them, runs are five times as slow.

use serde_json::Value;
use tidegate_dialect::{ClientDialect, DialectId, provider_dialect};

use crate::answer::{CLIENTS, events_of};

pub const DIALECTS: [DialectId; 5] =
    [DialectId::OpenAi, DialectId::Anthropic, DialectId::Gemini, DialectId::Cohere, DialectId::Ollama];

const STATUSES: [u16; 7] = [400, 401, 404, 429, 500, 503, 529];

pub fn any(body: &[u8]) {
    let status = STATUSES[body.iter().map(|byte| usize::from(*byte)).sum::<usize>() % STATUSES.len()];
    for dialect in DIALECTS {
        let error = provider_dialect(dialect).decode_error(status, body);
        assert!(!error.message.is_empty(), "{dialect:?} {status} has no message");
        for client in CLIENTS {
            told(client, &error);
        }
    }
}

fn told(client: &dyn ClientDialect, error: &tidegate_core::ApiError) {
    assert!((400..600).contains(&client.error_status(error)), "{error:?}");
    assert!(client.encode_error(error, Some("fuzz")).is_object());
    let events = events_of(&client.error_event(error, Some("fuzz")));
    let data = events.first().expect("an error event has data");
    serde_json::from_slice::<Value>(data).expect("an error event is JSON");
}
