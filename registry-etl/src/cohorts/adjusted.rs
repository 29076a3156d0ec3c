//! Cox models of an endpoint: the standard adjustment set, and a metastasectomy as a covariate that begins with it.
//!
//! Covariates are those known at the origin; response is not among them, because the record does not date it. A case with one missing is
//! left out and counted; a covariate that does not vary is dropped and named; below ten events a covariate there is no model.

use super::covariates::{NAMES, STANDARD, complete, varying};
use super::endpoint::{LEVEL, count};
use super::estimate::Row;
use super::settle::Settled;
use super::units::{Unit, known, resects};
use crate::results::{AdjustedModel, ModelState, Ratio};
use crate::statistics::StatisticsError;
use crate::statistics::survival::cox::TimeScale;
use crate::statistics::survival::{Cox, CoxModel, Rows, cox};

/// Events that each covariate needs at least.
pub(super) const PER_COVARIATE: usize = 10;
/// Code and words of the covariate that begins with the operation.
const TREATMENT: (&str, &str) = (
    "metastasectomy",
    "After metastasectomy against before or without (time-dependent)",
);

const REMARK: &str = "Selected patients; association. Response is left out: the record does not date it.";

/// A stretch of one patient's time.
struct Span {
    entry: Option<f64>,
    exit: f64,
    event: bool,
    row: Vec<f64>,
}

/// Both models of an endpoint.
pub(super) fn models(units: &[Unit<'_>], rows: &[Row]) -> Vec<AdjustedModel> {
    vec![
        standard(&STANDARD, units, rows),
        model(
            ("metastasectomy", "Metastasectomy, adjusted (time-dependent)"),
            &STANDARD,
            true,
            units,
            rows,
        ),
    ]
}

/// The model of the covariates at positions `wanted` of the standard adjustment set.
pub(super) fn standard(wanted: &[usize], units: &[Unit<'_>], rows: &[Row]) -> AdjustedModel {
    let names = ("standard", "Standard adjustment set");
    model(names, wanted, false, units, rows)
}

fn model(
    (name, title): (&str, &str),
    wanted: &[usize],
    treatment: bool,
    units: &[Unit<'_>],
    rows: &[Row],
) -> AdjustedModel {
    let mut spans: Vec<Span> = Vec::new();
    let (mut all, mut patients) = (0, 0);
    for (unit, row) in units.iter().zip(rows) {
        let Ok((origin, settled)) = row else { continue };
        all += 1;
        let Some(values) = complete(unit, *origin, wanted) else {
            continue;
        };
        let mut operations = unit.case.course.locals.iter().filter(|one| resects(one));
        if treatment && operations.any(|one| known(one.date).is_none()) {
            continue;
        }
        let operated = unit.case.course.locals.iter().filter(|one| resects(one));
        let operated = operated
            .filter_map(|one| known(one.date))
            .min()
            .map(|at| at - origin);
        split(
            settled,
            &values,
            operated.filter(|_| treatment),
            treatment,
            &mut spans,
        );
        patients += 1;
    }
    let names: Vec<(&str, &str)> = wanted
        .iter()
        .filter_map(|at| NAMES.get(*at).copied())
        .chain(treatment.then_some(TREATMENT))
        .collect();
    let values: Vec<&[f64]> = spans.iter().map(|one| one.row.as_slice()).collect();
    let kept = varying(&values, names.len());
    let events = spans.iter().filter(|one| one.event).count();
    let mut found = AdjustedModel {
        model: name.to_owned(),
        title: title.to_owned(),
        state: ModelState::TooFewEvents,
        patients: Some(count(patients)),
        events: Some(count(events)),
        left_out: Some(count(all - patients)),
        events_per_covariate: (!kept.is_empty()).then(|| events as f64 / kept.len() as f64),
        ratios: Vec::new(),
        proportional_p: None,
        concordance: None,
        constant: (0..names.len())
            .filter(|at| !kept.contains(at))
            .filter_map(|at| names.get(at).map(|name| name.0.to_owned()))
            .collect(),
        remark: REMARK.to_owned(),
    };
    if events < PER_COVARIATE * kept.len().max(1) {
        return found;
    }
    match fit(&spans, &kept) {
        Ok(fitted) => tell(&fitted, &names, &kept, &mut found),
        Err(why) => found.state = ModelState::NoEstimate(why.to_string()),
    }
    found
}

/// One stretch, or two: before the operation and after it. An event on the day of the operation is of the time before it.
fn split(settled: &Settled, values: &[f64], operated: Option<i32>, treatment: bool, spans: &mut Vec<Span>) {
    let row = |after: bool| {
        let mut row = values.to_vec();
        if treatment {
            row.push(f64::from(u8::from(after)));
        }
        row
    };
    let begin = settled.entry.unwrap_or(0);
    let at = operated.filter(|at| *at < settled.exit);
    let after = at.is_some_and(|at| at <= begin);
    let cut = at.filter(|at| *at > begin);
    let mut add = |entry: Option<i32>, exit: i32, event, row| {
        spans.push(Span {
            entry: entry.map(f64::from),
            exit: f64::from(exit),
            event,
            row,
        });
    };
    match cut {
        Some(cut) => {
            add(settled.entry, cut, false, row(false));
            add(Some(cut), settled.exit, settled.event, row(true));
        }
        None => add(settled.entry, settled.exit, settled.event, row(after)),
    }
}

fn fit(spans: &[Span], kept: &[usize]) -> Result<Cox, StatisticsError> {
    let exit: Vec<f64> = spans.iter().map(|one| one.exit).collect();
    let event: Vec<i64> = spans.iter().map(|one| i64::from(one.event)).collect();
    let entry: Vec<Option<f64>> = spans.iter().map(|one| one.entry).collect();
    let rows = Rows::entering(&exit, &event, &entry, 1)?;
    let pick = |one: &Span| kept.iter().filter_map(|at| one.row.get(*at).copied()).collect();
    let covariates: Vec<Vec<f64>> = spans.iter().map(pick).collect();
    // Stretches of one patient do not overlap: they need no cluster.
    cox(&CoxModel::plain(&rows, &covariates, LEVEL))
}

fn tell(fitted: &Cox, names: &[(&str, &str)], kept: &[usize], found: &mut AdjustedModel) {
    let proportional = fitted.proportional_hazards(TimeScale::KaplanMeier).ok();
    found.state = ModelState::Modelled;
    found.proportional_p = proportional.as_ref().map(|one| one.global.p);
    found.concordance = fitted.concordance.as_ref().map(|one| one.c);
    found.ratios = kept
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let (covariate, label) = names.get(*name)?;
            let interval = fitted.intervals.get(at)?;
            Some(Ratio {
                covariate: (*covariate).to_owned(),
                label: (*label).to_owned(),
                hazard_ratio: *fitted.hazard_ratios.get(at)?,
                lower: interval.lower,
                upper: interval.upper,
                p: *fitted.p.get(at)?,
                proportional_p: proportional
                    .as_ref()
                    .and_then(|one| one.covariates.get(at))
                    .map(|test| test.p),
            })
        })
        .collect();
}
