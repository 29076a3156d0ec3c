//! Rates on top of counts.
//!
//! Rate = numerator / assessable units, with the Wilson 95 % interval; always beside it the number not assessable and the
//! bounds if none, or all, of those were in the numerator. No assessable unit: no rate ("not assessable", never 0 %). More than
//! 30 % not assessable: "insufficient data" instead of a rate.
//!
//! For event units the interval allowing for several units of one patient is Wilson's with the effective number of units
//! `p (1 - p) / v`, `v = m / (m - 1) sum (x_i - p n_i)^2 / n^2` over `m` patients (ratio estimator, linearised), never
//! more than the number of units.

use super::columns::{CaseColumns, NONE, Window};
use super::evaluation::half_year_of;
use super::rows::Frames;
use super::tally::{Breakdown, Tally};
use crate::cohorts::endpoint::LEVEL;
use crate::results::{
    AdherenceRow, AdherenceTable, By, Lacking, MeasureHead, Period, RateState, RunIdentity,
};
use crate::statistics::{StatisticsError, proportion::wilson_of, wilson};
use polars::prelude::{PolarsError, PolarsResult};
use rayon::prelude::*;
use registry_core::rules::Reason;

/// Not-assessable share above which no rate is given.
pub const INSUFFICIENT_SHARE: f64 = 0.30;

/// Aggregation failed.
#[derive(Debug, thiserror::Error)]
pub enum AggregateError {
    #[error("counting over columns failed")]
    Columns(#[from] PolarsError),
    #[error("an estimate failed")]
    Statistics(#[from] StatisticsError),
}

/// The tables of a run: every measure by network, centre and every other way of [`By`].
///
/// Rows come in the order of `measures`, breakdown, and level; every measure has a row for every level.
///
/// # Errors
/// [`AggregateError`] when counting or an interval fails.
pub fn adherence_table(
    run: &RunIdentity,
    window: &Window,
    measures: &[MeasureHead],
    columns: &CaseColumns,
) -> Result<AdherenceTable, AggregateError> {
    let frames = Frames::build(columns)?;
    let tallied = Breakdown::all(columns).into_par_iter().map(|breakdown| {
        let tallies = frames.tally(breakdown)?;
        Ok((breakdown, levels(breakdown, columns), tallies))
    });
    let parts: Vec<_> = tallied.collect::<PolarsResult<_>>()?;
    let nothing = Tally::default();
    let mut rows = Vec::new();
    for (at, measure) in measures.iter().enumerate() {
        for (breakdown, levels, tallies) in &parts {
            if !applies(*breakdown, at as u32, columns) {
                continue;
            }
            for (level, number) in levels {
                let tally = tallies.get(&(at as u32, *number)).unwrap_or(&nothing);
                rows.push(row(measure, *breakdown, level, tally, columns)?);
            }
        }
    }
    Ok(AdherenceTable {
        run: run.clone(),
        last_24_months_from: window.recent_from.to_string(),
        measures: measures.to_vec(),
        centre_tertiles: columns.tertiles(),
        window_edges: window_edges(window, measures, columns, &frames)?,
        rows_total: rows.len() as u32,
        rows_suppressed: 0,
        rows,
    })
}

/// The half-years that the last 24 months begin and end in, as far as they lie within them: a row per measure and half-year.
fn window_edges(
    window: &Window,
    measures: &[MeasureHead],
    columns: &CaseColumns,
    frames: &Frames<'_>,
) -> Result<Vec<AdherenceRow>, AggregateError> {
    let halves = columns.levels.iter().position(|levels| levels.by == By::HalfYear);
    let breakdown = Breakdown {
        by: By::HalfYear,
        period: Period::Last24Months,
        levels: halves,
    };
    let edges = [window.recent_from, window.cut_off].map(half_year_of);
    let mut levels = levels(breakdown, columns);
    levels.retain(|(level, _)| edges.contains(level));
    if levels.is_empty() {
        return Ok(Vec::new());
    }
    let tallies = frames.tally(breakdown)?;
    let nothing = Tally::default();
    let mut rows = Vec::with_capacity(measures.len() * levels.len());
    for (at, measure) in measures.iter().enumerate() {
        for (level, number) in &levels {
            let tally = tallies.get(&(at as u32, *number)).unwrap_or(&nothing);
            rows.push(row(measure, breakdown, level, tally, columns)?);
        }
    }
    Ok(rows)
}

/// A stratifier is one of certain measures; everything else breaks down all.
fn applies(breakdown: Breakdown, measure: u32, columns: &CaseColumns) -> bool {
    let concerned = breakdown
        .levels
        .and_then(|at| columns.levels.get(at)?.measures.as_ref());
    concerned.is_none_or(|concerned| concerned.contains(&measure))
}

/// Levels of a breakdown with their numbers, by name.
fn levels(breakdown: Breakdown, columns: &CaseColumns) -> Vec<(String, u32)> {
    let of = breakdown.levels.and_then(|at| columns.levels.get(at));
    let (names, element) = match (breakdown.by, of) {
        (By::Centre, _) => (&columns.centres, None),
        (_, Some(levels)) => (&levels.names, levels.element.as_ref()),
        _ => return vec![("all".to_owned(), 0)],
    };
    let named = |name: &String| match element {
        Some(element) => format!("{element}={name}"),
        None => name.clone(),
    };
    let mut levels: Vec<(String, u32)> = names
        .all()
        .iter()
        .enumerate()
        .map(|(number, name)| (named(name), number as u32))
        .collect();
    levels.sort();
    levels
}

/// Share of the units that cannot be assessed; `None` of none.
fn lacking_share(assessable: u32, lacking: u32) -> Option<f64> {
    let all = assessable + lacking;
    (all > 0).then(|| f64::from(lacking) / f64::from(all))
}

/// What may stand where the rate of so many assessable and not assessable units would stand.
pub(crate) fn state_of(assessable: u32, lacking: u32) -> RateState {
    match lacking_share(assessable, lacking) {
        _ if assessable == 0 => RateState::NotAssessable,
        Some(share) if share > INSUFFICIENT_SHARE => RateState::Insufficient,
        _ => RateState::Rate,
    }
}

fn row(
    measure: &MeasureHead,
    breakdown: Breakdown,
    level: &str,
    tally: &Tally,
    columns: &CaseColumns,
) -> Result<AdherenceRow, StatisticsError> {
    let (x, n, lacking) = (tally.numerator, tally.denominator, tally.not_assessable);
    let share = lacking_share(n, lacking);
    let insufficient = share.is_some_and(|s| s > INSUFFICIENT_SHARE);
    let state = state_of(n, lacking);
    let shown = state == RateState::Rate;
    let interval = if shown {
        wilson(u64::from(x), u64::from(n), LEVEL)?
    } else {
        None
    };
    let clustered = if shown && measure.unit != "patient" {
        clustered(tally)?
    } else {
        None
    };
    let of_all = |count: u32| (n + lacking > 0).then(|| f64::from(count) / f64::from(n + lacking));
    Ok(AdherenceRow {
        measure: measure.id.clone(),
        by: breakdown.by,
        level: level.to_owned(),
        period: breakdown.period,
        state,
        suppressed: None,
        numerator: Some(x),
        denominator: Some(n),
        excluded: Some(tally.excluded),
        excepted: Some(tally.excepted),
        not_in_denominator: Some(tally.not_in_denominator),
        not_assessable: Some(lacking),
        not_assessable_by: named(&tally.lacking, columns),
        patients: Some(tally.patients),
        patients_all_met: Some(tally.patients_all_met),
        rate: shown.then(|| f64::from(x) / f64::from(n)),
        lower: interval.map(|i| i.lower),
        upper: interval.map(|i| i.upper),
        clustered_lower: clustered.map(|i| i.lower),
        clustered_upper: clustered.map(|i| i.upper),
        bound_low: of_all(x),
        bound_high: of_all(x + lacking),
        not_assessable_share: share,
        insufficient,
        as_of: None,
        basis: Some(tally.basis),
    })
}

/// Interval allowing for units of one patient being alike; `None` where it cannot be estimated (one patient, or a rate
/// of 0 or 1).
fn clustered(tally: &Tally) -> Result<Option<crate::statistics::Interval>, StatisticsError> {
    let (patients, units) = (f64::from(tally.patients), f64::from(tally.denominator));
    let p = f64::from(tally.numerator) / units;
    let [xx, xn, nn] = tally.squares;
    let residual = xx - 2.0 * p * xn + p * p * nn;
    if tally.patients < 2 || p <= 0.0 || p >= 1.0 || residual <= 0.0 {
        return Ok(None);
    }
    let variance = patients / (patients - 1.0) * residual / (units * units);
    let effective = (p * (1.0 - p) / variance).min(units);
    wilson_of(p, effective, LEVEL).map(Some)
}

/// Reasons and elements by name, most frequent first.
pub(super) fn named(counts: &[[u32; 3]], columns: &CaseColumns) -> Vec<Lacking> {
    let mut lacking: Vec<Lacking> = counts
        .iter()
        .map(|[reason, element, n]| Lacking {
            reason: Reason::ALL
                .get(*reason as usize)
                .map_or("missing", |r| r.as_str())
                .to_owned(),
            element: (*element != NONE).then(|| columns.elements.name(*element).to_owned()),
            n: *n,
        })
        .collect();
    lacking.sort_by(|a, b| {
        b.n.cmp(&a.n)
            .then_with(|| (&a.reason, &a.element).cmp(&(&b.reason, &b.element)))
    });
    lacking
}

/// The row of a measure for a level; the tables are small enough to look through.
pub fn find<'a>(
    table: &'a AdherenceTable,
    measure: &str,
    by: By,
    period: Period,
    level: &str,
) -> Option<&'a AdherenceRow> {
    table
        .rows
        .iter()
        .find(|r| r.measure == measure && r.by == by && r.period == period && r.level == level)
}
