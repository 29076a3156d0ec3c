//! A copy made under load opens elsewhere and holds the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use registry_core::storage::{Store, StoreError, StoreOptions};

use crate::support::{Dialect, TestStore, entropy, export, master_key, on_both, put, system};

#[test]
fn a_hot_backup_during_writing_is_a_consistent_registry() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let centre = test.submitter("C01");
    test.store.put_case(&centre, put("P-first", 1)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, centre, stop) = (test.store.clone(), centre.clone(), stop.clone());
        std::thread::spawn(move || {
            let mut number = 0;
            while !stop.load(Ordering::SeqCst) {
                store
                    .put_case(&centre, put(&format!("P-{number}"), number))
                    .unwrap();
                number += 1;
            }
        })
    };
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let copy = folder.path().join(format!("backup-{round}.db"));
        test.store.backup_to(&system(), &copy).unwrap();
        assert_eq!(
            test.store.backup_to(&system(), &copy).err(),
            Some(StoreError::Duplicate("backup file"))
        );
        let mut options = test.options.clone();
        options.url = format!("sqlite:{}", copy.display());
        let restored = Store::open(options, master_key(), test.clock.clone(), entropy(9)).unwrap();
        let head = restored.audit_head().unwrap();
        // The copy is an earlier state of the very same chain.
        restored.verify_audit(None).unwrap();
        test.store.verify_audit(Some(head)).unwrap();
        let copied = export(&restored);
        assert!(copied.contains("backup.make") && copied.contains("P-first"));
    }
    stop.store(true, Ordering::SeqCst);
    writer.join().unwrap();
    let copy = folder.path().join("quiet.db");
    test.store.backup_to(&system(), &copy).unwrap();
    let mut options = test.options.clone();
    options.url = format!("sqlite:{}", copy.display());
    let restored = Store::open(options, master_key(), test.clock.clone(), entropy(9)).unwrap();
    assert_eq!(export(&restored), test.export());
}

/// Pseudonyms lie in it as they are: readable by the service's own account alone, under the umask that most systems have.
#[cfg(unix)]
#[test]
fn a_database_and_its_copy_are_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("registry.sqlite3");
    let mut options = StoreOptions::new(format!("sqlite:{}", file.display()));
    options.create = true;
    let store = Store::open(options, master_key(), crate::support::clock(), entropy(9)).unwrap();
    store.migrate().unwrap();
    let copy = folder.path().join("copy.sqlite3");
    store.backup_to(&system(), &copy).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), format!("{mode:o}"))
        })
        .collect();
    files.sort();
    assert!(files.len() >= 2, "{files:?}");
    assert!(files.iter().all(|(_, mode)| mode == "600"), "{files:?}");
}

on_both! {
    fn an_export_is_for_the_command_line_only_and_repeats_itself(test) {
        test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        assert!(matches!(test.store.canonical_export(&test.coordinator(), &mut Vec::new()), Err(StoreError::Forbidden { .. })));
        let without_last_event = |text: String| text.lines().filter(|l| !l.contains("export.canonical")).map(str::to_owned).collect::<Vec<_>>();
        let (one, two) = (test.export(), test.export());
        assert_eq!(without_last_event(one), without_last_event(two));
    }

    fn a_postgres_backup_is_pg_dumps_work(test) {
        let folder = tempfile::tempdir().unwrap();
        let made = test.store.backup_to(&system(), &folder.path().join("x.db"));
        assert_eq!(made.is_ok(), test.dialect == Dialect::Sqlite);
    }
}
