//! What a centre has to do: overdue contacts, elements and sections that keep measures from being assessed, values pending too long. Care
//! that can still be given in time is found on the documents, by who holds them.
//!
//! Made from the evaluations of a run when somebody looks: those are encrypted with the key of their case and gone when it is erased, so
//! that no list of patients outlives its cases.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use registry_core::guideline::Outcome;
use registry_core::quality::QualityRules;
use registry_core::record::{day_number, day_of};
use registry_core::rules::Reason;
use serde::{Deserialize, Serialize};

use super::Versions;
use crate::cohorts::RecordedDate;
use crate::cohorts::facts::Vital;
use crate::measures::{CaseEvaluation, UnitResult};

/// What kind of work an item is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Something the guideline asks for that can still be done in time.
    CareGap,
    /// A finding of severity error that stands: what it blocks stays out of the results until it is corrected.
    Error,
    /// The next contact is overdue.
    FollowUp,
    /// An element that keeps measures from being assessed: missing, imprecise, or kept out by an edit check.
    Element,
    /// A value that has been pending for too long.
    Pending,
    /// A section nobody closed.
    Section,
}

impl WorkKind {
    pub const ALL: [WorkKind; 6] = [
        Self::CareGap,
        Self::Error,
        Self::FollowUp,
        Self::Element,
        Self::Pending,
        Self::Section,
    ];
    /// Those that a run tells; care gaps are asked of each case's document, errors of its findings.
    pub const OF_RUN: [WorkKind; 4] = [Self::FollowUp, Self::Element, Self::Pending, Self::Section];

    /// The code in addresses and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CareGap => "care_gap",
            Self::Error => "error",
            Self::FollowUp => "follow_up",
            Self::Element => "element",
            Self::Pending => "pending",
            Self::Section => "section",
        }
    }
}

/// One thing to do on one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WorkItem {
    pub kind: WorkKind,
    /// Record id; the caller knows the pseudonym.
    #[serde(skip)]
    pub case_id: String,
    /// A measure, the phase of the disease, an element (`entity.element`), or a section.
    pub what: String,
    /// Why: the reason in results, or in words.
    pub why: String,
    /// JSON Pointer into the case, where one row is meant.
    pub pointer: Option<String>,
    /// The day it is counted from: the last contact, the event of the pending value.
    pub since: Option<NaiveDate>,
    /// Days overdue, or pending.
    pub days: Option<i32>,
    /// The last day on which it can still be done, where it is known.
    pub until: Option<NaiveDate>,
    /// Measures of this case it stands in the way of.
    pub measures: u32,
    /// Units of those measures.
    pub units: u32,
    /// Their positions in the guideline of the run.
    #[serde(skip)]
    pub waiting: Vec<u16>,
    /// The version that was judged, of an item that a run tells.
    pub judged_version: Option<i64>,
}

/// One element or section over all cases of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Unlock {
    /// `element` or `section`.
    pub kind: WorkKind,
    pub what: String,
    /// Measures it stands in the way of, on any case.
    pub measures: u32,
    pub units: u32,
    pub cases: u32,
}

/// The work of one centre.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Worklist {
    /// What would unlock most, first: measures, then units.
    pub unlocks: Vec<Unlock>,
    /// By kind; within a kind the most measures, then the longest overdue, first.
    pub items: Vec<WorkItem>,
}

/// Makes a worklist from the cases of a centre, one after the other.
pub struct Collector<'a> {
    rules: &'a QualityRules,
    versions: &'a Versions,
    /// Measures of the guideline; results beyond them are composites, which follow from the others.
    measures: usize,
    cut_off: i32,
    /// The version of the case at hand.
    version: i64,
    items: Vec<WorkItem>,
    unlocks: BTreeMap<(WorkKind, String), Unlocked>,
}

#[derive(Default)]
struct Unlocked {
    measures: BTreeSet<u16>,
    units: u32,
    cases: u32,
}

/// Measures and units that wait for one element or section of one case.
#[derive(Default)]
struct Waiting {
    measures: BTreeSet<u16>,
    units: u32,
    reasons: BTreeSet<&'static str>,
}

impl<'a> Collector<'a> {
    /// For a run with this cut-off, over a guideline with so many measures.
    pub fn new(rules: &'a QualityRules, versions: &'a Versions, measures: usize, cut_off: NaiveDate) -> Self {
        Self {
            rules,
            versions,
            measures,
            cut_off: day_number(cut_off),
            version: 0,
            items: Vec::new(),
            unlocks: BTreeMap::new(),
        }
    }

    /// Adds a case, as judged in a version.
    pub fn push(&mut self, case_id: &str, version: i64, case: &CaseEvaluation) {
        self.version = version;
        self.follow_up(case_id, case);
        let (elements, sections) = self.waiting(case);
        self.elements(case_id, &elements);
        self.pending(case_id, case, &elements);
        self.sections(case_id, case, sections);
    }

    /// The list.
    pub fn finish(self) -> Worklist {
        let mut unlocks: Vec<Unlock> = self
            .unlocks
            .into_iter()
            .map(|((kind, what), found)| Unlock {
                kind,
                what,
                measures: found.measures.len() as u32,
                units: found.units,
                cases: found.cases,
            })
            .collect();
        unlocks.sort_by(|a, b| {
            (b.measures, b.units)
                .cmp(&(a.measures, a.units))
                .then_with(|| a.what.cmp(&b.what))
        });
        let mut items = self.items;
        items.sort_by(|a, b| {
            let rank = |item: &WorkItem| (item.measures, item.units, item.days);
            a.kind
                .cmp(&b.kind)
                .then_with(|| rank(b).cmp(&rank(a)))
                .then_with(|| (&a.what, &a.case_id, &a.pointer).cmp(&(&b.what, &b.case_id, &b.pointer)))
        });
        Worklist { unlocks, items }
    }

    /// A contact is overdue when more days have passed since the last one, or since the metastatic diagnosis where there was none, than the
    /// phase allows. Nobody expects one of a patient who is dead or lost.
    fn follow_up(&mut self, case_id: &str, case: &CaseEvaluation) {
        let facts = &case.facts.survival;
        let Some(phase) = case.quality.phase.as_deref().and_then(|id| self.rules.phase(id)) else {
            return;
        };
        let dated = |date: RecordedDate| match date {
            RecordedDate::Between(_, last) => Some(last),
            _ => None,
        };
        let last = facts
            .contacts
            .iter()
            .filter_map(|contact| Some((dated(contact.date)?, contact.vital)))
            .max_by_key(|(day, _)| *day);
        if facts.is_dead() || last.is_some_and(|(_, vital)| vital == Vital::Lost) {
            return;
        }
        let Some(since) = last.map(|(day, _)| day).or_else(|| dated(facts.origin)) else {
            return;
        };
        let days = self.cut_off - since - i32::try_from(phase.contact_within_days).unwrap_or(i32::MAX);
        if days > 0 {
            self.items.push(WorkItem {
                kind: WorkKind::FollowUp,
                case_id: case_id.to_owned(),
                what: phase.id.clone(),
                why: format!(
                    "{}: a contact within {} days",
                    phase.title, phase.contact_within_days
                ),
                pointer: None,
                since: day_of(since),
                days: Some(days),
                until: None,
                measures: 0,
                units: 0,
                waiting: Vec::new(),
                judged_version: Some(self.version),
            });
        }
    }

    /// What the case's measures wait for: elements, and sections.
    fn waiting<'c>(
        &self,
        case: &'c CaseEvaluation,
    ) -> (BTreeMap<&'c str, Waiting>, BTreeMap<String, Waiting>) {
        let mut elements: BTreeMap<&str, Waiting> = BTreeMap::new();
        let mut sections: BTreeMap<String, Waiting> = BTreeMap::new();
        let open = |unit: &&UnitResult| {
            unit.outcome == Outcome::NotAssessable && usize::from(unit.measure) < self.measures
        };
        for unit in case.outcomes.iter().filter(open) {
            let (Some(reason), Some(element)) = (unit.reason, unit.element.as_deref()) else {
                continue;
            };
            let waiting = match reason {
                Reason::SectionNotAttested => sections.entry(element.to_owned()).or_default(),
                // Time will tell.
                Reason::WindowOpen => continue,
                _ => elements.entry(element).or_default(),
            };
            waiting.measures.insert(unit.measure);
            waiting.units += 1;
            waiting.reasons.insert(reason.as_str());
        }
        (elements, sections)
    }

    fn unlock(&mut self, kind: WorkKind, what: &str, waiting: &Waiting) {
        let found = self.unlocks.entry((kind, what.to_owned())).or_default();
        found.measures.extend(&waiting.measures);
        found.units += waiting.units;
        found.cases += 1;
    }

    /// Elements somebody can supply or correct; what was looked for and not found is no work.
    fn elements(&mut self, case_id: &str, elements: &BTreeMap<&str, Waiting>) {
        for (what, waiting) in elements {
            if waiting
                .reasons
                .iter()
                .all(|reason| *reason == Reason::UnknownRecorded.as_str())
            {
                continue;
            }
            self.unlock(WorkKind::Element, what, waiting);
            let reasons: Vec<&str> = waiting.reasons.iter().copied().collect();
            self.items.push(WorkItem {
                kind: WorkKind::Element,
                case_id: case_id.to_owned(),
                what: (*what).to_owned(),
                why: reasons.join(", "),
                pointer: None,
                since: None,
                days: None,
                until: None,
                measures: waiting.measures.len() as u32,
                units: waiting.units,
                waiting: waiting.measures.iter().copied().collect(),
                judged_version: Some(self.version),
            });
        }
    }

    fn pending(&mut self, case_id: &str, case: &CaseEvaluation, elements: &BTreeMap<&str, Waiting>) {
        let version = case.quality.schema_version.as_str();
        let limit = i32::try_from(self.rules.pending_limit_days()).unwrap_or(i32::MAX);
        for (entity, element, row, since) in &case.quality.pending {
            let days = self.cut_off - since;
            let late = |path: &&str| days > limit && !self.rules.may_stay_pending(path);
            let Some(path) = self.versions.element(version, *entity, *element).filter(late) else {
                continue;
            };
            let waiting = elements.get(path);
            self.items.push(WorkItem {
                kind: WorkKind::Pending,
                case_id: case_id.to_owned(),
                what: path.to_owned(),
                why: format!("pending for more than {limit} days"),
                pointer: self.versions.pointer(&case.quality, *entity, *row, *element),
                since: day_of(*since),
                days: Some(days),
                until: None,
                measures: waiting.map_or(0, |waiting| waiting.measures.len() as u32),
                units: waiting.map_or(0, |waiting| waiting.units),
                waiting: waiting.map_or_else(Vec::new, |waiting| waiting.measures.iter().copied().collect()),
                judged_version: Some(self.version),
            });
        }
    }

    fn sections(&mut self, case_id: &str, case: &CaseEvaluation, mut sections: BTreeMap<String, Waiting>) {
        let version = case.quality.schema_version.as_str();
        let versions = self.versions;
        for section in &case.quality.open_sections {
            if let Some(section) = versions.section(version, *section) {
                sections.entry(section.to_owned()).or_default();
            }
        }
        for (what, waiting) in &sections {
            self.unlock(WorkKind::Section, what, waiting);
            self.items.push(WorkItem {
                kind: WorkKind::Section,
                case_id: case_id.to_owned(),
                what: what.clone(),
                why: Reason::SectionNotAttested.as_str().to_owned(),
                pointer: None,
                since: None,
                days: None,
                until: None,
                measures: waiting.measures.len() as u32,
                units: waiting.units,
                waiting: waiting.measures.iter().copied().collect(),
                judged_version: Some(self.version),
            });
        }
    }
}
