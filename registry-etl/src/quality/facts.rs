//! What worklist, completeness and timeliness need from one case: read while it is evaluated, stored with its evaluation.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use registry_core::dictionary::{Cardinality, Dictionary, Entity, EntityKind, Requirement};
use registry_core::quality::QualityRules;
use registry_core::record::{Absence, Cell, CellRef, Layout, Record, day_number};
use registry_core::rules::CheckSet;
use registry_core::validation::open_sections;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::counts::{Answer, Answered, Counts};

/// Quality of one case. Entities and elements are positions in the form it was read in, [`QualityFacts::schema_version`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QualityFacts {
    pub schema_version: String,
    /// The version it was sent in, when that is another one.
    pub sent_as: Option<String>,
    /// Phase of the disease, by its code.
    pub phase: Option<String>,
    /// ICD-O morphology of a case that is not listed: what the committee would have to decide on.
    pub undecided_morphology: Option<String>,
    /// Expected elements.
    pub elements: Vec<Answered>,
    /// Pending values: entity, element, row, and the day they are counted from.
    pub pending: Vec<(u16, u16, u32, i32)>,
    /// Attestable sections nobody closed.
    pub open_sections: Vec<u16>,
    /// Days from the event to the submission that first held it, for the rows of a section.
    pub delays: Vec<(u16, Vec<i32>)>,
    /// Day number of the first submission that was no draft.
    pub first_submitted: i32,
}

/// What one of the centres of a transferred case answered: of the rows that count for it, as in [`QualityFacts`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct QualityShare {
    pub elements: Vec<Answered>,
    pub delays: Vec<(u16, Vec<i32>)>,
}

/// A case on its way to [`QualityFacts`].
pub struct Subject<'a> {
    /// Version of the case schema the rules read, and the one the case was sent in.
    pub form: &'a str,
    pub sent_as: &'a str,
    pub dictionary: &'a Dictionary,
    pub checks: &'a CheckSet,
    pub rules: &'a QualityRules,
    /// Before the elements that checks block are taken out: completeness asks whether somebody answered, not whether the answer stands.
    pub record: &'a Record,
    /// Every version of the case, oldest first; the last is the one at hand. Drafts before it do not count.
    pub submissions: &'a [Submission<'a>],
    /// Which rows to count, by entity and row; all of them without it.
    pub of: Option<&'a dyn Fn(u16, u32) -> bool>,
}

/// One version of a case.
pub struct Submission<'a> {
    pub day: NaiveDate,
    pub draft: bool,
    /// In the form the rules read.
    pub body: Cow<'a, Value>,
}

impl QualityFacts {
    /// Reads the facts of a case.
    pub fn read(subject: &Subject<'_>) -> Self {
        let layout = subject.record.layout();
        let submissions = Submissions::of(subject);
        let asked = subject.asked_for(layout);
        let mut facts = Self {
            schema_version: subject.form.to_owned(),
            sent_as: (subject.sent_as != subject.form).then(|| subject.sent_as.to_owned()),
            phase: subject
                .rules
                .phase_of(subject.record)
                .map(|phase| phase.id.clone()),
            undecided_morphology: subject.undecided(),
            open_sections: open_sections(subject.body(), subject.dictionary)
                .into_iter()
                .filter_map(|section| layout.entity(section))
                .collect(),
            first_submitted: submissions.first,
            ..Self::default()
        };
        for known in subject
            .dictionary
            .entities
            .iter()
            .filter(|e| e.kind == EntityKind::Case)
        {
            let Some(entity) = layout.entity(&known.name) else {
                continue;
            };
            facts.count(subject, known, entity, &asked);
            let counted = |row: usize| subject.counts(entity, row as u32);
            if let Some(delays) = submissions.delays(subject.body(), known, counted) {
                facts.delays.push((entity, delays));
            }
        }
        facts
    }

    /// The part that is counted by rows.
    pub(crate) fn share(self) -> QualityShare {
        QualityShare {
            elements: self.elements,
            delays: self.delays,
        }
    }

    fn count(&mut self, subject: &Subject<'_>, known: &Entity, entity: u16, asked: &BTreeSet<CellRef>) {
        let record = subject.record;
        let Some(places) = record.layout().entity_at(entity) else {
            return;
        };
        // What there is once is expected even when the whole section is not there.
        let least = usize::from(known.cardinality == Cardinality::One);
        let rows = record.count(entity).max(least) as u32;
        for element in known
            .elements
            .iter()
            .filter(|e| e.requirement != Requirement::Derived)
        {
            let Some(position) = places.element(&element.name) else {
                continue;
            };
            let mut counts = Counts::default();
            for row in (0..rows).filter(|row| subject.counts(entity, *row)) {
                let cell = record.cell(entity, row as usize, position);
                let answer = Answer::of(&cell);
                if cell == Cell::Absent(Absence::Pending) {
                    let since = subject.pending_since(known, entity, row);
                    self.pending.push((entity, position, row, since));
                }
                let expected = match element.requirement {
                    Requirement::Required => true,
                    Requirement::Conditional => asked.contains(&CellRef {
                        entity,
                        row,
                        element: position,
                    }),
                    _ => false,
                };
                if expected {
                    counts.add(answer, 1);
                }
            }
            if counts.expected() > 0 {
                self.elements.push(Answered {
                    entity,
                    element: position,
                    counts,
                });
            }
        }
    }
}

impl<'a> Subject<'a> {
    fn counts(&self, entity: u16, row: u32) -> bool {
        self.of.is_none_or(|of| of(entity, row))
    }

    /// The version at hand.
    fn body(&self) -> &'a Value {
        self.submissions.last().map_or(&Value::Null, |last| &last.body)
    }

    /// Cells of the elements that are required under a condition, where it holds.
    fn asked_for(&self, layout: &Layout) -> BTreeSet<CellRef> {
        let entities = self.dictionary.entities.iter();
        let conditional = entities.flat_map(|entity| {
            let elements = entity.elements.iter();
            let conditional = elements.filter(|e| e.requirement == Requirement::Conditional);
            conditional.filter_map(|element| layout.path(&format!("{}.{}", entity.name, element.name)))
        });
        self.checks.asked_for(self.record, conditional)
    }

    /// The morphology of a case that neither value set H nor a decision places.
    fn undecided(&self) -> Option<String> {
        let class = self.record.single("primary.eligibility_class");
        let code = self.record.single("primary.icdo_morphology").as_text();
        code.filter(|_| class.as_text() == Some("not_listed"))
            .map(str::to_owned)
    }

    /// The day a pending value is counted from: the event of its row, else the metastatic diagnosis, else the day of submission.
    fn pending_since(&self, known: &Entity, entity: u16, row: u32) -> i32 {
        let anchor = known
            .anchor_date
            .and_then(|at| known.elements.get(at))
            .and_then(|element| self.record.layout().entity_at(entity)?.element(&element.name))
            .and_then(|element| self.record.cell(entity, row as usize, element).as_date());
        let date = anchor.or_else(|| self.first_presentation());
        date.map_or_else(
            || self.submissions.last().map_or(0, |last| day_number(last.day)),
            |date| date.last(),
        )
    }

    fn first_presentation(&self) -> Option<registry_core::record::PartialDate> {
        let mut rows = self.record.rows("presentation");
        let first = rows.find(|row| row.get("seq").as_number() == Some(1.0))?;
        first.get("date_detected").as_date()
    }
}

/// When what was submitted first.
struct Submissions<'a> {
    first: i32,
    /// First day a row of this entity and anchor date was in a submission.
    rows: BTreeMap<(&'a str, &'a str), i32>,
    registered: Option<i32>,
}

impl<'a> Submissions<'a> {
    fn of(subject: &Subject<'a>) -> Self {
        let mut rows = BTreeMap::new();
        let mut first = None;
        let last = subject.submissions.len().saturating_sub(1);
        let counted = subject.submissions.iter().enumerate();
        for (_, version) in counted.filter(|(at, version)| *at == last || !version.draft) {
            let day = day_number(version.day);
            first.get_or_insert(day);
            for entity in subject.dictionary.entities.iter().filter(|e| e.repeated()) {
                for (_, date) in anchor_dates(&version.body, entity) {
                    rows.entry((entity.name.as_str(), date)).or_insert(day);
                }
            }
        }
        let registered = subject.record.single("patient.registration_date").as_date();
        Self {
            first: first.unwrap_or_default(),
            rows,
            registered: registered.map(|date| date.first()),
        }
    }

    /// Days from event to first submission of a section's rows that are dated to the day, not before the patient was registered: what lay
    /// behind then says nothing about how fast the centre reports. `None` when there is no such row.
    fn delays(&self, body: &Value, known: &Entity, counted: impl Fn(usize) -> bool) -> Option<Vec<i32>> {
        let mut delays = Vec::new();
        for (_, date) in anchor_dates(body, known).filter(|(row, _)| counted(*row)) {
            let Ok(day) = date.parse::<NaiveDate>() else {
                continue;
            };
            let day = day_number(day);
            if self.registered.is_some_and(|registered| day < registered) {
                continue;
            }
            if let Some(submitted) = self.rows.get(&(known.name.as_str(), date)) {
                delays.push(submitted - day);
            }
        }
        (!delays.is_empty()).then_some(delays)
    }
}

/// The anchor dates of a repeated section, as sent, with their rows.
fn anchor_dates<'d>(body: &'d Value, entity: &Entity) -> impl Iterator<Item = (usize, &'d str)> {
    let anchor = entity.anchor_date.and_then(|at| entity.elements.get(at));
    let name = anchor.map(|element| element.name.clone());
    let rows = body.get(&entity.name).and_then(Value::as_array);
    rows.into_iter()
        .flatten()
        .enumerate()
        .filter_map(move |(at, row)| Some((at, row.get(name.as_ref()?)?.as_str()?)))
}
