//! What browsers get.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LOCATION,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use tidegate_console::{serve, wants_page};

fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
}

fn get(path: &str, pairs: &[(HeaderName, &str)]) -> Response<Bytes> {
    serve(&Method::GET, path, &headers(pairs))
}

fn text(response: &Response<Bytes>) -> &str {
    std::str::from_utf8(response.body()).unwrap()
}

#[test]
fn every_address_shows_the_page() {
    for path in ["/console/", "/console/sign-in", "/console/w/ws-default/logs/0ca8831c-92c0"] {
        let page = get(path, &[]);
        assert_eq!(page.status(), StatusCode::OK, "{path}");
        assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(page.headers()[CACHE_CONTROL], "no-cache");
        assert!(text(&page).contains("<div id=\"root\"></div>"), "{path}");
    }
    let bare = get("/console", &[]);
    assert_eq!(
        (bare.status(), bare.headers()[LOCATION].to_str().unwrap()),
        (StatusCode::PERMANENT_REDIRECT, "/console/")
    );
}

#[test]
fn files_with_a_hash_are_kept_for_ever_and_missing_ones_are_missing() {
    let page = get("/console/", &[]);
    let script =
        text(&page).split('"').find(|part| part.starts_with("/console/assets/") && part.ends_with(".js"));
    let script = get(script.unwrap(), &[(ACCEPT_ENCODING, "br, gzip")]);
    assert_eq!(script.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert!(script.headers()[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert_eq!(script.headers()[CONTENT_ENCODING], "gzip");
    assert_eq!(script.body()[..2], [0x1f, 0x8b]);
    assert_eq!(get("/console/assets/gone-12345678.js", &[]).status(), StatusCode::NOT_FOUND);
    // A path is a name in a table, not a place on a disk.
    assert!(text(&get("/console/../../etc/passwd", &[])).contains("<div id=\"root\">"));
}

#[test]
fn clients_without_gzip_get_it_plain() {
    for refused in ["", "br", "gzip;q=0", "identity"] {
        let icon = get("/console/icon.svg", &[(ACCEPT_ENCODING, refused)]);
        assert!(icon.headers().get(CONTENT_ENCODING).is_none(), "{refused}");
        assert!(text(&icon).starts_with("<svg"), "{refused}");
    }
}

#[test]
fn what_is_known_is_not_sent_again() {
    let page = get("/console/", &[]);
    let again = get("/console/", &[(IF_NONE_MATCH, page.headers()[ETAG].to_str().unwrap())]);
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(again.body().is_empty());
    let head = serve(&Method::HEAD, "/console/", &HeaderMap::new());
    assert!(head.status() == StatusCode::OK && head.body().is_empty());
}

/// Nothing that stands in a page is run.
#[test]
fn the_policy_allows_nothing_inline_and_the_page_has_nothing_inline() {
    let page = get("/console/", &[]);
    let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = text(&page);
    assert!(!page.contains("<style") && !page.contains("style="), "{page}");
    assert!(page.split("<script").skip(1).all(|script| script.contains("src=\"/console/")), "{page}");
}

#[test]
fn browsers_are_told_from_programs() {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    assert!(wants_page(&headers(&[(ACCEPT, browser)])));
    for program in ["*/*", "application/json", "text/plain"] {
        assert!(!wants_page(&headers(&[(ACCEPT, program)])), "{program}");
    }
    assert!(!wants_page(&HeaderMap::new()));
}
