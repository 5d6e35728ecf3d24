//! What heads of both kinds say of the body and the connection.

use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::{Malformed, names};

/// The fields that were parsed from `head`, whose bytes they keep.
pub(crate) fn collect(parsed: &[httparse::Header<'_>], head: &Bytes) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::with_capacity(parsed.len());
    for header in parsed {
        let name = names::name(header.name.as_bytes())?;
        let value = HeaderValue::from_maybe_shared(head.slice_ref(header.value)).map_err(|_| Malformed)?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// The length that is said; said twice, it has to be the same.
pub(crate) fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
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

/// Whether the body is chunked; `None` when no transfer coding is said.
pub(crate) fn is_chunked(headers: &HeaderMap) -> Option<bool> {
    let last = headers.get_all(TRANSFER_ENCODING).iter().next_back()?;
    let coding = last.as_bytes().rsplit(|byte| *byte == b',').next().unwrap_or_default();
    Some(coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

/// Whether the connection goes on, by its head.
pub(crate) fn is_kept(headers: &HeaderMap, is_http11: bool) -> bool {
    if !headers.contains_key(CONNECTION) {
        return is_http11;
    }
    let says = |wanted: &[u8]| {
        let values = headers.get_all(CONNECTION).iter();
        let mut options = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(wanted))
    };
    !says(b"close") && (is_http11 || says(b"keep-alive"))
}

/// Fields that an answer's head has behind those of its header map, written as they go out: for a service that adds many to
/// every answer, which would only be put into the map to be read out again. They are in the answer's extensions. Whoever puts
/// one here sees to it that the map has none of its name.
#[derive(Debug, Clone, Default)]
pub struct MoreFields(BytesMut);

impl MoreFields {
    pub fn with_capacity(bytes: usize) -> Self {
        Self(BytesMut::with_capacity(bytes))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn put(&mut self, name: &HeaderName, value: &HeaderValue) {
        put(&mut self.0, name.as_str().as_bytes(), value.as_bytes());
    }

    /// A value of numbers, each with what is written behind it.
    pub fn put_numbers(&mut self, name: &HeaderName, numbers: impl Iterator<Item = (u64, &'static str)>) {
        self.0.put_slice(name.as_str().as_bytes());
        self.0.put_slice(b": ");
        for (number, unit) in numbers {
            self.0.put_slice(itoa::Buffer::new().format(number).as_bytes());
            self.0.put_slice(unit.as_bytes());
        }
        self.0.put_slice(b"\r\n");
    }

    /// Of an answer that may have some.
    pub(crate) fn of(extensions: &Extensions) -> &[u8] {
        extensions.get::<Self>().map_or(&[], |more| &more.0)
    }
}

pub(crate) fn put(head: &mut BytesMut, name: &[u8], value: &[u8]) {
    head.put_slice(name);
    head.put_slice(b": ");
    head.put_slice(value);
    head.put_slice(b"\r\n");
}

pub(crate) fn put_length(head: &mut BytesMut, bytes: u64) {
    put(head, b"content-length", itoa::Buffer::new().format(bytes).as_bytes());
}

/// Room for a head with these fields.
pub(crate) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}
