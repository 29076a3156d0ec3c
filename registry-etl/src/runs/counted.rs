//! The cases of a run, counted.

use super::RunError;
use super::execute::Work;
use crate::measures::{self, CaseColumns, CaseEvaluation, Window};
use crate::quality::Tally;
use chrono::Datelike;

/// The cases of a run, counted one after the other.
pub(super) struct Counted {
    pub(super) window: Window,
    pub(super) columns: CaseColumns,
    pub(super) tally: Tally,
}

impl Counted {
    pub(super) fn new(work: &Work<'_>) -> Result<Self, RunError> {
        let cut_off = work.options.cut_off;
        let tertiles = measures::volume_tertiles(work.centres, cut_off.year());
        Ok(Self {
            window: Window::ending(cut_off),
            columns: CaseColumns::new(&work.engine.measures()?, tertiles),
            tally: Tally::new(work.engine.versions(), cut_off),
        })
    }

    /// Adds a case, with the centre that held it at the watermark.
    pub(super) fn push(&mut self, centre: &str, case: CaseEvaluation) {
        self.tally.push(centre, &case);
        self.columns.push(centre, &self.window, case);
    }
}
