//! Commands that work on the data directory itself: copies, checks, a change of the master key.

use std::path::{Path, PathBuf};

use clap::Args;
use tidegate_store::audit::{Actor, AuditHead, By};
use tidegate_store::sqlite;
use tidegate_store::vault::add_master_key;

use crate::context::Context;
use crate::failure::Failure;
use crate::place::{self, MASTER_KEY_FILE, MASTER_KEY_VARIABLE, STORE_FILE};

#[derive(Debug, Clone, Default, Args)]
pub struct AuditVerify {
    /// Check also that the log still has what it had when this file was saved
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Save the end of the log there, to keep it on another machine
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// A copy of the control plane's database, made while it serves.
pub(crate) fn backup(context: &Context<'_>, file: &Path) -> Result<String, Failure> {
    let store = place::store_file(context)?;
    sqlite::backup_file(&store, file)?;
    Ok(format!(
        "copied {} to {}\nIts secrets are encrypted under the master key ({MASTER_KEY_VARIABLE}, or {} in the data directory), \
         which is not in the copy: keep it elsewhere. Budgets' usage and request records are not in the copy either.",
        store.display(),
        file.display(),
        MASTER_KEY_FILE,
    ))
}

/// Puts a copy in the place of the database; nobody may have it open.
pub(crate) fn restore(context: &Context<'_>, file: &Path) -> Result<String, Failure> {
    place::own_database(context)?;
    std::fs::create_dir_all(&context.data_dir)
        .map_err(|error| Failure::failed(format!("{}: {error}", context.data_dir.display())))?;
    let store = context.data_dir.join(STORE_FILE);
    let kept = sqlite::restore(file, &store)?;
    let kept =
        kept.map_or_else(String::new, |kept| format!("\nWhat was there is kept as {}.", kept.display()));
    Ok(format!("restored {} from {}{kept}", store.display(), file.display()))
}

pub(crate) fn verify_ledger(context: &Context<'_>) -> Result<String, Failure> {
    let report = tidegate_ledger::verify(&place::ledger(context)?)?;
    Ok(report.to_string().trim_end().to_owned())
}

pub(crate) async fn verify_audit(context: &Context<'_>, command: &AuditVerify) -> Result<String, Failure> {
    let kept = match &command.against {
        None => None,
        Some(file) => Some(read_head(file)?),
    };
    let store = place::store(context).await?;
    let report = store.verify_audit(kept.as_ref()).await?;
    let mut text = format!(
        "the audit log is whole: {} entries, the last has the hash {}",
        report.entries, report.head.hash
    );
    if let Some(kept) = kept {
        text.push_str(&format!("\nnothing was cut off since entry {}", kept.seq));
    }
    if let Some(file) = &command.save {
        let head = serde_json::to_string(&report.head).map_err(|error| Failure::failed(error.to_string()))?;
        std::fs::write(file, head + "\n")
            .map_err(|error| Failure::failed(format!("--save: {}: {error}", file.display())))?;
    }
    Ok(text)
}

fn read_head(file: &Path) -> Result<AuditHead, Failure> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Failure::usage(format!("--against: {}: {error}", file.display())))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("--against: {}: not what --save writes: {error}", file.display()))
    })
}

/// A new master key; all data keys are encrypted under it.
pub(crate) async fn rotate_master_key(context: &Context<'_>) -> Result<String, Failure> {
    // Before a key is made: is there anything that it could be for, and do the old ones open it?
    let store = place::store(context).await?;
    let (masters, after) = match context.variable(MASTER_KEY_VARIABLE) {
        Some(_) => {
            let masters = place::master_keys(context)?;
            let after = format!(
                "When all gateways have it, {MASTER_KEY_VARIABLE} can lose the older keys; backups made before need them."
            );
            (masters, after)
        }
        None => {
            let file = context.data_dir.join(MASTER_KEY_FILE);
            let masters = add_master_key(&file)?;
            let after = format!(
                "The new key is the first line of {}; backups made before need the lines below it.",
                file.display()
            );
            (masters, after)
        }
    };
    let current = masters.current().id().to_owned();
    let count = store.rotate_master(&By::new(Actor::Operator), masters).await?;
    if count == 0 {
        return Ok(format!(
            "everything is under master key {current} already; put a new key (openssl rand -hex 32) before the others in {MASTER_KEY_VARIABLE}"
        ));
    }
    Ok(format!(
        "{count} data keys are under master key {current} now\n{after}\nRestart gateways that are running: they know the old key only."
    ))
}
