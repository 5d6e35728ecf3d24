//! A Redis server on a free port, stopped with the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::ports::free_port;
use crate::process::signal;

/// Begins with no data, and writes none to a disk.
#[derive(Debug)]
pub struct Redis {
    process: Child,
    port: u16,
}

impl Redis {
    /// # Panics
    /// When `redis-server` is not there or does not come up.
    pub fn start() -> Self {
        // Somebody else may take the port in between.
        for _ in 0..10 {
            let port = free_port();
            if let Some(process) = run(port) {
                return Self { process, port };
            }
        }
        panic!("no Redis server could be started");
    }

    /// `redis://127.0.0.1:PORT/`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
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
        self.process = run(self.port).expect("the port is free again");
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
fn run(port: u16) -> Option<Child> {
    let mut process = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
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
