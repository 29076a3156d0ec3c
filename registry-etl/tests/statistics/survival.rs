//! Kaplan-Meier and reverse Kaplan-Meier against R `survival`.

use crate::reference::{Tolerance, load};
use registry_etl::statistics::{
    Band, Curve, StatisticsError, Subject, kaplan_meier,
    kaplan_meier::{Quantile, subjects},
    reverse_kaplan_meier,
    survival::{nelson_aalen, restricted_mean},
};
use serde_json::Value;
use std::collections::BTreeMap;

const DEFAULT: Tolerance = Tolerance {
    relative: 1e-9,
    absolute: 1e-10,
};

struct Case {
    id: String,
    groups: Vec<(Vec<Subject>, Value)>,
    band: Band,
    level: f64,
    weighted: bool,
    at_times: Vec<f64>,
}

fn column<'a>(input: &'a Value, args: &Value, name: &str) -> Option<&'a Vec<Value>> {
    args[name]
        .as_str()
        .map(|column| input["columns"][column].as_array().expect("a column"))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Joins the consecutive spans of one subject (a time-dependent covariate splits them), as R does for one curve.
fn join_spans(rows: Vec<(String, Subject)>) -> Vec<Subject> {
    let mut by_id: BTreeMap<String, Vec<Subject>> = BTreeMap::new();
    for (id, row) in rows {
        by_id.entry(id).or_default().push(row);
    }
    let mut joined = Vec::new();
    for (_, mut spans) in by_id {
        spans.sort_by(|a, b| a.exit.total_cmp(&b.exit));
        let mut current: Option<Subject> = None;
        for span in spans {
            current = match current {
                Some(open) if span.entry == Some(open.exit) && !open.event => Some(Subject {
                    entry: open.entry,
                    ..span
                }),
                Some(open) => {
                    joined.push(open);
                    Some(span)
                }
                None => Some(span),
            };
        }
        joined.extend(current);
    }
    joined
}

fn cases(method: &str) -> Vec<Case> {
    let file = load("survival_reference_cases.json.gz");
    let chosen = file["cases"].as_array().expect("cases").iter();
    chosen
        .filter(|c| c["method"] == method && c["split"] == "open")
        .map(|case| {
            let (args, input) = (
                &case["args"],
                &file["inputs"][case["input"].as_str().expect("input")],
            );
            let time = column(input, args, "time").expect("times");
            let event = column(input, args, "event").expect("events");
            let rows = (0..time.len()).map(|i| {
                let mut subject = Subject::new(
                    time[i].as_f64().expect("time"),
                    event[i].as_i64().expect("event") == 1,
                );
                if let Some(start) = column(input, args, "start") {
                    subject = subject.entering_at(start[i].as_f64().expect("start"));
                }
                if let Some(weight) = column(input, args, "weights") {
                    subject.weight = weight[i].as_f64().expect("weight");
                }
                let id = column(input, args, "subject_id").map_or_else(|| i.to_string(), |c| text(&c[i]));
                let group = column(input, args, "group").map_or_else(|| "all".to_owned(), |c| text(&c[i]));
                (group, id, subject)
            });
            let mut by_group: BTreeMap<String, Vec<(String, Subject)>> = BTreeMap::new();
            for (group, id, subject) in rows {
                by_group.entry(group).or_default().push((id, subject));
            }
            let expected = case["expected"].as_array().expect("groups");
            assert_eq!(by_group.len(), expected.len(), "groups of {}", case["id"]);
            let groups = expected
                .iter()
                .map(|e| {
                    // R calls a lone group `all`, whatever its value.
                    let name = text(&e["group"]);
                    let rows = by_group
                        .remove(&name)
                        .or_else(|| by_group.pop_first().map(|g| g.1));
                    let rows = rows.expect("the group of the reference");
                    (join_spans(rows), e.clone())
                })
                .collect();
            assert!(by_group.is_empty(), "every group is compared");
            Case {
                id: text(&case["id"]),
                groups,
                band: match args["conf_type"].as_str() {
                    Some("log-log") => Band::LogLog,
                    Some("log") => Band::Log,
                    Some("plain") => Band::Plain,
                    other => panic!("unknown interval {other:?}"),
                },
                level: args["conf_level"].as_f64().unwrap_or(0.95),
                weighted: !args["weights"].is_null(),
                at_times: args["at_times"]
                    .as_array()
                    .map(|a| a.iter().filter_map(Value::as_f64).collect())
                    .unwrap_or_default(),
            }
        })
        .collect()
}

/// R 3.5-3 gives no interval where S is still 1; this registry gives [1, 1], as later versions do.
fn limit(got: Option<f64>, survival: f64, expected: &Value, what: &str) {
    if survival == 1.0 && expected.is_null() {
        assert_eq!(got, Some(1.0), "{what}");
    } else {
        DEFAULT.check(what, got, expected);
    }
}

fn check_steps(id: &str, curve: &Curve, expected: &Value, weighted: bool) {
    // R lists the times at which a subject merely changes state too; they carry neither event nor censoring.
    let rows: Vec<usize> = (0..expected["time"].as_array().expect("times").len())
        .filter(|&i| {
            expected["n_event"][i].as_f64() != Some(0.0) || expected["n_censor"][i].as_f64() != Some(0.0)
        })
        .collect();
    assert_eq!(curve.steps.len(), rows.len(), "{id}: number of steps");
    for (step, i) in curve.steps.iter().zip(rows) {
        let what = |name: &str| format!("{id}: {name} at {}", step.time);
        DEFAULT.check(&what("time"), Some(step.time), &expected["time"][i]);
        DEFAULT.check(&what("n_risk"), Some(step.at_risk), &expected["n_risk"][i]);
        DEFAULT.check(&what("n_event"), Some(step.events), &expected["n_event"][i]);
        DEFAULT.check(&what("n_censor"), Some(step.censored), &expected["n_censor"][i]);
        DEFAULT.check(&what("surv"), Some(step.survival), &expected["surv"][i]);
        if weighted {
            continue; // the reference holds R's robust variance for weights
        }
        DEFAULT.check(
            &what("std_err_log"),
            step.std_err_log,
            &expected["std_err_log"][i],
        );
        let se = step.std_err_log.map(|se| se * step.survival);
        DEFAULT.check(&what("std_err_surv"), se, &expected["std_err_surv"][i]);
        limit(step.lower, step.survival, &expected["lower"][i], &what("lower"));
        limit(step.upper, step.survival, &expected["upper"][i], &what("upper"));
    }
}

/// At every time of the reference: R lists those at which a subject merely changes state too.
fn check_hazard(id: &str, curve: &Curve, expected: &Value, weighted: bool) {
    let hazard = nelson_aalen(curve);
    for (i, time) in expected["time"].as_array().expect("times").iter().enumerate() {
        let time = time.as_f64().expect("a time");
        let got = hazard[..hazard.partition_point(|h| h.time <= time)].last();
        let sum = got.map_or(0.0, |h| h.cumulative_hazard);
        DEFAULT.check(
            &format!("{id}: hazard at {time}"),
            Some(sum),
            &expected["cumhaz_na"][i],
        );
        if !weighted {
            let error = got.map_or(0.0, |h| h.std_err);
            DEFAULT.check(
                &format!("{id}: its error"),
                Some(error),
                &expected["std_cumhaz_na"][i],
            );
        }
    }
}

fn check_quantiles(id: &str, curve: &Curve, expected: &Value, weighted: bool) {
    let probabilities = expected["p"].as_array().expect("p");
    for (i, p) in probabilities.iter().enumerate() {
        let p = p.as_f64().expect("p");
        let got: Option<Quantile> = curve.time_at_survival(1.0 - p).expect("0 < p < 1");
        DEFAULT.check(
            &format!("{id}: quantile {p}"),
            got.map(|q| q.time),
            &expected["value"][i],
        );
        if weighted {
            continue;
        }
        let ends = [
            ("lower", got.and_then(|q| q.lower)),
            ("upper", got.and_then(|q| q.upper)),
        ];
        for (end, value) in ends {
            let first = &expected["band_not_monotone"][format!("{end}_first_crossing")];
            let wanted = if first.is_null() {
                &expected[end][i]
            } else {
                &first[i]
            };
            // R reads the interval off the band even where S itself does not fall that far.
            if got.is_some() {
                DEFAULT.check(&format!("{id}: {end} end of quantile {p}"), value, wanted);
            }
        }
    }
}

fn check_landmarks(id: &str, curve: &Curve, expected: &Value, times: &[f64], weighted: bool) {
    for (i, time) in times.iter().enumerate() {
        let got = curve.at(*time);
        let what = |name: &str| format!("{id}: {name} at landmark {time}");
        let exact = &expected["n_risk_exact"];
        let at_risk = if exact.is_null() {
            &expected["n_risk"][i]
        } else {
            &exact[i]
        };
        DEFAULT.check(&what("n_risk"), Some(got.at_risk), at_risk);
        DEFAULT.check(&what("surv"), Some(got.survival), &expected["surv"][i]);
        if !weighted {
            limit(got.lower, got.survival, &expected["lower"][i], &what("lower"));
            limit(got.upper, got.survival, &expected["upper"][i], &what("upper"));
        }
    }
}

#[test]
fn kaplan_meier_agrees_with_r() {
    let cases = cases("kaplan_meier");
    assert_eq!(cases.len(), 109);
    for case in cases {
        for (subjects, expected) in &case.groups {
            let id = format!("{} {}", case.id, text(&expected["group"]));
            let curve = kaplan_meier(subjects, case.level, case.band).expect("valid input");
            DEFAULT.check(
                &format!("{id}: events"),
                Some(curve.events()),
                &expected["n_events"],
            );
            check_steps(&id, &curve, expected, case.weighted);
            check_quantiles(&id, &curve, &expected["quantile"], case.weighted);
            check_landmarks(&id, &curve, &expected["at"], &case.at_times, case.weighted);
            check_hazard(&id, &curve, expected, case.weighted);
            if let Some(tau) = expected["rmst"]["tau"].as_f64() {
                let got = restricted_mean(&curve, tau, case.level).expect(&id);
                DEFAULT.check(&format!("{id}: mean"), Some(got.mean), &expected["rmst"]["rmst"]);
                DEFAULT.check(
                    &format!("{id}: its error"),
                    Some(got.std_err),
                    &expected["rmst"]["se"],
                );
            }
        }
    }
}

#[test]
fn reverse_kaplan_meier_agrees_with_r() {
    let cases = cases("reverse_km");
    assert_eq!(cases.len(), 14);
    for case in cases {
        for (subjects, expected) in &case.groups {
            let id = format!("{} {}", case.id, text(&expected["group"]));
            let curve = reverse_kaplan_meier(subjects, case.level, case.band).expect("valid input");
            check_quantiles(&id, &curve, expected, false);
        }
    }
}

#[test]
fn bad_input_is_an_error() {
    let file = load("survival_reference_cases.json.gz");
    let estimate = |times: &[f64], events: &[i64], level: f64| {
        kaplan_meier(&subjects(times, events)?, level, Band::LogLog).map(|_| ())
    };
    let exit = |index| StatisticsError::Time { index, what: "exit" };
    let columns = |name: &str| {
        let columns = &file["inputs"][name]["columns"];
        let numbers = |c: &str| -> Vec<f64> {
            columns[c]
                .as_array()
                .expect("a column")
                .iter()
                .filter_map(Value::as_f64)
                .collect()
        };
        let events: Vec<i64> = numbers("event").iter().map(|e| *e as i64).collect();
        (numbers("time"), events)
    };
    let (times, events) = columns("bad_neg");
    assert_eq!(estimate(&times, &events, 0.95), Err(exit(0)));
    for bad in [f64::NAN, f64::INFINITY] {
        // The file writes both as null.
        assert_eq!(estimate(&[bad, 2.0, 3.0], &[1, 0, 1], 0.95), Err(exit(0)));
    }
    let (times, events) = columns("bad_len");
    assert_eq!(
        estimate(&times, &events, 0.95),
        Err(StatisticsError::Lengths { times: 3, events: 2 })
    );
    let (times, events) = columns("bad_code");
    assert_eq!(
        estimate(&times, &events, 0.95),
        Err(StatisticsError::EventCode { index: 1 })
    );
    assert_eq!(estimate(&[], &[], 0.95), Err(StatisticsError::Empty));
    let (times, events) = columns("bad_ci");
    assert_eq!(estimate(&times, &events, 1.5), Err(StatisticsError::Level));

    let spans = [(2.0, 2.0), (3.0, 2.0), (1.0, 4.0)];
    let late: Vec<Subject> = spans
        .map(|(entry, exit)| Subject::new(exit, true).entering_at(entry))
        .to_vec();
    assert_eq!(
        kaplan_meier(&late, 0.95, Band::LogLog),
        Err(StatisticsError::EntryNotBeforeExit { index: 0 })
    );
}

/// The limits are those of R `survfit(conf.type = "log-log")`. The lower one falls below a half with the death on day 1, rises again while
/// others enter, and falls below once more: the first time counts (R `quantile` would take the last of the larger values below, 405).
#[test]
fn the_limit_of_a_median_is_where_the_band_first_reaches_a_half() {
    let death = |day: f64| Subject::new(day, true);
    let mut group = vec![death(1.0), death(405.0), death(414.0), death(536.0), death(545.0)];
    group.extend([
        death(638.0),
        death(662.0),
        Subject::new(700.0, false),
        death(747.0),
    ]);
    group.extend((0..7).map(|_| Subject::new(800.0, false).entering_at(2.0)));
    let curve = kaplan_meier(&group, 0.95, Band::LogLog).expect("valid");
    let lower: Vec<f64> = curve.steps.iter().take(3).filter_map(|s| s.lower).collect();
    for (got, r) in lower.iter().zip([0.4330, 0.4571, 0.4324]) {
        assert!((got - r).abs() < 5e-5, "{lower:?}");
    }
    let median = curve.time_at_survival(0.5).expect("valid").expect("a median");
    assert_eq!((median.time, median.lower), (747.0, Some(1.0)));
}

#[test]
fn by_hand_with_delayed_entry() {
    // Exits 2 (death), 4 (censored), 5 (death); the third subject enters at 3.
    // t = 2: 2 at risk, S = 1/2. t = 5: 1 at risk (the third), S = 0, after the last entry.
    let group = [
        Subject::new(2.0, true),
        Subject::new(4.0, false),
        Subject::new(5.0, true).entering_at(3.0),
    ];
    let curve = kaplan_meier(&group, 0.95, Band::LogLog).expect("valid");
    let seen: Vec<(f64, f64, f64)> = curve
        .steps
        .iter()
        .map(|s| (s.time, s.at_risk, s.survival))
        .collect();
    assert_eq!(seen, [(2.0, 2.0, 0.5), (4.0, 2.0, 0.5), (5.0, 1.0, 0.0)]);
    assert!(!curve.zero_before_last_entry());
    assert_eq!(curve.smallest_risk_set_while_entering(), Some((2.0, 2.0)));
    assert_eq!(
        curve.at(3.0).at_risk,
        1.0,
        "entering at 3 is not yet at risk at 3"
    );
    // S is 1/2 exactly from 2 to 5: the median is the midpoint.
    assert_eq!(
        curve.time_at_survival(0.5).expect("p").expect("reached").time,
        3.5
    );
}

#[test]
fn a_curve_that_dies_out_while_people_are_still_to_enter_says_so() {
    // R's own left-truncation trap: one at risk at 2 dies, five enter later.
    let exits = [
        (2.0, true),
        (5.0, true),
        (6.0, false),
        (8.0, true),
        (9.0, false),
        (12.0, true),
    ];
    let entries = [0.0, 3.0, 3.0, 4.0, 4.0, 5.0];
    let group: Vec<Subject> = exits
        .iter()
        .zip(entries)
        .map(|(&(t, e), entry)| Subject::new(t, e).entering_at(entry))
        .collect();
    let curve = kaplan_meier(&group, 0.95, Band::LogLog).expect("valid");
    assert!(curve.zero_before_last_entry());
    assert_eq!(curve.smallest_risk_set_while_entering(), Some((2.0, 1.0)));
    assert_eq!(curve.at(1.0).at_risk, 1.0);
}

#[test]
fn large_times_a_unit_apart_stay_apart() {
    // R takes these for one time (it merges what differs by less than 1.5e-8 of the mean); the registry does not.
    let all = crate::cohort::cases("kaplan_meier");
    let large: Vec<_> = all
        .iter()
        .filter(|c| c.id.starts_with("edge_large_scale"))
        .collect();
    assert_eq!(large.len(), 2);
    for case in large {
        let rows = case.rows().expect("valid");
        let curve = kaplan_meier(&rows.subjects(), 0.95, Band::LogLog).expect("a curve");
        let survival: Vec<f64> = curve.steps.iter().map(|s| s.survival).collect();
        assert_eq!(survival, [1.0 - 1.0 / 3.0, 1.0 - 1.0 / 3.0, 0.0]);
    }
}

#[test]
fn every_bad_input_of_the_reference_is_an_error() {
    use StatisticsError as E;
    let expected = |id: &str| match id {
        "bad_neg" | "bad_nan" | "bad_inf" => E::Time {
            index: 0,
            what: "exit",
        },
        "bad_len" => E::ColumnLength {
            what: "events",
            found: 2,
            rows: 3,
        },
        "bad_code" => E::StateCode { index: 1, causes: 1 },
        "bad_empty" => E::Empty,
        "bad_startstop" => E::EntryNotBeforeExit { index: 0 },
        "bad_ci" => E::Level,
        other => panic!("unknown case {other}"),
    };
    let all = crate::cohort::cases("kaplan_meier_error");
    assert_eq!(all.len(), 8);
    for case in all {
        let level = case.args["conf_level"].as_f64().unwrap_or(0.95);
        let got = case
            .rows()
            .and_then(|rows| kaplan_meier(&rows.subjects(), level, Band::LogLog));
        assert_eq!(got.err(), Some(expected(&case.id)), "{}", case.id);
    }
}
