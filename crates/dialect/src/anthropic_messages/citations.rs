//! Citations of a text: Anthropic's own, and the URL citations of OpenAI's that some of them amount to.

use serde_json::{Value, json};

use crate::chat::Text;

/// The citations of `text` that are Anthropic's and can go back to it. Other dialects' are of other types; one without
/// its index was made up by [`from_url`].
pub(super) fn own(text: &Text) -> impl Iterator<Item = &Value> {
    text.citations.iter().filter(|citation| is_own(citation) && citation["encrypted_index"] != "")
}

fn is_own(citation: &Value) -> bool {
    const TYPES: [&str; 5] = [
        "char_location",
        "page_location",
        "content_block_location",
        "search_result_location",
        "web_search_result_location",
    ];
    citation["type"].as_str().is_some_and(|kind| TYPES.contains(&kind))
}

/// The `url_citation` that a citation amounts to, where it has a URL. `start` and `end` bound the cited text in the
/// whole content, in characters.
pub(super) fn to_url(citation: &Value, start: usize, end: usize) -> Option<Value> {
    let url = citation.get("url")?.as_str()?;
    let title = citation["title"].as_str().unwrap_or_default();
    let place = json!({"start_index": start, "end_index": end, "url": url, "title": title});
    Some(json!({"type": "url_citation", "url_citation": place}))
}

/// Another vendor's URL citation as Anthropic's clients know it. Without an index it cannot be sent to the vendor.
pub(super) fn from_url(annotation: &Value) -> Option<Value> {
    let place = annotation.get("url_citation")?;
    Some(json!({
        "type": "web_search_result_location",
        "url": place.get("url")?.as_str()?,
        "title": place["title"].as_str(),
        "cited_text": "",
        "encrypted_index": "",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_both_ways() {
        let own = json!({
            "type": "web_search_result_location", "url": "https://t", "title": "T", "cited_text": "x",
            "encrypted_index": "Eo8",
        });
        let annotation = to_url(&own, 2, 9).unwrap();
        assert_eq!(
            annotation,
            json!({"type": "url_citation", "url_citation":
                {"start_index": 2, "end_index": 9, "url": "https://t", "title": "T"}})
        );
        assert_eq!(from_url(&annotation).unwrap()["url"], "https://t");
        assert_eq!(to_url(&json!({"type": "char_location"}), 0, 0), None);
        assert_eq!(from_url(&json!({"type": "file_citation"})), None);
    }

    #[test]
    fn only_real_ones_go_back() {
        let real = json!({"type": "char_location", "document_index": 0});
        let made_up = from_url(&json!({"url_citation": {"url": "https://t"}})).unwrap();
        let text = Text {
            citations: vec![json!({"start": 1, "sources": []}), real.clone(), made_up],
            ..Text::default()
        };
        assert_eq!(own(&text).collect::<Vec<_>>(), [&real]);
    }
}
