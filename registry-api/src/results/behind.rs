//! The cases of one centre behind a measure's number: for the centre itself, and for the coordinating office, which sees all cases.

use std::cmp::Reverse;

use registry_core::access::{Role, Scope};
use registry_core::guideline::{MeasureKind, Outcome};
use registry_core::storage::{Run, RunStatus};
use registry_etl::measures::{PayloadError, Window};
use registry_etl::results::{AdherenceRow, Period};
use registry_etl::runs::{OwnUnit, Reader, RunError};
use serde::Serialize;

use super::{from_run, nothing_yet};
use crate::problem::{Kind, Problem};
use crate::runs::guideline_of;
use crate::state::AppState;
use crate::work::{cases_of, named};

/// The units of a measure that count for a centre in a run.
pub struct Behind {
    /// The measure's id.
    pub measure: String,
    /// What it is about when one says what it says of whom: an avoidance measure is avoided, not met.
    pub kind: Option<MeasureKind>,
    /// What is counted, `patient` or an event.
    pub unit: String,
    /// Whether events are counted, several to a case.
    pub by_event: bool,
    /// First day of the last 24 months.
    pub recent_from: String,
    /// By outcome (met first), then by case.
    pub units: Vec<UnitBehind>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnitBehind {
    /// Pseudonym.
    pub case: String,
    /// Version of the case that was judged.
    pub version: i64,
    /// Position of the row among those of its section, from 0.
    pub unit_index: u32,
    #[serde(serialize_with = "code")]
    #[schema(value_type = String)]
    pub outcome: Outcome,
    pub reason: Option<&'static str>,
    pub element: Option<String>,
    /// Half-year of the metastatic diagnosis.
    pub half_year: Option<String>,
}

fn code<S: serde::Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.as_str())
}

/// Order of outcomes: what is done, what is not, what cannot be told, what is set aside.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Met | Outcome::Used => 0,
        Outcome::NotMet | Outcome::NotUsed => 1,
        Outcome::NotAssessable => 2,
        Outcome::Excepted => 3,
        Outcome::Excluded => 4,
        Outcome::NotInDenom => 5,
    }
}

/// The run in which a reader's own cases are asked for: a number, `published` or `latest`. A centre reads its own cases in published runs and in the
/// latest one.
///
/// # Errors
/// [`Kind::NotFound`] when there is no such run for this reader.
pub fn run_of_own(state: &AppState, scope: &Scope, asked: &str) -> Result<Run, Problem> {
    let latest = || state.store.latest_run(scope)?.ok_or_else(nothing_yet);
    let run = match asked {
        "latest" => latest()?,
        "published" => state.store.published_run(scope)?.ok_or_else(nothing_yet)?,
        number => {
            let number = number.parse().map_err(|_| Problem::new(Kind::NotFound))?;
            state.store.run(scope, number)?
        }
    };
    let open = run.published_at.is_some() || scope.role() == Role::Coordinator;
    if run.status != RunStatus::Finished || !(open || latest()?.number == run.number) {
        return Err(Problem::new(Kind::NotFound));
    }
    Ok(run)
}

impl Behind {
    /// Reads them from the run's evaluations. Who may ask for `centre` is settled before: [`crate::work::centre_of`].
    ///
    /// # Errors
    /// [`Kind::NotFound`] for an unknown measure; [`Kind::InvalidState`] for a run that this service cannot read case by case any more.
    pub fn of(
        state: &AppState,
        scope: &Scope,
        run: &Run,
        centre: &str,
        measure: &str,
        period: Period,
    ) -> Result<Self, Problem> {
        let guideline = guideline_of(state, run).ok_or_else(too_old)?;
        let unknown = || Problem::new(Kind::NotFound);
        let (position, unit, entity, kind) = match guideline.measure(measure) {
            Some((at, found)) => (at, &found.unit, &found.unit_entity, Some(found.kind)),
            None => {
                let (at, found) = guideline.composite(measure).ok_or_else(unknown)?;
                let part = guideline.parts(found).next().ok_or_else(unknown)?;
                (at, &found.unit, &part.unit_entity, None)
            }
        };
        let reader = Reader::new(&state.store, scope, run);
        let found = reader.own_units(centre, position).map_err(readable)?;
        let names = named(&cases_of(state, scope, Some(centre))?);
        let units = found
            .into_iter()
            .filter(|unit| period == Period::All || unit.recent);
        let mut units: Vec<UnitBehind> = units
            .filter_map(|unit| {
                // Withdrawn since the run.
                let case = names.get(&unit.case_id)?.clone();
                Some(behind(unit, case))
            })
            .collect();
        units.sort_by(|a, b| {
            let key = |unit: &UnitBehind| (rank(unit.outcome), Reverse(unit.half_year.clone()));
            key(a)
                .cmp(&key(b))
                .then_with(|| (&a.case, a.unit_index).cmp(&(&b.case, b.unit_index)))
        });
        Ok(Self {
            measure: measure.to_owned(),
            kind,
            unit: unit.clone(),
            by_event: entity.is_some(),
            recent_from: Window::ending(run.cutoff_date).recent_from.to_string(),
            units,
        })
    }

    /// Units the centre's row of the run counts and that are not listed: on cases it holds no more, or that were withdrawn since.
    pub fn left_out(&self, row: Option<&AdherenceRow>) -> u32 {
        let counts = row.map(|row| {
            [
                row.denominator,
                row.not_assessable,
                row.excluded,
                row.excepted,
                row.not_in_denominator,
            ]
        });
        let counted: u32 = counts.into_iter().flatten().flatten().sum();
        counted.saturating_sub(self.units.len() as u32)
    }

    /// Units of one outcome, or of those that say the same in the other kind of measure.
    pub fn with(&self, outcome: Outcome) -> impl Iterator<Item = &UnitBehind> {
        self.units
            .iter()
            .filter(move |unit| rank(unit.outcome) == rank(outcome))
    }
}

fn behind(unit: OwnUnit, case: String) -> UnitBehind {
    UnitBehind {
        case,
        version: unit.version,
        unit_index: unit.unit,
        outcome: unit.outcome,
        reason: unit.reason.map(|reason| reason.as_str()),
        element: unit.element,
        half_year: unit.half_year,
    }
}

/// A run whose evaluations this program does not read any more is told as such.
fn readable(error: RunError) -> Problem {
    match error {
        RunError::Payload(PayloadError::Format(_)) => too_old(),
        other => from_run(other),
    }
}

fn too_old() -> Problem {
    Problem::with(
        Kind::InvalidState,
        "the run was made by a version of the program or of the guideline that is not here any more: its cases cannot be listed one by one",
    )
}
