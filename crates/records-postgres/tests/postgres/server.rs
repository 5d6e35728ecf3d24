//! A PostgreSQL server of the test's own, on a free port.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tidegate_core::id;
use tokio_postgres::{Config, NoTls};

/// Stopped and removed with the test.
pub struct Server {
    process: Child,
    directory: PathBuf,
    port: u16,
    databases: AtomicU32,
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
    if owner().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
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

impl Server {
    pub fn start() -> Self {
        let directory = std::env::temp_dir().join(id::random("tidegate-records-pg-", 12));
        std::fs::create_dir_all(&directory).unwrap();
        if let Some((user, group)) = owner() {
            chown(&directory, Some(user), Some(group)).unwrap();
        }
        let made = command(&programs().join("initdb"))
            .args(["--auth=trust", "--username=test", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(directory.join("data"))
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = run(&directory, port);
        let server = Self { process, directory, port, databases: AtomicU32::new(0) };
        server.wait();
        server
    }

    fn wait(&self) {
        let patience = Instant::now() + Duration::from_secs(30);
        while query(&self.config("postgres"), "SELECT 1").is_err() {
            assert!(Instant::now() < patience, "PostgreSQL did not come up on port {}", self.port);
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("test").dbname(database);
        config
    }

    /// A database of its own.
    pub fn database(&self) -> Config {
        let name = format!("case_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        query(&self.config("postgres"), &format!("CREATE DATABASE {name}")).unwrap();
        self.config(&name)
    }

    /// Fast shutdown: open connections are broken.
    pub fn stop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }

    pub fn start_again(&mut self) {
        self.process = run(&self.directory, self.port);
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
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

/// The first column of what the server says.
pub fn query(config: &Config, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move { drop(connection.await) });
        let said = client.simple_query(sql).await?;
        let rows = said.iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(rows.collect())
    })
}
