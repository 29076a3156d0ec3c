//! A case as the measures see it, and the outcomes they find in it.

use super::holding::Holding;
use registry_core::guideline::{Guideline, UnitOutcome};
use registry_core::record::Record;
use registry_core::rules::Severity;

/// A case as the measures see it.
pub struct ReadCase<'a> {
    pub guideline: &'a Guideline,
    pub record: Record,
    /// Id and severity of every edit check that fired, once per place.
    pub fired: Vec<(String, Severity)>,
    /// That holds it last.
    pub(super) centre: String,
    pub(super) held: Option<Held>,
}

/// A case that was transferred: which centre what counts for, and the case as one of every other centre.
pub(super) struct Held {
    pub(super) holding: Holding,
    pub(super) elsewhere: Vec<(usize, Record)>,
}

impl ReadCase<'_> {
    /// The outcomes of some measures of a guideline (by position) on every unit, in their order. A unit is judged as one of the centre it
    /// counts for, with that centre's years.
    pub fn outcomes(&self, guideline: &Guideline, wanted: impl Fn(u16) -> bool) -> Vec<UnitOutcome> {
        let wanted = |measure, _| wanted(measure);
        let mut outcomes = guideline.evaluate_some(&self.record, wanted);
        let Some(Held { holding, elsewhere }) = &self.held else {
            return outcomes;
        };
        let of = |unit: &UnitOutcome| holding.unit(guideline, &self.record, unit);
        outcomes.retain(|unit| of(unit) == holding.patient);
        for (centre, record) in elsewhere {
            let all = guideline.evaluate_some(record, wanted).into_iter();
            outcomes.extend(all.filter(|unit| of(unit) == *centre));
        }
        outcomes.sort_by_key(|unit| (unit.measure, unit.unit_index));
        outcomes
    }

    /// The centre the outcome of a unit counts for.
    pub fn centre_of(&self, guideline: &Guideline, unit: &UnitOutcome) -> &str {
        match &self.held {
            Some(Held { holding, .. }) => holding.centre(holding.unit(guideline, &self.record, unit)),
            None => &self.centre,
        }
    }

    /// The centre the patient counts for.
    pub fn centre(&self) -> &str {
        match &self.held {
            Some(Held { holding, .. }) => holding.patient(),
            None => &self.centre,
        }
    }
}
