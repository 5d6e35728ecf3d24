//! A disk in memory that fails when it is told to, and forgets in a crash what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use super::files::{Files, Output};

#[derive(Debug, Default)]
struct Stored {
    bytes: Vec<u8>,
    synced: usize,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Stored>,
    /// Files whose being there was synced.
    named: BTreeSet<String>,
    /// Calls that change something.
    calls: u64,
    /// Calls that fail.
    failing: BTreeSet<u64>,
    /// Room for so many more bytes; what does not fit is written in part.
    room: Option<usize>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

struct Appender {
    disk: Disk,
    name: String,
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The call with this number, counted from now, fails; a write does after half of its bytes.
    pub(crate) fn fail(&self, from_now: u64) {
        let mut state = self.state();
        let call = state.calls + from_now;
        state.failing.insert(call);
    }

    pub(crate) fn room(&self, bytes: Option<usize>) {
        self.state().room = bytes;
    }

    /// What is left after the power went: of what was not synced, `keep` bytes of each file.
    pub(crate) fn after_crash(&self, keep: usize) -> Self {
        let state = self.state();
        let mut left = State::default();
        for (name, file) in &state.files {
            if state.named.contains(name) || keep.is_multiple_of(2) {
                let until = (file.synced + keep).min(file.bytes.len());
                let bytes = file.bytes[..until].to_vec();
                left.files.insert(name.clone(), Stored { synced: bytes.len(), bytes });
                left.named.insert(name.clone());
            }
        }
        Self(Arc::new(Mutex::new(left)))
    }

    /// A copy with one change.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Self {
        let mut files: BTreeMap<_, _> =
            self.state().files.iter().map(|(name, file)| (name.clone(), file.bytes.clone())).collect();
        change(&mut files);
        let mut state = State::default();
        for (name, bytes) in files {
            state.named.insert(name.clone());
            state.files.insert(name, Stored { synced: bytes.len(), bytes });
        }
        Self(Arc::new(Mutex::new(state)))
    }
}

impl State {
    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.failing.contains(&self.calls) { Err(io::Error::other("told to fail")) } else { Ok(()) }
    }
}

impl Files for Disk {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Output>> {
        let mut state = self.state();
        state.call()?;
        if state.files.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.files.insert(name.to_owned(), Stored::default());
        drop(state);
        Ok(Box::new(Appender { disk: self.clone(), name: name.to_owned() }))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().files.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let state = self.state();
        state.files.get(name).map(|file| file.bytes.clone()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call()?;
        state.named.remove(name);
        state.files.remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state();
        state.call()?;
        state.named = state.files.keys().cloned().collect();
        Ok(())
    }
}

impl Write for Appender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let called = state.call();
        let fits = state.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        let taken = if called.is_err() { fits / 2 } else { fits };
        state.room = state.room.map(|room| room - taken);
        if let Some(file) = state.files.get_mut(&self.name) {
            file.bytes.extend_from_slice(&bytes[..taken]);
        }
        called?;
        if taken == 0 && !bytes.is_empty() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Appender {
    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.call()?;
        if let Some(file) = state.files.get_mut(&self.name) {
            file.synced = file.bytes.len();
        }
        Ok(())
    }
}
