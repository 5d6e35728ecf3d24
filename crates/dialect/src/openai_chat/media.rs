//! Images, files and sounds: OpenAI puts their bytes into `data:` URIs, the neutral form keeps type and base64 apart.

use serde_json::{Map, Value, json};

use super::member::take_text;
use crate::chat::{Audio, Image, Part, Source};

/// Reads a URL or `data:` URI. The error says what it must be.
pub(super) fn source(mut url: String) -> Result<Source, &'static str> {
    if !url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return if url.contains("://") {
            Ok(Source::Url(url))
        } else {
            Err("an https URL or a data URI (data:<type>;base64,<data>)")
        };
    }
    let comma = url.find(',').ok_or("a data URI with a comma before its data")?;
    let data = url.split_off(comma + 1);
    let mut header = url[5..comma].split(';');
    let mime = header.next().filter(|mime| !mime.is_empty()).unwrap_or("text/plain").to_owned();
    if !header.any(|parameter| parameter.trim().eq_ignore_ascii_case("base64")) {
        return Err("a data URI in base64 (data:<type>;base64,<data>)");
    }
    Ok(Source::Inline { mime, data })
}

pub(super) fn data_uri(mime: &str, data: &str) -> String {
    let mut uri = String::with_capacity(data.len() + mime.len() + 13);
    uri.push_str("data:");
    uri.push_str(mime);
    uri.push_str(";base64,");
    uri.push_str(data);
    uri
}

/// A generated image in an answer: `{"type":"image_url","image_url":{"url"}}`, or the same with a bare string.
pub(super) fn answered_image(block: &Value) -> Option<Part> {
    let image = block.get("image_url")?;
    let url = image.as_str().or_else(|| image.get("url")?.as_str())?;
    let source = source(url.to_owned()).ok()?;
    Some(Part::Image(Image { source, detail: None, cache: None }))
}

/// The same image on its way to a client; `None` when its bytes are not at hand.
pub(super) fn image_block(image: &Image) -> Option<Value> {
    let url = match &image.source {
        Source::Inline { mime, data } => data_uri(mime, data),
        Source::Url(url) => url.clone(),
        Source::FileId(_) | Source::PlainText(_) => return None,
    };
    Some(json!({"type": "image_url", "image_url": {"url": url}}))
}

/// `audio` of an answer, or a piece of it in a stream: `{id, data, transcript, expires_at}`. OpenAI does not repeat the
/// format, which is the one the request named; streams are always `pcm16`.
pub(super) fn answered_audio(mut audio: Map<String, Value>, format: &str) -> Part {
    Part::Audio(Audio {
        data: take_text(&mut audio, "data").unwrap_or_default(),
        format: format.to_owned(),
        transcript: take_text(&mut audio, "transcript"),
        id: take_text(&mut audio, "id"),
    })
}

pub(super) fn audio_member(audio: &Audio) -> Value {
    let mut member = Map::new();
    if let Some(id) = &audio.id {
        member.insert("id".to_owned(), Value::from(id.as_str()));
    }
    if !audio.data.is_empty() {
        member.insert("data".to_owned(), Value::from(audio.data.as_str()));
    }
    if let Some(transcript) = &audio.transcript {
        member.insert("transcript".to_owned(), Value::from(transcript.as_str()));
    }
    Value::Object(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_data_uris_are_told_apart() {
        let inline = |mime: &str, data: &str| Source::Inline { mime: mime.to_owned(), data: data.to_owned() };
        for (url, want) in [
            ("https://x.example/a.png", Ok(Source::Url("https://x.example/a.png".to_owned()))),
            ("gs://bucket/a.png", Ok(Source::Url("gs://bucket/a.png".to_owned()))),
            ("data:image/png;base64,QUJD", Ok(inline("image/png", "QUJD"))),
            ("DATA:image/png;name=a;BASE64,QUJD", Ok(inline("image/png", "QUJD"))),
            ("data:;base64,QUJD", Ok(inline("text/plain", "QUJD"))),
            ("data:image/png,raw", Err("a data URI in base64 (data:<type>;base64,<data>)")),
            ("data:image/png", Err("a data URI with a comma before its data")),
            ("é", Err("an https URL or a data URI (data:<type>;base64,<data>)")),
            ("", Err("an https URL or a data URI (data:<type>;base64,<data>)")),
        ] {
            assert_eq!(source(url.to_owned()), want, "{url}");
        }
        assert_eq!(data_uri("image/png", "QUJD"), "data:image/png;base64,QUJD");
    }
}
