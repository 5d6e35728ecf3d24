//! The clients: sends one request over and over, checks every answer, and prints one line of JSON.
//!
//! `drive --to 127.0.0.1:8787 --path /v1/chat/completions --header name:value … --body '{…}' --mode closed`
//!
//! | mode | what it does | settings |
//! |---|---|---|
//! | `closed` | each connection sends its next request when it has its answer | `--connections`, `--seconds` |
//! | `rate` | requests at fixed times, whether or not the last ones are answered; latency counts from those times | `--connections`, `--seconds`, `--rate` |
//! | `hold` | opens streams and reads them until standard input ends | `--connections` |
//!
//! An answer is right when its status is 200, it has `--marks` marks (one per plain answer or chunk) and its last bytes
//! hold `--tail`. `--pad n` makes the body n bytes long by a long string in place of `PAD`. One thread.

mod answer;
mod hold;
mod load;
mod summary;
mod target;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tidegate_bench::args::Args;

use load::Pace;
use target::Target;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::read()?;
    let target = Arc::new(Target::new(&args)?);
    let connections = args.get_or("connections", 1)?;
    let pace = match args.get_or("mode", "closed".to_owned())?.as_str() {
        "closed" => Pace::Closed,
        "rate" => Pace::PerSecond(args.get("rate")?),
        "hold" => return hold::hold(&target, connections, &show).await,
        mode => return Err(format!("--mode {mode} is none of closed, rate, hold").into()),
    };
    let time = Duration::from_secs_f64(args.get_or("seconds", 3.0)?);
    show(&load::run(&target, connections, time, pace).await?.json());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result, read by run.py")]
fn show(line: &serde_json::Value) {
    println!("{line}");
}
