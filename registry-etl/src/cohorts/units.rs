//! What an endpoint reads of each case: the origins it may count from, the events, what censors.

use super::course::{Line, LocalTreatment};
use super::definition::{Definition, Event, Origin};
use super::facts::RecordedDate;
use super::settle::{Course, DateReading, day};
use crate::measures::CaseFacts;
use std::collections::BTreeMap;

const METASTASECTOMY: &str = "metastasectomy";
/// Local treatments that destroy a lesion in place.
const ABLATION: [&str; 3] = ["rfa", "mwa", "cryoablation"];
/// Sites of a first recurrence with a cause of their own, by position from 1.
const RECURRENCE_SITES: [&[&str]; 3] = [&["lung"], &["liver"], &["peritoneum", "retroperitoneum"]];

/// The cases of a run, and what they are classified by besides their own facts.
#[derive(Debug, Clone, Default)]
pub struct Cohort<'a> {
    pub cases: &'a [CaseFacts],
    /// Centre of each case, as a number.
    pub centres: &'a [u32],
    /// Name of each centre, by its number.
    pub centre_names: &'a [String],
    /// Third its centre is in by operations for retroperitoneal sarcoma; empty when no volume is known.
    pub volume: Vec<Option<&'static str>>,
    /// The same by metastasectomies.
    pub metastasectomies: Vec<Option<&'static str>>,
    /// Both thirds of the centres of a case that was transferred, each from its first day on, by position of the case.
    pub transferred: Transferred,
    /// Most lesions, and most millimetres, of a low volume.
    pub low_volume: Option<(u32, u32)>,
}

impl<'a> Cohort<'a> {
    /// Cases alone: no centre volume, no limits of a low volume.
    pub fn of(cases: &'a [CaseFacts]) -> Self {
        Self {
            cases,
            ..Self::default()
        }
    }

    /// The centre of the case at a position; `None` where centres are not told.
    pub(super) fn centre_of(&self, at: usize) -> Option<&'a str> {
        let number = usize::try_from(*self.centres.get(at)?).ok()?;
        self.centre_names.get(number).map(String::as_str)
    }
}

/// Thirds by operations and by metastasectomies of the centres of cases that were transferred.
#[derive(Debug, Clone, Default)]
pub struct Transferred {
    pub volume: BTreeMap<usize, Vec<(i32, Option<&'static str>)>>,
    pub metastasectomies: BTreeMap<usize, Vec<(i32, Option<&'static str>)>>,
}

impl Cohort<'_> {
    /// The third of the centre that had a case on a day: by metastasectomies, or by operations for retroperitoneal sarcoma.
    pub(super) fn third(&self, case: usize, day: i32, operated: bool) -> Option<&'static str> {
        let (thirds, moved) = if operated {
            (&self.metastasectomies, &self.transferred.metastasectomies)
        } else {
            (&self.volume, &self.transferred.volume)
        };
        match moved.get(&case) {
            Some(stretches) => stretches.iter().rev().find(|(from, _)| *from <= day)?.1,
            None => thirds.get(case).copied().flatten(),
        }
    }
}

/// One row of an endpoint: a patient, or a repeated operation of one.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    /// Position of the case.
    pub(super) at: usize,
    pub(super) case: &'a CaseFacts,
    pub(super) course: Course,
    /// The local treatment counted from, where it is known which.
    pub(super) treatment: Option<&'a LocalTreatment>,
    /// Whether a local treatment is counted from.
    pub(super) local: bool,
    /// The line counted from or after.
    pub(super) line: Option<&'a Line>,
}

/// Every row of an endpoint; a case without what is counted from has one without an origin.
pub(super) fn units<'a>(definition: &Definition, cases: &'a [CaseFacts]) -> Vec<Unit<'a>> {
    let one = |(at, case): (usize, &'a CaseFacts)| match definition.origin {
        Origin::RepeatMetastasectomy => repeats(definition, at, case),
        _ => vec![unit(definition, at, case)],
    };
    cases.iter().enumerate().flat_map(one).collect()
}

/// The day a date stands for, where it stands for one.
pub(super) fn known(date: RecordedDate) -> Option<i32> {
    day(date, DateReading::Fifteenth).ok().flatten()
}

/// Whether a local treatment is a metastasectomy.
pub(super) fn resects(treatment: &LocalTreatment) -> bool {
    treatment.modality.as_deref() == Some(METASTASECTOMY)
}

/// Whether a local treatment destroys a lesion in place.
pub(super) fn ablates(treatment: &LocalTreatment) -> bool {
    treatment
        .modality
        .as_deref()
        .is_some_and(|one| ABLATION.contains(&one))
}

/// The treatments an endpoint may count from.
fn candidates<'a, 'd>(
    definition: &'d Definition,
    case: &'a CaseFacts,
) -> impl Iterator<Item = &'a LocalTreatment> + use<'a, 'd> {
    let listed = |all: &[String], one: &Option<String>| one.as_ref().is_some_and(|one| all.contains(one));
    case.course.locals.iter().filter(move |treatment| {
        let kind = match definition.origin {
            Origin::LocalTreatment => listed(&definition.modalities, &treatment.modality),
            Origin::ClearingMetastasectomy => resects(treatment) && treatment.cleared,
            _ => resects(treatment),
        };
        kind && (definition.sites.is_empty() || listed(&definition.sites, &treatment.site))
    })
}

fn unit<'a>(definition: &Definition, at: usize, case: &'a CaseFacts) -> Unit<'a> {
    let course = &case.course;
    let line = course
        .lines
        .iter()
        .find(|line| line.number.is_some() && line.number == definition.line);
    let (origins, treatment) = match definition.origin {
        Origin::MetastaticDiagnosis => (vec![case.survival.origin], None),
        Origin::SystemicLine => {
            let lines = course.lines.iter();
            let starts = lines
                .filter(|line| line.number == definition.line)
                .map(|line| line.start);
            (starts.collect(), None)
        }
        Origin::SystemicLineEnd => (line.map(|line| line.stop).into_iter().collect(), None),
        Origin::Observation => (course.observations.clone(), None),
        _ => {
            let all: Vec<&LocalTreatment> = candidates(definition, case).collect();
            let dates = all.iter().map(|treatment| treatment.date).collect();
            (dates, first(&all))
        }
    };
    let follows = follow(definition, case, &origins, treatment, line);
    let goes_on = |line: &Line| line.ongoing && line.stop == RecordedDate::None;
    let not_ended = definition.origin == Origin::SystemicLineEnd && line.is_some_and(goes_on);
    Unit {
        at,
        case,
        course: Course {
            origins,
            not_ended,
            ..follows
        },
        treatment,
        local: definition.origin.is_local(),
        line,
    }
}

/// The first of treatments; none when one is undated, or when those of one day differ in site or completeness.
fn first<'a>(all: &[&'a LocalTreatment]) -> Option<&'a LocalTreatment> {
    let days: Option<Vec<i32>> = all.iter().map(|treatment| known(treatment.date)).collect();
    let days = days?;
    let earliest = days.iter().min()?;
    let mut that_day = all.iter().zip(&days).filter(|(_, day)| *day == earliest);
    let (found, _) = that_day.next()?;
    let same = |other: &LocalTreatment| {
        (&other.site, &other.completeness, &other.modality)
            == (&found.site, &found.completeness, &found.modality)
    };
    that_day.all(|(other, _)| same(other)).then_some(*found)
}

/// Every operation on a later day than the first, one row a day; one without a date is a row too.
fn repeats<'a>(definition: &Definition, at: usize, case: &'a CaseFacts) -> Vec<Unit<'a>> {
    let mut dated: Vec<(Option<i32>, &LocalTreatment)> = candidates_of(definition, case);
    dated.sort_by_key(|(day, _)| (day.is_none(), *day));
    dated.dedup_by_key(|(day, treatment)| (*day, day.is_none().then_some(treatment.date)));
    let row = |treatment: Option<&'a LocalTreatment>| {
        let origins: Vec<RecordedDate> = treatment.map(|one| one.date).into_iter().collect();
        let follows = follow(definition, case, &origins, treatment, None);
        Unit {
            at,
            case,
            course: Course { origins, ..follows },
            treatment,
            local: true,
            line: None,
        }
    };
    let rows: Vec<Unit<'a>> = dated.iter().skip(1).map(|(_, one)| row(Some(one))).collect();
    if rows.is_empty() { vec![row(None)] } else { rows }
}

fn candidates_of<'a>(definition: &Definition, case: &'a CaseFacts) -> Vec<(Option<i32>, &'a LocalTreatment)> {
    let at_site = |treatment: &&LocalTreatment| {
        resects(treatment)
            && treatment
                .site
                .as_ref()
                .is_some_and(|site| definition.sites.contains(site))
    };
    let all = case.course.locals.iter().filter(at_site);
    all.map(|treatment| (known(treatment.date), treatment)).collect()
}

/// Events and censoring dates of the course that begins with `origins`.
fn follow(
    definition: &Definition,
    case: &CaseFacts,
    origins: &[RecordedDate],
    treatment: Option<&LocalTreatment>,
    line: Option<&Line>,
) -> Course {
    let course = &case.course;
    let mut follows = Course {
        death: 1,
        ..Course::default()
    };
    match definition.event {
        Event::SarcomaDeath => {
            follows.death = match course.cause_of_death.as_deref() {
                Some("sarcoma") => 1,
                Some(_) => 2,
                None => 3,
            };
        }
        Event::RecurrenceOrDeath => {
            let recurrences = course.progressions.iter().filter(|one| one.recurrence);
            follows.events = recurrences.map(|one| (one.date, 1)).collect();
            follows.seen = course.imaging.clone();
        }
        Event::RecurrenceSite => {
            let recurrences = course.progressions.iter().filter(|one| one.recurrence);
            follows.events = recurrences
                .map(|one| (one.date, site_cause(&one.sites)))
                .collect();
            follows.seen = course.imaging.clone();
            follows.death = RECURRENCE_SITES.len() as u8 + 2;
        }
        Event::ProgressionOrDeath => progression_free(case, origins, line, &mut follows),
        Event::ProgressionAtSite => {
            let site = treatment.and_then(|one| one.site.as_ref());
            let here = course
                .progressions
                .iter()
                .filter(|one| site.is_some_and(|site| one.sites.contains(site)));
            follows.events = here.map(|one| (one.date, 1)).collect();
            follows.death = 2;
        }
        Event::NextLine => {
            let next = definition.line.map(|line| line + 1);
            let lines = course.lines.iter().filter(|one| one.number == next);
            follows.next = lines.map(|one| one.start).collect();
            follows.death = 2;
        }
        Event::TreatmentOrProgression => {
            let progressions = course.progressions.iter().map(|one| one.date);
            // What was over before is not of this course, however roughly its day is known.
            let origin = origins.iter().filter_map(|date| known(*date)).min();
            let before = |date: &RecordedDate| match date {
                RecordedDate::Between(_, last) => origin.is_some_and(|origin| *last <= origin),
                RecordedDate::None | RecordedDate::Blocked => false,
            };
            let treatments = course.treatments().filter(|date| !before(date));
            follows.events = treatments.chain(progressions).map(|date| (date, 1)).collect();
            follows.death = 2;
        }
        Event::Death | Event::Response | Event::EarlyDeath | Event::MajorMorbidity | Event::QualityOfLife => {
        }
    }
    follows
}

/// Progression of the line or of the disease; a later line or a local treatment with curative intent censors.
fn progression_free(case: &CaseFacts, origins: &[RecordedDate], line: Option<&Line>, follows: &mut Course) {
    let course = &case.course;
    let start = origins.first().and_then(|origin| known(*origin));
    let of_line = line
        .map(|line| line.progression)
        .filter(|date| *date != RecordedDate::None);
    let dates = course.progressions.iter().map(|one| one.date).chain(of_line);
    follows.events = dates.map(|date| (date, 1)).collect();
    let dated_after =
        |date: &RecordedDate| known(*date).is_some_and(|at| start.is_none_or(|start| at > start));
    follows.undated =
        line.is_some_and(|line| line.progressed) && !follows.events.iter().any(|(date, _)| dated_after(date));
    let number = line.and_then(|line| line.number);
    let later = course.lines.iter().filter(|one| one.number > number);
    let curative = course.locals.iter().filter(|one| one.curative);
    follows.censors = later
        .map(|one| one.start)
        .chain(curative.map(|one| one.date))
        .collect();
}

/// Position of the recurrence's site among the causes; several sites, and none, are elsewhere.
fn site_cause(sites: &[String]) -> u8 {
    let within = |group: &&[&str]| sites.iter().all(|site| group.contains(&site.as_str()));
    let found = RECURRENCE_SITES
        .iter()
        .position(within)
        .filter(|_| !sites.is_empty());
    found.unwrap_or(RECURRENCE_SITES.len()) as u8 + 1
}
