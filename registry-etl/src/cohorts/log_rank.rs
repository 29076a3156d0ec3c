//! The log-rank test between the curves of a breakdown.
//!
//! Between the groups that have a curve and are known: what is not recorded is no group of patients, and a handful of them says nothing. Who
//! enters late is at risk from then on, which makes it the score test of the Cox model.

use super::NOT_RECORDED;
use super::endpoint::count;
use super::incidence::rows;
use super::settle::Settled;
use crate::results::{Analysis, CurveState, GroupTest, SurvivalCurve, TestKind};
use crate::statistics::survival::{Groups, LogRank, log_rank};
use std::collections::BTreeMap;

/// Settled rows by the level of a stratum, each with the position of its case.
type Levels = BTreeMap<String, Vec<(usize, Settled)>>;

/// The test of a stratum, whose curves are among `curves`. `repeats`: several rows may be of one patient.
pub(super) fn test(by: &str, levels: &Levels, curves: &[SurvivalCurve], repeats: bool) -> GroupTest {
    let drawn = |level: &str| {
        let mut of = curves.iter();
        let curve = of.find(|one| one.analysis == Analysis::Primary && one.by == by && one.level == level);
        level != NOT_RECORDED && curve.is_some_and(|one| one.state == CurveState::Shown)
    };
    let compared: Vec<(&String, &Vec<(usize, Settled)>)> =
        levels.iter().filter(|(level, _)| drawn(level)).collect();
    let groups: Vec<String> = compared.iter().map(|(level, _)| (*level).clone()).collect();
    let found = if repeats {
        Err(
            "episodes of one patient belong together, and the test would take them for those of several"
                .to_owned(),
        )
    } else if groups.len() < 2 {
        Err("fewer than two groups have a curve".to_owned())
    } else {
        between(&compared)
    };
    let (test, refused) = match found {
        Ok(test) => (Some(test), None),
        Err(why) => (None, Some(why)),
    };
    GroupTest {
        kind: TestKind::LogRank,
        by: by.to_owned(),
        cause: String::new(),
        groups,
        chi_square: test.as_ref().map(|one| one.chi_square),
        df: test.as_ref().map(|one| count(one.df)),
        p: test.map(|one| one.p),
        refused,
    }
}

fn between(compared: &[(&String, &Vec<(usize, Settled)>)]) -> Result<LogRank, String> {
    let of = |(level, cases): &(&String, &Vec<(usize, Settled)>)| {
        let level = (*level).clone();
        let rows = cases.iter().map(move |(_, settled)| (level.clone(), *settled));
        rows.collect::<Vec<_>>()
    };
    let (labels, settled): (Vec<String>, Vec<Settled>) = compared.iter().flat_map(of).unzip();
    let found = rows(&settled, 1, false).and_then(|rows| log_rank(&rows, &Groups::of(&labels), None, 0.0));
    found.map_err(|why| why.to_string())
}
