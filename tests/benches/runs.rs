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
use measured::{Failure, cohort, fill, judge, line, peak_memory, send, store};
use registry_core::access::Scope;
use registry_core::storage::Store;
use registry_etl::disclosure::Thresholds;
use registry_etl::measures::Engine;
use registry_etl::runs::{Options, Phase, execute};

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
    fill(&store, &judge, &centres, &plan)?;
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
