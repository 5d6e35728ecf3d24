//! Where things lie in the data directory.

use std::path::{Path, PathBuf};

use tidegate_store::vault::{MasterKeys, master_keys_in};

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use tidegate_core::Secret;

/// The variable with the master key, and older ones behind it.
pub const MASTER_KEY_VARIABLE: &str = "TIDEGATE_MASTER_KEY";
/// The file with the master keys, when the variable is not set.
pub const MASTER_KEY_FILE: &str = "master.key";
/// The control plane's database.
pub const STORE_FILE: &str = "store.db";
/// The journal of the budgets.
pub const LEDGER_DIRECTORY: &str = "ledger";

/// The database, which has to be there: opening another name would make a new one.
pub(crate) fn store(context: &Context<'_>) -> Result<PathBuf, Failure> {
    existing(&context.data_dir, STORE_FILE)
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
