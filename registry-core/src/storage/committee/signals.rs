//! Signals followed up: what was done about a centre of a measure, by whom, when, seen in which run.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;

use super::{codes, steers};
use crate::access::Scope;
use crate::storage::connection::on_conn;
use crate::storage::identifiers::{is_name, utc};
use crate::storage::store::require;
use crate::storage::tables::{centres, runs, signal_steps};
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

codes! {
    /// How far a signal is followed up. It only goes forward; what is closed can be noted again.
    SignalStatus {
        /// The committee has seen it.
        Noted = "noted",
        /// The centre was written to.
        LetterSent = "letter_sent",
        /// The centre has answered.
        Answered = "answered",
        /// Nothing more is to be done, for a reason.
        Closed = "closed",
    }
    /// Why a signal was closed.
    ClosedFor {
        /// The centre's patients or circumstances explain it.
        Explained = "explained",
        /// Records were wrong or incomplete and were put right.
        DataCorrected = "data_corrected",
        /// The centre has changed what it does.
        CareChanged = "care_changed",
        /// It does not lie outside the limits any more.
        NoLongerOutside = "no_longer_outside",
    }
    /// Why the coordinating office looked up which centre a letter stands for.
    RevealedFor {
        /// To write to the centre.
        LetterToCentre = "letter_to_centre",
        /// To look at the centre's records.
        DataCheck = "data_check",
        /// The committee asked for it.
        AskedByCommittee = "asked_by_committee",
    }
}

/// Which signal, seen in which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalRef {
    /// Id of the measure.
    pub measure: String,
    /// Id of the centre.
    pub centre_id: String,
    /// Number of the run that shows it.
    pub run: i64,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalStep {
    /// The status became another one, not closed.
    Status(SignalStatus),
    /// Closed, and why.
    Closed(ClosedFor),
    /// The coordinating office looked up the centre, and why.
    Revealed(RevealedFor),
}

const REVEALED: &str = "revealed";

impl SignalStep {
    /// A change of the status; `Closed` with its reason and nothing else with one.
    ///
    /// # Errors
    /// [`StoreError::Invalid`].
    pub fn status(status: SignalStatus, reason: Option<ClosedFor>) -> Result<Self, StoreError> {
        match (status, reason) {
            (SignalStatus::Closed, Some(reason)) => Ok(SignalStep::Closed(reason)),
            (SignalStatus::Closed, None) => Err(StoreError::Invalid(
                "a signal is closed with its reason: explained, data_corrected, care_changed or no_longer_outside",
            )),
            (status, None) => Ok(SignalStep::Status(status)),
            (_, Some(_)) => Err(StoreError::Invalid("only closing has a reason")),
        }
    }

    /// Its name in the database and in answers.
    pub fn name(self) -> &'static str {
        match self {
            SignalStep::Status(status) => status.as_str(),
            SignalStep::Closed(_) => SignalStatus::Closed.as_str(),
            SignalStep::Revealed(_) => REVEALED,
        }
    }

    /// The code of its reason.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            SignalStep::Status(_) => None,
            SignalStep::Closed(reason) => Some(reason.as_str()),
            SignalStep::Revealed(reason) => Some(reason.as_str()),
        }
    }

    fn stored(step: &str, reason: Option<&str>) -> Option<Self> {
        match (step, reason) {
            (REVEALED, Some(reason)) => RevealedFor::named(reason).map(SignalStep::Revealed),
            (step, None) => SignalStatus::named(step).map(SignalStep::Status),
            (step, Some(reason)) if step == SignalStatus::Closed.as_str() => {
                ClosedFor::named(reason).map(SignalStep::Closed)
            }
            _ => None,
        }
    }

    pub(super) fn becomes(self) -> Option<SignalStatus> {
        match self {
            SignalStep::Status(status) => Some(status),
            SignalStep::Closed(_) => Some(SignalStatus::Closed),
            SignalStep::Revealed(_) => None,
        }
    }
}

/// A step with its circumstances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTaken {
    /// What was done.
    pub step: SignalStep,
    /// The run that was looked at.
    pub run: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
}

/// A signal that somebody did something about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalHistory {
    /// Id of the measure.
    pub measure: String,
    /// Id of the centre.
    pub centre_id: String,
    /// What was done, in order.
    pub steps: Vec<StepTaken>,
}

impl SignalHistory {
    /// The status now; `None` when a letter was looked up and nothing else done.
    pub fn status(&self) -> Option<SignalStatus> {
        self.steps.iter().rev().find_map(|taken| taken.step.becomes())
    }
}

impl SignalStatus {
    /// What may follow: a later status, or noted again after closed.
    pub fn after(status: Option<SignalStatus>) -> Vec<SignalStatus> {
        let all = SignalStatus::ALL.iter().copied();
        match status {
            Some(SignalStatus::Closed) => vec![SignalStatus::Noted],
            status => all.filter(|one| Some(*one) > status).collect(),
        }
    }
}

type Row = (
    String,
    String,
    i64,
    String,
    Option<String>,
    i64,
    NaiveDateTime,
    String,
);

fn taken(
    step: &str,
    reason: Option<&str>,
    run: i64,
    at: NaiveDateTime,
    by: String,
) -> Result<StepTaken, StoreError> {
    let step = SignalStep::stored(step, reason)
        .ok_or_else(|| StoreError::Internal("a stored step of a signal does not read".to_owned()))?;
    Ok(StepTaken {
        step,
        run,
        at: utc(at),
        by,
    })
}

impl Store {
    /// Every signal that something was done about, by centre and measure. `committee`, `coordinator`.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`].
    pub fn signal_histories(&self, scope: &Scope) -> Result<Vec<SignalHistory>, StoreError> {
        require(scope, steers(scope), "read signals")?;
        let query = signal_steps::table.order((
            signal_steps::centre_id,
            signal_steps::measure,
            signal_steps::number,
        ));
        let rows = self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<Row>(c))?))?;
        let mut histories: BTreeMap<(String, String), Vec<StepTaken>> = BTreeMap::new();
        for (centre_id, measure, _, step, reason, run, at, by) in rows {
            let taken = taken(&step, reason.as_deref(), run, at, by)?;
            histories.entry((centre_id, measure)).or_default().push(taken);
        }
        let history = |((centre_id, measure), steps)| SignalHistory {
            measure,
            centre_id,
            steps,
        };
        Ok(histories.into_iter().map(history).collect())
    }

    /// Takes a step about a signal. A status: `committee`, `coordinator`. Looking up a centre: `coordinator`. Returns all its steps.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`]; [`StoreError::NotFound`] for an unknown centre or run; [`StoreError::InvalidState`] for a status that cannot
    /// follow the present one.
    pub fn take_signal_step(
        &self,
        scope: &Scope,
        signal: SignalRef,
        step: SignalStep,
    ) -> Result<SignalHistory, StoreError> {
        let (may, what) = match step {
            SignalStep::Revealed(_) => (scope.role().sees_all_cases(), "reveal the centre of a signal"),
            _ => (steers(scope), "follow up signals"),
        };
        require(scope, may, what)?;
        if !is_name(&signal.measure) {
            return Err(StoreError::NotFound);
        }
        self.write(scope, move |tx| take(tx, &signal, step))
    }
}

fn take(tx: &mut Tx<'_>, signal: &SignalRef, step: SignalStep) -> Result<SignalHistory, StoreError> {
    let SignalRef {
        measure,
        centre_id,
        run,
    } = signal;
    let (centre, of) = (
        centres::table.find(centre_id).count(),
        runs::table.find(run).count(),
    );
    let known = on_conn!(tx.conn()?, c => centre.get_result::<i64>(c)? > 0 && of.get_result::<i64>(c)? > 0);
    if !known {
        return Err(StoreError::NotFound);
    }
    let query = signal_steps::table
        .filter(signal_steps::centre_id.eq(centre_id))
        .filter(signal_steps::measure.eq(measure))
        .order(signal_steps::number);
    let rows = on_conn!(tx.conn()?, c => query.load::<Row>(c))?;
    let number = rows.last().map_or(1, |row| row.2 + 1);
    let steps = rows
        .into_iter()
        .map(|(_, _, _, step, reason, run, at, by)| taken(&step, reason.as_deref(), run, at, by))
        .collect::<Result<Vec<_>, _>>()?;
    let mut history = SignalHistory {
        measure: measure.clone(),
        centre_id: centre_id.clone(),
        steps,
    };
    let before = history.status();
    if step
        .becomes()
        .is_some_and(|status| !SignalStatus::after(before).contains(&status))
    {
        return Err(StoreError::InvalidState(
            "this status cannot follow the present one of the signal",
        ));
    }
    let actor = tx.scope.actor().to_owned();
    let row = (
        signal_steps::centre_id.eq(centre_id),
        signal_steps::measure.eq(measure),
        signal_steps::number.eq(number),
        signal_steps::step.eq(step.name()),
        signal_steps::reason.eq(step.reason()),
        signal_steps::run.eq(run),
        signal_steps::taken_at.eq(tx.now),
        signal_steps::taken_by.eq(&actor),
    );
    on_conn!(tx.conn()?, c => diesel::insert_into(signal_steps::table).values(row).execute(c))?;
    let action = match step {
        SignalStep::Revealed(_) => "signal.reveal",
        _ => "signal.status",
    };
    let mut event = Event::new(action)
        .centre(centre_id)
        .subject(measure)
        .detail("run", *run);
    if step.becomes().is_some() {
        event = event.detail("status", step.name());
    }
    if let Some(reason) = step.reason() {
        event = event.detail("reason", reason);
    }
    tx.audit(event);
    history.steps.push(StepTaken {
        step,
        run: *run,
        at: utc(tx.now),
        by: actor,
    });
    Ok(history)
}
