//! The reader of request bodies against a full JSON parser.

use bytes::Bytes;
use serde_json::Value;
use tidegate_dialect::peek::{PeekLimits, contains_word, peek, with_model};

use crate::pieces::cuts;

pub fn body(data: &[u8]) {
    let [whole, bytes, irregular] = cuts(data);
    let limits = PeekLimits::default();
    let found = peek(&whole, limits);
    assert_eq!(peek(&bytes, limits), found, "byte by byte");
    assert_eq!(peek(&irregular, limits), found, "in pieces");
    let word = contains_word(&whole, b"developer");
    assert_eq!(contains_word(&bytes, b"developer"), word);
    assert_eq!(contains_word(&irregular, b"developer"), word);

    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let found = match found {
        Ok(found) => found,
        // The only difference allowed: the same depth is counted to a bound that is one smaller there.
        Err(error) => panic!("valid JSON is refused: {error}"),
    };
    assert_eq!(found.valid_object, value.is_object());
    assert_eq!(found.model.as_deref(), value["model"].as_str());
    assert_eq!(found.user.as_deref(), value["user"].as_str());
    assert_eq!(found.stream, value["stream"].as_bool());
    assert_eq!(found.include_usage, value["stream_options"]["include_usage"].as_bool());
    for key in value.as_object().into_iter().flat_map(|members| members.keys()) {
        assert!(key.len() > 255 || found.keys.has(key));
    }
    if let Some(range) = found.model_range {
        let frames: Vec<Bytes> = irregular.iter().map(|piece| Bytes::copy_from_slice(piece)).collect();
        let replaced = with_model(&frames, range, "other \"model\"").concat();
        let replaced: Value = serde_json::from_slice(&replaced).expect("a body with another model is JSON");
        let mut expected = value;
        expected["model"] = "other \"model\"".into();
        assert_eq!(replaced, expected);
    }
}
