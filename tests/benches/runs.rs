//! ETL runs on a store of synthetic cases: a full one, one after 1 % of the cases changed, one where nothing changed.
//! Baseline: the incremental run where nothing has changed (reading evaluations back and aggregating).
//!
//! `cargo bench -p registry-etl --features benches --bench runs -- 10000 100000`   (default 10,000)

#[path = "measured.rs"]
#[expect(dead_code, reason = "shared by several benches, each of which needs a part")]
mod measured;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use measured::{Failure, cohort, judge, line, peak_memory, put, store};
use registry_core::access::Scope;
use registry_core::storage::Store;
use registry_core::synthetic::{CohortPlan, case};
use registry_core::validation::{Envelope, Judge};
use registry_etl::disclosure::Thresholds;
use registry_etl::measures::Engine;
use registry_etl::runs::{Options, Phase, execute};
use serde_json::json;
use uuid::Uuid;

/// Cases handed to the store together while the registry is filled.
const STRETCH: u32 = 500;

fn main() -> Result<(), Failure> {
    let sizes: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|arg| arg.parse().ok())
        .collect();
    for cases in if sizes.is_empty() { vec![10_000] } else { sizes } {
        measure(cases)?;
    }
    Ok(())
}

fn measure(cases: u32) -> Result<(), Failure> {
    let plan = cohort(cases)?;
    let (judge, centres) = judge(&plan)?;
    let judge = Arc::new(judge);
    let folder = tempfile::tempdir()?;
    let store = store(
        format!("sqlite:{}", folder.path().join("registry.db").display()),
        &plan,
    )?;
    let began = Instant::now();
    for from in (0..cases).step_by(STRETCH as usize) {
        send(
            &store,
            &judge,
            &centres,
            &plan,
            from..cases.min(from + STRETCH),
            false,
        )?;
    }
    let filled = began.elapsed();
    let engine = Engine::new(Arc::clone(&judge))?;
    let full = run(&store, &engine, plan.as_of)?;
    let nothing = run(&store, &engine, plan.as_of)?;
    let changed = cases.div_ceil(100);
    send(&store, &judge, &centres, &plan, 0..changed, true)?;
    let one_percent = run(&store, &engine, plan.as_of)?;
    let cases = cases as usize;
    println!("\n{cases} cases, SQLite, {} threads", threads());
    line(
        "  filling the registry (generate, judge, store)",
        filled,
        cases,
        None,
    );
    for (name, took, baseline) in [
        ("  baseline: a run where nothing has changed", nothing, None),
        ("  full run", full, Some(nothing.whole())),
        (
            "  run after 1 % of the cases changed",
            one_percent,
            Some(nothing.whole()),
        ),
    ] {
        line(name, took.whole(), cases, baseline);
        println!(
            "    evaluating {:.2} s, reading back {:.2} s, counting {:.2} s",
            took.evaluating.as_secs_f64(),
            took.reading.as_secs_f64(),
            took.counting.as_secs_f64()
        );
    }
    let extra = one_percent.whole().saturating_sub(nothing.whole());
    println!(
        "  for the {changed} changed ones: {:.1} ms",
        extra.as_secs_f64() * 1e3
    );
    if let Some(peak) = peak_memory() {
        println!("  peak memory of the whole bench so far: {peak} MiB");
    }
    Ok(())
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How long a run took, part by part.
#[derive(Clone, Copy)]
struct Took {
    evaluating: Duration,
    reading: Duration,
    counting: Duration,
}

impl Took {
    fn whole(self) -> Duration {
        self.evaluating + self.reading + self.counting
    }
}

fn run(store: &Store, engine: &Engine, cut_off: NaiveDate) -> Result<Took, Failure> {
    let options = Options {
        cut_off,
        threads: threads(),
        thresholds: Thresholds::default(),
    };
    let began = Instant::now();
    let (mut evaluated, mut read) = (began, began);
    execute(
        store,
        &Scope::system("bench"),
        engine,
        &options,
        |progress| match progress.phase {
            Phase::Evaluating => evaluated = Instant::now(),
            Phase::Aggregating | Phase::Summarising => read = Instant::now(),
        },
    )?;
    Ok(Took {
        evaluating: evaluated - began,
        reading: read - evaluated,
        counting: read.elapsed(),
    })
}

/// Sends cases of the plan; the second time with one more follow-up contact's disease status changed.
fn send(
    store: &Store,
    judge: &Judge,
    centres: &registry_core::record::CentreTable,
    plan: &CohortPlan,
    which: std::ops::Range<u32>,
    changed: bool,
) -> Result<(), Failure> {
    let mut by_centre: std::collections::BTreeMap<String, Vec<_>> = std::collections::BTreeMap::new();
    for index in which {
        let mut case = case(plan, index);
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
