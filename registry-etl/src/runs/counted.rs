//! The cases of a run, counted.

use std::collections::BTreeMap;

use super::RunError;
use super::execute::Work;
use crate::measures::{self, CaseColumns, CaseEvaluation, Engine, EngineError, Window};
use crate::quality::{Collector, Tally, Versions};
use chrono::{Datelike, NaiveDate};
use registry_core::record::day_number;

/// The cases of a run, counted one after the other.
pub(super) struct Counted<'a> {
    pub(super) window: Window,
    pub(super) columns: CaseColumns,
    pub(super) tally: Tally,
    /// Cases registered after the cut-off: not of this run.
    pub(super) later: usize,
    /// Items of the worklist, by centre and kind.
    pub(super) work: BTreeMap<String, BTreeMap<String, usize>>,
    engine: &'a Engine,
    versions: Versions,
    cut_off: NaiveDate,
}

impl<'a> Counted<'a> {
    pub(super) fn new(work: &Work<'a>) -> Result<Self, RunError> {
        let cut_off = work.options.cut_off;
        let tertiles = measures::volume_tertiles(work.centres, cut_off.year());
        Ok(Self {
            window: Window::ending(cut_off),
            columns: CaseColumns::new(&work.engine.measures()?, tertiles),
            tally: Tally::new(work.engine.versions(), cut_off),
            later: 0,
            work: BTreeMap::new(),
            engine: work.engine,
            versions: work.engine.versions(),
            cut_off,
        })
    }

    /// Adds a case, with the centre that held it at the watermark. Whoever was registered after the cut-off makes work, and belongs to a
    /// later run.
    pub(super) fn push(&mut self, centre: &str, case: CaseEvaluation) -> Result<(), RunError> {
        let mut work = collector(self.engine, &self.versions, self.cut_off)?;
        // How many items there are does not hang on which case it is.
        work.push("", 0, &case);
        for item in work.finish().items {
            let of_centre = self.work.entry(centre.to_owned()).or_default();
            *of_centre.entry(item.kind.as_str().to_owned()).or_default() += 1;
        }
        if case.facts.registered_after(day_number(self.cut_off)) {
            self.later += 1;
            return Ok(());
        }
        self.tally.push(centre, &case);
        self.columns.push(centre, &self.window, case);
        Ok(())
    }
}

/// Makes worklists by the rules of an engine.
pub(super) fn collector<'a>(
    engine: &'a Engine,
    versions: &'a Versions,
    cut_off: NaiveDate,
) -> Result<Collector<'a>, RunError> {
    let measures = engine.guideline()?.measures.len();
    let rules = engine
        .quality_rules(engine.schema_version())
        .ok_or(EngineError::NoGuideline)?;
    Ok(Collector::new(rules, versions, measures, cut_off))
}
