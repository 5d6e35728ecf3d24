//! What every fake answers, whatever its dialect.
//!
//! | the conversation | the answer |
//! |---|---|
//! | ends with a user, tools are given and not forbidden | a call of `tide` (else the first tool, or the one asked for) with `{"port":"Brest"}` |
//! | the same, and the text holds the word `both` | a second call, with `{"port":"Calais"}`, unless only one is allowed |
//! | JSON is asked for | `{"port":"Brest","time":"12:04"}` |
//! | anything else | `The tide at Brest is high at 12:04.`, after `I see 1 image.` if there are images |
//!
//! With thinking asked for, `High water follows the moon.` comes first. Usage counts words: of every text in the
//! conversation, one for each image; of everything generated, 4 for each call.

/// The text that all conversations lead to.
pub const TIDE: &str = "The tide at Brest is high at 12:04.";
/// The thinking before it.
pub const THOUGHT: &str = "High water follows the moon.";
/// The answer when JSON is asked for.
pub const TIDE_JSON: &str = r#"{"port":"Brest","time":"12:04"}"#;
/// The tool that is called if it is among those given.
pub const TOOL: &str = "tide";

const CALL_TOKENS: usize = 4;

/// What a fake understood of a request.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Words of all texts, and images, of the conversation.
    pub input: usize,
    /// The text of the last message.
    pub last_text: String,
    /// Images in the last message.
    pub images: usize,
    pub last: Last,
    pub tools: Vec<String>,
    pub choice: Choice,
    /// At most one call at a time.
    pub single: bool,
    pub stop: Vec<String>,
    /// In words.
    pub max_tokens: Option<usize>,
    pub json: bool,
    pub think: bool,
    pub stream: bool,
}

/// Whose the last message is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Last {
    #[default]
    User,
    Assistant,
    Tool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    #[default]
    Auto,
    None,
    Required,
    Named(String),
}

impl Ask {
    /// Takes note of a message; the last one noted counts as the last of the conversation.
    pub fn hear(&mut self, last: Last, text: &str, images: usize) {
        self.input += words(text) + images;
        text.clone_into(&mut self.last_text);
        self.last = last;
        self.images = images;
    }

    /// Takes note of instructions, which are no turn.
    pub fn instruct(&mut self, text: &str) {
        self.input += words(text);
    }
}

/// The answer, before it has a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub thought: Option<&'static str>,
    pub content: Content,
    pub input: usize,
    /// Thinking included.
    pub output: usize,
    /// Inside `output`.
    pub reasoning: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Text { text: String, end: End },
    Calls(Vec<Call>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    Natural,
    /// The stop sequence that was met; it is not part of the text.
    Stop(String),
    Length,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub port: &'static str,
}

impl Call {
    pub fn arguments(&self) -> serde_json::Value {
        serde_json::json!({"port": self.port})
    }
}

pub fn tell(ask: &Ask) -> Told {
    let thought = ask.think.then_some(THOUGHT);
    let reasoning = thought.map_or(0, words);
    let content = match calls(ask) {
        Some(calls) => Content::Calls(calls),
        None => text(ask),
    };
    let spoken = match &content {
        Content::Text { text, .. } => words(text),
        Content::Calls(calls) => calls.len() * CALL_TOKENS,
    };
    Told { thought, content, input: ask.input, output: reasoning + spoken, reasoning }
}

/// How a text of an answer is cut for streaming: before each space.
pub fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(space) = rest.get(1..).and_then(|tail| tail.find(' ')) {
        let (piece, tail) = rest.split_at(space + 1);
        pieces.push(piece);
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

pub fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// An id that looks random and always is the same for the same text.
pub(crate) fn id(prefix: &str, text: &str) -> String {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{prefix}{hash:016x}")
}

fn calls(ask: &Ask) -> Option<Vec<Call>> {
    let first = ask.tools.first()?;
    if ask.last != Last::User || ask.choice == Choice::None {
        return None;
    }
    let name = match &ask.choice {
        Choice::Named(name) => name,
        _ => ask.tools.iter().find(|tool| *tool == TOOL).unwrap_or(first),
    };
    let both = !ask.single && ask.last_text.contains("both");
    let ports: &[_] = if both { &["Brest", "Calais"] } else { &["Brest"] };
    Some(ports.iter().map(|port| Call { name: name.clone(), port }).collect())
}

fn text(ask: &Ask) -> Content {
    let text = match (ask.json, ask.images) {
        (true, _) => TIDE_JSON.to_owned(),
        (false, 0) => TIDE.to_owned(),
        (false, 1) => format!("I see 1 image. {TIDE}"),
        (false, images) => format!("I see {images} images. {TIDE}"),
    };
    let met = ask.stop.iter().filter_map(|stop| Some((text.find(stop.as_str())?, stop))).min();
    let (text, end) = match met {
        Some((at, stop)) => (text[..at].to_owned(), End::Stop(stop.clone())),
        None => (text, End::Natural),
    };
    let pieces = pieces(&text);
    match ask.max_tokens {
        Some(max) if max < pieces.len() => Content::Text { text: pieces[..max].concat(), end: End::Length },
        _ => Content::Text { text, end },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        let mut ask = Ask::default();
        ask.hear(Last::User, "When is high water?", 0);
        ask
    }

    fn said(ask: &Ask) -> String {
        match tell(ask).content {
            Content::Text { text, end } => format!("{text}|{end:?}"),
            Content::Calls(calls) => {
                calls.iter().map(|call| format!("{}({})", call.name, call.port)).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn the_conversation_decides() {
        let tools = vec!["wind".to_owned(), "tide".to_owned()];
        let both = "both, please".to_owned();
        for (ask, expected) in [
            (ask(), "The tide at Brest is high at 12:04.|Natural"),
            (Ask { images: 1, ..ask() }, "I see 1 image. The tide at Brest is high at 12:04.|Natural"),
            (Ask { json: true, ..ask() }, "{\"port\":\"Brest\",\"time\":\"12:04\"}|Natural"),
            (Ask { max_tokens: Some(3), ..ask() }, "The tide at|Length"),
            (Ask { stop: vec!["high".into(), "Brest".into()], ..ask() }, "The tide at |Stop(\"Brest\")"),
            (Ask { tools: tools.clone(), ..ask() }, "tide(Brest)"),
            (Ask { tools: vec!["wind".into()], ..ask() }, "wind(Brest)"),
            (Ask { tools: tools.clone(), choice: Choice::Named("wind".into()), ..ask() }, "wind(Brest)"),
            (Ask { tools: tools.clone(), last_text: both.clone(), ..ask() }, "tide(Brest) tide(Calais)"),
            (Ask { tools: tools.clone(), last_text: both, single: true, ..ask() }, "tide(Brest)"),
            (
                Ask { tools: tools.clone(), choice: Choice::None, ..ask() },
                "The tide at Brest is high at 12:04.|Natural",
            ),
            (Ask { tools, last: Last::Tool, ..ask() }, "The tide at Brest is high at 12:04.|Natural"),
        ] {
            assert_eq!(said(&ask), expected, "{ask:?}");
        }
    }

    #[test]
    fn usage_counts_words() {
        let mut ask = Ask { think: true, ..ask() };
        ask.instruct("Be brief.");
        let told = tell(&ask);
        assert_eq!((told.input, told.output, told.reasoning), (6, 13, 5));
        let calls = tell(&Ask { tools: vec!["x".into()], ..ask });
        assert_eq!((calls.output, calls.reasoning), (9, 5));
    }

    #[test]
    fn pieces_join_to_the_text() {
        for text in ["", " ", "a", " a  b ", TIDE, "é ü"] {
            assert_eq!(pieces(text).concat(), text);
        }
        assert_eq!(pieces("a b c"), ["a", " b", " c"]);
    }
}
