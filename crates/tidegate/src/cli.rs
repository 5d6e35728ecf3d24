//! The command line. Values are taken as text: the settings judge them, together with the file and the environment.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tidegate_settings::Argument;

/// AI gateway: one address for every LLM provider, with retries, fallbacks and load balancing.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway (also without a subcommand).
    Serve(Options),
    /// Check settings and saved configs: every mistake with its file, line, field and remedy.
    Check,
    #[command(flatten)]
    Manage(tidegate_cli::Command),
}

#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Address to listen on [default: 127.0.0.1; env: TIDEGATE_HOST]
    #[arg(long)]
    pub host: Option<String>,
    /// Port to listen on; 0 takes a free one [default: 8787; env: TIDEGATE_PORT, PORT]
    #[arg(long)]
    pub port: Option<String>,
    /// Settings file [default: tidegate.toml where it exists; env: TIDEGATE_CONFIG]
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// Directory of what must survive a restart [default: ./tidegate-data; env: TIDEGATE_DATA_DIR]
    #[arg(long, global = true)]
    pub data_dir: Option<String>,
    /// Form of the request log: text or json [default: text; env: TIDEGATE_LOG_FORMAT]
    #[arg(long)]
    pub log_format: Option<String>,
}

impl Options {
    /// These, with what was written behind the subcommand winning.
    pub fn or(&self, later: &Self) -> Self {
        let pick = |a: &Option<String>, b: &Option<String>| b.clone().or_else(|| a.clone());
        Self {
            host: pick(&self.host, &later.host),
            port: pick(&self.port, &later.port),
            config: later.config.clone().or_else(|| self.config.clone()),
            data_dir: pick(&self.data_dir, &later.data_dir),
            log_format: pick(&self.log_format, &later.log_format),
        }
    }

    /// As settings.
    pub fn arguments(&self) -> Vec<Argument<'_>> {
        [
            ("--host", "server.host", &self.host),
            ("--port", "server.port", &self.port),
            ("--data-dir", "server.data_dir", &self.data_dir),
            ("--log-format", "log.format", &self.log_format),
        ]
        .into_iter()
        .filter_map(|(flag, field, value)| Some(Argument { flag, field, value: value.as_deref()? }))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_fit_together() {
        Cli::command().debug_assert();
    }

    /// Every user of a machine can read the arguments of its processes.
    #[test]
    fn no_key_is_taken_from_an_argument() {
        let mut open = vec![Cli::command()];
        let mut flags = 0;
        while let Some(command) = open.pop() {
            for flag in command.get_arguments().filter_map(|argument| {
                let takes_value = argument.get_action().takes_values();
                argument.get_long().filter(|_| takes_value)
            }) {
                flags += 1;
                // Tokens are counted.
                let is_secret = flag != "tokens"
                    && ["key", "secret", "password", "token"].iter().any(|word| flag.contains(word));
                let is_place = flag.ends_with("-env") || flag.ends_with("-file");
                assert!(!is_secret || is_place, "--{flag} of {}", command.get_name());
            }
            open.extend(command.get_subcommands().cloned());
        }
        assert!(flags > 50, "the commands were found: {flags}");
    }

    #[test]
    fn options_stand_before_and_behind_the_subcommand() {
        let cli = Cli::parse_from(["tidegate", "--port", "1", "serve", "--host", "::1"]);
        let Some(Command::Serve(later)) = &cli.command else { panic!("{cli:?}") };
        let options = cli.options.or(later);
        assert_eq!((options.port.as_deref(), options.host.as_deref()), (Some("1"), Some("::1")));
        assert_eq!(options.arguments().len(), 2);
    }
}
