//! A small registry of synthetic cases on SQLite, with a clock that steps and seeded randomness.

use chrono::{DateTime, Duration, NaiveDate, TimeZone, Utc};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_core::access::Scope;
use registry_core::clock::{Clock, Entropy};
use registry_core::crypto::MasterKey;
use registry_core::record::CentreTable;
use registry_core::storage::{
    CaseStatus, Derived, NewCentre, Precondition, PutCase, PutOutcome, Store, StoreError, StoreOptions,
};
use registry_core::synthetic::{self, CohortPlan};
use registry_core::validation::{Envelope, Judge, Verdict};
use registry_core::versions::SchemaStore;
use registry_etl::measures::Engine;
use registry_etl::runs::{self, Options, Progress};
use serde_json::Value;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use uuid::Uuid;

static JUDGE: LazyLock<Arc<Judge>> = LazyLock::new(|| {
    let schema = SchemaStore::embedded().expect("the schema is well-formed");
    Arc::new(Judge::new(Arc::new(schema)).expect("the rules compile"))
});

pub(crate) fn judge() -> Arc<Judge> {
    Arc::clone(&JUDGE)
}

pub(crate) fn engine() -> Engine {
    Engine::new(judge()).expect("a guideline")
}

pub(crate) fn as_of() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
}

pub(crate) fn system() -> Scope {
    Scope::system("test")
}

/// One second later at every look.
struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn now(&self) -> DateTime<Utc> {
        let start = Utc
            .with_ymd_and_hms(2026, 11, 23, 12, 0, 0)
            .single()
            .expect("an instant");
        start + Duration::seconds(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

struct Seeded(Mutex<ChaCha20Rng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().expect("not poisoned").fill(bytes);
    }
}

pub(crate) struct Registry {
    pub(crate) store: Store,
    pub(crate) plan: CohortPlan,
    _folder: tempfile::TempDir,
}

impl Registry {
    pub(crate) fn empty() -> Self {
        Self::with(0, 4)
    }

    /// A migrated store with the plan's centres and cases.
    pub(crate) fn with(cases: u32, centres: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = StoreOptions::new(format!("sqlite:{}", folder.path().join("r.db").display()));
        options.create = true;
        let key = MasterKey::from_bytes(std::array::from_fn(|i| i as u8));
        let clock = Arc::new(StepClock(AtomicI64::new(0)));
        let entropy = Arc::new(Seeded(Mutex::new(ChaCha20Rng::seed_from_u64(7))));
        let store = Store::open(options, key, clock, entropy).expect("opens");
        store.migrate().expect("migrates");
        let plan = CohortPlan {
            seed: 11,
            cases,
            centres,
            as_of: as_of(),
        };
        for centre in synthetic::centres(&plan) {
            let new = NewCentre {
                centre_id: centre.id.clone(),
                name: centre.name,
                country: Some(centre.country.to_owned()),
                active: true,
            };
            store.create_centre(&system(), new).expect("a centre");
            for (year, values) in centre.years {
                store
                    .put_centre_year(&system(), &centre.id, year, values)
                    .expect("a year");
            }
        }
        let registry = Self {
            store,
            plan,
            _folder: folder,
        };
        for index in 0..cases {
            let case = synthetic::case(&registry.plan, index);
            registry
                .put(&case.centre_id, &case.pseudonym, case.body, CaseStatus::Submitted)
                .expect("stored");
        }
        registry
    }

    pub(crate) fn centres(&self) -> CentreTable {
        runs::centre_table(&self.store, &system()).expect("a table")
    }

    pub(crate) fn verdict(&self, centre: &str, body: &Value) -> Verdict {
        let envelope = Envelope {
            record_id: Uuid::nil(),
            centre_id: centre.to_owned(),
            submitted_at: Utc
                .with_ymd_and_hms(2026, 11, 23, 12, 0, 0)
                .single()
                .expect("an instant"),
            data_cutoff_date: as_of(),
        };
        judge().judge(body, &envelope, &self.centres())
    }

    pub(crate) fn put(
        &self,
        centre: &str,
        pseudonym: &str,
        body: Value,
        status: CaseStatus,
    ) -> Result<PutOutcome, StoreError> {
        let derived = judge().derive(&body);
        let put = PutCase {
            pseudonym: pseudonym.to_owned(),
            precondition: Precondition::Whatever,
            schema_version: body["schema_version"].as_str().unwrap_or("1.0.0").to_owned(),
            document: body,
            status,
            keep_draft: false,
            derived: Derived {
                histology_code: derived.histology_code,
                eligibility_class: derived.eligibility_class,
                t0: None,
            },
            findings: Vec::new(),
            formerly: Vec::new(),
            reason: None,
            frozen: Arc::new(|_, _, _| Vec::new()),
            idempotency: None,
        };
        self.store
            .put_case(&Scope::system_for_centre("test", centre), put)
    }

    pub(crate) fn run(&self) -> registry_core::storage::Run {
        self.run_told(|_| ())
    }

    pub(crate) fn run_told(&self, progress: impl FnMut(Progress)) -> registry_core::storage::Run {
        self.try_run(as_of(), progress).expect("a run")
    }

    pub(crate) fn try_run(
        &self,
        cut_off: NaiveDate,
        progress: impl FnMut(Progress),
    ) -> Result<registry_core::storage::Run, runs::RunError> {
        let options = Options {
            cut_off,
            threads: 2,
            thresholds: Default::default(),
        };
        runs::execute(&self.store, &system(), &engine(), &options, progress)
    }
}
