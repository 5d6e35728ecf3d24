//! Heads: a request's as bytes, an answer's from bytes.

use std::mem::MaybeUninit;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

use super::Malformed;

/// Headers of an answer that are read; more is no answer.
const MAX_HEADERS: usize = 128;

/// How a request's body is told from what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is none, and nothing is said of it.
    Unsaid,
    Exact(u64),
    Chunked,
}

/// How an answer's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    /// With the connection.
    Close,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) framing: Framing,
    /// The connection can serve another request after this answer.
    pub(crate) is_kept: bool,
}

/// The bytes of a request's head. What its headers say of the body's length is not sent: `length` is.
pub(crate) fn encode(method: &Method, target: &Uri, headers: &HeaderMap, length: Length) -> Bytes {
    let room: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let mut head = BytesMut::with_capacity(room + 256);
    head.put_slice(method.as_str().as_bytes());
    head.put_u8(b' ');
    put_target(&mut head, target);
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            put_header(&mut head, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    match length {
        Length::Unsaid => {}
        Length::Exact(bytes) => {
            let mut digits = itoa::Buffer::new();
            put_header(&mut head, b"content-length", digits.format(bytes).as_bytes());
        }
        Length::Chunked => put_header(&mut head, b"transfer-encoding", b"chunked"),
    }
    head.put_slice(b"\r\n");
    head.freeze()
}

fn put_header(head: &mut BytesMut, name: &[u8], value: &[u8]) {
    head.put_slice(name);
    head.put_slice(b": ");
    head.put_slice(value);
    head.put_slice(b"\r\n");
}

/// Whole where the URI is (for a proxy), or else the path and the query.
fn put_target(head: &mut BytesMut, target: &Uri) {
    if let (Some(scheme), Some(authority)) = (target.scheme_str(), target.authority()) {
        head.put_slice(scheme.as_bytes());
        head.put_slice(b"://");
        head.put_slice(authority.as_str().as_bytes());
    }
    let path = target.path_and_query().map_or("/", |path| path.as_str());
    head.put_slice(if path.is_empty() { b"/" } else { path.as_bytes() });
}

/// Takes the head of an answer to a request of `method` from the front of `bytes`, interim answers before it included.
/// `None` when it is not whole yet.
pub(crate) fn parse(bytes: &mut Bytes, method: &Method) -> Result<Option<Head>, Malformed> {
    loop {
        let Some(head) = parse_one(bytes, method)? else { return Ok(None) };
        match head.status.as_u16() {
            101 => return Err(Malformed), // nobody asked to change protocols
            100..=199 => {}
            _ => return Ok(Some(head)),
        }
    }
}

fn parse_one(bytes: &mut Bytes, method: &Method) -> Result<Option<Head>, Malformed> {
    let mut slots = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut answer = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut answer, bytes, &mut slots)
        .map_err(|_| Malformed)?;
    let httparse::Status::Complete(len) = parsed else { return Ok(None) };
    let status = answer.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Malformed)?;
    let mut headers = HeaderMap::with_capacity(answer.headers.len() + 8);
    for header in &*answer.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| Malformed)?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(header.value)).map_err(|_| Malformed)?;
        headers.append(name, value);
    }
    let is_http11 = answer.version == Some(1);
    let framing = framing(status, method, &headers)?;
    // The coding counts, and nobody else on the way shall think otherwise; nor is such a peer trusted with a next request.
    let is_double = headers.contains_key(TRANSFER_ENCODING) && headers.remove(CONTENT_LENGTH).is_some();
    let is_kept = framing != Framing::Close && !is_double && keeps(&headers, is_http11);
    let _ = bytes.split_to(len);
    Ok(Some(Head { status, headers, framing, is_kept }))
}

/// RFC 9112, section 6.3.
fn framing(status: StatusCode, method: &Method, headers: &HeaderMap) -> Result<Framing, Malformed> {
    let length = content_length(headers)?;
    if *method == Method::HEAD || status.is_informational() || matches!(status.as_u16(), 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter().peekable();
    if codings.peek().is_none() {
        return Ok(length.map_or(Framing::Close, Framing::Length));
    }
    let last = codings.last().and_then(|value| value.as_bytes().rsplit(|byte| *byte == b',').next());
    let is_chunked = last.is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"));
    Ok(if is_chunked { Framing::Chunked } else { Framing::Close })
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        for part in value.as_bytes().split(|byte| *byte == b',') {
            let digits = part.trim_ascii();
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                return Err(Malformed);
            }
            let digits = std::str::from_utf8(digits).map_err(|_| Malformed)?;
            let said: u64 = digits.parse().map_err(|_| Malformed)?;
            if *length.get_or_insert(said) != said {
                return Err(Malformed);
            }
        }
    }
    Ok(length)
}

fn keeps(headers: &HeaderMap, is_http11: bool) -> bool {
    let says = |wanted: &[u8]| {
        let options =
            headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
        options.into_iter().any(|option| option.trim_ascii().eq_ignore_ascii_case(wanted))
    };
    if is_http11 { !says(b"close") } else { says(b"keep-alive") && !says(b"close") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, method: &Method) -> Result<Option<(u16, Framing, bool, String)>, Malformed> {
        let mut bytes = Bytes::copy_from_slice(text.as_bytes());
        let head = parse(&mut bytes, method)?;
        Ok(head.map(|head| {
            (head.status.as_u16(), head.framing, head.is_kept, String::from_utf8_lossy(&bytes).into_owned())
        }))
    }

    #[test]
    fn answers_end_as_they_say() {
        use Framing::{Chunked, Close, Length};
        let cases = [
            ("content-length: 5\r\n", Length(5), true),
            ("content-length: 5\r\ncontent-length: 5, 5\r\n", Length(5), true),
            ("transfer-encoding: chunked\r\n", Chunked, true),
            ("transfer-encoding: gzip, Chunked\r\n", Chunked, true),
            ("content-length: 5\r\ntransfer-encoding: chunked\r\n", Chunked, false),
            ("transfer-encoding: chunked\r\ntransfer-encoding: gzip\r\n", Close, false),
            ("", Close, false),
            ("content-length: 5\r\nconnection: x, Close\r\n", Length(5), false),
        ];
        for (headers, framing, kept) in cases {
            let text = format!("HTTP/1.1 200 OK\r\n{headers}\r\nrest");
            assert_eq!(
                parsed(&text, &Method::POST),
                Ok(Some((200, framing, kept, "rest".into()))),
                "{headers}"
            );
        }
        for status in ["204", "304"] {
            let text = format!("HTTP/1.1 {status} x\r\ncontent-length: 5\r\n\r\n");
            assert_eq!(parsed(&text, &Method::GET).unwrap().unwrap().1, Length(0), "{status}");
        }
        let head = parsed("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", &Method::HEAD);
        assert_eq!(head.unwrap().unwrap().1, Length(0));
        let old = "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n";
        assert!(!parsed(&format!("{old}\r\n"), &Method::GET).unwrap().unwrap().2);
        assert!(parsed(&format!("{old}connection: keep-alive\r\n\r\n"), &Method::GET).unwrap().unwrap().2);
    }

    #[test]
    fn interim_answers_are_read_past_and_half_a_head_is_waited_for() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx";
        assert_eq!(parsed(text, &Method::POST), Ok(Some((201, Framing::Length(1), true, "x".into()))));
        for end in 0..text.len() - 1 {
            assert_eq!(parsed(&text[..end], &Method::POST), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_no_answer() {
        let headers = [
            "content-length: 1\r\ncontent-length: 2\r\n",
            "content-length: 1, 2\r\n",
            "content-length: +1\r\n",
            "content-length: 0x1\r\n",
            "content-length: \r\n",
            "content-length: 99999999999999999999\r\n",
            "bad header: x\r\n",
            "folded: a\r\n b\r\n",
        ];
        for header in headers {
            let text = format!("HTTP/1.1 200 OK\r\n{header}\r\n");
            assert_eq!(parsed(&text, &Method::POST), Err(Malformed), "{header}");
        }
        for line in ["SSH-2.0-OpenSSH_9.6", "HTTP/1.1 two hundred", "HTTP/2 200 OK", "HTTP/1.1 101 Switching"]
        {
            assert_eq!(parsed(&format!("{line}\r\n\r\n"), &Method::POST), Err(Malformed), "{line}");
        }
        let many = "x: y\r\n".repeat(MAX_HEADERS + 1);
        assert_eq!(parsed(&format!("HTTP/1.1 200 OK\r\n{many}\r\n"), &Method::POST), Err(Malformed));
    }

    #[test]
    fn a_request_is_written_as_its_uri_and_body_are() {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("api.example"));
        headers.insert("content-length", HeaderValue::from_static("99"));
        headers.insert("transfer-encoding", HeaderValue::from_static("gzip"));
        headers.append("x-twice", HeaderValue::from_static("1"));
        headers.append("x-twice", HeaderValue::from_static("2"));
        let cases = [
            ("/v1/chat?a=b", Length::Exact(5), "POST /v1/chat?a=b HTTP/1.1", "content-length: 5\r\n"),
            (
                "http://api.example",
                Length::Chunked,
                "POST http://api.example/ HTTP/1.1",
                "transfer-encoding: chunked\r\n",
            ),
            ("/", Length::Unsaid, "POST / HTTP/1.1", ""),
        ];
        for (uri, length, line, end) in cases {
            let head = encode(&Method::POST, &uri.parse().unwrap(), &headers, length);
            let want = format!("{line}\r\nhost: api.example\r\nx-twice: 1\r\nx-twice: 2\r\n{end}\r\n");
            assert_eq!(String::from_utf8_lossy(&head), want);
        }
    }
}
