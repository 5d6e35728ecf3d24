//! A mail as text: five headers that matter and one part in UTF-8.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;

use crate::notice::Notice;
use crate::text;

const LINE: usize = 76;
/// An encoded word has 75 characters at most; so many bytes are 60 in Base64.
const WORD_BYTES: usize = 45;

pub(crate) fn of(notice: &Notice, from: &Address, to: &Address) -> String {
    let when = UNIX_EPOCH + Duration::from_millis(notice.at.min(MAX_TIME));
    let date = httpdate::fmt_http_date(when).replace("GMT", "+0000");
    let encoded = STANDARD.encode(text::body(notice).replace('\n', "\r\n"));
    let mut body = String::with_capacity(encoded.len() + encoded.len() / LINE * 2 + 2);
    for line in encoded.as_bytes().chunks(LINE) {
        body.push_str(&String::from_utf8_lossy(line));
        body.push_str("\r\n");
    }
    format!(
        "From: Tidegate <{from}>\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {date}\r\nMessage-ID: <{}.{}@{}>\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{body}",
        words(&text::subject(notice)),
        notice.id(),
        STANDARD.encode(to.to_string()).trim_end_matches('=').replace(['+', '/'], "_"),
        from.domain(),
    )
}

/// The last second of the year 9999: later ones cannot be written.
const MAX_TIME: u64 = 253_402_300_799_000;

/// Text of a header: as it is, or in encoded words (RFC 2047) where it is long or not ASCII.
fn words(text: &str) -> String {
    const LONGEST: usize = 200;
    if text.is_ascii() && text.len() <= LONGEST {
        return text.to_owned();
    }
    let mut encoded = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = WORD_BYTES.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (word, after) = rest.split_at(end);
        if !encoded.is_empty() {
            encoded.push_str("\r\n ");
        }
        encoded.push_str(&format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    encoded
}
