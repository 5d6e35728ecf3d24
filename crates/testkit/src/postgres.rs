//! A PostgreSQL server on a free port, stopped with the test.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::ports::free_port;
use crate::process::signal;
use crate::scratch::Scratch;
use crate::tls::Identity;

const PATIENCE: Duration = Duration::from_secs(120);

/// One database, `postgres`, without a password.
#[derive(Debug)]
pub struct Postgres {
    process: Child,
    directory: Scratch,
    port: u16,
    /// Arguments of its own.
    settings: Vec<String>,
    databases: AtomicU32,
    paused: Vec<u32>,
}

impl Postgres {
    /// # Panics
    /// When PostgreSQL is not there or does not come up.
    pub fn start() -> Self {
        Self::start_with(|_| Vec::new())
    }

    /// It encrypts connections for who asks for that.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    pub fn start_with_tls(identity: &Identity) -> Self {
        Self::start_with(|data| {
            for (name, pem) in [("server.crt", &identity.certificate_pem), ("server.key", &identity.key_pem)]
            {
                let path = data.join(name);
                std::fs::write(&path, pem).expect("the directory can be written");
                std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
                if let Some((user, group)) = owner() {
                    chown(&path, Some(user), Some(group)).expect("root may give files away");
                }
            }
            vec!["-c".to_owned(), "ssl=on".to_owned()]
        })
    }

    /// `settings` is given the data directory.
    fn start_with(settings: impl FnOnce(&Path) -> Vec<String>) -> Self {
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
        let (port, settings) = (free_port(), settings(&directory.path().join("data")));
        let process = run(directory.path(), port, &settings);
        let databases = AtomicU32::new(0);
        let mut server = Self { process, directory, port, settings, databases, paused: Vec::new() };
        server.wait();
        server
    }

    /// `postgres://test@127.0.0.1:PORT/postgres`
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database, which may be none.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://test@127.0.0.1:{}/{database}", self.port)
    }

    /// The address of a new database, empty but for what PostgreSQL puts into each.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn database(&self) -> String {
        let name = format!("case_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut making = command("createdb");
        making.args(["-h", "127.0.0.1", "-U", "test", "-p", &self.port.to_string(), &name]).current_dir("/");
        let made = making.output().expect("createdb can be run");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.url_of(&name)
    }

    /// Fast shutdown: open connections are broken.
    pub fn stop(&mut self) {
        self.resume();
        signal("INT", self.process.id());
        let _ = self.process.wait();
    }

    /// After [`Postgres::stop`], on the same port.
    pub fn restart(&mut self) {
        self.process = run(self.directory.path(), self.port, &self.settings);
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

fn run(directory: &Path, port: u16, settings: &[String]) -> Child {
    command("postgres")
        .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-p", &port.to_string(), "-k"])
        .arg(directory)
        .arg("-D")
        .arg(directory.join("data"))
        .args(settings)
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
