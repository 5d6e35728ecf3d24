//! Compression.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::StoredBody;

const PLAIN: u64 = 0;
const DEFLATE: u64 = 1;
/// Below this the bytes saved are not worth a call.
const SMALL: usize = 128;

pub(super) fn pack(text: String, stored: &mut StoredBody) {
    let plain = text.into_bytes();
    stored.plain = plain.len() as u64;
    if plain.len() >= SMALL {
        let mut encoder = DeflateEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::new(3));
        let packed = encoder.write_all(&plain).and_then(|()| encoder.finish());
        if let Some(packed) = packed.ok().filter(|packed| packed.len() < plain.len()) {
            (stored.codec, stored.data) = (DEFLATE, packed);
            return;
        }
    }
    (stored.codec, stored.data) = (PLAIN, plain);
}

/// The bytes as they were before compression; `None` when they are damaged or in a form that this binary does not know.
/// Never more than `plain` says, whatever the compressed bytes would become.
pub fn unpack(stored: &StoredBody) -> Option<Vec<u8>> {
    let bytes = match stored.codec {
        PLAIN => stored.data.clone(),
        DEFLATE => {
            let mut bytes = Vec::new();
            DeflateDecoder::new(&stored.data[..]).take(stored.plain + 1).read_to_end(&mut bytes).ok()?;
            bytes
        }
        _ => return None,
    };
    (bytes.len() as u64 == stored.plain).then_some(bytes)
}
