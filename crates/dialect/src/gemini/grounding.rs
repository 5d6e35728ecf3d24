//! Grounding metadata as URL citations in OpenAI's shape.
//!
//! Gemini points into the bytes of a part, OpenAI into the characters of the message. Sources without an address stay
//! in the raw metadata only.

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    grounding_chunks: Vec<Chunk>,
    grounding_supports: Vec<Support>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chunk {
    web: Option<Page>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    uri: Option<String>,
    title: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Support {
    segment: Segment,
    grounding_chunk_indices: Vec<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Segment {
    part_index: usize,
    start_index: usize,
    end_index: usize,
}

/// The citations that `metadata` makes of `text`, the whole visible text of an answer. `part_starts` says at which byte
/// of it each part begins; parts without an entry begin at 0. Metadata of another shape gives none.
pub(super) fn annotations(metadata: &Value, text: &str, part_starts: &[usize]) -> Vec<Value> {
    let Ok(metadata) = Metadata::deserialize(metadata) else { return Vec::new() };
    let mut characters = Characters { text, byte: 0, count: 0 };
    let mut annotations = Vec::new();
    for support in &metadata.grounding_supports {
        let segment = &support.segment;
        let base = part_starts.get(segment.part_index).copied().unwrap_or(0);
        let start = characters.before(base.saturating_add(segment.start_index));
        let end = characters.before(base.saturating_add(segment.end_index));
        for chunk in &support.grounding_chunk_indices {
            let page = metadata.grounding_chunks.get(*chunk).and_then(|chunk| chunk.web.as_ref());
            let Some((page, url)) = page.and_then(|page| Some((page, page.uri.as_ref()?))) else { continue };
            annotations.push(json!({"type": "url_citation", "url_citation": {
                "start_index": start, "end_index": end, "url": url, "title": page.title.as_deref().unwrap_or(""),
            }}));
        }
    }
    annotations
}

/// Counts characters up to byte offsets; cheap when the offsets grow, as they do.
struct Characters<'a> {
    text: &'a str,
    byte: usize,
    count: usize,
}

impl Characters<'_> {
    /// Characters before byte `offset`; an offset inside a character counts up to it, one beyond the end is the end.
    fn before(&mut self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        if offset < self.byte {
            (self.byte, self.count) = (0, 0);
        }
        self.count += self.text.get(self.byte..offset).map_or(0, |text| text.chars().count());
        self.byte = offset;
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(segments: &[Value]) -> Value {
        let supports: Vec<Value> = segments
            .iter()
            .map(|segment| json!({"segment": segment, "groundingChunkIndices": [0, 1, 7]}))
            .collect();
        json!({
            "groundingChunks": [
                {"web": {"uri": "https://example.com/1", "title": "one"}},
                {"retrievedContext": {"text": "no address"}},
            ],
            "groundingSupports": supports,
        })
    }

    fn spans(annotations: &[Value]) -> Vec<(u64, u64)> {
        let place = |a: &Value, name: &str| a["url_citation"][name].as_u64().unwrap();
        annotations.iter().map(|a| (place(a, "start_index"), place(a, "end_index"))).collect()
    }

    #[test]
    fn bytes_become_characters() {
        // é has two bytes, 潮 three.
        let text = "été 潮汐 ok";
        for (segment, span) in [
            (json!({"endIndex": 5}), (0, 3)),
            (json!({"startIndex": 6, "endIndex": 12}), (4, 6)),
            (json!({"startIndex": 6, "endIndex": 8}), (4, 4)),
            (json!({"startIndex": 13, "endIndex": 999}), (7, 9)),
        ] {
            let found = annotations(&metadata(std::slice::from_ref(&segment)), text, &[]);
            assert_eq!(spans(&found), [span], "{segment}");
        }
    }

    #[test]
    fn an_offset_inside_a_character_spoils_none_after_it() {
        let segments = [json!({"startIndex": 6, "endIndex": 8}), json!({"startIndex": 9, "endIndex": 12})];
        let found = annotations(&metadata(&segments), "été 潮汐 ok", &[]);
        assert_eq!(spans(&found), [(4, 4), (5, 6)]);
    }

    #[test]
    fn order_does_not_matter_and_parts_have_their_own_start() {
        let segments = [
            json!({"partIndex": 2, "startIndex": 0, "endIndex": 2}),
            json!({"startIndex": 0, "endIndex": 3}),
        ];
        let found = annotations(&metadata(&segments), "été ok", &[0, 6, 6]);
        assert_eq!(spans(&found), [(4, 6), (0, 2)]);
    }

    #[test]
    fn a_citation_has_openais_shape() {
        let found = annotations(&metadata(&[json!({"endIndex": 1})]), "x", &[]);
        assert_eq!(
            found,
            [json!({"type": "url_citation", "url_citation": {
                "start_index": 0, "end_index": 1, "url": "https://example.com/1", "title": "one",
            }})]
        );
    }

    #[test]
    fn metadata_of_another_shape_gives_nothing() {
        for metadata in
            [json!({}), json!([]), json!({"groundingSupports": "x"}), json!({"webSearchQueries": []})]
        {
            assert_eq!(annotations(&metadata, "x", &[]), Vec::<Value>::new());
        }
    }
}
