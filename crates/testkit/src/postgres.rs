//! A PostgreSQL server on a free port, stopped with the test.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ports::free_port;
use crate::process::signal;
use crate::scratch::Scratch;

const PATIENCE: Duration = Duration::from_secs(60);

/// One database, `postgres`, without a password.
#[derive(Debug)]
pub struct Postgres {
    process: Child,
    directory: Scratch,
    port: u16,
    paused: Vec<u32>,
}

impl Postgres {
    /// # Panics
    /// When PostgreSQL is not there or does not come up.
    pub fn start() -> Self {
        let directory = Scratch::new();
        if let Some((user, group)) = owner() {
            chown(directory.path(), Some(user), Some(group)).expect("root may give directories away");
        }
        let made = command("initdb")
            .args(["--auth=trust", "--username=test", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(directory.path().join("data"))
            .current_dir("/")
            .output()
            .expect("initdb can be run");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = free_port();
        let mut server = Self { process: run(directory.path(), port), directory, port, paused: Vec::new() };
        server.wait();
        server
    }

    /// `postgres://test@127.0.0.1:PORT/postgres`
    pub fn url(&self) -> String {
        format!("postgres://test@127.0.0.1:{}/postgres", self.port)
    }

    /// Fast shutdown: open connections are broken.
    pub fn stop(&mut self) {
        self.resume();
        signal("INT", self.process.id());
        let _ = self.process.wait();
    }

    /// After [`Postgres::stop`], on the same port.
    pub fn restart(&mut self) {
        self.process = run(self.directory.path(), self.port);
        self.wait();
    }

    /// The kernel takes connections, and nobody answers: the server and all its children stand still.
    pub fn pause(&mut self) {
        let server = self.process.id();
        signal("STOP", server);
        self.paused = children(server);
        self.paused.push(server);
        self.paused.iter().for_each(|process| signal("STOP", *process));
    }

    pub fn resume(&mut self) {
        self.paused.drain(..).for_each(|process| signal("CONT", process));
    }

    /// Until it takes connections, which nothing announces.
    fn wait(&mut self) {
        let patience = Instant::now() + PATIENCE;
        loop {
            let mut asking = command("pg_isready");
            asking.args(["-q", "-h", "127.0.0.1", "-U", "test", "-d", "postgres", "-p"]);
            if asking.arg(self.port.to_string()).status().expect("pg_isready can be run").success() {
                return;
            }
            let ended = self.process.try_wait().expect("it can be waited for");
            assert!(ended.is_none(), "PostgreSQL ended");
            assert!(Instant::now() < patience, "PostgreSQL did not come up on port {}", self.port);
            std::thread::park_timeout(Duration::from_millis(30));
        }
    }
}

impl Drop for Postgres {
    /// At once, whatever state a failed test has left it in.
    fn drop(&mut self) {
        self.resume();
        signal("QUIT", self.process.id());
        let _ = self.process.wait();
    }
}

fn children(of: u32) -> Vec<u32> {
    let path = format!("/proc/{of}/task/{of}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

fn run(directory: &Path, port: u16) -> Child {
    command("postgres")
        .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-p", &port.to_string(), "-k"])
        .arg(directory)
        .arg("-D")
        .arg(directory.join("data"))
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("postgres can be run")
}

/// One of its programs. The server does not run as root: then it runs as the user that its package made.
fn command(program: &str) -> Command {
    let program = programs().join(program);
    if owner().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let others = ["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from);
    let found =
        debian.chain(others).find(|path| path.join("initdb").exists() && path.join("postgres").exists());
    found.expect("PostgreSQL is needed for this test: apt-get install -y postgresql")
}

/// The user to give files to, when the test runs as root.
fn owner() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().expect("id can be run");
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    (id(&["-u"]) == Some(0)).then(|| {
        let missing = "the user postgres is missing: apt-get install -y postgresql";
        (id(&["-u", "postgres"]).expect(missing), id(&["-g", "postgres"]).expect(missing))
    })
}
