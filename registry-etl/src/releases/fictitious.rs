//! The release that is open to every reader: the columns of any release, filled by the generator of synthetic cases.
//!
//! Made by the same steps as a real one (judged, stored, run, bundled) in a registry of its own that is thrown away. Its clock stands still
//! and its randomness is a hash, so that the same program with the same schema makes the same bundle everywhere.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use registry_core::access::Scope;
use registry_core::clock::{Clock, Entropy};
use registry_core::crypto::MasterKey;
use registry_core::intake;
use registry_core::storage::{
    CaseStatus, Derived, NewCentre, Precondition, PutCase, Store, StoreError, StoreOptions,
};
use registry_core::synthetic::{self, CohortPlan};
use registry_core::validation::Envelope;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Built, ReleaseError, ReleaseKey, ReleaseOptions, build};
use crate::measures::Engine;
use crate::runs::{self, Options};

/// Its id; no frozen release can have it.
pub const FICTITIOUS: &str = "synthetic";
/// Says what it is wherever a release has a title.
const TITLE: &str =
    "Fictitious cases made by a generator, to write an analysis before access; no patient is behind any row";
/// First lines of its README.
pub(super) const NOTICE: &str = "**Everything in this release is fictitious.** A generator made the cases; no patient is behind any row, and no result says anything about\nthe disease. Its files and columns are those of a real release: write and try an analysis on it, then ask for the real one.\n\n";
/// Enough to try an analysis on, few enough to be made while somebody waits.
const CASES: u32 = 120;
const CENTRES: u32 = 8;

/// Stands still.
struct Still(DateTime<Utc>);

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// A hash of how often it was asked: nothing here is secret.
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(32) {
            let n = self.0.fetch_add(1, Ordering::SeqCst);
            let block = Sha256::digest(n.to_be_bytes());
            piece.copy_from_slice(&block[..piece.len()]);
        }
    }
}

/// Writes the fictitious release to `out`; `folder` is an empty one of its own for the registry it is made in.
///
/// # Errors
/// [`ReleaseError`], as [`build`]; a folder that cannot be written to.
pub fn fictitious(engine: &Engine, folder: &Path, out: impl Write) -> Result<Built, ReleaseError> {
    let as_of = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default();
    let plan = CohortPlan {
        cases: CASES,
        centres: CENTRES,
        ..CohortPlan::demo(as_of)
    };
    let scope = Scope::system("fictitious release");
    let store = filled(engine, &plan, folder)?;
    let options = Options {
        cut_off: as_of,
        threads: 1,
        thresholds: Default::default(),
    };
    let run = runs::execute(&store, &scope, engine, &options, |_| ())
        .map_err(|error| ReleaseError::Fictitious(error.to_string()))?;
    let options = ReleaseOptions {
        release_id: FICTITIOUS.to_owned(),
        title: TITLE.to_owned(),
        key: ReleaseKey::new([0; 32]),
        approved: None,
        accounting: None,
        fictitious: true,
        spool: folder.to_owned(),
    };
    build(&store, &scope, engine, &run, &options, out)
}

/// A registry with the centres and cases of a plan. A case that its edit checks refuse is not in it, as it would not be in a real one.
fn filled(engine: &Engine, plan: &CohortPlan, folder: &Path) -> Result<Store, ReleaseError> {
    let scope = Scope::system("fictitious release");
    let database = folder.join("fictitious.sqlite3");
    let mut options = StoreOptions::new(format!("sqlite:{}", database.display()));
    options.create = true;
    let later = plan.as_of.checked_add_days(Days::new(1)).unwrap_or(plan.as_of);
    let now = later.and_time(NaiveTime::MIN).and_utc();
    let store = Store::open(
        options,
        MasterKey::from_bytes([0; 32]),
        Arc::new(Still(now)),
        Arc::new(Counted(AtomicU64::new(0))),
    )?;
    store.migrate()?;
    for centre in synthetic::centres(plan) {
        let new = NewCentre {
            centre_id: centre.id.clone(),
            name: centre.name,
            country: Some(centre.country.to_owned()),
            active: true,
        };
        store.create_centre(&scope, new)?;
        for (year, values) in centre.years {
            store.put_centre_year(&scope, &centre.id, year, values)?;
        }
    }
    let centres =
        runs::centre_table(&store, &scope).map_err(|error| ReleaseError::Fictitious(error.to_string()))?;
    for index in 0..plan.cases {
        let case = synthetic::case(plan, index);
        let body = as_sent(&case.body)?;
        let envelope = Envelope {
            record_id: uuid::Uuid::nil(),
            centre_id: case.centre_id.clone(),
            submitted_at: now,
            data_cutoff_date: plan.as_of,
        };
        let verdict = engine.judge().judge(&body, &envelope, &centres);
        let (Some(schema_version), false) = (verdict.schema_version.clone(), verdict.rejected()) else {
            continue;
        };
        let put = PutCase {
            pseudonym: case.pseudonym,
            precondition: Precondition::Whatever,
            schema_version,
            document: body,
            status: CaseStatus::Submitted,
            keep_draft: false,
            derived: Derived {
                histology_code: verdict.derived.histology_code,
                eligibility_class: verdict.derived.eligibility_class,
                t0: verdict.t0,
            },
            findings: Vec::new(),
            formerly: Vec::new(),
            reason: None,
            frozen: Arc::new(|_, _, _| Vec::new()),
            idempotency: None,
        };
        match store.put_case(
            &Scope::system_for_centre("fictitious release", case.centre_id),
            put,
        ) {
            // A patient who took consent back.
            Ok(_) | Err(StoreError::Withdrawn { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(store)
}

/// A case as it is read when it comes as text, like all others do.
fn as_sent(body: &Value) -> Result<Value, ReleaseError> {
    let told = |error: &dyn std::fmt::Display| ReleaseError::Fictitious(error.to_string());
    let text = serde_json::to_vec(body).map_err(|error| told(&error))?;
    intake::parse(&text, &intake::Limits::default()).map_err(|error| told(&error))
}
