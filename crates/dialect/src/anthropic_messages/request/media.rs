//! Images and files as Anthropic's `image` and `document` blocks.

use std::borrow::Cow;

use tidegate_core::{ApiError, Warnings};

use crate::DialectId;
use crate::anthropic_messages::wire::{Block, Source};
use crate::chat::{self, File, Image};

const PDF: &str = "application/pdf";

/// An image part. A PDF given as an image, as some clients do, is a document.
///
/// # Errors
/// 400 at `param` for media the API does not take.
pub(super) fn image<'a>(
    image: &'a Image,
    origin: DialectId,
    param: &str,
    warnings: &mut Warnings,
) -> Result<Block<'a>, ApiError> {
    if image.detail.as_deref().is_some_and(|detail| detail != "auto") {
        warnings.dropped(format!("{param}.image_url.detail"));
    }
    let cache_control = image.cache.as_ref().map(|mark| &mark.0);
    let source = match &image.source {
        chat::Source::Inline { mime, data } if mime == PDF => {
            let source = Source::Base64 { media_type: PDF, data };
            return Ok(Block::Document {
                source,
                title: None,
                context: None,
                citations: None,
                cache_control,
            });
        }
        chat::Source::Inline { mime, data } if mime.starts_with("image/") => {
            let media_type = if mime == "image/jpg" { "image/jpeg" } else { mime };
            Source::Base64 { media_type, data }
        }
        chat::Source::Inline { mime, .. } => {
            let message = format!("an image must be JPEG, PNG, GIF or WebP; `{mime}` is none");
            return Err(ApiError::bad_request(param, message));
        }
        chat::Source::Url(url) => Source::Url { url },
        chat::Source::FileId(id) => file_id(id, origin, param)?,
        chat::Source::PlainText(_) => {
            return Err(ApiError::bad_request(param, "an image cannot be plain text"));
        }
    };
    Ok(Block::Image { source, cache_control })
}

/// A file part: PDF as it is, every kind of text as plain text.
///
/// # Errors
/// As [`image`].
pub(super) fn document<'a>(
    file: &'a File,
    origin: DialectId,
    param: &str,
    warnings: &mut Warnings,
) -> Result<Block<'a>, ApiError> {
    let source = match &file.source {
        chat::Source::Inline { mime, data } if mime == PDF => Source::Base64 { media_type: PDF, data },
        chat::Source::Inline { mime, data } if is_text(mime) => {
            if !mime.starts_with("text/plain") {
                warnings.push_note(tidegate_core::Verdict::Shaped, format!("{param}.file"), "text/plain");
            }
            Source::Text { media_type: "text/plain", data: Cow::Owned(decoded_text(data, param)?) }
        }
        chat::Source::Inline { mime, .. } => {
            let message = format!("Anthropic takes PDF and text files; `{mime}` is neither");
            return Err(ApiError::bad_request(param, message));
        }
        chat::Source::Url(url) => Source::Url { url },
        chat::Source::FileId(id) => file_id(id, origin, param)?,
        chat::Source::PlainText(text) => Source::Text { media_type: "text/plain", data: Cow::Borrowed(text) },
    };
    Ok(Block::Document {
        source,
        title: file.title.as_deref().or(file.name.as_deref()),
        context: file.context.as_deref(),
        citations: file.citations.as_ref(),
        cache_control: file.cache.as_ref().map(|mark| &mark.0),
    })
}

/// Files of another vendor do not exist at this one: its ids begin with `file_`, OpenAI's with `file-`.
fn file_id<'a>(id: &'a str, origin: DialectId, param: &str) -> Result<Source<'a>, ApiError> {
    if origin == DialectId::Anthropic || id.starts_with("file_") {
        return Ok(Source::File { file_id: id });
    }
    let message =
        format!("`{id}` is not a file of Anthropic's (its ids begin with `file_`); send the content instead");
    Err(ApiError::bad_request(param, message))
}

fn is_text(mime: &str) -> bool {
    let bare = mime.split(';').next().unwrap_or(mime).trim();
    bare.starts_with("text/") || matches!(bare, "application/json" | "application/xml" | "application/yaml")
}

fn decoded_text(data: &str, param: &str) -> Result<String, ApiError> {
    let bytes = bytes_of_base64(data)
        .ok_or_else(|| ApiError::bad_request(param, "the data of a file must be base64"))?;
    String::from_utf8(bytes).map_err(|_| ApiError::bad_request(param, "a text file must be UTF-8"))
}

/// Standard alphabet; missing padding is forgiven.
fn bytes_of_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for &digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
        }
    }
    // Six bits left over are one digit, which is never a whole byte.
    (held < 6).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn inline(mime: &str, data: &str) -> chat::Source {
        chat::Source::Inline { mime: mime.into(), data: data.into() }
    }

    fn write_image(source: chat::Source) -> Result<Value, ApiError> {
        let part = Image { source, detail: Some("auto".into()), cache: None };
        let block = image(&part, DialectId::OpenAi, "p", &mut Warnings::default())?;
        Ok(serde_json::to_value(block).unwrap())
    }

    fn write_file(source: chat::Source) -> Result<Value, ApiError> {
        let file =
            File { source, name: Some("n".into()), title: None, context: None, citations: None, cache: None };
        let block = document(&file, DialectId::OpenAi, "p", &mut Warnings::default())?;
        Ok(serde_json::to_value(block).unwrap())
    }

    #[test]
    fn images_by_source() {
        for (source, expected) in [
            (
                inline("image/jpg", "QQ=="),
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "QQ=="}}),
            ),
            (
                inline(PDF, "QQ=="),
                json!({"type": "document", "source": {"type": "base64", "media_type": PDF, "data": "QQ=="}}),
            ),
            (
                chat::Source::Url("https://x/y.png".into()),
                json!({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}),
            ),
            (
                chat::Source::FileId("file_01".into()),
                json!({"type": "image", "source": {"type": "file", "file_id": "file_01"}}),
            ),
        ] {
            assert_eq!(write_image(source).unwrap(), expected);
        }
    }

    #[test]
    fn files_by_source() {
        for (source, expected) in [
            (inline(PDF, "QQ=="), json!({"type": "base64", "media_type": PDF, "data": "QQ=="})),
            (inline("text/csv", "YSxi"), json!({"type": "text", "media_type": "text/plain", "data": "a,b"})),
            (
                chat::Source::PlainText("low".into()),
                json!({"type": "text", "media_type": "text/plain", "data": "low"}),
            ),
        ] {
            let expected = json!({"type": "document", "source": expected, "title": "n"});
            assert_eq!(write_file(source).unwrap(), expected);
        }
    }

    #[test]
    fn base64_of_every_length() {
        for (text, bytes) in
            [("", &b""[..]), ("Zg==", b"f"), ("Zm8", b"fo"), ("Zm9v", b"foo"), ("/+++", b"\xff\xef\xbe")]
        {
            assert_eq!(bytes_of_base64(text).as_deref(), Some(bytes), "{text}");
        }
        assert_eq!((bytes_of_base64("Zm9vY"), bytes_of_base64("Zm 9")), (None, None));
    }

    #[test]
    fn media_the_api_does_not_take_are_refused() {
        assert!(write_image(inline("audio/wav", "")).is_err());
        assert!(write_image(chat::Source::PlainText(String::new())).is_err());
        assert!(write_image(chat::Source::FileId("file-abc".into())).is_err());
        for source in [inline("application/zip", ""), inline("text/plain", "?"), inline("text/plain", "//8=")]
        {
            assert_eq!(write_file(source).unwrap_err().param.as_deref(), Some("p"));
        }
    }
}
