//! The request: its members, tools and how they may be called.

use super::super::shape::{Kind, Member, Violation, check, items, may, must};
use super::super::story::{Ask, Choice};
use super::{Refusal, config, contents, schema};
use serde_json::{Map, Value};

/// A checked request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) model: String,
    pub(super) candidates: usize,
    pub(super) logprobs: bool,
}

impl Request {
    /// Whether calls have ids and signatures.
    pub(super) fn signs_calls(&self) -> bool {
        signs_calls(&self.model)
    }
}

pub(super) fn signs_calls(model: &str) -> bool {
    model.starts_with("gemini-3")
}

const MEMBERS: &[Member] = &[
    must("contents", Kind::List),
    may("model", Kind::Text),
    may("systemInstruction", Kind::Object),
    may("tools", Kind::List),
    may("toolConfig", Kind::Object),
    may("safetySettings", Kind::List),
    may("cachedContent", Kind::Text),
    may("generationConfig", Kind::Object),
    may("serviceTier", Kind::Text),
    may("store", Kind::Flag),
];

const TOOL: &[Member] = &[
    may("functionDeclarations", Kind::List),
    may("googleSearch", Kind::Object),
    may("googleSearchRetrieval", Kind::Object),
    may("codeExecution", Kind::Object),
    may("urlContext", Kind::Object),
    may("googleMaps", Kind::Object),
    may("fileSearch", Kind::Object),
    may("computerUse", Kind::Object),
    may("mcpServers", Kind::List),
];

const FUNCTION: &[Member] = &[
    must("name", Kind::Text),
    may("description", Kind::Text),
    may("parameters", Kind::Object),
    may("parametersJsonSchema", Kind::Object),
    may("response", Kind::Object),
    may("responseJsonSchema", Kind::Object),
    may("behavior", Kind::Text),
];

const CATEGORIES: &[&str] = &[
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
];

const THRESHOLDS: &[&str] =
    &["BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"];

pub(super) fn read(body: &Value, model: &str) -> Result<Request, Refusal> {
    let object = check(body, "", MEMBERS)?;
    let given = |name: &str| object.get(name).is_some_and(|value| !value.is_null());
    if given("cachedContent") && ["systemInstruction", "tools", "toolConfig"].iter().any(|name| given(name)) {
        let text = "CachedContent can not be used with GenerateContent request setting \
            system_instruction, tools or tool_config.";
        return Err(Refusal::invalid(text));
    }
    for (setting, path) in items(object, "", "safetySettings") {
        let members = [must("category", Kind::Word(CATEGORIES)), must("threshold", Kind::Word(THRESHOLDS))];
        check(setting, &path, &members)?;
    }
    let mut request =
        Request { ask: Ask::default(), model: model.to_owned(), candidates: 1, logprobs: false };
    request.ask.tools = tools(object)?;
    request.ask.choice = choice(object, &mut request.ask.tools)?;
    if let Some(generation) = object.get("generationConfig").filter(|value| !value.is_null()) {
        config::read(generation, &mut request)?;
    }
    if let Some(instruction) = object.get("systemInstruction").filter(|value| !value.is_null()) {
        contents::instruction(instruction, &mut request.ask)?;
    }
    contents::read(object, signs_calls(model), &mut request.ask)?;
    Ok(request)
}

/// The tokens of `contents`, or of a whole request.
pub(super) fn count(body: &Value, model: &str) -> Result<usize, Refusal> {
    check(body, "", &[may("contents", Kind::List), may("generateContentRequest", Kind::Object)])?;
    let whole = body.get("generateContentRequest").unwrap_or(body);
    Ok(read(whole, model)?.ask.input)
}

fn tools(object: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for (tool, path) in items(object, "", "tools") {
        let tool = check(tool, &path, TOOL)?;
        for (function, path) in items(tool, &path, "functionDeclarations") {
            names.push(declaration(function, &path)?);
        }
    }
    Ok(names)
}

fn declaration(function: &Value, path: &str) -> Result<String, Refusal> {
    let members = check(function, path, FUNCTION)?;
    let name = function["name"].as_str().unwrap_or_default();
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:-".contains(&b))
    {
        return Err(Refusal::invalid(format!(
            "Invalid function name at '{path}.name'. Must start with a letter or an underscore. Must be \
             alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a \
             maximum length of 64."
        )));
    }
    if members.contains_key("parameters") && members.contains_key("parametersJsonSchema") {
        return Err(
            Violation::wrong(format!("{path}.parameters"), "no parametersJsonSchema beside it").into()
        );
    }
    if let Some(parameters) = members.get("parameters") {
        schema::check_schema(parameters, &format!("{path}.parameters"))?;
    }
    Ok(name.to_owned())
}

fn choice(object: &Map<String, Value>, tools: &mut Vec<String>) -> Result<Choice, Refusal> {
    let Some(config) = object.get("toolConfig").filter(|value| !value.is_null()) else {
        return Ok(Choice::Auto);
    };
    let members = [
        may("functionCallingConfig", Kind::Object),
        may("retrievalConfig", Kind::Object),
        may("includeServerSideToolInvocations", Kind::Flag),
    ];
    check(config, "toolConfig", &members)?;
    let Some(calling) = config.get("functionCallingConfig") else { return Ok(Choice::Auto) };
    let path = "toolConfig.functionCallingConfig";
    let members = [
        may("mode", Kind::Word(&["AUTO", "ANY", "NONE", "VALIDATED"])),
        may("allowedFunctionNames", Kind::List),
        may("streamFunctionCallArguments", Kind::Flag),
    ];
    let calling = check(calling, path, &members)?;
    let mode = calling.get("mode").and_then(Value::as_str).unwrap_or("AUTO");
    let allowed = items(calling, path, "allowedFunctionNames");
    if !allowed.is_empty() {
        if !matches!(mode, "ANY" | "VALIDATED") {
            let text = "allowed_function_names should only be set when the function calling mode is ANY \
                or VALIDATED.";
            return Err(Refusal::invalid(text));
        }
        if let Some((name, path)) = allowed.iter().find(|(name, _)| !tools.iter().any(|tool| *name == tool)) {
            return Err(Violation::wrong(path, format!("a declared function, not {name}")).into());
        }
        tools.retain(|tool| allowed.iter().any(|(name, _)| *name == tool));
    }
    Ok(match mode {
        "ANY" => Choice::Required,
        "NONE" => Choice::None,
        _ => Choice::Auto,
    })
}
