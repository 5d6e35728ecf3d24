//! The scripts, and how one is run.

use std::sync::LazyLock;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

macro_rules! counting {
    ($name:literal) => {
        LazyLock::new(|| Script::new(concat!(include_str!("lua/numbers.lua"), "\n", include_str!($name))))
    };
}

pub(crate) static ADMIT: LazyLock<Script> = counting!("lua/admit.lua");
pub(crate) static SETTLE: LazyLock<Script> = counting!("lua/settle.lua");
pub(crate) static RENEW: LazyLock<Script> = counting!("lua/renew.lua");
pub(crate) static CHANGE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lua/change.lua")));

/// A script that the server knows by its hash, once it has seen it.
#[derive(Debug)]
pub(crate) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        Self { text, hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// So that it needs one round trip from the first time on.
    pub(crate) async fn load(&self, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        let mut command = Cmd::new();
        command.arg("SCRIPT").arg("LOAD").arg(self.text);
        connection.req_packed_command(&command).await?.extract_error().map(|_| ())
    }

    /// One round trip; a second one when the server has forgotten the script.
    pub(crate) async fn run(
        &self,
        connection: &mut MultiplexedConnection,
        keys: usize,
        fill: impl Fn(&mut Cmd),
    ) -> Result<Value, RedisError> {
        let command = |verb: &str, script: &str| {
            let mut command = Cmd::with_capacity(3 + keys * 2 + 2, 128 * (keys + 1));
            command.arg(verb).arg(script).arg(keys);
            fill(&mut command);
            command
        };
        let unknown = ErrorKind::Server(ServerErrorKind::NoScript);
        match ask(connection, &command("EVALSHA", &self.hash)).await {
            Err(error) if error.kind() == unknown => ask(connection, &command("EVAL", self.text)).await,
            answer => answer,
        }
    }
}

/// The connection hands a server's error on as a value.
async fn ask(connection: &mut MultiplexedConnection, command: &Cmd) -> Result<Value, RedisError> {
    connection.req_packed_command(command).await?.extract_error()
}
