//! A database that is locked, missing, read-only, full, damaged or away: a clear answer, no harm, recovery.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use registry_core::storage::{OptionsError, Outage, Store, StoreError, StoreOptions};

use crate::support::{Dialect, TestStore, clock, document, entropy, master_key, put};

fn outage<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Outage {
    match result {
        Err(StoreError::Unavailable(outage)) => outage,
        other => panic!("expected an outage, got {other:?}"),
    }
}

fn open(url: &str) -> Result<Store, StoreError> {
    Store::open(StoreOptions::new(url), master_key(), clock(), entropy(1))
}

#[test]
fn a_locked_file_is_said_and_reading_lists_goes_on() {
    let test = TestStore::with(Dialect::Sqlite, |o| o.busy_timeout = Duration::from_millis(100)).unwrap();
    let centre = test.submitter("C01");
    test.store.put_case(&centre, put("P-1", 1)).unwrap();
    let mut other = SqliteConnection::establish(test.file().to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(
        outage(test.store.put_case(&centre, put("P-2", 1))),
        Outage::Locked
    );
    assert!(test.store.case_row(&centre, "P-1").is_ok());
    other.batch_execute("ROLLBACK").unwrap();
    assert!(test.store.put_case(&centre, put("P-2", 1)).is_ok());
    test.store.verify_audit(None).unwrap();
}

#[test]
fn a_missing_file_is_said_and_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    assert_eq!(
        outage(open(&format!("sqlite:{}", path.display()))),
        Outage::Missing
    );
    assert!(!path.exists());
    // Taken away while the service runs: nothing is written into the void.
    let mut test = TestStore::with(Dialect::Sqlite, |o| {
        o.connection_timeout = Duration::from_millis(300)
    })
    .unwrap();
    let centre = test.submitter("C01");
    test.options.create = false;
    let store = test.reopen().unwrap();
    std::fs::rename(test.file(), folder.path().join("moved.db")).unwrap();
    assert_eq!(outage(store.put_case(&centre, put("P-1", 1))), Outage::Missing);
    assert_eq!(outage(store.case_row(&centre, "P-1")), Outage::Missing);
    std::fs::rename(folder.path().join("moved.db"), test.file()).unwrap();
    assert!(
        store.put_case(&centre, put("P-1", 1)).is_ok(),
        "recovers without a restart"
    );
}

#[test]
fn a_read_only_file_is_said() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    let mut mode = std::fs::metadata(test.file()).unwrap().permissions();
    mode.set_mode(0o444);
    std::fs::set_permissions(test.file(), mode).unwrap();
    assert_eq!(outage(test.reopen().map(|_| ())), Outage::ReadOnly);
}

#[test]
fn a_damaged_file_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.db");
    std::fs::write(&path, "this is no database ".repeat(500)).unwrap();
    assert_eq!(
        outage(open(&format!("sqlite:{}", path.display())).map(|_| ())),
        Outage::Damaged
    );
}

#[test]
fn a_full_disk_refuses_writing_goes_on_reading_and_recovers() {
    let test = TestStore::with(Dialect::Sqlite, |o| o.max_page_count = Some(260)).unwrap();
    let centre = test.submitter("C01");
    test.store.put_case(&centre, put("P-0", 0)).unwrap();
    test.raw("CREATE TABLE filler (bytes BLOB); INSERT INTO filler VALUES (zeroblob(400000))");
    let mut stored = 1;
    let full = loop {
        match test
            .store
            .put_case(&centre, put(&format!("P-{stored}"), "x".repeat(400)))
        {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 5000, "the disk is never full");
    };
    assert_eq!(full, StoreError::Unavailable(Outage::Full));
    let before = test.store.audit_head().unwrap().seq;
    // Reading goes on, and is recorded once there is room.
    for _ in 0..3 {
        assert_eq!(test.store.get_case(&centre, "P-0").unwrap().document, document(0));
    }
    test.store.verify_audit(None).unwrap();
    test.raw("DROP TABLE filler");
    test.store.put_case(&centre, put("P-after", 1)).unwrap();
    let report = test.store.verify_audit(None).unwrap();
    let read = registry_core::storage::AuditFilter {
        action: Some("case.read".to_owned()),
        ..Default::default()
    };
    let reads = test
        .store
        .list_audit(&test.coordinator(), &read, None, 10)
        .unwrap()
        .items
        .len();
    assert_eq!(reads, 3, "deferred readings are recorded");
    assert!(report.events > before);
    assert_eq!(
        test.raw_texts("SELECT CAST(count(*) AS TEXT) AS line FROM cases"),
        [(stored + 1).to_string()]
    );
    assert_eq!(
        test.raw_texts("SELECT integrity_check AS line FROM pragma_integrity_check"),
        ["ok"]
    );
}

#[test]
fn an_unmigrated_database_is_said() {
    let test = TestStore::empty(Dialect::Sqlite, |_| {}).unwrap();
    assert!(!test.store.is_migrated().unwrap());
    assert_eq!(
        outage(test.store.list_centres(&crate::support::system())),
        Outage::NotMigrated
    );
    assert_eq!(outage(test.store.purge_idempotency()), Outage::NotMigrated);
    test.store.migrate().unwrap();
    assert!(test.store.is_migrated().unwrap());
    assert!(
        test.store
            .list_centres(&crate::support::system())
            .unwrap()
            .is_empty()
    );
}

#[test]
fn urls_that_cannot_be_used_are_said() {
    for (url, error) in [
        ("mysql://localhost/x", OptionsError::Scheme),
        ("sqlite:", OptionsError::NoPath),
        (
            "postgres://u@db.example.org/registry",
            OptionsError::RemoteWithoutTls,
        ),
    ] {
        assert_eq!(open(url).err(), Some(StoreError::Options(error)), "{url}");
    }
}

#[test]
fn a_server_that_is_away_is_said() {
    assert_eq!(
        outage(open("postgres://postgres@127.0.0.1:1/none").map(|_| ())),
        Outage::Unreachable
    );
}

#[test]
fn connections_that_the_server_cut_are_replaced() {
    let Some(test) = TestStore::new(Dialect::Postgres) else {
        return;
    };
    let centre = test.submitter("C01");
    for round in 0..3 {
        test.store
            .put_case(&centre, put(&format!("P-{round}"), 1))
            .unwrap();
        let mut admin = PgConnection::establish(&crate::support::postgres_url().unwrap()).unwrap();
        let database = test.options.url.rsplit('/').next().unwrap();
        admin
            .batch_execute(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
            ))
            .unwrap();
        // Readers and the writer find new connections by themselves.
        assert!(test.store.get_case(&centre, &format!("P-{round}")).is_ok());
        assert!(
            test.store
                .put_case(&centre, put(&format!("Q-{round}"), 1))
                .is_ok()
        );
    }
    test.store.verify_audit(None).unwrap();
}

/// The server drops every connection again and again while cases are written: whoever was told "stored" is stored, whoever
/// was told "unavailable" may send again, and the service needs no restart.
#[test]
fn a_server_that_goes_away_while_cases_are_written_loses_nothing_acknowledged() {
    const CLIENTS: usize = 6;
    const EACH: usize = 40;
    /// Cases between two cuts.
    const APART: usize = 24;
    let Some(test) = TestStore::new(Dialect::Postgres) else {
        return;
    };
    let database = test.options.url.rsplit('/').next().unwrap();
    let mut admin = PgConnection::establish(&crate::support::postgres_url().unwrap()).unwrap();
    let stored = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (store, centre, stored) = (test.store.clone(), test.submitter("C01"), &stored);
                threads.spawn(move || {
                    for number in 0..EACH {
                        let name = format!("P-{client}-{number}");
                        loop {
                            match store.put_case(&centre, put(&name, number)) {
                                Ok(_) => break,
                                // The commit went through and its answer was lost: the case is there.
                                Err(StoreError::PreconditionRequired { .. }) => break,
                                Err(StoreError::Unavailable(_)) => {}
                                Err(other) => panic!("{other:?}"),
                            }
                        }
                        stored.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let mut next = APART;
        while next < CLIENTS * EACH {
            if stored.load(Ordering::SeqCst) < next {
                std::thread::yield_now();
                continue;
            }
            next += APART;
            admin
                .batch_execute(&format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
                ))
                .unwrap();
        }
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    let centre = test.submitter("C01");
    for client in 0..CLIENTS {
        for number in 0..EACH {
            let case = test
                .store
                .get_case(&centre, &format!("P-{client}-{number}"))
                .unwrap();
            assert_eq!(case.row.version, 1, "stored once");
        }
    }
    test.store.verify_audit(None).unwrap();
}

#[test]
fn asking_whether_it_is_migrated_makes_no_connection() {
    let test = TestStore::new(Dialect::Sqlite).unwrap();
    assert!(test.store.is_migrated().unwrap());
    // A file that is marked read-only is refused to a connection with the owner's rights; those of the pool read on.
    let mark = |mode| std::fs::set_permissions(test.file(), std::fs::Permissions::from_mode(mode)).unwrap();
    mark(0o444);
    assert!(test.reopen().is_err());
    for _ in 0..3 {
        assert!(test.store.is_migrated().unwrap());
    }
    mark(0o644);
}
