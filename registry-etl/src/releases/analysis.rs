//! Analysis-ready file: adherence per unit.

use super::ReleaseError;
use super::code_lists::{KINDS, OUTCOMES, REASONS};
use super::described::{Described, Holds, names};
use super::entities::ReleasedCase;
use super::spool::Spool;
use super::table::{FinishedTable, Table};

use crate::results::MeasureHead;

/// The file of outcomes.
pub(super) const ADHERENCE: &str = "adherence_units.csv";

/// Its columns.
pub(super) const ADHERENCE_COLUMNS: [Described; 9] = [
    Described::key(
        "patient_id",
        Holds::Text,
        "pseudonym of the patient in this release",
    ),
    Described::key("measure", Holds::Text, "id of the measure"),
    Described::plain("statement", Holds::Text, "number of the consensus statement"),
    Described::coded(
        "kind",
        KINDS,
        "adherence, avoidance, documentation or utilisation",
    ),
    Described::plain("unit", Holds::Text, "what is counted"),
    Described::key(
        "unit_row",
        Holds::Integer,
        "row of the unit in its entity's file, from 1; empty for the patient",
    ),
    Described::coded(
        "outcome",
        OUTCOMES,
        "MET, NOT_MET, USED, NOT_USED, NOT_ASSESSABLE, EXCLUDED, EXCEPTED, NOT_IN_DENOM",
    ),
    Described::coded("reason", REASONS, "why it is not assessable"),
    Described::plain(
        "element",
        Holds::Text,
        "which element or section made it not assessable",
    ),
];

/// The file while it grows.
pub(super) struct AdherenceTable {
    table: Table,
}

impl AdherenceTable {
    pub(super) fn begin(spool: &Spool) -> Result<Self, ReleaseError> {
        Ok(Self {
            table: Table::begin(spool, ADHERENCE, names(&ADHERENCE_COLUMNS))?,
        })
    }

    /// Adds some cases.
    pub(super) fn add(
        &mut self,
        cases: &[ReleasedCase<'_>],
        measures: &[MeasureHead],
    ) -> Result<(), ReleaseError> {
        self.table.each(cases, |case, rows| {
            for unit in &case.evaluation.outcomes {
                let Some(measure) = measures.get(usize::from(unit.measure)) else {
                    continue;
                };
                let row = if measure.unit == "patient" {
                    String::new()
                } else {
                    (unit.unit + 1).to_string()
                };
                rows.row([
                    case.patient,
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
        })
    }

    pub(super) fn finish(self) -> Result<FinishedTable, ReleaseError> {
        self.table.finish()
    }
}
