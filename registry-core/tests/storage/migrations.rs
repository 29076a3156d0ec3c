//! Migrations: up, down and up again leave the same schema; an interrupted one leaves the old state.

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::{Connection, PgConnection, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

use registry_core::storage::{CaseStatus, DataQuery, PutCase, QueryFilter, QueryState, StoredSeverity};

use crate::support::{Dialect, TestStore, dialects, finding, on_both, put, replacing};

fn schema(test: &TestStore) -> Vec<String> {
    match test.dialect {
        Dialect::Sqlite => test.raw_texts("SELECT coalesce(sql, name) AS line FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"),
        Dialect::Postgres => test.raw_texts(
            "SELECT line FROM (
                 SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
                     || ' ' || coalesce(collation_name, '') AS line
                     FROM information_schema.columns WHERE table_schema = 'public'
                 UNION ALL SELECT 'policy ' || p::text FROM pg_policies p
                 UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
                 UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
                     FROM pg_constraint WHERE connamespace = 'public'::regnamespace
                 UNION ALL SELECT 'grant ' || grantee || ' ' || table_name || ' ' || privilege_type
                     FROM information_schema.role_table_grants WHERE table_schema = 'public'
                 UNION ALL SELECT 'security ' || relname || ' ' || relrowsecurity || ' ' || relforcerowsecurity
                     FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
             ) s ORDER BY line",
        ),
    }
}

on_both! {
    fn up_down_up_with_rows_leaves_the_same_schema(test) {
        test.store.put_case(&test.submitter("C01"), put("P-1", 1)).unwrap();
        let before = schema(&test);
        assert!(before.len() > 20);
        let reverted = test.store.revert_all().unwrap();
        assert_eq!(reverted.len(), 17);
        assert!(!test.store.is_migrated().unwrap());
        let left: Vec<_> = schema(&test).into_iter().filter(|line| !line.contains("__diesel_schema_migrations")).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        assert_eq!(test.store.migrate().unwrap().len(), 17);
        assert_eq!(schema(&test), before);
        assert!(test.store.migrate().unwrap().is_empty(), "nothing is pending");
        assert!(test.store.is_migrated().unwrap());
    }

    fn findings_that_live_are_queried_when_queries_come(test) {
        let centre = test.submitter("C01");
        let warns = |code: &str| finding(code, StoredSeverity::Warning);
        let first = test.store.put_case(&centre, PutCase { findings: vec![warns("E-1"), warns("E-2"), warns("E-3")], ..put("P-1", 1) }).unwrap();
        let second = PutCase { findings: vec![warns("E-2"), warns("E-1"), finding("E-9", StoredSeverity::Error)], ..replacing("P-1", 2, &first) };
        test.store.put_case(&centre, second).unwrap();
        test.store.answer_finding(&centre, "P-1", "id-E-2", "so it is").unwrap();
        test.store.put_case(&centre, PutCase { status: CaseStatus::Draft, findings: vec![warns("E-1")], ..put("P-2", 1) }).unwrap();
        let before = test.store.list_queries(&centre, &QueryFilter::default(), None, 10).unwrap().items;
        let queries = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
        let queries = queries.join(if test.dialect == Dialect::Sqlite { "sqlite" } else { "postgres" }).join("2026-11-29-000012_queries");
        test.raw(&std::fs::read_to_string(queries.join("down.sql")).unwrap());
        let up = std::fs::read_to_string(queries.join("up.sql")).unwrap();
        test.raw(&format!("BEGIN; {up}; COMMIT"));
        let after = test.store.list_queries(&centre, &QueryFilter::default(), None, 10).unwrap().items;
        let kept = |all: &[DataQuery]| {
            let living = all.iter().filter(|query| query.state != QueryState::Closed);
            let mut lines: Vec<_> = living.map(|q| (q.rule.clone(), q.state, q.opened_at, q.answered_at, q.question.clone(), q.version)).collect();
            lines.sort_by(|a, b| a.0.cmp(&b.0));
            lines
        };
        assert_eq!(kept(&before), kept(&after));
        assert_eq!((before.len(), after.len()), (3, 2));
    }

    fn migrating_a_database_in_use_changes_nothing(test) {
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let before = test.store.audit_head().unwrap();
        let again = test.reopen().unwrap();
        assert!(again.migrate().unwrap().is_empty());
        assert_eq!(again.audit_head().unwrap(), before);
        assert!(again.get_case(&centre, "P-1").is_ok());
    }
}

/// The repository's migrations with one more behind them.
fn with_one_more(dialect: Dialect, up: &str) -> tempfile::TempDir {
    let name = if dialect == Dialect::Sqlite {
        "sqlite"
    } else {
        "postgres"
    };
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../migrations")
        .join(name);
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(source).unwrap().flatten() {
        let target = folder.path().join(entry.file_name());
        std::fs::create_dir(&target).unwrap();
        for file in ["up.sql", "down.sql"] {
            std::fs::copy(entry.path().join(file), target.join(file)).unwrap();
        }
    }
    write_last(&folder, up);
    folder
}

fn write_last(folder: &tempfile::TempDir, up: &str) {
    let last = folder.path().join("2099-01-01-000001_next");
    std::fs::create_dir_all(&last).unwrap();
    std::fs::write(last.join("up.sql"), up).unwrap();
    std::fs::write(last.join("down.sql"), "DROP TABLE next_thing;").unwrap();
}

fn run<DB: diesel::backend::Backend, C: MigrationHarness<DB>>(
    conn: &mut C,
    folder: &std::path::Path,
) -> Result<usize, String>
where
    FileBasedMigrations: MigrationSource<DB>,
{
    let source = FileBasedMigrations::from_path(folder).unwrap();
    conn.run_pending_migrations(source)
        .map(|done| done.len())
        .map_err(|e| e.to_string())
}

#[test]
fn an_interrupted_migration_leaves_the_old_state_and_completes_later() {
    for dialect in dialects() {
        let test = TestStore::new(dialect).unwrap();
        let centre = test.submitter("C01");
        test.store.put_case(&centre, put("P-1", 1)).unwrap();
        let before = schema(&test);
        let moves_data = "CREATE TABLE next_thing (id TEXT PRIMARY KEY); INSERT INTO next_thing SELECT centre_id FROM centres;";
        let folder = with_one_more(
            dialect,
            &format!("{moves_data} UPDATE centres SET name = 'x'; INSERT INTO no_such_table VALUES (1);"),
        );
        let url = match dialect {
            Dialect::Sqlite => test.file().display().to_string(),
            Dialect::Postgres => test.options.url.clone(),
        };
        let apply = |folder: &tempfile::TempDir| apply_from(dialect, &url, folder.path());
        assert!(apply(&folder).is_err(), "{dialect:?}");
        assert_eq!(schema(&test), before, "{dialect:?}: half a migration is there");
        assert!(test.store.is_migrated().unwrap());
        assert!(
            !test.export().contains("\"name\":\"x\""),
            "{dialect:?}: half a migration's data"
        );
        write_last(&folder, moves_data);
        assert_eq!(apply(&folder).unwrap(), 1, "{dialect:?}");
        assert_eq!(
            test.raw_texts("SELECT id AS line FROM next_thing ORDER BY id"),
            ["C01", "C02", "C03"]
        );
        assert!(!test.store.is_migrated().unwrap(), "newer than this program");
    }
}

const KILLED_URL: &str = "REGISTRY_MIGRATION_TEST_URL";
const KILLED_FOLDER: &str = "REGISTRY_MIGRATION_TEST_FOLDER";

fn apply_from(dialect: Dialect, url: &str, folder: &std::path::Path) -> Result<usize, String> {
    match dialect {
        Dialect::Sqlite => {
            let mut conn = SqliteConnection::establish(url).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
            run(&mut conn, folder)
        }
        Dialect::Postgres => run(&mut PgConnection::establish(url).unwrap(), folder),
    }
}

/// The process that is killed while it migrates. Does nothing unless started by the test below.
#[test]
fn migrating_process() {
    let (Ok(url), Ok(folder)) = (std::env::var(KILLED_URL), std::env::var(KILLED_FOLDER)) else {
        return;
    };
    let dialect = if url.starts_with("postgres") {
        Dialect::Postgres
    } else {
        Dialect::Sqlite
    };
    apply_from(dialect, &url, folder.as_ref()).unwrap();
}

#[test]
fn a_migration_killed_half_way_leaves_the_old_state_and_completes_later() {
    for dialect in dialects() {
        let test = TestStore::new(dialect).unwrap();
        test.store
            .put_case(&test.submitter("C01"), put("P-1", 1))
            .unwrap();
        let before = schema(&test);
        let change = "CREATE TABLE next_thing (id TEXT PRIMARY KEY); UPDATE centres SET name = 'x';";
        let (url, without_end) = match dialect {
            Dialect::Sqlite => (
                test.file().display().to_string(),
                "CREATE TABLE endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;",
            ),
            Dialect::Postgres => (test.options.url.clone(), "SELECT pg_sleep(3600);"),
        };
        let folder = with_one_more(dialect, &format!("{change} {without_end}"));
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "migrations::migrating_process", "--nocapture"])
            .env(KILLED_URL, &url)
            .env(KILLED_FOLDER, folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // It is half way once it holds what it has changed.
        match dialect {
            Dialect::Sqlite => {
                let mut other = SqliteConnection::establish(&url).unwrap();
                while other.batch_execute("BEGIN IMMEDIATE; ROLLBACK").is_ok() {
                    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
                }
            }
            Dialect::Postgres => {
                let asleep = "SELECT pid::text AS line FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
                while test.raw_texts(asleep).is_empty() {
                    assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if dialect == Dialect::Postgres {
            // The server notices a client that is gone when it next talks to it; what it did not commit never was.
            test.raw_texts(
                "SELECT pg_terminate_backend(pid)::text AS line FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
            );
        }
        assert_eq!(schema(&test), before, "{dialect:?}: half a migration is there");
        assert!(test.store.is_migrated().unwrap());
        assert!(!test.export().contains("\"name\":\"x\""), "{dialect:?}");
        write_last(&folder, change);
        assert_eq!(
            apply_from(dialect, &url, folder.path()).unwrap(),
            1,
            "{dialect:?}"
        );
    }
}
