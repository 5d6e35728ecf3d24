//! The file operations that can fail for lack of room, apart so that tests can let them fail.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

/// Where segments are made.
pub trait Disk: Send {
    /// A new, empty file; one of that name is replaced.
    ///
    /// # Errors
    /// As the file system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;
}

/// A file that only grows, except for taking back what failed.
pub trait SegmentFile: Send {
    /// # Errors
    /// A part may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// # Errors
    /// It is unknown what is on the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// # Errors
    /// The file is longer than `length` still.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let file = File::create(path)?;
        // The name must survive as well as the bytes do.
        if let Some(directory) = path.parent() {
            File::open(directory)?.sync_all()?;
        }
        Ok(Box::new(file))
    }
}

impl SegmentFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }
}
