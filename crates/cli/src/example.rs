//! What somebody who was given a key can try at once.

use crate::providers::ProviderRow;
use crate::session::{Session, in_workspace};

/// A small model of each of the providers that most begin with.
const SMALL_MODELS: [(&str, &str); 6] = [
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-3-5-haiku-latest"),
    ("google", "gemini-2.0-flash"),
    ("groq", "llama-3.1-8b-instant"),
    ("mistral-ai", "mistral-small-latest"),
    ("deepseek", "deepseek-chat"),
];
/// The model inside the gateway: it answers where no provider is.
const DEMO: &str = "@demo/echo";
/// For the reader to fill in.
const PLACEHOLDER: &str = "MODEL";

/// A model of the first provider of the workspace.
pub(crate) async fn model(session: &Session<'_>, workspace: Option<&str>) -> String {
    // A key that may not list providers can make keys all the same.
    let Ok(list) = session.list::<ProviderRow>("/providers", &in_workspace(workspace)).await else {
        return DEMO.to_owned();
    };
    let small =
        |row: &ProviderRow| SMALL_MODELS.iter().find(|(id, _)| *id == row.provider).map(|(_, model)| *model);
    let known = list.rows.iter().find_map(|row| small(row).map(|model| (row, model)));
    match known.or_else(|| list.rows.first().map(|row| (row, PLACEHOLDER))) {
        Some((row, model)) => format!("@{}/{model}", row.slug),
        None => DEMO.to_owned(),
    }
}

/// Settings for an application, and a command to try.
pub(crate) fn text(base: &str, key: &str, model: &str) -> String {
    format!(
        "\nFor OpenAI's clients and all that take their settings:\n\n  export OPENAI_BASE_URL={base}/v1\n  \
         export OPENAI_API_KEY={key}\n\nTry it:\n\n  curl {base}/v1/chat/completions \\\n    \
         -H 'authorization: Bearer {key}' -H 'content-type: application/json' \\\n    \
         -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello!\"}}]}}'\n"
    )
}
