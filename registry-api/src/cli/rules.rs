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
    /// Judge the guideline's test patients and compare with what each expects; exit code 1 when one differs.
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
    /// Record what the committee decided on a histology in neither column of Table 1; it applies from the next run on.
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
    let (mut judged, mut differ) = (0u32, 0u32);
    println!("{:<5}{:<46}{:<52}{:<52}", "", "patient", "expected", "judged");
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
                    "{:<5}{:<46}{:<52}{:<52}",
                    if agrees { "ok" } else { "NOT" },
                    patient.id,
                    patient.expected.to_string(),
                    found.map_or_else(|| "no such measure or unit".to_owned(), |found| found.to_string()),
                );
            }
        }
        println!("{}", without_patients(guideline, &all));
    }
    println!("{judged} patients judged, {differ} differ");
    Ok(if differ == 0 && judged > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Measures that no test patient speaks of.
fn without_patients(guideline: &Guideline, all: &TestPatients) -> String {
    let bare: Vec<&str> = guideline
        .measures
        .iter()
        .filter(|measure| all.patients.iter().all(|patient| patient.measure != measure.id))
        .map(|measure| measure.id.as_str())
        .collect();
    match bare.len() {
        0 => format!(
            "guideline {} {}: every measure has test patients",
            guideline.id, guideline.version
        ),
        n => format!(
            "guideline {}: {n} measures without a test patient here: {}",
            guideline.id,
            bare.join(", ")
        ),
    }
}
