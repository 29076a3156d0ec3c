//! Regression models: proportional hazards and subdistribution hazards.

use registry_etl::statistics::Interval;
use registry_etl::statistics::survival::cox::TimeScale;
use registry_etl::statistics::survival::{CensoringTies, CoxModel, Groups, Rows, Ties, cox, fine_gray};
use serde_json::{Value, json};

use super::estimate::Tables;
use super::print::Table;
use super::read::Cohort;
use super::{SurvivalArgs, TiesArg};

const MODEL: [&str; 8] = [
    "covariate",
    "coefficient",
    "std_err",
    "ratio",
    "lower",
    "upper",
    "z",
    "p",
];

/// One line of a model.
fn line(name: &str, b: f64, se: f64, interval: &Interval, z: f64, p: f64) -> Vec<Value> {
    let mut row = vec![json!(name)];
    row.extend([b, se, b.exp(), interval.lower, interval.upper, z, p].map(|v| json!(v)));
    row
}

pub(super) fn model(rows: &Rows, cohort: &Cohort, args: &SurvivalArgs) -> Tables {
    let rows = rows.cause_specific(args.cause)?;
    fitted(
        &rows,
        &cohort.covariates,
        &args.covariate,
        cohort.strata.as_ref(),
        cohort.subjects.as_ref(),
        args,
    )
}

pub(super) fn fitted(
    rows: &Rows,
    covariates: &[Vec<f64>],
    names: &[String],
    strata: Option<&Groups>,
    cluster: Option<&Groups>,
    args: &SurvivalArgs,
) -> Tables {
    let fit = cox(&CoxModel {
        rows,
        covariates,
        strata,
        cluster,
        robust: args.weights.is_some(),
        ties: match args.ties {
            TiesArg::Efron => Ties::Efron,
            TiesArg::Breslow => Ties::Breslow,
        },
        level: args.level,
    })?;
    let mut terms = Table::new("model", &MODEL);
    let errors = fit.robust_std_errors.as_ref().unwrap_or(&fit.std_errors);
    for (j, name) in names.iter().enumerate() {
        let (b, se) = (fit.coefficients[j], errors[j]);
        terms
            .rows
            .push(line(name, b, se, &fit.intervals[j], fit.z[j], fit.p[j]));
    }
    let mut summary = Table::new(
        "fit",
        &[
            "n",
            "events",
            "log_likelihood_null",
            "log_likelihood",
            "concordance",
            "robust",
        ],
    );
    summary.rows.push(vec![
        json!(fit.n),
        json!(fit.events),
        json!(fit.log_likelihood_null),
        json!(fit.log_likelihood),
        json!(fit.concordance.map(|c| c.c)),
        json!(fit.robust_std_errors.is_some()),
    ]);
    let mut tests = Table::new("tests", &["test", "chi_square", "df", "p"]);
    for (name, test) in [
        ("likelihood_ratio", fit.likelihood_ratio),
        ("wald", fit.wald),
        ("score", fit.score),
    ] {
        tests.rows.push(vec![
            json!(name),
            json!(test.chi_square),
            json!(test.df),
            json!(test.p),
        ]);
    }
    let mut hazards = Table::new("proportional_hazards", &["covariate", "chi_square", "df", "p"]);
    // Where all events fall on one time there is nothing to change with time.
    if let Ok(got) = fit.proportional_hazards(TimeScale::KaplanMeier) {
        let labels = names.iter().map(String::as_str).chain(["all"]);
        for (name, test) in labels.zip(got.covariates.iter().chain([&got.global])) {
            hazards.rows.push(vec![
                json!(name),
                json!(test.chi_square),
                json!(test.df),
                json!(test.p),
            ]);
        }
    }
    Ok(vec![summary, terms, tests, hazards])
}

pub(super) fn subdistribution(rows: &Rows, cohort: &Cohort, args: &SurvivalArgs) -> Tables {
    let ties = CensoringTies::EventsFirst;
    let fit = fine_gray(rows, &cohort.covariates, args.cause, ties, args.level)?;
    let mut table = Table::new("model", &MODEL);
    for (j, name) in args.covariate.iter().enumerate() {
        let (b, se) = (fit.coefficients[j], fit.std_errors[j]);
        table
            .rows
            .push(line(name, b, se, &fit.intervals[j], fit.z[j], fit.p[j]));
    }
    let mut summary = Table::new("fit", &["n", "events", "log_likelihood_null", "log_likelihood"]);
    summary.rows.push(vec![
        json!(fit.n),
        json!(fit.events),
        json!(fit.log_likelihood_null),
        json!(fit.log_likelihood),
    ]);
    Ok(vec![summary, table])
}
