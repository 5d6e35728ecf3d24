//! Rules of the sources that no compiler enforces: what the pure crates may depend on, where secrets are shown, that
//! the map is right, and that vendors' differences are data.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Crates that decide and do no I/O.
const PURE: [&str; 11] = [
    "tidegate-core",
    "tidegate-dialect",
    "tidegate-routing",
    "tidegate-access",
    "tidegate-limits",
    "tidegate-catalog",
    "tidegate-pricing",
    "tidegate-settings",
    "tidegate-demo",
    "tidegate-insight",
    "tidegate-alerts",
];
/// What brings sockets, timers or threads of its own.
const RUNTIMES: [&str; 4] = ["tokio", "hyper", "rustls", "mio"];

/// Every file in which a secret leaves its type.
const EXPOSING: [&str; 23] = [
    // Addresses of an alert rule's channels, into the part of the rule that is encrypted.
    "crates/alerts/src/channel.rs",
    // What a collector is shown.
    "crates/otlp-export/src/send.rs",
    // New keys, cookies and links are told once.
    "crates/control/src/disclose.rs",
    // The admin key, once, and the password in the database's address.
    "crates/cli/src/place.rs",
    "crates/tidegate/src/banner.rs",
    "crates/tidegate/src/holdings.rs",
    "crates/tidegate/src/replicas.rs",
    // The type itself.
    "crates/core/src/secret.rs",
    // A provider's key, on its way into the body that hands it to the gateway.
    "crates/cli/src/key_body.rs",
    // Options that stand in an address, such as a region.
    "crates/gateway/src/prepare/upstream.rs",
    // What a mail server and a webhook are shown, or signed with.
    "crates/notify/src/mail.rs",
    "crates/notify/src/signature.rs",
    "crates/notify/src/webhook.rs",
    // The address of Redis, with its password.
    "crates/limits-redis/src/link.rs",
    // Hashed, or encrypted before it is stored.
    "crates/store/src/token.rs",
    "crates/store/src/vault/file.rs",
    "crates/store/src/vault/master.rs",
    "crates/store/src/vault/material.rs",
    "crates/upstream/src/proxy.rs",
    "crates/upstream/src/sign/header.rs",
    "crates/upstream/src/sign/mod.rs",
    "crates/upstream/src/sign/query.rs",
    "crates/upstream/src/sign/sigv4.rs",
];

#[test]
fn pure_crates_have_no_runtime_below_them() {
    let dependencies = locked();
    for name in PURE {
        let below = closure(&dependencies, name);
        assert!(!below.is_empty(), "{name} is in Cargo.lock");
        for runtime in RUNTIMES {
            assert!(
                !below.contains(runtime),
                "{name} depends on {runtime}: {:?}",
                path_to(&dependencies, name, runtime)
            );
        }
    }
    let below = closure(&dependencies, "tidegate-upstream");
    assert!(RUNTIMES.iter().all(|runtime| below.contains(*runtime)), "the lock file is read rightly");
}

#[test]
fn secrets_are_shown_in_these_files_only() {
    let shown: BTreeSet<_> = sources()
        .into_iter()
        .filter(|file| {
            let text = read(file);
            let text = without_tests(&text);
            text.contains(".expose()") || text.contains("Secret::expose")
        })
        .map(|file| relative(&file))
        .collect();
    let expected: BTreeSet<_> = EXPOSING.into_iter().map(str::to_owned).collect();
    assert_eq!(shown, expected);
}

/// Incident 01: a package that somebody else had put code into. What is built is what was locked: of one registry, by its
/// hash.
#[test]
fn incident_01_everything_is_locked_and_of_one_registry() {
    const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let lock = read(&root().join("Cargo.lock"));
    let mut foreign = 0;
    for package in lock.split("[[package]]").skip(1) {
        let member = |name: &str| {
            let lines = package.lines().filter_map(|line| line.split_once(" = "));
            lines.clone().find(|line| line.0 == name).map(|line| line.1.trim_matches('"').to_owned())
        };
        let name = member("name").unwrap();
        match member("source") {
            None => assert!(name.starts_with("tidegate"), "{name} is of nobody"),
            Some(source) => {
                foreign += 1;
                assert_eq!(source, REGISTRY, "{name}");
                assert_eq!(member("checksum").map(|hash| hash.len()), Some(64), "{name}");
            }
        }
    }
    assert!(foreign > 100, "{foreign}");
}

/// Incident 06: what was meant as a test of a server ran a command. Nothing that is served can: no part of the gateway starts
/// processes.
#[test]
fn incident_06_no_part_of_the_gateway_starts_a_process() {
    let served = sources().into_iter().filter(|file| !relative(file).starts_with("crates/testkit/"));
    let mut files = 0;
    for file in served {
        let text = read(&file);
        for word in ["process::Command", "Command::new(", "dlopen", "libloading"] {
            assert!(!without_tests(&text).contains(word), "{} has {word}", relative(&file));
        }
        files += 1;
    }
    assert!(files > 300, "{files} files");
}

#[test]
fn no_crate_is_a_drawer_for_the_rest() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for drawer in ["util", "utils", "common", "helpers", "shared", "misc"] {
            assert!(!name.split('-').any(|word| word == drawer), "{name}");
        }
    }
}

#[test]
fn every_path_in_the_map_exists() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let paths: Vec<&str> = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains('/') && !code.starts_with('/') && !code.contains([' ', '*', '<', '@']))
        .collect();
    assert!(paths.len() > 10, "the map names paths: {paths:?}");
    for path in paths {
        // The table of steps is written below the crate that it is about.
        let below = ["", "crates", "crates/gateway/src", "crates/tidegate"];
        assert!(below.iter().any(|base| root().join(base).join(path).exists()), "`{path}` is not there");
    }
}

#[test]
fn every_module_in_the_map_exists() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let modules =
        map.split('`').skip(1).step_by(2).filter(|code| code.ends_with(".rs") && !code.contains('/'));
    let files: BTreeSet<_> = sources()
        .iter()
        .chain(&tests())
        .filter_map(|file| Some(file.file_name()?.to_str()?.to_owned()))
        .collect();
    for module in modules {
        assert!(files.contains(module), "`{module}` is not there");
    }
}

/// A vendor's difference is a row of data, not a branch on its name.
#[test]
fn the_path_of_a_request_branches_on_no_providers_name() {
    let names = provider_names();
    assert!(names.len() > 60 && names.contains("openai"));
    for file in sources().into_iter().filter(|file| relative(file).starts_with("crates/gateway/")) {
        let text = read(&file);
        for line in without_tests(&text).lines().map(str::trim) {
            let branches = line.starts_with("if ")
                || line.contains(" if ")
                || line.starts_with("match ")
                || line.contains("matches!(")
                || line.contains("=>")
                || line.contains("==");
            if branches && !line.starts_with("//") {
                let literal = line.split('"').skip(1).step_by(2).find(|text| names.contains(*text));
                assert_eq!(literal, None, "{}: {line}", relative(&file));
            }
        }
    }
}

/// The packages of Cargo.lock and what each depends on, by name.
fn locked() -> BTreeMap<String, BTreeSet<String>> {
    let mut packages = BTreeMap::<_, BTreeSet<_>>::new();
    for package in read(&root().join("Cargo.lock")).split("[[package]]").skip(1) {
        let name = package.split('"').nth(1).unwrap().to_owned();
        let list =
            package.split_once("dependencies = [").map_or("", |(_, rest)| rest.split(']').next().unwrap());
        // An entry is a name, with a version behind it where there are several.
        let below =
            list.split('"').skip(1).step_by(2).map(|entry| entry.split(' ').next().unwrap().to_owned());
        packages.entry(name).or_default().extend(below);
    }
    packages
}

/// Everything below a package. Dependencies for tests count too: the lock file does not tell them apart.
fn closure(dependencies: &BTreeMap<String, BTreeSet<String>>, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name];
    while let Some(name) = open.pop() {
        for below in dependencies.get(name).into_iter().flatten() {
            if found.insert(below.clone()) {
                open.push(below);
            }
        }
    }
    found
}

/// The direct dependency by which `name` reaches `goal`.
fn path_to<'a>(
    dependencies: &'a BTreeMap<String, BTreeSet<String>>,
    name: &str,
    goal: &str,
) -> Vec<&'a String> {
    dependencies[name]
        .iter()
        .filter(|below| *below == goal || closure(dependencies, below).contains(goal))
        .collect()
}

fn provider_names() -> BTreeSet<String> {
    let rows: Value =
        serde_json::from_str(&read(&root().join("crates/catalog/data/providers.json"))).unwrap();
    let rows = rows.as_array().or_else(|| rows["providers"].as_array()).unwrap();
    let mut names = BTreeSet::new();
    for row in rows {
        names.insert(row["id"].as_str().unwrap().to_owned());
        let aliases = row["aliases"].as_array();
        names.extend(aliases.into_iter().flatten().map(|alias| alias.as_str().unwrap().to_owned()));
    }
    names
}

/// The text up to its `#[cfg(test)]` module, which stands last in a file.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap()
}

/// Files of `src` directories that are no tests.
fn sources() -> Vec<PathBuf> {
    let is_test = |file: &Path| {
        file.components().any(|part| part.as_os_str() == "tests")
            || file.file_name().is_some_and(|name| name == "tests.rs")
            || relative(file).starts_with("crates/testkit/")
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        walk(&entry.unwrap().path().join("src"), &mut files);
    }
    files.retain(|file| !is_test(file));
    assert!(files.len() > 100, "the sources were found");
    files
}

fn tests() -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(&root().join("crates/tidegate/tests"), &mut files);
    files
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn relative(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
