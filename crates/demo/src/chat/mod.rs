//! `POST /v1/chat/completions`: the demo model repeats what it was told, or calls a tool.
//!
//! | asked for | answered |
//! |---|---|
//! | a tool, by `tool_choice`, by its name in the last user text, or by the word "tool" there | a call with the smallest arguments its schema takes |
//! | (the last message is a tool's) | `The tool answered: ..` |
//! | `json_schema` | the smallest value of the schema |
//! | `json_object` | `{"said":".."}` |
//! | anything else | `I see 1 image. You said: ..` |

pub(crate) mod request;
mod write;

use crate::fields::{BadRequest, invalid, parse};
use crate::words::{self, Finish};
use crate::{Reply, schema};
use request::{Choice, Format, Message, Request, Role, Tool};
use serde_json::json;
use tidegate_core::id;

/// The longest text that is repeated, in characters.
const ECHO_CHARS: usize = 2_000;

pub(crate) fn answer(body: &[u8], now_s: u64) -> Result<Reply, BadRequest> {
    let request = Request::read(&parse(body)?)?;
    let said = say(&request)?;
    let head = write::Head {
        id: format!("chatcmpl-{}", id::derived(&format!("{now_s} {}", String::from_utf8_lossy(body)), 24)),
        created: now_s,
        model: &request.model,
    };
    Ok(if request.stream {
        write::stream(&head, &request, &said)
    } else {
        write::whole(&head, &request, &said)
    })
}

/// What the model has to say. Every choice says the same.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Text { text: String, finish: Finish },
    Call { tool: String, custom: bool, arguments: String },
}

impl Said {
    fn tokens(&self) -> usize {
        match self {
            Self::Text { text, .. } => words::count(text),
            Self::Call { tool, arguments, .. } => words::count(tool) + words::count(arguments),
        }
    }

    fn finish(&self) -> &'static str {
        match self {
            Self::Text { finish, .. } => finish.as_str(),
            Self::Call { .. } => "tool_calls",
        }
    }
}

fn say(request: &Request) -> Result<Said, BadRequest> {
    if let Some(tool) = wanted_tool(request) {
        return call(tool);
    }
    let text = match (&request.format, request.messages.last()) {
        (Format::JsonSchema(schema), _) => schema::instance(schema)
            .map_err(|schema::TooLarge| {
                invalid("response_format.json_schema.schema", "no small value fits this schema")
            })?
            .to_string(),
        (Format::JsonObject, _) => json!({"said": request.last_user_text(ECHO_CHARS)}).to_string(),
        (Format::Text, Some(message)) if message.role == Role::Tool => {
            format!("The tool answered: {}", words::shorten(&message.text, ECHO_CHARS))
        }
        (Format::Text, _) => echo(request),
    };
    let (text, finish) = words::cut(&text, &request.stop, request.max_tokens);
    Ok(Said::Text { text, finish })
}

fn call(tool: &Tool) -> Result<Said, BadRequest> {
    let arguments = match &tool.parameters {
        _ if tool.custom => "demo".to_owned(),
        None => "{}".to_owned(),
        Some(parameters) => schema::instance(parameters)
            .map_err(|schema::TooLarge| invalid(&tool.path, "no small value fits its parameters"))?
            .to_string(),
    };
    Ok(Said::Call { tool: tool.name.clone(), custom: tool.custom, arguments })
}

/// The tool to call, if one is. After a tool's answer only a named choice calls again, so that loops end.
fn wanted_tool(request: &Request) -> Option<&Tool> {
    let first = request.tools.first()?;
    let answered = request.messages.last().is_some_and(|message| message.role == Role::Tool);
    match &request.choice {
        Choice::None => None,
        Choice::Named(name) => request.tools.iter().find(|tool| tool.name == *name),
        Choice::Required | Choice::Auto if answered => None,
        Choice::Required => Some(first),
        Choice::Auto => {
            let text = request.last_user().map(|message| message.text.to_lowercase())?;
            let named = request.tools.iter().find(|tool| text.contains(&tool.name.to_lowercase()));
            named.or_else(|| text.contains("tool").then_some(first))
        }
    }
}

fn echo(request: &Request) -> String {
    let Some(message) = request.last_user() else { return "You said nothing.".to_owned() };
    let mut sentences = Vec::new();
    if let Some(seen) = attachments(message) {
        sentences.push(format!("I see {seen}."));
    }
    if !message.text.is_empty() {
        sentences.push(format!("You said: {}", words::shorten(&message.text, ECHO_CHARS)));
    }
    if sentences.is_empty() { "You said nothing.".to_owned() } else { sentences.join(" ") }
}

/// "1 image", "2 images and 1 file".
fn attachments(message: &Message) -> Option<String> {
    let kinds = [(message.images, "image"), (message.sounds, "sound"), (message.files, "file")];
    let counted: Vec<_> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    (!counted.is_empty()).then(|| counted.join(" and "))
}

#[cfg(test)]
mod tests;
