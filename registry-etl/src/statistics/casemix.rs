//! Observed against expected events of each centre, given its case mix (indirect standardisation).
//!
//! A logistic model of all centres together, without a centre term, gives each case a probability `p`. For a centre
//! `O = sum y`, `E = sum p`, `z = (O - E) / sqrt(sum p (1 - p))`; risk-standardised rate `O / E` times the overall rate. Over all
//! centres `sum O = sum E`. Which covariates went in is for the report to say. Sources: Iezzoni 2013; Lilford et al.,
//! Lancet 2004, 363:1147; Spiegelhalter 2005.
//!
//! A case has the event or not, so `O` varies by `sum p (1 - p)`, for frequent events much less than a Poisson count of mean `E`, and `O / E`
//! ends at `n / E`. The score interval keeps to that: the odds of every case of the centre times `w` give `E(w)` and `V(w)`, and in the interval is
//! `E(w) / E` while `|O - E(w)| <= z sqrt(V(w))`. With one `p` for all cases it is Wilson's interval over `p`.

use super::logistic::{Logistic, logistic};
use super::proportion::Interval;
use super::{StatisticsError, normal, ratio, root};
use std::collections::BTreeMap;

/// Of intervals.
const LEVEL: f64 = 0.95;
/// Factors of the odds that intervals are looked for between.
const FACTORS: (f64, f64) = (1e-12, 1e12);

/// A centre's events against those of its case mix.
#[derive(Debug, Clone, PartialEq)]
pub struct CentreRatio<C> {
    pub centre: C,
    pub cases: u32,
    pub observed: u32,
    pub expected: f64,
    /// `O / E`.
    pub ratio: f64,
    /// Exact Poisson 95 % interval of `O / E`: for events that are rare, too wide otherwise.
    pub interval: Interval,
    /// Score 95 % interval of `O / E`, at most `n / E`.
    pub score: Interval,
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
        interval: ratio::exact(observed.into(), expected, LEVEL)?,
        score: score_interval(observed, cases, expected)?,
        variance,
        z: (f64::from(observed) - expected) / variance.sqrt(),
        standardised_rate: oe * overall_rate,
        p: ratio::p_exact(observed.into(), expected)?,
    })
}

/// As the head of this file says.
fn score_interval(observed: u32, cases: &[(bool, f64)], expected: f64) -> Result<Interval, StatisticsError> {
    let z = normal::two_sided(LEVEL)?;
    let odds: Vec<f64> = cases.iter().map(|(_, p)| p / (1.0 - p)).collect();
    let (n, o) = (cases.len() as f64, f64::from(observed));
    // Mean and variance of the count at a factor of the odds, and their slopes in it.
    let at = |factor: f64| {
        let (mut mean, mut variance, mut third) = (0.0, 0.0, 0.0);
        for odds in &odds {
            let q = factor * odds / (1.0 + factor * odds);
            let of_one = q * (1.0 - q);
            mean += q;
            variance += of_one;
            third += of_one * (1.0 - 2.0 * q);
        }
        (mean, variance, variance / factor, third / factor)
    };
    let (least, most) = FACTORS;
    let between = |bracket: (f64, f64), sign: f64| {
        let start = (bracket.0 * bracket.1).sqrt();
        root::increasing(o, start, bracket, |factor| {
            let (mean, variance, slope, of_variance) = at(factor);
            let deviation = variance.sqrt();
            let of_deviation = if sign == 0.0 {
                0.0
            } else {
                of_variance / (2.0 * deviation)
            };
            (mean + sign * z * deviation, slope + sign * z * of_deviation)
        })
    };
    let own = match o {
        0.0 => least,
        o if o == n => most,
        _ => between(FACTORS, 0.0),
    };
    let end = |bracket: (f64, f64), sign: f64| at(between(bracket, sign)).0 / expected;
    Ok(Interval {
        lower: if o == 0.0 { 0.0 } else { end((least, own), 1.0) },
        upper: if o == n {
            n / expected
        } else {
            end((own, most), -1.0)
        },
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
    fn with_one_probability_the_score_interval_is_wilsons() {
        for (observed, n, p) in [(8, 12, 5.0 / 6.0), (0, 5, 0.3), (7, 7, 0.9), (1, 40, 0.02)] {
            let cases: Vec<(bool, f64)> = (0..n).map(|at| (at < observed, p)).collect();
            let expected = f64::from(n) * p;
            let got = score_interval(observed, &cases, expected).unwrap();
            let wilson = super::super::wilson(observed.into(), n.into(), LEVEL)
                .unwrap()
                .unwrap();
            for (got, want) in [(got.lower, wilson.lower), (got.upper, wilson.upper)] {
                assert!(
                    (got - want / p).abs() < 1e-11,
                    "{observed} of {n}: {got} {}",
                    want / p
                );
            }
        }
    }

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
        // By bisection on the log odds, in another language.
        close(a.score.lower, 0.560_228_606_403_511_7);
        close(a.score.upper, 1.356_692_718_650_04);
        // Pairs: 25 events by 25 others; higher 15 * 20, tied 15 * 5 + 10 * 20.
        close(got.concordance, (300.0 + 137.5) / 625.0);
        assert_eq!(
            indirect_standardisation(&centres[1..], &x, &y),
            Err(StatisticsError::Columns)
        );
    }
}
