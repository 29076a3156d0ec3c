//! Survival endpoints in a release: the rows each is estimated from, the estimates of these rows, and a script that recomputes them.
//!
//! The rows come from [`crate::cohorts::dataset`], the cohort of the results; only cases that may be released are among them, so the
//! estimates here are of those and may differ from a run's. Exact: whoever has the rows can compute them.

use super::ReleaseError;
use super::code_lists::{self, HISTOLOGIES, LEFT_OUT};
use super::described::{Described, Holds, names};
use super::estimates::{ESTIMATE_COLUMNS, lines};
use super::spool::Spool;
use super::table::{FinishedTable, Table};
use crate::cohorts::dataset::{DataRow, Told, WITHHELD, covariates, estimates, rows, strata};
use crate::cohorts::definition::{Estimator, Origin};
use crate::cohorts::endpoint::DAYS_PER_MONTH;
use crate::cohorts::{Cohort, Definition, OVERALL};
use crate::measures::CaseFacts;
use crate::releases::Withheld;
use crate::results::RunIdentity;

/// The estimates of all endpoints.
pub(super) const ESTIMATES: &str = "survival_estimates.csv";
/// What comes with every release: how to read it, loaders, and the script that recomputes the estimates. Name and text.
const TEXTS: [(&str, &str); 4] = [
    ("README.md", include_str!("../../../schema/releases/README.md")),
    ("load.R", include_str!("../../../schema/releases/load.R")),
    ("load.py", include_str!("../../../schema/releases/load.py")),
    (
        "reproduce.R",
        include_str!("../../../schema/releases/reproduce.R"),
    ),
];

/// The endpoint of overall survival.
pub(super) fn overall(definitions: &[Definition]) -> Result<&Definition, ReleaseError> {
    let mut all = definitions.iter();
    all.find(|one| one.id == OVERALL)
        .ok_or(ReleaseError::NoEndpoint(OVERALL))
}

/// The file of an endpoint.
pub(super) fn file(definition: &Definition) -> String {
    format!("survival_{}.csv", definition.id.to_lowercase().replace('-', "_"))
}

/// The columns of an endpoint's file.
pub(super) fn columns(definition: &Definition) -> Vec<Described> {
    use Holds::{Boolean, Code, Integer, Number, Text};
    let plain = Described::plain;
    let mut all = vec![Described::key(
        "patient_id",
        Text,
        "pseudonym of the patient in this release; several rows of one patient are one cluster",
    )];
    if definition.origin == Origin::RepeatMetastasectomy {
        all.push(Described::key(
            "row",
            Integer,
            "which repeated operation of the patient, from 1",
        ));
    }
    all.push(Described::coded(
        "histology_code",
        HISTOLOGIES,
        "derived histology",
    ));
    let analysed = format!("whether the row is in the primary estimate of {}", definition.id);
    all.push(Described::made("analysed", Boolean, analysed));
    all.push(Described::coded(
        "left_out",
        LEFT_OUT,
        "the first reason why it is not",
    ));
    match definition.event.estimator() {
        Estimator::Survival | Estimator::Incidence => {
            let overall = definition.id == OVERALL;
            let since = definition.origin_text.to_lowercase();
            all.push(Described::made(
                "entry_days",
                Integer,
                format!("registration, in days from the origin ({since}), when later (delayed entry)"),
            ));
            all.push(plain(
                "exit_days",
                Integer,
                "event, or when last seen up to the cut-off, in days from the origin; a date known to the month counts as so many months of average length",
            ));
            let months = if overall { "os_months" } else { "months" };
            all.push(plain(months, Number, "exit_days / 30.4375"));
            if overall {
                all.push(plain("os_event", Boolean, "TRUE for death, FALSE for censored"));
            }
            all.push(plain(
                "lost",
                Boolean,
                "TRUE when the last contact says the patient is lost",
            ));
            let events = code_lists::of_events(definition);
            all.push(Described::made("event", Integer, codes(definition)).of(events));
            all.push(plain("event__label", Text, "the words of the code"));
        }
        Estimator::Proportion => {
            let meaning = format!("{}; empty when it cannot be assessed", definition.event_text);
            all.push(Described::made("outcome", Boolean, meaning));
        }
        Estimator::Change => {
            all.push(plain("baseline", Number, "QLQ-C30 summary score at the baseline"));
            for months in [3, 6, 12] {
                let meaning = format!("the score {months} months after the baseline, 45 days on either side");
                all.push(Described::made(format!("score_{months}_months"), Number, meaning));
            }
        }
    }
    for stratum in strata(definition) {
        let meaning = "level at the origin, as results are broken down; not_recorded is a level";
        all.push(plain(stratum.as_str(), Code, meaning).of(code_lists::of_stratum(stratum)));
    }
    for (code, label) in covariates(definition) {
        let meaning = format!("covariate of the model: {label}");
        all.push(Described::made(format!("x_{code}"), Number, meaning));
    }
    all
}

/// What the event codes mean.
fn codes(definition: &Definition) -> String {
    let codes = code_lists::events(definition).into_iter();
    let told: Vec<String> = codes
        .map(|(code, words)| format!("{code} {}", words.to_lowercase()))
        .collect();
    told.join(", ")
}

/// Everything a release says of the endpoints of `cases`, whose pseudonyms are `patients`.
pub(super) fn tables(
    spool: &Spool,
    definitions: &[Definition],
    run: &RunIdentity,
    cut_off: i32,
    (cases, patients): (&[CaseFacts], &[String]),
    low_volume: Option<(u32, u32)>,
) -> Result<Vec<FinishedTable>, ReleaseError> {
    let cohort = Cohort {
        low_volume,
        ..Cohort::of(cases)
    };
    let mut finished = Vec::new();
    let mut all = Table::begin(spool, ESTIMATES, names(&ESTIMATE_COLUMNS))?;
    for definition in definitions {
        let mut table = Table::begin(spool, &file(definition), names(&columns(definition)))?;
        for row in rows(definition, cut_off, &cohort) {
            if let (Some(patient), Some(case)) = (patients.get(row.case), cases.get(row.case)) {
                table.add(fields(definition, patient, case, &row))?;
            }
        }
        finished.push(table.finish()?);
        let result = estimates(definition, run, cut_off, &cohort)?;
        for line in lines(definition, &file(definition), &result) {
            all.add(line)?;
        }
    }
    finished.push(all.finish()?);
    for (name, text) in TEXTS {
        finished.push(FinishedTable::of_text(spool, name, text)?);
    }
    Ok(finished)
}

fn fields(definition: &Definition, patient: &str, case: &CaseFacts, row: &DataRow) -> Vec<String> {
    let truth = |value: bool| if value { "TRUE" } else { "FALSE" }.to_owned();
    let score = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let mut fields = vec![patient.to_owned()];
    if definition.origin == Origin::RepeatMetastasectomy {
        fields.push(row.episode.to_string());
    }
    fields.push(case.histology.clone().unwrap_or_default());
    fields.push(truth(row.told.is_ok()).to_owned());
    fields.push(row.told.as_ref().err().map_or("", |why| why.as_str()).to_owned());
    match &row.told {
        Ok(Told::Times(times)) => {
            fields.push(times.entry.map(|entry| entry.to_string()).unwrap_or_default());
            fields.push(times.exit.to_string());
            fields.push(format!("{:.4}", f64::from(times.exit) / DAYS_PER_MONTH));
            if definition.id == OVERALL {
                fields.push(truth(times.event).to_owned());
            }
            fields.push(truth(times.lost).to_owned());
            let competing = !definition.event.causes().is_empty();
            let code = if competing {
                times.cause
            } else {
                u8::from(times.event)
            };
            fields.push(code.to_string());
            let mut events = code_lists::events(definition).into_iter();
            fields.push(
                events
                    .nth(usize::from(code))
                    .map_or_else(String::new, |(_, words)| words),
            );
        }
        Ok(Told::Share(outcome)) => fields.push(outcome.map(truth).unwrap_or_default()),
        Ok(Told::Scores(baseline, again)) => {
            fields.push(baseline.to_string());
            fields.extend(again.iter().map(|one| score(*one)));
        }
        Err(_) => {
            let width = match definition.event.estimator() {
                Estimator::Survival | Estimator::Incidence => 6 + usize::from(definition.id == OVERALL),
                Estimator::Proportion => 1,
                Estimator::Change => 4,
            };
            fields.extend(std::iter::repeat_n(String::new(), width));
        }
    }
    fields.extend(row.levels.iter().cloned());
    fields.extend(row.covariates.iter().map(|one| score(*one)));
    fields
}

/// What the files do not hold of the results.
pub(super) fn withheld() -> impl Iterator<Item = Withheld> {
    WITHHELD.iter().map(|(stratum, visibility, reason)| Withheld {
        entity: "survival".to_owned(),
        element: stratum.as_str().to_owned(),
        visibility: (*visibility).to_owned(),
        reason: (*reason).to_owned(),
    })
}
