//! Overview and data quality of a run.

use super::columns::{CaseColumns, NONE, Window};
use super::deaths;
use crate::cohorts::NOT_RECORDED;
use crate::cohorts::endpoint::completeness;
use crate::cohorts::settle::{DateReading, Settled, settle};
use crate::results::{
    Analysis, CentreAccrual, CentreQuality, Lacking, LeftOutOfSurvival, LevelCount, Overview, Quality,
    RunIdentity, SurvivalResult,
};
use chrono::{Datelike, Months, NaiveDate};
use registry_core::guideline::Outcome;
use registry_core::record::{CentreTable, day_number};
use registry_core::rules::Reason;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Elements listed per centre.
const MOST_LACKING: usize = 10;
/// Months of accrual listed: ten years.
pub(crate) const MOST_MONTHS: usize = 120;

/// The first page's numbers.
pub fn overview(
    run: &RunIdentity,
    window: &Window,
    columns: &CaseColumns,
    centres: &CentreTable,
) -> Overview {
    let cut_off = day_number(window.cut_off);
    let settled: Vec<Settled> = columns
        .facts
        .iter()
        .filter_map(|f| settle(&f.survival, cut_off, DateReading::Fifteenth, false).ok())
        .collect();
    let count = |of: &dyn Fn(usize) -> Option<String>| -> Vec<LevelCount> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for case in 0..columns.len() {
            *counts
                .entry(of(case).unwrap_or_else(|| NOT_RECORDED.to_owned()))
                .or_default() += 1;
        }
        counts
            .into_iter()
            .map(|(level, n)| LevelCount {
                level,
                n: Some(n),
                suppressed: None,
                as_of: None,
            })
            .collect()
    };
    let mut by_centre = by_centre(window, columns, centres);
    let deaths = deaths::count(&mut by_centre, columns, cut_off);
    Overview {
        run: run.clone(),
        cases: Some(columns.len() as u32),
        cases_as_of: None,
        centres: by_centre.len() as u32,
        accrual: accrual(window, columns),
        by_centre,
        by_histology: count(&|c| columns.facts[c].histology.clone()),
        by_eligibility: count(&|c| columns.facts[c].eligibility.clone()),
        by_timing: count(&|c| columns.facts[c].timing.clone()),
        deaths: Some(deaths),
        deaths_as_of: None,
        left_out_of_survival: Vec::new(),
        follow_up_completeness: completeness(&settled),
    }
}

/// What the estimates of overall survival leave out of the cases of an overview.
pub fn left_out_of_survival(overview: &Overview, survival: &SurvivalResult) -> Vec<LeftOutOfSurvival> {
    let (cases, deaths) = (overview.cases.unwrap_or(0), overview.deaths.unwrap_or(0));
    let of_all = survival.curves.iter().filter(|curve| curve.by == "all");
    let wanted = [Analysis::Primary, Analysis::WithRetrospective];
    let estimates = of_all.filter(|curve| wanted.contains(&curve.analysis));
    let left_out = estimates.map(|curve| {
        let all = cases.saturating_sub(curve.patients.unwrap_or(0));
        let dead = deaths.saturating_sub(curve.events.unwrap_or(0));
        LeftOutOfSurvival {
            alive: all.saturating_sub(dead),
            dead,
        }
    });
    left_out.collect()
}

/// Registrations by month, months without one included; at most the last ten years.
fn accrual(window: &Window, columns: &CaseColumns) -> Vec<LevelCount> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for facts in &columns.facts {
        if let Some(day) = facts.registration_day().filter(|d| *d <= window.cut_off) {
            *counts.entry(month(day)).or_default() += 1;
        }
    }
    let Some(first) = counts.keys().next() else {
        return Vec::new();
    };
    let mut months = Vec::new();
    let mut month = NaiveDate::parse_from_str(&format!("{first}-01"), "%Y-%m-%d").ok();
    while let Some(day) = month.filter(|d| *d <= window.cut_off) {
        let level = self::month(day);
        let n = counts.get(&level).copied().unwrap_or(0);
        months.push(LevelCount {
            level,
            n: Some(n),
            suppressed: None,
            as_of: None,
        });
        month = day.checked_add_months(Months::new(1));
    }
    months.split_off(months.len().saturating_sub(MOST_MONTHS))
}

/// `2025-03`.
fn month(day: NaiveDate) -> String {
    day.format("%Y-%m").to_string()
}

/// Centres, and how many of the eligible patients they saw up to the year of the cut-off they registered: what a table says of
/// later years is not expected of this run's cases.
fn by_centre(window: &Window, columns: &CaseColumns, centres: &CentreTable) -> Vec<CentreAccrual> {
    let last_year = i64::from(window.cut_off.year());
    let mut seen: BTreeMap<String, (u32, BTreeSet<i64>)> = BTreeMap::new();
    for row in centres.rows() {
        let (Some(centre), Some(year)) = (
            row.get("centre_id").and_then(Value::as_str),
            row.get("effective_year").and_then(Value::as_i64),
        ) else {
            continue;
        };
        if year > last_year {
            continue;
        }
        if let Some(eligible) = row.get("eligible_seen").and_then(Value::as_u64) {
            let entry = seen.entry(centre.to_owned()).or_default();
            entry.0 += u32::try_from(eligible).unwrap_or(u32::MAX);
            entry.1.insert(year);
        }
    }
    let mut names: BTreeSet<String> = columns.centres.all().iter().cloned().collect();
    names.extend(seen.keys().cloned());
    let mut accruals: BTreeMap<String, CentreAccrual> = names
        .into_iter()
        .map(|centre| {
            let known = seen.get(&centre);
            let accrual = CentreAccrual {
                eligible_seen: known.map(|k| k.0),
                registered_in_those_years: known.map(|_| 0),
                cases: Some(0),
                cases_last_24_months: Some(0),
                deaths: Some(0),
                months: BTreeMap::new(),
                suppressed: None,
                as_of: None,
                centre: centre.clone(),
            };
            (centre, accrual)
        })
        .collect();
    for (case, facts) in columns.cases.iter().zip(&columns.facts) {
        // A centre's cases are those it registered.
        let name = columns.centres.name(case.registered);
        let Some(accrual) = accruals.get_mut(name) else {
            continue;
        };
        add(&mut accrual.cases, 1);
        add(&mut accrual.cases_last_24_months, u32::from(case.recent));
        let day = facts.registration_day();
        if let Some(day) = day.filter(|day| *day <= window.cut_off) {
            *accrual.months.entry(month(day)).or_default() += 1;
        }
        let year = day.map(|d| i64::from(d.year()));
        if seen
            .get(name)
            .zip(year)
            .is_some_and(|(known, year)| known.1.contains(&year))
        {
            add(&mut accrual.registered_in_those_years, 1);
        }
    }
    accruals.into_values().collect()
}

fn add(count: &mut Option<u32>, more: u32) {
    *count = Some(count.unwrap_or(0) + more);
}

/// Data quality of the network and of every centre.
pub fn quality(run: &RunIdentity, columns: &CaseColumns) -> Quality {
    let assessability = columns.assessability();
    let mut lacking: BTreeMap<u32, BTreeMap<(u32, u32), u32>> = BTreeMap::new();
    for (unit, centre) in columns.unit_centre.iter().enumerate() {
        if columns.unit_outcome.get(unit) == Some(&(Outcome::NotAssessable as u32)) {
            let what = (columns.unit_reason[unit], columns.unit_element[unit]);
            *lacking.entry(*centre).or_default().entry(what).or_default() += 1;
        }
    }
    let of = |name: &str, wanted: Option<u32>| {
        let cases: Vec<usize> = (0..columns.len())
            .filter(|&c| wanted.is_none_or(|w| columns.cases[c].centre == w))
            .collect();
        // What happened at a centre after a transfer is shown with its own cases or not at all: alone it would speak of few.
        let counted = |centre: &u32| wanted.is_none_or(|w| w == *centre && !cases.is_empty());
        let units = assessability
            .iter()
            .filter(|(centre, _)| counted(centre))
            .fold((0, 0), |sum, (_, units)| (sum.0 + units.0, sum.1 + units.1));
        let mut counts: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        for (_, elements) in lacking.iter().filter(|(centre, _)| counted(centre)) {
            for (what, n) in elements {
                *counts.entry(*what).or_default() += n;
            }
        }
        let mut list: Vec<Lacking> = counts
            .into_iter()
            .map(|((reason, element), n)| Lacking {
                reason: Reason::ALL
                    .get(reason as usize)
                    .map_or("missing", |r| r.as_str())
                    .to_owned(),
                element: (element != NONE).then(|| columns.elements.name(element).to_owned()),
                n,
            })
            .collect();
        list.sort_by(|a, b| {
            b.n.cmp(&a.n)
                .then_with(|| (&a.reason, &a.element).cmp(&(&b.reason, &b.element)))
        });
        list.truncate(MOST_LACKING);
        CentreQuality {
            centre: name.to_owned(),
            cases: Some(cases.len() as u32),
            cases_with_errors: Some(cases.iter().filter(|&&c| columns.facts[c].blocked > 0).count() as u32),
            not_assessable_share: (units.1 > 0).then(|| units.0 as f64 / units.1 as f64),
            lacking: list,
            suppressed: None,
            as_of: None,
        }
    };
    let mut names: Vec<(String, u32)> = columns
        .centres
        .all()
        .iter()
        .enumerate()
        .map(|(n, name)| (name.clone(), n as u32))
        .collect();
    names.sort();
    Quality {
        run: run.clone(),
        network: of("all", None),
        centres: names
            .iter()
            .map(|(name, number)| of(name, Some(*number)))
            .collect(),
    }
}
