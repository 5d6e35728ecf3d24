//! `backup`, `restore`, `ledger verify`, `audit verify` and `master-key rotate`, on real files.

use std::fs;
use std::sync::Arc;

use tidegate_cli::{LEDGER_DIRECTORY, MASTER_KEY_FILE, STORE_FILE};
use tidegate_core::{Secret, SystemClock};
use tidegate_ledger::{Budget, Ledger, Limit, Options, Reset, Scope, Unit};
use tidegate_store::Store;
use tidegate_store::sqlite::Sqlite;
use tidegate_store::vault::master_keys_in;

use crate::stage::Stage;

/// A database with its first audit entry, and its key; still open.
fn store(stage: &Stage) -> Store {
    let masters = master_keys_in(&stage.data_dir().join(MASTER_KEY_FILE), true).unwrap();
    let backend = Sqlite::open(&stage.data_dir().join(STORE_FILE)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Store::open(Arc::new(backend), masters, Arc::new(SystemClock::new()))).unwrap()
}

#[test]
fn a_backup_is_made_while_it_serves_and_restored_when_it_does_not() {
    let stage = Stage::new();
    let serving = store(&stage);
    let copy = stage.scratch.path().join("copy.db");
    let made = stage.ok(&format!("backup {}", copy.display()));
    assert!(made.starts_with("copied") && made.contains("keep it elsewhere"), "{made}");
    let again = stage.err(&format!("backup {}", copy.display()));
    assert!(again.message.contains("is there already"), "{again}");
    let busy = stage.err(&format!("restore {}", copy.display()));
    assert!(busy.message.contains("stop tidegate first"), "{busy}");
    drop(serving);
    let restored = stage.ok(&format!("restore {}", copy.display()));
    assert!(restored.contains("is kept as") && restored.contains(".before-restore-1"), "{restored}");
    assert!(stage.ok("audit verify").starts_with("the audit log is whole: 1 entries"));
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let stage = Stage::new();
    drop(store(&stage));
    let before = fs::read(stage.data_dir().join(STORE_FILE)).unwrap();
    let junk = stage.scratch.write("junk", "not a database, whatever its name says");
    assert_eq!(stage.err(&format!("restore {}", junk.display())).kind.exit_code(), 1);
    assert_eq!(fs::read(stage.data_dir().join(STORE_FILE)).unwrap(), before);
}

#[test]
fn a_directory_without_a_gateway_is_not_made_into_one() {
    let stage = Stage::new();
    for line in ["audit verify", "ledger verify", "master-key rotate", "backup /tmp/never-made.db"] {
        let failure = stage.err(line);
        assert!(
            failure.message.contains("name the gateway's directory with --data-dir"),
            "{line}: {failure}"
        );
    }
    assert_eq!(fs::read_dir(stage.data_dir()).unwrap().count(), 0);
}

#[test]
fn the_audit_log_is_checked_also_against_a_head_that_was_kept() {
    let stage = Stage::new();
    drop(store(&stage));
    let head = stage.scratch.path().join("head.json");
    stage.ok(&format!("audit verify --save {}", head.display()));
    assert!(
        stage
            .ok(&format!("audit verify --against {}", head.display()))
            .contains("nothing was cut off since entry 1")
    );
    fs::write(&head, r#"{"seq": 7, "hash": "00"}"#).unwrap();
    let failure = stage.err(&format!("audit verify --against {}", head.display()));
    assert_eq!(failure.kind.exit_code(), 3);
    assert!(failure.message.contains("cut off"), "{failure}");
    fs::write(&head, "{}").unwrap();
    assert_eq!(stage.err(&format!("audit verify --against {}", head.display())).kind.exit_code(), 2);
}

#[test]
fn the_master_key_is_changed_and_the_old_one_is_not_needed_any_more() {
    let stage = Stage::new();
    drop(store(&stage));
    let file = stage.data_dir().join(MASTER_KEY_FILE);
    let old = fs::read_to_string(&file).unwrap();
    let rotated = stage.ok("master-key rotate");
    assert!(
        rotated.starts_with("1 data keys are under master key") && rotated.contains("Restart gateways"),
        "{rotated}"
    );
    let both = fs::read_to_string(&file).unwrap();
    assert!(both.trim_end().ends_with(old.trim()) && both.lines().count() == 2);
    assert!(!rotated.contains(both.lines().next().unwrap()), "the key is not shown");
    fs::write(&file, both.lines().next().unwrap()).unwrap();
    assert!(stage.ok("audit verify").starts_with("the audit log is whole: 2 entries"));
    fs::write(&file, old).unwrap();
    assert_eq!(stage.err("audit verify").kind.exit_code(), 5);
}

#[test]
fn a_key_in_the_environment_is_changed_there() {
    let mut stage = Stage::new();
    drop(store(&stage));
    let old = fs::read_to_string(stage.data_dir().join(MASTER_KEY_FILE)).unwrap();
    fs::remove_file(stage.data_dir().join(MASTER_KEY_FILE)).unwrap();
    stage.env.insert("TIDEGATE_MASTER_KEY".to_owned(), old.trim().to_owned());
    assert!(stage.ok("master-key rotate").contains("put a new key (openssl rand -hex 32) before the others"));
    let new = format!("{}0123456789abcdef", "1f".repeat(24));
    stage.env.insert("TIDEGATE_MASTER_KEY".to_owned(), format!("{new},{}", old.trim()));
    assert!(stage.ok("master-key rotate").starts_with("1 data keys are under"));
    stage.env.insert("TIDEGATE_MASTER_KEY".to_owned(), new);
    stage.ok("audit verify");
}

#[test]
fn books_are_proven_and_a_changed_byte_is_found() {
    let stage = Stage::new();
    let directory = stage.data_dir().join(LEDGER_DIRECTORY);
    let (ledger, _) = Ledger::open(&directory, Options::default(), Arc::new(SystemClock::new())).unwrap();
    let limit = Limit::new(Unit::Usd, "5".parse().unwrap(), Reset::Monthly, Vec::new()).unwrap();
    ledger.put(Budget::new(Scope::ApiKey, "my-app", limit)).unwrap();
    ledger.close();
    let proof = stage.ok("ledger verify");
    assert!(proof.starts_with("the books balance") && proof.contains("'my-app': 0 of 5"), "{proof}");
    let segment = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| fs::metadata(path).unwrap().len())
        .unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert_eq!(stage.err("ledger verify").kind.exit_code(), 3);
}

#[test]
fn a_database_in_postgresql_is_not_copied_as_a_file() {
    let mut stage = Stage::new();
    drop(store(&stage));
    stage.database = Some(Secret::from("postgres://tidegate:password@db.example/tidegate"));
    for line in ["backup /tmp/never-made.db", "restore /tmp/never-made.db"] {
        let failure = stage.err(line);
        assert!(failure.message.contains("use pg_dump and pg_restore"), "{failure}");
        assert!(!failure.message.contains("password"));
    }
}
