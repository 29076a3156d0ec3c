//! What each method computes and shows.

use registry_etl::statistics::survival::aalen_johansen::CumulativeIncidence;
use registry_etl::statistics::survival::{
    Columns, Groups, LogRank, Rows, aalen_johansen, gray_test, landmark, log_rank, pairwise_log_rank,
    restricted_mean, restricted_mean_difference,
};
use registry_etl::statistics::{Band, Curve, StatisticsError, Subject, kaplan_meier, reverse_kaplan_meier};
use serde_json::{Value, json};

use super::model::{fitted, model, subdistribution};
use super::print::Table;
use super::read::Cohort;
use super::{Method, SurvivalArgs};

pub(super) type Tables = Result<Vec<Table>, StatisticsError>;

pub(super) fn estimate(cohort: &Cohort, args: &SurvivalArgs) -> Tables {
    let columns = Columns {
        exit: &cohort.time,
        event: &cohort.event,
        entry: cohort.entry.as_deref(),
        weight: cohort.weights.as_deref(),
    };
    let rows = Rows::new(columns, cohort.causes)?;
    let groups = cohort.groups.as_ref();
    let all = vec!["all"; rows.len()];
    let everybody = Groups::of(&all);
    let some = groups.unwrap_or(&everybody);
    match args.method {
        Method::Km => curves(&rows, some, args, kaplan_meier),
        Method::ReverseKm => curves(&rows, some, args, reverse_kaplan_meier),
        Method::Logrank => tests(&rows, some, cohort.strata.as_ref()),
        Method::Cox => model(&rows, cohort, args),
        Method::AalenJohansen => incidences(&rows, some, args),
        Method::Gray => gray(&rows, some, args),
        Method::FineGray => subdistribution(&rows, cohort, args),
        Method::Rmst => means(&rows, some, args),
        Method::Landmark => from_landmark(&rows, cohort, args),
    }
}

type Estimator = fn(&[Subject], f64, Band) -> Result<Curve, StatisticsError>;

fn curves(rows: &Rows, groups: &Groups, args: &SurvivalArgs, of: Estimator) -> Tables {
    let mut summary = Table::new(
        "summary",
        &[
            "group",
            "n",
            "events",
            "median",
            "lower",
            "upper",
            "last_entry",
            "zero_before_last_entry",
        ],
    );
    let mut steps = Table::new(
        "curve",
        &[
            "group", "time", "at_risk", "events", "censored", "survival", "lower", "upper",
        ],
    );
    let mut at = Table::new(
        "at",
        &["group", "time", "at_risk", "survival", "lower", "upper", "beyond"],
    );
    for (g, label) in groups.labels().iter().enumerate() {
        let members = groups.rows(rows, g)?;
        let curve = of(&members.subjects(), args.level, Band::LogLog)?;
        let median = curve.time_at_survival(0.5)?;
        summary.rows.push(vec![
            json!(label),
            json!(members.len()),
            json!(curve.events()),
            json!(median.map(|m| m.time)),
            json!(median.and_then(|m| m.lower)),
            json!(median.and_then(|m| m.upper)),
            json!(curve.last_entry()),
            json!(curve.zero_before_last_entry()),
        ]);
        for s in &curve.steps {
            let numbers = [s.time, s.at_risk, s.events, s.censored, s.survival];
            let mut row = vec![json!(label)];
            row.extend(numbers.map(|v| json!(v)));
            row.extend([json!(s.lower), json!(s.upper)]);
            steps.rows.push(row);
        }
        for time in &args.at {
            let a = curve.at(*time);
            at.rows.push(vec![
                json!(label),
                json!(a.time),
                json!(a.at_risk),
                json!(a.survival),
                json!(a.lower),
                json!(a.upper),
                json!(a.beyond),
            ]);
        }
    }
    Ok(vec![summary, if args.at.is_empty() { steps } else { at }])
}

fn tests(rows: &Rows, groups: &Groups, strata: Option<&Groups>) -> Tables {
    let got = log_rank(rows, groups, strata, 0.0)?;
    let mut tables = compared(&got, groups);
    if groups.labels().len() > 2 {
        let pairs = pairwise_log_rank(rows, groups, strata)?;
        let mut table = Table::new(
            "pairs",
            &[
                "first",
                "second",
                "chi_square",
                "p",
                "p_benjamini_hochberg",
                "p_holm",
            ],
        );
        for (i, (a, b)) in pairs.pairs.iter().enumerate() {
            table.rows.push(vec![
                json!(groups.labels()[*a]),
                json!(groups.labels()[*b]),
                json!(pairs.tests[i].chi_square),
                json!(pairs.p[i]),
                json!(pairs.p_benjamini_hochberg[i]),
                json!(pairs.p_holm[i]),
            ]);
        }
        tables.push(table);
    }
    Ok(tables)
}

fn compared(got: &LogRank, groups: &Groups) -> Vec<Table> {
    let mut table = Table::new("groups", &["group", "n", "observed", "expected"]);
    for (g, label) in groups.labels().iter().enumerate() {
        let (observed, expected) = (got.observed[g], got.expected[g]);
        table.rows.push(vec![
            json!(label),
            json!(got.n[g]),
            json!(observed),
            json!(expected),
        ]);
    }
    let kind = if got.cox_score { "cox_score" } else { "log_rank" };
    let mut test = Table::new("test", &["test", "chi_square", "df", "p"]);
    test.rows.push(vec![
        json!(kind),
        json!(got.chi_square),
        json!(got.df),
        json!(got.p),
    ]);
    vec![table, test]
}

fn incidences(rows: &Rows, groups: &Groups, args: &SurvivalArgs) -> Tables {
    let mut table = Table::new(
        "incidence",
        &[
            "group",
            "cause",
            "time",
            "at_risk",
            "events",
            "incidence",
            "std_err",
            "lower",
            "upper",
        ],
    );
    for (g, label) in groups.labels().iter().enumerate() {
        let got = aalen_johansen(&groups.rows(rows, g)?, args.level, Band::LogLog)?;
        for cause in 1..=rows.causes() {
            let mut push = |time: f64, risk: Value, events: Value, at: CumulativeIncidence| {
                table.rows.push(vec![
                    json!(label),
                    json!(cause),
                    json!(time),
                    risk,
                    events,
                    json!(at.incidence),
                    json!(at.std_err),
                    json!(at.lower),
                    json!(at.upper),
                ]);
            };
            if args.at.is_empty() {
                for s in &got.steps {
                    let (risk, events) = (json!(s.at_risk), json!(s.events[cause - 1]));
                    push(s.time, risk, events, s.causes[cause - 1]);
                }
            }
            for time in &args.at {
                push(*time, Value::Null, Value::Null, got.incidence_at(cause, *time)?);
            }
        }
    }
    Ok(vec![table])
}

fn gray(rows: &Rows, groups: &Groups, args: &SurvivalArgs) -> Tables {
    let got = gray_test(rows, groups, args.cause, 0.0)?;
    let mut table = Table::new("test", &["cause", "chi_square", "df", "p"]);
    table.rows.push(vec![
        json!(got.cause),
        json!(got.chi_square),
        json!(got.df),
        json!(got.p),
    ]);
    Ok(vec![table])
}

fn means(rows: &Rows, groups: &Groups, args: &SurvivalArgs) -> Tables {
    let tau = args.tau.unwrap_or(f64::NAN);
    let mut table = Table::new(
        "restricted_mean",
        &["group", "tau", "mean", "std_err", "lower", "upper"],
    );
    for (g, label) in groups.labels().iter().enumerate() {
        let subjects = groups.rows(rows, g)?.subjects();
        let curve = kaplan_meier(&subjects, args.level, Band::LogLog)?;
        let m = restricted_mean(&curve, tau, args.level)?;
        let mut row = vec![json!(label)];
        row.extend([m.tau, m.mean, m.std_err, m.lower, m.upper].map(|v| json!(v)));
        table.rows.push(row);
    }
    let mut tables = vec![table];
    if groups.labels().len() == 2 {
        let got = restricted_mean_difference(rows, groups, tau, args.level)?;
        let mut contrasts = Table::new("contrast", &["contrast", "estimate", "lower", "upper", "p"]);
        let both = [("difference", Some(got.difference)), ("ratio", got.ratio)];
        for (name, c) in both.into_iter().filter_map(|(n, c)| c.map(|c| (n, c))) {
            contrasts.rows.push(vec![
                json!(name),
                json!(c.estimate),
                json!(c.lower),
                json!(c.upper),
                json!(c.p),
            ]);
        }
        tables.push(contrasts);
    }
    Ok(tables)
}

fn from_landmark(rows: &Rows, cohort: &Cohort, args: &SurvivalArgs) -> Tables {
    let exposure = cohort.exposure.as_deref().unwrap_or_default();
    let at = landmark(rows, exposure, args.landmark.unwrap_or(f64::NAN))?;
    let groups = at.groups()?;
    let mut summary = Table::new(
        "landmark",
        &["kept", "exposed", "events_before", "censored_before"],
    );
    summary.rows.push(vec![
        json!(at.rows.len()),
        json!(at.exposed.iter().filter(|e| **e).count()),
        json!(at.events_before),
        json!(at.censored_before),
    ]);
    let mut tables = vec![summary];
    tables.extend(
        curves(&at.rows, &groups, args, kaplan_meier)?
            .into_iter()
            .map(|t| Table {
                name: if t.name == "summary" {
                    "groups_at_landmark"
                } else {
                    t.name
                },
                ..t
            }),
    );
    tables.extend(compared(&log_rank(&at.rows, &groups, None, 0.0)?, &groups));
    let names = ["exposed".to_owned()];
    tables.extend(fitted(&at.rows, &at.covariate(), &names, None, None, args)?);
    Ok(tables)
}
