//! Bodies as they were before their sender packed them.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};
use tidegate_core::field::shown;

use crate::problem::Problem;

/// At most `most` bytes.
///
/// # Errors
/// 400 for what is not packed as it says, 413 for what is too large, 415 for another packing than gzip.
pub(super) fn unpacked(headers: &HeaderMap, body: &Bytes, most: u64) -> Result<Bytes, Problem> {
    let too_large = |what: &str| {
        let message =
            format!("the body is larger than {most} bytes{what}; expected less at once (limits.max_intake)");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    let packing = headers.get(CONTENT_ENCODING).and_then(|packing| packing.to_str().ok()).unwrap_or_default();
    match packing.trim().to_ascii_lowercase().as_str() {
        "" | "identity" if body.len() as u64 > most => Err(too_large("")),
        "" | "identity" => Ok(body.clone()),
        "gzip" => {
            let mut plain = Vec::new();
            let read = MultiGzDecoder::new(&body[..]).take(most.saturating_add(1)).read_to_end(&mut plain);
            read.map_err(|_| Problem::field("body", "is not gzip", "what content-encoding says"))?;
            if plain.len() as u64 > most {
                return Err(too_large(" when it is unpacked"));
            }
            Ok(plain.into())
        }
        other => {
            let message = format!("content-encoding: {} is not read here; expected gzip", shown(other));
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).about("content-encoding"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn packed(plain: &[u8]) -> Bytes {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(plain).unwrap();
        packed.finish().unwrap().into()
    }

    fn read(packing: &'static str, body: Bytes, most: u64) -> Result<usize, StatusCode> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(packing));
        let read = unpacked(&headers, &body, most);
        read.map(|plain| plain.len()).map_err(|problem| problem.into_response().status())
    }

    #[test]
    fn bounds_hold_for_what_comes_out() {
        let zeros = packed(&[0; 10_000]);
        assert!(zeros.len() < 100);
        assert_eq!(read("gzip", zeros.clone(), 10_000), Ok(10_000));
        assert_eq!(read("GZIP", [zeros.clone(), zeros.clone()].concat().into(), 20_000), Ok(20_000));
        assert_eq!(read("gzip", zeros.clone(), 9_999), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(read("identity", vec![0; 11].into(), 10), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(read("gzip", zeros.slice(..zeros.len() - 9), 20_000), Err(StatusCode::BAD_REQUEST));
        assert_eq!(read("br", zeros, 20_000), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
}
