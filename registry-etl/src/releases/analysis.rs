//! Analysis-ready files: adherence per unit, one survival row per case.

use super::ReleaseError;
use super::spool::{FinishedTable, Table};
use crate::cohorts::endpoint::DAYS_PER_MONTH;
use crate::cohorts::settle::{DateReading, settle};
use crate::measures::CaseEvaluation;
use crate::results::MeasureHead;

/// The file of outcomes.
pub(super) const ADHERENCE: &str = "adherence_units.csv";
/// The file of survival rows.
pub(super) const SURVIVAL: &str = "survival_s1.csv";

/// Columns of the analysis files: name and meaning.
pub(super) const ADHERENCE_COLUMNS: [(&str, &str); 9] = [
    ("patient_id", "pseudonym of the patient in this release"),
    ("measure", "id of the measure"),
    ("statement", "number of the consensus statement"),
    ("kind", "adherence, avoidance, documentation or utilisation"),
    ("unit", "what is counted"),
    (
        "unit_row",
        "row of the unit in its entity's file, from 1; empty for the patient",
    ),
    (
        "outcome",
        "MET, NOT_MET, USED, NOT_USED, NOT_ASSESSABLE, EXCLUDED, EXCEPTED, NOT_IN_DENOM",
    ),
    ("reason", "why it is not assessable"),
    ("element", "which element or section made it not assessable"),
];

pub(super) const SURVIVAL_COLUMNS: [(&str, &str); 9] = [
    ("patient_id", "pseudonym of the patient in this release"),
    ("histology_code", "derived histology"),
    ("analysed", "whether the case is in the primary estimate of S1"),
    ("left_out", "the first reason why it is not"),
    (
        "entry_days",
        "registration, in days from metastatic diagnosis, when later (delayed entry)",
    ),
    (
        "exit_days",
        "death or last contact, in days from metastatic diagnosis",
    ),
    ("os_months", "exit_days / 30.4375"),
    ("os_event", "TRUE for death, FALSE for censored"),
    ("lost", "TRUE when the last contact says the patient is lost"),
];

/// Both files while they grow.
pub(super) struct AnalysisTables {
    adherence: Table,
    survival: Table,
}

impl AnalysisTables {
    pub(super) fn begin() -> Result<Self, ReleaseError> {
        let names = |columns: &[(&str, &str)]| columns.iter().map(|c| c.0.to_owned()).collect();
        Ok(Self {
            adherence: Table::begin(ADHERENCE, names(&ADHERENCE_COLUMNS))?,
            survival: Table::begin(SURVIVAL, names(&SURVIVAL_COLUMNS))?,
        })
    }

    /// Adds a case; `cut_off` is the run's, as a day number.
    pub(super) fn add(
        &mut self,
        patient: &str,
        case: &CaseEvaluation,
        measures: &[MeasureHead],
        cut_off: i32,
    ) -> Result<(), ReleaseError> {
        for unit in &case.outcomes {
            let Some(measure) = measures.get(usize::from(unit.measure)) else {
                continue;
            };
            let row = if measure.unit == "patient" {
                String::new()
            } else {
                (unit.unit + 1).to_string()
            };
            self.adherence.add([
                patient,
                &measure.id,
                &measure.statement,
                &measure.kind,
                &measure.unit,
                &row,
                unit.outcome.as_str(),
                unit.reason.map_or("", |r| r.as_str()),
                unit.element.as_deref().unwrap_or(""),
            ])?;
        }
        let settled = settle(&case.facts.survival, cut_off, DateReading::Fifteenth, false);
        let histology = case.facts.histology.as_deref().unwrap_or("");
        let truth = |value: bool| if value { "TRUE" } else { "FALSE" };
        match settled {
            Ok(times) => self.survival.add([
                patient,
                histology,
                truth(true),
                "",
                &times.entry.map(|e| e.to_string()).unwrap_or_default(),
                &times.exit.to_string(),
                &format!("{:.4}", f64::from(times.exit) / DAYS_PER_MONTH),
                truth(times.event),
                truth(times.lost),
            ]),
            Err(why) => {
                self.survival
                    .add([patient, histology, truth(false), why.as_str(), "", "", "", "", ""])
            }
        }
    }

    pub(super) fn finish(self) -> Result<[FinishedTable; 2], ReleaseError> {
        Ok([self.adherence.finish()?, self.survival.finish()?])
    }
}
