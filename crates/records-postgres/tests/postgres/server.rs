//! PostgreSQL, as these tests use it.

use tidegate_postgres::Server as Address;
use tidegate_testkit::Postgres;

pub struct Server(Postgres);

impl Server {
    pub fn start() -> Self {
        Self(Postgres::start())
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }

    pub fn config(&self, database: &str) -> Address {
        self.0.url_of(database).parse().unwrap()
    }

    /// A database of its own.
    pub fn database(&self) -> Address {
        self.0.database().parse().unwrap()
    }

    /// Fast shutdown: open connections are broken.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    pub fn start_again(&mut self) {
        self.0.restart();
    }
}

/// The first column of what the server says.
pub fn query(server: &Address, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, carrier) = server.connect().await?;
        tokio::spawn(async move { drop(carrier.await) });
        let said = client.simple_query(sql).await?;
        let rows = said.iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(rows.collect())
    })
}
