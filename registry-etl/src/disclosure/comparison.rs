//! Comparisons of rules.

use super::{Audience, Thresholds, few};
use crate::results::{Comparison, MeasureChange, RateState, Side};

/// The comparison as an audience may see it: the office reads all of it; everybody else the network's rates where both sides
/// rest on enough patients and which measures change, without how many units moved, and for whom; nor how many cases the run has, which may be
/// held back beside an earlier run.
pub fn comparison(exact: &Comparison, audience: &Audience, thresholds: &Thresholds) -> Comparison {
    if *audience == Audience::Exact {
        return exact.clone();
    }
    let threshold = thresholds.of(audience);
    Comparison {
        cases: None,
        measures: exact
            .measures
            .iter()
            .map(|change| shown(change, threshold))
            .collect(),
        checks: Vec::new(),
        ..exact.clone()
    }
}

fn shown(change: &MeasureChange, threshold: u32) -> MeasureChange {
    let small = |side: &Side| few(side.patients.unwrap_or(0), threshold);
    let hidden = small(&change.base) || small(&change.other);
    let side = |side: &Side| if hidden { nothing() } else { rate_only(side) };
    MeasureChange {
        measure: change.measure.clone(),
        base: side(&change.base),
        other: side(&change.other),
        changed: change.changed,
        units_changed: None,
        patients_changed: None,
        moves: Vec::new(),
        centres: Vec::new(),
    }
}

/// Two denominators that differ by one would tell of that one: the rate in whole percent, and the patients in tens.
fn rate_only(side: &Side) -> Side {
    let percent = |share: Option<f64>| share.map(|share| (share * 100.0).round() / 100.0);
    Side {
        patients: side.patients.map(|n| n / 10 * 10),
        state: side.state,
        rate: percent(side.rate),
        lower: percent(side.lower),
        upper: percent(side.upper),
        ..nothing()
    }
}

fn nothing() -> Side {
    Side {
        numerator: None,
        denominator: None,
        not_assessable: None,
        excluded: None,
        excepted: None,
        patients: None,
        state: RateState::Suppressed,
        rate: None,
        lower: None,
        upper: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{CentreChange, RuleSet};

    fn side(numerator: u32, denominator: u32) -> Side {
        Side {
            numerator: Some(numerator),
            denominator: Some(denominator),
            patients: Some(denominator),
            state: RateState::Rate,
            rate: Some(f64::from(numerator) / f64::from(denominator)),
            ..nothing()
        }
    }

    fn of(base: Side, other: Side) -> Comparison {
        let rules = RuleSet {
            guideline: "g".to_owned(),
            version: "1".to_owned(),
            digest: String::new(),
        };
        Comparison {
            run: 1,
            cut_off: "2026-06-30".to_owned(),
            cases: Some(100),
            base: rules.clone(),
            other: rules,
            measures: vec![MeasureChange {
                measure: "1a".to_owned(),
                base,
                other,
                changed: true,
                units_changed: Some(1),
                patients_changed: Some(1),
                moves: Vec::new(),
                centres: vec![CentreChange {
                    centre: "C01".to_owned(),
                    n: 1,
                }],
            }],
            checks: Vec::new(),
        }
    }

    #[test]
    fn only_the_office_learns_how_many_moved_and_where() {
        let thresholds = Thresholds::default();
        let exact = of(side(30, 47), side(30, 48));
        assert_eq!(comparison(&exact, &Audience::Exact, &thresholds), exact);
        for audience in [
            Audience::Committee,
            Audience::Public,
            Audience::Centre("C01".to_owned()),
        ] {
            let seen = comparison(&exact, &audience, &thresholds);
            let change = &seen.measures[0];
            assert_eq!(seen.cases, None, "{audience:?}");
            assert_eq!((change.units_changed, change.centres.len()), (None, 0));
            assert!(change.changed, "that something moved is told");
            assert_eq!((change.base.denominator, change.other.denominator), (None, None));
            assert_eq!(
                (change.base.patients, change.other.patients),
                (Some(40), Some(40))
            );
            // 30 of 47 is 63.8 %, 30 of 48 is 62.5 %.
            assert_eq!((change.base.rate, change.other.rate), (Some(0.64), Some(0.63)));
        }
    }

    #[test]
    fn one_side_on_few_patients_hides_both() {
        let thresholds = Thresholds::default();
        let few = thresholds.committee - 1;
        let seen = comparison(&of(side(10, 40), side(1, few)), &Audience::Committee, &thresholds);
        assert_eq!(
            (seen.measures[0].base.rate, seen.measures[0].other.rate),
            (None, None)
        );
    }
}
