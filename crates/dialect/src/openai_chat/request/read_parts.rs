//! One part of a message's content. Types of OpenAI's reference are understood, and those in which other vendors' chat
//! APIs carry reasoning; a type that only some vendor knows stays as it is.

use serde_json::{Map, Value};
use tidegate_core::{ApiError, Verdict, Warning};

use super::super::member::{Place, take, take_text};
use super::super::{media, reasoning};
use super::read_messages::ORIGIN;
use crate::chat::{Audio, CacheMark, File, Image, Part, Source, Text};

/// # Errors
/// 400 naming the first member that is wrong.
pub(super) fn part(at: &Place<'_>, value: Value, warnings: &mut Vec<Warning>) -> Result<Part, ApiError> {
    let mut members = match value {
        Value::Object(members) => members,
        // Not in the reference, but sent by clients that build lists of strings.
        Value::String(text) => return Ok(Part::text(text)),
        other => return Err(at.wrong("an object with a type", &other)),
    };
    let kind = at.name("type").word(members.get("type").cloned())?;
    let part = match kind.as_str() {
        "text" => return text(at, members),
        "image_url" => image(at, &mut members, warnings)?,
        "input_audio" => audio(&at.name("input_audio"), &mut members, warnings)?,
        "file" => file(at, &mut members, warnings)?,
        "refusal" => Part::Refusal(at.name("refusal").word(take(&mut members, "refusal"))?),
        "thinking" | "redacted_thinking" => return Ok(reasoning::part_of_block(Value::Object(members))),
        _ => return Ok(Part::Opaque { origin: ORIGIN, block: Value::Object(members) }),
    };
    members.shift_remove("type");
    report_rest(at, &members, warnings);
    Ok(part)
}

fn text(at: &Place<'_>, mut members: Map<String, Value>) -> Result<Part, ApiError> {
    members.shift_remove("type");
    let text = match take(&mut members, "text") {
        Some(text) => at.name("text").string(text)?,
        None => return Err(at.name("text").missing()),
    };
    let cache = take_cache(&mut members);
    members.retain(|_, value| !value.is_null());
    Ok(Part::Text(Text { text, cache, extra: members, ..Text::default() }))
}

/// `image_url` as an object, or as the bare URL that Mistral also takes.
fn image(
    at: &Place<'_>,
    members: &mut Map<String, Value>,
    warnings: &mut Vec<Warning>,
) -> Result<Part, ApiError> {
    let cache = take_cache(members);
    let at = at.name("image_url");
    let (url, detail) = match take(members, "image_url") {
        Some(Value::String(url)) => (url, None),
        value => {
            let mut image = at.required_object(value)?;
            let url = at.name("url").word(take(&mut image, "url"))?;
            let detail =
                take(&mut image, "detail").map(|value| at.name("detail").string(value)).transpose()?;
            report_rest(&at, &image, warnings);
            (url, detail)
        }
    };
    let at = at.name("url");
    let source = media::source(url).map_err(|wanted| at.refuse(format!("'{at}' must be {wanted}")))?;
    Ok(Part::Image(Image { source, detail, cache }))
}

fn audio(
    at: &Place<'_>,
    members: &mut Map<String, Value>,
    warnings: &mut Vec<Warning>,
) -> Result<Part, ApiError> {
    let mut audio = at.required_object(take(members, "input_audio"))?;
    let data = at.name("data").word(take(&mut audio, "data"))?;
    let format = at.name("format").word(take(&mut audio, "format"))?;
    report_rest(at, &audio, warnings);
    Ok(Part::Audio(Audio { data, format, transcript: None, id: None }))
}

/// OpenAI's `file_id`, or `filename` with `file_data`; and Portkey's `file_name`, `file_url` and `mime_type`.
fn file(
    at: &Place<'_>,
    members: &mut Map<String, Value>,
    warnings: &mut Vec<Warning>,
) -> Result<Part, ApiError> {
    let cache = take_cache(members);
    let at = at.name("file");
    let mut file = at.required_object(take(members, "file"))?;
    let name = take_text(&mut file, "filename").or_else(|| take_text(&mut file, "file_name"));
    let mime = take_text(&mut file, "mime_type");
    let source = if let Some(data) = take(&mut file, "file_data") {
        let at = at.name("file_data");
        inline(&at, at.string(data)?, mime.as_deref(), name.as_deref())?
    } else if let Some(id) = take(&mut file, "file_id") {
        Source::FileId(at.name("file_id").string(id)?)
    } else if let Some(url) = take(&mut file, "file_url") {
        let at = at.name("file_url");
        media::source(at.string(url)?).map_err(|wanted| at.refuse(format!("'{at}' must be {wanted}")))?
    } else {
        return Err(at.refuse(format!("'{at}' must have 'file_data' with 'filename', or 'file_id'")));
    };
    report_rest(&at, &file, warnings);
    Ok(Part::File(File { source, name, title: None, context: None, citations: None, cache }))
}

/// A `data:` URI, or bare base64 whose type is told by `mime_type` or by the name.
fn inline(at: &Place<'_>, data: String, mime: Option<&str>, name: Option<&str>) -> Result<Source, ApiError> {
    if data.starts_with("data:") {
        return media::source(data).map_err(|wanted| at.refuse(format!("'{at}' must be {wanted}")));
    }
    let extension = name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    let by_name = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("pdf") => Some("application/pdf"),
        Some("txt" | "md") => Some("text/plain"),
        _ => None,
    };
    match mime.or(by_name) {
        Some(mime) => Ok(Source::Inline { mime: mime.to_owned(), data }),
        None => Err(at.refuse(format!("'{at}' must be a data URI (data:application/pdf;base64,<data>)"))),
    }
}

fn take_cache(members: &mut Map<String, Value>) -> Option<CacheMark> {
    take(members, "cache_control").map(CacheMark)
}

/// Members of a part that the neutral form has no place for.
fn report_rest(at: &Place<'_>, members: &Map<String, Value>, warnings: &mut Vec<Warning>) {
    for (name, value) in members {
        if !value.is_null() {
            let param = at.name(name).to_string();
            warnings.push(Warning { verdict: Verdict::Dropped, param, note: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> (Result<Part, ApiError>, Vec<String>) {
        let mut warnings = Vec::new();
        let part = part(&Place::top("p"), value, &mut warnings);
        (part, warnings.into_iter().map(|warning| warning.param).collect())
    }

    fn png() -> Source {
        Source::Inline { mime: "image/png".into(), data: "QUJD".into() }
    }

    fn document(source: Source, name: Option<&str>) -> Part {
        let name = name.map(str::to_owned);
        Part::File(File { source, name, title: None, context: None, citations: None, cache: None })
    }

    #[test]
    fn parts_of_each_type() {
        let pdf = || Source::Inline { mime: "application/pdf".into(), data: "QUJD".into() };
        let mark = || Some(CacheMark(json!({"type": "ephemeral"})));
        let extra = json!({"prompt_cache_breakpoint": {"mode": "explicit"}});
        let audio = Audio { data: "QUJD".into(), format: "wav".into(), transcript: None, id: None };
        let video = json!({"type": "video_url", "video_url": {"url": "https://x.example"}});
        for (value, want) in [
            (json!("bare"), Part::text("bare")),
            (
                json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"},
                    "prompt_cache_breakpoint": {"mode": "explicit"}}),
                Part::Text(Text {
                    text: "a".into(),
                    cache: mark(),
                    extra: extra.as_object().unwrap().clone(),
                    ..Text::default()
                }),
            ),
            (
                json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"},
                    "cache_control": {"type": "ephemeral"}}),
                Part::Image(Image { source: png(), detail: Some("low".into()), cache: mark() }),
            ),
            (
                json!({"type": "image_url", "image_url": "data:image/png;base64,QUJD"}),
                Part::Image(Image { source: png(), detail: None, cache: None }),
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}),
                Part::Audio(audio),
            ),
            (
                json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}),
                document(pdf(), Some("a.pdf")),
            ),
            (
                json!({"type": "file", "file": {"file_name": "a.PDF", "file_data": "QUJD"}}),
                document(pdf(), Some("a.PDF")),
            ),
            (
                json!({"type": "file", "file": {"mime_type": "application/pdf", "file_data": "QUJD"}}),
                document(pdf(), None),
            ),
            (json!({"type": "file", "file": {"file_id": "f"}}), document(Source::FileId("f".into()), None)),
            (
                json!({"type": "file", "file": {"file_url": "https://x.example/a.pdf"}}),
                document(Source::Url("https://x.example/a.pdf".into()), None),
            ),
            (json!({"type": "refusal", "refusal": "no"}), Part::Refusal("no".into())),
            (video.clone(), Part::Opaque { origin: ORIGIN, block: video }),
        ] {
            let (part, warnings) = read(value.clone());
            assert_eq!(part.unwrap(), want, "{value}");
            assert!(warnings.is_empty(), "{value}: {warnings:?}");
        }
    }

    #[test]
    fn members_without_a_place_are_reported() {
        let image =
            json!({"type": "image_url", "image_url": {"url": "https://x.example", "format": "png"}, "x": 1});
        let (part, warnings) = read(image);
        assert!(part.is_ok());
        assert_eq!(warnings, ["p.image_url.format", "p.x"]);
    }

    #[test]
    fn wrong_parts_are_named() {
        for (value, param, message) in [
            (json!(7), "p", "'p' must be an object with a type, not a number"),
            (json!({"text": "a"}), "p.type", "'p.type' is required"),
            (json!({"type": "text"}), "p.text", "'p.text' is required"),
            (json!({"type": "image_url"}), "p.image_url", "'p.image_url' is required"),
            (
                json!({"type": "image_url", "image_url": {}}),
                "p.image_url.url",
                "'p.image_url.url' is required",
            ),
            (
                json!({"type": "image_url", "image_url": {"url": "a.png"}}),
                "p.image_url.url",
                "'p.image_url.url' must be an https URL or a data URI (data:<type>;base64,<data>)",
            ),
            (
                json!({"type": "input_audio", "input_audio": {"data": "x"}}),
                "p.input_audio.format",
                "'p.input_audio.format' is required",
            ),
            (
                json!({"type": "file", "file": {"filename": "a"}}),
                "p.file",
                "'p.file' must have 'file_data' with 'filename', or 'file_id'",
            ),
            (
                json!({"type": "file", "file": {"file_data": "QUJD"}}),
                "p.file.file_data",
                "'p.file.file_data' must be a data URI (data:application/pdf;base64,<data>)",
            ),
        ] {
            let error = read(value.clone()).0.unwrap_err();
            assert_eq!((error.param.as_deref(), error.message.as_str()), (Some(param), message), "{value}");
        }
    }
}
