//! Random cohorts of patients, and the survival results of the runs they are in.

use super::centres::{Pool, compared, model};
use super::curves::{cause, result};
use crate::cohorts::endpoint::{Group, curve};
use crate::cohorts::settle::Settled;
use crate::results::{
    Analysis, AtRisk, CentrePart, CurveState, Flow, FlowStep, IncidenceCurve, SurvivalResult,
};
use proptest::prelude::*;

pub(super) const CENTRES: [&str; 4] = ["C1", "C2", "C3", "C4"];
const HISTOLOGIES: [&str; 3] = ["lms", "ddlps", "ss"];
const REASONS: [&str; 2] = ["no_origin", "not_core"];
pub(super) const CAUSES: [&str; 3] = ["sarcoma", "other_cause", "unknown_cause"];
/// Days of a year: numbers at risk are compared at its end.
const YEAR: i32 = 366;

#[derive(Debug, Clone, Copy)]
pub(super) struct Patient {
    pub(super) centre: usize,
    pub(super) histology: usize,
    /// 0 for none.
    pub(super) cause: u8,
    /// Reason for being left out.
    pub(super) left_out: Option<usize>,
    /// With every covariate.
    pub(super) complete: bool,
    pub(super) exit: i32,
    pub(super) lost: bool,
    pub(super) from: i64,
    pub(super) until: i64,
}

pub(super) fn patients() -> impl Strategy<Value = Vec<Patient>> {
    let one = (
        0usize..10,
        0usize..7,
        0u8..6,
        0usize..12,
        0u8..8,
        1i32..1200,
        0i64..9,
        0i64..12,
    );
    let patient = |(centre, histology, cause, why, covariates, exit, from, until): (
        usize,
        usize,
        u8,
        usize,
        u8,
        i32,
        i64,
        i64,
    )| Patient {
        // Centres and histologies of different sizes.
        centre: [0, 0, 0, 0, 1, 1, 1, 2, 2, 3][centre],
        histology: [0, 0, 0, 1, 1, 2, 2][histology],
        cause: if cause > 3 { 0 } else { cause },
        left_out: (why < 2).then_some(why),
        complete: covariates > 0,
        exit,
        lost: cause == 4,
        from: (from - 6).max(0) + 1,
        until: if until == 0 { 1 } else { 9 },
    };
    proptest::collection::vec(one.prop_map(patient), 0..260)
}

fn settled(one: &Patient) -> Settled {
    Settled {
        entry: None,
        exit: one.exit,
        event: one.cause > 0,
        cause: one.cause,
        lost: one.lost,
        potential: 4000,
    }
}

fn count(patients: &[Patient], of: impl Fn(&Patient) -> bool) -> u32 {
    patients.iter().filter(|one| of(one)).count() as u32
}

fn incidence(by: &str, level: &str, patients: &[Patient]) -> IncidenceCurve {
    let of_cause =
        |(at, code): (usize, &&str)| cause(code, count(patients, |one| usize::from(one.cause) == at + 1));
    IncidenceCurve {
        analysis: Analysis::Primary,
        by: by.to_owned(),
        level: level.to_owned(),
        state: CurveState::Shown,
        suppressed: None,
        patients: Some(patients.len() as u32),
        causes: CAUSES.iter().enumerate().map(of_cause).collect(),
        at_risk: vec![AtRisk {
            months: 12.0,
            at_risk: Some(count(patients, |one| one.exit >= YEAR)),
        }],
        lost: Some(count(patients, |one| one.lost)),
    }
}

/// The result of those patients who are in a run.
pub(super) fn of_run(run: i64, all: &[Patient]) -> SurvivalResult {
    let all: Vec<Patient> = all
        .iter()
        .copied()
        .filter(|one| one.from <= run && run <= one.until)
        .collect();
    let analysed: Vec<Patient> = all.iter().copied().filter(|one| one.left_out.is_none()).collect();
    let complete: Vec<Patient> = analysed.iter().copied().filter(|one| one.complete).collect();
    let mut groups: Vec<(&str, &str, Vec<Patient>)> = vec![("all", "all", analysed.clone())];
    for (at, level) in HISTOLOGIES.iter().enumerate() {
        let of = analysed
            .iter()
            .copied()
            .filter(|one| one.histology == at)
            .collect();
        groups.push(("histology", level, of));
    }
    let of_centre = |at: usize| {
        let of: Vec<Patient> = complete.iter().copied().filter(|one| one.centre == at).collect();
        (
            CENTRES[at],
            of.len() as u32,
            count(&of, |one| one.cause > 0),
            0.4 * of.len() as f64 + 0.1,
        )
    };
    let points = (0..CENTRES.len()).map(of_centre).filter(|one| one.1 > 0);
    let (large, small): (Vec<_>, Vec<_>) = points.partition(|one| one.1 >= 10);
    let pool: Pool<'_> = &small;
    let mut exact = result();
    exact.run.run = run;
    exact.entered_late = Some(0);
    exact.flow = Flow {
        cases: Some(all.len() as u32),
        left_out: REASONS
            .iter()
            .enumerate()
            .map(|(at, reason)| FlowStep {
                reason: (*reason).to_owned(),
                label: (*reason).to_owned(),
                n: Some(count(&all, |one| one.left_out == Some(at))),
            })
            .collect(),
        analysed: Some(analysed.len() as u32),
        withheld: None,
    };
    exact.curves = groups
        .iter()
        .map(|(by, level, of)| {
            let group = Group {
                analysis: Analysis::Primary,
                by,
                level,
            };
            let cases: Vec<Settled> = of.iter().map(settled).collect();
            curve(&group, &cases, false).unwrap()
        })
        .collect();
    exact.incidence = groups
        .iter()
        .map(|(by, level, of)| incidence(by, level, of))
        .collect();
    let left_out = (analysed.len() - complete.len()) as u32;
    let events = count(&complete, |one| one.cause > 0);
    exact.models = vec![model("standard", complete.len() as u32, events, left_out)];
    exact.centres = compared(&large, pool, left_out).centres;
    exact.by_centre = (0..CENTRES.len())
        .map(|at| {
            let own = |one: &Patient| one.centre == at;
            CentrePart {
                centre: CENTRES[at].to_owned(),
                cases: count(&all, own),
                analysed: count(&analysed, own),
                patients: count(&analysed, own),
                events: count(&analysed, |one| own(one) && one.cause > 0),
            }
        })
        .collect();
    exact
}
