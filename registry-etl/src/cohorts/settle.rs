//! One case, one endpoint: origin, entry, exit and event, or the first reason why not.
//!
//! Rules: a date known to the month is read as its 15th (or, in the sensitivities, its first or last day); known to the
//! year only, the case is left out. Death is the earliest known death date. A patient not dead is censored at the last
//! contact alive (or lost), never after the cut-off; a death after the cut-off is not seen. Entry at or before the origin means no truncation;
//! exit at or before entry leaves the case out.

use super::facts::{Ascertainment, RecordedDate, SurvivalFacts, Vital};

/// Days of the longest month: a longer interval is known to the year only.
const MONTH: i32 = 31;
/// Days from the first of a month to its 15th.
const TO_FIFTEENTH: i32 = 14;

/// How a date known to the month is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateReading {
    /// The 15th: the specification's rule.
    Fifteenth,
    Earliest,
    Latest,
}

/// Why a case is not in the estimate. Checked in this order; a case counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    NotCore,
    /// The treatment an endpoint counts from was not given.
    NotTreated,
    EditError,
    NoOrigin,
    YearOnly,
    OriginAfterCutOff,
    DeathDateUnknown,
    /// An event of the endpoint whose date is not known.
    EventDateUnknown,
    NoFollowUp,
    NoRegistration,
    AscertainmentNotRecorded,
    Retrospective,
    ExitBeforeOrigin,
    ExitNotAfterEntry,
}

impl LeftOut {
    pub const ALL: [LeftOut; 14] = [
        Self::NotCore,
        Self::NotTreated,
        Self::EditError,
        Self::NoOrigin,
        Self::YearOnly,
        Self::OriginAfterCutOff,
        Self::DeathDateUnknown,
        Self::EventDateUnknown,
        Self::NoFollowUp,
        Self::NoRegistration,
        Self::AscertainmentNotRecorded,
        Self::Retrospective,
        Self::ExitBeforeOrigin,
        Self::ExitNotAfterEntry,
    ];

    /// Stable code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotCore => "not_core",
            Self::NotTreated => "not_treated",
            Self::EditError => "edit_error",
            Self::NoOrigin => "no_origin",
            Self::YearOnly => "year_only_date",
            Self::OriginAfterCutOff => "origin_after_cut_off",
            Self::DeathDateUnknown => "death_date_unknown",
            Self::EventDateUnknown => "event_date_unknown",
            Self::NoFollowUp => "no_follow_up",
            Self::NoRegistration => "no_registration_date",
            Self::AscertainmentNotRecorded => "ascertainment_not_recorded",
            Self::Retrospective => "retrospective",
            Self::ExitBeforeOrigin => "exit_before_origin",
            Self::ExitNotAfterEntry => "exit_not_after_entry",
        }
    }

    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Self::NotCore => "Outside the core population",
            Self::NotTreated => "The treatment counted from was not given",
            Self::EditError => "An edit error on a date that is needed",
            Self::NoOrigin => "Date of the origin not known",
            Self::YearOnly => "A date that is needed is known to the year only",
            Self::OriginAfterCutOff => "Origin after the cut-off",
            Self::DeathDateUnknown => "Dead, date of death not known",
            Self::EventDateUnknown => "An event whose date is not known",
            Self::NoFollowUp => "No contact with a known date up to the cut-off",
            Self::NoRegistration => "Date of registration not known",
            Self::AscertainmentNotRecorded => "Not recorded whether registered prospectively",
            Self::Retrospective => "Registered retrospectively",
            Self::ExitBeforeOrigin => "Last contact before the origin",
            Self::ExitNotAfterEntry => "Last contact or death not after registration",
        }
    }
}

/// A case with its times settled, in days from the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Registration, when after the origin.
    pub entry: Option<i32>,
    pub exit: i32,
    pub event: bool,
    /// Censored at a contact that says the patient is lost.
    pub lost: bool,
    /// From the origin to the cut-off of the run (for completeness of follow-up).
    pub potential: i32,
}

/// What an endpoint reads of one case besides its contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// Possible origins: the first counts, so every one must be dated.
    pub origins: Vec<RecordedDate>,
    /// Events besides death; those on or before the origin are not of this course.
    pub events: Vec<RecordedDate>,
    /// Days besides contacts up to which a patient is known to be free of the event.
    pub seen: Vec<RecordedDate>,
}

/// Settles overall survival from metastatic diagnosis. `run_cut_off` is the run's cut-off as a day number; `retrospective`
/// admits retrospective cases, followed from their origin.
///
/// # Errors
/// The first [`LeftOut`] that applies.
pub fn settle(
    facts: &SurvivalFacts,
    run_cut_off: i32,
    reading: DateReading,
    retrospective: bool,
) -> Result<Settled, LeftOut> {
    let course = Course {
        origins: vec![facts.origin],
        events: Vec::new(),
        seen: Vec::new(),
    };
    settle_course(facts, &course, run_cut_off, reading, retrospective).map(|(_, settled)| settled)
}

/// Settles the times of one course; also the day of its origin. Arguments as [`settle`].
///
/// # Errors
/// The first [`LeftOut`] that applies.
pub fn settle_course(
    facts: &SurvivalFacts,
    course: &Course,
    run_cut_off: i32,
    reading: DateReading,
    retrospective: bool,
) -> Result<(i32, Settled), LeftOut> {
    if !facts.in_core {
        return Err(LeftOut::NotCore);
    }
    if course.origins.is_empty() {
        return Err(LeftOut::NotTreated);
    }
    if uses_blocked(facts, course) {
        return Err(LeftOut::EditError);
    }
    let cut_off = facts.cut_off.min(run_cut_off);
    let origin = first_of(&course.origins, reading, LeftOut::NoOrigin)?.ok_or(LeftOut::NoOrigin)?;
    if origin > cut_off {
        return Err(LeftOut::OriginAfterCutOff);
    }
    let death = death_day(facts, reading)?;
    let mut ends = death;
    for event in &course.events {
        let at = day(*event, reading)?.ok_or(LeftOut::EventDateUnknown)?;
        if at > origin {
            ends = Some(ends.map_or(at, |first| first.min(at)));
        }
    }
    let (exit, event, lost) = match ends {
        Some(end) if end <= cut_off => (end, true, false),
        _ => {
            let (mut last, mut lost) = last_contact(facts, reading)?.ok_or(LeftOut::NoFollowUp)?;
            for seen in &course.seen {
                if let Some(at) = day(*seen, reading)?.filter(|at| *at > last) {
                    (last, lost) = (at, false);
                }
            }
            // Somebody whose event comes after the cut-off was free of it on that day.
            if ends.is_some() || last > cut_off {
                (cut_off, false, false)
            } else {
                (last, false, lost)
            }
        }
    };
    let registration = day(facts.registration, reading)?.ok_or(LeftOut::NoRegistration)?;
    let from_origin = match facts.ascertainment {
        Ascertainment::Prospective => false,
        Ascertainment::Retrospective if retrospective => true,
        Ascertainment::Retrospective => return Err(LeftOut::Retrospective),
        Ascertainment::NotRecorded => return Err(LeftOut::AscertainmentNotRecorded),
    };
    if exit < origin {
        return Err(LeftOut::ExitBeforeOrigin);
    }
    if !from_origin && exit <= registration {
        return Err(LeftOut::ExitNotAfterEntry);
    }
    let settled = Settled {
        entry: (!from_origin && registration > origin).then_some(registration - origin),
        exit: exit - origin,
        event,
        lost,
        potential: run_cut_off - origin,
    };
    Ok((origin, settled))
}

/// The first of dates that must all be known.
fn first_of(dates: &[RecordedDate], reading: DateReading, unknown: LeftOut) -> Result<Option<i32>, LeftOut> {
    let mut first: Option<i32> = None;
    for date in dates {
        let at = day(*date, reading)?.ok_or(unknown)?;
        first = Some(first.map_or(at, |f| f.min(at)));
    }
    Ok(first)
}

/// Whether a date or status the endpoint needs is kept out by an edit error.
fn uses_blocked(facts: &SurvivalFacts, course: &Course) -> bool {
    let blocked = RecordedDate::Blocked;
    let mut dates = course.origins.iter().chain(&course.events).chain(&course.seen);
    facts.registration == blocked
        || dates.any(|date| *date == blocked)
        || facts
            .contacts
            .iter()
            .any(|c| c.date == blocked || c.death == blocked || c.vital == Vital::Blocked)
}

/// The day a recorded date stands for; `None` when there is none.
pub(super) fn day(date: RecordedDate, reading: DateReading) -> Result<Option<i32>, LeftOut> {
    let RecordedDate::Between(first, last) = date else {
        return Ok(None);
    };
    if last - first >= MONTH {
        return Err(LeftOut::YearOnly);
    }
    Ok(Some(match reading {
        _ if first == last => first,
        DateReading::Fifteenth => first + TO_FIFTEENTH,
        DateReading::Earliest => first,
        DateReading::Latest => last,
    }))
}

/// Earliest known death date; `None` for a patient nobody calls dead.
fn death_day(facts: &SurvivalFacts, reading: DateReading) -> Result<Option<i32>, LeftOut> {
    let mut earliest: Option<i32> = None;
    for contact in &facts.contacts {
        if let Some(death) = day(contact.death, reading)? {
            earliest = Some(earliest.map_or(death, |e| e.min(death)));
        }
    }
    if earliest.is_none() && facts.contacts.iter().any(|c| c.vital == Vital::Dead) {
        return Err(LeftOut::DeathDateUnknown);
    }
    Ok(earliest)
}

/// Last contact alive or lost, and whether it says lost.
fn last_contact(facts: &SurvivalFacts, reading: DateReading) -> Result<Option<(i32, bool)>, LeftOut> {
    let mut last: Option<(i32, bool)> = None;
    for contact in facts
        .contacts
        .iter()
        .filter(|c| matches!(c.vital, Vital::Alive | Vital::Lost))
    {
        if let Some(date) = day(contact.date, reading)? {
            let this = (date, contact.vital == Vital::Lost);
            last = Some(last.map_or(this, |l| l.max(this)));
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests;
