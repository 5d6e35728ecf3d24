//! A PostgreSQL server on a free port, stopped with the test.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio_postgres::{Client, Config, NoTls};

use crate::world::Directory;

#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    directory: Directory,
    port: u16,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let directory = Directory::new();
        if let Some((user, group)) = owner() {
            chown(directory.path(), Some(user), Some(group)).unwrap();
        }
        let made = command(&programs().join("initdb"))
            .args(["--auth=trust", "--username=test", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(directory.path().join("data"))
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { process: run(directory.path(), port), directory, port };
        server.wait().await;
        server
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("test").dbname("postgres");
        config
    }

    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = self.config().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Fast shutdown: open connections are broken.
    pub(crate) fn stop(&mut self) {
        signal("INT", self.process.id());
        let _ = self.process.wait();
    }

    pub(crate) async fn restart(&mut self) {
        self.process = run(self.directory.path(), self.port);
        self.wait().await;
    }

    /// Until it takes connections, which nothing announces.
    async fn wait(&mut self) {
        for _ in 0..600 {
            if self.config().connect(NoTls).await.is_ok() {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "PostgreSQL ended");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("PostgreSQL did not come up on port {}", self.port);
    }
}

impl Drop for Server {
    /// At once, whatever state a failed test has left it in.
    fn drop(&mut self) {
        signal("QUIT", self.process.id());
        let _ = self.process.wait();
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

fn run(directory: &Path, port: u16) -> Child {
    command(&programs().join("postgres"))
        .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-p", &port.to_string(), "-k"])
        .arg(directory)
        .arg("-D")
        .arg(directory.join("data"))
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let others = ["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from);
    let found =
        debian.chain(others).find(|path| path.join("initdb").exists() && path.join("postgres").exists());
    found.expect("PostgreSQL is needed for this test: apt-get install -y postgresql")
}

/// PostgreSQL does not run as root: then it runs as the user that its package made.
fn command(program: &Path) -> Command {
    match owner() {
        None => Command::new(program),
        Some(_) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        }
    }
}

/// The user to give files to, when the test runs as root.
fn owner() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().ok()
    };
    (id(&["-u"]) == Some(0)).then(|| {
        let missing = "the user postgres is missing: apt-get install -y postgresql";
        (id(&["-u", "postgres"]).expect(missing), id(&["-g", "postgres"]).expect(missing))
    })
}
