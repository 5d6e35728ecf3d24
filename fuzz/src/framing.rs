//! Splitters of streams: the same frames however the bytes are cut.

use tidegate_dialect::framing::{FrameError, JsonArray, Ndjson, Sse};

use crate::pieces::cuts;

/// Frames as owned values, and how the stream ended.
type Frames<T> = (Vec<T>, Result<(), FrameError>);

pub fn sse(data: &[u8]) {
    let _frames = same(data, |pieces| {
        let (mut splitter, mut events) = (Sse::new(), Vec::new());
        let mut keep = |event: tidegate_dialect::framing::SseEvent<'_>| {
            events.push((event.event.map(str::to_owned), event.data.to_vec()));
        };
        let ended = pieces.iter().try_for_each(|piece| splitter.push(piece, &mut keep));
        let ended = ended.and_then(|()| splitter.finish(&mut keep));
        (events, ended)
    });
}

pub fn ndjson(data: &[u8]) {
    let _frames = same(data, |pieces| {
        let (mut splitter, mut lines) = (Ndjson::new(), Vec::new());
        let mut keep = |line: &[u8]| lines.push(line.to_vec());
        let ended = pieces.iter().try_for_each(|piece| splitter.push(piece, &mut keep));
        let ended = ended.and_then(|()| splitter.finish(&mut keep));
        (lines, ended)
    });
}

/// Elements of a valid array also are what a JSON parser finds.
pub fn json_array(data: &[u8]) {
    let (elements, ended) = same(data, |pieces| {
        let (mut splitter, mut elements) = (JsonArray::new(), Vec::new());
        let mut keep = |element: &[u8]| elements.push(element.to_vec());
        let ended = pieces.iter().try_for_each(|piece| splitter.push(piece, &mut keep));
        let ended = ended.and_then(|()| splitter.finish(&mut keep));
        (elements, ended)
    });
    if let Ok(values) = serde_json::from_slice::<Vec<serde_json::Value>>(data) {
        assert_eq!(ended, Ok(()));
        let elements: Vec<serde_json::Value> = elements
            .iter()
            .map(|element| serde_json::from_slice(element).expect("an element is JSON"))
            .collect();
        assert_eq!(elements, values);
    }
}

fn same<T: PartialEq + std::fmt::Debug>(data: &[u8], split: impl Fn(&[&[u8]]) -> Frames<T>) -> Frames<T> {
    let [whole, bytes, irregular] = cuts(data);
    let frames = split(&whole);
    assert_eq!(split(&bytes), frames, "byte by byte");
    assert_eq!(split(&irregular), frames, "in pieces");
    frames
}
