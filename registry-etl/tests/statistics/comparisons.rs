//! Log-rank tests, restricted means and landmarks against R `survival` and `survRM2`.

use crate::cohort::{EXACT, ITERATED, cases, text};
use crate::reference::Tolerance;
use registry_etl::statistics::survival::{
    Contrast, CoxModel, Groups, LogRank, Rows, Ties, cox, landmark, log_rank, nelson_aalen,
    pairwise_log_rank, restricted_mean_difference,
};
use registry_etl::statistics::{Band, StatisticsError, kaplan_meier};
use serde_json::Value;

fn check(id: &str, got: &LogRank, labels: &[String], expected: &Value) {
    let names: Vec<String> = expected["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(text)
        .collect();
    assert_eq!(labels, names, "{id}");
    let n: Vec<f64> = got.n.iter().map(|n| *n as f64).collect();
    EXACT.check_all(&format!("{id}: n"), &n, &expected["n"]);
    EXACT.check_all(&format!("{id}: observed"), &got.observed, &expected["observed"]);
    EXACT.check_all(&format!("{id}: expected"), &got.expected, &expected["expected"]);
    for (g, row) in got.variance.iter().enumerate() {
        EXACT.check_all(&format!("{id}: variance {g}"), row, &expected["var"][g]);
    }
    EXACT.check(
        &format!("{id}: chi-square"),
        Some(got.chi_square),
        &expected["chisq"],
    );
    assert_eq!(Some(got.df as u64), expected["df"].as_u64(), "{id}: df");
    EXACT.check(&format!("{id}: p"), Some(got.p), &expected["p"]);
    EXACT.check(
        &format!("{id}: log10 p"),
        Some(got.p.log10()),
        &expected["log10_p"],
    );
}

#[test]
fn log_rank_agrees_with_r() {
    let all: Vec<_> = cases("logrank").into_iter().chain(cases("peto_peto")).collect();
    assert_eq!(all.len(), 32);
    for case in all {
        let rows = case.rows().expect("valid");
        let groups = case.groups("group").expect("groups");
        let strata = case.groups("strata");
        let rho = case.args["rho"].as_f64().expect("rho");
        let got = log_rank(&rows, &groups, strata.as_ref(), rho).expect(&case.id);
        check(&case.id, &got, groups.labels(), case.expected);
    }
}

#[test]
fn pairwise_log_rank_agrees_with_r() {
    let all = cases("pairwise_logrank");
    assert_eq!(all.len(), 1);
    for case in all {
        let groups = case.groups("group").expect("groups");
        let got = pairwise_log_rank(&case.rows().expect("valid"), &groups, None).expect("pairs");
        for (i, (a, b)) in got.pairs.iter().enumerate() {
            assert_eq!(groups.labels()[*a], text(&case.expected["a"][i]));
            assert_eq!(groups.labels()[*b], text(&case.expected["b"][i]));
        }
        EXACT.check_all("p", &got.p, &case.expected["p"]);
        EXACT.check_all("p_bh", &got.p_benjamini_hochberg, &case.expected["p_bh"]);
        EXACT.check_all("p_holm", &got.p_holm, &case.expected["p_holm"]);
    }
}

fn contrast(what: &str, got: &Contrast, expected: &Value) {
    EXACT.check(&format!("{what}: estimate"), Some(got.estimate), &expected["est"]);
    EXACT.check(&format!("{what}: lower"), Some(got.lower), &expected["lower"]);
    EXACT.check(&format!("{what}: upper"), Some(got.upper), &expected["upper"]);
    EXACT.check(&format!("{what}: p"), got.p, &expected["p"]);
    if !expected["se"].is_null() {
        EXACT.check(&format!("{what}: se"), Some(got.std_err), &expected["se"]);
    }
}

#[test]
fn restricted_means_agree_with_survrm2() {
    let all = cases("rmst_two_group");
    assert_eq!(all.len(), 8);
    for case in all {
        let groups = case.groups("group").expect("groups");
        let tau = case.args["tau"].as_f64().expect("tau");
        let rows = case.rows().expect("valid");
        let got = restricted_mean_difference(&rows, &groups, tau, 0.95).expect(&case.id);
        let means: Vec<f64> = got.groups.iter().map(|g| g.mean).collect();
        let errors: Vec<f64> = got.groups.iter().map(|g| g.std_err).collect();
        EXACT.check_all(&format!("{}: mean", case.id), &means, &case.expected["rmst"]);
        EXACT.check_all(&format!("{}: se", case.id), &errors, &case.expected["se"]);
        contrast(&case.id, &got.difference, &case.expected["difference"]);
        contrast(&case.id, &got.ratio.expect("a ratio"), &case.expected["ratio"]);
    }
}

#[test]
fn landmarks_agree_with_r() {
    let all = cases("landmark");
    assert_eq!(all.len(), 3);
    for case in all {
        let exposure: Vec<Option<f64>> = case
            .named("exposure_time")
            .expect("exposure")
            .iter()
            .map(Value::as_f64)
            .collect();
        let rows = case.rows().expect("valid");
        let time = case.args["landmark"].as_f64().expect("landmark");
        let at = landmark(&rows, &exposure, time).expect(&case.id);
        let e = case.expected;
        assert_eq!(Some(at.rows.len() as u64), e["n"].as_u64());
        let exposed = at.exposed.iter().filter(|e| **e).count();
        assert_eq!(Some(exposed as u64), e["n_exposed"].as_u64());
        assert_eq!(
            Some((at.events_before + at.censored_before) as u64),
            e["n_excluded"].as_u64()
        );
        let groups = at.groups().expect("both groups");
        let test = log_rank(&at.rows, &groups, None, 0.0).expect("a test");
        EXACT.check("log-rank", Some(test.chi_square), &e["logrank_chisq"]);
        let covariates = at.covariate();
        let fit = cox(&CoxModel {
            rows: &at.rows,
            covariates: &covariates,
            strata: None,
            cluster: None,
            robust: false,
            ties: Ties::Efron,
            level: 0.95,
        });
        let fit = fit.expect("a fit");
        ITERATED.check("coefficient", Some(fit.coefficients[0]), &e["cox_coef"]);
        ITERATED.check("standard error", Some(fit.std_errors[0]), &e["cox_se"]);
        for (group, expected) in e["km"].as_array().expect("curves").iter().enumerate() {
            let members = groups.rows(&at.rows, group).expect("a group");
            curve(
                &format!("{} {group}", case.id),
                &members,
                expected,
                &case.at_times("at_times_after_landmark"),
            );
        }
    }
}

fn curve(id: &str, rows: &Rows, expected: &Value, at_times: &[f64]) {
    let curve = kaplan_meier(&rows.subjects(), 0.95, Band::LogLog).expect("a curve");
    let column = |of: fn(&registry_etl::statistics::kaplan_meier::Step) -> f64| {
        curve.steps.iter().map(of).collect::<Vec<f64>>()
    };
    let survival = column(|s| s.survival);
    EXACT.check_all(&format!("{id}: time"), &column(|s| s.time), &expected["time"]);
    EXACT.check_all(
        &format!("{id}: at risk"),
        &column(|s| s.at_risk),
        &expected["n_risk"],
    );
    EXACT.check_all(
        &format!("{id}: events"),
        &column(|s| s.events),
        &expected["n_event"],
    );
    EXACT.check_all(
        &format!("{id}: censored"),
        &column(|s| s.censored),
        &expected["n_censor"],
    );
    EXACT.check_all(&format!("{id}: survival"), &survival, &expected["surv"]);
    for (i, s) in curve.steps.iter().enumerate() {
        if s.survival < 1.0 {
            EXACT.check(&format!("{id}: lower {i}"), s.lower, &expected["lower"][i]);
            EXACT.check(&format!("{id}: upper {i}"), s.upper, &expected["upper"][i]);
            EXACT.check(
                &format!("{id}: error {i}"),
                s.std_err_log,
                &expected["std_err_log"][i],
            );
        }
    }
    let hazard = nelson_aalen(&curve);
    let sums: Vec<f64> = hazard.iter().map(|h| h.cumulative_hazard).collect();
    EXACT.check_all(&format!("{id}: hazard"), &sums, &expected["cumhaz_na"]);
    let errors: Vec<f64> = hazard.iter().map(|h| h.std_err).collect();
    EXACT.check_all(&format!("{id}: its error"), &errors, &expected["std_cumhaz_na"]);
    for (i, p) in expected["quantile"]["p"]
        .as_array()
        .expect("p")
        .iter()
        .enumerate()
    {
        let q = curve
            .time_at_survival(1.0 - p.as_f64().expect("p"))
            .expect("0 < p < 1");
        EXACT.check(
            &format!("{id}: quantile"),
            q.map(|q| q.time),
            &expected["quantile"]["value"][i],
        );
    }
    for (i, time) in at_times.iter().enumerate() {
        let at = curve.at(*time);
        EXACT.check(
            &format!("{id}: at {time}"),
            Some(at.survival),
            &expected["at"]["surv"][i],
        );
        EXACT.check(&format!("{id}: at {time}"), at.lower, &expected["at"]["lower"][i]);
        EXACT.check(&format!("{id}: at {time}"), at.upper, &expected["at"]["upper"][i]);
    }
}

#[test]
fn delayed_entry_makes_it_the_score_test_of_the_cox_model() {
    // By hand, two groups, no ties. Rows (entry, exit, event, group): (0,2,1,a) (0,4,1,b) (3,5,1,a) (1,6,0,b).
    // t=2: at risk a1, b2, b4: n 3, b 2. t=4: b2, a3, b4: n 3, b 2. t=5: a3, b4: n 2, b 1.
    // Expected b 2/3 + 2/3 + 1/2; variance 2/9 + 2/9 + 1/4.
    let columns = registry_etl::statistics::survival::Columns {
        exit: &[2.0, 4.0, 5.0, 6.0],
        event: &[1, 1, 1, 0],
        entry: Some(&[0.0, 0.0, 3.0, 1.0]),
        weight: None,
    };
    let rows = Rows::new(columns, 1).expect("valid");
    let groups = Groups::of(&["a", "b", "a", "b"]);
    let got = log_rank(&rows, &groups, None, 0.0).expect("a test");
    assert!(got.cox_score);
    let (expected, variance) = (4.0 / 3.0 + 0.5, 4.0 / 9.0 + 0.25);
    let close = Tolerance {
        relative: 1e-12,
        absolute: 0.0,
    };
    close.check_all("observed", &got.observed, &serde_json::json!([2.0, 1.0]));
    close.check("expected", Some(got.expected[1]), &expected.into());
    close.check("variance", Some(got.variance[1][1]), &variance.into());
    let chi_square = (1.0 - expected) * (1.0 - expected) / variance;
    close.check("chi-square", Some(got.chi_square), &chi_square.into());

    assert!(matches!(
        log_rank(&rows, &groups, None, 1.0),
        Err(StatisticsError::DelayedEntryRefused { .. })
    ));
    assert!(matches!(
        restricted_mean_difference(&rows, &groups, 5.0, 0.95),
        Err(StatisticsError::DelayedEntryRefused { .. })
    ));
}
