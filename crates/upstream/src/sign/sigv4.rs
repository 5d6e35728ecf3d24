//! AWS Signature Version 4 in the `authorization` header. S3 has its own ways: its paths are encoded once, and a header
//! says the body's hash.
//!
//! Signed are `host`, `content-type` and every `x-amz-*` header. Facts: AWS, "Create a signed AWS API request".

use std::fmt::Write as _;

use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use tidegate_core::Secret;

use super::SignError;
use crate::percent::{self, push_encoded};

/// Whose signature it is, and for what. The secret access key comes separately.
#[derive(Debug, Clone)]
pub struct SigV4 {
    pub access_key_id: Box<str>,
    /// With temporary credentials.
    pub session_token: Option<Secret>,
    /// `us-east-1`.
    pub region: Box<str>,
    /// `bedrock`, `bedrock-mantle`, `sagemaker`, `sts`, `polly`, `s3`.
    pub service: Box<str>,
}

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const S3: &str = "s3";

pub(super) fn apply(
    account: &SigV4,
    key: &Secret,
    parts: &mut Parts,
    body: Option<&[Bytes]>,
    unix_ms: u64,
) -> Result<(), SignError> {
    let body = body.ok_or(SignError::BodyNotHeld)?;
    let date = timestamp(unix_ms);
    set_signed_headers(account, parts, &date)?;
    let is_s3 = &*account.service == S3;
    let body_hash = sha256_hex(body.iter().map(|piece| &piece[..]));
    if is_s3 {
        let hash = HeaderValue::from_str(&body_hash).map_err(|_| SignError::NotAHeaderValue)?;
        parts.headers.insert(X_AMZ_CONTENT_SHA256, hash);
    }
    let canonical = canonical_request(parts, &body_hash, is_s3);
    let scope = format!("{}/{}/{}/aws4_request", &date[..8], account.region, account.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256_hex([canonical.text.as_bytes()]));
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={}",
        account.access_key_id,
        canonical.signed_headers,
        hex(hmac::sign(&signing_key(account, key, &date[..8]), to_sign.as_bytes()).as_ref()),
    );
    parts.headers.insert(AUTHORIZATION, sensitive(value)?);
    Ok(())
}

struct Canonical {
    text: String,
    /// The names, sorted, joined by `;`.
    signed_headers: String,
}

fn set_signed_headers(account: &SigV4, parts: &mut Parts, date: &str) -> Result<(), SignError> {
    // What the client will send as `host`: the authority without a default port.
    let authority = parts.uri.authority().ok_or(SignError::Url)?;
    let default_port = if parts.uri.scheme_str() == Some("http") { ":80" } else { ":443" };
    let host = authority.as_str().strip_suffix(default_port).unwrap_or(authority.as_str());
    let host = HeaderValue::from_str(host).map_err(|_| SignError::Url)?;
    parts.headers.insert(HOST, host);
    parts.headers.insert(X_AMZ_DATE, HeaderValue::from_str(date).map_err(|_| SignError::NotAHeaderValue)?);
    match &account.session_token {
        Some(token) => {
            parts.headers.insert(X_AMZ_SECURITY_TOKEN, sensitive(token.expose().to_owned())?);
        }
        None => {
            parts.headers.remove(X_AMZ_SECURITY_TOKEN);
        }
    }
    Ok(())
}

fn sensitive(text: String) -> Result<HeaderValue, SignError> {
    let mut value = HeaderValue::try_from(text).map_err(|_| SignError::NotAHeaderValue)?;
    value.set_sensitive(true);
    Ok(value)
}

fn canonical_request(parts: &Parts, body_hash: &str, is_s3: bool) -> Canonical {
    let mut names: Vec<&HeaderName> = parts
        .headers
        .keys()
        .filter(|name| **name == HOST || **name == CONTENT_TYPE || name.as_str().starts_with("x-amz-"))
        .collect();
    names.sort_by_key(|name| name.as_str());
    let signed_headers = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(";");

    let mut text = format!("{}\n", parts.method);
    // The path is in the URL's encoding already, and is encoded once more, slashes apart; for S3 it is not.
    for (i, segment) in parts.uri.path().split('/').enumerate() {
        if i > 0 {
            text.push('/');
        }
        match is_s3 {
            true => text.push_str(&encoded_anew(segment)),
            false => push_encoded(&mut text, segment.as_bytes()),
        }
    }
    text.push('\n');
    push_canonical_query(&mut text, parts.uri.query().unwrap_or_default());
    text.push('\n');
    for name in names {
        text.push_str(name.as_str());
        text.push(':');
        for (i, value) in parts.headers.get_all(name).iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            push_trimmed(&mut text, value);
        }
        text.push('\n');
    }
    let _ = write!(text, "\n{signed_headers}\n{body_hash}");
    Canonical { text, signed_headers }
}

/// Pairs encoded anew and sorted by name, then value; a name alone gets an `=`.
fn push_canonical_query(text: &mut String, query: &str) {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded_anew(name), encoded_anew(value)))
        .collect();
    pairs.sort_unstable();
    for (i, (name, value)) in pairs.iter().enumerate() {
        if i > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
}

/// In the one encoding AWS expects, whichever the URL has. Text that is not an encoding stands for itself.
fn encoded_anew(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    match percent::decode(text) {
        Some(decoded) => push_encoded(&mut encoded, &decoded),
        None => push_encoded(&mut encoded, text.as_bytes()),
    }
    encoded
}

/// Without space around, and with runs of spaces inside as one.
fn push_trimmed(text: &mut String, value: &HeaderValue) {
    let value = String::from_utf8_lossy(value.as_bytes());
    for (i, word) in value.split([' ', '\t']).filter(|word| !word.is_empty()).enumerate() {
        if i > 0 {
            text.push(' ');
        }
        text.push_str(word);
    }
}

fn signing_key(account: &SigV4, key: &Secret, day: &str) -> hmac::Key {
    let key_of = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
    // A secret too, so that its memory is overwritten.
    let start = Secret::from(["AWS4", key.expose()].concat());
    [day, &account.region, &account.service, "aws4_request"]
        .iter()
        .fold(key_of(start.expose().as_bytes()), |key, part| {
            key_of(hmac::sign(&key, part.as_bytes()).as_ref())
        })
}

fn sha256_hex<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for piece in pieces {
        context.update(piece);
    }
    hex(context.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `YYYYMMDDTHHMMSSZ`.
fn timestamp(unix_ms: u64) -> String {
    let seconds = unix_ms / 1_000;
    let (year, month, day) = civil_date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Year, month and day of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    /// 2026-01-02 03:04:05 UTC.
    const AT: u64 = 1_767_323_045_000;

    fn account() -> SigV4 {
        SigV4 {
            access_key_id: "AKIDEXAMPLE".into(),
            session_token: None,
            region: "us-east-1".into(),
            service: "bedrock".into(),
        }
    }

    fn converse() -> Parts {
        Request::post("https://bedrock-runtime.us-east-1.amazonaws.com/model/vendor.model-v1%3A0/converse")
            .header("content-type", "application/json")
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[test]
    fn a_known_request_has_the_known_signature_however_its_body_is_cut() {
        let body = br#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#;
        for cut in [0, 1, 20, body.len()] {
            let pieces = [Bytes::from_static(&body[..cut]), Bytes::from_static(&body[cut..])];
            let mut parts = converse();
            apply(&account(), &Secret::from(SECRET), &mut parts, Some(&pieces), AT).unwrap();

            let canonical =
                canonical_request(&parts, &sha256_hex(pieces.iter().map(|piece| &piece[..])), false);
            assert!(
                canonical.text.starts_with("POST\n/model/vendor.model-v1%253A0/converse\n\n"),
                "{}",
                canonical.text
            );
            assert_eq!(
                sha256_hex([canonical.text.as_bytes()]),
                "b37afa95a59ee2a968370284d5265a025486ca62f53db49b9f1793437b1bb306"
            );
            assert_eq!(parts.headers["x-amz-date"], "20260102T030405Z");
            assert_eq!(
                parts.headers["authorization"],
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/bedrock/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, \
                 Signature=af119b44980841a2421efd5213085f5b4a3034f65025da60008fd5d41a2734c0"
            );
            assert!(parts.headers["authorization"].is_sensitive());
        }
    }

    #[test]
    fn temporary_credentials_are_signed_along_and_a_clients_are_dropped() {
        let mut account = account();
        account.session_token = Some(Secret::from("token"));
        let mut parts = converse();
        parts.headers.insert("x-amz-meta", HeaderValue::from_static("  a   b "));
        apply(&account, &Secret::from(SECRET), &mut parts, Some(&[]), AT).unwrap();
        assert_eq!(parts.headers["x-amz-security-token"], "token");
        assert!(parts.headers["x-amz-security-token"].is_sensitive());
        let canonical = canonical_request(&parts, &sha256_hex([]), false);
        assert_eq!(canonical.signed_headers, "content-type;host;x-amz-date;x-amz-meta;x-amz-security-token");
        assert!(canonical.text.contains("\nx-amz-meta:a b\n"), "{}", canonical.text);

        account.session_token = None;
        apply(&account, &Secret::from(SECRET), &mut parts, Some(&[]), AT).unwrap();
        assert!(!parts.headers.contains_key("x-amz-security-token"));
    }

    /// AWS, "Examples: Signature Calculations in AWS Signature Version 4" of S3.
    #[test]
    fn requests_to_s3_are_signed_as_its_documentation_signs_them() {
        const AT: u64 = 1_369_353_600_000;
        let account =
            SigV4 { access_key_id: "AKIAIOSFODNN7EXAMPLE".into(), service: "s3".into(), ..account() };
        for (query, signature) in [
            ("?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let url = format!("https://examplebucket.s3.amazonaws.com/{query}");
            let mut parts = Request::get(url).body(()).unwrap().into_parts().0;
            let secret = Secret::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
            apply(&account, &secret, &mut parts, Some(&[]), AT).unwrap();
            let authorization = parts.headers["authorization"].to_str().unwrap();
            assert!(
                authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date, ")
                    && authorization.ends_with(&format!("Signature={signature}")),
                "{authorization}"
            );
        }
        // Encoded once, and not twice.
        let mut parts =
            Request::put("https://h.example/bucket/day=2026-11-22/a%20b").body(()).unwrap().into_parts().0;
        apply(&account, &Secret::from(SECRET), &mut parts, Some(&[]), AT).unwrap();
        let canonical = canonical_request(&parts, "", true);
        assert!(canonical.text.starts_with("PUT\n/bucket/day%3D2026-11-22/a%20b\n"), "{}", canonical.text);
    }

    #[test]
    fn the_host_is_signed_as_it_is_sent() {
        let cases = [
            ("https://h.example:443/", "h.example"),
            ("https://h.example:80/", "h.example:80"),
            ("http://h.example:80/", "h.example"),
            ("http://127.0.0.1:9000/", "127.0.0.1:9000"),
        ];
        for (url, host) in cases {
            let mut parts = Request::post(url).body(()).unwrap().into_parts().0;
            apply(&account(), &Secret::from(SECRET), &mut parts, Some(&[]), AT).unwrap();
            assert_eq!(parts.headers["host"], host, "{url}");
        }
    }

    #[test]
    fn a_query_is_encoded_anew_and_sorted() {
        let cases = [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&&A=3", "A=3&a=1&a=2"),
            ("flag", "flag="),
            ("a=b=c", "a=b%3Dc"),
            ("a=x/y%2fz%20", "a=x%2Fy%2Fz%20"),
            ("a=100%", "a=100%25"),
        ];
        for (query, expected) in cases {
            let mut text = String::new();
            push_canonical_query(&mut text, query);
            assert_eq!(text, expected, "{query}");
        }
    }

    #[test]
    fn days_have_their_dates() {
        let cases = [
            (0, "19700101T000000Z"),
            (951_782_399_000, "20000228T235959Z"),
            (951_782_400_999, "20000229T000000Z"),
            (1_709_251_199_000, "20240229T235959Z"),
            (1_735_689_599_000, "20241231T235959Z"),
            (1_735_689_600_000, "20250101T000000Z"),
            (4_107_542_400_000, "21000301T000000Z"),
        ];
        for (unix_ms, expected) in cases {
            assert_eq!(timestamp(unix_ms), expected, "{unix_ms}");
        }
    }
}
