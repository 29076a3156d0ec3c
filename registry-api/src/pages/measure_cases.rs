//! The part of a measure's page that lists the reader's own cases, and its table for download.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use registry_core::access::Scope;
use registry_core::form::Words;
use registry_core::guideline::{MeasureKind, Outcome};
use registry_etl::results::{AdherenceRow, Period};
use serde::Deserialize;

use super::definition::Definition;
use super::of_run::OfRun;
use super::{download, measure_period, words};
use crate::explanation::reason;
use crate::guard::{Allowed, SeesCases};
use crate::problem::{Kind, Problem};
use crate::results::{Behind, MeasureResults, UnitBehind, View, run_of_own};
use crate::routes::runs::cases::csv as table;
use crate::state::{AppState, blocking};
use crate::work::centre_of;

/// Units of an outcome shown; the table for download has all.
const MOST_SHOWN: usize = 200;

/// Units of the own centre, by outcome.
pub(super) struct Section {
    pub(super) groups: Vec<Group>,
    pub(super) csv: String,
    /// Units that do not apply, and those that are not listed.
    pub(super) rest: String,
    /// What a unit is called, where a case may have several.
    pub(super) unit: Option<String>,
}

/// Units with one outcome.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    pub(super) total: usize,
    /// What asks for something is open.
    pub(super) open: bool,
    /// Whether it says why, case by case.
    pub(super) reasons: bool,
    /// Who is in it, where the measure says so.
    pub(super) said: String,
    /// Why, and how many for each reason, most first; where there are several.
    pub(super) by_reason: Vec<(String, usize)>,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) case: String,
    /// Of the measure and unit on the page of the case.
    pub(super) anchor: String,
    pub(super) number: u32,
    pub(super) half_year: String,
    pub(super) why: String,
}

/// The own cases in the period of the headline; none of a run that cannot be read case by case any more.
///
/// # Errors
/// The database does not answer.
pub(super) fn own(
    state: &AppState,
    scope: &Scope,
    view: &View<'_>,
    centre: &str,
    (results, network): (&MeasureResults, Option<&AdherenceRow>),
    of_run: OfRun,
) -> Result<Option<Section>, Problem> {
    let period = network.map_or(Period::Last24Months, |network| network.period);
    let behind = match Behind::of(state, scope, &view.run, centre, &results.head.id, period) {
        Ok(behind) => behind,
        Err(problem) if problem.kind == Kind::InvalidState => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let row = measure_period::of_centre(results, centre, period);
    let called = state.words()?;
    // Without the version of the run nothing is said that another might not mean.
    let m = view
        .guideline()
        .and_then(|of_run| Definition::of(of_run, &results.head.id, called));
    let mut section = section(&behind, period, row, m, called);
    section.csv.push_str(&of_run.more());
    Ok(Some(section))
}

/// The groups in order: numerator, not in it, not assessable, excepted, excluded.
fn section(
    behind: &Behind,
    period: Period,
    own: Option<&AdherenceRow>,
    m: Option<Definition>,
    called: Words<'_>,
) -> Section {
    let of = [
        (Outcome::Met, false),
        (Outcome::NotMet, true),
        (Outcome::NotAssessable, true),
        (Outcome::Excepted, false),
        (Outcome::Excluded, false),
    ];
    let outside = behind.with(Outcome::NotInDenom).count();
    let left_out = behind.left_out(own);
    let mut rest = format!("The measure does not apply to {outside} more.");
    if left_out > 0 {
        rest.push_str(&format!(
            " {left_out} that the run counts are not listed: the case is with another centre now, or was withdrawn since."
        ));
    }
    Section {
        groups: of
            .into_iter()
            .map(|(outcome, open)| group(behind, outcome, open, m.as_ref(), called))
            .collect(),
        csv: format!("/measures/{}/cases.csv?period={}", behind.measure, code(period)),
        rest,
        unit: behind.by_event.then(|| words::unit(&behind.unit).to_owned()),
    }
}

fn group(behind: &Behind, outcome: Outcome, open: bool, m: Option<&Definition>, called: Words<'_>) -> Group {
    let spoken = match (behind.kind, outcome) {
        (Some(MeasureKind::Utilisation), Outcome::Met) => Outcome::Used,
        (Some(MeasureKind::Utilisation), Outcome::NotMet) => Outcome::NotUsed,
        _ => outcome,
    };
    let (name, class) = words::outcome(spoken, behind.kind == Some(MeasureKind::Avoidance));
    let name = match outcome {
        Outcome::Excepted => "not counted: an exception holds",
        Outcome::Excluded => "not counted: excluded",
        _ => name,
    };
    let row = |unit: &UnitBehind| Row {
        case: unit.case.clone(),
        anchor: format!("m{}-{}", behind.measure, unit.unit_index),
        number: unit.unit_index + 1,
        half_year: unit.half_year.clone().unwrap_or_else(|| "–".to_owned()),
        why: why(unit, called),
    };
    Group {
        name,
        class,
        total: behind.with(outcome).count(),
        open,
        reasons: outcome == Outcome::NotAssessable,
        said: match (outcome, m) {
            (Outcome::Excluded, Some(m)) => m.excluded.clone(),
            (Outcome::Excepted, Some(m)) => m.excepted.clone(),
            _ => String::new(),
        },
        by_reason: by_reason(behind.with(outcome).map(|unit| why(unit, called))),
        rows: behind.with(outcome).take(MOST_SHOWN).map(row).collect(),
    }
}

/// Each reason with how often it is given, most first; nothing where no reason is given.
fn by_reason(reasons: impl Iterator<Item = String>) -> Vec<(String, usize)> {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for reason in reasons.filter(|reason| !reason.is_empty()) {
        *counted.entry(reason).or_default() += 1;
    }
    let mut all: Vec<(String, usize)> = counted.into_iter().collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all
}

/// `Imaging: date is not filled in`.
fn why(unit: &UnitBehind, called: Words<'_>) -> String {
    let Some(code) = unit.reason else {
        return String::new();
    };
    match &unit.element {
        Some(element) => format!("{} is {}", called.place(element), reason(code)),
        None => reason(code).to_owned(),
    }
}

/// A period as addresses have it.
pub(super) fn code(period: Period) -> &'static str {
    match period {
        Period::All => "all",
        Period::Last24Months => "last24_months",
    }
}

/// Which period and run, and for the coordinating office which centre.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    period: Option<Period>,
    centre: Option<String>,
    run: Option<i64>,
}

/// The units as CSV, for the link on the page.
pub(super) async fn csv(
    caller: Allowed<SeesCases>,
    measure: web::Path<String>,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (name, text) = blocking(move || {
        let scope = &caller.scope;
        let centre = centre_of(&state, scope, wanted.centre.as_deref())?;
        let run = match wanted.run {
            Some(number) => run_of_own(&state, scope, &number.to_string())?,
            None => run_of_own(&state, scope, "published")?,
        };
        let period = wanted.period.unwrap_or(Period::Last24Months);
        let behind = Behind::of(&state, scope, &run, &centre, &measure, period)?;
        let name = format!("cases-{measure}-{centre}-run-{}.csv", run.number);
        Ok((name, table(behind.units.iter())?))
    })
    .await?;
    Ok(download(&name, text))
}

#[cfg(test)]
mod tests {
    use super::by_reason;

    #[test]
    fn reasons_are_counted_most_first_and_none_is_no_reason() {
        let given = ["Imaging: date is not filled in", "", "not closed", "not closed"];
        let counted = by_reason(given.into_iter().map(str::to_owned));
        let expected = [("not closed", 2), ("Imaging: date is not filled in", 1)];
        assert_eq!(counted, expected.map(|(reason, n)| (reason.to_owned(), n)));
        assert!(by_reason(std::iter::once(String::new())).is_empty());
    }
}
