//! The reader of passing answers: the same report however the bytes are cut, and no more than it can know.

use bytes::Bytes;
use tidegate_dialect::tap::{Tap, TapKind, TapReport, classify_first};

use crate::pieces::cuts;

const KINDS: [TapKind; 5] = [
    TapKind::OpenAiStream,
    TapKind::AnthropicStream,
    TapKind::OpenAiBody,
    TapKind::AnthropicBody,
    TapKind::None,
];

pub fn answer(data: &[u8]) {
    // The pieces share one buffer: thousands of copies of a byte each made a run half as slow again.
    let data = &Bytes::copy_from_slice(data);
    let [whole, bytes, irregular] = cuts(data)
        .map(|pieces| -> Vec<Bytes> { pieces.into_iter().map(|piece| data.slice_ref(piece)).collect() });
    for kind in KINDS {
        let report = read(kind, &whole);
        if matches!(kind, TapKind::OpenAiStream | TapKind::AnthropicStream) {
            assert_eq!(read(kind, &bytes), report, "{kind:?} byte by byte");
            assert_eq!(read(kind, &irregular), report, "{kind:?} in pieces");
        } else {
            read(kind, &bytes);
            read(kind, &irregular);
        }
    }
    classify_first(data);
}

fn read(kind: TapKind, pieces: &[Bytes]) -> TapReport {
    let mut tap = Tap::new(kind);
    for piece in pieces {
        tap.push(piece);
    }
    tap.end();
    let report = tap.report().clone();
    tap.end();
    assert_eq!(tap.report(), &report, "ending twice changes nothing");
    report
}
