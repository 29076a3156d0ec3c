//! The cases of a run, counted.

use std::collections::BTreeMap;

use super::RunError;
use super::execute::Work;
use crate::measures::{self, CaseColumns, CaseEvaluation, Engine, EngineError, Window};
use crate::quality::{Collector, Tally, Versions, WorkKind};
use chrono::{Datelike, NaiveDate};
use rayon::prelude::*;
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

    /// Adds cases as they were stored, each with the centre that held it at the watermark. Whoever was registered after the cut-off makes
    /// work, and belongs to a later run.
    pub(super) fn push_all(&mut self, stored: &[(&str, &[u8])]) -> Result<(), RunError> {
        let read = stored.par_iter().map(|(centre, payload)| {
            let case = CaseEvaluation::from_payload(payload)?;
            Ok((*centre, self.work_of(&case)?, case))
        });
        let read: Vec<(&str, Vec<WorkKind>, CaseEvaluation)> = read.collect::<Result<_, RunError>>()?;
        for (centre, kinds, _) in &read {
            for kind in kinds {
                let of_centre = self.work.entry((*centre).to_owned()).or_default();
                *of_centre.entry(kind.as_str().to_owned()).or_default() += 1;
            }
        }
        let cut_off = day_number(self.cut_off);
        let (later, counted): (Vec<_>, Vec<_>) = read
            .into_iter()
            .map(|(centre, _, case)| (centre, case))
            .partition(|(_, case)| case.facts.registered_after(cut_off));
        self.later += later.len();
        let Self {
            tally,
            columns,
            window,
            ..
        } = self;
        rayon::join(
            || counted.iter().for_each(|(centre, case)| tally.push(centre, case)),
            || {
                counted
                    .iter()
                    .for_each(|(centre, case)| columns.push(centre, window, case))
            },
        );
        Ok(())
    }

    /// The kinds of the items a case makes: how many there are does not hang on which case it is.
    fn work_of(&self, case: &CaseEvaluation) -> Result<Vec<WorkKind>, RunError> {
        let mut work = collector(self.engine, &self.versions, self.cut_off)?;
        work.push("", 0, case);
        Ok(work.finish().items.iter().map(|item| item.kind).collect())
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
