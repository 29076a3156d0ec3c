//! The Cox model against R `survival`.

use crate::cohort::{Case, ITERATED, cases, text};
use registry_etl::statistics::StatisticsError;
use registry_etl::statistics::survival::cox::{Proportionality, TimeScale};
use registry_etl::statistics::survival::{Cox, CoxModel, Ties, cox};
use serde_json::Value;

fn fit(case: &Case) -> Result<Cox, StatisticsError> {
    let (strata, cluster) = (case.groups("strata"), case.groups("cluster"));
    cox(&CoxModel {
        rows: &case.rows()?,
        covariates: &case.covariates(),
        strata: strata.as_ref(),
        cluster: cluster.as_ref(),
        robust: false,
        ties: match case.args["ties"].as_str() {
            Some("efron") | None => Ties::Efron,
            Some("breslow") => Ties::Breslow,
            other => panic!("{other:?}"),
        },
        level: 0.95,
    })
}

fn all(id: &str, what: &str, got: &[f64], expected: &Value) {
    ITERATED.check_all(&format!("{id}: {what}"), got, expected);
}

fn one(id: &str, what: &str, got: f64, expected: &Value) {
    ITERATED.check(&format!("{id}: {what}"), Some(got), expected);
}

fn proportionality(id: &str, got: &Proportionality, expected: &Value) {
    let tests = || got.covariates.iter().chain([&got.global]);
    all(
        id,
        "zph",
        &tests().map(|t| t.chi_square).collect::<Vec<_>>(),
        &expected["chisq"],
    );
    all(
        id,
        "zph df",
        &tests().map(|t| t.df as f64).collect::<Vec<_>>(),
        &expected["df"],
    );
    all(
        id,
        "zph p",
        &tests().map(|t| t.p).collect::<Vec<_>>(),
        &expected["p"],
    );
}

fn baseline(id: &str, got: &Cox, expected: &Value) {
    let steps = got.baseline(0).expect("a baseline");
    let times = expected["time"].as_array().expect("times");
    for (time, hazard) in times.iter().zip(expected["cumhaz"].as_array().expect("hazards")) {
        let time = time.as_f64().expect("a time");
        let before = steps.partition_point(|s| s.time <= time);
        let value = if before == 0 {
            0.0
        } else {
            steps[before - 1].cumulative_hazard
        };
        one(id, &format!("baseline at {time}"), value, hazard);
    }
}

fn predictions(id: &str, got: &Cox, case: &Case, expected: &Value) {
    let terms = case.expected["terms"].as_array().expect("terms");
    let times: Vec<f64> = expected["time"]
        .as_array()
        .expect("times")
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    let subjects = expected["newdata"][text(&terms[0])]
        .as_array()
        .expect("subjects")
        .len();
    for s in 0..subjects {
        let row: Vec<f64> = terms
            .iter()
            .map(|t| expected["newdata"][text(t)][s].as_f64().expect("a covariate"))
            .collect();
        let predicted = got.predict(&row, 0, &times, 0.95).expect("a prediction");
        for (t, p) in predicted.iter().enumerate() {
            let at = s * times.len() + t;
            let what = |name: &str| format!("{name} of subject {s} at {}", p.time);
            one(id, &what("survival"), p.survival, &expected["surv"][at]);
            let interval = p.interval.expect("an interval");
            one(id, &what("lower"), interval.lower, &expected["lower"][at]);
            one(id, &what("upper"), interval.upper, &expected["upper"][at]);
        }
    }
}

#[test]
fn cox_agrees_with_r() {
    let every = cases("cox_ph");
    assert_eq!(every.len(), 52);
    for case in every {
        let (id, e) = (case.id.as_str(), case.expected);
        let got = fit(&case).unwrap_or_else(|why| panic!("{id}: {why}"));
        assert_eq!(Some(got.n as u64), e["n"].as_u64(), "{id}");
        assert_eq!(Some(got.events as u64), e["n_events"].as_u64(), "{id}");
        all(id, "coefficients", &got.coefficients, &e["coef"]);
        all(id, "standard errors", &got.std_errors, &e["se"]);
        match &got.robust_std_errors {
            Some(robust) => all(id, "robust errors", robust, &e["robust_se"]),
            None => assert!(e["robust_se"].is_null(), "{id}"),
        }
        all(id, "z", &got.z, &e["z"]);
        all(id, "p", &got.p, &e["p"]);
        all(id, "hazard ratios", &got.hazard_ratios, &e["hr"]);
        let ends = |end: fn(&registry_etl::statistics::Interval) -> f64| {
            got.intervals.iter().map(end).collect::<Vec<f64>>()
        };
        all(id, "lower", &ends(|i| i.lower), &e["hr_lower"]);
        all(id, "upper", &ends(|i| i.upper), &e["hr_upper"]);
        for (i, row) in got.covariance.iter().enumerate() {
            all(id, "covariance", row, &e["vcov"][i]);
        }
        one(id, "null likelihood", got.log_likelihood_null, &e["loglik_null"]);
        one(id, "likelihood", got.log_likelihood, &e["loglik"]);
        one(
            id,
            "likelihood ratio",
            got.likelihood_ratio.chi_square,
            &e["lrt"]["chisq"],
        );
        assert_eq!(
            Some(got.likelihood_ratio.df as u64),
            e["lrt"]["df"].as_u64(),
            "{id}"
        );
        one(id, "likelihood ratio p", got.likelihood_ratio.p, &e["lrt"]["p"]);
        one(id, "score", got.score.chi_square, &e["score_test"]);
        one(id, "Wald", got.wald.chi_square, &e["wald_test"]);
        one(id, "AIC", got.aic(), &e["aic"]);
        let concordance = got.concordance.expect("comparable pairs");
        one(id, "concordance", concordance.c, &e["concordance"]);
        one(id, "its error", concordance.std_err, &e["concordance_se"]);
        let scales = [
            ("zph_km", TimeScale::KaplanMeier),
            ("zph_identity", TimeScale::Identity),
        ];
        for (name, scale) in scales {
            if !e[name].is_null() {
                proportionality(id, &got.proportional_hazards(scale).expect(id), &e[name]);
            }
        }
        if !e["baseline_cumhaz_at_x0"].is_null() {
            baseline(id, &got, &e["baseline_cumhaz_at_x0"]);
        }
        if !e["predicted"].is_null() {
            predictions(id, &got, &case, &e["predicted"]);
        }
    }
}

#[test]
fn what_has_no_estimate_is_an_error() {
    let separated = cases("cox_ph_nonconvergence");
    assert_eq!(separated.len(), 1);
    for case in separated {
        assert_eq!(fit(&case).err(), Some(StatisticsError::Separation), "{}", case.id);
    }
    let collinear = cases("cox_ph_collinear");
    assert_eq!(collinear.len(), 1);
    for case in collinear {
        assert_eq!(fit(&case).err(), Some(StatisticsError::Collinear), "{}", case.id);
    }
}
