//! A centre's own cases in a run: the units behind its numbers, one by one. Read from the evaluations when somebody looks,
//! as worklists are, so that no list of patients is kept outside the encryption of their cases.

use registry_core::guideline::Outcome;
use registry_core::rules::Reason;
use registry_core::storage::RunEvaluation;

use rayon::prelude::*;

use super::read::BATCH;
use super::{Reader, RunError};
use crate::measures::{Shares, SomeOutcomes, UnitResult, Window};

/// One unit of a measure on a case that a centre holds, and that counts for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnUnit {
    /// Record id; the caller knows the pseudonym.
    pub case_id: String,
    /// Version of the case that was judged.
    pub version: i64,
    /// Position of the unit row in its submitted array; 0 for the patient.
    pub unit: u32,
    pub outcome: Outcome,
    /// Only with [`Outcome::NotAssessable`].
    pub reason: Option<Reason>,
    /// Only with [`Outcome::NotAssessable`]: `entity.element`, or a section's name.
    pub element: Option<String>,
    /// Half-year of the metastatic diagnosis, `2025-H1`.
    pub half_year: Option<String>,
    /// Metastatic diagnosis within the 24 months before the cut-off.
    pub recent: bool,
}

impl Reader<'_> {
    /// The units of a measure (its position in the run's guideline, composites behind the measures) on the cases a centre holds, by case.
    /// Units that count for another centre, because the case was there then, are its; what this centre counts on cases it holds no more is
    /// not among them. Who may see it is the caller's decision; the store lets a centre read its own only.
    ///
    /// # Errors
    /// The store's; an evaluation of another format.
    pub fn own_units(&self, centre: &str, measure: u16) -> Result<Vec<OwnUnit>, RunError> {
        let window = Window::ending(self.run.cutoff_date);
        let of_case = |evaluation: &RunEvaluation| -> Result<Vec<OwnUnit>, RunError> {
            let case = SomeOutcomes::from_payload(&evaluation.payload, |of| of == measure)?;
            let half_year = case.half_year();
            let recent = case.diagnosed.is_some_and(|day| window.is_recent(day));
            let shares = case.shares.as_ref();
            let own = case.outcomes.iter();
            let own = own.filter(|(at, _)| counts_for(evaluation, shares, *at, centre));
            let own = own.map(|(_, unit)| own_unit(evaluation, unit, half_year.clone(), recent));
            Ok(own.collect())
        };
        let mut units = Vec::new();
        self.store.for_each_run_evaluation_of::<RunError>(
            self.scope,
            self.run.number,
            centre,
            BATCH,
            |batch| {
                let found: Vec<Vec<OwnUnit>> =
                    batch.par_iter().map(of_case).collect::<Result<_, RunError>>()?;
                units.extend(found.into_iter().flatten());
                Ok(())
            },
        )?;
        Ok(units)
    }
}

/// Whether the outcome at a position of a case counts for a centre: as the run counted it.
fn counts_for(evaluation: &RunEvaluation, shares: Option<&Shares>, at: usize, centre: &str) -> bool {
    match shares {
        Some(shares) => {
            let held = shares.units.get(at).copied().unwrap_or(shares.patient);
            shares.centre(held) == centre
        }
        None => evaluation.holders.now() == centre,
    }
}

fn own_unit(
    evaluation: &RunEvaluation,
    unit: &UnitResult,
    half_year: Option<String>,
    recent: bool,
) -> OwnUnit {
    OwnUnit {
        case_id: evaluation.case.case_id.clone(),
        version: evaluation.case.version,
        unit: unit.unit,
        outcome: unit.outcome,
        reason: unit.reason,
        element: unit.element.clone(),
        half_year,
        recent,
    }
}

#[cfg(test)]
mod tests {
    use registry_core::storage::{CaseRef, Holders};

    use super::*;

    fn evaluation(holders: Holders) -> RunEvaluation {
        RunEvaluation {
            case: CaseRef {
                centre_id: "C02".to_owned(),
                case_id: "a".to_owned(),
                version: 1,
            },
            holders,
            key: String::new(),
            payload: Vec::new(),
        }
    }

    /// A case that came from C01: its patient counts there, its second outcome with the centre that has it now.
    #[test]
    fn a_unit_counts_for_the_centre_that_the_run_counted_it_for() {
        let came = Holders::alone("C01").then("2026-02-01".parse().unwrap(), "C02");
        let moved = Shares {
            centres: vec!["C01".to_owned(), "C02".to_owned()],
            patient: 0,
            registered: 0,
            now: 1,
            since: vec![(739_000, 1)],
            units: vec![0, 1],
            quality: Vec::new(),
        };
        let of = |at, centre| counts_for(&evaluation(came.clone()), Some(&moved), at, centre);
        assert_eq!((of(0, "C02"), of(1, "C02")), (false, true));
        assert_eq!((of(0, "C01"), of(1, "C01")), (true, false));
        // Transferred after the run: the rows are with C02, the run counted it for C01.
        let alone = evaluation(Holders::alone("C01"));
        assert!(!counts_for(&alone, None, 0, "C02") && counts_for(&alone, None, 0, "C01"));
    }
}
