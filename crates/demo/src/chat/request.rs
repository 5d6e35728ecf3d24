//! The part of a chat request that the demo model looks at, checked.

use crate::fields::{BadRequest, Fields, invalid};
use crate::words;
use serde_json::Value;

#[derive(Debug)]
pub(super) struct Request {
    pub(super) model: String,
    pub(super) messages: Vec<Message>,
    pub(super) n: usize,
    /// In words.
    pub(super) max_tokens: Option<usize>,
    pub(super) stop: Vec<String>,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    /// `Some` when log probabilities are wanted: how many alternatives for each token.
    pub(super) logprobs: Option<usize>,
    pub(super) format: Format,
    pub(super) tools: Vec<Tool>,
    pub(super) choice: Choice,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) role: Role,
    /// All text parts, joined by spaces.
    pub(super) text: String,
    pub(super) images: usize,
    pub(super) sounds: usize,
    pub(super) files: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Instructions,
    User,
    Assistant,
    Tool,
}

#[derive(Debug)]
pub(super) enum Format {
    Text,
    JsonObject,
    JsonSchema(Value),
}

#[derive(Debug)]
pub(super) struct Tool {
    /// `tools[1].function`, for errors.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) parameters: Option<Value>,
    /// Takes free text instead of JSON.
    pub(super) custom: bool,
}

#[derive(Debug)]
pub(super) enum Choice {
    None,
    Auto,
    Required,
    Named(String),
}

impl Request {
    pub(super) fn read(body: &Value) -> Result<Self, BadRequest> {
        let fields = Fields::of(body, "")?;
        let stream = fields.flag("stream")?;
        let top = fields.count("top_logprobs", 0..=20)?;
        let logprobs = fields.flag("logprobs")?;
        let options = fields.object("stream_options")?;
        if top.is_some() && !logprobs {
            return Err(invalid("top_logprobs", "needs 'logprobs' to be true"));
        }
        if options.is_some() && !stream {
            return Err(invalid("stream_options", "is only allowed when 'stream' is true"));
        }
        if fields.get("functions").is_some() {
            return Err(invalid("functions", "the demo model takes 'tools' instead"));
        }
        let mut tools = tools(&fields)?;
        let choice = choice(&fields, &mut tools)?;
        Ok(Self {
            model: fields.required_text("model")?.to_owned(),
            messages: messages(&fields)?,
            n: fields.count("n", 1..=16)?.unwrap_or(1),
            max_tokens: match fields.count("max_completion_tokens", 1..=u64::MAX)? {
                None => fields.count("max_tokens", 1..=u64::MAX)?,
                some => some,
            },
            stop: stops(&fields)?,
            stream,
            include_usage: options.map_or(Ok(false), |options| options.flag("include_usage"))?,
            logprobs: logprobs.then(|| top.unwrap_or(0)),
            format: format(&fields)?,
            tools,
            choice,
        })
    }

    pub(super) fn last_user(&self) -> Option<&Message> {
        self.messages.iter().rfind(|message| message.role == Role::User)
    }

    pub(super) fn last_user_text(&self, max_chars: usize) -> String {
        self.last_user().map(|message| words::shorten(&message.text, max_chars)).unwrap_or_default()
    }

    pub(super) fn prompt_tokens(&self) -> usize {
        self.messages.iter().map(|m| words::count(&m.text) + m.images + m.sounds + m.files).sum()
    }
}

/// Up to four, as at OpenAI; none empty.
pub(crate) fn stops(fields: &Fields<'_>) -> Result<Vec<String>, BadRequest> {
    let stops = fields.texts("stop")?;
    if stops.len() > 4 || stops.iter().any(String::is_empty) {
        return Err(invalid(&fields.path("stop"), "takes at most 4 strings, none of them empty"));
    }
    Ok(stops)
}

fn messages(fields: &Fields<'_>) -> Result<Vec<Message>, BadRequest> {
    if fields.get("messages").is_none() {
        return Err(fields.missing("messages"));
    }
    let list = fields.list("messages")?;
    if list.is_empty() {
        return Err(invalid("messages", "must hold at least one message"));
    }
    list.into_iter().map(|(value, path)| message(&Fields::of(value, path)?)).collect()
}

fn message(fields: &Fields<'_>) -> Result<Message, BadRequest> {
    let role = match fields.required_text("role")? {
        "system" | "developer" => Role::Instructions,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => {
            let wanted = "must be 'system', 'developer', 'user', 'assistant' or 'tool'";
            return Err(invalid(&fields.path("role"), wanted));
        }
    };
    if role == Role::Tool {
        fields.required_text("tool_call_id")?;
    }
    let mut message = Message { role, text: String::new(), images: 0, sounds: 0, files: 0 };
    match fields.get("content") {
        Some(Value::String(text)) => message.text.clone_from(text),
        Some(Value::Array(_)) => parts(fields, &mut message)?,
        None if role == Role::Assistant => {}
        None => return Err(fields.missing("content")),
        Some(_) => return Err(invalid(&fields.path("content"), "must be a string or a list of parts")),
    }
    Ok(message)
}

fn parts(fields: &Fields<'_>, message: &mut Message) -> Result<(), BadRequest> {
    for (value, path) in fields.list("content")? {
        let part = Fields::of(value, path)?;
        match part.required_text("type")? {
            kind @ ("text" | "refusal") => {
                if !message.text.is_empty() {
                    message.text.push(' ');
                }
                message.text.push_str(part.required_text(kind)?);
            }
            "image_url" => {
                part.object("image_url")?.ok_or_else(|| part.missing("image_url"))?.required_text("url")?;
                message.images += 1;
            }
            "input_audio" => message.sounds += 1,
            "file" => message.files += 1,
            _ => {
                let wanted = "must be 'text', 'image_url', 'input_audio' or 'file'";
                return Err(invalid(&part.path("type"), wanted));
            }
        }
    }
    Ok(())
}

fn format(fields: &Fields<'_>) -> Result<Format, BadRequest> {
    let Some(format) = fields.object("response_format")? else { return Ok(Format::Text) };
    match format.required_text("type")? {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::JsonObject),
        "json_schema" => {
            let schema = format.object("json_schema")?.ok_or_else(|| format.missing("json_schema"))?;
            schema.required_text("name")?;
            Ok(Format::JsonSchema(schema.get("schema").cloned().unwrap_or_else(|| serde_json::json!({}))))
        }
        _ => Err(invalid(&format.path("type"), "must be 'text', 'json_object' or 'json_schema'")),
    }
}

fn tools(fields: &Fields<'_>) -> Result<Vec<Tool>, BadRequest> {
    let mut tools = Vec::new();
    for (value, path) in fields.list("tools")? {
        let tool = Fields::of(value, path)?;
        let kind = tool.required_text("type")?;
        if !matches!(kind, "function" | "custom") {
            return Err(invalid(&tool.path("type"), "must be 'function' or 'custom'"));
        }
        let inner = tool.object(kind)?.ok_or_else(|| tool.missing(kind))?;
        tools.push(Tool {
            path: tool.path(kind),
            name: inner.required_text("name")?.to_owned(),
            parameters: inner.get("parameters").cloned(),
            custom: kind == "custom",
        });
    }
    Ok(tools)
}

/// Reads `tool_choice`; `allowed_tools` also narrows `tools`.
fn choice(fields: &Fields<'_>, tools: &mut Vec<Tool>) -> Result<Choice, BadRequest> {
    let wanted = "must be 'none', 'auto', 'required' or an object that names tools";
    let choice = match fields.get("tool_choice") {
        None => return Ok(Choice::Auto),
        Some(Value::String(word)) => mode(word).ok_or_else(|| invalid("tool_choice", wanted))?,
        Some(value) => {
            let object = Fields::of(value, "tool_choice")?;
            let kind = object.required_text("type")?;
            let inner = object.object(kind)?.ok_or_else(|| object.missing(kind))?;
            match kind {
                "function" | "custom" => Choice::Named(inner.required_text("name")?.to_owned()),
                "allowed_tools" => allowed(&inner, tools)?,
                _ => {
                    return Err(invalid(
                        "tool_choice.type",
                        "must be 'function', 'custom' or 'allowed_tools'",
                    ));
                }
            }
        }
    };
    match &choice {
        Choice::Named(name) if !tools.iter().any(|tool| tool.name == *name) => {
            Err(invalid("tool_choice", &format!("no tool is named '{name}'")))
        }
        Choice::Required if tools.is_empty() => Err(invalid("tool_choice", "'required' needs 'tools'")),
        _ => Ok(choice),
    }
}

fn mode(word: &str) -> Option<Choice> {
    match word {
        "none" => Some(Choice::None),
        "auto" => Some(Choice::Auto),
        "required" => Some(Choice::Required),
        _ => None,
    }
}

fn allowed(fields: &Fields<'_>, tools: &mut Vec<Tool>) -> Result<Choice, BadRequest> {
    let word = fields.required_text("mode")?;
    let mut names = Vec::new();
    for (value, path) in fields.list("tools")? {
        let tool = Fields::of(value, path)?;
        let kind = tool.required_text("type")?;
        names.push(tool.object(kind)?.ok_or_else(|| tool.missing(kind))?.required_text("name")?.to_owned());
    }
    tools.retain(|tool| names.contains(&tool.name));
    mode(word).ok_or_else(|| invalid(&fields.path("mode"), "must be 'auto' or 'required'"))
}
