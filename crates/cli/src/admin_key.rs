//! Where the key for the admin API comes from: never the command line, which other users of the machine can read.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tidegate_core::Secret;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};

/// The variable with an API key that may administer.
pub const ADMIN_KEY_VARIABLE: &str = "TIDEGATE_ADMIN_KEY";
/// The file in the data directory that the first start leaves the key in.
pub const ADMIN_KEY_FILE: &str = "admin.key";

const MAX_KEY_BYTES: u64 = 4096;

/// A key, and its source for messages.
#[derive(Debug, Clone)]
pub(crate) struct AdminKey {
    pub(crate) key: Secret,
    pub(crate) source: String,
}

/// The key: from the file that is named (`-` is standard input), else the environment, else the data directory.
///
/// # Errors
/// [`FailureKind::Key`] naming all places where one can be.
pub(crate) fn find(context: &Context<'_>, named: Option<&Path>) -> Result<AdminKey, Failure> {
    if let Some(path) = named {
        if path == Path::new("-") {
            let text =
                context.terminal.input().map_err(|error| wrong(&format!("standard input: {error}")))?;
            return checked(Secret::new(text.trim()), "standard input".to_owned());
        }
        let text =
            read(path)?.ok_or_else(|| wrong(&format!("--admin-key-file: there is no {}", path.display())))?;
        return checked(text, path.display().to_string());
    }
    if let Some(text) = context.variable(ADMIN_KEY_VARIABLE) {
        return checked(Secret::from(text.trim()), ADMIN_KEY_VARIABLE.to_owned());
    }
    let path: PathBuf = context.data_dir.join(ADMIN_KEY_FILE);
    match read(&path)? {
        Some(text) => checked(text, path.display().to_string()),
        None => Err(wrong(&format!(
            "no admin key: {ADMIN_KEY_VARIABLE} is not set and there is no {}\n\
             The first start of `tidegate serve` writes that file. If the gateway keeps its data elsewhere, say so with \
             --data-dir; if it runs on another machine, set {ADMIN_KEY_VARIABLE}, or give a file with --admin-key-file.",
            path.display()
        ))),
    }
}

/// The file's text; nothing when there is no such file.
fn read(path: &Path) -> Result<Option<Secret>, Failure> {
    let failed = |error: std::io::Error| wrong(&format!("{}: {error}", path.display()));
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(wrong(&format!(
            "{path}: its mode is {mode:03o}, so others may read the key: chmod 600 {path}"
        )));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_KEY_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(Secret::new(text.trim())))
}

fn checked(key: Secret, source: String) -> Result<AdminKey, Failure> {
    if key.is_empty() {
        return Err(wrong(&format!("no admin key: {source} is empty")));
    }
    Ok(AdminKey { key, source })
}

fn wrong(message: &str) -> Failure {
    Failure::new(FailureKind::Key, message)
}
