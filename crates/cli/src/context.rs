//! What a command finds around it: passed in, so that tests bring their own.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use tidegate_core::{Clock, Secret};
use zeroize::Zeroizing;

/// The surroundings of a command.
pub struct Context<'a> {
    pub env: &'a BTreeMap<String, String>,
    /// Where the gateway keeps what must survive a restart.
    pub data_dir: PathBuf,
    /// Where the settings say that the gateway listens.
    pub host: IpAddr,
    pub port: u16,
    /// The address of the database, where it is not the one in the data directory.
    pub database: Option<&'a Secret>,
    /// PEM text of certificates to trust besides the machine's roots.
    pub extra_ca_pem: Option<Vec<u8>>,
    pub clock: &'a dyn Clock,
    pub terminal: &'a dyn Terminal,
}

/// Who types.
pub trait Terminal {
    /// Asks for a secret without showing it, or reads all of standard input when that is no terminal. Without the line
    /// break at its end.
    ///
    /// # Errors
    /// The terminal's, or standard input's.
    fn secret(&self, prompt: &str) -> io::Result<Secret>;

    /// All of standard input.
    ///
    /// # Errors
    /// Standard input's; text that is not UTF-8.
    fn input(&self) -> io::Result<Zeroizing<String>>;
}

/// The process's own standard input and terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTerminal;

/// More is no key and no config.
const MAX_INPUT_BYTES: u64 = 4 << 20;

impl Terminal for SystemTerminal {
    fn secret(&self, prompt: &str) -> io::Result<Secret> {
        if io::stdin().is_terminal() {
            let typed = Zeroizing::new(rpassword::prompt_password(prompt)?);
            return Ok(Secret::new(typed.trim()));
        }
        Ok(Secret::new(self.input()?.trim()))
    }

    fn input(&self) -> io::Result<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::new());
        io::stdin().lock().take(MAX_INPUT_BYTES).read_to_string(&mut text)?;
        Ok(text)
    }
}

impl Context<'_> {
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The address to call a gateway of these settings at: one that listens everywhere is called on this machine.
    pub(crate) fn own_url(&self) -> String {
        let host = match self.host {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            host => host,
        };
        match host {
            IpAddr::V4(host) => format!("http://{host}:{}", self.port),
            IpAddr::V6(host) => format!("http://[{host}]:{}", self.port),
        }
    }
}

impl std::fmt::Debug for Context<'_> {
    /// Without the environment, which holds keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("data_dir", &self.data_dir)
            .field("url", &self.own_url())
            .finish_non_exhaustive()
    }
}
