//! `containsCode`: a fenced block whose tag stands for the asked language. Blocks without a tag do not count.

use serde_json::json;

use super::{CheckError, Finding, Parameters, Scene};
use crate::js;
use crate::text::NoText;

/// Tags of fences and the formats they stand for. Any other tag stands for itself.
const FORMATS: [(&str, &str); 31] = [
    ("c", "C"),
    ("cpp", "C++"),
    ("cs", "C#"),
    ("css", "CSS"),
    ("dockerfile", "Dockerfile"),
    ("go", "Go"),
    ("gyp", "Python"),
    ("html", "HTML"),
    ("java", "Java"),
    ("javascript", "JavaScript"),
    ("js", "JavaScript"),
    ("json", "JSON"),
    ("jsx", "JavaScript"),
    ("kt", "Kotlin"),
    ("md", "Markdown"),
    ("php", "PHP"),
    ("pl", "Perl"),
    ("py", "Python"),
    ("python", "Python"),
    ("r", "R"),
    ("rb", "Ruby"),
    ("rs", "Rust"),
    ("scala", "Scala"),
    ("sh", "Shell"),
    ("sql", "SQL"),
    ("swift", "Swift"),
    ("ts", "TypeScript"),
    ("tsx", "TypeScript"),
    ("typescript", "TypeScript"),
    ("xml", "XML"),
    ("yml", "YAML"),
];

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let (text, not) = (scene.text()?, parameters.not());
    let Some(format) = parameters.text("format") else {
        return Ok(failed("Missing required parameter: format", &text, parameters));
    };
    if text.is_empty() {
        return Ok(failed("No text content to analyze", &text, parameters));
    }
    let found: Vec<String> = tags(&text).into_iter().map(format_of).collect();
    let holds = found.iter().any(|name| name == format);
    let explanation = match (holds, not) {
        _ if found.is_empty() => "No code blocks found in the text".to_owned(),
        (true, false) => format!("Found code block(s) in {format} format"),
        (true, true) => format!("Found code block(s) in {format} format when none were expected"),
        (false, false) => format!("No code blocks in {format} format found"),
        (false, true) => format!("No code blocks in {format} format found as expected"),
    };
    let data = json!({
        "explanation": explanation,
        "searchedFormat": format,
        "not": not,
        "foundFormats": found,
        "textExcerpt": js::excerpt(&text),
    });
    Ok(Finding::new(holds != not, data))
}

/// Tags of the fenced blocks: directly after the ticks, with the code on lines of its own.
fn tags(text: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("```") {
        let is_tag = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (tag, code) = after.split_at(after.find(|c| !is_tag(c)).unwrap_or(after.len()));
        match code.strip_prefix('\n').filter(|_| !tag.is_empty()) {
            Some(code) => {
                // Without an end, no later block has one either.
                let Some((_, after)) = code.split_once("\n```") else { break };
                tags.push(tag);
                rest = after;
            }
            // The ticks may be the end of a longer run.
            None => rest = &rest[rest.len() - after.len() - 2..],
        }
    }
    tags
}

fn format_of(tag: &str) -> String {
    let tag = tag.to_ascii_lowercase();
    FORMATS.iter().find(|(known, _)| *known == tag).map_or(tag, |(_, format)| (*format).to_owned())
}

fn failed(reason: &str, text: &str, parameters: &Parameters) -> Finding {
    let data = js::object([
        ("explanation", Some(format!("Error while checking for code blocks: {reason}").into())),
        ("searchedFormat", parameters.copy("format")),
        ("not", Some(parameters.not().into())),
        ("textExcerpt", Some(js::excerpt_or_none(text).into())),
    ]);
    Finding::failed(CheckError::new(reason), data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_from_whole_blocks() {
        for (text, expected) in [
            ("```py\nx\n```", vec!["py"]),
            ("```rust\nx\n```\n```js\ny\n```", vec!["rust", "js"]),
            ("````py\nx\n```", vec!["py"]),
            ("```\nx\n```", vec![]),
            ("```py x```", vec![]),
            ("```c++\nx\n```", vec![]),
            ("```py\n```", vec![]),
            ("```py\nx", vec![]),
        ] {
            assert_eq!(tags(text), expected, "{text}");
        }
    }
}
