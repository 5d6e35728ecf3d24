//! A provider's key: from a variable, a file, a terminal without echo, or standard input. Never from the command line.

use std::path::PathBuf;

use clap::Args;
use tidegate_core::Secret;
use zeroize::Zeroizing;

use crate::failure::{Failure, FailureKind};
use crate::session::Session;

#[derive(Debug, Clone, Args)]
pub struct SecretInput {
    /// Variable that holds the key, such as OPENAI_API_KEY
    #[arg(long, value_name = "VARIABLE", conflicts_with = "key_file")]
    key_env: Option<String>,
    /// File that holds the key
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl SecretInput {
    /// # Errors
    /// A variable or file that is not there, a terminal that cannot be read, an empty key.
    pub(crate) fn read(&self, session: &Session<'_>, prompt: &str) -> Result<Secret, Failure> {
        let wrong = |problem: String| Failure::new(FailureKind::Usage, problem);
        let (key, source) = match (&self.key_env, &self.key_file) {
            (Some(name), _) => {
                let value = session.context.variable(name);
                let value = value.ok_or_else(|| wrong(format!("--key-env: {name} is not set, or empty")))?;
                (Secret::from(value.trim()), name.clone())
            }
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map(Zeroizing::new);
                let text = text.map_err(|error| wrong(format!("--key-file: {}: {error}", path.display())))?;
                (Secret::from(text.trim()), path.display().to_string())
            }
            (None, None) if session.has_used_input() => {
                return Err(wrong(
                    "standard input has the admin key; give the provider's with --key-env or --key-file"
                        .to_owned(),
                ));
            }
            (None, None) => {
                let key = session.context.terminal.secret(prompt);
                let key = key.map_err(|error| {
                    wrong(format!(
                        "the key cannot be read from the terminal: {error}; use --key-env or --key-file"
                    ))
                })?;
                (key, "what was typed".to_owned())
            }
        };
        if key.is_empty() {
            return Err(wrong(format!("{source}: the key is empty")));
        }
        Ok(key)
    }
}
