//! A gateway that is killed and started again on the same data and the same port.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidegate_testkit::client;
use tidegate_testkit::{Gateway, Postgres, Redis, Scratch, free_port};

/// 64 hex digits.
pub const MASTER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const LISTENING: &str = "listening on http://";

pub struct Node {
    directory: Scratch,
    environment: Vec<(String, String)>,
    port: u16,
    process: Option<Gateway>,
}

impl Node {
    /// Not started yet.
    pub fn new(directory: Scratch) -> Self {
        let environment = vec![("TIDEGATE_LOG_REQUESTS".to_owned(), "false".to_owned())];
        Self { directory, environment, port: free_port(), process: None }
    }

    /// One of several that share limits and budgets.
    pub fn replica(postgres: &Postgres, redis: &Redis) -> Self {
        Self::new(Scratch::new())
            .env("TIDEGATE_DATABASE_URL", &postgres.url())
            .env("TIDEGATE_REDIS_URL", &redis.url())
            .env("TIDEGATE_MASTER_KEY", MASTER_KEY)
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub async fn start(&mut self) {
        let mut process = self.spawn();
        process.wait_for(LISTENING).await;
        self.process = Some(process);
    }

    fn spawn(&self) -> Gateway {
        let (port, data) = (self.port.to_string(), self.directory.path().display().to_string());
        let arguments = ["serve", "--port", &port, "--data-dir", &data];
        let environment: Vec<_> =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Gateway::spawn(Path::new(env!("CARGO_BIN_EXE_tidegate")), &arguments, &environment)
    }

    /// `kill -9` while it starts, or soon after. Gives when.
    pub async fn start_and_kill(&mut self, after: Duration) -> Instant {
        let mut process = self.spawn();
        tokio::time::sleep(after).await;
        let killed = Instant::now();
        process.kill().await;
        killed
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        self.process.take().unwrap().kill().await;
    }

    /// As an operator would stop it.
    pub async fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let status = process.terminate().await;
        assert!(status.success(), "{status}:\n{}", process.output().join("\n"));
    }

    /// Whether the process has ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Gateway::is_running)
    }

    /// `127.0.0.1:PORT`
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// A file or folder of its data directory.
    pub fn data(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A line of `/metrics` without labels.
    pub async fn metric(&self, series: &str) -> u64 {
        let page = client::get(&self.url("/metrics"), &[]).await.text();
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("there is no {series}")).parse().unwrap()
    }
}
