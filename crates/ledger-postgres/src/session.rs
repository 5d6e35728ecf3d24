//! One connection, with the statements that requests need.

use std::time::Duration;

use tidegate_ledger::Amount;
use tidegate_postgres::Server;
use tokio::time::timeout;
use tokio_postgres::{Client, Error, Statement};

use crate::error::PoolError;
use crate::key::amount;
use crate::operation::{Action, Task};

const CLAIM: &str = "SELECT tidegate_ledger_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::TEXT::NUMERIC, \
                     $11::TEXT::NUMERIC)::TEXT";
const GIVE_BACK: &str =
    "SELECT tidegate_ledger_give_back($1, $2, $3, $4, $5, $6, $7, $8, $9::TEXT::NUMERIC)::TEXT";

pub(crate) struct Session {
    pub(crate) client: Client,
    claim: Statement,
    give_back: Statement,
}

/// An operation failed.
pub(crate) enum Failure {
    /// Nobody knows whether it was done.
    Unknown(String),
    /// It was not, and trying again would not help.
    Refused(String),
}

/// A connection, in time.
pub(crate) async fn connect(server: &Server, patience: Duration) -> Result<Client, PoolError> {
    let connecting = timeout(patience, server.connect()).await;
    let (client, connection) = connecting.map_err(|_| too_slow(patience))?.map_err(|error| told(&error))?;
    // It ends with the client. What broke it is told to whoever asks next.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

impl Session {
    pub(crate) async fn open(server: &Server, patience: Duration) -> Result<Self, PoolError> {
        let client = connect(server, patience).await?;
        let preparing = async { (client.prepare(CLAIM).await, client.prepare(GIVE_BACK).await) };
        let (claim, give_back) = timeout(patience, preparing).await.map_err(|_| too_slow(patience))?;
        let (claim, give_back) =
            (claim.map_err(|error| told(&error))?, give_back.map_err(|error| told(&error))?);
        Ok(Self { client, claim, give_back })
    }

    /// One round trip.
    pub(crate) async fn run(
        &self,
        line: &str,
        number: i64,
        holder: &str,
        task: &Task,
    ) -> Result<Amount, Failure> {
        let place = &task.place;
        let key = &place.key;
        let row = match &task.action {
            Action::Claim { least, want } => {
                let (least, want) = (least.to_string(), want.to_string());
                self.client
                    .query_one(
                        &self.claim,
                        &[
                            &line,
                            &number,
                            &holder,
                            &key.scope,
                            &key.owner,
                            &key.unit,
                            &key.reset,
                            &place.start,
                            &place.ends,
                            &least,
                            &want,
                        ],
                    )
                    .await
            }
            Action::GiveBack { rest } => {
                let rest = rest.to_string();
                self.client
                    .query_one(
                        &self.give_back,
                        &[
                            &line,
                            &number,
                            &holder,
                            &key.scope,
                            &key.owner,
                            &key.unit,
                            &key.reset,
                            &place.start,
                            &rest,
                        ],
                    )
                    .await
            }
        };
        let text: String = row.and_then(|row| row.try_get(0)).map_err(|error| failure(&error))?;
        amount(&text).ok_or_else(|| Failure::Refused("the answer is no amount".to_owned()))
    }
}

pub(crate) fn too_slow(patience: Duration) -> PoolError {
    PoolError::away(format_args!("no answer for {} ms", patience.as_millis()))
}

/// The server's message without its detail, which quotes values.
pub(crate) fn told(error: &Error) -> PoolError {
    match failure(error) {
        Failure::Unknown(reason) => PoolError::away(reason),
        Failure::Refused(reason) => PoolError::Refused(reason),
    }
}

fn failure(error: &Error) -> Failure {
    let Some(told) = error.as_db_error() else {
        return Failure::Unknown(match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        });
    };
    let reason = format!("{} ({})", told.message(), told.code().code());
    // Classes of conditions that pass: connection, rollback, resources, operator, system.
    let passes = ["08", "25", "40", "53", "55", "57", "58"];
    match passes.iter().any(|class| told.code().code().starts_with(class)) {
        true => Failure::Unknown(reason),
        false => Failure::Refused(reason),
    }
}
