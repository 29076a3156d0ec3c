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
use crate::statistics::{BinaryCount, StatisticsError, indirect_standardisation, shrink_binary};
use rayon::prelude::*;
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
        measures: measures.par_iter().zip(&units).map(one).collect(),
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
        units: Some(rows.len() as u32),
        left_out: Some((units.len() - rows.len()) as u32),
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
    let counts = found.centres.iter().map(|centre| BinaryCount {
        cases: centre.cases,
        observed: centre.observed,
        expected: centre.expected,
        variance: centre.variance,
    });
    let shrunk = shrink_binary(&counts.collect::<Vec<_>>(), LEVEL)?;
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
            lower: centre.score.lower,
            upper: centre.score.upper,
            shrunk: shrunk.ratio,
            shrunk_lower: shrunk.interval.map(|interval| interval.lower),
            shrunk_upper: shrunk.interval.map(|interval| interval.upper),
        })
        .collect();
    Ok(())
}

/// The case mix a viewer may see. The model is of all units of the network, so it is shown where `visible`, the viewer's adherence table, shows
/// the network's rate over all diagnoses as of this run; of its centres those whose own rate it shows so.
pub fn visible_case_mix(exact: &CaseMix, visible: &AdherenceTable) -> CaseMix {
    let rows = || {
        visible.rows.iter().filter(|row| {
            row.measure == exact.measure
                && row.period == Period::All
                && row.suppressed.is_none()
                && row.as_of.is_none()
        })
    };
    if !rows().any(|row| row.by == By::Network) {
        return CaseMix {
            measure: exact.measure.clone(),
            state: CaseMixState::Suppressed,
            units: None,
            left_out: None,
            concordance: None,
            coefficients: Vec::new(),
            centres: Vec::new(),
        };
    }
    let shown = |centre: &&AdjustedCentre| {
        rows().any(|row| row.by == By::Centre && row.level == centre.centre && row.state == RateState::Rate)
    };
    CaseMix {
        centres: exact.centres.iter().filter(shown).cloned().collect(),
        ..exact.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disclosure::{Audience, Thresholds, adherence};
    use crate::measures::tests_support::{case, head, table};

    #[test]
    fn a_model_of_all_centres_is_shown_where_their_rate_is() {
        let of = |centre: &'static str, n: usize| {
            (0..n).map(move |_| (centre, case("2026-01-01", "lms", &[Outcome::Met])))
        };
        let exact = table(
            &[head("1a", "patient")],
            &of("C1", 40).chain(of("C2", 20)).collect::<Vec<_>>(),
        );
        let centre = |name: &str, units: u32| AdjustedCentre {
            centre: name.to_owned(),
            units,
            observed: units,
            expected: 10.0,
            ratio: 1.0,
            lower: 0.5,
            upper: 2.0,
            shrunk: 1.0,
            shrunk_lower: Some(0.5),
            shrunk_upper: Some(2.0),
        };
        let mix = CaseMix {
            measure: "1a".to_owned(),
            state: CaseMixState::Modelled,
            units: Some(58),
            left_out: Some(2),
            concordance: Some(0.7),
            coefficients: vec![Coefficient {
                covariate: "age".to_owned(),
                log_odds_ratio: 0.1,
                std_error: 0.1,
            }],
            centres: vec![centre("C1", 38), centre("C2", 20)],
        };
        let committee = adherence(&exact, &Audience::Committee, &Thresholds::default());
        assert_eq!(visible_case_mix(&mix, &committee), mix);
        // A row that stays as an earlier run showed it, and one that is hidden.
        let network = |change: &dyn Fn(&mut crate::results::AdherenceRow)| {
            let mut table = committee.clone();
            let all = table.rows.iter_mut();
            all.filter(|row| row.by == By::Network && row.period == Period::All)
                .for_each(change);
            visible_case_mix(&mix, &table)
        };
        for hidden in [
            network(&|row| row.as_of = Some(1)),
            network(&|row| row.suppressed = Some(crate::results::Suppression::FewPatients)),
        ] {
            assert_eq!(
                (hidden.state, hidden.units, hidden.left_out),
                (CaseMixState::Suppressed, None, None)
            );
            assert!(hidden.concordance.is_none() && hidden.coefficients.is_empty());
            assert!(
                hidden.centres.is_empty(),
                "what is expected of a centre rests on all of them"
            );
        }
        // C1 would read the three patients of C3 off the model of both.
        let two = table(
            &[head("1a", "patient")],
            &of("C1", 40).chain(of("C3", 3)).collect::<Vec<_>>(),
        );
        let own = adherence(&two, &Audience::Centre("C1".into()), &Thresholds::default());
        assert_eq!(visible_case_mix(&mix, &own).state, CaseMixState::Suppressed);
    }
}
