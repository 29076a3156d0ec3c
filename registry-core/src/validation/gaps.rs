//! Care gaps of one case: what the guideline asks for and the record does not show, and until when it can still be done.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, NaiveTime};
use serde_json::{Value, json};

use super::{Document, Envelope, Judge};
use crate::guideline::{Guideline, MeasureKind, Outcome, UnitOutcome};
use crate::record::{CentreTable, Record, Sections};
use crate::rules::evaluate::ALL;
use crate::rules::{CheckSet, FiredCheck, Reason, Truth};

/// How far ahead it is looked for the day on which an open measure turns into one not met: two years, the longest window.
const HORIZON_DAYS: u64 = 730;

/// Whether a gap can still be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapState {
    /// There is still time, through this day when it is known.
    OpenThrough(Option<NaiveDate>),
    /// Not done in time.
    Past,
    /// Perhaps done: an element or an attestation is missing that would tell.
    NotRecorded,
}

impl GapState {
    /// The code in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            GapState::OpenThrough(_) => "open",
            GapState::Past => "past",
            GapState::NotRecorded => "not_recorded",
        }
    }
}

/// One measure that is not met on one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareGap {
    pub result: UnitOutcome,
    pub state: GapState,
}

impl Judge {
    /// The care gaps of a body that was not refused, from the results of the guideline in force on it: those still open in time first, the nearest
    /// last day first, then those past, then those that only documentation could settle. Utilisation measures have no gaps, nor has what the
    /// guideline advises against: what was done cannot be undone.
    ///
    /// The last day in time is found by asking what the guideline would say of the same case later, were the patient alive, every
    /// section attested as complete and nothing else added. What it would then say is done is no gap, nor is what can only be excluded or
    /// excepted still.
    pub fn care_gaps(
        &self,
        body: &Value,
        envelope: &Envelope,
        centres: &CentreTable,
        results: &[UnitOutcome],
    ) -> Vec<CareGap> {
        let version = body.get("schema_version").and_then(Value::as_str);
        let Some((version, guideline)) = version.and_then(|version| Some((version, self.in_force(version)?)))
        else {
            return Vec::new();
        };
        let asked = results.iter().filter(|result| asks_for_care(guideline, result));
        let (mut gaps, mut unknown) = (Vec::new(), Vec::new());
        for result in asked {
            match result.outcome {
                Outcome::NotMet => gaps.push(gap(result, GapState::Past)),
                Outcome::NotAssessable => unknown.push(result),
                _ => {}
            }
        }
        if !unknown.is_empty()
            && let Some(form) = self.form(version)
        {
            let document = self.document(body, version, envelope);
            let record = Record::read(&document, &form.layout, centres);
            let fired = form.checks.run(&record);
            let future = Future {
                guideline,
                checks: &form.checks,
                document,
                version,
                envelope,
                record,
                fired,
            };
            gaps.extend(future.gaps(unknown));
        }
        gaps.sort_by_key(|gap| {
            // An unknown last day comes behind the known ones.
            let day = match gap.state {
                GapState::OpenThrough(day) => day.unwrap_or(NaiveDate::MAX),
                _ => NaiveDate::MAX,
            };
            let rank = match gap.state {
                GapState::OpenThrough(_) => 0,
                GapState::Past => 1,
                GapState::NotRecorded => 2,
            };
            (rank, day, gap.result.measure, gap.result.unit_index)
        });
        gaps
    }
}

/// Whether there is something to be done for a measure to be met.
fn asks_for_care(guideline: &Guideline, result: &UnitOutcome) -> bool {
    let measure = guideline.measures.get(usize::from(result.measure));
    measure.is_some_and(|measure| match measure.kind {
        MeasureKind::Adherence | MeasureKind::Documentation => true,
        MeasureKind::Avoidance | MeasureKind::Utilisation => false,
    })
}

fn gap(result: &UnitOutcome, state: GapState) -> CareGap {
    let result = result.clone();
    CareGap { result, state }
}

/// The same case on later days: alive, every section complete, nothing else added. What edit checks keep out today stays out.
struct Future<'a> {
    guideline: &'a Guideline,
    checks: &'a CheckSet,
    document: Document<'a>,
    /// The version of the case schema it was sent in.
    version: &'a str,
    envelope: &'a Envelope,
    /// As sent, nothing kept out.
    record: Record,
    fired: Vec<FiredCheck>,
}

impl Future<'_> {
    /// The gaps among results that are not assessable today. What time alone will settle is none: nothing more has to be done, or can be.
    fn gaps(&self, unknown: Vec<&UnitOutcome>) -> Vec<CareGap> {
        let mut gaps = Vec::new();
        let mut open = Vec::new();
        let today = self.record_on(0);
        let now = self.results(0, &unknown);
        for result in unknown {
            let waits = of(&now, result).is_some_and(|found| found.reason == Some(Reason::WindowOpen));
            if !waits {
                gaps.push(gap(result, GapState::NotRecorded));
            } else if !today.as_ref().is_some_and(|today| self.too_late(today, result)) {
                open.push(result);
            } else if result.reason != Some(Reason::WindowOpen) {
                // Only what excludes or excepts the case is open still. It may have been done where a section is not attested today.
                gaps.push(gap(result, GapState::NotRecorded));
            }
        }
        let then = self.results(HORIZON_DAYS, &open);
        let mut closes = Vec::new();
        for result in open {
            match of(&then, result).map(|found| found.outcome) {
                Some(Outcome::NotMet) => closes.push(result),
                Some(Outcome::NotAssessable) | None => gaps.push(gap(result, GapState::OpenThrough(None))),
                Some(_) => {}
            }
        }
        self.last_days(0, HORIZON_DAYS, closes, &mut gaps);
        gaps
    }

    /// The last day in time of results that are open so many days after the cut-off, and not met so many days after it. All are looked for
    /// together, so that no day is judged twice, and each on no more than ten days.
    fn last_days(&self, open: u64, closed: u64, waiting: Vec<&UnitOutcome>, gaps: &mut Vec<CareGap>) {
        if waiting.is_empty() {
            return;
        }
        if closed - open <= 1 {
            // A cut-off counts its own day: on the first day of "not met" it could still have been done.
            let last = self.day(closed);
            gaps.extend(
                waiting
                    .into_iter()
                    .map(|result| gap(result, GapState::OpenThrough(last))),
            );
            return;
        }
        let middle = u64::midpoint(open, closed);
        let then = self.results(middle, &waiting);
        let not_met =
            |result: &&UnitOutcome| of(&then, result).is_some_and(|found| found.outcome == Outcome::NotMet);
        let (earlier, later) = waiting.into_iter().partition(not_met);
        self.last_days(open, middle, earlier, gaps);
        self.last_days(middle, closed, later, gaps);
    }

    /// Whether what the measure asks for was not done, and time to do it is over.
    fn too_late(&self, today: &Record, result: &UnitOutcome) -> bool {
        let numerator = self.guideline.numerator(today, result.measure, result.unit_index);
        numerator == Some(Truth::False)
    }

    /// What the same measures say of the same units so many days after the cut-off, by measure and unit; nothing past the last day there is.
    fn results(&self, days: u64, asked: &[&UnitOutcome]) -> Results {
        let Some(record) = self.record_on(days).filter(|_| !asked.is_empty()) else {
            return Results::new();
        };
        let asked: BTreeSet<(u16, u32)> = asked.iter().map(|one| (one.measure, one.unit_index)).collect();
        let results = self
            .guideline
            .evaluate_some(&record, |measure, unit| asked.contains(&(measure, unit)));
        let results = results.into_iter();
        results
            .map(|result| ((result.measure, result.unit_index), result))
            .collect()
    }

    fn day(&self, days: u64) -> Option<NaiveDate> {
        self.envelope.data_cutoff_date.checked_add_days(Days::new(days))
    }

    /// Rows keep their places: checks have blocked some by them.
    fn record_on(&self, days: u64) -> Option<Record> {
        let day = self.day(days)?;
        let envelope = Envelope {
            submitted_at: day.and_time(NaiveTime::MIN).and_utc(),
            data_cutoff_date: day,
            ..self.envelope.clone()
        };
        let rows = |section| {
            let rows = self.document.section(section).and_then(Value::as_array);
            rows.cloned().unwrap_or_default()
        };
        let mut attested = rows("section_attestation");
        let others = attested.iter_mut().filter(|row| row["status"] != "none_ever");
        others.for_each(|row| *row = json!({}));
        attested.push(json!({"section": ALL, "status": "complete_through", "complete_through": day}));
        let mut contacts = rows("followup");
        if contacts.iter().all(|contact| contact["vital_status"] != "dead") {
            contacts.push(json!({"date": day, "vital_status": "alive"}));
        }
        let mut record = self.record.clone();
        record.replace("record", &envelope.to_record(self.version));
        record.replace("section_attestation", &Value::Array(attested));
        record.replace("followup", &Value::Array(contacts));
        self.checks.block(&mut record, &self.fired);
        Some(record)
    }
}

/// Results by measure and unit.
type Results = BTreeMap<(u16, u32), UnitOutcome>;

fn of<'a>(results: &'a Results, result: &UnitOutcome) -> Option<&'a UnitOutcome> {
    results.get(&(result.measure, result.unit_index))
}
