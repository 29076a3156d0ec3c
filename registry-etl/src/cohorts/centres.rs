//! Centres compared by deaths observed over expected, given the case mix.
//!
//! A Cox model of all centres together, without a centre term, on age, ECOG, histology, grade, disease-free interval and number of
//! lesions; what it expects of each patient is `e^{x b} (H0(exit) - H0(entry))` (Efron's baseline hazard, delayed entry respected:
//! [`crate::statistics::survival::observed_expected`]). Summed by centre, `sum O = sum E`. A patient with a covariate missing is left out
//! and counted. Centres with fewer than ten patients in the model stand together as one point.
//!
//! Position by the exact Poisson tail, limits ([`mod@crate::statistics::poisson`]) for drawing, additive overdispersion on the raw scale
//! as the funnels of measures have it, ratios shrunk by empirical Bayes ([`mod@crate::statistics::shrinkage`]: gamma-Poisson, Marshall
//! 1991). Everything but the counts is computed by [`place`] from the points given, and so from nothing that a viewer does not see.
//! Sources: Spiegelhalter 2005, Stat Med 24:1185; Therneau, Grambsch 2000, section 7.2.

use super::adjusted::PER_COVARIATE;
use super::covariates::{CASE_MIX, NAMES, complete, varying};
use super::endpoint::{LEVEL, count};
use super::estimate::Row;
use super::incidence;
use super::settle::Settled;
use super::units::{Cohort, Unit};
use crate::measures::funnels::position;
use crate::measures::placement::{INNER, OUTER, by_score, milder, two_sided};
use crate::results::{CentreComparison, CentrePoint, ModelState, POOLED, PoolMember, RatioLimits};
use crate::statistics::overdispersion::WINSOR;
use crate::statistics::survival::{CoxModel, Groups, ObservedExpected, cox, observed_expected};
use crate::statistics::{
    RatioSpread, StatisticsError, benjamini_hochberg, poisson_limits, ratio, shrink, spread_of_ratios,
};

/// Centres with fewer patients stand together.
const FEWEST: u32 = 10;
/// Values of the expected deaths for which limits are drawn.
const LIMITS: u32 = 120;
const REMARK: &str = "Patients differ between centres in more than the model knows. A funnel shows what needs a closer look; it is no ranking.";

/// The comparison of an endpoint's centres; `None` where the cases do not tell their centres.
///
/// # Errors
/// [`StatisticsError`] when limits cannot be computed (never from counts).
pub(super) fn comparison(
    units: &[Unit<'_>],
    rows: &[Row],
    cohort: &Cohort<'_>,
) -> Result<Option<CentreComparison>, StatisticsError> {
    let (mut settled, mut covariates, mut centres): (Vec<Settled>, Vec<Vec<f64>>, Vec<&str>) =
        Default::default();
    let mut all = 0;
    for (unit, row) in units.iter().zip(rows) {
        let Ok((origin, times)) = row else { continue };
        let Some(centre) = cohort.centre_of(unit.at) else {
            return Ok(None);
        };
        all += 1;
        if let Some(values) = complete(unit, *origin, &CASE_MIX) {
            settled.push(*times);
            covariates.push(values);
            centres.push(centre);
        }
    }
    let values: Vec<&[f64]> = covariates.iter().map(Vec::as_slice).collect();
    let kept = varying(&values, CASE_MIX.len());
    let name = |at: usize| CASE_MIX.get(at).and_then(|at| NAMES.get(*at));
    let events = settled.iter().filter(|one| one.event).count();
    let constant = (0..CASE_MIX.len()).filter(|at| !kept.contains(at));
    let mut found = CentreComparison {
        state: ModelState::TooFewEvents,
        patients: Some(count(settled.len())),
        events: Some(count(events)),
        left_out: Some(count(all - settled.len())),
        covariates: kept
            .iter()
            .filter_map(|at| name(*at).map(|name| name.1.to_owned()))
            .collect(),
        constant: constant
            .filter_map(|at| name(at).map(|name| name.0.to_owned()))
            .collect(),
        concordance: None,
        pooled_below: FEWEST,
        phi: None,
        tau2: None,
        limits: Vec::new(),
        centres: Vec::new(),
        remark: REMARK.to_owned(),
    };
    if kept.is_empty() || events < PER_COVARIATE * kept.len() {
        return Ok(Some(found));
    }
    match expected(&settled, &values, &kept, &centres) {
        Ok((concordance, counts)) => {
            found.state = ModelState::Modelled;
            found.concordance = concordance;
            found.centres = points(&counts);
            place(&mut found)?;
        }
        Err(why) => found.state = ModelState::NoEstimate(why.to_string()),
    }
    Ok(Some(found))
}

/// Concordance of the model, and the counts of every centre.
fn expected(
    settled: &[Settled],
    values: &[&[f64]],
    kept: &[usize],
    centres: &[&str],
) -> Result<(Option<f64>, Vec<ObservedExpected>), StatisticsError> {
    let rows = incidence::rows(settled, 1, false)?;
    let pick = |row: &&[f64]| kept.iter().filter_map(|at| row.get(*at).copied()).collect();
    let covariates: Vec<Vec<f64>> = values.iter().map(pick).collect();
    let fitted = cox(&CoxModel::plain(&rows, &covariates, LEVEL))?;
    let counts = observed_expected(&fitted, &rows, &Groups::of(centres))?;
    Ok((fitted.concordance.as_ref().map(|one| one.c), counts))
}

/// A point for every centre with enough patients, and one for all others together.
fn points(counts: &[ObservedExpected]) -> Vec<CentrePoint> {
    let (large, small): (Vec<_>, Vec<_>) = counts.iter().partition(|one| one.rows >= FEWEST);
    let point =
        |one: &&ObservedExpected| CentrePoint::counted(&one.group, one.rows, one.observed, one.expected);
    let mut points: Vec<CentrePoint> = large.iter().map(point).collect();
    if !small.is_empty() {
        let members: Vec<PoolMember> = small
            .iter()
            .map(|one| PoolMember {
                centre: one.group.clone(),
                patients: one.rows,
                observed: one.observed,
                expected: one.expected,
            })
            .collect();
        points.push(CentrePoint {
            pooled: count(members.len()),
            members: members.clone(),
            ..CentrePoint::counted(
                POOLED,
                members.iter().map(|one| one.patients).sum(),
                members.iter().map(|one| one.observed).sum(),
                members.iter().map(|one| one.expected).sum(),
            )
        });
    }
    points
}

/// Works out, from the counts that stand in `found`, everything else about its points.
///
/// # Errors
/// None in practice: limits of a positive number of expected deaths.
pub fn place(found: &mut CentreComparison) -> Result<(), StatisticsError> {
    let told = |point: &CentrePoint| point.observed.zip(point.expected.filter(|e| *e > 0.0));
    let pairs: Vec<(u32, f64)> = found.centres.iter().filter_map(told).collect();
    let spread = spread_of_ratios(&pairs, WINSOR).ok();
    let shrunk = shrink(&pairs, LEVEL).ok();
    let p = pairs
        .iter()
        .map(|(o, e)| ratio::tails((*o).into(), *e).map(two_sided));
    let p: Vec<f64> = p.collect::<Result<_, _>>()?;
    // A family of one is no family.
    let q = if p.len() > 1 {
        benjamini_hochberg(&p)?
    } else {
        Vec::new()
    };
    let adjusted = spread.as_ref().map(RatioSpread::z_additive);
    let placed = found.centres.iter_mut().filter(|point| told(point).is_some());
    for (at, (point, (observed, expected))) in placed.zip(pairs.iter().copied()).enumerate() {
        let tails = ratio::tails(observed.into(), expected)?;
        let exact = position(tails);
        let interval = ratio::exact(observed.into(), expected, LEVEL)?;
        point.ratio = Some(f64::from(observed) / expected);
        (point.lower, point.upper) = (Some(interval.lower), Some(interval.upper));
        point.limits = Some(limits(expected)?);
        point.position = Some(exact);
        point.z = spread.as_ref().and_then(|one| one.z.get(at)).copied();
        point.z_adjusted = adjusted.as_ref().and_then(|z| z.get(at)).copied();
        point.limits_adjusted = spread.as_ref().map(|one| additive(one, expected)).transpose()?;
        let by = point.z_adjusted.map(by_score).transpose()?;
        point.position_adjusted = by.map(|by| milder(by, exact));
        (point.p, point.q) = (p.get(at).copied(), q.get(at).copied());
        if let Some(one) = shrunk.as_ref().and_then(|all| all.centres.get(at)) {
            point.shrunk = Some(one.ratio);
            point.shrunk_lower = one.interval.map(|interval| interval.lower);
            point.shrunk_upper = one.interval.map(|interval| interval.upper);
        }
    }
    found.phi = spread.as_ref().map(|one| one.phi);
    found.tau2 = spread.as_ref().map(|one| one.tau2);
    let largest = pairs.iter().map(|(_, e)| *e).fold(0.0, f64::max);
    let ladder = (1..=LIMITS).map(|step| largest * f64::from(step) / f64::from(LIMITS));
    found.limits = if largest > 0.0 {
        ladder.map(limits).collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    Ok(())
}

fn limits(expected: f64) -> Result<RatioLimits, StatisticsError> {
    let exact = poisson_limits(expected)?;
    Ok(RatioLimits {
        expected,
        lower95: exact.lower95,
        upper95: exact.upper95,
        lower998: exact.lower998,
        upper998: exact.upper998,
    })
}

fn additive(spread: &RatioSpread, expected: f64) -> Result<RatioLimits, StatisticsError> {
    let inner = spread.additive_limits(expected, INNER)?;
    let outer = spread.additive_limits(expected, OUTER)?;
    Ok(RatioLimits {
        expected,
        lower95: inner.lower.max(0.0),
        upper95: inner.upper,
        lower998: outer.lower.max(0.0),
        upper998: outer.upper,
    })
}
