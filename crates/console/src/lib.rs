//! The console: the pages in `console/`, built and compressed, inside the binary. No I/O and no state.
//!
//! `dist/` is made by `npm run build` in `console/` and is part of the repository, so that building the gateway takes
//! no Node. A test says when it is not made from the sources that stand beside it.

mod files;
mod reply;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};

/// Where the console is.
pub const ROOT: &str = "/console/";

/// Answers `GET` and `HEAD` of a path that is `/console` or begins with [`ROOT`].
///
/// Files that carry a hash in their name may be kept for ever. Every path that is no file is the page itself, which reads
/// its address; under `assets/` there are only files.
pub fn serve(method: &Method, path: &str, headers: &HeaderMap) -> Response<Bytes> {
    let mut response = match path.strip_prefix(ROOT) {
        None => reply::to_root(),
        Some(name) => reply::of(name, headers),
    };
    if *method == Method::HEAD {
        response.body_mut().clear();
    }
    response
}

/// Whether whoever sent these headers is a browser that wants a page.
pub fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(http::header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|text| text.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}
