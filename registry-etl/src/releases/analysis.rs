//! Analysis-ready file: adherence per unit.

use super::ReleaseError;
use super::spool::{FinishedTable, Table};
use crate::measures::CaseEvaluation;
use crate::results::MeasureHead;

/// The file of outcomes.
pub(super) const ADHERENCE: &str = "adherence_units.csv";

/// Its columns: name and meaning.
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

/// The file while it grows.
pub(super) struct AdherenceTable {
    table: Table,
}

impl AdherenceTable {
    pub(super) fn begin() -> Result<Self, ReleaseError> {
        let names = ADHERENCE_COLUMNS.map(|column| column.0.to_owned());
        Ok(Self {
            table: Table::begin(ADHERENCE, names.to_vec())?,
        })
    }

    /// Adds a case.
    pub(super) fn add(
        &mut self,
        patient: &str,
        case: &CaseEvaluation,
        measures: &[MeasureHead],
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
            self.table.add([
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
        Ok(())
    }

    pub(super) fn finish(self) -> Result<FinishedTable, ReleaseError> {
        self.table.finish()
    }
}
