//! The single comparisons behind a diff: of entities, elements, code lists and JSON Schema limits.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::diff::{Change, ChangeClass};
use super::{CaseSchema, Upgrade};
use crate::dictionary::{Cardinality, Element, Entity, Requirement};

/// One of the two versions.
#[derive(Clone, Copy)]
pub(super) struct Side<'s>(pub(super) &'s CaseSchema);

impl<'s> Side<'s> {
    fn document(self, entity: &str) -> Option<&'s Value> {
        self.0.documents.get(&format!("{entity}.schema.json"))
    }

    fn property(self, path: &str) -> Option<&'s Value> {
        let (entity, element) = path.split_once('.')?;
        self.document(entity)?.get("properties")?.get(element)
    }

    fn demands(self, entity: &str) -> BTreeSet<&'s str> {
        let listed = self
            .document(entity)
            .and_then(|document| document.get("required"));
        let listed = listed.and_then(Value::as_array).map(Vec::as_slice);
        listed
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .collect()
    }
}

/// Collects changes.
#[derive(Default)]
pub(super) struct Comparison {
    pub(super) changes: Vec<Change>,
}

impl Comparison {
    pub(super) fn add(
        &mut self,
        class: ChangeClass,
        what: &'static str,
        place: &str,
        words: impl Into<String>,
    ) {
        self.changes.push(Change {
            class,
            what,
            place: place.to_owned(),
            words: words.into(),
            upgraded: false,
        });
    }

    /// What the root and the common definitions say besides naming entities.
    pub(super) fn root(&mut self, old: Side<'_>, new: Side<'_>) {
        self.demanded(old, new, "case");
        for (document, holder) in [("case", "properties"), ("common", "$defs")] {
            let members = |side: Side<'_>| -> BTreeMap<String, Value> {
                let members = side.document(document).and_then(|d| d.get(holder)).cloned();
                serde_json::from_value(members.unwrap_or_default()).unwrap_or_default()
            };
            let after = members(new);
            for (name, before) in members(old) {
                if let Some(after) = after.get(&name) {
                    self.limits(&format!("{document}.{name}"), &before, after);
                }
            }
        }
    }

    pub(super) fn entity(&mut self, before: &Entity, after: &Entity) {
        use ChangeClass::{Addition, Breaking, Cosmetic};
        let place = &before.name;
        if before.cardinality != after.cardinality {
            let gentler =
                (before.cardinality, after.cardinality) == (Cardinality::OneOrMore, Cardinality::Many);
            let class = if gentler { Addition } else { Breaking };
            let words = format!("Rows were {} and are {}.", before.cardinality, after.cardinality);
            self.add(class, "cardinality_changed", place, words);
        }
        if before.kind != after.kind {
            let words = format!("Was of the {} and is of the {}.", before.kind, after.kind);
            self.add(Breaking, "kind_changed", place, words);
        }
        if before.attestable != after.attestable {
            let class = if after.attestable { Addition } else { Breaking };
            let can = if after.attestable { "can" } else { "cannot" };
            self.add(
                class,
                "attestation_changed",
                place,
                format!("The section {can} be attested."),
            );
        }
        let dated = |entity: &Entity| {
            let at = entity.anchor_date.and_then(|at| entity.elements.get(at));
            at.map(|element| element.name.clone()).unwrap_or_default()
        };
        if dated(before) != dated(after) {
            let words = format!(
                "Rows were placed in time by `{}` and are by `{}`.",
                dated(before),
                dated(after)
            );
            self.add(Breaking, "anchor_date_changed", place, words);
        }
        if before.description != after.description {
            self.add(
                Cosmetic,
                "words_changed",
                place,
                "The description has other words.",
            );
        }
    }

    pub(super) fn new_entity(&mut self, entity: &Entity) {
        let (class, demanded) = if entity.cardinality == Cardinality::Many {
            (ChangeClass::Addition, "")
        } else {
            (ChangeClass::Breaking, " Every case needs it.")
        };
        let words = format!("New: {}{demanded}", entity.description);
        self.add(class, "entity_added", &entity.name, words);
    }

    pub(super) fn new_element(&mut self, new: Side<'_>, entity: &str, element: &Element) {
        let (class, demanded) = if new.demands(entity).contains(element.name.as_str()) {
            (ChangeClass::Breaking, " A row without it is refused.")
        } else {
            (ChangeClass::Addition, "")
        };
        let place = format!("{entity}.{}", element.name);
        let words = format!("New: {}{demanded}", element.description);
        self.add(class, "element_added", &place, words);
    }

    /// An element and what became of it.
    pub(super) fn element(
        &mut self,
        old: Side<'_>,
        new: Side<'_>,
        path: &str,
        targets: &[String],
        steps: &[&Upgrade],
    ) {
        let Some(before) = old.0.dictionary.element(path) else {
            return;
        };
        let why = steps.iter().find_map(|step| {
            let renamed = step.renames.iter().find(|r| r.element == path).map(|r| &r.why);
            renamed.or(step.splits.iter().find(|s| s.element == path).map(|s| &s.why))
        });
        let why = why.map_or(String::new(), |why| format!(" {why}"));
        match targets {
            [target] => match new.0.dictionary.element(target) {
                None => self.add(
                    ChangeClass::Breaking,
                    "element_removed",
                    path,
                    "The element is gone.",
                ),
                Some(after) => {
                    if target != path {
                        self.add(
                            ChangeClass::Breaking,
                            "element_renamed",
                            path,
                            format!("Is `{target}`.{why}"),
                        );
                        self.of_the_upgrade();
                    }
                    self.values(path, before, after, steps);
                    self.words(path, before, after);
                    if let (Some(before), Some(after)) = (old.property(path), new.property(target)) {
                        self.limits(path, before, after);
                    }
                    if let Some((entity, name)) = target.split_once('.') {
                        let was = path.split_once('.').map_or(path, |(_, name)| name);
                        let demanded = (
                            old.demands(entity).contains(was),
                            new.demands(entity).contains(name),
                        );
                        self.demand(path, demanded);
                    }
                }
            },
            several => {
                let names: Vec<String> = several.iter().map(|name| format!("`{name}`")).collect();
                let words = format!("Is {}.{why}", names.join(" and "));
                self.add(ChangeClass::Breaking, "element_split", path, words);
                self.of_the_upgrade();
            }
        }
    }

    /// The change just added is one an upgrade provides for.
    fn of_the_upgrade(&mut self) {
        if let Some(change) = self.changes.last_mut() {
            change.upgraded = true;
        }
    }

    /// What an element's value may be and means.
    fn values(&mut self, place: &str, before: &Element, after: &Element, steps: &[&Upgrade]) {
        use ChangeClass::{Addition, Breaking};
        if before.kind != after.kind {
            let words = format!("Was a {} and is a {}.", before.kind, after.kind);
            self.add(Breaking, "type_changed", place, words);
        }
        if before.unit != after.unit {
            let unit = |element: &Element| element.unit.clone().unwrap_or_else(|| "none".to_owned());
            let words = format!("The unit was {} and is {}.", unit(before), unit(after));
            self.add(Breaking, "unit_changed", place, words);
        }
        self.codes(place, before, after, steps);
        let absence =
            |element: &Element| -> BTreeSet<&str> { element.absence.iter().map(|a| a.as_str()).collect() };
        let (were, are) = (absence(before), absence(after));
        self.members(place, "absence_codes", &were, &are);
        if before.requirement != after.requirement || before.condition != after.condition {
            let derived = [before, after]
                .iter()
                .any(|element| element.requirement == Requirement::Derived);
            // What is asked for and not sent is queried, never refused.
            let class = if derived { Breaking } else { Addition };
            let asked = |element: &Element| match (&element.condition, element.requirement) {
                (Some(condition), _) => format!("when {condition}"),
                (None, Requirement::Required) => "always".to_owned(),
                (None, Requirement::Derived) => "never, being derived".to_owned(),
                (None, _) => "if known".to_owned(),
            };
            let words = format!("Was expected {} and is {}.", asked(before), asked(after));
            self.add(class, "requirement_changed", place, words);
        }
        if before.visibility != after.visibility {
            let words = format!(
                "Was {} and is {} outside the centre.",
                before.visibility, after.visibility
            );
            self.add(Breaking, "visibility_changed", place, words);
        }
        if before.exact_date != after.exact_date {
            let (class, words) = if after.exact_date {
                (Breaking, "Must be exact to the day.")
            } else {
                (Addition, "May be known to the month or year only.")
            };
            self.add(class, "precision_changed", place, words);
        }
    }

    fn codes(&mut self, place: &str, before: &Element, after: &Element, steps: &[&Upgrade]) {
        use ChangeClass::{Addition, Breaking, Cosmetic};
        let (Some(were), Some(are)) = (&before.codes, &after.codes) else {
            if before.codes.is_some() != after.codes.is_some() {
                let (class, words) = if after.codes.is_some() {
                    (Breaking, "Has a closed list of codes.")
                } else {
                    (Addition, "Has no closed list of codes any more.")
                };
                self.add(class, "codes_changed", place, words);
            }
            return;
        };
        let recodes = steps
            .iter()
            .flat_map(|step| step.recodes.iter().filter(|recode| recode.element == place));
        let replaced: BTreeMap<&str, &str> = recodes
            .flat_map(|recode| &recode.codes)
            .map(|(old, new)| (old.as_str(), new.as_str()))
            .collect();
        for (old, new) in &replaced {
            self.add(
                Breaking,
                "code_replaced",
                place,
                format!("Code `{old}` is `{new}`."),
            );
            self.of_the_upgrade();
        }
        let old: BTreeSet<&str> = were.iter().filter(|code| !replaced.contains_key(code)).collect();
        let new: BTreeSet<&str> = are.iter().collect();
        self.members(place, "codes", &old, &new);
        if before.codes_enforced != after.codes_enforced {
            let (class, words) = if after.codes_enforced {
                (Breaking, "A code outside the list is refused.")
            } else {
                (Addition, "A code outside the list is queried, not refused.")
            };
            self.add(class, "codes_changed", place, words);
        }
        let relabelled: Vec<&str> = were
            .codes
            .iter()
            .filter(|code| {
                are.codes
                    .iter()
                    .any(|other| other.code == code.code && other.label != code.label)
            })
            .map(|code| code.code.as_str())
            .collect();
        if !relabelled.is_empty() {
            let words = format!("Other labels: {}.", relabelled.join(", "));
            self.add(Cosmetic, "words_changed", place, words);
        }
    }

    /// Members of a set that came and went.
    fn members(&mut self, place: &str, set: &'static str, were: &BTreeSet<&str>, are: &BTreeSet<&str>) {
        let listed = |members: Vec<&&str>| members.into_iter().copied().collect::<Vec<_>>().join(", ");
        let gone = listed(were.difference(are).collect());
        let come = listed(are.difference(were).collect());
        let (removed, added, name) = match set {
            "codes" => ("codes_removed", "codes_added", "codes"),
            _ => ("absence_codes_removed", "absence_codes_added", "absence codes"),
        };
        if !gone.is_empty() {
            self.add(
                ChangeClass::Breaking,
                removed,
                place,
                format!("No longer {name}: {gone}."),
            );
        }
        if !come.is_empty() {
            self.add(
                ChangeClass::Addition,
                added,
                place,
                format!("New {name}: {come}."),
            );
        }
    }

    fn words(&mut self, place: &str, before: &Element, after: &Element) {
        let told = |element: &Element| {
            (
                element.description.clone(),
                element.standard.clone(),
                element.constraint.clone(),
                element.used_by.clone(),
            )
        };
        if told(before) != told(after) {
            let words = "Description, standard, constraint or use has other words.";
            self.add(ChangeClass::Cosmetic, "words_changed", place, words);
        }
    }

    fn demanded(&mut self, old: Side<'_>, new: Side<'_>, document: &str) {
        let (were, are) = (old.demands(document), new.demands(document));
        for name in were.union(&are) {
            self.demand(name, (were.contains(name), are.contains(name)));
        }
    }

    fn demand(&mut self, place: &str, demanded: (bool, bool)) {
        match demanded {
            (false, true) => self.add(
                ChangeClass::Breaking,
                "demanded",
                place,
                "What lacks it is refused.",
            ),
            (true, false) => self.add(
                ChangeClass::Addition,
                "demanded",
                place,
                "What lacks it is no longer refused.",
            ),
            _ => {}
        }
    }
}
