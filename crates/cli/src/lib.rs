//! The command line beyond `serve`: the admin API in words, and the upkeep of the data directory.
//!
//! [`Command`] is what can be typed, [`run`] does it and gives the text for standard output, or a [`Failure`] with its
//! exit code. Commands on keys, providers, configs, budgets, limits, users, workspaces and the audit log ask a running
//! gateway over HTTP, as any client of its admin API could ([`session`]); `backup`, `restore`, `ledger`, `master-key` and
//! `audit verify` work on the data directory ([`upkeep`]).
//!
//! Keys are never taken from arguments, which every user of the machine can read: they come from the environment, from
//! files for their owner only, from standard input, or from a terminal without echo.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod admin_key;
mod audit;
mod budgets;
mod client;
mod configs;
mod context;
mod example;
mod expiry;
mod failure;
mod held;
mod instant;
mod key_body;
mod keys;
mod limit;
mod limits;
mod logs;
mod metadata;
mod owner;
mod place;
mod providers;
mod refusal;
mod row;
mod secret_input;
mod session;
mod table;
mod upkeep;
mod users;
mod workspaces;

use std::path::PathBuf;

use clap::Subcommand;

pub use admin_key::{ADMIN_KEY_FILE, ADMIN_KEY_VARIABLE};
pub use client::URL_VARIABLE;
pub use context::{Context, SystemTerminal, Terminal};
pub use failure::{Failure, FailureKind};
pub use place::{LEDGER_DIRECTORY, MASTER_KEY_FILE, MASTER_KEY_VARIABLE, STORE_FILE};
pub use session::{Remote, WORKSPACE_VARIABLE};

use session::Session;

/// What can be asked for.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// API keys: what applications call the gateway with
    Keys {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: keys::KeysCommand,
    },
    /// Provider keys that the gateway holds
    Providers {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: providers::ProvidersCommand,
    },
    /// Saved configs and their versions
    Configs {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: configs::ConfigsCommand,
    },
    /// What keys, providers and workspaces may use up
    Budgets {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: budgets::BudgetsCommand,
    },
    /// How fast keys, providers and workspaces may go
    Limits {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: limits::LimitsCommand,
    },
    /// People of the organisation, and invitations
    Users {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: users::UsersCommand,
    },
    /// Workspaces and who works there
    Workspaces {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: workspaces::WorkspacesCommand,
    },
    /// The audit log: who changed what
    Audit {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// The logs of requests
    Logs {
        #[command(flatten)]
        remote: Remote,
        #[command(subcommand)]
        command: LogsCommand,
    },
    /// Copy the control plane's database, while the gateway serves
    Backup {
        /// Where to; must not be there yet
        file: PathBuf,
    },
    /// Put a copy in the place of the database; the gateway must be stopped
    Restore { file: PathBuf },
    /// The journal of the budgets
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// The key that encrypts what the database holds
    MasterKey {
        #[command(subcommand)]
        command: MasterKeyCommand,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub enum AuditCommand {
    /// Changes of the last day, or of another time
    List(audit::AuditList),
    /// Check every entry of the log in the data directory; exit code 3 when it was altered
    Verify(upkeep::AuditVerify),
}

#[derive(Debug, Clone, Subcommand)]
pub enum LogsCommand {
    /// Figures of the requests of the last day, or of another time
    Export(logs::LogsExport),
}

#[derive(Debug, Clone, Subcommand)]
pub enum LedgerCommand {
    /// Check every entry in the data directory; exit code 3 when the books do not balance
    Verify,
    /// What crashes left open on budgets, as a running gateway has it
    Held {
        #[command(flatten)]
        remote: Remote,
    },
    /// Say what something cost that is held
    Resolve {
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        resolve: held::Resolve,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub enum MasterKeyCommand {
    /// Make a new key and encrypt everything under it
    Rotate,
}

/// Does it, and gives the text for standard output, without a line break at the end.
///
/// # Errors
/// What is wrong and what would be right, with an exit code; or the difference that was asked for.
pub fn run(command: &Command, context: &Context<'_>) -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(dispatch(command, context))
}

async fn dispatch(command: &Command, context: &Context<'_>) -> Result<String, Failure> {
    match command {
        Command::Keys { remote, command } => keys::run(command, &Session::new(context, remote)?).await,
        Command::Providers { remote, command } => {
            providers::run(command, &Session::new(context, remote)?).await
        }
        Command::Configs { remote, command } => configs::run(command, &Session::new(context, remote)?).await,
        Command::Budgets { remote, command } => budgets::run(command, &Session::new(context, remote)?).await,
        Command::Limits { remote, command } => limits::run(command, &Session::new(context, remote)?).await,
        Command::Users { remote, command } => users::run(command, &Session::new(context, remote)?).await,
        Command::Workspaces { remote, command } => {
            workspaces::run(command, &Session::new(context, remote)?).await
        }
        Command::Audit { remote, command: AuditCommand::List(list) } => {
            audit::list(list, &Session::new(context, remote)?).await
        }
        Command::Audit { command: AuditCommand::Verify(verify), .. } => {
            upkeep::verify_audit(context, verify).await
        }
        Command::Logs { remote, command: LogsCommand::Export(export) } => {
            logs::export(export, &Session::new(context, remote)?).await
        }
        Command::Backup { file } => upkeep::backup(context, file),
        Command::Restore { file } => upkeep::restore(context, file),
        Command::Ledger { command: LedgerCommand::Verify } => upkeep::verify_ledger(context),
        Command::Ledger { command: LedgerCommand::Held { remote } } => {
            held::held(&Session::new(context, remote)?).await
        }
        Command::Ledger { command: LedgerCommand::Resolve { remote, resolve } } => {
            held::resolve(resolve, &Session::new(context, remote)?).await
        }
        Command::MasterKey { command: MasterKeyCommand::Rotate } => upkeep::rotate_master_key(context).await,
    }
}
