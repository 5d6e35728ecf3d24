//! The console, where the gateway takes it from.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response};
use tidegate_gateway::control::Console;

/// The pages inside the binary.
#[derive(Debug)]
pub struct Built;

impl Console for Built {
    fn serve(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Bytes> {
        tidegate_console::serve(method, path, headers)
    }

    fn instead_of_greeting(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        tidegate_console::wants_page(headers).then_some(HeaderValue::from_static(tidegate_console::ROOT))
    }
}
