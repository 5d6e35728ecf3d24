//! All upstreams of the test kit in one process, for suites that are not written in Rust.
//!
//! `testkit-upstream [name=port]..` listens on the given ports of 127.0.0.1 (any free one otherwise), prints one line
//! `READY {"scripted": "http://127.0.0.1:PORT", ..}`, and serves until it is killed.
//! Names: scripted, faults, openai, anthropic, gemini, azure, cohere, realtime, tls (scripted behind an untrusted certificate).
//! The line also has `refused` (a base URL that refuses connections), `invalid_host`, and `tls_certificate` (PEM).

use serde_json::{Map, Value, json};
use std::process::ExitCode;
use tidegate_testkit::fake::{
    anthropic::Anthropic, azure::Azure, cohere::Cohere, gemini::Gemini, openai::OpenAi,
};
use tidegate_testkit::tls::{Flaw, Identity};
use tidegate_testkit::{Faults, Handler, INVALID_HOST, Realtime, Scripted, Server, refused_port};

const NAMES: [&str; 9] =
    ["scripted", "faults", "openai", "anthropic", "gemini", "azure", "cohere", "realtime", "tls"];

#[tokio::main]
async fn main() -> ExitCode {
    match Ports::read(std::env::args().skip(1)) {
        Ok(ports) => {
            serve(&ports).await;
            ExitCode::SUCCESS
        }
        Err(message) => {
            complain(&message);
            ExitCode::from(2)
        }
    }
}

/// The ports asked for, by name.
struct Ports(Vec<(String, u16)>);

impl Ports {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut ports = Vec::new();
        for argument in arguments {
            let (name, port) = argument.split_once('=').unwrap_or((&argument, ""));
            if !NAMES.contains(&name) {
                return Err(format!("'{name}' is no upstream; there are {}", NAMES.join(", ")));
            }
            let port = port.parse().map_err(|_| format!("'{argument}' must be {name}=PORT"))?;
            ports.push((name.to_owned(), port));
        }
        Ok(Self(ports))
    }

    fn of(&self, name: &str) -> u16 {
        self.0.iter().find(|(known, _)| known == name).map_or(0, |(_, port)| *port)
    }
}

async fn serve(ports: &Ports) {
    let mut urls = Map::new();
    let scripted = start("scripted", Scripted::default(), ports, &mut urls).await;
    let openai = start("openai", OpenAi, ports, &mut urls).await;
    let anthropic = start("anthropic", Anthropic, ports, &mut urls).await;
    let gemini = start("gemini", Gemini, ports, &mut urls).await;
    let azure = start("azure", Azure, ports, &mut urls).await;
    let cohere = start("cohere", Cohere, ports, &mut urls).await;
    let realtime = Realtime::listen(ports.of("realtime"), None).await;
    let faults = Faults::listen(ports.of("faults")).await;
    let identity = Identity::new(Flaw::Untrusted);
    let tls = Server::listen(Scripted::default(), ports.of("tls"), Some(identity.acceptor)).await;
    for (name, value) in [
        ("faults", faults.url()),
        ("realtime", realtime.base()),
        ("tls", tls.url()),
        ("refused", refused_port()),
        ("invalid_host", INVALID_HOST.to_owned()),
        ("tls_certificate", identity.certificate_pem),
    ] {
        urls.insert(name.to_owned(), json!(value));
    }
    announce(&Value::Object(urls));
    std::future::pending::<()>().await;
    drop((scripted, openai, anthropic, gemini, azure, cohere, realtime, faults, tls));
}

async fn start<H: Handler>(
    name: &str,
    handler: H,
    ports: &Ports,
    urls: &mut Map<String, Value>,
) -> Server<H> {
    let server = Server::listen(handler, ports.of(name), None).await;
    urls.insert(name.to_owned(), json!(server.url()));
    server
}

#[expect(clippy::print_stdout, reason = "the line that the suites wait for")]
fn announce(urls: &Value) {
    println!("READY {urls}");
}

#[expect(clippy::print_stderr, reason = "a command line tool's error")]
fn complain(message: &str) {
    eprintln!("testkit-upstream: {message}");
}
