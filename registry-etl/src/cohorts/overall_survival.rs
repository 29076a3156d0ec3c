//! Endpoint S1: overall survival from metastatic diagnosis.

use super::endpoint::{Group, curve};
use super::facts::SurvivalFacts;
use super::settle::{DateReading, LeftOut, Settled, settle};
use crate::results::{Analysis, Flow, FlowStep, RunIdentity, SurvivalCurve, SurvivalResult};
use crate::statistics::StatisticsError;
use std::collections::BTreeMap;

/// Level of a case whose stratifier is not recorded: its own level, never dropped.
pub const NOT_RECORDED: &str = "not_recorded";

/// Estimates S1 from the survival rows of a run's cases, each with its histology code.
///
/// `run_cut_off` is a day number. Curves: the primary estimate of all cases, its sensitivities, then the primary estimate
/// by histology.
///
/// # Errors
/// [`StatisticsError`] when settled times are not fit for an estimate.
pub fn overall_survival(
    run: &RunIdentity,
    run_cut_off: i32,
    cases: &[(SurvivalFacts, Option<String>)],
) -> Result<SurvivalResult, StatisticsError> {
    let settle_all = |reading, retrospective| -> Vec<Settled> {
        cases
            .iter()
            .filter_map(|(facts, _)| settle(facts, run_cut_off, reading, retrospective).ok())
            .collect()
    };
    let primary = settle_all(DateReading::Fifteenth, false);
    let all = |analysis, cases: &[Settled], ignore_entry| {
        curve(
            &Group {
                analysis,
                by: "all",
                level: "all",
            },
            cases,
            ignore_entry,
        )
    };
    let mut curves = vec![
        all(Analysis::Primary, &primary, false)?,
        all(
            Analysis::WithRetrospective,
            &settle_all(DateReading::Fifteenth, true),
            false,
        )?,
        all(Analysis::IgnoringLateEntry, &primary, true)?,
        all(
            Analysis::PartialDatesEarliest,
            &settle_all(DateReading::Earliest, false),
            false,
        )?,
        all(
            Analysis::PartialDatesLatest,
            &settle_all(DateReading::Latest, false),
            false,
        )?,
    ];
    curves.extend(by_histology(run_cut_off, cases)?);
    Ok(SurvivalResult {
        run: run.clone(),
        endpoint: "S1".to_owned(),
        title: "Overall survival from metastatic diagnosis".to_owned(),
        origin: "First detection of metastatic or multifocally recurrent disease".to_owned(),
        event: "Death of any cause; censored at the last contact".to_owned(),
        flow: flow(run_cut_off, cases),
        entered_late: Some(size(primary.iter().filter(|c| c.entry.is_some()).count())),
        curves,
    })
}

fn by_histology(
    run_cut_off: i32,
    cases: &[(SurvivalFacts, Option<String>)],
) -> Result<Vec<SurvivalCurve>, StatisticsError> {
    let mut groups: BTreeMap<&str, Vec<Settled>> = BTreeMap::new();
    for (facts, histology) in cases {
        if let Ok(settled) = settle(facts, run_cut_off, DateReading::Fifteenth, false) {
            groups
                .entry(histology.as_deref().unwrap_or(NOT_RECORDED))
                .or_default()
                .push(settled);
        }
    }
    groups
        .into_iter()
        .map(|(level, cases)| {
            curve(
                &Group {
                    analysis: Analysis::Primary,
                    by: "histology",
                    level,
                },
                &cases,
                false,
            )
        })
        .collect()
}

/// Every case once: analysed, or under the first reason it is not.
fn flow(run_cut_off: i32, cases: &[(SurvivalFacts, Option<String>)]) -> Flow {
    let mut left_out: BTreeMap<LeftOut, usize> = BTreeMap::new();
    for (facts, _) in cases {
        if let Err(reason) = settle(facts, run_cut_off, DateReading::Fifteenth, false) {
            *left_out.entry(reason).or_default() += 1;
        }
    }
    let analysed = cases.len() - left_out.values().sum::<usize>();
    let step = |reason: LeftOut| FlowStep {
        reason: reason.as_str().to_owned(),
        label: reason.label().to_owned(),
        n: Some(size(left_out.get(&reason).copied().unwrap_or(0))),
    };
    Flow {
        cases: Some(size(cases.len())),
        left_out: LeftOut::ALL.into_iter().map(step).collect(),
        analysed: Some(size(analysed)),
    }
}

fn size(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
