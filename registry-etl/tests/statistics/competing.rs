//! Competing events against R `survival` and `cmprsk`.

use crate::cohort::{EXACT, ITERATED, cases, text};
use registry_etl::statistics::survival::aalen_johansen::CumulativeIncidence;
use registry_etl::statistics::survival::{
    CensoringTies, Columns, Incidence, Rows, aalen_johansen, fine_gray, gray_test,
};
use registry_etl::statistics::{Band, StatisticsError};
use serde_json::Value;

/// R gives no interval where nothing has happened yet; this registry gives [0, 0].
fn point(what: &str, got: &CumulativeIncidence, expected: &Value, at: usize) {
    EXACT.check(
        &format!("{what}: incidence"),
        Some(got.incidence),
        &expected["cif"][at],
    );
    EXACT.check(
        &format!("{what}: error"),
        Some(got.std_err),
        &expected["std_err"][at],
    );
    for (end, value) in [("lower", got.lower), ("upper", got.upper)] {
        if got.incidence == 0.0 {
            assert_eq!(value, Some(0.0), "{what}: {end}");
            assert!(
                matches!(expected[end][at].as_f64(), None | Some(0.0)),
                "{what}: {end}"
            );
        } else {
            EXACT.check(&format!("{what}: {end}"), value, &expected[end][at]);
        }
    }
}

fn check(id: &str, got: &Incidence, expected: &Value) {
    assert_eq!(Some(got.n as u64), expected["n"].as_u64(), "{id}");
    // R lists only times at which somebody leaves; so do the steps.
    assert_eq!(
        got.steps.len(),
        expected["time"].as_array().expect("times").len(),
        "{id}"
    );
    for (i, step) in got.steps.iter().enumerate() {
        let what = |name: &str| format!("{id}: {name} at {}", step.time);
        EXACT.check(&what("time"), Some(step.time), &expected["time"][i]);
        EXACT.check(&what("at risk"), Some(step.at_risk), &expected["n_risk"][i]);
        EXACT.check_all(&what("events"), &step.events, &expected["n_event_by_cause"][i]);
        EXACT.check(
            &what("survival"),
            Some(step.survival),
            &expected["overall_surv"][i],
        );
        for (c, cause) in expected["causes"].as_array().expect("causes").iter().enumerate() {
            assert_eq!(cause["cause"].as_u64(), Some(c as u64 + 1), "{id}");
            point(&what(&format!("cause {}", c + 1)), &step.causes[c], cause, i);
        }
    }
    for (c, cause) in expected["causes"].as_array().expect("causes").iter().enumerate() {
        for (i, time) in cause["at"]["time"].as_array().expect("times").iter().enumerate() {
            let at = got
                .incidence_at(c + 1, time.as_f64().expect("a time"))
                .expect("a cause");
            point(&format!("{id}: cause {} at {time}", c + 1), &at, &cause["at"], i);
        }
    }
    assert_eq!(got.incidence_at(3, 1.0), Err(StatisticsError::Cause { cause: 3 }));
}

#[test]
fn aalen_johansen_agrees_with_r() {
    let all = cases("aalen_johansen");
    assert_eq!(all.len(), 30);
    for case in all {
        let rows = case.rows().expect("valid");
        let groups = case.groups("group");
        let band = match case.args["conf_type"].as_str() {
            Some("log-log") => Band::LogLog,
            Some("log") => Band::Log,
            other => panic!("{other:?}"),
        };
        let expected = case.expected.as_array().expect("groups");
        assert_eq!(expected.len(), groups.as_ref().map_or(1, |g| g.labels().len()));
        for (g, expected) in expected.iter().enumerate() {
            let id = format!("{} {}", case.id, text(&expected["group"]));
            let members = match &groups {
                None => rows.clone(),
                Some(groups) => {
                    assert_eq!(groups.labels()[g], text(&expected["group"]), "{id}");
                    groups.rows(&rows, g).expect("a group")
                }
            };
            check(
                &id,
                &aalen_johansen(&members, 0.95, band).expect("valid"),
                expected,
            );
        }
    }
}

#[test]
fn gray_agrees_with_cmprsk() {
    let all = cases("gray_test");
    assert_eq!(all.len(), 8);
    for case in all {
        let (rows, groups) = (case.rows().expect("valid"), case.groups("group").expect("groups"));
        let rho = case.args["rho"].as_f64().expect("rho");
        for (i, cause) in case.expected["cause"]
            .as_array()
            .expect("causes")
            .iter()
            .enumerate()
        {
            let cause = cause.as_u64().expect("a cause") as usize;
            let got = gray_test(&rows, &groups, cause, rho).expect(&case.id);
            let id = format!("{} cause {cause}", case.id);
            EXACT.check(&id, Some(got.chi_square), &case.expected["stat"][i]);
            EXACT.check(&id, Some(got.p), &case.expected["p"][i]);
            assert_eq!(Some(got.df as u64), case.expected["df"][i].as_u64(), "{id}");
        }
    }
}

#[test]
fn fine_gray_agrees_with_cmprsk_and_with_finegray() {
    let all = cases("fine_gray");
    assert_eq!(all.len(), 8);
    for case in all {
        let (id, e) = (&case.id, case.expected);
        let cause = case.args["cause"].as_u64().expect("a cause") as usize;
        let (rows, covariates) = (case.rows().expect("valid"), case.covariates());
        let fit = |ties| fine_gray(&rows, &covariates, cause, ties, 0.95).expect(id);
        let crr = fit(CensoringTies::Together);
        let check = |what: &str, got: &[f64], expected: &Value| {
            ITERATED.check_all(&format!("{id}: {what}"), got, expected);
        };
        check("coefficients", &crr.coefficients, &e["coef"]);
        check("ratios", &crr.hazard_ratios, &e["shr"]);
        ITERATED.check(id, Some(crr.log_likelihood), &e["loglik"]);
        ITERATED.check(id, Some(crr.log_likelihood_null), &e["loglik_null"]);
        let weighted = fit(CensoringTies::EventsFirst);
        check(
            "finegray",
            &weighted.coefficients,
            &e["alt_finegray_coxph_breslow_coef"],
        );
        check("errors", &crr.std_errors, &e["robust_se"]);
        check("p", &crr.p, &e["p"]);
    }
}

/// The steps to an incidence of 1 need not add up to 1 exactly: whatever the number of rows, there is no interval at its end.
#[test]
fn there_is_no_interval_where_everybody_has_had_the_event() {
    for n in 1..=200_u32 {
        let exit: Vec<f64> = (1..=n).map(f64::from).collect();
        let columns = Columns {
            exit: &exit,
            event: &vec![1; exit.len()],
            ..Columns::default()
        };
        let rows = Rows::new(columns, 2).expect("valid");
        let got = aalen_johansen(&rows, 0.95, Band::LogLog).expect("valid");
        let last = got.steps.last().expect("a step").causes[0];
        assert!((last.incidence - 1.0).abs() < 1e-12, "{n}: {last:?}");
        assert_eq!((last.lower, last.upper), (None, None), "{n}: {last:?}");
    }
}
