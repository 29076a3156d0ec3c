//! Comparison by a treatment after the origin, from a landmark on: the group is what had happened by then, the clock starts
//! there, and who died or left before is counted out.
//!
//! A treatment later than the landmark is ignored. Who is registered after the landmark enters late, as everywhere.

use super::NOT_RECORDED;
use super::definition::Exposure;
use super::endpoint::{DAYS_PER_MONTH, FEWEST_EVENTS, Group, LEVEL, count, curve};
use super::estimate::Row;
use super::incidence::rows as checked;
use super::settle::Settled;
use super::units::{Unit, ablates, known, resects};
use crate::results::{Analysis, LandmarkComparison, LandmarkContrast};
use crate::statistics::StatisticsError;
use crate::statistics::survival::{CoxModel, cox};

/// Landmarks, in months.
pub const MONTHS: [u32; 2] = [6, 12];
/// Levels of the groups.
const LEVELS: [&str; 3] = ["before_landmark", "not_before_landmark", NOT_RECORDED];
const REMARK: &str = "Selected patients; association. Groups are what had been done by the landmark; a later treatment is ignored.";

/// The comparisons of an exposure at every landmark.
///
/// # Errors
/// [`StatisticsError`] when settled times are not fit for an estimate.
pub(super) fn comparisons(
    exposure: Exposure,
    units: &[Unit<'_>],
    rows: &[Row],
) -> Result<Vec<LandmarkComparison>, StatisticsError> {
    let one = |months: &u32| comparison(exposure, *months, units, rows);
    MONTHS.iter().map(one).collect()
}

fn comparison(
    exposure: Exposure,
    months: u32,
    units: &[Unit<'_>],
    rows: &[Row],
) -> Result<LandmarkComparison, StatisticsError> {
    let landmark = (f64::from(months) * DAYS_PER_MONTH).round() as i32;
    let mut groups: [Vec<Settled>; 3] = Default::default();
    let (mut died, mut left, mut all) = (0, 0, 0);
    for (unit, row) in units.iter().zip(rows) {
        let Ok((origin, settled)) = row else { continue };
        all += 1;
        if settled.exit <= landmark {
            *(if settled.event { &mut died } else { &mut left }) += 1;
            continue;
        }
        let group = match exposed(exposure, unit, origin + landmark) {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        };
        groups[group].push(from(settled, landmark));
    }
    let at_landmark = groups.iter().map(Vec::len).sum();
    let by = exposure.as_str();
    let mut curves = Vec::new();
    for (level, cases) in LEVELS.into_iter().zip(&groups) {
        if level != NOT_RECORDED || !cases.is_empty() {
            let analysis = Analysis::Primary;
            curves.push(curve(&Group { analysis, by, level }, cases, false)?);
        }
    }
    let (contrast, no_contrast) = match contrast(&groups[0], &groups[1]) {
        Ok(found) => (Some(found), None),
        Err(why) => (None, Some(why)),
    };
    Ok(LandmarkComparison {
        by: by.to_owned(),
        landmark_months: months,
        patients: Some(all),
        died_before: Some(died),
        left_before: Some(left),
        at_landmark: Some(count(at_landmark)),
        curves,
        contrast,
        no_contrast,
        remark: REMARK.to_owned(),
    })
}

/// Times counted from the landmark.
fn from(settled: &Settled, landmark: i32) -> Settled {
    Settled {
        entry: settled
            .entry
            .map(|entry| entry - landmark)
            .filter(|entry| *entry > 0),
        exit: settled.exit - landmark,
        potential: settled.potential - landmark,
        ..*settled
    }
}

/// Whether the treatment began up to a day; none when one without a date may have.
fn exposed(exposure: Exposure, unit: &Unit<'_>, until: i32) -> Option<bool> {
    let course = &unit.case.course;
    let locals = course.locals.iter().filter(|one| match exposure {
        Exposure::Metastasectomy => resects(one),
        Exposure::Ablation => ablates(one),
        Exposure::LocalTreatment => true,
        Exposure::Systemic => false,
    });
    let lines = course.lines.iter().filter(|_| exposure == Exposure::Systemic);
    let dates = locals.map(|one| one.date).chain(lines.map(|one| one.start));
    let days: Vec<Option<i32>> = dates.map(known).collect();
    if days.iter().flatten().any(|day| *day <= until) {
        return Some(true);
    }
    (!days.contains(&None)).then_some(false)
}

/// The hazard ratio of the treated, or why there is none.
fn contrast(treated: &[Settled], others: &[Settled]) -> Result<LandmarkContrast, String> {
    for group in [treated, others] {
        if count(group.iter().filter(|one| one.event).count()) < FEWEST_EVENTS {
            return Err(format!("fewer than {FEWEST_EVENTS} events in a group"));
        }
    }
    let all: Vec<Settled> = treated.iter().chain(others).copied().collect();
    let covariates: Vec<Vec<f64>> = (0..all.len())
        .map(|at| vec![f64::from(u8::from(at < treated.len()))])
        .collect();
    let fitted = checked(&all, 1, false).and_then(|rows| cox(&CoxModel::plain(&rows, &covariates, LEVEL)));
    let fitted = fitted.map_err(|why| why.to_string())?;
    let (ratio, interval) = fitted
        .hazard_ratios
        .first()
        .zip(fitted.intervals.first())
        .ok_or_else(|| StatisticsError::NoVariation.to_string())?;
    Ok(LandmarkContrast {
        hazard_ratio: *ratio,
        lower: interval.lower,
        upper: interval.upper,
        p: fitted.score.p,
    })
}
