//! Sections nobody closed, and how many measures each would unlock.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::UnattestedSection;
use crate::dictionary::Dictionary;
use crate::guideline::UnitOutcome;
use crate::rules::Reason;

/// Section name that stands for every section without an attestation of its own.
const ALL: &str = "all";

/// Attestable sections without a closing attestation, and closed ones that do not reach far enough for some measure; the
/// most worthwhile first.
///
/// `outcomes` are the assessments of the case by each guideline.
pub(super) fn unattested(
    body: &Value,
    dictionary: &Dictionary,
    outcomes: &[&[UnitOutcome]],
) -> Vec<UnattestedSection> {
    let mut unlocked: BTreeMap<&str, BTreeSet<(usize, u16)>> = BTreeMap::new();
    for (guideline, outcomes) in outcomes.iter().enumerate() {
        for outcome in *outcomes {
            if let (Some(Reason::SectionNotAttested), Some(section)) = (outcome.reason, &outcome.element) {
                unlocked
                    .entry(section)
                    .or_default()
                    .insert((guideline, outcome.measure));
            }
        }
    }
    let attested = attestations(body);
    let mut sections: Vec<UnattestedSection> = dictionary
        .entities
        .iter()
        .filter(|entity| entity.attestable)
        .filter_map(|entity| {
            let name = entity.name.as_str();
            let closed = *attested.get(name).or_else(|| attested.get(ALL)).unwrap_or(&false);
            let measures_unlocked = unlocked.get(name).map_or(0, BTreeSet::len);
            (!closed || measures_unlocked > 0).then(|| UnattestedSection {
                section: name.to_owned(),
                measures_unlocked,
            })
        })
        .collect();
    sections.sort_by_key(|section| std::cmp::Reverse(section.measures_unlocked));
    sections
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
    let rows = body.get("section_attestation").and_then(Value::as_array);
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
