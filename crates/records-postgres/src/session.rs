//! A connection for a thread that may wait, made anew when it broke.

use std::fmt;
use std::time::Duration;

use tidegate_postgres::Server;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Statement};

/// The server takes its disk for one that turns, on which a few pages here and there cost more than all in a row. So it looks
/// through every record for those that an index names.
const NO_SEEKS: &str = "SET random_page_cost = 1.1";

#[derive(Debug)]
pub(crate) enum Fault {
    /// Nobody answers, or the answer is that it does not work now.
    Away(String),
    /// The data itself is to blame.
    Refused(String),
    /// There is no such table, or no partition for a row.
    NoTable(String),
}

pub(crate) struct Connected {
    pub(crate) client: Client,
    /// The one statement that is asked for often.
    pub(crate) insert: Option<Statement>,
}

pub(crate) struct Session {
    server: Server,
    patience: Duration,
    runtime: Option<Runtime>,
    connected: Option<Connected>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?})", self.server)
    }
}

impl Session {
    pub(crate) fn new(server: Server, patience: Duration) -> Self {
        Self { server, patience, runtime: None, connected: None }
    }

    /// Connects if need be and asks. Within the session's patience there is an answer, or the connection is given up: what it
    /// was to do may have been done then.
    pub(crate) fn call<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut Connected) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Fault> {
        let Self { server, patience, runtime, connected } = self;
        let runtime = match runtime {
            Some(runtime) => runtime,
            None => {
                let made = Builder::new_current_thread().enable_all().build();
                runtime.insert(made.map_err(|error| Fault::Away(error.to_string()))?)
            }
        };
        let mut own = connected.take().filter(|connected| !connected.client.is_closed());
        let answer = runtime.block_on(async {
            timeout(*patience, async {
                let connected = match &mut own {
                    Some(connected) => connected,
                    None => {
                        let (client, connection) = server.connect().await?;
                        // It ends with the client. What broke it is told to whoever asks next.
                        tokio::spawn(async move { drop(connection.await) });
                        client.batch_execute(NO_SEEKS).await?;
                        own.insert(Connected { client, insert: None })
                    }
                };
                ask(connected).await
            })
            .await
        });
        match answer {
            Err(_) => Err(Fault::Away(format!("no answer for {} ms", patience.as_millis()))),
            Ok(Err(error)) if error.as_db_error().is_none() => Err(Fault::of(&error)),
            Ok(answer) => {
                *connected = own;
                answer.map_err(|error| Fault::of(&error))
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Dropping a runtime waits, which threads of another runtime must not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Fault {
    /// The server's message without its detail, which quotes values.
    fn of(error: &tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            return Self::Away(match std::error::Error::source(error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            });
        };
        let text = format!("{} ({})", told.message(), told.code().code());
        match told.code() {
            // A row that no partition takes is reported as a check that failed; there are no other checks.
            code if [SqlState::UNDEFINED_TABLE, SqlState::CHECK_VIOLATION].contains(code) => {
                Self::NoTable(text)
            }
            // Bad data, violated constraints, values beyond the server's limits.
            code if ["22", "23", "54"].iter().any(|class| code.code().starts_with(class)) => {
                Self::Refused(text)
            }
            _ => Self::Away(text),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(text) | Self::Refused(text) | Self::NoTable(text) => f.write_str(text),
        }
    }
}
