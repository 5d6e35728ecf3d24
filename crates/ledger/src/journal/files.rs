//! The few things that the journal asks of a file system, so that tests can make each of them fail.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A directory of segments. Names are plain file names.
pub trait Files: Send + fmt::Debug {
    /// Makes a file that must not be there.
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Output>>;
    fn names(&self) -> io::Result<Vec<String>>;
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// After this, files that were made are there, and removed ones are not, whatever happens.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file that is appended to.
pub trait Output: Write + Send {
    /// After this, everything that was written is on disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory of the machine. Locked as long as the value lives: two processes that write the same books would both
/// hand out what is left.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// `None` for readers.
    _lock: Option<File>,
}

const LOCK: &str = "lock";

impl Directory {
    /// Makes the directory if need be, and locks it.
    ///
    /// # Errors
    /// The file system's; [`io::ErrorKind::WouldBlock`] when another process holds the lock.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        // The directory itself must be there after the power went, or all that is synced in it is nowhere.
        if let Some(parent) = path.canonicalize()?.parent() {
            File::open(parent)?.sync_all()?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::Error(error) => error,
            fs::TryLockError::WouldBlock => {
                io::Error::new(io::ErrorKind::WouldBlock, "another process has these books open")
            }
        })?;
        Ok(Self { path: path.to_owned(), _lock: Some(lock) })
    }

    /// For reading only, while another process may write.
    pub(crate) fn reader(path: &Path) -> Self {
        Self { path: path.to_owned(), _lock: None }
    }
}

impl Files for Directory {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Output>> {
        let file = OpenOptions::new().create_new(true).write(true).open(self.path.join(name))?;
        Ok(Box::new(file))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.path)?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&mut self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl Output for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
