//! From the facts of cases to completeness and timeliness of the network and of every centre.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use registry_core::record::{day_number, day_of};

use super::sums::{Delays, OfElement, OfSection, Sum};
use super::{Answered, Counts, Versions};
use crate::cohorts::endpoint::completeness;
use crate::cohorts::settle::{DateReading, Settled, settle};
use crate::measures::{CaseEvaluation, Shares, half_year_of};
use crate::results::RunIdentity;
use crate::results::completeness::{
    Completeness, ElementCompleteness, FollowUp, NETWORK, PeriodBy, PeriodCompleteness, PeriodTimeliness,
    SectionCompleteness,
};
use crate::results::over_time::{ElementRows, OverTimeRows, TimesRows};

/// Half-years and months listed, the latest.
const MOST_PERIODS: usize = 24;
/// Name of the time from the metastatic diagnosis to the first submission.
const REGISTRATION: &str = "registration";

/// Sums of one level.
#[derive(Default)]
struct Level {
    cases: u32,
    /// By path: looked up for every element of every case.
    elements: HashMap<String, OfElement>,
    sections: BTreeMap<String, Sum>,
    open: BTreeMap<String, u32>,
    periods: BTreeMap<(PeriodBy, String, String), Sum>,
    delays: BTreeMap<String, OfSection>,
    registration: Delays,
    registrations: BTreeMap<String, Delays>,
    settled: Vec<Settled>,
}

impl Level {
    fn follow_up(&mut self, settled: Option<Settled>) {
        self.settled.extend(settled);
    }

    fn registered(&mut self, evaluation: &CaseEvaluation) {
        let Some(diagnosed) = evaluation.facts.diagnosis_day() else {
            return;
        };
        let submitted = evaluation.quality.first_submitted;
        self.registration.add(&[submitted - diagnosed]);
        if let Some(day) = day_of(submitted) {
            let period = self.registrations.entry(half_year_of(day));
            period.or_default().add(&[submitted - diagnosed]);
        }
    }
}

/// What of a case one level counts.
struct Part<'a> {
    evaluation: &'a CaseEvaluation,
    elements: &'a [Answered],
    delays: &'a [(u16, Vec<i32>)],
    /// Whether the patient, and so what has no date, counts there.
    patient: bool,
    /// Elements that other centres of the case answered.
    elsewhere: BTreeSet<(u16, u16)>,
}

/// Adds up the cases of a run, one after the other.
pub struct Tally {
    versions: Versions,
    cut_off: i32,
    levels: BTreeMap<String, Level>,
}

impl Tally {
    /// No case yet.
    pub fn new(versions: Versions, cut_off: NaiveDate) -> Self {
        Self {
            versions,
            cut_off: day_number(cut_off),
            levels: BTreeMap::from([(NETWORK.to_owned(), Level::default())]),
        }
    }

    /// Adds a case of `centre`, to the centre and to the network. What a case that was transferred answers counts for the centre that held
    /// it on the row's date, how late it was registered for the one that registered it, and its follow-up for the one that holds it last.
    pub fn push(&mut self, centre: &str, evaluation: &CaseEvaluation) {
        let settled = settle(
            &evaluation.facts.survival,
            self.cut_off,
            DateReading::Fifteenth,
            false,
        )
        .ok();
        let facts = &evaluation.quality;
        let shares = evaluation.shares.as_ref();
        let of = |at: fn(&Shares) -> usize| shares.map_or(centre, |shares| shares.centre(at(shares)));
        let mut whole = Part {
            evaluation,
            elements: &facts.elements,
            delays: &facts.delays,
            patient: true,
            elsewhere: BTreeSet::new(),
        };
        self.level(NETWORK).follow_up(settled);
        self.level(of(|s| s.now)).follow_up(settled);
        self.level(NETWORK).registered(evaluation);
        self.level(of(|s| s.registered)).registered(evaluation);
        self.count(NETWORK, &whole);
        let Some(shares) = shares else {
            return self.count(centre, &whole);
        };
        for (at, share) in shares.quality.iter().enumerate() {
            whole.elements = &share.elements;
            whole.delays = &share.delays;
            whole.patient = at == shares.patient;
            let others = shares
                .quality
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at);
            let others = others.flat_map(|(_, share)| &share.elements);
            whole.elsewhere = others.map(|one| (one.entity, one.element)).collect();
            self.count(shares.centre(at), &whole);
        }
    }

    fn level(&mut self, name: &str) -> &mut Level {
        self.levels.entry(name.to_owned()).or_default()
    }

    fn count(&mut self, name: &str, part: &Part<'_>) {
        let level = self.levels.entry(name.to_owned()).or_default();
        level.cases += u32::from(part.patient);
        count(level, &self.versions, part, name == NETWORK);
    }

    /// The document of every level, the network's first.
    pub fn documents(&self, run: &RunIdentity) -> Vec<Completeness> {
        let levels = self.in_order();
        levels
            .map(|(name, level)| self.document(run, name, level))
            .collect()
    }

    /// Elements and times to submission of every level by half-year, the network's first.
    pub fn over_time(&self, run: &RunIdentity) -> Vec<OverTimeRows> {
        let levels = self.in_order();
        levels.map(|(name, level)| over_time(run, name, level)).collect()
    }

    fn in_order(&self) -> impl Iterator<Item = (&String, &Level)> {
        let network = self.levels.iter().filter(|(name, _)| *name == NETWORK);
        let centres = self.levels.iter().filter(|(name, _)| *name != NETWORK);
        network.chain(centres)
    }

    fn document(&self, run: &RunIdentity, name: &str, level: &Level) -> Completeness {
        let elements: BTreeMap<_, _> = level.elements.iter().collect();
        Completeness {
            run: run.clone(),
            level: name.to_owned(),
            cases: Some(level.cases),
            follow_up: follow_up(&level.settled),
            registration: level.registration.timeliness(REGISTRATION),
            sections: level
                .sections
                .iter()
                .map(|(section, sum)| SectionCompleteness {
                    closed_share: (self.versions.attestable(section) && level.cases > 0).then(|| {
                        let open = level.open.get(section).copied().unwrap_or(0);
                        f64::from(level.cases - open) / f64::from(level.cases)
                    }),
                    section: section.clone(),
                    answers: sum.answers(),
                })
                .collect(),
            elements: elements
                .into_iter()
                .map(|(path, one)| ElementCompleteness {
                    section: section_of(path).to_owned(),
                    element: path.clone(),
                    requirement: one.requirement.to_owned(),
                    answers: one.whole.answers(),
                })
                .collect(),
            periods: latest(&level.periods),
            timeliness: level
                .delays
                .iter()
                .map(|(section, delays)| delays.whole.timeliness(section))
                .collect(),
            registration_periods: last_periods(&level.registrations),
        }
    }
}

fn count(level: &mut Level, versions: &Versions, part: &Part<'_>, network: bool) {
    let evaluation = part.evaluation;
    let facts = &evaluation.quality;
    let version = facts.schema_version.as_str();
    let half_year: Option<Arc<str>> = evaluation.facts.half_year().map(Arc::from);
    let mut sections: BTreeMap<&str, (Counts, bool)> = BTreeMap::new();
    for Answered {
        entity,
        element,
        counts,
    } in part.elements
    {
        let (Some(section), Some(path)) = (
            versions.section(version, *entity),
            versions.element(version, *entity, *element),
        ) else {
            continue;
        };
        let shared = part.elsewhere.contains(&(*entity, *element));
        let of_section = sections.entry(section).or_default();
        of_section.0.add_all(counts);
        of_section.1 |= shared;
        if !level.elements.contains_key(path) {
            let requirement = versions.requirement(version, path).unwrap_or("R");
            level
                .elements
                .insert(path.to_owned(), OfElement::new(requirement));
        }
        if let Some(of_element) = level.elements.get_mut(path) {
            of_element.add(counts, shared, half_year.as_ref());
        }
    }
    let month = day_of(facts.first_submitted)
        .filter(|_| network)
        .map(|day| day.format("%Y-%m").to_string());
    let periods = [
        (PeriodBy::HalfYear, half_year.as_deref().map(str::to_owned)),
        (PeriodBy::SubmissionMonth, month),
    ];
    for (section, (counts, shared)) in &sections {
        level
            .sections
            .entry((*section).to_owned())
            .or_default()
            .add(counts, *shared);
        for (by, period) in &periods {
            if let Some(period) = period {
                let key = (*by, period.clone(), (*section).to_owned());
                level.periods.entry(key).or_default().add(counts, *shared);
            }
        }
    }
    for section in facts.open_sections.iter().filter(|_| part.patient) {
        if let Some(section) = versions.section(version, *section) {
            *level.open.entry(section.to_owned()).or_default() += 1;
        }
    }
    for (entity, delays) in part.delays {
        if let Some(section) = versions.section(version, *entity) {
            let of_section = level.delays.entry(section.to_owned()).or_default();
            of_section.add(delays, half_year.as_ref());
        }
    }
}

fn section_of(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

/// Elements and delays of a level by the half-years its sections are told by, as short rows.
fn over_time(run: &RunIdentity, name: &str, level: &Level) -> OverTimeRows {
    let half_years = half_years(level);
    let place: BTreeMap<&str, u32> = half_years.iter().map(String::as_str).zip(0..).collect();
    let elements: BTreeMap<_, _> = level.elements.iter().collect();
    let elements = elements.into_iter().map(|(path, one)| ElementRows {
        element: path.clone(),
        requirement: one.requirement.to_owned(),
        rows: one.rows(&place),
    });
    let timeliness = level.delays.iter().map(|(section, one)| TimesRows {
        section: section.clone(),
        rows: one.rows(&place),
    });
    OverTimeRows {
        run: run.clone(),
        level: name.to_owned(),
        elements: elements.filter(|one| !one.rows.is_empty()).collect(),
        timeliness: timeliness.filter(|one| !one.rows.is_empty()).collect(),
        half_years,
    }
}

/// The latest half-years of a level, in order.
fn half_years(level: &Level) -> Vec<String> {
    let of_sections = level.periods.keys().filter(|(by, ..)| *by == PeriodBy::HalfYear);
    let of_sections = of_sections.map(|(_, period, _)| period.as_str());
    let of_delays = level.delays.values().flat_map(|one| one.halves.keys());
    let all: BTreeSet<&str> = of_sections.chain(of_delays.map(AsRef::as_ref)).collect();
    let kept = all.iter().skip(all.len().saturating_sub(MOST_PERIODS));
    kept.map(|period| (*period).to_owned()).collect()
}

/// The latest half-years of registration.
fn last_periods(all: &BTreeMap<String, Delays>) -> Vec<PeriodTimeliness> {
    let kept = all.iter().skip(all.len().saturating_sub(MOST_PERIODS));
    kept.map(|(period, delays)| PeriodTimeliness {
        period: period.clone(),
        times: delays.timeliness(REGISTRATION),
    })
    .collect()
}

fn follow_up(settled: &[Settled]) -> FollowUp {
    let observed = settled.iter().map(|case| i64::from(case.exit)).sum();
    let potential = settled
        .iter()
        .map(|case| {
            i64::from(if case.event {
                case.exit
            } else {
                case.potential.max(case.exit)
            })
        })
        .sum();
    FollowUp {
        patients: Some(settled.len() as u32),
        observed_days: Some(observed),
        potential_days: Some(potential),
        index: completeness(settled),
        suppressed: None,
    }
}

/// The periods in order, of each way the latest only.
fn latest(periods: &BTreeMap<(PeriodBy, String, String), Sum>) -> Vec<PeriodCompleteness> {
    let mut kept: BTreeSet<(PeriodBy, &str)> = BTreeSet::new();
    for by in [PeriodBy::HalfYear, PeriodBy::SubmissionMonth] {
        let all: BTreeSet<&str> = periods
            .keys()
            .filter(|(way, ..)| *way == by)
            .map(|(_, period, _)| period.as_str())
            .collect();
        kept.extend(
            all.into_iter()
                .rev()
                .take(MOST_PERIODS)
                .map(|period| (by, period)),
        );
    }
    let kept = periods
        .iter()
        .filter(|((by, period, _), _)| kept.contains(&(*by, period.as_str())));
    kept.map(|((by, period, section), sum)| PeriodCompleteness {
        by: *by,
        period: period.clone(),
        section: section.clone(),
        answers: sum.answers(),
    })
    .collect()
}
