//! The binary: command line, settings, wiring, signals. What happens to a request is in `tidegate-gateway`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod alerts;
mod banner;
mod bodies;
mod check;
mod cli;
mod connection;
mod console;
mod holdings;
mod manage;
mod reload;
mod replicas;
mod serve;
mod sign_in;
mod sinks;
mod tokens;
mod usage;
mod wire;

use std::process::ExitCode;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let result = match cli.command {
        Some(cli::Command::Check) => check::run(&cli.options),
        Some(cli::Command::Serve(ref later)) => serve::run(&cli.options.or(later)),
        Some(cli::Command::Manage(ref command)) => return manage::run(command, &cli.options),
        None => serve::run(&cli.options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            banner::note(&message);
            ExitCode::FAILURE
        }
    }
}
