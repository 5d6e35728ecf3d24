//! The matrix: fixtures × dialects, one snapshot file per fixture with a section per dialect.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read fails its test")]

mod answers;
mod requests;
mod snapshots;

use std::fs;
use std::path::{Path, PathBuf};

use tidegate_dialect::DialectId;

/// The folders of fixtures, and the dialect in which the providers of each speak.
const FOLDERS: [(&str, DialectId); 5] = [
    ("openai", DialectId::OpenAi),
    ("anthropic", DialectId::Anthropic),
    ("gemini", DialectId::Gemini),
    ("cohere", DialectId::Cohere),
    ("ollama", DialectId::Ollama),
];

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// Names of the files in a folder, sorted; none when there is no such folder.
fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
