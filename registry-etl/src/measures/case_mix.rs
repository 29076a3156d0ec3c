//! Centres against what their case mix lets expect: a second view beside the funnel.
//!
//! Per measure a logistic model of all assessable units on the covariates of their patients (age, histology, timing), without a
//! centre term; observed over expected per centre, and the same drawn towards the mean of all centres (empirical Bayes), so that
//! a small centre does not stand out by chance. A covariate that does not vary among the units is left out, and so are
//! units of patients with a covariate missing; both are said. Units of one patient count as independent.

use super::columns::CaseColumns;
use super::evaluation::CaseFacts;
use crate::cohorts::endpoint::LEVEL;
use crate::results::{
    AdherenceTable, AdjustedCentre, By, CaseMix, CaseMixState, CaseMixTable, Coefficient, MeasureHead,
    Period, RateState, RunIdentity,
};
use crate::statistics::{StatisticsError, casemix::indirect_standardisation, shrinkage::shrink};
use registry_core::guideline::Outcome;

/// Events, and units without the event, that each covariate needs at least.
const PER_COVARIATE: usize = 10;
/// Age at which the covariate is 0, and the years that are one unit of it.
const AGE: (f64, f64) = (60.0, 10.0);

/// Names of the covariates, in the order of [`covariates`].
const NAMES: [&str; 4] = [
    "age, per ten years",
    "leiomyosarcoma against liposarcoma",
    "other histology against liposarcoma",
    "synchronous against metachronous",
];

/// The covariates of a patient; `None` when one is not recorded.
fn covariates(facts: &CaseFacts) -> Option<[f64; NAMES.len()]> {
    let indicator = |is: bool| f64::from(u8::from(is));
    let age = (f64::from(facts.age?) - AGE.0) / AGE.1;
    let histology = facts.histology.as_deref()?;
    let lipo = matches!(histology, "wdlps" | "ddlps");
    let synchronous = match facts.timing.as_deref()? {
        "synchronous" => true,
        "metachronous" => false,
        _ => return None,
    };
    Some([
        age,
        indicator(histology == "lms"),
        indicator(!lipo && histology != "lms"),
        indicator(synchronous),
    ])
}

/// Case mix of every measure, all diagnoses.
pub fn case_mix(run: &RunIdentity, measures: &[MeasureHead], columns: &CaseColumns) -> CaseMixTable {
    let of_cases: Vec<Option<[f64; NAMES.len()]>> = columns.facts.iter().map(covariates).collect();
    let mut units: Vec<Vec<Unit>> = vec![Vec::new(); measures.len()];
    let at = columns.unit_case.iter().zip(&columns.unit_centre);
    for (((case, centre), measure), outcome) in at.zip(&columns.unit_measure).zip(&columns.unit_outcome) {
        let outcome = Outcome::ALL.get(*outcome as usize).filter(|o| o.in_denominator());
        if let (Some(outcome), Some(of_measure)) = (outcome, units.get_mut(*measure as usize)) {
            of_measure.push(Unit {
                case: *case as usize,
                centre: *centre,
                event: outcome.in_numerator(),
            });
        }
    }
    let one = |(measure, units): (&MeasureHead, &Vec<Unit>)| modelled(&measure.id, units, &of_cases, columns);
    CaseMixTable {
        run: run.clone(),
        measures: measures.iter().zip(&units).map(one).collect(),
    }
}

/// An assessable unit.
#[derive(Clone, Copy)]
struct Unit {
    case: usize,
    /// That held the case on the unit's date.
    centre: u32,
    event: bool,
}

fn modelled(
    measure: &str,
    units: &[Unit],
    of_cases: &[Option<[f64; NAMES.len()]>],
    columns: &CaseColumns,
) -> CaseMix {
    let (mut rows, mut events, mut centres) = (Vec::new(), Vec::new(), Vec::new());
    for unit in units {
        if let Some(Some(values)) = of_cases.get(unit.case) {
            rows.push(values.to_vec());
            events.push(unit.event);
            centres.push(columns.centres.name(unit.centre).to_owned());
        }
    }
    let varies = |at: &usize| rows.iter().any(|row: &Vec<f64>| row.get(*at) != rows[0].get(*at));
    let kept: Vec<usize> = (0..NAMES.len())
        .filter(|at| !rows.is_empty() && varies(at))
        .collect();
    let rows: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| kept.iter().filter_map(|at| row.get(*at).copied()).collect())
        .collect();
    let mut mix = CaseMix {
        measure: measure.to_owned(),
        state: CaseMixState::TooFew,
        units: rows.len() as u32,
        left_out: (units.len() - rows.len()) as u32,
        concordance: None,
        coefficients: Vec::new(),
        centres: Vec::new(),
    };
    let happened = events.iter().filter(|event| **event).count();
    if happened.min(events.len() - happened) < PER_COVARIATE * kept.len().max(1) {
        return mix;
    }
    match fit(&centres, &rows, &events, &kept, &mut mix) {
        Ok(()) => mix.state = CaseMixState::Modelled,
        Err(why) => {
            mix.state = CaseMixState::NoEstimate(why.to_string());
            mix.centres.clear();
        }
    }
    mix
}

fn fit(
    centres: &[String],
    rows: &[Vec<f64>],
    events: &[bool],
    kept: &[usize],
    mix: &mut CaseMix,
) -> Result<(), StatisticsError> {
    let found = indirect_standardisation(centres, rows, events)?;
    let pairs: Vec<(u32, f64)> = found.centres.iter().map(|c| (c.observed, c.expected)).collect();
    let shrunk = shrink(&pairs, LEVEL)?;
    mix.concordance = Some(found.concordance);
    mix.coefficients = kept
        .iter()
        .enumerate()
        .filter_map(|(at, covariate)| {
            Some(Coefficient {
                covariate: NAMES.get(*covariate).copied()?.to_owned(),
                log_odds_ratio: *found.model.coefficients.get(at + 1)?,
                std_error: *found.model.std_errors.get(at + 1)?,
            })
        })
        .collect();
    mix.centres = found
        .centres
        .iter()
        .zip(&shrunk.centres)
        .map(|(centre, shrunk)| AdjustedCentre {
            centre: centre.centre.clone(),
            units: centre.cases,
            observed: centre.observed,
            expected: centre.expected,
            ratio: centre.ratio,
            lower: centre.interval.lower,
            upper: centre.interval.upper,
            shrunk: shrunk.ratio,
            shrunk_lower: shrunk.interval.lower,
            shrunk_upper: shrunk.interval.upper,
        })
        .collect();
    Ok(())
}

/// The case mix a viewer may see: centres whose own rate over all diagnoses stands in `visible`, the viewer's adherence table.
pub fn visible_case_mix(exact: &CaseMix, visible: &AdherenceTable) -> CaseMix {
    let shown = |centre: &AdjustedCentre| {
        visible.rows.iter().any(|row| {
            row.measure == exact.measure
                && row.by == By::Centre
                && row.period == Period::All
                && row.level == centre.centre
                && row.state == RateState::Rate
                && row.as_of.is_none()
        })
    };
    let centres = exact
        .centres
        .iter()
        .filter(|centre| shown(centre))
        .cloned()
        .collect();
    CaseMix {
        centres,
        ..exact.clone()
    }
}
