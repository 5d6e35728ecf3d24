//! The gateway as a process of its own: started, waited for, read from, killed.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(120);

/// A running binary whose output is collected. Killed when dropped.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    output: Output,
    readers: [JoinHandle<()>; 2],
}

impl Gateway {
    /// Starts `binary` with an environment of exactly `environment`, and waits until a line of its standard output or
    /// error contains `ready`.
    ///
    /// # Panics
    /// When it cannot be started, ends before that, or takes more than two minutes; with what it wrote.
    pub async fn start(binary: &Path, arguments: &[&str], environment: &[(&str, &str)], ready: &str) -> Self {
        let mut gateway = Self::spawn(binary, arguments, environment);
        gateway.wait_for(ready).await;
        gateway
    }

    /// Starts it, and waits for nothing.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(binary: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = Command::new(binary)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary.display()));
        let output = Output::default();
        let readers = [
            output.collect(child.stdout.take().expect("piped")),
            output.collect(child.stderr.take().expect("piped")),
        ];
        Self { child, output, readers }
    }

    /// Waits for a line that contains `text` and returns the first such line.
    ///
    /// # Panics
    /// When the process ends before, or after two minutes.
    pub async fn wait_for(&mut self, text: &str) -> String {
        let line = tokio::select! {
            line = self.output.line_with(text) => Some(line),
            _ = self.child.wait() => None,
            () = tokio::time::sleep(PATIENCE) => None,
        };
        // What the process wrote just before its end may be read after the end is noticed; it is still no success.
        line.unwrap_or_else(|| {
            panic!("no line with {text:?}; the process wrote:\n{}", self.output().join("\n"))
        })
    }

    /// All lines so far, of both outputs.
    pub fn output(&self) -> Vec<String> {
        self.output.0.lines.lock().unwrap().clone()
    }

    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends SIGTERM and waits for the end; [`Gateway::output`] is complete then.
    ///
    /// # Panics
    /// When it does not end within two minutes.
    pub async fn terminate(&mut self) -> ExitStatus {
        let id = self.id().expect("the process still runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await.expect("kill exists");
        assert!(sent.success(), "the process takes signals");
        let ended = async {
            let status = self.child.wait().await.expect("it can be waited for");
            for reader in &mut self.readers {
                reader.await.expect("reading does not panic");
            }
            status
        };
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends in time")
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be waited for").is_none()
    }

    /// `kill -9`, and waits until nothing is left of it.
    ///
    /// # Panics
    /// When it had ended by itself.
    pub async fn kill(&mut self) {
        let ended = self.child.try_wait().expect("it can be waited for");
        assert!(ended.is_none(), "the process ended by itself ({ended:?}):\n{}", self.output().join("\n"));
        self.child.kill().await.expect("it can be killed");
    }
}

/// To a process that a test started.
pub(crate) fn signal(name: &str, process: u32) {
    let sent = std::process::Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status();
    let _ = sent.expect("kill exists");
}

/// The lines of both outputs, and word of each new one.
#[derive(Debug, Clone, Default)]
struct Output(Arc<Lines>);

#[derive(Debug, Default)]
struct Lines {
    lines: Mutex<Vec<String>>,
    count: watch::Sender<usize>,
}

impl Output {
    /// Reads lines until the process closes its end.
    fn collect(&self, from: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                this.0.lines.lock().unwrap().push(line);
                this.0.count.send_modify(|count| *count += 1);
            }
        })
    }

    async fn line_with(&self, text: &str) -> String {
        let mut count = self.0.count.subscribe();
        loop {
            count.borrow_and_update();
            let found = self.0.lines.lock().unwrap().iter().find(|line| line.contains(text)).cloned();
            if let Some(line) = found {
                return line;
            }
            count.changed().await.expect("self holds the sender");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, ready: &str) -> Gateway {
        Gateway::start(Path::new("/bin/sh"), &["-c", script], &[("GREETING", "hello")], ready).await
    }

    #[tokio::test]
    async fn waits_for_the_line_and_ends_on_request() {
        let mut process = shell("echo [$GREETING$HOME]; echo ready >&2; exec sleep 600", "ready").await;
        assert_eq!(process.wait_for("hello").await, "[hello]");
        assert!(!process.terminate().await.success());
    }

    #[tokio::test]
    async fn last_words_are_heard() {
        let script = "trap 'for i in 1 2 3 4 5 6 7 8 9; do echo bye $i; done; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
        let mut process = shell(script, "ready").await;
        assert!(process.terminate().await.success());
        assert_eq!(process.output().last().map(String::as_str), Some("bye 9"));
    }

    #[tokio::test]
    #[should_panic(expected = "no line with \"ready\"")]
    async fn an_early_end_is_a_failure() {
        shell("echo broken", "ready").await;
    }
}
