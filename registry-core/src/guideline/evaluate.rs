//! Judging one case by every measure (section 10).

use std::cell::RefCell;

use super::{Guideline, Outcome, Program, Step, UnitOutcome};
use crate::record::Record;
use crate::rules::evaluate::{Evaluation, OtherMeasures};
use crate::rules::{SectionSet, Truth, Unknown};

/// What a measure says of a unit, before names are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) outcome: Outcome,
    pub(super) step: Step,
    pub(super) unknown: Option<Unknown>,
}

/// Results by position, with the sections each found open.
type Kept<T> = RefCell<Vec<Option<(T, SectionSet)>>>;

/// One case under judgement by one guideline: results on the present unit are kept for MEASURE and DENOM.
pub(super) struct Judgement<'g> {
    guideline: &'g Guideline,
    populations: Kept<Truth>,
    outcomes: Kept<Decided>,
    denominators: Kept<Truth>,
}

impl Guideline {
    /// Judges a case, blocks of edit checks applied, by every measure on every unit. The cut-off is the record's.
    /// Results are ordered by measure and unit; every unit row up to the cut-off has one per measure.
    pub fn evaluate(&self, record: &Record) -> Vec<UnitOutcome> {
        self.evaluate_some(record, |_, _| true)
    }

    /// As [`Guideline::evaluate`], of some measures (by position) on some unit rows only.
    pub fn evaluate_some(&self, record: &Record, wanted: impl Fn(u16, u32) -> bool) -> Vec<UnitOutcome> {
        let results = self.evaluate_noting(record, wanted);
        results.into_iter().map(|(result, _)| result).collect()
    }

    /// As [`Guideline::evaluate_some`], each with the sections it found not attested far enough: attesting any other one leaves it as it is.
    pub fn evaluate_noting(
        &self,
        record: &Record,
        wanted: impl Fn(u16, u32) -> bool,
    ) -> Vec<(UnitOutcome, SectionSet)> {
        let judgement = Judgement::new(self);
        let evaluation = Evaluation::of_measures(record, self.windows, &judgement);
        judgement.judge_populations(&evaluation);
        let mut units: Vec<Option<u16>> = self.programs.iter().map(|program| program.unit).collect();
        units.sort_unstable();
        units.dedup();
        let mut results = Vec::with_capacity(self.programs.len());
        for unit in units {
            let rows = unit.map_or_else(|| vec![0], |entity| evaluation.active_rows(entity));
            for row in rows {
                let programs = self.programs.iter().enumerate();
                let mut asked = programs
                    .filter(|(measure, program)| program.unit == unit && wanted(*measure as u16, row))
                    .map(|(measure, _)| measure)
                    .peekable();
                if asked.peek().is_some() {
                    evaluation.enter(unit.map(|entity| (entity, row)));
                    judgement.next_unit();
                }
                for measure in asked {
                    let (decided, open) = evaluation.noting(|| judgement.decide(&evaluation, measure));
                    results.push((self.named(measure, row, decided), open));
                }
            }
        }
        results.sort_by_key(|(result, _)| (result.measure, result.unit_index));
        results
    }

    pub(super) fn named(&self, measure: usize, unit_index: u32, decided: Decided) -> UnitOutcome {
        UnitOutcome {
            measure: measure as u16,
            unit_index,
            outcome: decided.outcome,
            reason: decided.unknown.map(|unknown| unknown.reason),
            element: decided.unknown.map(|unknown| unknown.place.name(&self.layout)),
            step: decided.step,
        }
    }
}

impl<'g> Judgement<'g> {
    pub(super) fn new(guideline: &'g Guideline) -> Judgement<'g> {
        let measures = guideline.programs.len();
        Judgement {
            guideline,
            populations: RefCell::new(vec![None; guideline.population_programs.len()]),
            outcomes: RefCell::new(vec![None; measures]),
            denominators: RefCell::new(vec![None; measures]),
        }
    }

    /// Populations concern the patient and are judged once.
    pub(super) fn judge_populations(&self, evaluation: &Evaluation<'_>) {
        for (at, program) in self.guideline.population_programs.iter().enumerate() {
            let truth = evaluation.noting(|| evaluation.cond(program));
            keep(&self.populations, at, truth);
        }
    }

    pub(super) fn next_unit(&self) {
        self.outcomes.borrow_mut().fill(None);
        self.denominators.borrow_mut().fill(None);
    }

    fn population(&self, evaluation: &Evaluation<'_>, program: &Program) -> Truth {
        kept(&self.populations, evaluation, program.population).unwrap_or(Truth::False)
    }

    pub(super) fn decide(&self, evaluation: &Evaluation<'_>, measure: usize) -> Decided {
        if let Some(known) = kept(&self.outcomes, evaluation, measure) {
            return known;
        }
        let decided = evaluation.noting(|| match self.guideline.programs.get(measure) {
            Some(program) => decide(
                |step| self.step(evaluation, measure, program, step),
                program.utilisation,
            ),
            None => Decided {
                outcome: Outcome::NotInDenom,
                step: Step::Population,
                unknown: None,
            },
        });
        keep(&self.outcomes, measure, decided);
        decided.0
    }

    fn step(&self, evaluation: &Evaluation<'_>, measure: usize, program: &Program, step: Step) -> Truth {
        match step {
            Step::Population => self.population(evaluation, program),
            Step::Denominator => self.denominator_of(evaluation, measure, program),
            Step::Exclusion => evaluation.cond(&program.exclusion),
            Step::Numerator => evaluation.cond(&program.numerator),
            Step::Exception => evaluation.cond(&program.exception),
        }
    }

    fn denominator_of(&self, evaluation: &Evaluation<'_>, measure: usize, program: &Program) -> Truth {
        if let Some(known) = kept(&self.denominators, evaluation, measure) {
            return known;
        }
        let truth = evaluation.noting(|| evaluation.cond(&program.denominator));
        keep(&self.denominators, measure, truth);
        truth.0
    }
}

fn keep<T>(of: &Kept<T>, at: usize, result: (T, SectionSet)) {
    if let Some(slot) = of.borrow_mut().get_mut(at) {
        *slot = Some(result);
    }
}

fn kept<T: Copy>(of: &Kept<T>, evaluation: &Evaluation<'_>, at: usize) -> Option<T> {
    let (result, open) = of.borrow().get(at).copied().flatten()?;
    evaluation.found_open(open);
    Some(result)
}

impl OtherMeasures for Judgement<'_> {
    fn outcome(&self, evaluation: &Evaluation<'_>, measure: u16) -> Result<&'static str, Unknown> {
        let decided = self.decide(evaluation, usize::from(measure));
        match decided.unknown {
            Some(unknown) => Err(unknown),
            None => Ok(decided.outcome.as_str()),
        }
    }

    fn denominator(&self, evaluation: &Evaluation<'_>, measure: u16) -> Truth {
        let program = self.guideline.programs.get(usize::from(measure));
        program.map_or(Truth::False, |program| {
            self.denominator_of(evaluation, usize::from(measure), program)
        })
    }
}

/// The order of evaluation: the first step that decides wins. Steps are judged only when reached.
pub(super) fn decide(mut judge: impl FnMut(Step) -> Truth, utilisation: bool) -> Decided {
    let decided = |outcome, step| Decided {
        outcome,
        step,
        unknown: None,
    };
    let not_assessable = |unknown, step| Decided {
        outcome: Outcome::NotAssessable,
        step,
        unknown: Some(unknown),
    };
    for step in [Step::Population, Step::Denominator] {
        match judge(step) {
            Truth::False => return decided(Outcome::NotInDenom, step),
            Truth::Unknown(unknown) => return not_assessable(unknown, step),
            Truth::True => {}
        }
    }
    match judge(Step::Exclusion) {
        Truth::True => return decided(Outcome::Excluded, Step::Exclusion),
        Truth::Unknown(unknown) => return not_assessable(unknown, Step::Exclusion),
        Truth::False => {}
    }
    let numerator = judge(Step::Numerator);
    match numerator {
        Truth::True if utilisation => return decided(Outcome::Used, Step::Numerator),
        Truth::True => return decided(Outcome::Met, Step::Numerator),
        Truth::False if utilisation => return decided(Outcome::NotUsed, Step::Numerator),
        _ => {}
    }
    let exception = judge(Step::Exception);
    match (numerator, exception) {
        (_, Truth::True) => decided(Outcome::Excepted, Step::Exception),
        (Truth::Unknown(unknown), _) => not_assessable(unknown, Step::Numerator),
        (_, Truth::Unknown(unknown)) => not_assessable(unknown, Step::Exception),
        _ => decided(Outcome::NotMet, Step::Numerator),
    }
}
