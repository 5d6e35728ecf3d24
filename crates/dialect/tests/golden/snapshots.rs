//! Snapshot files: compared, or rewritten with `UPDATE_SNAPSHOTS=1`. A snapshot that no fixture names is a failure.

use std::fs;
use std::path::PathBuf;

pub(super) struct Snapshots {
    folder: PathBuf,
    /// The part of the folder's files that these are: `request-`, or nothing for answers.
    prefix: &'static str,
    named: Vec<String>,
    differing: Vec<String>,
}

impl Snapshots {
    pub(super) fn new(folder: PathBuf, prefix: &'static str) -> Self {
        Self { folder, prefix, named: Vec::new(), differing: Vec::new() }
    }

    pub(super) fn check(&mut self, fixture: &str, text: &str) {
        let name = format!("{}{fixture}.snap", self.prefix);
        let path = self.folder.join(&name);
        let before = fs::read_to_string(&path).unwrap_or_default();
        if before != text {
            if updating() {
                fs::create_dir_all(&self.folder).unwrap();
                fs::write(&path, text).unwrap();
            } else {
                self.differing.push(format!("{}: {}", path.display(), first_difference(&before, text)));
            }
        }
        self.named.push(name);
    }

    /// All fixtures were checked.
    pub(super) fn finish(self) {
        for name in super::files(&self.folder) {
            let ours = self.prefix.is_empty() != name.starts_with("request-");
            if ours && !self.named.contains(&name) {
                let path = self.folder.join(&name);
                assert!(updating(), "{} belongs to no fixture", path.display());
                fs::remove_file(path).unwrap();
            }
        }
        assert!(self.differing.is_empty(), "snapshots differ:\n{}", self.differing.join("\n"));
    }
}

fn updating() -> bool {
    std::env::var_os("UPDATE_SNAPSHOTS").is_some()
}

fn first_difference(before: &str, after: &str) -> String {
    let (mut old, mut new) = (before.lines(), after.lines());
    for number in 1.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (a, b) if a != b => {
                return format!(
                    "line {number}\n  was {}\n  now {}",
                    a.unwrap_or("(nothing)"),
                    b.unwrap_or("(nothing)")
                );
            }
            _ => {}
        }
    }
    "only line ends differ".to_owned()
}
