//! What a server needs: a request's head from bytes, an answer's head as bytes.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, StatusCode, Uri, Version};

use crate::body::Framing;
use crate::send::Length;
use crate::server::{Bad, Incoming};
use crate::{Malformed, fields};

/// Fields of a request that are read.
const MAX_FIELDS: usize = 128;

/// The head of a request, and what follows from it.
#[derive(Debug)]
pub struct Head {
    /// On the heap, because it passes through many hands. Without its body as yet.
    pub request: Box<Request<Incoming>>,
    pub framing: Framing,
    pub is_kept: bool,
    /// The client sends its body when it is told to.
    pub awaits_continue: bool,
}

/// Takes a head of at most `max_bytes` from the front of `bytes`. `None` when it is not whole yet.
///
/// # Errors
/// The bytes are no request, or one that is not taken.
pub fn parse(bytes: &mut Bytes, max_bytes: usize) -> Result<Option<Head>, Bad> {
    // Some clients end a body with a line break too many.
    while bytes.first().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
        let _ = bytes.split_to(1);
    }
    let mut slots = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut []);
    let len = match parsed.parse_with_uninit_headers(bytes, &mut slots) {
        Ok(httparse::Status::Complete(len)) if len <= max_bytes => len,
        Ok(httparse::Status::Partial) if bytes.len() <= max_bytes => return Ok(None),
        Ok(_) => return Err(Bad::TooLarge),
        Err(httparse::Error::TooManyHeaders) => return Err(Bad::TooLarge),
        Err(httparse::Error::Version) => return Err(Bad::Version),
        Err(_) => return Err(Bad::Malformed),
    };
    let malformed = |_| Bad::Malformed;
    let method = parsed.method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let target = parsed.path.unwrap_or_default();
    let uri = Uri::from_maybe_shared(bytes.slice_ref(target.as_bytes())).map_err(|_| Bad::Malformed)?;
    let headers = fields::collect(parsed.headers, bytes).map_err(malformed)?;
    let is_http11 = parsed.version == Some(1);
    let _ = bytes.split_to(len);
    let framing = framing(&headers, is_http11).map_err(malformed)?;
    let head = Head {
        framing,
        is_kept: fields::is_kept(&headers, is_http11),
        awaits_continue: is_http11
            && headers
                .get(EXPECT)
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")),
        request: request(method.ok_or(Bad::Malformed)?, uri, headers, is_http11),
    };
    Ok(Some(head))
}

fn request(method: Method, uri: Uri, headers: HeaderMap, is_http11: bool) -> Box<Request<Incoming>> {
    let mut request = Box::new(Request::new(Incoming::none()));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    *request.version_mut() = if is_http11 { Version::HTTP_11 } else { Version::HTTP_10 };
    request
}

/// RFC 9112, section 6.3. A request that says its length in two ways is how one is smuggled past a proxy: it is refused.
fn framing(headers: &HeaderMap, is_http11: bool) -> Result<Framing, Malformed> {
    let length = fields::content_length(headers)?;
    match (fields::is_chunked(headers), length) {
        (None, length) => Ok(Framing::Length(length.unwrap_or(0))),
        (Some(true), None) if is_http11 && headers.get_all(TRANSFER_ENCODING).iter().count() == 1 => {
            // Any coding beside it would have to be undone, and nobody sends one.
            let coding = headers.get(TRANSFER_ENCODING).map(|value| value.as_bytes().trim_ascii());
            if coding.is_some_and(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
                Ok(Framing::Chunked)
            } else {
                Err(Malformed)
            }
        }
        (Some(_), _) => Err(Malformed),
    }
}

/// How an answer is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// The request was HEAD: what a body would be is said, and none is sent.
    pub is_head: bool,
    pub is_http11: bool,
    /// The connection goes on after it.
    pub is_kept: bool,
}

/// An answer, ready to be sent.
#[derive(Debug)]
pub struct Encoded {
    pub head: BytesMut,
    pub length: Length,
    /// The body is sent.
    pub has_body: bool,
    /// The connection can go on after it.
    pub is_kept: bool,
}

/// `more` are fields as they go out; `exact` is the body's length where it is known.
pub fn encode(
    status: StatusCode,
    headers: &HeaderMap,
    more: &[u8],
    exact: Option<u64>,
    manner: Manner,
) -> Encoded {
    let has_no_body = status.is_informational() || matches!(status.as_u16(), 204 | 304);
    let length = match exact {
        _ if has_no_body => Length::Unsaid,
        Some(bytes) => Length::Exact(bytes),
        None if manner.is_http11 => Length::Chunked,
        None => Length::Unsaid,
    };
    let ends_with_connection = length == Length::Unsaid && !has_no_body && !manner.is_head;
    let is_kept = manner.is_kept && !ends_with_connection;
    let mut head = BytesMut::with_capacity(fields::size(headers) + more.len() + 160);
    head.put_slice(b"HTTP/1.1 ");
    head.put_slice(status.as_str().as_bytes());
    head.put_u8(b' ');
    head.put_slice(status.canonical_reason().unwrap_or("-").as_bytes());
    head.put_slice(b"\r\n");
    // Of a body that is not sent, the service may know the length.
    let says_length = manner.is_head || status == StatusCode::NOT_MODIFIED;
    for (name, value) in headers {
        let is_framing = *name == CONTENT_LENGTH && !says_length;
        if !is_framing && *name != TRANSFER_ENCODING && *name != CONNECTION {
            fields::put(&mut head, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    head.put_slice(more);
    match length {
        Length::Exact(_) if says_length && headers.contains_key(CONTENT_LENGTH) => {}
        Length::Exact(bytes) => fields::put_length(&mut head, bytes),
        Length::Chunked if !manner.is_head => fields::put(&mut head, b"transfer-encoding", b"chunked"),
        Length::Chunked | Length::Unsaid => {}
    }
    match (is_kept, manner.is_http11) {
        (false, _) => fields::put(&mut head, b"connection", b"close"),
        (true, false) => fields::put(&mut head, b"connection", b"keep-alive"),
        (true, true) => {}
    }
    if !headers.contains_key(DATE) {
        put_date(&mut head);
    }
    head.put_slice(b"\r\n");
    let has_body = !has_no_body && !manner.is_head && exact != Some(0);
    Encoded { head, length, has_body, is_kept }
}

/// The date changes once a second, and is written as often as answers are.
#[expect(clippy::disallowed_methods, reason = "a header for people and caches; nothing is decided by it")]
fn put_date(head: &mut BytesMut) {
    thread_local! {
        static LAST: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let now = std::time::SystemTime::now();
    let second = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    LAST.with_borrow_mut(|(last, text)| {
        if *last != second || text.is_empty() {
            (*last, *text) = (second, httpdate::fmt_http_date(now));
        }
        fields::put(head, b"date", text.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parsed(text: &str) -> Result<Option<(Head, String)>, Bad> {
        let mut bytes = Bytes::copy_from_slice(text.as_bytes());
        Ok(parse(&mut bytes, 8192)?.map(|head| (head, String::from_utf8_lossy(&bytes).into_owned())))
    }

    #[test]
    fn a_head_says_how_its_body_ends() {
        let cases = [
            ("", Framing::Length(0)),
            ("content-length: 5\r\n", Framing::Length(5)),
            ("content-length: 5\r\nContent-Length: 5\r\n", Framing::Length(5)),
            ("transfer-encoding: chunked\r\n", Framing::Chunked),
            ("Transfer-Encoding:  Chunked \r\n", Framing::Chunked),
        ];
        for (fields, framing) in cases {
            let (head, rest) = parsed(&format!("\r\nPOST /v1?a=b HTTP/1.1\r\nhost: x\r\n{fields}\r\nbody"))
                .unwrap()
                .unwrap();
            assert_eq!((head.framing, head.is_kept, rest.as_str()), (framing, true, "body"), "{fields}");
            assert_eq!(head.request.uri(), "/v1?a=b");
        }
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        let fields = [
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "content-length: 5\r\ncontent-length: 6\r\n",
            "content-length: 5, 6\r\n",
            "content-length: +5\r\n",
            "content-length: -1\r\n",
            "content-length: 5 5\r\n",
            "content-length:\r\n",
            "transfer-encoding: gzip\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: chunked, chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: xchunked\r\n",
            "transfer-encoding : chunked\r\n",
            " transfer-encoding: chunked\r\n",
            "x: y\r\n folded\r\n",
            "x\r\n",
            "x: a\0b\r\n",
        ];
        for field in fields {
            let text = format!("POST / HTTP/1.1\r\nhost: x\r\n{field}\r\n");
            assert_eq!(parsed(&text).unwrap_err(), Bad::Malformed, "{field:?}");
        }
        let old = "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(parsed(old).unwrap_err(), Bad::Malformed);
        let lines = [
            ("GET / HTTP/2.0", Bad::Version),
            ("GET /a b HTTP/1.1", Bad::Version),
            ("G\u{e9}T / HTTP/1.1", Bad::Malformed),
        ];
        for (line, bad) in lines {
            assert_eq!(parsed(&format!("{line}\r\n\r\n")).unwrap_err(), bad, "{line}");
        }
        let long = format!("x: {}\r\n", "y".repeat(8192));
        for fields in ["x: y\r\n".repeat(MAX_FIELDS + 1), long.clone()] {
            assert_eq!(parsed(&format!("GET / HTTP/1.1\r\n{fields}\r\n")).unwrap_err(), Bad::TooLarge);
        }
        assert_eq!(parsed(&format!("GET / HTTP/1.1\r\n{long}")).unwrap_err(), Bad::TooLarge, "half a head");
    }

    #[test]
    fn connections_go_on_as_they_say() {
        let cases = [
            ("HTTP/1.1", "", true),
            ("HTTP/1.1", "connection: x, close\r\n", false),
            ("HTTP/1.0", "", false),
            ("HTTP/1.0", "connection: Keep-Alive\r\n", true),
        ];
        for (version, fields, kept) in cases {
            let (head, _) = parsed(&format!("GET / {version}\r\n{fields}\r\n")).unwrap().unwrap();
            assert_eq!(head.is_kept, kept, "{version} {fields}");
        }
        let (head, _) =
            parsed("POST / HTTP/1.1\r\nexpect: 100-Continue\r\ncontent-length: 1\r\n\r\n").unwrap().unwrap();
        assert!(head.awaits_continue);
    }

    #[test]
    fn an_answer_says_how_its_body_ends() {
        let usual = Manner { is_head: false, is_http11: true, is_kept: true };
        let head = Manner { is_head: true, ..usual };
        let old = Manner { is_http11: false, ..usual };
        let last = Manner { is_kept: false, ..usual };
        let cases = [
            (200, Some(5), usual, "content-length: 5\r\n", Length::Exact(5), true),
            (200, None, usual, "transfer-encoding: chunked\r\n", Length::Chunked, true),
            (200, None, old, "connection: close\r\n", Length::Unsaid, false),
            (200, Some(5), old, "content-length: 5\r\nconnection: keep-alive\r\n", Length::Exact(5), true),
            (200, Some(5), last, "content-length: 5\r\nconnection: close\r\n", Length::Exact(5), false),
            (204, Some(0), usual, "", Length::Unsaid, true),
            (200, None, head, "", Length::Chunked, true),
            (200, Some(0), head, "content-length: 0\r\n", Length::Exact(0), true),
        ];
        for (status, exact, manner, fields, length, kept) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("x", HeaderValue::from_static("y"));
            headers.insert("transfer-encoding", HeaderValue::from_static("gzip"));
            headers.insert("connection", HeaderValue::from_static("upgrade"));
            headers.insert("date", HeaderValue::from_static("now"));
            let status = StatusCode::from_u16(status).unwrap();
            let encoded = encode(status, &headers, b"", exact, manner);
            let text = format!("HTTP/1.1 {status}\r\nx: y\r\ndate: now\r\n{fields}\r\n");
            assert_eq!(String::from_utf8_lossy(&encoded.head), text);
            assert_eq!((encoded.length, encoded.is_kept), (length, kept), "{manner:?}");
            assert_eq!(
                encoded.has_body,
                status != StatusCode::NO_CONTENT && !manner.is_head && exact != Some(0)
            );
        }
        let mut headers = HeaderMap::new();
        headers.insert("content-length", HeaderValue::from_static("99"));
        let encoded = encode(StatusCode::OK, &headers, b"", Some(0), head);
        let text = String::from_utf8(encoded.head.to_vec()).unwrap();
        assert!(text.contains("content-length: 99\r\n") && !text.contains("content-length: 0"), "{text}");
        assert!(text.contains("\r\ndate: "), "{text}");
    }
}
