//! Cox models of an endpoint: the standard adjustment set, and a metastasectomy as a covariate that begins with it.
//!
//! Covariates are those known at the origin; response is not among them, because the record does not date it. A case with one missing is
//! left out and counted; a covariate that does not vary is dropped and named; below ten events a covariate there is no model.

use super::endpoint::{LEVEL, count};
use super::estimate::Row;
use super::settle::Settled;
use super::strata::{ecog, interval, treated};
use super::units::{Unit, known, resects};
use crate::results::{AdjustedModel, ModelState, Ratio};
use crate::statistics::StatisticsError;
use crate::statistics::survival::cox::TimeScale;
use crate::statistics::survival::{Cox, CoxModel, Rows, cox};

/// Events that each covariate needs at least.
const PER_COVARIATE: usize = 10;
/// Age at which the covariate is 0, and the years that are one unit of it.
const AGE: (f64, f64) = (60.0, 10.0);
/// More lesions than these count as these: 999 stands for too many to count.
const MOST_LESIONS: u32 = 64;

const NAMES: [(&str, &str); 10] = [
    ("age", "Age, per ten years"),
    ("ecog", "ECOG 2 and over against 0 and 1"),
    ("histology_lms", "Leiomyosarcoma against liposarcoma"),
    ("histology_other", "Other histology against liposarcoma"),
    ("grade", "Grade 3 against 1 and 2"),
    (
        "dfi_short",
        "Disease-free interval below 12 months against longer",
    ),
    (
        "dfi_not_defined",
        "Primary never cleared against an interval of 12 months and over",
    ),
    ("lesions", "Lesions, per doubling"),
    ("not_resectable", "Borderline or unresectable against resectable"),
    (
        "metastasectomy",
        "After metastasectomy against before or without (time-dependent)",
    ),
];
/// Position of the time-dependent one.
const TREATMENT: usize = NAMES.len() - 1;

const REMARK: &str = "Selected patients; association. Response is left out: the record does not date it.";

/// What is known at the origin; `None` when something is not recorded.
fn covariates(unit: &Unit<'_>, origin: i32) -> Option<[f64; TREATMENT]> {
    let case = unit.case;
    let is = |yes: bool| f64::from(u8::from(yes));
    let histology = case.histology.as_deref()?;
    let lipo = matches!(histology, "wdlps" | "ddlps");
    let disease = treated(unit)?;
    let interval = interval(unit)?;
    let lesions = disease.lesions?.clamp(1, MOST_LESIONS);
    Some([
        (f64::from(case.age?) - AGE.0) / AGE.1,
        is(ecog(unit, origin)? >= 2),
        is(histology == "lms"),
        is(!lipo && histology != "lms"),
        is(case.course.grade? == 3),
        is(interval == "below_12_months"),
        is(interval == "not_defined"),
        f64::from(lesions).log2(),
        is(disease.resectability.as_deref()? != "resectable"),
    ])
}

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
        model("standard", "Standard adjustment set", false, units, rows),
        model(
            "metastasectomy",
            "Metastasectomy, adjusted (time-dependent)",
            true,
            units,
            rows,
        ),
    ]
}

fn model(name: &str, title: &str, treatment: bool, units: &[Unit<'_>], rows: &[Row]) -> AdjustedModel {
    let mut spans: Vec<Span> = Vec::new();
    let (mut all, mut patients) = (0, 0);
    for (unit, row) in units.iter().zip(rows) {
        let Ok((origin, settled)) = row else { continue };
        all += 1;
        let Some(values) = covariates(unit, *origin) else {
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
    let width = if treatment { NAMES.len() } else { TREATMENT };
    let varies = |at: &usize| spans.iter().any(|one| one.row.get(*at) != spans[0].row.get(*at));
    let kept: Vec<usize> = (0..width).filter(varies).collect();
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
        constant: (0..width)
            .filter(|at| !kept.contains(at))
            .map(|at| NAMES[at].0.to_owned())
            .collect(),
        remark: REMARK.to_owned(),
    };
    if events < PER_COVARIATE * kept.len().max(1) {
        return found;
    }
    match fit(&spans, &kept) {
        Ok(fitted) => tell(&fitted, &kept, &mut found),
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

fn tell(fitted: &Cox, kept: &[usize], found: &mut AdjustedModel) {
    let proportional = fitted.proportional_hazards(TimeScale::KaplanMeier).ok();
    found.state = ModelState::Modelled;
    found.proportional_p = proportional.as_ref().map(|one| one.global.p);
    found.concordance = fitted.concordance.as_ref().map(|one| one.c);
    found.ratios = kept
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let (covariate, label) = NAMES.get(*name)?;
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
