//! What the benches share: timing in turns, ratios, and what a store needs from the machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_core::access::Scope;
use registry_core::clock::{Clock, Entropy};
use registry_core::crypto::MasterKey;
use registry_core::record::CentreTable;
use registry_core::storage::{
    CaseStatus, Derived, Precondition, PutCase, Store, StoreOptions, StoredFinding, StoredSeverity,
};
use registry_core::synthetic::{CohortPlan, SyntheticCase};
use registry_core::validation::{Envelope, Judge, Severity, Verdict};
use registry_core::versions::SchemaStore;
use serde_json::{Value, json};
use uuid::Uuid;

/// Cases handed to the store together while the registry is filled.
const STRETCH: u32 = 500;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs each piece once to warm up, then all of them in turns, `rounds` times; answers the median time of each.
pub(crate) fn in_turns(
    rounds: usize,
    pieces: &mut [&mut dyn FnMut() -> Result<(), Failure>],
) -> Result<Vec<Duration>, Failure> {
    let mut times = vec![Vec::with_capacity(rounds); pieces.len()];
    for round in 0..=rounds {
        for (piece, times) in pieces.iter_mut().zip(&mut times) {
            let began = Instant::now();
            piece()?;
            if round > 0 {
                times.push(began.elapsed());
            }
        }
    }
    Ok(times.into_iter().map(median).collect())
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// One line: what, how long, how many a second, and the ratio to the baseline's time.
pub(crate) fn line(what: &str, time: Duration, count: usize, baseline: Option<Duration>) {
    let each = time.as_secs_f64() / count.max(1) as f64;
    let ratio = baseline.map_or_else(String::new, |base| {
        format!(
            "  {:>6.2} x the baseline's time",
            time.as_secs_f64() / base.as_secs_f64()
        )
    });
    println!(
        "{what:<62} {:>10.1} us each  {:>9.0} a second{ratio}",
        each * 1e6,
        1.0 / each
    );
}

/// The demo's plan with this many cases.
pub(crate) fn cohort(cases: u32) -> Result<CohortPlan, Failure> {
    Ok(CohortPlan {
        cases,
        ..CohortPlan::demo("2026-11-23".parse()?)
    })
}

/// A synthetic submission in the newest version of the case schema.
pub(crate) fn newest_case(schemas: &SchemaStore, plan: &CohortPlan, index: u32) -> SyntheticCase {
    let mut case = registry_core::synthetic::case(plan, index);
    let version = case.body.get("schema_version").and_then(Value::as_str);
    if let Some(version) = version.map(str::to_owned) {
        case.body = schemas.newest(&case.body, &version).into_owned();
    }
    case
}

/// The time of the machine.
pub(crate) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A good generator with a fixed seed: a bench keeps no secrets.
pub(crate) struct Seeded(std::sync::Mutex<ChaCha20Rng>);

impl Seeded {
    pub(crate) fn new() -> Self {
        Self(std::sync::Mutex::new(ChaCha20Rng::seed_from_u64(1)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        if let Ok(mut generator) = self.0.lock() {
            generator.fill_bytes(bytes);
        }
    }
}

/// An empty, migrated store with the centres of the plan.
pub(crate) fn store(url: String, plan: &CohortPlan) -> Result<Store, Failure> {
    let store = Store::open(
        StoreOptions::new(url).creating(),
        MasterKey::from_bytes([7; 32]),
        std::sync::Arc::new(WallClock),
        std::sync::Arc::new(Seeded::new()),
    )?;
    store.migrate()?;
    let office = Scope::system("bench");
    for centre in registry_core::synthetic::centres(plan) {
        let id = centre.id.clone();
        store.create_centre(
            &office,
            registry_core::storage::NewCentre {
                centre_id: centre.id,
                name: centre.name,
                country: Some(centre.country.to_owned()),
                active: true,
            },
        )?;
        for (year, row) in centre.years {
            store.put_centre_year(&office, &id, year, row)?;
        }
    }
    Ok(store)
}

/// What the store takes of a judged body.
pub(crate) fn put(pseudonym: String, body: Value, verdict: &Verdict) -> PutCase {
    PutCase {
        pseudonym,
        precondition: Precondition::Whatever,
        document: body,
        schema_version: verdict.schema_version.clone().unwrap_or_default(),
        status: CaseStatus::Submitted,
        keep_draft: false,
        derived: Derived {
            histology_code: verdict.derived.histology_code.clone(),
            eligibility_class: verdict.derived.eligibility_class.clone(),
            t0: verdict.t0.clone(),
        },
        findings: verdict
            .findings
            .iter()
            .filter_map(|finding| {
                let severity = match finding.severity {
                    Severity::Reject => return None,
                    Severity::Error => StoredSeverity::Error,
                    Severity::Warning => StoredSeverity::Warning,
                };
                Some(StoredFinding {
                    identity: finding.identity.clone(),
                    code: finding.code.clone(),
                    severity,
                    pointer: finding.pointer.clone(),
                    rule: finding.rule.clone(),
                    rule_version: finding.rule_version.clone(),
                    message: finding.message.clone(),
                    elements: finding.elements.clone(),
                })
            })
            .collect(),
        formerly: Vec::new(),
        reason: None,
        frozen: Arc::new(|_, _, _| Vec::new()),
        idempotency: None,
    }
}

/// Highest resident memory of this process so far, in MiB (Linux).
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// The judge and the centre table of a plan.
pub(crate) fn judge(plan: &CohortPlan) -> Result<(Judge, CentreTable), Failure> {
    let rows = registry_core::synthetic::centres(plan)
        .into_iter()
        .flat_map(|centre| centre.years.into_iter().map(|(_, row)| row));
    let store = std::sync::Arc::new(registry_core::versions::SchemaStore::embedded()?);
    Ok((Judge::new(store)?, CentreTable::from_rows(rows)?))
}

/// Sends every case of the plan.
pub(crate) fn fill(
    store: &Store,
    judge: &Judge,
    centres: &CentreTable,
    plan: &CohortPlan,
) -> Result<(), Failure> {
    for from in (0..plan.cases).step_by(STRETCH as usize) {
        let which = from..plan.cases.min(from + STRETCH);
        send(store, judge, centres, plan, which, false)?;
    }
    Ok(())
}

/// Sends cases of the plan; the second time with one more follow-up contact's disease status changed.
pub(crate) fn send(
    store: &Store,
    judge: &Judge,
    centres: &CentreTable,
    plan: &CohortPlan,
    which: std::ops::Range<u32>,
    changed: bool,
) -> Result<(), Failure> {
    let mut by_centre: std::collections::BTreeMap<String, Vec<_>> = std::collections::BTreeMap::new();
    for index in which {
        let mut case = registry_core::synthetic::case(plan, index);
        if changed {
            case.body["followup"][0]["disease_status"] = json!("responding");
            case.body["primary"]["size_mm"] = json!(99);
        }
        let envelope = Envelope {
            record_id: Uuid::nil(),
            centre_id: case.centre_id.clone(),
            submitted_at: case.submitted_at,
            data_cutoff_date: plan.as_of,
        };
        let verdict = judge.judge(&case.body, &envelope, centres);
        by_centre
            .entry(case.centre_id)
            .or_default()
            .push(put(case.pseudonym, case.body, &verdict));
    }
    for (centre, items) in by_centre {
        let scope = Scope::system_for_centre("bench", centre);
        for outcome in store.put_cases(&scope, items, false)? {
            outcome?;
        }
    }
    Ok(())
}
