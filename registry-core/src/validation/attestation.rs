//! Sections nobody closed, and how many measures each would unlock.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::form::Form;
use super::{Assessment, UnattestedSection};
use crate::dictionary::Dictionary;
use crate::guideline::{Outcome, UnitOutcome};
use crate::record::Record;
use crate::rules::evaluate::ALL;
use crate::rules::{FiredCheck, Reason, SectionSet};

/// The entity of attestations.
const ENTITY: &str = "section_attestation";

/// A case that was assessed, and by what.
pub(super) struct Assessed<'a> {
    pub(super) record: &'a Record,
    pub(super) form: &'a Form,
    pub(super) fired: &'a [FiredCheck],
    pub(super) cut_off: NaiveDate,
    pub(super) assessments: &'a [Assessment],
    /// What every outcome of them found not attested.
    pub(super) open: &'a [Vec<SectionSet>],
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
                let measures_unlocked = self.unlocked(name, body);
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
    /// the case as if it were, because what is in the way behind a section cannot be seen in front of it. Only measures that found the
    /// section open are assessed.
    fn unlocked(&self, section: &str, body: &Value) -> usize {
        let Some(entity) = self.form.layout.entity(section) else {
            return 0;
        };
        let mut record: Option<Record> = None;
        let guidelines = self.form.guidelines.iter().filter(|one| one.is_active());
        let unlocked = guidelines
            .zip(self.assessments)
            .zip(self.open)
            .map(|((guideline, before), open)| {
                let outcomes = || before.outcomes.iter().zip(open);
                let held_up = outcomes()
                    .filter(|(one, open)| one.outcome == Outcome::NotAssessable && open.holds(entity));
                let held_up: BTreeSet<u16> = held_up.map(|(one, _)| one.measure).collect();
                if held_up.is_empty() {
                    return 0;
                }
                let record = record.get_or_insert_with(|| self.as_if_attested(section, body));
                let after = guideline.evaluate_some(record, |measure, _| held_up.contains(&measure));
                let before = not_assessable(before.outcomes.iter());
                let after = not_assessable(after.iter());
                let units = |of: &BTreeMap<u16, usize>, measure| of.get(measure).copied().unwrap_or(0);
                let fewer = held_up
                    .iter()
                    .filter(|measure| units(&after, measure) < units(&before, measure));
                fewer.count()
            });
        unlocked.sum()
    }

    /// The case as if one section were attested through the cut-off. Rows keep their places: checks have blocked some by them.
    fn as_if_attested(&self, section: &str, body: &Value) -> Record {
        let rows = body.get(ENTITY).and_then(Value::as_array);
        let mut rows = rows.cloned().unwrap_or_default();
        // What the section's own rows say is taken back.
        let own = rows.iter_mut().filter(|row| row["section"] == section);
        own.for_each(|row| *row = json!({}));
        rows.push(
            json!({ "section": section, "status": "complete_through", "complete_through": self.cut_off }),
        );
        let mut record = self.record.clone();
        record.replace(ENTITY, &Value::Array(rows));
        self.form.checks.block(&mut record, self.fired);
        record
    }
}

/// Units that cannot be assessed, by measure.
fn not_assessable<'a>(outcomes: impl Iterator<Item = &'a UnitOutcome>) -> BTreeMap<u16, usize> {
    let mut units = BTreeMap::new();
    for outcome in outcomes.filter(|one| one.outcome == Outcome::NotAssessable) {
        *units.entry(outcome.measure).or_default() += 1;
    }
    units
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
