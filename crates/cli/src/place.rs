//! Where things lie in the data directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_core::{Clock, Secret, SystemClock};
use tidegate_store::Store;
use tidegate_store::backend::Backend;
use tidegate_store::postgres::{BadAddress, Postgres};
use tidegate_store::sqlite::Sqlite;
use tidegate_store::vault::{MasterKeys, master_keys_in};

use crate::context::Context;
use crate::failure::{Failure, FailureKind};

/// The variable with the master key, and older ones behind it.
pub const MASTER_KEY_VARIABLE: &str = "TIDEGATE_MASTER_KEY";
/// The file with the master keys, when the variable is not set.
pub const MASTER_KEY_FILE: &str = "master.key";
/// The control plane's database.
pub const STORE_FILE: &str = "tidegate.db";
/// The journal of the budgets.
pub const LEDGER_DIRECTORY: &str = "ledger";

/// The file of the database, which has to be there: opening another name would make a new one.
///
/// # Errors
/// No such file, and a database that is no file.
pub(crate) fn store_file(context: &Context<'_>) -> Result<PathBuf, Failure> {
    own_database(context)?;
    existing(&context.data_dir, STORE_FILE)
}

/// A database in PostgreSQL has tools of its own.
pub(crate) fn own_database(context: &Context<'_>) -> Result<(), Failure> {
    match context.database {
        None => Ok(()),
        Some(_) => {
            Err(Failure::failed("the database is in PostgreSQL (database.url): use pg_dump and pg_restore"))
        }
    }
}

/// The control plane's data, in the file or in PostgreSQL.
pub(crate) async fn store(context: &Context<'_>) -> Result<Store, Failure> {
    let backend: Arc<dyn Backend> = match context.database {
        None => Arc::new(Sqlite::open(&store_file(context)?)?),
        Some(url) => {
            let server = url.expose().parse();
            let server =
                server.map_err(|error: BadAddress| Failure::failed(format!("database.url: {error}")))?;
            Arc::new(Postgres::open(server).await?)
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Ok(Store::open(backend, master_keys(context)?, clock).await?)
}

pub(crate) fn ledger(context: &Context<'_>) -> Result<PathBuf, Failure> {
    existing(&context.data_dir, LEDGER_DIRECTORY)
}

fn existing(data_dir: &Path, name: &str) -> Result<PathBuf, Failure> {
    let path = data_dir.join(name);
    match path.exists() {
        true => Ok(path),
        false => {
            let problem =
                format!("there is no {}; name the gateway's directory with --data-dir", path.display());
            Err(Failure::new(FailureKind::NotFound, problem))
        }
    }
}

/// The keys of the environment, else of the file.
pub(crate) fn master_keys(context: &Context<'_>) -> Result<MasterKeys, Failure> {
    match context.variable(MASTER_KEY_VARIABLE) {
        Some(text) => Ok(MasterKeys::parse(&Secret::from(text), MASTER_KEY_VARIABLE)?),
        None => Ok(master_keys_in(&context.data_dir.join(MASTER_KEY_FILE), false)?),
    }
}
