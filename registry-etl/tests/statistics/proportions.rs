//! Wilson, Clopper-Pearson, Jeffreys, mid-P, funnel limits.

use crate::reference::{Tolerance, cases};
use registry_etl::statistics::{
    StatisticsError, clopper_pearson, exact_limits, jeffreys, mid_p, proportion::Interval, wilson,
};

/// Intervals agree to 1e-10 (an absolute 1e-15 covers limits that are 0 but for rounding).
const INTERVAL: Tolerance = Tolerance {
    relative: 1e-10,
    absolute: 1e-15,
};

#[test]
fn intervals_of_a_proportion() {
    type Method = fn(u64, u64, f64) -> Result<Option<Interval>, StatisticsError>;
    let methods: [(&str, Method); 4] = [
        ("wilson", wilson),
        ("clopper_pearson", clopper_pearson),
        ("jeffreys", jeffreys),
        ("mid_p", mid_p),
    ];
    let (mut compared, mut middle) = (0, 0);
    for case in cases("binomial_ci") {
        let level = case["input"]["level"].as_f64().expect("level");
        for row in case["expected"].as_array().expect("rows") {
            let (x, n) = (row["x"].as_u64().expect("x"), row["n"].as_u64().expect("n"));
            // The reference gives mid-P for some sizes at 95 % only.
            for (name, method) in methods.into_iter().filter(|m| !row[m.0].is_null()) {
                let got = method(x, n, level).expect("valid").expect("n > 0");
                let what = format!("{name} {x}/{n} at {level}");
                INTERVAL.check(&format!("{what}, lower"), Some(got.lower), &row[name][0]);
                INTERVAL.check(&format!("{what}, upper"), Some(got.upper), &row[name][1]);
                compared += 2;
                middle += usize::from(name == "mid_p");
            }
        }
    }
    assert!(middle > 100, "only {middle} mid-P intervals compared");
    assert!(compared > 1000, "only {compared} limits compared");
}

#[test]
fn no_trial_is_no_rate_and_more_successes_than_trials_is_an_error() {
    assert_eq!(wilson(0, 0, 0.95), Ok(None));
    assert_eq!(wilson(1, 0, 0.95), Err(StatisticsError::MoreThanTrials));
    assert_eq!(wilson(3, 2, 0.95), Err(StatisticsError::MoreThanTrials));
}

#[test]
fn exact_funnel_limits() {
    let tolerance = Tolerance {
        relative: 1e-9,
        absolute: 1e-10,
    };
    let mut compared = 0;
    for case in cases("funnel_limits_exact") {
        let target = case["input"]["target"].as_f64().expect("target");
        for row in case["expected"].as_array().expect("rows") {
            let n = u32::try_from(row["n"].as_u64().expect("n")).expect("small");
            let limits = exact_limits(n, target).expect("valid");
            for (name, got) in [
                ("lower95", limits.lower95),
                ("upper95", limits.upper95),
                ("lower998", limits.lower998),
                ("upper998", limits.upper998),
            ] {
                tolerance.check(
                    &format!("{name} of n = {n} around {target}"),
                    Some(got),
                    &row[name],
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 4 * 5 * 10, "only {compared} limits compared");
}
