//! The rows an endpoint is estimated from, as a release hands them out: the same cohort, the same levels, the same reasons.
//!
//! What a release does not hold stays out: age (a quasi-identifier), the calendar period (it would undo the shifted dates) and the
//! centre's volume (centres are masked). The estimates of the same rows come from [`estimate()`], as those of a run do.

use super::NOT_RECORDED;
use super::adjusted::standard;
use super::change::followed;
use super::covariates::{KNOWN, NAMES, RELEASED, known_at};
use super::definition::{Definition, Estimator, Event, Stratum};
use super::estimate::{estimate, primary};
use super::proportion::{admitted, outcome};
use super::settle::{LeftOut, Settled};
use super::strata::level;
use super::units::{Cohort, Unit, units};
use crate::results::{RunIdentity, SurvivalResult};
use crate::statistics::StatisticsError;

/// Strata a release does not hold, and why.
pub const WITHHELD: [(Stratum, &str, &str); 3] = [
    (
        Stratum::Age,
        "quasi_identifier",
        "could identify together with other elements: approved request only; also left out of the models",
    ),
    (
        Stratum::Period,
        "shifted_date",
        "the calendar would undo the dates relative to metastatic diagnosis",
    ),
    (
        Stratum::Volume,
        "restricted",
        "describes centres, which are masked",
    ),
];

/// What an endpoint says of a row that is in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    Times(Settled),
    /// Whether the outcome was met; none when it cannot be assessed.
    Share(Option<bool>),
    /// Scores at the baseline and 3, 6 and 12 months after it, in points.
    Scores(f64, [Option<f64>; 3]),
}

/// One row of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct DataRow {
    /// Position of the case.
    pub case: usize,
    /// Which of the case's rows, from 1.
    pub episode: u32,
    pub told: Result<Told, LeftOut>,
    /// Level of every stratum of [`strata`].
    pub levels: Vec<String>,
    /// Every covariate of [`covariates`]; none for a row left out, or where it is not recorded.
    pub covariates: Vec<Option<f64>>,
}

/// Strata of an endpoint that a release holds, in order.
pub fn strata(definition: &Definition) -> Vec<Stratum> {
    let withheld = |one: &Stratum| WITHHELD.iter().any(|(stratum, ..)| stratum == one);
    let all = definition.strata.iter().copied();
    all.filter(|one| !withheld(one)).collect()
}

/// Code and words of the covariates of an endpoint's model that a release holds; none where it has no model.
pub fn covariates(definition: &Definition) -> Vec<(&'static str, &'static str)> {
    let wanted = RELEASED.iter().filter(|_| !definition.landmarks.is_empty());
    wanted.filter_map(|at| NAMES.get(*at).copied()).collect()
}

/// Every row of an endpoint, in the order of the cases. `run_cut_off` is a day number.
pub fn rows(definition: &Definition, run_cut_off: i32, cohort: &Cohort<'_>) -> Vec<DataRow> {
    let units = units(definition, cohort.cases);
    let strata = strata(definition);
    let modelled = !definition.landmarks.is_empty();
    let told: Vec<Result<(i32, Told), LeftOut>> = match definition.event.estimator() {
        Estimator::Survival | Estimator::Incidence => primary(&units, run_cut_off)
            .into_iter()
            .map(|row| row.map(|(origin, settled)| (origin, Told::Times(settled))))
            .collect(),
        Estimator::Proportion => units
            .iter()
            .map(|unit| shared(definition.event, unit, run_cut_off))
            .collect(),
        Estimator::Change => units.iter().map(|unit| scored(unit, run_cut_off)).collect(),
    };
    let mut episode = (usize::MAX, 0);
    let row = |(unit, told): (&Unit<'_>, Result<(i32, Told), LeftOut>)| {
        episode = match episode {
            (case, n) if case == unit.at => (case, n + 1),
            _ => (unit.at, 1),
        };
        let origin = told.as_ref().ok().map(|(origin, _)| *origin);
        let of = |stratum: &Stratum| {
            let level = origin.and_then(|origin| level(*stratum, definition, cohort, unit, origin));
            match (origin, level) {
                (None, _) => String::new(),
                (_, level) => level.unwrap_or_else(|| NOT_RECORDED.to_owned()),
            }
        };
        let known = match origin.filter(|_| modelled) {
            Some(origin) => known_at(unit, origin),
            None => [None; KNOWN],
        };
        let known = RELEASED
            .iter()
            .filter(|_| modelled)
            .map(|at| known.get(*at).copied().flatten());
        DataRow {
            case: unit.at,
            episode: episode.1,
            told: told.map(|(_, told)| told),
            levels: strata.iter().map(of).collect(),
            covariates: known.collect(),
        }
    };
    units.iter().zip(told).map(row).collect()
}

fn shared(event: Event, unit: &Unit<'_>, run_cut_off: i32) -> Result<(i32, Told), LeftOut> {
    let origin = admitted(unit, run_cut_off)?;
    Ok((origin, Told::Share(outcome(event, unit))))
}

fn scored(unit: &Unit<'_>, run_cut_off: i32) -> Result<(i32, Told), LeftOut> {
    let found = followed(unit, run_cut_off)?;
    let points = |hundredths: i32| f64::from(hundredths) / 100.0;
    let again = |months: &f64| found.again(*months).map(points);
    let [three, six, twelve] = &super::change::MONTHS;
    let scores = [three, six, twelve].map(again);
    Ok((found.origin, Told::Scores(points(found.score()), scores)))
}

/// The estimates of the same rows, by the strata a release holds, and the model without age.
///
/// # Errors
/// [`StatisticsError`] when settled times are not fit for an estimate.
pub fn estimates(
    definition: &Definition,
    run: &RunIdentity,
    run_cut_off: i32,
    cohort: &Cohort<'_>,
) -> Result<SurvivalResult, StatisticsError> {
    let held = Definition {
        strata: strata(definition),
        landmarks: Vec::new(),
        centres: false,
        ..definition.clone()
    };
    let mut result = estimate(&held, run, run_cut_off, cohort)?;
    if !definition.landmarks.is_empty() {
        let units = units(definition, cohort.cases);
        result.models = vec![standard(&RELEASED, &units, &primary(&units, run_cut_off))];
    }
    Ok(result)
}
