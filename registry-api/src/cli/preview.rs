//! `rules preview`: what would change in outcomes and findings if other rules were published.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use registry_core::access::Scope;
use registry_core::storage::{RunResult, StoreError};
use registry_core::validation::Judge;
use registry_etl::measures::Engine;
use registry_etl::results::{Comparison, kind};
use registry_etl::runs;

use super::{Failure, assess::Format, progress_bar, rules};
use crate::ports::Ports;
use crate::settings::Settings;
use crate::startup;

#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    /// Schema folder with the rules to be tried.
    folder: PathBuf,
    /// Version of the guideline in it; its newest unless given.
    #[arg(long)]
    version: Option<String>,
    /// The finished run whose cases are judged; the newest unless given.
    #[arg(long)]
    run: Option<i64>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Judges the cases of a run by both sets of rules, keeps the comparison with the run for the pages, and prints it.
pub(super) fn preview(args: &PreviewArgs, settings: Settings, ports: Ports) -> Result<(), Failure> {
    let judge = Judge::with_drafts(rules::schemas(Some(&args.folder))?).map_err(Failure::new)?;
    let versions: Vec<String> = judge
        .guidelines(&judge.store().current().version)
        .iter()
        .map(|guideline| guideline.version.clone())
        .collect();
    let newest = || versions.iter().max_by_key(|version| numbers(version)).cloned();
    let version = args.version.clone().or_else(newest);
    let version = version.ok_or_else(|| Failure::new("the folder holds no guideline"))?;
    let other = Engine::with_version(Arc::new(judge), &version).map_err(Failure::new)?;
    let state = startup::assemble(settings, ports)?;
    let scope = Scope::system("command line");
    let run = match args.run {
        Some(number) => state.store.run(&scope, number)?,
        None => state
            .store
            .latest_run(&scope)?
            .ok_or_else(|| Failure::new("there is no finished run: registry run"))?,
    };
    let centres = runs::centre_table(&state.store, &scope).map_err(Failure::new)?;
    let bar = progress_bar("judging by both", 0);
    let comparison = runs::compare(
        &state.store,
        &scope,
        &run,
        &centres,
        [&*state.engine, &other],
        |_| true,
        |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        },
    )
    .map_err(Failure::new)?;
    bar.finish_and_clear();
    let result = RunResult {
        kind: kind::PREVIEW.to_owned(),
        key: format!("{version} {} {}", comparison.other.digest, runs::MADE_AS),
        body: serde_json::to_string(&comparison)?,
    };
    match state.store.add_run_result(&scope, run.number, result) {
        Ok(()) | Err(StoreError::Duplicate(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match args.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&comparison)?),
        Format::Table => print(&comparison),
    }
    Ok(())
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

fn print(comparison: &Comparison) {
    println!(
        "{} cases of run {}, cut-off {}: guideline {} against {}",
        comparison.cases.unwrap_or_default(),
        comparison.run,
        comparison.cut_off,
        comparison.base.version,
        comparison.other.version
    );
    let percent =
        |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
    println!(
        "\n{:<8} {:>8} {:>9} {:>9}  moves",
        "measure", "units", "now", "then"
    );
    let changed = comparison
        .measures
        .iter()
        .filter(|change| change.units_changed != Some(0));
    let mut any = false;
    for change in changed {
        any = true;
        let side = |outcome: &Option<String>| outcome.clone().unwrap_or_else(|| "(none)".to_owned());
        let moves: Vec<String> = change
            .moves
            .iter()
            .map(|m| format!("{} {} -> {}", m.n, side(&m.from), side(&m.to)))
            .collect();
        println!(
            "{:<8} {:>8} {:>9} {:>9}  {}",
            change.measure,
            change.units_changed.unwrap_or(0),
            percent(change.base.rate),
            percent(change.other.rate),
            moves.join(", ")
        );
        for centre in &change.centres {
            println!("{:<8} {:>8} {}", "", centre.n, centre.centre);
        }
    }
    if !any {
        println!("no outcome would change");
    }
    let checks: Vec<_> = comparison
        .checks
        .iter()
        .filter(|check| check.base != check.other || !check.centres.is_empty())
        .collect();
    println!("\n{:<8} {:>8} {:>8}  cases by centre", "check", "now", "then");
    for check in &checks {
        let centres: Vec<String> = check
            .centres
            .iter()
            .map(|c| format!("{} {}", c.centre, c.n))
            .collect();
        println!(
            "{:<8} {:>8} {:>8}  {}",
            check.check,
            check.base,
            check.other,
            centres.join(", ")
        );
    }
    if checks.is_empty() {
        println!("no finding would change");
    }
}
