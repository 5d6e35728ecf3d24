//! Images, sounds and documents of a request, as Gemini parts.
//!
//! Bytes at hand go inline; addresses go as `fileData`, for the vendor to fetch. Nothing is fetched or decoded here.

use std::borrow::Cow;

use tidegate_core::{ApiError, Warnings};

use super::thinking::Generation;
use super::wire::{MediaResolution, Part, PartKind};
use crate::chat::{Audio, File, Image, Source};

const FILES_BASE: &str = "https://generativelanguage.googleapis.com/v1beta/";

/// `path` is where the image stands in the request (`messages[0].content[1]`).
pub(super) fn image<'a>(
    image: &'a Image,
    path: &str,
    generation: Generation,
    warnings: &mut Warnings,
) -> Result<Part<'a>, ApiError> {
    let mut part = source(&image.source, &format!("{path}.image_url.url"))?;
    if let Part::Made(made) = &mut part {
        made.media_resolution = resolution(image.detail.as_deref(), path, generation, warnings);
    }
    Ok(part)
}

pub(super) fn audio<'a>(audio: &'a Audio, path: &str, warnings: &mut Warnings) -> Result<Part<'a>, ApiError> {
    if !audio.data.is_empty() {
        let mime_type = audio_type(&audio.format);
        return Ok(PartKind::InlineData { mime_type, data: &audio.data }.into());
    }
    let Some(transcript) = &audio.transcript else {
        return Err(ApiError::bad_request(
            format!("{path}.audio"),
            "Gemini cannot look up audio of an earlier answer by id: send the sound as `input_audio`, or its text",
        ));
    };
    warnings.shaped(format!("{path}.audio"));
    Ok(Part::text(transcript.as_str()))
}

pub(super) fn file<'a>(file: &'a File, path: &str, warnings: &mut Warnings) -> Result<Part<'a>, ApiError> {
    let notes = [("filename", file.name.is_some()), ("title", file.title.is_some())];
    let settings = [("context", file.context.is_some()), ("citations", file.citations.is_some())];
    for (member, given) in notes.into_iter().chain(settings) {
        if given {
            warnings.dropped(format!("{path}.file.{member}"));
        }
    }
    source(&file.source, &format!("{path}.file"))
}

fn source<'a>(source: &'a Source, path: &str) -> Result<Part<'a>, ApiError> {
    let kind = match source {
        Source::Inline { mime, data } => PartKind::InlineData { mime_type: mime.into(), data },
        Source::Url(url) => {
            if !["https://", "http://", "gs://"].iter().any(|scheme| starts_with_ignoring_case(url, scheme)) {
                let message = "Gemini takes `https:` and `gs:` addresses, and `data:` URIs with base64";
                return Err(ApiError::bad_request(path, message));
            }
            PartKind::FileData { mime_type: type_of_name(url), file_uri: url.into() }
        }
        Source::FileId(id) if id.starts_with("files/") => {
            PartKind::FileData { mime_type: None, file_uri: format!("{FILES_BASE}{id}").into() }
        }
        Source::FileId(id) if id.starts_with("https://") || id.starts_with("gs://") => {
            PartKind::FileData { mime_type: type_of_name(id), file_uri: id.into() }
        }
        Source::FileId(_) => {
            let message = "this file id belongs to another vendor: Gemini takes its own (`files/abc`), an address, or \
                           the file's bytes as a `data:` URI";
            return Err(ApiError::bad_request(path, message));
        }
        Source::PlainText(text) => PartKind::Text(text.into()),
    };
    Ok(kind.into())
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The media type an address's extension stands for; Gemini looks for itself when there is none.
fn type_of_name(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "m4a" => "audio/m4a",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "mpeg" | "mpg" => "video/mpeg",
        _ => return None,
    })
}

fn audio_type(format: &str) -> Cow<'static, str> {
    match format {
        // Raw samples say their rate; this is the one of OpenAI's `pcm16`.
        "pcm16" => "audio/L16;rate=24000".into(),
        "mpeg" => "audio/mp3".into(),
        other => format!("audio/{other}").into(),
    }
}

fn resolution(
    detail: Option<&str>,
    path: &str,
    generation: Generation,
    warnings: &mut Warnings,
) -> Option<MediaResolution> {
    let level = match detail? {
        "auto" => return None,
        "low" => "MEDIA_RESOLUTION_LOW",
        "high" => "MEDIA_RESOLUTION_HIGH",
        _ => {
            warnings.dropped(format!("{path}.image_url.detail"));
            return None;
        }
    };
    if generation < Generation::V3 {
        warnings.dropped(format!("{path}.image_url.detail"));
        return None;
    }
    Some(MediaResolution { level })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(part: Result<Part<'_>, ApiError>) -> Value {
        serde_json::to_value(part.unwrap()).unwrap()
    }

    fn picture(source: Source, detail: Option<&str>) -> Image {
        Image { source, detail: detail.map(str::to_owned), cache: None }
    }

    #[test]
    fn sources_become_parts() {
        let inline = Source::Inline { mime: "image/png".into(), data: "aGk=".into() };
        for (source, expected) in [
            (inline, json!({"inlineData": {"mimeType": "image/png", "data": "aGk="}})),
            (
                Source::Url("https://example.com/a/Cat.JPG?size=1".into()),
                json!({"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.com/a/Cat.JPG?size=1"}}),
            ),
            (
                Source::Url("https://youtu.be/abc".into()),
                json!({"fileData": {"fileUri": "https://youtu.be/abc"}}),
            ),
            (
                Source::Url("gs://bucket/x.pdf".into()),
                json!({"fileData": {"mimeType": "application/pdf", "fileUri": "gs://bucket/x.pdf"}}),
            ),
            (
                Source::FileId("files/abc".into()),
                json!({"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}}),
            ),
            (Source::PlainText("note".into()), json!({"text": "note"})),
        ] {
            let image = picture(source, None);
            let mut warnings = Warnings::default();
            assert_eq!(written(super::image(&image, "p", Generation::V3, &mut warnings)), expected);
            assert!(warnings.is_empty());
        }
    }

    #[test]
    fn sources_of_others_are_refused() {
        for source in [Source::Url("file:///etc/passwd".into()), Source::FileId("file-123".into())] {
            let image = picture(source, None);
            let error =
                super::image(&image, "messages[0].content[1]", Generation::V3, &mut Warnings::default())
                    .unwrap_err();
            assert_eq!(error.status, 400);
            assert_eq!(error.param.as_deref(), Some("messages[0].content[1].image_url.url"));
        }
    }

    #[test]
    fn detail_needs_a_model_that_takes_it() {
        for (detail, generation, expected, warned) in [
            ("low", Generation::V3, json!({"level": "MEDIA_RESOLUTION_LOW"}), ""),
            ("high", Generation::V3, json!({"level": "MEDIA_RESOLUTION_HIGH"}), ""),
            ("auto", Generation::V3, Value::Null, ""),
            ("low", Generation::V2_5, Value::Null, "dropped;p.image_url.detail"),
            ("huge", Generation::V3, Value::Null, "dropped;p.image_url.detail"),
        ] {
            let image = picture(Source::Url("https://example.com/x".into()), Some(detail));
            let mut warnings = Warnings::default();
            let part = written(super::image(&image, "p", generation, &mut warnings));
            assert_eq!(part.get("mediaResolution").unwrap_or(&Value::Null), &expected, "{detail}");
            assert_eq!(warnings.header_value(), warned, "{detail}");
        }
    }

    #[test]
    fn sounds_are_inline_or_their_text() {
        let sound = |data: &str, format: &str, transcript: Option<&str>| Audio {
            data: data.into(),
            format: format.into(),
            transcript: transcript.map(str::to_owned),
            id: Some("audio_1".into()),
        };
        for (sound, expected, warned) in [
            (
                sound("AA==", "wav", None),
                json!({"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}),
                "",
            ),
            (
                sound("AA==", "pcm16", None),
                json!({"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "AA=="}}),
                "",
            ),
            (sound("", "", Some("said")), json!({"text": "said"}), "shaped;p.audio"),
        ] {
            let mut warnings = Warnings::default();
            assert_eq!(written(audio(&sound, "p", &mut warnings)), expected);
            assert_eq!(warnings.header_value(), warned);
        }
        let error = audio(&sound("", "", None), "p", &mut Warnings::default()).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("p.audio"));
    }

    #[test]
    fn members_of_a_document_without_a_place_are_reported() {
        let file = File {
            source: Source::Inline { mime: "application/pdf".into(), data: "JVBE".into() },
            name: Some("a.pdf".into()),
            title: None,
            context: None,
            citations: Some(json!({"enabled": true})),
            cache: None,
        };
        let mut warnings = Warnings::default();
        let part = written(super::file(&file, "p", &mut warnings));
        assert_eq!(part, json!({"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}}));
        assert_eq!(warnings.header_value(), "dropped;p.file.filename, dropped;p.file.citations");
    }
}
