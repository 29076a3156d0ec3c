//! From the facts of cases to completeness and timeliness of the network and of every centre.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use registry_core::record::{Layout, day_number, day_of};
use registry_core::versions::{CaseSchema, SchemaStore};

use super::quantiles::quartiles;
use super::{Counts, QualityFacts};
use crate::cohorts::endpoint::completeness;
use crate::cohorts::settle::{DateReading, Settled, settle};
use crate::measures::{CaseEvaluation, Shares, half_year_of};
use crate::results::RunIdentity;
use crate::results::completeness::{
    Answers, Completeness, ElementCompleteness, FollowUp, NETWORK, PeriodBy, PeriodCompleteness,
    PeriodTimeliness, SectionCompleteness, Timeliness,
};

/// Half-years and months listed, the latest.
const MOST_PERIODS: usize = 24;
/// Name of the time from the metastatic diagnosis to the first submission.
const REGISTRATION: &str = "registration";

/// Case schema versions that facts may speak of.
pub struct Versions {
    store: Arc<SchemaStore>,
    forms: BTreeMap<String, (Arc<Layout>, Arc<CaseSchema>)>,
}

impl Versions {
    /// By version number.
    pub fn new(
        store: Arc<SchemaStore>,
        forms: impl IntoIterator<Item = (String, Arc<Layout>, Arc<CaseSchema>)>,
    ) -> Self {
        let forms = forms.into_iter();
        Self {
            store,
            forms: forms
                .map(|(version, layout, schema)| (version, (layout, schema)))
                .collect(),
        }
    }

    /// Name of a section.
    pub fn section(&self, version: &str, entity: u16) -> Option<&str> {
        let (layout, _) = self.forms.get(version)?;
        layout.entity_at(entity).map(|known| known.name.as_ref())
    }

    /// Path of an element, `entity.element`.
    pub fn element(&self, version: &str, entity: u16, element: u16) -> Option<&str> {
        let (layout, _) = self.forms.get(version)?;
        layout
            .element_at(entity, element)
            .map(|known| known.path.as_ref())
    }

    /// JSON Pointer of a cell of a case, into the document as it was sent.
    pub fn pointer(&self, facts: &QualityFacts, entity: u16, row: u32, element: u16) -> Option<String> {
        let (layout, _) = self.forms.get(&facts.schema_version)?;
        let (known, element) = (layout.entity_at(entity)?, layout.element_at(entity, element)?);
        let pointer = if known.single {
            format!("/{}/{}", known.name, element.name)
        } else {
            format!("/{}/{row}/{}", known.name, element.name)
        };
        Some(match &facts.sent_as {
            Some(version) => self.store.as_sent(&pointer, version),
            None => pointer,
        })
    }

    fn requirement(&self, version: &str, path: &str) -> Option<&'static str> {
        let (_, schema) = self.forms.get(version)?;
        schema
            .dictionary
            .element(path)
            .map(|element| element.requirement.as_str())
    }

    fn attestable(&self, section: &str) -> bool {
        self.forms.values().any(|(layout, _)| {
            let entity = layout.entity(section).and_then(|at| layout.entity_at(at));
            entity.is_some_and(|known| known.attestable)
        })
    }
}

#[derive(Default)]
struct Sum {
    counts: Counts,
    patients: u32,
    /// Patients of whom another centre answered the same too.
    shared: u32,
}

impl Sum {
    fn add(&mut self, counts: &Counts, shared: bool) {
        self.counts.add_all(counts);
        self.patients += 1;
        self.shared += u32::from(shared);
    }

    fn answers(&self) -> Answers {
        Answers::of(self.patients, self.shared, self.counts)
    }
}

#[derive(Default)]
struct Delays {
    days: Vec<i32>,
    patients: u32,
}

impl Delays {
    fn add(&mut self, days: &[i32]) {
        self.days.extend_from_slice(days);
        self.patients += 1;
    }

    fn timeliness(&self, section: &str) -> Timeliness {
        let quartiles = quartiles(&self.days);
        Timeliness {
            section: section.to_owned(),
            patients: Some(self.patients),
            rows: Some(self.days.len() as u32),
            lower_quartile: quartiles.map(|q| q[0]),
            median: quartiles.map(|q| q[1]),
            upper_quartile: quartiles.map(|q| q[2]),
            suppressed: None,
        }
    }
}

/// Sums of one level.
#[derive(Default)]
struct Level {
    cases: u32,
    /// By path: looked up for every element of every case.
    elements: HashMap<String, (&'static str, Sum)>,
    sections: BTreeMap<String, Sum>,
    open: BTreeMap<String, u32>,
    periods: BTreeMap<(PeriodBy, String, String), Sum>,
    delays: BTreeMap<String, Delays>,
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
    elements: &'a [(u16, u16, Vec<u32>)],
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
            whole.elsewhere = others.map(|(entity, element, _)| (*entity, *element)).collect();
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
        let network = self.levels.iter().filter(|(name, _)| *name == NETWORK);
        let centres = self.levels.iter().filter(|(name, _)| *name != NETWORK);
        network
            .chain(centres)
            .map(|(name, level)| self.document(run, name, level))
            .collect()
    }

    fn document(&self, run: &RunIdentity, name: &str, level: &Level) -> Completeness {
        let section_of = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
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
                .map(|(path, (requirement, sum))| ElementCompleteness {
                    section: section_of(path),
                    element: path.clone(),
                    requirement: (*requirement).to_owned(),
                    answers: sum.answers(),
                })
                .collect(),
            periods: latest(&level.periods),
            timeliness: level
                .delays
                .iter()
                .map(|(section, delays)| delays.timeliness(section))
                .collect(),
            registration_periods: last_periods(&level.registrations),
        }
    }
}

fn count(level: &mut Level, versions: &Versions, part: &Part<'_>, network: bool) {
    let evaluation = part.evaluation;
    let facts = &evaluation.quality;
    let version = facts.schema_version.as_str();
    let mut sections: BTreeMap<&str, (Counts, bool)> = BTreeMap::new();
    for (entity, element, packed) in part.elements {
        let (Some(section), Some(path)) = (
            versions.section(version, *entity),
            versions.element(version, *entity, *element),
        ) else {
            continue;
        };
        let counts = Counts::unpacked(packed);
        let shared = part.elsewhere.contains(&(*entity, *element));
        let of_section = sections.entry(section).or_default();
        of_section.0.add_all(&counts);
        of_section.1 |= shared;
        if let Some((_, sum)) = level.elements.get_mut(path) {
            sum.add(&counts, shared);
            continue;
        }
        let mut sum = Sum::default();
        sum.add(&counts, shared);
        let requirement = versions.requirement(version, path).unwrap_or("R");
        level.elements.insert(path.to_owned(), (requirement, sum));
    }
    let half_year = evaluation.facts.half_year();
    let month = day_of(facts.first_submitted)
        .filter(|_| network)
        .map(|day| day.format("%Y-%m").to_string());
    let periods = [
        (PeriodBy::HalfYear, half_year),
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
            level.delays.entry(section.to_owned()).or_default().add(delays);
        }
    }
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
