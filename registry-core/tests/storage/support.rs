//! A store of its own for every test, with a clock and entropy that repeat.

use std::io::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};

use chrono::{DateTime, Duration, TimeZone, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_core::access::{Role, Scope};
use registry_core::clock::{Clock, Entropy};
use registry_core::crypto::MasterKey;
use registry_core::storage::{
    CaseStatus, Derived, NewCentre, NewKey, Precondition, PutCase, PutOutcome, Store, StoreError,
    StoreOptions, StoredFinding, StoredSeverity,
};
use serde_json::{Value, json};

/// Starts at 2026-11-23 12:00 UTC and goes on by one second at each look; tests may jump.
pub(crate) struct StepClock(AtomicI64);

impl StepClock {
    pub(crate) fn jump(&self, by: Duration) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}

impl Clock for StepClock {
    fn now(&self) -> DateTime<Utc> {
        let start = Utc.with_ymd_and_hms(2026, 11, 23, 12, 0, 0).unwrap();
        start + Duration::seconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// Seeded bytes: the same in every run.
pub(crate) struct SeededEntropy(Mutex<ChaCha20Rng>);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// A store, and what keeps its database alive.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) clock: Arc<StepClock>,
    pub(crate) options: StoreOptions,
    pub(crate) dialect: Dialect,
    folder: Option<tempfile::TempDir>,
    server: Option<(String, String)>,
}

/// Counts the databases of this process.
static DATABASES: AtomicU64 = AtomicU64::new(0);

pub(crate) fn master_key() -> MasterKey {
    MasterKey::from_bytes(std::array::from_fn(|i| i as u8 + 1))
}

pub(crate) fn entropy(seed: u64) -> Arc<SeededEntropy> {
    Arc::new(SeededEntropy(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
}

pub(crate) fn clock() -> Arc<StepClock> {
    Arc::new(StepClock(AtomicI64::new(0)))
}

/// URL of the test server, or a skip; in CI a missing server is a failure.
pub(crate) fn postgres_url() -> Option<String> {
    let url = std::env::var("REGISTRY_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty());
    if url.is_none() {
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "REGISTRY_TEST_POSTGRES must name a PostgreSQL server in CI");
        // Not `eprintln!`, which is shown of failed tests only; once, not once a test.
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            writeln!(
                std::io::stderr(),
                "skipped: tests on PostgreSQL, because REGISTRY_TEST_POSTGRES names no server"
            )
            .ok();
        });
    }
    url
}

fn with_database(url: &str, database: &str) -> String {
    let (before, query) = url.split_once('?').map_or((url, None), |(b, q)| (b, Some(q)));
    let start = before.find("://").unwrap() + 3;
    let host_end = before[start..].find('/').map_or(before.len(), |at| start + at);
    let query = query.map(|q| format!("?{q}")).unwrap_or_default();
    format!("{}/{database}{query}", &before[..host_end])
}

impl TestStore {
    /// An empty database, not migrated.
    pub(crate) fn empty(dialect: Dialect, change: impl FnOnce(&mut StoreOptions)) -> Option<Self> {
        let clock = clock();
        let (mut options, folder, server) = match dialect {
            Dialect::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let options =
                    StoreOptions::new(format!("sqlite:{}", folder.path().join("registry.db").display()))
                        .creating();
                (options, Some(folder), None)
            }
            Dialect::Postgres => {
                let server = postgres_url()?;
                let number = DATABASES.fetch_add(1, Ordering::SeqCst);
                let name = format!("registry_test_{}_{number}", std::process::id());
                let mut admin = PgConnection::establish(&server).unwrap();
                admin
                    .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .unwrap();
                admin
                    .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))
                    .unwrap();
                (
                    StoreOptions::new(with_database(&server, &name)),
                    None,
                    Some((server, name)),
                )
            }
        };
        change(&mut options);
        let store = Store::open(options.clone(), master_key(), clock.clone(), entropy(7)).unwrap();
        Some(Self {
            store,
            clock,
            options,
            dialect,
            folder,
            server,
        })
    }

    /// A migrated database with the centres C01, C02 and C03.
    pub(crate) fn new(dialect: Dialect) -> Option<Self> {
        Self::with(dialect, |_| {})
    }

    pub(crate) fn with(dialect: Dialect, change: impl FnOnce(&mut StoreOptions)) -> Option<Self> {
        let test = Self::empty(dialect, change)?;
        test.store.migrate().unwrap();
        for centre in ["C01", "C02", "C03"] {
            test.store.create_centre(&system(), new_centre(centre)).unwrap();
        }
        Some(test)
    }

    /// A second store on the same database, as another process would open it.
    pub(crate) fn reopen(&self) -> Result<Store, StoreError> {
        self.reopen_with(master_key())
    }

    pub(crate) fn reopen_with(&self, key: MasterKey) -> Result<Store, StoreError> {
        Store::open(self.options.clone(), key, self.clock.clone(), entropy(8))
    }

    /// A scope of this role from a real key.
    pub(crate) fn scope(&self, role: Role, centre: Option<&str>) -> Scope {
        let key = NewKey {
            label: "test".to_owned(),
            role,
            centre: centre.map(str::to_owned),
            expires_at: None,
        };
        let created = self.store.create_key(&system(), key).unwrap();
        self.store.authenticate(created.key.reveal()).unwrap()
    }

    pub(crate) fn submitter(&self, centre: &str) -> Scope {
        self.scope(Role::Submitter, Some(centre))
    }

    pub(crate) fn coordinator(&self) -> Scope {
        self.scope(Role::Coordinator, None)
    }

    /// Path of the SQLite file.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.as_ref().expect("SQLite").path().join("registry.db")
    }

    /// The first column of every row, as text.
    pub(crate) fn raw_texts(&self, sql: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = diesel::sql_types::Text)]
            line: String,
        }
        let query = diesel::sql_query(sql);
        let lines: Vec<Line> = match self.dialect {
            Dialect::Sqlite => {
                query.load(&mut SqliteConnection::establish(self.file().to_str().unwrap()).unwrap())
            }
            Dialect::Postgres => query.load(&mut PgConnection::establish(&self.options.url).unwrap()),
        }
        .unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }

    /// Everything, decrypted.
    pub(crate) fn export(&self) -> String {
        export(&self.store)
    }

    /// Runs SQL past the store, with every right: how an intruder with access to the database would.
    pub(crate) fn raw(&self, sql: &str) {
        match self.dialect {
            Dialect::Sqlite => {
                let mut conn = SqliteConnection::establish(self.file().to_str().unwrap()).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
                conn.batch_execute(sql).unwrap();
            }
            Dialect::Postgres => PgConnection::establish(&self.options.url)
                .unwrap()
                .batch_execute(sql)
                .unwrap(),
        }
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server
            && let Ok(mut admin) = PgConnection::establish(server)
        {
            let _ = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

pub(crate) fn export(store: &Store) -> String {
    let mut out = Vec::new();
    store.canonical_export(&system(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(crate) fn system() -> Scope {
    Scope::system("test")
}

pub(crate) fn new_centre(centre_id: &str) -> NewCentre {
    NewCentre {
        centre_id: centre_id.to_owned(),
        name: format!("Centre {centre_id}"),
        country: Some("DE".to_owned()),
        active: true,
    }
}

pub(crate) fn document(marker: impl std::fmt::Display) -> Value {
    json!({
        "schema_version": "1.0.0",
        "patient": {"pseudonym_id": "P", "histology_term": format!("term {marker}")},
        "imaging": [{"date": "2026-03", "size_mm": 41.5}],
    })
}

pub(crate) fn put(pseudonym: &str, marker: impl std::fmt::Display) -> PutCase {
    PutCase {
        pseudonym: pseudonym.to_owned(),
        precondition: Precondition::None,
        document: document(marker),
        schema_version: "1.0.0".to_owned(),
        status: CaseStatus::Submitted,
        keep_draft: false,
        derived: Derived {
            histology_code: Some("ddlps".to_owned()),
            eligibility_class: Some("core".to_owned()),
            t0: Some("2026-03".to_owned()),
        },
        findings: Vec::new(),
        formerly: Vec::new(),
        reason: None,
        frozen: Arc::new(|_, _, _| Vec::new()),
        idempotency: None,
    }
}

pub(crate) fn replacing(pseudonym: &str, marker: impl std::fmt::Display, after: &PutOutcome) -> PutCase {
    PutCase {
        precondition: Precondition::IfMatch(vec![after.etag.clone()]),
        ..put(pseudonym, marker)
    }
}

pub(crate) fn finding(code: &str, severity: StoredSeverity) -> StoredFinding {
    StoredFinding {
        identity: format!("id-{code}"),
        code: code.to_owned(),
        severity,
        pointer: "/imaging/0/date".to_owned(),
        rule: Some(code.to_owned()),
        rule_version: Some("1".to_owned()),
        message: "the date lies before the diagnosis".to_owned(),
        elements: vec!["imaging.date".to_owned()],
    }
}

/// Runs the same test on both databases, each reported under its own name.
macro_rules! on_both {
    ($(fn $name:ident($test:ident) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "not every test needs everything above it")]
            use super::*;
            fn body($test: $crate::support::TestStore) $body
            #[test]
            fn sqlite() {
                body($crate::support::TestStore::new($crate::support::Dialect::Sqlite).expect("SQLite needs no server"));
            }
            #[test]
            fn postgres() {
                if let Some(test) = $crate::support::TestStore::new($crate::support::Dialect::Postgres) {
                    body(test);
                }
            }
        }
    )+};
}
pub(crate) use on_both;

/// Both dialects, as far as there is a server.
pub(crate) fn dialects() -> Vec<Dialect> {
    [Dialect::Sqlite, Dialect::Postgres]
        .into_iter()
        .filter(|d| *d == Dialect::Sqlite || postgres_url().is_some())
        .collect()
}
