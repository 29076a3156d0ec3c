//! One case, one endpoint: origin, entry, exit and event, or the first reason why not.
//!
//! Rules: a date known to the month is read as its 15th (or, in the sensitivities, its first or last day); known to the
//! year only, the case is left out. Death is the earliest known death date. A patient not dead is censored at the last
//! contact alive (or lost), never after the cut-off; a death after the cut-off is not seen. For a release nobody is censored on the cut-off, but
//! when last seen up to it ([`SurvivalFacts::as_seen`]): the cut-off less the days would be the date of the origin. Entry at or before the origin means no truncation;
//! exit at or before entry leaves the case out.

use super::facts::{Ascertainment, RecordedDate, SurvivalFacts, Vital};

/// Days of the longest month: a longer interval is known to the year only.
pub(super) const MONTH: i32 = 31;
/// Days from the first of a month to its 15th.
pub(super) const TO_FIFTEENTH: i32 = 14;

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
    /// The treatment whose end an endpoint counts from goes on.
    NotEnded,
    /// A share of patients treated before registration holds among those only who lived to be registered.
    BeforeRegistration,
    /// No score at the baseline.
    NoBaseline,
    NoFollowUp,
    NoRegistration,
    AscertainmentNotRecorded,
    Retrospective,
    ExitBeforeOrigin,
    ExitNotAfterEntry,
}

impl LeftOut {
    pub const ALL: [LeftOut; 17] = [
        Self::NotCore,
        Self::NotTreated,
        Self::NotEnded,
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
        Self::BeforeRegistration,
        Self::NoBaseline,
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
            Self::NotEnded => "treatment_not_ended",
            Self::BeforeRegistration => "treated_before_registration",
            Self::NoBaseline => "no_baseline_score",
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
            Self::NotEnded => "The treatment whose end is counted from goes on",
            Self::BeforeRegistration => {
                "Treated before registration (who died before cannot be in the registry)"
            }
            Self::NoBaseline => "No score at the baseline",
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
    /// Ended by the event of the endpoint, or by one that competes with it.
    pub event: bool,
    /// Which: position among the causes of the endpoint, from 1; 0 when censored.
    pub cause: u8,
    /// Censored at a contact that says the patient is lost.
    pub lost: bool,
    /// From the origin to the cut-off of the run (for completeness of follow-up).
    pub potential: i32,
}

/// What an endpoint reads of one case besides its contacts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Course {
    /// Possible origins: the first counts, so every one must be dated.
    pub origins: Vec<RecordedDate>,
    /// Events besides death, with their cause; those on or before the origin are not of this course.
    pub events: Vec<(RecordedDate, u8)>,
    /// The next step of treatment: an event even on the day of the origin.
    pub next: Vec<RecordedDate>,
    /// Ends of observation before the event; those on or before the origin are none.
    pub censors: Vec<RecordedDate>,
    /// Position of death among the causes of the endpoint; none where it does not end the course (it then censors).
    pub death: u8,
    /// Follow-up ends with the last of `seen`, whatever contacts say.
    pub seen_only: bool,
    /// An event without a date has happened.
    pub undated: bool,
    /// What the course is counted from the end of goes on.
    pub not_ended: bool,
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
        death: 1,
        ..Course::default()
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
    if course.not_ended {
        return Err(LeftOut::NotEnded);
    }
    if uses_blocked(facts, course) {
        return Err(LeftOut::EditError);
    }
    let cut_off = facts.cut_off.min(run_cut_off);
    let origin = first_of(&course.origins, reading, LeftOut::NoOrigin)?.ok_or(LeftOut::NoOrigin)?;
    if origin > cut_off {
        return Err(LeftOut::OriginAfterCutOff);
    }
    let end = first_end(facts, course, origin, reading)?;
    let (exit, cause, lost) = match end {
        Some((end, cause)) if end <= cut_off => (end, cause, false),
        // Somebody whose event comes after the cut-off was free of it on that day, whoever saw the patient last.
        Some(_) if !course.seen_only && !facts.as_seen => (cut_off, 0, false),
        _ => censored(facts, course, origin, cut_off, reading)?,
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
        event: cause > 0,
        cause,
        lost,
        potential: run_cut_off - origin,
    };
    Ok((origin, settled))
}

/// The first event, death or censoring date after the origin, with its cause (0: it censors). Of several on one day an event
/// comes before a censoring, and a cause before those after it.
fn first_end(
    facts: &SurvivalFacts,
    course: &Course,
    origin: i32,
    reading: DateReading,
) -> Result<Option<(i32, u8)>, LeftOut> {
    let mut ends: Vec<(i32, u8)> = Vec::new();
    ends.extend(death_day(facts, reading)?.map(|death| (death, course.death)));
    for (event, cause) in &course.events {
        let at = day(*event, reading)?.ok_or(LeftOut::EventDateUnknown)?;
        ends.extend((at > origin).then_some((at, *cause)));
    }
    for next in &course.next {
        let at = day(*next, reading)?.ok_or(LeftOut::EventDateUnknown)?;
        ends.push((at.max(origin), 1));
    }
    for censor in &course.censors {
        // A treatment without a date cannot be told from one that came before the event.
        let at = day(*censor, reading)?.ok_or(LeftOut::EventDateUnknown)?;
        ends.extend((at > origin).then_some((at, 0)));
    }
    // Censoring last.
    let after = |cause: u8| if cause == 0 { u8::MAX } else { cause };
    if course.undated {
        return Err(LeftOut::EventDateUnknown);
    }
    Ok(ends.into_iter().min_by_key(|(at, cause)| (*at, after(*cause))))
}

/// When somebody without an end was last known to be free of the event, and whether lost.
fn censored(
    facts: &SurvivalFacts,
    course: &Course,
    origin: i32,
    cut_off: i32,
    reading: DateReading,
) -> Result<(i32, u8, bool), LeftOut> {
    let until = if facts.as_seen { cut_off } else { i32::MAX };
    let contact = last_contact(facts, until, reading)?.ok_or(LeftOut::NoFollowUp)?;
    let (mut last, mut lost) = if course.seen_only {
        (origin, false)
    } else {
        contact
    };
    for seen in &course.seen {
        if let Some(at) = day(*seen, reading)?.filter(|at| (last + 1..=until).contains(at)) {
            (last, lost) = (at, false);
        }
    }
    Ok(if last > cut_off {
        (cut_off, 0, false)
    } else {
        (last, 0, lost)
    })
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
    let events = course.events.iter().map(|(date, _)| date);
    let mut dates = course.origins.iter().chain(events).chain(&course.seen);
    let mut treatments = course.next.iter().chain(&course.censors);
    facts.registration == blocked
        || dates.any(|date| *date == blocked)
        || treatments.any(|date| *date == blocked)
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

/// Last contact alive or lost up to a day, and whether it says lost.
fn last_contact(
    facts: &SurvivalFacts,
    until: i32,
    reading: DateReading,
) -> Result<Option<(i32, bool)>, LeftOut> {
    let mut last: Option<(i32, bool)> = None;
    for contact in facts
        .contacts
        .iter()
        .filter(|c| matches!(c.vital, Vital::Alive | Vital::Lost))
    {
        if let Some(date) = day(contact.date, reading)?.filter(|date| *date <= until) {
            let this = (date, contact.vital == Vital::Lost);
            last = Some(last.map_or(this, |l| l.max(this)));
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests;
