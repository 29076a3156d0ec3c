//! Small cases for tests.

use std::collections::BTreeMap;

use super::*;
use crate::cohorts::{RecordedDate, SurvivalFacts};
use crate::results::{AdherenceTable, MeasureHead, RunIdentity};
use chrono::NaiveDate;
use registry_core::guideline::Outcome::{self, *};
use registry_core::record::PartialDate;
use registry_core::rules::Reason;

pub(crate) fn run() -> RunIdentity {
    RunIdentity {
        run: 1,
        cut_off: "2026-06-30".to_owned(),
        schema_version: "1.0.0".to_owned(),
        guideline: "g".to_owned(),
        guideline_version: "1.0.0".to_owned(),
        engine_version: "1".to_owned(),
    }
}

pub(crate) fn window() -> Window {
    Window::ending(NaiveDate::from_ymd_opt(2026, 6, 30).unwrap())
}

pub(crate) fn head(id: &str, unit: &str) -> MeasureHead {
    MeasureHead {
        id: id.to_owned(),
        statement: "1".to_owned(),
        title: id.to_owned(),
        grade: "VA".to_owned(),
        kind: "adherence".to_owned(),
        unit: unit.to_owned(),
        domain: None,
        stratifiers: Vec::new(),
        unratified: Vec::new(),
    }
}

pub(crate) fn day(text: &str) -> RecordedDate {
    PartialDate::parse(text).unwrap().into()
}

/// A case of measure 0 with these outcomes (several: event units).
pub(crate) fn case(t0: &str, histology: &str, outcomes: &[Outcome]) -> CaseEvaluation {
    let unit = |(unit, outcome): (usize, &Outcome)| UnitResult {
        measure: 0,
        unit: unit as u32,
        outcome: *outcome,
        reason: (*outcome == NotAssessable).then_some(Reason::Missing),
        element: (*outcome == NotAssessable).then(|| "imaging.date".to_owned()),
    };
    CaseEvaluation {
        outcomes: outcomes.iter().enumerate().map(unit).collect(),
        facts: CaseFacts {
            histology: Some(histology.to_owned()),
            survival: SurvivalFacts {
                origin: day(t0),
                registration: day(t0),
                ..Default::default()
            },
            ..CaseFacts::default()
        },
        ..CaseEvaluation::default()
    }
}

pub(crate) fn table(measures: &[MeasureHead], cases: &[(&str, CaseEvaluation)]) -> AdherenceTable {
    let mut columns = CaseColumns::new(measures, thirds());
    fill(&mut columns, cases);
    adherence_table(&run(), &window(), measures, &columns).unwrap()
}

/// As [`table`], of a run with another cut-off.
pub(crate) fn table_at(
    cut_off: &str,
    measures: &[MeasureHead],
    cases: &[(&str, CaseEvaluation)],
) -> AdherenceTable {
    let mut columns = CaseColumns::new(measures, thirds());
    let window = Window::ending(cut_off.parse().unwrap());
    for (centre, evaluation) in cases {
        columns.push(centre, &window, evaluation);
    }
    let run = RunIdentity {
        cut_off: cut_off.to_owned(),
        ..run()
    };
    adherence_table(&run, &window, measures, &columns).unwrap()
}

pub(crate) fn columns(cases: &[(&str, CaseEvaluation)]) -> CaseColumns {
    let mut columns = CaseColumns::new(&[], thirds());
    fill(&mut columns, cases);
    columns
}

/// C1 is a small centre, the others have no volume.
fn thirds() -> BTreeMap<String, &'static str> {
    BTreeMap::from([("C1".to_owned(), "low")])
}

fn fill(columns: &mut CaseColumns, cases: &[(&str, CaseEvaluation)]) {
    for (centre, evaluation) in cases {
        columns.push(centre, &window(), evaluation);
    }
}
