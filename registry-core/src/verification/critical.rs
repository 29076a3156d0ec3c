//! How many measures read an element: the critical ones are those on which many results rest.

use std::collections::{BTreeMap, BTreeSet};

use super::Verifier;
use crate::dictionary::{Dictionary, EntityKind};
use crate::guideline::Guideline;

/// What the named dates and windows of the rule language are read from.
const NAMED: [(&str, &[&str]); 9] = [
    ("BIRTH", &["patient.birth_year"]),
    ("T0", &["presentation.date_detected"]),
    ("A0", &["presentation.referral_date"]),
    ("FT", TREATMENTS),
    ("FT0", TREATMENTS),
    ("PRE", TREATMENTS),
    ("PRE0", TREATMENTS),
    ("DEATH", &["followup.death_date"]),
    ("LAST", &["followup.date"]),
];
const TREATMENTS: &[&str] = &[
    "local_treatment.date",
    "systemic.start_date",
    "radiotherapy.start_date",
];

impl Verifier {
    /// The number of measures of a guideline that read each element (`entity.element`): by its path, by the name a row is given
    /// (`local_treatment AS m`, `m.modality`), by a named date, or as the date that places a row in a window; in the measure's own expressions
    /// and in the population and the definitions they name. What reads an element the service works out rests on what it is worked out from.
    /// Elements no measure reads are not in it.
    pub fn readers(&self, guideline: &Guideline) -> BTreeMap<String, usize> {
        let dictionary = &self.store.current().dictionary;
        let mut counts = BTreeMap::new();
        for measure in &guideline.measures {
            let mut texts: Vec<&str> = measure.expressions.values().map(String::as_str).collect();
            texts.extend(guideline.populations.get(&measure.population).map(String::as_str));
            let mut read = BTreeSet::new();
            let mut named = BTreeSet::new();
            while let Some(text) = texts.pop() {
                for word in words(text) {
                    if let Some(definition) = guideline.definitions.get(word)
                        && named.insert(word)
                    {
                        texts.push(definition);
                    }
                }
                read.extend(elements(text, dictionary));
            }
            for (derived, sources) in &self.derived_from {
                if read.contains(derived) {
                    read.extend(sources.iter().cloned());
                }
            }
            for element in read {
                *counts.entry(element).or_insert(0) += 1;
            }
        }
        counts
    }
}

/// The words of an expression, codes (in quotes) left out.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('\'')
        .step_by(2)
        .flat_map(|piece| piece.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')))
        .filter(|word| !word.is_empty())
}

/// The elements one expression names.
fn elements(text: &str, dictionary: &Dictionary) -> BTreeSet<String> {
    let all: Vec<&str> = words(text).collect();
    let entity = |name: &str| {
        dictionary
            .entity(name)
            .filter(|entity| entity.kind == EntityKind::Case)
    };
    let mut rows = BTreeMap::new();
    for three in all.windows(3) {
        if let [of, "AS", alias] = three
            && entity(of).is_some()
        {
            rows.insert(*alias, *of);
        }
    }
    let windowed = all.contains(&"WITHIN");
    let mut found = BTreeSet::new();
    for word in all {
        if let Some((_, paths)) = NAMED.iter().find(|(name, _)| *name == word) {
            found.extend(paths.iter().map(|path| (*path).to_owned()));
        }
        let (row, element) = word
            .split_once('.')
            .map_or((word, None), |(row, name)| (row, Some(name)));
        let Some(of) = entity(rows.get(row).copied().unwrap_or(row)) else {
            continue;
        };
        let read = match element {
            Some(name) => of.element(name),
            None if windowed => of.anchor_date.and_then(|at| of.elements.get(at)),
            None => None,
        };
        found.extend(read.map(|element| format!("{}.{}", of.name, element.name)));
    }
    found
}
