//! Care gaps of one case: what the guideline asks for and the record does not show, and until when it can still be done.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveTime};
use serde_json::{Value, json};

use super::{Envelope, Judge};
use crate::guideline::{Guideline, MeasureKind, Outcome, UnitOutcome};
use crate::record::{CentreTable, Record};
use crate::rules::{Reason, Truth};

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
        let newest = self.store().newest(body, version);
        let mut future = Future {
            judge: self,
            guideline,
            body: &newest,
            envelope,
            centres,
            today: None,
            known: BTreeMap::new(),
        };
        let mut gaps: Vec<CareGap> = results
            .iter()
            .filter(|result| asks_for_care(guideline, result))
            .filter_map(|result| {
                let state = match result.outcome {
                    Outcome::NotMet => GapState::Past,
                    Outcome::NotAssessable => future.state(result)?,
                    _ => return None,
                };
                let result = result.clone();
                Some(CareGap { result, state })
            })
            .collect();
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

/// The same case on later days: alive, every section complete, nothing else added.
struct Future<'a> {
    judge: &'a Judge,
    guideline: &'a Guideline,
    /// In its newest form.
    body: &'a Value,
    envelope: &'a Envelope,
    centres: &'a CentreTable,
    /// The case on the cut-off.
    today: Option<Record>,
    known: BTreeMap<u64, Vec<UnitOutcome>>,
}

impl Future<'_> {
    /// `None` when time alone will settle it: nothing more has to be done, or can be.
    fn state(&mut self, result: &UnitOutcome) -> Option<GapState> {
        let waiting =
            |found: Option<&UnitOutcome>| found.is_some_and(|found| found.reason == Some(Reason::WindowOpen));
        let not_met =
            |found: Option<&UnitOutcome>| found.is_some_and(|found| found.outcome == Outcome::NotMet);
        if !waiting(self.on(0, result)) {
            return Some(GapState::NotRecorded);
        }
        if self.too_late(result) {
            // Only what excludes or excepts the case is open still. It may have been done where a section is not attested today.
            return (result.reason != Some(Reason::WindowOpen)).then_some(GapState::NotRecorded);
        }
        match self.on(HORIZON_DAYS, result).map(|found| found.outcome) {
            Some(Outcome::NotMet) => {}
            Some(Outcome::NotAssessable) | None => return Some(GapState::OpenThrough(None)),
            Some(_) => return None,
        }
        let (mut open, mut closed) = (0, HORIZON_DAYS);
        while closed - open > 1 {
            let middle = u64::midpoint(open, closed);
            if not_met(self.on(middle, result)) {
                closed = middle;
            } else {
                open = middle;
            }
        }
        // A cut-off counts its own day: on the first day of "not met" it could still have been done.
        Some(GapState::OpenThrough(
            self.envelope.data_cutoff_date.checked_add_days(Days::new(closed)),
        ))
    }

    /// Whether what the measure asks for was not done, and time to do it is over on the cut-off.
    fn too_late(&mut self, result: &UnitOutcome) -> bool {
        if self.today.is_none() {
            self.today = self.record(0);
        }
        let numerator = self
            .today
            .as_ref()
            .and_then(|today| self.guideline.numerator(today, result.measure, result.unit_index));
        numerator == Some(Truth::False)
    }

    /// The result of the same measure and unit so many days after the cut-off.
    fn on(&mut self, days: u64, result: &UnitOutcome) -> Option<&UnitOutcome> {
        if !self.known.contains_key(&days) {
            let results = self.evaluate(days).unwrap_or_default();
            self.known.insert(days, results);
        }
        let all = self.known.get(&days)?;
        all.iter()
            .find(|found| (found.measure, found.unit_index) == (result.measure, result.unit_index))
    }

    fn evaluate(&self, days: u64) -> Option<Vec<UnitOutcome>> {
        Some(self.guideline.evaluate(&self.record(days)?))
    }

    fn record(&self, days: u64) -> Option<Record> {
        let day = self.envelope.data_cutoff_date.checked_add_days(Days::new(days))?;
        let envelope = Envelope {
            submitted_at: day.and_time(NaiveTime::MIN).and_utc(),
            data_cutoff_date: day,
            ..self.envelope.clone()
        };
        let mut body = self.body.clone();
        let mut attested =
            vec![json!({"section": "all", "status": "complete_through", "complete_through": day})];
        if let Some(Value::Array(own)) = body.get_mut("section_attestation") {
            attested.extend(own.drain(..).filter(|row| row["status"] == "none_ever"));
        }
        body["section_attestation"] = Value::Array(attested);
        if let Some(Value::Array(contacts)) = body.get_mut("followup")
            && contacts.iter().all(|contact| contact["vital_status"] != "dead")
        {
            contacts.push(json!({"date": day, "vital_status": "alive"}));
        }
        let (record, _) = self.judge.read(&body, &envelope, self.centres)?;
        Some(record)
    }
}
