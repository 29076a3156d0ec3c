//! Observed against expected events of each centre, given its case mix (indirect standardisation).
//!
//! A logistic model of all centres together, without a centre term, gives each case a probability `p`. For a centre
//! `O = sum y`, `E = sum p`, `z = (O - E) / sqrt(sum p (1 - p))`; risk-standardised rate `O / E` times the overall rate. Over all
//! centres `sum O = sum E`. Which covariates went in is for the report to say. Sources: Iezzoni 2013; Lilford et al.,
//! Lancet 2004, 363:1147; Spiegelhalter 2005.

use super::logistic::{Logistic, logistic};
use super::proportion::Interval;
use super::{StatisticsError, ratio};
use std::collections::BTreeMap;

/// A centre's events against those of its case mix.
#[derive(Debug, Clone, PartialEq)]
pub struct CentreRatio<C> {
    pub centre: C,
    pub cases: u32,
    pub observed: u32,
    pub expected: f64,
    /// `O / E`.
    pub ratio: f64,
    /// Exact Poisson 95 % interval of `O / E`.
    pub interval: Interval,
    /// `sum p (1 - p)`.
    pub variance: f64,
    pub z: f64,
    /// `O / E` times the overall rate; over 1 where a centre has many more events than expected.
    pub standardised_rate: f64,
    /// Two-sided, exact Poisson.
    pub p: f64,
}

/// All centres, and how well the model tells cases apart.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseMix<C> {
    pub model: Logistic,
    pub overall_rate: f64,
    /// In ascending order.
    pub centres: Vec<CentreRatio<C>>,
    /// Probability that of a case with and one without the event the former has the higher risk, ties half (area under
    /// the ROC curve).
    pub concordance: f64,
    /// Mean square of outcome less probability.
    pub brier: f64,
}

/// Compares centres given the covariates of each case (a row each).
///
/// # Errors
/// Those of [`logistic`]; centres not as many as cases.
pub fn indirect_standardisation<C: Ord + Clone>(
    centres: &[C],
    covariates: &[Vec<f64>],
    outcome: &[bool],
) -> Result<CaseMix<C>, StatisticsError> {
    if centres.len() != outcome.len() {
        return Err(StatisticsError::Columns);
    }
    let model = logistic(covariates, outcome)?;
    let cases = outcome.len() as f64;
    let overall_rate = outcome.iter().filter(|y| **y).count() as f64 / cases;
    let mut by_centre: BTreeMap<&C, Vec<(bool, f64)>> = BTreeMap::new();
    for ((centre, y), p) in centres.iter().zip(outcome).zip(&model.fitted) {
        by_centre.entry(centre).or_default().push((*y, *p));
    }
    let centres = by_centre
        .into_iter()
        .map(|(centre, cases)| centre_ratio(centre.clone(), &cases, overall_rate))
        .collect::<Result<_, _>>()?;
    let square = |(y, p): (&bool, &f64)| (f64::from(u8::from(*y)) - p).powi(2);
    Ok(CaseMix {
        overall_rate,
        centres,
        concordance: concordance(outcome, &model.fitted),
        brier: outcome.iter().zip(&model.fitted).map(square).sum::<f64>() / cases,
        model,
    })
}

fn centre_ratio<C>(
    centre: C,
    cases: &[(bool, f64)],
    overall_rate: f64,
) -> Result<CentreRatio<C>, StatisticsError> {
    let observed = cases.iter().filter(|(y, _)| *y).count() as u32;
    let expected: f64 = cases.iter().map(|(_, p)| p).sum();
    let variance: f64 = cases.iter().map(|(_, p)| p * (1.0 - p)).sum();
    let oe = ratio::ratio(observed.into(), expected)?;
    Ok(CentreRatio {
        centre,
        cases: cases.len() as u32,
        observed,
        expected,
        ratio: oe,
        interval: ratio::exact(observed.into(), expected, 0.95)?,
        variance,
        z: (f64::from(observed) - expected) / variance.sqrt(),
        standardised_rate: oe * overall_rate,
        p: ratio::p_exact(observed.into(), expected)?,
    })
}

/// From the mid-ranks of those with the event (Mann-Whitney). Both outcomes occur: a model was fitted.
fn concordance(outcome: &[bool], fitted: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..fitted.len()).collect();
    order.sort_by(|a, b| fitted[*a].total_cmp(&fitted[*b]));
    let (mut ranks, mut events, mut below) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|a, b| fitted[*a] == fitted[*b]) {
        let here = tied.iter().filter(|i| outcome[**i]).count() as f64;
        ranks += here * (below + (tied.len() as f64 + 1.0) / 2.0);
        events += here;
        below += tied.len() as f64;
    }
    (ranks - events * (events + 1.0) / 2.0) / (events * (below - events))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Risk 1/3 at x = 0 (10 of 30), 3/4 at x = 1 (15 of 20). A has the 30 of x = 0 but for 3 events, and 4 of the x = 1.
        let cases = [
            ("A", 0.0, true, 7),
            ("B", 0.0, true, 3),
            ("A", 0.0, false, 20),
            ("A", 1.0, true, 4),
            ("B", 1.0, true, 11),
            ("B", 1.0, false, 5),
        ];
        let (mut centres, mut x, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for (centre, risk, event, times) in cases {
            for _ in 0..times {
                centres.push(centre);
                x.push(vec![risk]);
                y.push(event);
            }
        }
        let got = indirect_standardisation(&centres, &x, &y).unwrap();
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{got} {want}");
        // A: 27 / 3 + 4 * 3/4 = 12 expected, 11 observed; B: 1 + 12 = 13 expected, 14 observed.
        let [a, b] = &got.centres[..] else {
            panic!("two centres")
        };
        assert_eq!((a.observed, a.cases, b.observed, b.cases), (11, 31, 14, 19));
        close(a.expected, 12.0);
        close(b.ratio, 14.0 / 13.0);
        close(a.variance, 27.0 * 2.0 / 9.0 + 4.0 * 3.0 / 16.0);
        close(a.z, -1.0 / 6.75_f64.sqrt());
        close(a.standardised_rate, 11.0 / 12.0 * 0.5);
        // Pairs: 25 events by 25 others; higher 15 * 20, tied 15 * 5 + 10 * 20.
        close(got.concordance, (300.0 + 137.5) / 625.0);
        assert_eq!(
            indirect_standardisation(&centres[1..], &x, &y),
            Err(StatisticsError::Columns)
        );
    }
}
