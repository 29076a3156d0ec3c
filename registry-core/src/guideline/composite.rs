//! All-or-none summaries of several measures on the same unit.

use super::{Guideline, Outcome, Step, UnitOutcome};

/// Several measures reported as one: met when every part that applies to the unit is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// Number of the statement, as `24`; no measure has it.
    pub id: String,
    pub title: String,
    /// The unit of all parts, in words.
    pub unit: String,
    pub statement: u16,
    pub grade: String,
    /// Positions in [`Guideline::measures`].
    pub parts: Vec<u16>,
}

impl Guideline {
    /// The results of the composites, from those of the measures. Numbered on from the last measure: the first composite is
    /// `measures.len()`.
    ///
    /// A part applies unless it is excluded, excepted or outside its denominator. Of the parts that apply: one not met is
    /// not met; else one not assessable is not assessable, for the first such part's reason; else met. When none applies
    /// the composite is what most of the evaluation order reached: excepted, else excluded, else outside.
    pub fn composite_outcomes(&self, results: &[UnitOutcome]) -> Vec<UnitOutcome> {
        let mut all = Vec::new();
        for (at, composite) in self.composites.iter().enumerate() {
            let of_parts = || {
                results
                    .iter()
                    .filter(|result| composite.parts.contains(&result.measure))
            };
            let mut units: Vec<u32> = of_parts().map(|result| result.unit_index).collect();
            units.sort_unstable();
            units.dedup();
            for unit in units {
                let parts: Vec<&UnitOutcome> =
                    of_parts().filter(|result| result.unit_index == unit).collect();
                let first = |outcome: Outcome| parts.iter().find(|part| part.outcome == outcome);
                let order = [
                    Outcome::NotMet,
                    Outcome::NotAssessable,
                    Outcome::Met,
                    Outcome::Excepted,
                    Outcome::Excluded,
                ];
                let decisive = order.into_iter().find_map(first);
                all.push(UnitOutcome {
                    measure: (self.measures.len() + at) as u16,
                    unit_index: unit,
                    outcome: decisive.map_or(Outcome::NotInDenom, |part| part.outcome),
                    reason: decisive.and_then(|part| part.reason),
                    element: decisive.and_then(|part| part.element.clone()),
                    step: decisive.map_or(Step::Denominator, |part| part.step),
                });
            }
        }
        all
    }
}
