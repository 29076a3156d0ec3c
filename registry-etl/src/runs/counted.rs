//! The cases of a run, counted.

use super::RunError;
use super::execute::Work;
use crate::measures::{self, CaseColumns, CaseEvaluation, Window};
use crate::quality::Tally;
use chrono::Datelike;
use registry_core::record::day_number;

/// The cases of a run, counted one after the other.
pub(super) struct Counted {
    pub(super) window: Window,
    pub(super) columns: CaseColumns,
    pub(super) tally: Tally,
    /// Cases registered after the cut-off: not of this run.
    pub(super) later: usize,
}

impl Counted {
    pub(super) fn new(work: &Work<'_>) -> Result<Self, RunError> {
        let cut_off = work.options.cut_off;
        let tertiles = measures::volume_tertiles(work.centres, cut_off.year());
        Ok(Self {
            window: Window::ending(cut_off),
            columns: CaseColumns::new(&work.engine.measures()?, tertiles),
            tally: Tally::new(work.engine.versions(), cut_off),
            later: 0,
        })
    }

    /// Adds a case, with the centre that held it at the watermark. Whoever was registered after the cut-off belongs to a later run.
    pub(super) fn push(&mut self, centre: &str, case: CaseEvaluation) {
        if case.facts.registered_after(day_number(self.window.cut_off)) {
            self.later += 1;
            return;
        }
        self.tally.push(centre, &case);
        self.columns.push(centre, &self.window, case);
    }
}
