//! Which of the gateways that write to a database is which: numbers that are part of the ids of records.

use std::time::Duration;

use tidegate_postgres::Server;

use crate::session::{Connected, Fault, Session};

/// Every number there is, the longest unused first. A number is taken anew at each start, so it may come again only when
/// all others were taken since, and a clock that was set back meets ids of somebody else's.
const TABLE: &str = "SELECT pg_advisory_xact_lock(5183490263710485512); \
    CREATE TABLE IF NOT EXISTS record_node (node SMALLINT NOT NULL PRIMARY KEY, seen TIMESTAMPTZ NOT NULL); \
    INSERT INTO record_node SELECT node, '-infinity' FROM generate_series(0, 1023) AS node ON CONFLICT DO NOTHING;";

/// In the same transaction, and so under its lock: of two that ask at once, the second sees what the first took.
const TAKE: &str = "UPDATE record_node SET seen = clock_timestamp() WHERE node = (SELECT node FROM record_node \
    ORDER BY seen, node LIMIT 1) RETURNING node";

const RENEW: &str = "UPDATE record_node SET seen = clock_timestamp() WHERE node = $1";

/// A number below 1024 that no other gateway of this database has, for [`IdSource`](tidegate_records::IdSource). It is
/// kept by [`Node::renew`]: whoever does not renew may have to share once all others were taken since.
#[derive(Debug)]
pub struct Node {
    session: Session,
    number: i16,
}

impl Node {
    /// Waits for the database: for a thread that may.
    ///
    /// # Errors
    /// The database is away, in words.
    pub fn take(server: Server, patience: Duration) -> Result<Self, String> {
        let mut session = Session::new(server, patience);
        let taking = session.call(async |server: &mut Connected| {
            let transaction = server.client.transaction().await?;
            transaction.batch_execute(TABLE).await?;
            let number = transaction.query_one(TAKE, &[]).await?.try_get(0)?;
            transaction.commit().await?;
            Ok(number)
        });
        let number = taking.map_err(|fault| fault.to_string())?;
        Ok(Self { session, number })
    }

    pub fn number(&self) -> u16 {
        self.number.unsigned_abs()
    }

    /// Says that it is still in use, for a timer. Waits for the database.
    ///
    /// # Errors
    /// The database is away, in words. The number stays; it can be said again.
    pub fn renew(&mut self) -> Result<(), String> {
        let number = self.number;
        let renew =
            self.session.call(async |server: &mut Connected| server.client.execute(RENEW, &[&number]).await);
        match renew {
            // Somebody made the database anew: those who come now begin at the lowest numbers, as this one did.
            Err(Fault::NoTable(_)) | Ok(_) => Ok(()),
            Err(fault) => Err(fault.to_string()),
        }
    }
}
