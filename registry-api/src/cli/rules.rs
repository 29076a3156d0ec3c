//! `rules`: what a clinician who changes a measure needs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use registry_core::guideline::{Guideline, patients::TestPatients, questions::Questions};
use registry_core::quality::QualityRules;
use registry_core::validation::Judge;
use registry_core::versions::SchemaStore;

use super::Failure;
use super::decide::{DecideArgs, decide};
use super::histology::{HistologyArgs, histology};
use super::preview::{PreviewArgs, preview};
use super::publish::{PublishArgs, publish};
use crate::ports::Ports;
use crate::settings::{Settings, SettingsError};

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// Compile every check and measure of a schema folder; every fault with file, line and column.
    #[command(after_help = "Example:\n  registry rules check schema")]
    Check {
        /// Schema folder.
        folder: PathBuf,
    },
    /// Judge the guideline's test patients and compare with what each expects; exit code 1 when one differs, or when an outcome that can
    /// occur is expected by none.
    #[command(
        after_help = "Example:\n  registry rules test\n  registry rules test --schema schema --measure 24c"
    )]
    Test(TestArgs),
    /// What would change in outcomes and findings, per centre and measure, before rules are published. Kept for the page.
    #[command(after_help = "Example:\n  registry rules preview schema --version 1.2.0")]
    Preview(PreviewArgs),
    /// Record what the committee decided on an open question; adoption makes a draft of the next guideline version.
    #[command(
        after_help = "Example:\n  registry rules decide Q07 reject --by 'Steering committee' --reason 'The source says so'\n  registry rules decide '$ECOG_OK' adopt --version 1.2.0 --by 'Steering committee' --reason 'Agreed'"
    )]
    Decide(DecideArgs),
    /// Put a draft in force: it becomes the active version and is frozen in catalog.toml, the one before is superseded and stays. Refused
    /// when it does not compile or its test patients do not hold.
    #[command(after_help = "Example:\n  registry rules publish 1.2.0 --schema schema --day 2027-01-15")]
    Publish(PublishArgs),
    /// Record what the committee decided on a histology in neither column of Table 1; once the service has been started again
    /// with the folder, the next run counts by it, and `registry cases rejudge` brings findings, queries and lists up to it.
    #[command(
        after_help = "Example:\n  registry rules histology 8854/3 core --counts-as ups --by 'Steering committee' --reason 'Treated alike'"
    )]
    Histology(HistologyArgs),
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Schema folder; without it the schema compiled in.
    #[arg(long)]
    schema: Option<PathBuf>,
    /// Folder of test patients judged instead of the guideline's own, with the guideline's centre table.
    #[arg(long)]
    patients: Option<PathBuf>,
    /// Only patients of this measure.
    #[arg(long)]
    measure: Option<String>,
    /// Print only the patients that differ.
    #[arg(long)]
    quiet: bool,
}

/// The schema of a folder, or the one compiled in.
pub(super) fn schemas(folder: Option<&Path>) -> Result<Arc<SchemaStore>, Failure> {
    let store = match folder {
        Some(folder) => SchemaStore::from_dir(folder),
        None => SchemaStore::embedded(),
    };
    store.map(Arc::new).map_err(Failure::new)
}

pub(super) fn rules(
    command: &Rules,
    settings: impl FnOnce() -> Result<Settings, SettingsError>,
    ports: Ports,
) -> Result<ExitCode, Failure> {
    match command {
        Rules::Check { folder } => return check(folder),
        Rules::Test(args) => return test(args),
        Rules::Preview(args) => preview(args, settings()?, ports)?,
        Rules::Decide(args) => decide(args, &ports)?,
        Rules::Publish(args) => publish(args, &ports)?,
        Rules::Histology(args) => histology(args, &ports)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check(folder: &Path) -> Result<ExitCode, Failure> {
    let store = schemas(Some(folder))?;
    let judge = Judge::with_drafts(Arc::clone(&store)).map_err(Failure::new)?;
    for version in judge.accepted_versions() {
        let checks = judge.checks(version).map_or(0, |set| set.checks().len());
        println!("case schema {version}: {checks} checks");
        if let Some(layout) = judge.layout(version) {
            let quality = QualityRules::of(&store, layout).map_err(Failure::new)?;
            println!("  worklist: {} phases", quality.phases().len());
        }
        for guideline in judge.guidelines(version) {
            Questions::of(&store, &guideline.id).map_err(Failure::new)?;
            println!(
                "  guideline {} {}: {} measures, {} parameters",
                guideline.id,
                guideline.version,
                guideline.measures.len(),
                guideline.parameters.len()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn test(args: &TestArgs) -> Result<ExitCode, Failure> {
    let store = schemas(args.schema.as_deref())?;
    let judge = Judge::new(Arc::clone(&store)).map_err(Failure::new)?;
    let (mut judged, mut differ, mut lacking) = (0u32, 0u32, 0usize);
    println!("{:<5}{:<46} {:<52} judged", "", "patient", "expected");
    for guideline in judge.guidelines(&store.current().version) {
        let mut all = TestPatients::of(&store, guideline).map_err(Failure::new)?;
        if let Some(folder) = &args.patients {
            all.patients = TestPatients::in_folder(&store, folder)
                .map_err(Failure::new)?
                .patients;
        }
        for patient in &all.patients {
            if args
                .measure
                .as_ref()
                .is_some_and(|measure| *measure != patient.measure)
            {
                continue;
            }
            judged += 1;
            let found = patient.judged(guideline, &all.centres);
            let agrees = found.as_ref() == Some(&patient.expected);
            differ += u32::from(!agrees);
            if !(agrees && args.quiet) {
                println!(
                    "{:<5}{:<46} {:<52} {}",
                    if agrees { "ok" } else { "NOT" },
                    patient.id,
                    patient.expected.to_string(),
                    found.map_or_else(|| "no such measure or unit".to_owned(), |found| found.to_string()),
                );
            }
        }
        lacking += without_patients(guideline, &all, args);
    }
    println!("{judged} patients judged, {differ} differ");
    Ok(if differ == 0 && judged > 0 && lacking == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says which outcomes that can occur no test patient expects, and how many they are. Patients given by hand need not expect any.
fn without_patients(guideline: &Guideline, all: &TestPatients, args: &TestArgs) -> usize {
    let mut open = all.lacking(guideline);
    open.retain(|(measure, _)| args.measure.as_ref().is_none_or(|wanted| wanted == measure));
    let name = format!("guideline {} {}", guideline.id, guideline.version);
    if open.is_empty() {
        println!("{name}: every outcome of every measure that can occur has test patients");
    } else {
        let words: Vec<String> = open
            .iter()
            .map(|(measure, outcome)| format!("{measure} {}", outcome.as_str()))
            .collect();
        println!(
            "{name}: {} outcomes without a test patient here: {}",
            open.len(),
            words.join(", ")
        );
    }
    if args.patients.is_some() { 0 } else { open.len() }
}
