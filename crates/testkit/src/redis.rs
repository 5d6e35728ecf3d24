//! A Redis server on a free port, stopped with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::ports::free_port;
use crate::process::signal;
use crate::scratch::Scratch;
use crate::tls::Identity;

/// Begins with no data, and writes none to a disk.
#[derive(Debug)]
pub struct Redis {
    process: Child,
    port: u16,
    /// Its certificate and key, when it speaks TLS and nothing else.
    files: Option<Scratch>,
}

impl Redis {
    /// # Panics
    /// When `redis-server` is not there or does not come up.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// It speaks TLS, and asks clients for no certificate.
    ///
    /// # Panics
    /// As [`Redis::start`].
    pub fn start_with_tls(identity: &Identity) -> Self {
        let files = Scratch::new();
        files.write("server.crt", &identity.certificate_pem);
        files.write("server.key", &identity.key_pem);
        Self::start_with(Some(files))
    }

    fn start_with(files: Option<Scratch>) -> Self {
        // Somebody else may take the port in between.
        for _ in 0..10 {
            let port = free_port();
            if let Some(process) = run(port, files.as_ref()) {
                return Self { process, port, files };
            }
        }
        panic!("no Redis server could be started");
    }

    /// `redis://127.0.0.1:PORT/`, or `rediss://`.
    pub fn url(&self) -> String {
        format!("redis{}://127.0.0.1:{}/", if self.files.is_some() { "s" } else { "" }, self.port)
    }

    /// As a crash: everything is lost.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// After [`Redis::kill`], on the same port.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn restart(&mut self) {
        self.process = run(self.port, self.files.as_ref()).expect("the port is free again");
    }

    /// It takes connections and requests, and answers nothing.
    pub fn pause(&self) {
        signal("STOP", self.process.id());
    }

    pub fn resume(&self) {
        signal("CONT", self.process.id());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `None` when it ended before it was ready.
fn run(port: u16, files: Option<&Scratch>) -> Option<Child> {
    let mut command = Command::new("redis-server");
    match files {
        None => _ = command.args(["--port", &port.to_string()]),
        Some(files) => {
            command.args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(files.path().join("server.crt"));
            command.arg("--tls-key-file").arg(files.path().join("server.key"));
        }
    }
    let mut process = command
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--daemonize", "no", "--logfile", ""])
        .current_dir(std::env::temp_dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Redis is needed for this test: apt-get install -y redis-server");
    let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
    let is_ready = lines.any(|line| line.is_ok_and(|line| line.contains("eady to accept connections")));
    if !is_ready {
        let _ = process.wait();
        return None;
    }
    // It would be stopped by a pipe that nobody reads.
    std::thread::spawn(move || lines.for_each(drop));
    Some(process)
}
