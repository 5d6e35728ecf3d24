//! A fake gateway, and a command line for it.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::Parser;
use serde_json::Value;
use tidegate_cli::{Command, Context, Failure, Terminal, run};
use tidegate_core::{Clock, Moment, Secret};
use tidegate_testkit::tls::Identity;
use tidegate_testkit::{Scratch, Seen, Server};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use crate::fake::Fake;

pub const ADMIN_KEY: &str = "tg-admin-key-of-tests";

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The gateway runs on its own threads; commands run on the test's.
pub struct Stage {
    pub server: Server<Fake>,
    pub env: BTreeMap<String, String>,
    /// What is typed, or stands on standard input.
    pub typed: String,
    pub scratch: Scratch,
    pub ca: Option<Vec<u8>>,
    pub database: Option<Secret>,
    _runtime: Runtime,
}

struct Typed<'a>(&'a str);

impl Terminal for Typed<'_> {
    fn secret(&self, _: &str) -> io::Result<Secret> {
        Ok(Secret::new(self.0.trim()))
    }

    fn input(&self) -> io::Result<Zeroizing<String>> {
        Ok(Zeroizing::new(self.0.to_owned()))
    }
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Moment {
        Moment(0)
    }

    fn unix_ms(&self) -> u64 {
        1_795_261_936_966
    }
}

impl Stage {
    pub fn new() -> Self {
        Self::with(Fake::default(), None)
    }

    pub fn with(fake: Fake, identity: Option<&Identity>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let acceptor = identity.map(|identity| identity.acceptor.clone());
        let server = runtime.block_on(Server::listen(fake, 0, acceptor));
        let env = [("TIDEGATE_ADMIN_KEY", ADMIN_KEY.to_owned())];
        let env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self {
            server,
            env,
            typed: String::new(),
            scratch: Scratch::new(),
            ca: None,
            database: None,
            _runtime: runtime,
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    /// Runs a command line, written as one text; `'…'` holds words together.
    pub fn run(&self, line: &str) -> Result<String, Failure> {
        let arguments = std::iter::once("tidegate".to_owned()).chain(words(line));
        let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("{line}: {error}"));
        let context = Context {
            env: &self.env,
            data_dir: self.data_dir(),
            host: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: self.server.address().port(),
            database: self.database.as_ref(),
            extra_ca_pem: self.ca.clone(),
            clock: &Fixed,
            terminal: &Typed(&self.typed),
        };
        run(&cli.command, &context)
    }

    /// As [`Stage::run`], for what has to work.
    pub fn ok(&self, line: &str) -> String {
        self.run(line).unwrap_or_else(|failure| panic!("{line}: {failure}"))
    }

    /// The message of what has to fail.
    pub fn err(&self, line: &str) -> Failure {
        self.run(line).expect_err(line)
    }

    pub fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("{line} --json"))).unwrap()
    }

    /// What the gateway was asked last with this method.
    pub fn last(&self, method: &str) -> Seen {
        self.server.requests().into_iter().rfind(|seen| seen.method == method).expect(method)
    }
}

/// Whether the command line is refused before anything is done.
pub fn refused(line: &str) -> Option<String> {
    let arguments = std::iter::once("tidegate".to_owned()).chain(words(line));
    Cli::try_parse_from(arguments).err().map(|error| error.to_string())
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('\'').enumerate() {
        match i % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
