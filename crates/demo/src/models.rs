//! The list of models: one, and it does everything.

use crate::Reply;
use serde_json::json;

pub(crate) fn list() -> Reply {
    Reply::json(&json!({
        "object": "list",
        "data": [{"id": "echo", "object": "model", "created": 0, "owned_by": "tidegate"}],
    }))
}

#[cfg(test)]
mod tests {
    use crate::{Endpoint, answer};

    #[test]
    fn the_one_model_is_listed() {
        let reply = answer(Endpoint::Models, b"", 0);
        let body: serde_json::Value = serde_json::from_slice(&reply.chunks[0]).unwrap();
        assert_eq!((reply.status, body["data"][0]["id"].as_str()), (200, Some("echo")));
    }
}
