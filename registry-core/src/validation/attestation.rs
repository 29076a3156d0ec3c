//! Sections nobody closed, and how many measures each would unlock.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::form::Form;
use super::{Assessment, Document, UnattestedSection};
use crate::dictionary::Dictionary;
use crate::guideline::{Outcome, UnitOutcome};
use crate::record::{CentreTable, Record, Sections};
use crate::rules::{FiredCheck, Reason};

/// Section name that stands for every section without an attestation of its own.
const ALL: &str = "all";
/// The entity of attestations.
const ENTITY: &str = "section_attestation";

/// A case that was assessed, and by what.
pub(super) struct Assessed<'a> {
    pub(super) document: &'a Document<'a>,
    pub(super) form: &'a Form,
    pub(super) centres: &'a CentreTable,
    pub(super) fired: &'a [FiredCheck],
    pub(super) cut_off: NaiveDate,
    pub(super) assessments: &'a [Assessment],
}

impl Assessed<'_> {
    /// Attestable sections without a closing attestation, and closed ones that do not reach far enough for some measure; the
    /// most worthwhile first.
    pub(super) fn unattested(&self, body: &Value) -> Vec<UnattestedSection> {
        let outcomes = || self.assessments.iter().flat_map(|one| &one.outcomes);
        let asked: BTreeSet<&str> = outcomes()
            .filter(|outcome| outcome.reason == Some(Reason::SectionNotAttested))
            .filter_map(|outcome| outcome.element.as_deref())
            .collect();
        let attested = attestations(body);
        let entities = self
            .form
            .dictionary
            .entities
            .iter()
            .filter(|entity| entity.attestable);
        let mut sections: Vec<UnattestedSection> = entities
            .filter_map(|entity| {
                let name = entity.name.as_str();
                let closed = *attested.get(name).or_else(|| attested.get(ALL)).unwrap_or(&false);
                if closed && !asked.contains(name) {
                    return None;
                }
                let measures_unlocked = self.unlocked(name);
                (!closed || measures_unlocked > 0).then(|| UnattestedSection {
                    section: name.to_owned(),
                    measures_unlocked,
                })
            })
            .collect();
        sections.sort_by_key(|section| std::cmp::Reverse(section.measures_unlocked));
        sections
    }

    /// Measures that can be assessed on more units once this section, and no other, is attested through the cut-off: found by assessing
    /// the case as if it were, because what is in the way behind a section cannot be seen in front of it.
    fn unlocked(&self, section: &str) -> usize {
        let attested = Attested::of(self.document, section, self.cut_off);
        let mut record = Record::read(&attested, &self.form.layout, self.centres);
        self.form.checks.block(&mut record, self.fired);
        let guidelines = self.form.guidelines.iter().filter(|one| one.is_active());
        let unlocked = guidelines.zip(self.assessments).map(|(guideline, before)| {
            let before = not_assessable(&before.outcomes);
            let after = guideline.evaluate_some(&record, |measure| before.contains_key(&measure));
            let after = not_assessable(&after);
            let fewer = |(measure, units): &(&u16, &usize)| after.get(measure).unwrap_or(&0) < *units;
            before.iter().filter(fewer).count()
        });
        unlocked.sum()
    }
}

/// Units that cannot be assessed, by measure.
fn not_assessable(outcomes: &[UnitOutcome]) -> BTreeMap<u16, usize> {
    let mut units = BTreeMap::new();
    for outcome in outcomes
        .iter()
        .filter(|one| one.outcome == Outcome::NotAssessable)
    {
        *units.entry(outcome.measure).or_default() += 1;
    }
    units
}

/// A case as if one section were attested through a day. Rows keep their places: checks have blocked some by them.
struct Attested<'a> {
    document: &'a Document<'a>,
    rows: Value,
}

impl<'a> Attested<'a> {
    fn of(document: &'a Document<'a>, section: &str, through: NaiveDate) -> Self {
        let rows = document.section(ENTITY).and_then(Value::as_array);
        let mut rows = rows.cloned().unwrap_or_default();
        // What the section's own rows say is taken back.
        let own = rows.iter_mut().filter(|row| row["section"] == section);
        own.for_each(|row| *row = json!({}));
        rows.push(json!({ "section": section, "status": "complete_through", "complete_through": through }));
        Self {
            document,
            rows: Value::Array(rows),
        }
    }
}

impl Sections for Attested<'_> {
    fn section(&self, name: &str) -> Option<&Value> {
        match name {
            ENTITY => Some(&self.rows),
            _ => self.document.section(name),
        }
    }
}

/// Attestable sections that no attestation closes, in the order of the dictionary.
pub fn open_sections<'d>(body: &Value, dictionary: &'d Dictionary) -> Vec<&'d str> {
    let attested = attestations(body);
    let entities = dictionary.entities.iter().filter(|entity| entity.attestable);
    entities
        .map(|entity| entity.name.as_str())
        .filter(|name| !attested.get(name).or_else(|| attested.get(ALL)).unwrap_or(&false))
        .collect()
}

/// Whether each attested section is closed: never any row, or complete through a day.
fn attestations(body: &Value) -> BTreeMap<&str, bool> {
    let rows = body.get(ENTITY).and_then(Value::as_array);
    let mut attested = BTreeMap::new();
    for row in rows.into_iter().flatten() {
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        let closed = match text("status") {
            // Said of every section at once it closes none.
            Some("none_ever") => text("section") != Some(ALL),
            Some("complete_through") => text("complete_through").is_some(),
            _ => false,
        };
        if let Some(section) = text("section") {
            *attested.entry(section).or_default() |= closed;
        }
    }
    attested
}
