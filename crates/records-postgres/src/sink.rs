//! The store's writing end.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use tidegate_postgres::Server;
use tidegate_records::search::words_of;
use tidegate_records::{Batch, Entry, Facts, Sink, SinkError, StoredBodies, Written, body};
use tokio_postgres::Error;

use crate::batch::{INSERT, INSERT_BODIES, Rows, SEALS};
use crate::rollups;
use crate::schema::{self, BODIES, ROWS};
use crate::session::{Connected, Fault, Session};
use crate::settled;

#[derive(Clone)]
pub struct PostgresOptions {
    pub server: Server,
    /// Days that records are kept, today included; 0 keeps them for ever.
    pub keep_rows_days: u32,
    /// Days that bodies are kept, today included; 0 keeps them as long as their records.
    pub keep_bodies_days: u32,
    /// How long a call waits for the server before it counts as away.
    pub patience: Duration,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("server", &self.server)
            .field("keep_rows_days", &self.keep_rows_days)
            .field("keep_bodies_days", &self.keep_bodies_days)
            .field("patience", &self.patience)
            .finish()
    }
}

impl PostgresOptions {
    /// 30 days of records, 14 of bodies, 10 seconds of patience.
    pub fn new(server: Server) -> Self {
        Self { server, keep_rows_days: 30, keep_bodies_days: 14, patience: Duration::from_secs(10) }
    }
}

/// Writes to a database, which several gateways may do at once.
#[derive(Debug)]
pub struct PostgresSink {
    options: PostgresOptions,
    session: Session,
    /// Tables and partitions that are there, as far as this one knows.
    made: BTreeSet<(&'static str, u32)>,
    tables: bool,
    /// The first days of which records and bodies are kept.
    first_rows: u32,
    first_bodies: u32,
}

impl PostgresSink {
    /// Connects when there is something to write, and makes the tables then.
    pub fn new(options: PostgresOptions) -> Self {
        let session = Session::new(options.server.clone(), options.patience);
        Self { options, session, made: BTreeSet::new(), tables: false, first_rows: 0, first_bodies: 0 }
    }

    fn make(&mut self, wanted: impl Iterator<Item = (&'static str, u32)>) -> Result<(), Fault> {
        let missing: BTreeSet<_> = wanted.filter(|day| !self.made.contains(day)).collect();
        if !self.tables {
            let sql = schema::tables();
            self.session.call(async |server: &mut Connected| server.client.batch_execute(&sql).await)?;
            self.tables = true;
        }
        if !missing.is_empty() {
            let sql = schema::days(missing.iter().copied());
            self.session.call(async |server: &mut Connected| server.client.batch_execute(&sql).await)?;
            self.made.extend(missing);
        }
        Ok(())
    }

    fn write_kept(&mut self, entries: &[&Entry<'_>]) -> Result<Written, Fault> {
        let first_bodies = self.first_bodies;
        let with_bodies = |entry: &Entry<'_>| entry.bodies.is_some() && entry.id().day() >= first_bodies;
        let rows = entries.iter().map(|entry| (ROWS, entry.id().day()));
        let bodies =
            entries.iter().filter(|entry| with_bodies(entry)).map(|entry| (BODIES, entry.id().day()));
        self.make(rows.chain(bodies))?;
        let mut rows = Rows::default();
        entries.iter().for_each(|entry| rows.add(entry, with_bodies(entry)));
        let bodies: HashMap<i64, Bodies> = entries
            .iter()
            .filter(|entry| with_bodies(entry))
            .filter_map(|entry| Some((entry.id().signed(), Bodies::of(entry.bodies?))))
            .collect();
        let (mut new, seals) =
            self.session.call(async |server: &mut Connected| insert(server, &rows, entries, bodies).await)?;
        let mut written = Written::default();
        for (id, seal) in rows.ids.iter().zip(&rows.seals) {
            // An id that is twice in a batch is new once.
            if new.remove(id) {
                written.new += 1;
            } else if seals.get(id) == Some(seal) {
                written.known += 1;
            } else {
                written.clashed += 1;
            }
        }
        Ok(written)
    }

    fn drop_old(&mut self, today: u32) -> Result<(), Fault> {
        let there: Vec<String> = self.session.call(async |server: &mut Connected| {
            Ok(server.client.query(schema::PARTITIONS, &[]).await?.iter().map(|row| row.get(0)).collect())
        })?;
        let (first_rows, first_bodies) = (self.first_rows, self.first_bodies);
        let is_old = |name: &String| {
            schema::day_of(name)
                .is_some_and(|(table, day)| day < if table == ROWS { first_rows } else { first_bodies })
        };
        let first = first_rows.cast_signed();
        self.session.call(async |server: &mut Connected| {
            server.client.execute("DELETE FROM request_rollup WHERE day < $1", &[&first]).await?;
            server.client.execute("DELETE FROM request_rollup_settled WHERE day < $1", &[&first]).await?;
            rollups::merge(server).await
        })?;
        let old: Vec<_> = there.into_iter().filter(is_old).collect();
        if !old.is_empty() {
            let sql = schema::drop(&old);
            self.session.call(async |server: &mut Connected| server.client.batch_execute(&sql).await)?;
            self.made.retain(|(table, day)| *day >= if *table == ROWS { first_rows } else { first_bodies });
        }
        settled::settle(&mut self.session, today.cast_signed())
    }
}

/// As they are stored.
struct Bodies {
    bytes: Vec<u8>,
    /// By which they are found, with spaces between them.
    words: String,
}

impl Bodies {
    fn of(bodies: &StoredBodies) -> Self {
        let words: Vec<String> = words_of(bodies).into_iter().collect();
        Self { bytes: body::to_bytes(bodies), words: words.join(" ") }
    }
}

/// Ids that are new, and the seals of those that were there. Rows and bodies are one transaction.
async fn insert(
    server: &mut Connected,
    rows: &Rows<'_>,
    entries: &[&Entry<'_>],
    mut bodies: HashMap<i64, Bodies>,
) -> Result<(HashSet<i64>, HashMap<i64, i64>), Error> {
    let prepared = match &server.insert {
        Some(prepared) => prepared.clone(),
        None => server.insert.insert(server.client.prepare(INSERT).await?).clone(),
    };
    let transaction = server.client.transaction().await?;
    let new = transaction.query(&prepared, &rows.parameters()).await?;
    let new: HashSet<i64> = new.iter().map(|row| row.get(0)).collect();
    if !new.is_empty() {
        // Of an id that is twice in the batch the first one is stored.
        let mut counted = HashSet::with_capacity(new.len());
        let first = |entry: &&&Entry<'_>| new.contains(&entry.id().signed()) && counted.insert(entry.id());
        let stored: Vec<&Facts<'_>> = entries.iter().filter(first).map(|entry| &entry.facts).collect();
        rollups::Rows::of(&stored).insert(&transaction).await?;
    }
    // Those of a record that clashed are not the ones that its id stands for.
    bodies.retain(|id, _| new.contains(id));
    if !bodies.is_empty() {
        let (mut ids, mut bytes, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for (id, bodies) in bodies {
            ids.push(id);
            bytes.push(bodies.bytes);
            words.push(bodies.words);
        }
        transaction.execute(INSERT_BODIES, &[&ids, &bytes, &words]).await?;
    }
    let mut seals = HashMap::new();
    if new.len() < rows.ids.len() {
        let there = transaction.query(SEALS, &[&rows.ids]).await?;
        seals.extend(there.iter().map(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1))));
    }
    transaction.commit().await?;
    Ok((new, seals))
}

impl Sink for PostgresSink {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        let kept: Vec<_> = batch.iter().filter(|entry| entry.id().day() >= self.first_rows).collect();
        let expired = (batch.len() - kept.len()) as u64;
        if kept.is_empty() {
            return Ok(Written { expired, ..Written::default() });
        }
        match self.write_kept(&kept) {
            Ok(written) => Ok(Written { expired, ..written }),
            Err(Fault::Refused(cause)) => Err(SinkError::Refused(cause)),
            Err(Fault::Away(cause)) => Err(SinkError::Away(cause)),
            Err(Fault::NoTable(cause)) => {
                // Another gateway keeps fewer days, or somebody made the database anew.
                self.tables = false;
                self.made.clear();
                Err(SinkError::Away(cause))
            }
        }
    }

    fn tend(&mut self, unix_ms: u64) -> Result<(), SinkError> {
        let today = u32::try_from(unix_ms / 86_400_000).unwrap_or(u32::MAX - 1);
        let first = |keep: u32| if keep == 0 { 0 } else { (today + 1).saturating_sub(keep) };
        // A clock that was set back brings nothing back.
        self.first_rows = self.first_rows.max(first(self.options.keep_rows_days));
        self.first_bodies = self.first_bodies.max(first(self.options.keep_bodies_days)).max(self.first_rows);
        // Tomorrow's too: midnight is then like any other moment.
        let days = [today, today + 1].into_iter().flat_map(|day| [(ROWS, day), (BODIES, day)]);
        self.make(days.filter(|(_, day)| *day >= self.first_rows).collect::<Vec<_>>().into_iter())
            .and_then(|()| self.drop_old(today))
            .map_err(|fault| SinkError::Away(fault.to_string()))
    }
}
