//! One part of a message for an OpenAI-like provider.

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Warnings};

use super::super::media;
use crate::chat::{CacheMark, File, Image, Part, Source, Text};
use crate::{Adjust, DialectId, EncodeContext};

/// `None` for parts that are left out with a warning. `at` is the part's place in the client's request.
///
/// # Errors
/// 400 for what the model would have to see and the format cannot carry.
pub(super) fn part(
    at: &str,
    part: &Part,
    origin: DialectId,
    ctx: &EncodeContext<'_>,
    warnings: &mut Warnings,
) -> Result<Option<Value>, ApiError> {
    let written = match part {
        Part::Text(part) => text(at, part, origin, ctx.adjust, warnings),
        Part::Image(part) => mark(at, image(at, part)?, part.cache.as_ref(), ctx.adjust, warnings),
        Part::Audio(audio) if !audio.data.is_empty() => {
            json!({"type": "input_audio", "input_audio": {"data": audio.data, "format": audio.format}})
        }
        Part::File(part) => {
            let written = file(at, part, origin, warnings)?;
            mark(at, written, part.cache.as_ref(), ctx.adjust, warnings)
        }
        Part::Opaque { origin: DialectId::OpenAi, block } => block.clone(),
        Part::Audio(_)
        | Part::Reasoning(_)
        | Part::RedactedReasoning { .. }
        | Part::Refusal(_)
        | Part::ToolCall(_)
        | Part::ToolResult(_)
        | Part::Opaque { .. } => {
            warnings.dropped(at);
            return Ok(None);
        }
    };
    Ok(Some(written))
}

pub(super) fn text(
    at: &str,
    text: &Text,
    origin: DialectId,
    adjust: &Adjust,
    warnings: &mut Warnings,
) -> Value {
    let mut written = Map::new();
    written.insert("type".to_owned(), json!("text"));
    written.insert("text".to_owned(), json!(text.text));
    for (key, value) in &text.extra {
        if origin == DialectId::OpenAi {
            written.insert(key.clone(), value.clone());
        } else {
            warnings.dropped(format!("{at}.{key}"));
        }
    }
    mark(at, Value::Object(written), text.cache.as_ref(), adjust, warnings)
}

fn mark(
    at: &str,
    mut written: Value,
    cache: Option<&CacheMark>,
    adjust: &Adjust,
    warnings: &mut Warnings,
) -> Value {
    match (cache, written.as_object_mut()) {
        (Some(mark), Some(members)) if adjust.cache_control => {
            members.insert("cache_control".to_owned(), mark.0.clone());
        }
        (Some(_), _) => warnings.dropped(format!("{at}.cache_control")),
        (None, _) => {}
    }
    written
}

fn image(at: &str, image: &Image) -> Result<Value, ApiError> {
    let url = match &image.source {
        Source::Inline { mime, data } => media::data_uri(mime, data),
        Source::Url(url) => url.clone(),
        Source::FileId(_) | Source::PlainText(_) => {
            return Err(ApiError::bad_request(
                at,
                format!("{at}: this provider takes images as a URL or inline as base64, not by file id"),
            ));
        }
    };
    let mut written = Map::from_iter([("url".to_owned(), Value::String(url))]);
    if let Some(detail) = &image.detail {
        written.insert("detail".to_owned(), json!(detail));
    }
    Ok(json!({"type": "image_url", "image_url": written}))
}

/// Plain text documents become text, with their title as a heading.
fn file(at: &str, file: &File, origin: DialectId, warnings: &mut Warnings) -> Result<Value, ApiError> {
    if file.citations.is_some() {
        warnings.dropped(format!("{at}.citations"));
    }
    let name = file.name.as_deref().or(file.title.as_deref());
    match &file.source {
        Source::PlainText(text) => {
            let heading = [file.title.as_deref(), file.context.as_deref()];
            let lines: Vec<&str> = heading.into_iter().flatten().chain([text.as_str()]).collect();
            warnings.shaped(at);
            Ok(json!({"type": "text", "text": lines.join("\n\n")}))
        }
        Source::Inline { mime, data } => {
            if file.context.is_some() {
                warnings.dropped(format!("{at}.context"));
            }
            let name = file_name(name, mime);
            let data = media::data_uri(mime, data);
            Ok(json!({"type": "file", "file": {"filename": name, "file_data": data}}))
        }
        Source::FileId(id) if origin == DialectId::OpenAi => {
            Ok(json!({"type": "file", "file": {"file_id": id}}))
        }
        Source::Url(url) if origin == DialectId::OpenAi => {
            Ok(json!({"type": "file", "file": {"file_url": url}}))
        }
        Source::FileId(_) => Err(ApiError::bad_request(
            at,
            format!("{at}: the file id is another vendor's: send the document inline as base64"),
        )),
        Source::Url(_) => Err(ApiError::bad_request(
            at,
            format!("{at}: this provider takes documents inline as base64, not by URL"),
        )),
    }
}

/// OpenAI requires a name and goes by its ending; titles have none.
fn file_name(name: Option<&str>, mime: &str) -> String {
    let name = name.unwrap_or("document");
    let ending = match mime {
        "application/pdf" => ".pdf",
        "text/plain" => ".txt",
        _ => "",
    };
    if name.contains('.') { name.to_owned() } else { format!("{name}{ending}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Audio, Extra};

    fn write(
        part_: Part,
        origin: DialectId,
        cache_control: bool,
    ) -> (Result<Option<Value>, ApiError>, String) {
        let adjust = Adjust { cache_control, ..Adjust::default() };
        let ctx = EncodeContext { provider: "vendor", adjust: &adjust, max_output_tokens: None };
        let mut warnings = Warnings::default();
        let written = part("p", &part_, origin, &ctx, &mut warnings);
        (written, warnings.header_value())
    }

    fn document(source: Source) -> File {
        File { source, name: None, title: None, context: None, citations: None, cache: None }
    }

    fn pdf() -> Source {
        Source::Inline { mime: "application/pdf".into(), data: "QUJD".into() }
    }

    #[test]
    fn parts_are_written_with_their_losses() {
        use DialectId::{Anthropic, OpenAi};
        let cache = || Some(CacheMark(json!({"type": "ephemeral"})));
        let extra: Extra = json!({"x": 1}).as_object().unwrap().clone();
        let url = || Source::Url("https://x.example/a".into());
        let audio = Audio { data: "QUJD".into(), format: "wav".into(), transcript: None, id: None };
        let titled = File {
            title: Some("T".into()),
            context: Some("C".into()),
            citations: Some(json!({"enabled": true})),
            ..document(Source::PlainText("body".into()))
        };
        let image = Image { source: url(), detail: Some("low".into()), cache: cache() };
        let image_written =
            json!({"type": "image_url", "image_url": {"url": "https://x.example/a", "detail": "low"}});
        let pdf_written = |name: &str| {
            json!({"type": "file", "file":
                {"filename": name, "file_data": "data:application/pdf;base64,QUJD"}})
        };
        for (part, origin, want, warnings) in [
            (
                Part::Text(Text { text: "a".into(), extra: extra.clone(), ..Text::default() }),
                OpenAi,
                Some(json!({"type": "text", "text": "a", "x": 1})),
                "",
            ),
            (
                Part::Text(Text { text: "a".into(), extra, ..Text::default() }),
                Anthropic,
                Some(json!({"type": "text", "text": "a"})),
                "dropped;p.x",
            ),
            (Part::Image(image), OpenAi, Some(image_written), "dropped;p.cache_control"),
            (
                Part::Audio(audio),
                OpenAi,
                Some(json!({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}})),
                "",
            ),
            (Part::File(document(pdf())), Anthropic, Some(pdf_written("document.pdf")), ""),
            (
                Part::File(File { title: Some("Tides".into()), ..document(pdf()) }),
                Anthropic,
                Some(pdf_written("Tides.pdf")),
                "",
            ),
            (
                Part::File(File { name: Some("n.pdf".into()), ..document(pdf()) }),
                OpenAi,
                Some(pdf_written("n.pdf")),
                "",
            ),
            (
                Part::File(titled),
                Anthropic,
                Some(json!({"type": "text", "text": "T\n\nC\n\nbody"})),
                "dropped;p.citations, shaped;p",
            ),
            (
                Part::File(document(Source::FileId("f".into()))),
                OpenAi,
                Some(json!({"type": "file", "file": {"file_id": "f"}})),
                "",
            ),
            (
                Part::Opaque { origin: OpenAi, block: json!({"type": "v"}) },
                OpenAi,
                Some(json!({"type": "v"})),
                "",
            ),
            (Part::Opaque { origin: Anthropic, block: json!({"type": "v"}) }, Anthropic, None, "dropped;p"),
        ] {
            let (written, got) = write(part.clone(), origin, false);
            assert_eq!((written.unwrap(), got.as_str()), (want, warnings), "{part:?}");
        }
    }

    #[test]
    fn cache_marks_go_to_vendors_that_read_them() {
        let cache = Some(CacheMark(json!({"type": "ephemeral"})));
        let (written, warnings) =
            write(Part::File(File { cache, ..document(pdf()) }), DialectId::Anthropic, true);
        assert_eq!(written.unwrap().unwrap()["cache_control"], json!({"type": "ephemeral"}));
        assert_eq!(warnings, "");
    }

    #[test]
    fn sources_of_other_vendors_are_refused() {
        let image = Image { source: Source::FileId("f".into()), detail: None, cache: None };
        for part in [
            Part::Image(image),
            Part::File(document(Source::FileId("f".into()))),
            Part::File(document(Source::Url("https://x.example/a.pdf".into()))),
        ] {
            let error = write(part.clone(), DialectId::Anthropic, false).0.unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some("p")), "{part:?}");
        }
    }
}
