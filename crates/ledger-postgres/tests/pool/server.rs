//! PostgreSQL, as these tests use it.

use std::process::Command;

use tidegate_postgres::Server as Address;
use tidegate_testkit::Postgres;
use tokio_postgres::Client;

#[derive(Debug)]
pub(crate) struct Server(Postgres);

impl Server {
    pub(crate) async fn start() -> Self {
        Self(Postgres::start())
    }

    pub(crate) fn config(&self) -> Address {
        self.0.url().parse().unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        let (client, carrier) = self.config().connect().await.unwrap();
        tokio::spawn(carrier);
        client
    }

    /// Fast shutdown: open connections are broken.
    pub(crate) fn stop(&mut self) {
        self.0.stop();
    }

    pub(crate) async fn restart(&mut self) {
        self.0.restart();
    }
}

/// A process that hangs, until this goes.
#[derive(Debug)]
pub(crate) struct Hanging(u32);

impl Hanging {
    pub(crate) fn make(process: i32) -> Self {
        signal("STOP", process.unsigned_abs());
        Self(process.unsigned_abs())
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        signal("CONT", self.0);
    }
}

/// To a process of this server.
fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    let _ = sent.unwrap();
}
