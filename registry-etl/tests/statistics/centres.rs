//! Overdispersion, multiplicity, trend, differences and ratios: what centres are compared with.

use crate::reference::{Tolerance, cases, counts, numbers};
use registry_etl::statistics::{
    Scale, TrendGroup, benjamini_hochberg, benjamini_yekutieli, bonferroni, cochran_armitage, holm,
    overdispersion, proportion::Interval, ratio, two_proportions,
};
use serde_json::Value;

const INTERVAL: Tolerance = Tolerance {
    relative: 1e-10,
    absolute: 1e-15,
};
/// Limits and z-scores; the absolute part covers what is 0 but for rounding.
const LIMIT: Tolerance = Tolerance {
    relative: 1e-9,
    absolute: 1e-13,
};

#[test]
fn funnel_overdispersion() {
    let mut compared = 0;
    for case in cases("funnel_overdispersion") {
        let (input, expected, id) = (&case["input"], &case["expected"], &case["id"]);
        let pairs: Vec<(u32, u32)> = counts(&input["x"]).into_iter().zip(counts(&input["n"])).collect();
        let scale = match input["transform"].as_str() {
            None => Scale::Raw,
            Some("arcsine") => Scale::Arcsine,
            Some(other) => panic!("{other}"),
        };
        let winsor = input["winsor"].as_f64().expect("winsor");
        let got = overdispersion(&pairs, None, winsor, scale).expect("valid");
        for (name, value) in [
            ("theta", got.target),
            ("phi_unwinsorised", got.phi_unwinsorised),
            ("phi", got.phi),
            ("phi_used", got.phi_used),
            ("tau2", got.tau2),
        ] {
            LIMIT.check(&format!("{id} {name}"), Some(value), &expected[name]);
        }
        // Down to 1e-288: 1e-9 of it is not asked of a tail that far out, 1e-9 of its logarithm is.
        let p = expected["p_chisq_phi"].as_f64().expect("p");
        assert!(
            (got.p.ln() - p.ln()).abs() <= 1e-9 * p.ln().abs().max(1.0),
            "{id} p"
        );
        let winsor_limits = [got.winsor_limits.0, got.winsor_limits.1];
        for (name, values) in [
            ("z", &got.z[..]),
            ("winsor_limits", &winsor_limits),
            ("z_multiplicative", &got.z_multiplicative()),
            ("z_additive", &got.z_additive()),
        ] {
            LIMIT.check_all(&format!("{id} {name}"), values, &expected[name]);
        }
        type Limits<'a> = &'a dyn Fn(u32, f64) -> Interval;
        let multiplicative = |n, level| got.multiplicative_limits(n, level).expect("valid");
        let additive = |n, level| got.additive_limits(n, level).expect("valid");
        for (name, limits) in [("mult", &multiplicative as Limits<'_>), ("add", &additive)] {
            for (suffix, level) in [("95", 0.95), ("998", 0.998)] {
                let (lower, upper): (Vec<f64>, Vec<f64>) = pairs
                    .iter()
                    .map(|(_, n)| limits(*n, level))
                    .map(|i| (i.lower, i.upper))
                    .unzip();
                let (low, high) = (format!("{name}_lower{suffix}"), format!("{name}_upper{suffix}"));
                LIMIT.check_all(&format!("{id} {low}"), &lower, &expected[&low]);
                LIMIT.check_all(&format!("{id} {high}"), &upper, &expected[&high]);
                compared += 2 * pairs.len();
            }
        }
        let fields = expected.as_object().expect("an object").len();
        assert_eq!(
            fields,
            5 + 1 + 4 + 8,
            "{id}: every field of the reference is compared"
        );
    }
    assert!(compared > 1500, "only {compared} limits compared");
}

#[test]
fn adjusted_p_values() {
    let cases = cases("p_adjust");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let (p, expected) = (numbers(&case["input"]["p"]), &case["expected"]);
        for (name, adjust) in [
            ("bh", benjamini_hochberg as fn(&[f64]) -> Result<Vec<f64>, _>),
            ("by", benjamini_yekutieli),
            ("holm", holm),
            ("bonferroni", bonferroni),
        ] {
            // Relative only: 1e-300 must not pass as 0.
            let tolerance = Tolerance {
                relative: 1e-12,
                absolute: 0.0,
            };
            let what = format!("{} {name}", case["id"]);
            tolerance.check_all(&what, &adjust(&p).expect("valid"), &expected[name]);
        }
    }
}

#[test]
fn trend() {
    let cases = cases("trend");
    assert_eq!(cases.len(), 1);
    for case in cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        let (x, n) = (counts(&input["x"]), counts(&input["n"]));
        let groups: Vec<TrendGroup> = x
            .into_iter()
            .zip(n)
            .zip(numbers(&input["score"]))
            .map(|((x, n), score)| TrendGroup {
                x: x.into(),
                n: n.into(),
                score,
            })
            .collect();
        let got = cochran_armitage(&groups).expect("valid");
        LIMIT.check("z", Some(got.z), &expected["z"]);
        LIMIT.check("chi-square", Some(got.chi_square), &expected["chisq"]);
        LIMIT.check("p", Some(got.p), &expected["p"]);
    }
}

#[test]
fn differences_of_two_proportions() {
    let mut compared = 0;
    for case in cases("two_proportions") {
        for row in case["expected"].as_array().expect("rows") {
            let count = |name: &str| row[name].as_u64().expect("a count");
            let got = two_proportions((count("x1"), count("n1")), (count("x2"), count("n2")), 0.95)
                .expect("valid")
                .expect("trials");
            INTERVAL.check("difference", Some(got.difference), &row["diff"]);
            INTERVAL.check("lower", Some(got.lower), &row["lower"]);
            INTERVAL.check("upper", Some(got.upper), &row["upper"]);
            LIMIT.check("Fisher", Some(got.fisher_p), &row["fisher_p"]);
            LIMIT.check("chi-square", got.chi_square, &row["pearson_chisq"]);
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

#[test]
fn observed_over_expected() {
    let mut compared = 0;
    for case in cases("standardised_ratio") {
        for row in case["expected"].as_array().expect("rows") {
            let (o, e) = (row["O"].as_u64().expect("O"), row["E"].as_f64().expect("E"));
            let what = format!("{o} of {e} expected");
            let pair = |name: &str, got: Interval, expected: &Value| {
                INTERVAL.check_all(&format!("{what}, {name}"), &[got.lower, got.upper], expected);
            };
            LIMIT.check(&what, Some(ratio::ratio(o, e).expect("valid")), &row["ratio"]);
            pair("exact", ratio::exact(o, e, 0.95).expect("valid"), &row["exact"]);
            pair(
                "exact 998",
                ratio::exact(o, e, 0.998).expect("valid"),
                &row["exact998"],
            );
            pair("Byar", ratio::byar(o, e, 0.95).expect("valid"), &row["byar"]);
            pair("mid-P", ratio::mid_p(o, e, 0.95).expect("valid"), &row["mid_p"]);
            let (exact, middle) = (ratio::p_exact(o, e), ratio::p_mid(o, e));
            LIMIT.check(
                &format!("{what}, p"),
                exact.ok(),
                &row["p_exact_two_sided_doubled"],
            );
            LIMIT.check(&format!("{what}, mid-P p"), middle.ok(), &row["p_midp_doubled"]);
            compared += 1;
        }
    }
    assert_eq!(compared, 60);
}
