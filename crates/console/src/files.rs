//! The files of the console, as they were built.

/// Compressed with gzip.
#[derive(Debug)]
pub(crate) struct File {
    /// Below the console's root.
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    /// Of the content, quoted.
    pub(crate) etag: &'static str,
    pub(crate) gzip: &'static [u8],
}

/// Sorted by name.
static FILES: &[File] = include!("../dist/files.rs");

/// The page that every address of the console shows.
pub(crate) const PAGE: &str = "index.html";

pub(crate) fn find(name: &str) -> Option<&'static File> {
    let at = FILES.binary_search_by(|file| file.name.cmp(name)).ok()?;
    FILES.get(at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use aws_lc_rs::digest::{Context, SHA256};

    use super::*;

    const REBUILD: &str = "run `npm ci && npm run build` in console/, and commit crates/console/dist";

    fn console() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../console")
    }

    fn walk(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.insert(path);
            }
        }
    }

    /// As `console/scripts/sources.mjs` does it: names and contents of what the build reads, each with its length.
    fn hash_of_sources() -> String {
        let root = console();
        let mut paths = BTreeSet::new();
        for folder in ["public", "src"] {
            walk(&root.join(folder), &mut paths);
        }
        for file in ["index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"] {
            paths.insert(root.join(file));
        }
        let mut names: Vec<String> = paths
            .iter()
            .map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/"))
            .filter(|name| !name.contains(".test."))
            .collect();
        names.sort_unstable();
        let mut context = Context::new(&SHA256);
        for name in names {
            let content = fs::read(root.join(&name)).unwrap();
            context.update(format!("{name}\n{}\n", content.len()).as_bytes());
            context.update(&content);
        }
        context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn what_is_served_is_made_from_the_sources() {
        let built = include_str!("../dist/sources.sha256").trim();
        assert_eq!(built, hash_of_sources(), "crates/console/dist is stale: {REBUILD}");
    }

    #[test]
    fn the_table_has_every_file_and_no_other() {
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
        let mut paths = BTreeSet::new();
        walk(&dist, &mut paths);
        let there: BTreeSet<String> = paths
            .iter()
            .filter_map(|path| {
                path.strip_prefix(&dist).unwrap().to_str()?.strip_suffix(".gz").map(str::to_owned)
            })
            .collect();
        let listed: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(there, listed, "{REBUILD}");
        assert!(FILES.is_sorted_by_key(|file| file.name));
        assert!(find(PAGE).is_some());
    }

    /// What a browser loads before it shows anything: the scripts that the page itself names.
    #[test]
    fn the_first_load_is_small() {
        let page = crate::reply::plain(find(PAGE).unwrap()).unwrap();
        let page = String::from_utf8(page).unwrap();
        let names = page.split('"').filter_map(|part| part.strip_prefix("/console/"));
        let scripts: Vec<&File> =
            names.filter(|name| name.ends_with(".js")).map(|name| find(name).unwrap()).collect();
        assert!(scripts.len() >= 2, "{page}");
        let bytes: usize = scripts.iter().map(|file| file.gzip.len()).sum();
        assert!(bytes <= 250 * 1024, "{bytes} bytes of script before the first page");
    }
}
