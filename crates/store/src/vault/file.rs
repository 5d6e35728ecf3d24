//! The file that holds master keys when the environment does not: made at the first start, for its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use tidegate_core::Secret;
use zeroize::Zeroizing;

use super::master::MasterKeys;
use crate::error::StoreError;

/// The keys in the file; a new file with a new key when there is none and `make` is set. A caller clears `make` when
/// there is a database already: a new key could not open it.
///
/// # Errors
/// [`StoreError::MasterKey`] when the file is missing, holds no keys, or may be read by others than its owner.
pub fn master_keys_in(path: &Path, make: bool) -> Result<MasterKeys, StoreError> {
    match read(path) {
        Err(Trouble::Missing) if make => {
            let text = MasterKeys::random_text()?;
            match write_new(path, &text) {
                // Another process made it in the meantime: its key is the one.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(wrong(path, error)),
                Ok(()) => {}
            }
            read(path)
        }
        other => other,
    }
    .map_err(|trouble| match trouble {
        Trouble::Missing => {
            wrong(path, "there is no such file, and the database needs the key that was in it")
        }
        Trouble::Wrong(error) => error,
    })
    .and_then(|text| MasterKeys::parse(&text, &path.display().to_string()))
}

/// Puts a new key before those in the file and gives all of them: the first step of a change of keys. The file is
/// replaced in one step, so that a crash leaves the old one or the new one.
///
/// # Errors
/// [`StoreError::MasterKey`].
pub fn add_master_key(path: &Path) -> Result<MasterKeys, StoreError> {
    let old = match read(path) {
        Ok(old) => old,
        Err(Trouble::Missing) => return Err(wrong(path, "there is no such file")),
        Err(Trouble::Wrong(error)) => return Err(error),
    };
    let new = MasterKeys::random_text()?;
    let text = Secret::from(format!("{}\n{}", new.expose(), old.expose()));
    let beside = path.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(wrong(&beside, error)),
        _ => {}
    }
    write_new(&beside, &text).map_err(|error| wrong(&beside, error))?;
    fs::rename(&beside, path).and_then(|()| sync_directory(path)).map_err(|error| wrong(path, error))?;
    MasterKeys::parse(&text, &path.display().to_string())
}

enum Trouble {
    Missing,
    Wrong(StoreError),
}

fn read(path: &Path) -> Result<Secret, Trouble> {
    let wrong = |problem: std::io::Error| Trouble::Wrong(wrong(path, problem));
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Trouble::Missing),
        other => other.map_err(wrong)?,
    };
    let mode = file.metadata().map_err(wrong)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        let problem = format!("its mode is {mode:03o}, so others may read it: `chmod 600` it");
        return Err(Trouble::Wrong(self::wrong(path, problem)));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(65_536).read_to_string(&mut text).map_err(wrong)?;
    Ok(Secret::new(text.trim()))
}

/// The name appears when all of the file is there: neither a crash nor another process sees half a key.
fn write_new(path: &Path, text: &Secret) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    linked?;
    sync_directory(path)
}

/// Without this, a file that was just made may be gone after a power cut.
pub(crate) fn sync_directory(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn wrong(path: &Path, problem: impl std::fmt::Display) -> StoreError {
    StoreError::MasterKey { place: path.display().to_string(), problem: problem.to_string() }
}
