//! Case mix: logistic model, expected events of each centre, shrinkage.

use crate::reference::{Tolerance, cases, counts, numbers};
use registry_etl::statistics::{indirect_standardisation, shrink};

/// 1e-6 is asked of a regression; Newton's method gives more.
const MODEL: Tolerance = Tolerance {
    relative: 1e-7,
    absolute: 1e-10,
};

#[test]
fn expected_events_by_case_mix() {
    let cases = cases("indirect_standardisation");
    assert_eq!(cases.len(), 1);
    for case in cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        let (age, grade) = (numbers(&input["age"]), counts(&input["grade"]));
        let sex = counts(&input["sex"]);
        let dummy = |is: bool| f64::from(u8::from(is));
        let covariates: Vec<Vec<f64>> = (0..age.len())
            .map(|i| {
                vec![
                    age[i],
                    f64::from(sex[i]),
                    dummy(grade[i] == 2),
                    dummy(grade[i] == 3),
                ]
            })
            .collect();
        let outcome: Vec<bool> = counts(&input["y"]).into_iter().map(|y| y == 1).collect();
        let got = indirect_standardisation(&counts(&input["centre"]), &covariates, &outcome).expect("fits");

        MODEL.check_all("coefficients", &got.model.coefficients, &expected["coef"]);
        MODEL.check_all("standard errors", &got.model.std_errors, &expected["se"]);
        let likelihood = got.model.log_likelihood;
        MODEL.check("log likelihood", Some(likelihood), &expected["loglik"]);
        MODEL.check("overall rate", Some(got.overall_rate), &expected["overall_rate"]);
        MODEL.check("concordance", Some(got.concordance), &expected["c_statistic"]);
        MODEL.check("Brier", Some(got.brier), &expected["brier"]);

        let rows = expected["centres"].as_array().expect("centres");
        assert_eq!(got.centres.len(), rows.len());
        for (centre, row) in got.centres.iter().zip(rows) {
            let what = format!("centre {}", row["centre"]);
            assert_eq!(u64::from(centre.centre), row["centre"], "{what}");
            assert_eq!(u64::from(centre.cases), row["n"], "{what}");
            assert_eq!(u64::from(centre.observed), row["O"], "{what}");
            for (name, value) in [
                ("E", centre.expected),
                ("oe", centre.ratio),
                ("var_bernoulli", centre.variance),
                ("z", centre.z),
                ("risk_standardised_rate", centre.standardised_rate),
                ("p_poisson_exact", centre.p),
            ] {
                MODEL.check(&format!("{what}, {name}"), Some(value), &row[name]);
            }
            let interval = [centre.interval.lower, centre.interval.upper];
            MODEL.check_all(&format!("{what}, interval"), &interval, &row["oe_exact"]);
        }
        let observed: f64 = got.centres.iter().map(|c| f64::from(c.observed)).sum();
        let total: f64 = got.centres.iter().map(|c| c.expected).sum();
        assert!(
            (observed - total).abs() < 1e-8 * observed,
            "events expected are those observed"
        );

        // Shrunk, every ratio lies between its own and 1, the mean of all.
        let pairs: Vec<(u32, f64)> = got.centres.iter().map(|c| (c.observed, c.expected)).collect();
        let shrunk = shrink(&pairs, 0.95).expect("events");
        assert!((shrunk.mean - 1.0).abs() < 1e-8);
        for centre in &shrunk.centres {
            let (low, high) = (centre.raw.min(shrunk.mean), centre.raw.max(shrunk.mean));
            assert!((low..=high).contains(&centre.ratio), "{centre:?}");
        }
    }
}
