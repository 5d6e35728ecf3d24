//! The commands of `tidegate-cli`, with what the settings say about the gateway that they are for.

use std::io::Write as _;
use std::process::ExitCode;

use tidegate_cli::{Command, Context, Failure, FailureKind, SystemTerminal};
use tidegate_core::SystemClock;

use crate::banner;
use crate::cli::Options;
use crate::wire::Origin;

pub fn run(command: &Command, options: &Options) -> ExitCode {
    match text(command, options) {
        Ok(text) => {
            show(&text);
            ExitCode::SUCCESS
        }
        Err(failure) if failure.kind == FailureKind::Differs => {
            show(&failure.message);
            failure.exit_code()
        }
        Err(failure) => {
            banner::note(&failure.message);
            failure.exit_code()
        }
    }
}

fn show(text: &str) {
    // A reader that has gone away wants no more.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn text(command: &Command, options: &Options) -> Result<String, Failure> {
    let origin = Origin::new(options);
    let failed = |message: String| Failure { kind: FailureKind::Failed, message };
    let settings = origin.settings().map_err(failed)?;
    let context = Context {
        env: &origin.env,
        data_dir: settings.server.data_dir.clone(),
        host: settings.server.host,
        port: settings.server.port,
        database: settings.database.url.as_ref(),
        extra_ca_pem: origin.extra_ca_pem(&settings).map_err(failed)?,
        clock: &SystemClock::new(),
        terminal: &SystemTerminal,
    };
    tidegate_cli::run(command, &context)
}
