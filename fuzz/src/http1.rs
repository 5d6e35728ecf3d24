//! Heads and bodies of HTTP/1.1, as a client and as a server reads them.

use bytes::Bytes;
use http::Method;
use tidegate_http1::body::{Part, Reading};
use tidegate_http1::chunked::Chunked;
use tidegate_http1::{answer, request};

/// The first byte chooses what is read and where the bytes are cut: the two pieces have to read as the whole.
pub fn any(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let cut = usize::from(*choice >> 2) * bytes.len() / 64;
    match choice % 4 {
        0 => body(bytes, cut, || Reading::Chunked(Chunked::default())),
        1 => body(bytes, cut, || Reading::Length(u64::from(*choice) * 8)),
        2 => answered(bytes, cut),
        _ => asked(bytes, cut),
    }
}

fn body(bytes: &[u8], cut: usize, start: impl Fn() -> Reading) {
    let whole = read(&[bytes], start());
    assert_eq!(read(&[&bytes[..cut], &bytes[cut..]], start()), whole);
}

/// The data, and whether it ended (`None` when it is no body).
fn read(pieces: &[&[u8]], mut reading: Reading) -> (Vec<u8>, Option<bool>) {
    let mut data = Vec::new();
    for piece in pieces {
        let mut bytes = Bytes::copy_from_slice(piece);
        loop {
            match reading.next(&mut bytes) {
                Ok(Part::Data(part)) => data.extend_from_slice(&part),
                Ok(Part::More) => break,
                Ok(Part::End) => return (data, Some(true)),
                Err(_) => return (data, None),
            }
        }
    }
    (data, Some(false))
}

/// A head is whole or it is not: what follows does not change what it says, and half of it says nothing.
fn answered(bytes: &[u8], cut: usize) {
    let parse = |bytes: &[u8]| {
        let mut bytes = Bytes::copy_from_slice(bytes);
        let head = answer::parse(&mut bytes, &Method::POST)?;
        Ok::<_, tidegate_http1::Malformed>(
            head.map(|head| (head.status, head.headers, head.framing, bytes.len())),
        )
    };
    let (whole, half) = (parse(bytes), parse(&bytes[..cut]));
    if let Ok(Some((status, headers, framing, left))) = &half {
        let more = bytes.len() - cut;
        assert_eq!(whole, Ok(Some((*status, headers.clone(), *framing, left + more))));
    }
    if half.is_err() {
        assert!(whole.is_err(), "more bytes mended it");
    }
}

fn asked(bytes: &[u8], cut: usize) {
    let parse = |bytes: &[u8]| {
        let mut bytes = Bytes::copy_from_slice(bytes);
        let head = request::parse(&mut bytes, 4096)?;
        Ok::<_, tidegate_http1::server::Bad>(head.map(|head| (head.framing, head.is_kept, bytes.len())))
    };
    let (whole, half) = (parse(bytes), parse(&bytes[..cut]));
    if let Ok(Some((framing, is_kept, left))) = half {
        assert_eq!(whole, Ok(Some((framing, is_kept, left + bytes.len() - cut))));
    }
    if half.is_err() {
        assert!(whole.is_err(), "more bytes mended it");
    }
}
