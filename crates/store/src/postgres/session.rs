//! One connection, with the statements it has prepared.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use tidegate_postgres::Server;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row as Columns, Statement};

use crate::error::StoreError;

pub(super) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

pub(super) struct Session {
    client: Client,
    statements: RwLock<HashMap<&'static str, Statement>>,
    given_up: AtomicBool,
}

/// Held by the one replica that writes. Any number would do; it must not change.
const LOCK: &str = "BEGIN; SELECT pg_advisory_xact_lock(6077212842374260583)";

impl Session {
    pub async fn connect(server: &Server) -> Result<Self, StoreError> {
        let connecting = timeout(super::PATIENCE, server.connect()).await;
        let (client, connection) =
            connecting.map_err(|_| super::too_slow())?.map_err(StoreError::from_postgres)?;
        // It ends with the client. What broke it is told to whoever asks next.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { client, statements: RwLock::default(), given_up: AtomicBool::new(false) })
    }

    pub fn is_open(&self) -> bool {
        !self.client.is_closed() && !self.given_up.load(Ordering::Relaxed)
    }

    /// Marks a connection that does not answer: the next who needs one makes another.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Begins a transaction that is alone among all replicas.
    pub async fn begin(&self) -> Result<(), StoreError> {
        self.batch(LOCK).await
    }

    pub async fn end(&self, how: &str) -> Result<(), StoreError> {
        self.batch(how).await
    }

    pub async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(StoreError::from_postgres)
    }

    pub async fn run(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<u64, StoreError> {
        let statement = self.prepare(sql).await?;
        self.client.execute(&statement, parameters).await.map_err(StoreError::from_postgres)
    }

    pub async fn many(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Columns>, StoreError> {
        let statement = self.prepare(sql).await?;
        self.client.query(&statement, parameters).await.map_err(StoreError::from_postgres)
    }

    pub async fn one(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Columns>, StoreError> {
        Ok(self.many(sql, parameters).await?.into_iter().next())
    }

    async fn prepare(&self, sql: &'static str) -> Result<Statement, StoreError> {
        let known = self.statements.read().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await.map_err(StoreError::from_postgres)?;
        let mut statements = self.statements.write().unwrap_or_else(PoisonError::into_inner);
        Ok(statements.entry(sql).or_insert(statement).clone())
    }
}

impl StoreError {
    /// The server's message without its detail, which quotes values.
    pub(super) fn from_postgres(error: tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            return match std::error::Error::source(&error) {
                Some(cause) => StoreError::away(format_args!("{error}: {cause}")),
                None => StoreError::away(error),
            };
        };
        let away = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::DISK_FULL,
            SqlState::OUT_OF_MEMORY,
            SqlState::QUERY_CANCELED,
        ];
        let text = format_args!("{} ({})", told.message(), told.code().code()).to_string();
        if away.contains(told.code()) { StoreError::away(text) } else { StoreError::internal(text) }
    }
}
