//! Why a measure says what it says: the truth of each step and the cells it read.

use super::evaluate::{Judgement, decide};
use super::{Guideline, Step, UnitOutcome};
use crate::record::{CellRef, Record};
use crate::rules::evaluate::Evaluation;
use crate::rules::{Scalar, Truth};

/// One result with its grounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    pub result: UnitOutcome,
    /// The steps judged, in order; the last one or the one named by the result decided.
    pub steps: Vec<StepExplanation>,
    /// T0, A0, FT, FT0, CUT and DEATH of the unit, as day numbers.
    pub dates: Vec<(&'static str, Scalar)>,
}

/// One step of a measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepExplanation {
    pub step: Step,
    pub truth: Truth,
    /// Cells read to judge it, in the order of the dictionary.
    pub read: Vec<CellRef>,
}

impl Guideline {
    /// Whether the numerator of a measure (position in [`Guideline::measures`]) holds on a unit, whatever the steps before it say.
    pub fn numerator(&self, record: &Record, measure: u16, unit_index: u32) -> Option<Truth> {
        let program = self.programs.get(usize::from(measure))?;
        let judgement = Judgement::new(self);
        let evaluation = Evaluation::of_measures(record, self.windows, &judgement);
        judgement.judge_populations(&evaluation);
        evaluation.enter(program.unit.map(|entity| (entity, unit_index)));
        Some(evaluation.cond(&program.numerator))
    }

    /// Explains the result of a measure (position in [`Guideline::measures`]) on a unit; `None` when there is no such
    /// measure or unit row.
    pub fn explain(&self, record: &Record, measure: u16, unit_index: u32) -> Option<Explanation> {
        let program = self.programs.get(usize::from(measure))?;
        if let Some(entity) = program.unit {
            let judgement = Judgement::new(self);
            let evaluation = Evaluation::of_measures(record, self.windows, &judgement);
            evaluation
                .active_rows(entity)
                .into_iter()
                .find(|row| *row == unit_index)?;
        } else if unit_index != 0 {
            return None;
        }
        let unit = program.unit.map(|entity| (entity, unit_index));
        let mut steps = Vec::new();
        let judge = |step: Step| {
            // A fresh judgement per step, so that nothing kept from an earlier step hides what this one reads.
            let judgement = Judgement::new(self);
            let evaluation = Evaluation::of_measures(record, self.windows, &judgement);
            judgement.judge_populations(&evaluation);
            let evaluation = evaluation.tracing();
            evaluation.enter(unit);
            let truth = match step {
                Step::Population => self
                    .population_programs
                    .get(program.population)
                    .map_or(Truth::False, |population| evaluation.cond(population)),
                Step::Denominator => evaluation.cond(&program.denominator),
                Step::Exclusion => evaluation.cond(&program.exclusion),
                Step::Numerator => evaluation.cond(&program.numerator),
                Step::Exception => evaluation.cond(&program.exception),
            };
            steps.push(StepExplanation {
                step,
                truth,
                read: evaluation.reads(),
            });
            truth
        };
        let decided = decide(judge, program.utilisation);
        let judgement = Judgement::new(self);
        let evaluation = Evaluation::of_measures(record, self.windows, &judgement);
        evaluation.enter(unit);
        Some(Explanation {
            result: self.named(usize::from(measure), unit_index, decided),
            steps,
            dates: evaluation.named_dates(),
        })
    }
}
