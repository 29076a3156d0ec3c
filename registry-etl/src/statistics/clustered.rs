//! Interval of a Kaplan-Meier curve whose rows come in clusters (several episodes of one patient).
//!
//! Infinitesimal jackknife: the influence of a row on `log S(t)` is minus the sum, over event times `s <= t` at which it is at risk, of
//! `(1{its event at s} - d/n) / (n - d)`; the variance is the sum over clusters of the squared sums of influence. With every
//! row its own cluster and no ties this is Greenwood's formula. Interval on the scale of `log(-log S)`; at `S = 0` none.
//! Sources: Lin, Wei 1989; Williams 1995; Therneau, Grambsch 2000 (R `survfit(.., cluster = )`).
//! Cost: rows times event times.

use super::kaplan_meier::{Band, Subject, kaplan_meier};
use super::survival::Groups;
use super::survival::input::{Span, canonical};
use super::{StatisticsError, normal};

/// The interval from one event time until the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredStep {
    pub time: f64,
    pub survival: f64,
    /// Of `log S`; none at `S = 0`.
    pub std_err_log: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
}

/// The curve of `subjects` with an interval that allows for `clusters`. Case weights are refused.
///
/// # Errors
/// Those of [`kaplan_meier`]; clusters not as many as subjects; weights.
pub fn clustered(
    subjects: &[Subject],
    clusters: &Groups,
    level: f64,
) -> Result<Vec<ClusteredStep>, StatisticsError> {
    let z = normal::two_sided(level)?;
    if clusters.as_slice().len() != subjects.len() {
        return Err(StatisticsError::Columns);
    }
    if subjects.iter().any(|one| one.weight != 1.0) {
        return Err(StatisticsError::WeightsRefused {
            what: "a clustered interval",
        });
    }
    let curve = kaplan_meier(subjects, level, Band::LogLog)?;
    let spans = canonical(subjects.iter().map(|one| Span {
        entry: one.entry,
        exit: one.exit,
        weight: one.weight,
    }))?;
    let mut influence = vec![0.0; clusters.labels().len()];
    let mut steps = Vec::new();
    for step in curve.steps.iter().filter(|step| step.events > 0.0) {
        let staying = step.at_risk - step.events;
        let share = step.events / step.at_risk;
        for ((&(entry, exit, _), one), cluster) in spans.iter().zip(subjects).zip(clusters.as_slice()) {
            if staying > 0.0 && entry < step.time && step.time <= exit {
                let own = f64::from(u8::from(one.event && exit == step.time));
                influence[*cluster] -= (own - share) / staying;
            }
        }
        let std_err = (step.survival > 0.0).then(|| {
            let square: f64 = influence.iter().map(|sum| sum * sum).sum();
            square.sqrt()
        });
        let limit = |sign: f64| {
            std_err.map(|se| {
                let log = step.survival.ln();
                step.survival.powf((sign * z * se / log).exp())
            })
        };
        steps.push(ClusteredStep {
            time: step.time,
            survival: step.survival,
            std_err_log: std_err,
            // log S is below 0.
            lower: limit(-1.0),
            upper: limit(1.0),
        });
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exits 1, 2, 3, 4 with events at 1 and 3.
    fn four() -> Vec<Subject> {
        (1..=4).map(|t| Subject::new(f64::from(t), t % 2 == 1)).collect()
    }

    #[test]
    fn rows_of_their_own_are_greenwood() {
        let own = Groups::of(&["a", "b", "c", "d"]);
        let got = clustered(&four(), &own, 0.95).unwrap();
        let want = kaplan_meier(&four(), 0.95, Band::LogLog).unwrap();
        // Greenwood: 1/(4*3) at time 1, and 1/(2*1) more at time 3.
        for (step, variance) in got.iter().zip([1.0 / 12.0, 1.0 / 12.0 + 0.5]) {
            assert!((step.std_err_log.unwrap().powi(2) - variance).abs() < 1e-14);
            let same = want.steps.iter().find(|one| one.time == step.time).unwrap();
            assert!((step.lower.unwrap() - same.lower.unwrap()).abs() < 1e-12);
            assert!((step.upper.unwrap() - same.upper.unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn by_hand_with_clusters() {
        // At 1: n = 4, d = 1, influence -(1 - 1/4)/3 = -1/4 of the row that ends, (1/4)/3 = 1/12 of each other. Rows 1 and 2 together:
        // -1/4 + 1/12 = -1/6; rows 3 and 4: 1/6. Variance 2/36 = 1/18.
        // At 3: n = 2, d = 1: row 3 gains -(1 - 1/2)/1 = -1/2, row 4 gains 1/2: the second cluster stays at 1/6.
        let pairs = Groups::of(&["p", "p", "q", "q"]);
        let got = clustered(&four(), &pairs, 0.95).unwrap();
        for step in &got {
            assert!((step.std_err_log.unwrap().powi(2) - 1.0 / 18.0).abs() < 1e-14);
        }
        // The same event counted twice is no more information: two copies of each row, clustered, have Greenwood's variance of one.
        let twice: Vec<Subject> = four().into_iter().chain(four()).collect();
        let copies = Groups::of(&["a", "b", "c", "d", "a", "b", "c", "d"]);
        let got = clustered(&twice, &copies, 0.95).unwrap();
        assert!((got[0].std_err_log.unwrap().powi(2) - 1.0 / 12.0).abs() < 1e-14);
    }

    #[test]
    fn bad_input_is_an_error() {
        let short = Groups::of(&["a"]);
        assert_eq!(clustered(&four(), &short, 0.95), Err(StatisticsError::Columns));
        let mut weighted = four();
        weighted[0].weight = 2.0;
        let own = Groups::of(&["a", "b", "c", "d"]);
        assert!(clustered(&weighted, &own, 0.95).is_err());
    }
}
