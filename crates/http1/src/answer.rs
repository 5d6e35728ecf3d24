//! What a client needs: a request's head as bytes, an answer's head from bytes.

use std::mem::MaybeUninit;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::body::Framing;
use crate::send::Length;
use crate::{Malformed, fields};

/// Headers of an answer that are read; more is no answer.
const MAX_HEADERS: usize = 128;

/// The head of an answer.
#[derive(Debug)]
pub struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub framing: Framing,
    /// The connection can serve another request after this answer.
    pub is_kept: bool,
}

/// The bytes of a request's head. What its headers say of the body's length is not sent: `length` is.
pub fn encode(method: &Method, target: &Uri, headers: &HeaderMap, length: Length) -> BytesMut {
    let mut head = BytesMut::with_capacity(fields::size(headers) + 256);
    head.put_slice(method.as_str().as_bytes());
    head.put_u8(b' ');
    put_target(&mut head, target);
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in headers {
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            fields::put(&mut head, name.as_str().as_bytes(), value.as_bytes());
        }
    }
    match length {
        Length::Unsaid => {}
        Length::Exact(bytes) => fields::put_length(&mut head, bytes),
        Length::Chunked => fields::put(&mut head, b"transfer-encoding", b"chunked"),
    }
    head.put_slice(b"\r\n");
    head
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
///
/// # Errors
/// The bytes are no answer.
pub fn parse(bytes: &mut Bytes, method: &Method) -> Result<Option<Head>, Malformed> {
    // Nobody asked to change protocols.
    parse_final(bytes, method, false)
}

/// As [`parse`], after a request to change protocols: 101 is an answer then, and what follows its head is no HTTP.
///
/// # Errors
/// As [`parse`].
pub fn parse_switching(bytes: &mut Bytes, method: &Method) -> Result<Option<Head>, Malformed> {
    parse_final(bytes, method, true)
}

fn parse_final(bytes: &mut Bytes, method: &Method, switches: bool) -> Result<Option<Head>, Malformed> {
    loop {
        let Some(head) = parse_one(bytes, method)? else { return Ok(None) };
        match head.status.as_u16() {
            101 if !switches => return Err(Malformed),
            101 => return Ok(Some(head)),
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
    let mut headers = fields::collect(answer.headers, bytes)?;
    let is_http11 = answer.version == Some(1);
    let framing = framing(status, method, &headers)?;
    // The coding counts, and nobody else on the way shall think otherwise; nor is such a peer trusted with a next request.
    let is_double = headers.contains_key(TRANSFER_ENCODING) && headers.remove(CONTENT_LENGTH).is_some();
    let is_kept = framing != Framing::Close && !is_double && fields::is_kept(&headers, is_http11);
    let _ = bytes.split_to(len);
    Ok(Some(Head { status, headers, framing, is_kept }))
}

/// RFC 9112, section 6.3.
fn framing(status: StatusCode, method: &Method, headers: &HeaderMap) -> Result<Framing, Malformed> {
    let length = fields::content_length(headers)?;
    if *method == Method::HEAD || status.is_informational() || matches!(status.as_u16(), 204 | 304) {
        return Ok(Framing::Length(0));
    }
    Ok(match fields::is_chunked(headers) {
        Some(true) => Framing::Chunked,
        Some(false) => Framing::Close,
        None => length.map_or(Framing::Close, Framing::Length),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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
