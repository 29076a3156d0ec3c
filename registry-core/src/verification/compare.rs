//! What becomes of every element of a case that was entered twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::align::{Connection, Pairs};
use super::print::{Side, said};
use super::rules::{Part, Verifier};
use crate::record::{Absence, Cell as Answer, CentreTable, Record};

/// What became of one element of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[schema(as = DifferenceKind)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The same value; of a date the same to the same precision.
    Equal,
    /// The same reason why there is none.
    SameAbsence,
    /// Answered in neither: nothing to compare.
    BothMissing,
    /// Two values.
    Values,
    /// A value, and a reason why there is none.
    ValueAbsence,
    /// Two reasons why there is none.
    Absences,
    /// A value, and nothing.
    ValueMissing,
    /// A reason why there is none, and nothing.
    AbsenceMissing,
    /// Answered in a row that the other document does not have.
    RowMissing,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::Equal,
        Kind::SameAbsence,
        Kind::BothMissing,
        Kind::Values,
        Kind::ValueAbsence,
        Kind::Absences,
        Kind::ValueMissing,
        Kind::AbsenceMissing,
        Kind::RowMissing,
    ];

    /// As written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Equal => "equal",
            Kind::SameAbsence => "same_absence",
            Kind::BothMissing => "both_missing",
            Kind::Values => "values",
            Kind::ValueAbsence => "value_absence",
            Kind::Absences => "absences",
            Kind::ValueMissing => "value_missing",
            Kind::AbsenceMissing => "absence_missing",
            Kind::RowMissing => "row_missing",
        }
    }

    /// Whether at least one of the documents answers the element: only then it counts.
    pub fn is_compared(self) -> bool {
        self != Kind::BothMissing
    }

    /// Whether both say the same.
    pub fn agrees(self) -> bool {
        matches!(self, Kind::Equal | Kind::SameAbsence)
    }
}

/// One element of one row, compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// `entity.element`.
    pub element: Arc<str>,
    /// What became of it.
    pub kind: Kind,
    /// Of an element with a closed list of answers: what each document says, as a category (a code, a reason of absence, nothing).
    pub categories: Option<(String, String)>,
}

/// Where the documents differ: one answer, or a whole row that only one of them has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// `entity.element`; of a row, the entity.
    pub element: String,
    /// How.
    pub kind: Kind,
    /// Where in the stored document, as it was sent; nothing when the row is not there.
    pub stored: Option<String>,
    /// Where in the document entered again.
    pub reentered: Option<String>,
}

/// Two documents of one case, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Every element of every row.
    pub cells: Vec<Cell>,
    /// Where they differ, in the order of the dictionary and of the rows.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// How many answers were compared.
    pub fn compared(&self) -> usize {
        self.cells.iter().filter(|cell| cell.kind.is_compared()).count()
    }

    /// How many of them agree.
    pub fn agreeing(&self) -> usize {
        self.cells.iter().filter(|cell| cell.kind.agrees()).count()
    }

    /// The agreeing share; `None` when nothing was compared.
    pub fn share(&self) -> Option<f64> {
        let compared = self.compared();
        (compared > 0).then(|| self.agreeing() as f64 / compared as f64)
    }

    /// How many cells there are of each kind.
    pub fn kinds(&self) -> BTreeMap<Kind, usize> {
        let mut kinds = BTreeMap::new();
        for cell in &self.cells {
            *kinds.entry(cell.kind).or_insert(0) += 1;
        }
        kinds
    }
}

impl Verifier {
    /// Compares the stored document of a case with the one entered again; both as sent, each in the version of the case schema it names.
    pub fn compare(&self, stored: &Value, reentered: &Value) -> Comparison {
        let read = |document: &Value| {
            let newest = self.store.newest(document, version(document));
            Side::new(
                Record::read(newest.as_ref(), &self.layout, &CentreTable::default()),
                self,
            )
        };
        let (first, second) = (read(stored), read(reentered));
        let pairs = Pairs::of(self, &first, &second);
        let mut comparing = Comparing {
            verifier: self,
            first: &first,
            second: &second,
            pairs: &pairs,
            versions: (version(stored), version(reentered)),
            done: Comparison::default(),
        };
        let mut entities: Vec<usize> = (0..self.entities.len()).collect();
        entities.sort_unstable_by_key(|at| self.entities.get(*at).map(|plan| plan.entity));
        for plan in entities.into_iter().filter_map(|at| self.entities.get(at)) {
            for row in 0..first.record.count(plan.entity) {
                comparing.row(
                    plan.entity,
                    Some(row),
                    pairs.second(plan.entity, row),
                    &plan.elements,
                );
            }
            let added =
                (0..second.record.count(plan.entity)).filter(|row| pairs.first(plan.entity, *row).is_none());
            for row in added {
                comparing.row(plan.entity, None, Some(row), &plan.elements);
            }
        }
        comparing.done
    }
}

fn version(document: &Value) -> &str {
    document
        .get("schema_version")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

struct Comparing<'a> {
    verifier: &'a Verifier,
    first: &'a Side<'a>,
    second: &'a Side<'a>,
    pairs: &'a Pairs,
    versions: (&'a str, &'a str),
    done: Comparison,
}

impl Comparing<'_> {
    fn row(&mut self, entity: u16, first: Option<usize>, second: Option<usize>, parts: &[Part]) {
        let layout = &self.verifier.layout;
        let Some(known) = layout.entity_at(entity) else {
            return;
        };
        let alone = first.is_none() || second.is_none();
        for part in parts {
            let Some(element) = known.elements.get(usize::from(part.element)) else {
                continue;
            };
            let answer = |side: &Side<'_>, row: Option<usize>| match row {
                Some(row) => said(side.record.cell(entity, row, part.element)),
                None => String::new(),
            };
            let said = (answer(self.first, first), answer(self.second, second));
            let kind = match (first, second) {
                (Some(one), Some(two)) => self.kind(entity, one, two, part),
                _ if said.0.is_empty() && said.1.is_empty() => continue,
                _ => Kind::RowMissing,
            };
            if kind.is_compared() && !kind.agrees() && !alone {
                self.difference(entity, &element.path, kind, Some(&element.name), first, second);
            }
            self.done.cells.push(Cell {
                element: Arc::clone(&element.path),
                kind,
                categories: (part.coded && kind.is_compared()).then_some(said),
            });
        }
        if alone {
            self.difference(entity, &known.name, Kind::RowMissing, None, first, second);
        }
    }

    fn kind(&self, entity: u16, one: usize, two: usize, part: &Part) -> Kind {
        let cells = (
            self.first.record.cell(entity, one, part.element),
            self.second.record.cell(entity, two, part.element),
        );
        let kind = kind_of(cells.0, cells.1);
        let (Kind::Equal | Kind::Values, Some(link)) = (kind, &part.link) else {
            return kind;
        };
        let pointing = (
            self.first.pointing(entity, one, part.element, link),
            self.second.pointing(entity, two, part.element, link),
        );
        match self.pairs.connection(link, pointing.0, pointing.1) {
            Connection::Same => Kind::Equal,
            Connection::Different => Kind::Values,
            Connection::Plain => kind,
        }
    }

    fn difference(
        &mut self,
        entity: u16,
        name: &str,
        kind: Kind,
        element: Option<&str>,
        first: Option<usize>,
        second: Option<usize>,
    ) {
        let layout = &self.verifier.layout;
        let pointer = |row: Option<usize>, version: &str| {
            let known = layout.entity_at(entity)?;
            let row = row?;
            let mut pointer = format!("/{}", known.name);
            if !known.single {
                pointer.push_str(&format!("/{row}"));
            }
            if let Some(element) = element {
                pointer.push_str(&format!("/{element}"));
            }
            Some(self.verifier.store.as_sent(&pointer, version))
        };
        let difference = Difference {
            element: name.to_owned(),
            kind,
            stored: pointer(first, self.versions.0),
            reentered: pointer(second, self.versions.1),
        };
        self.done.differences.push(difference);
    }
}

/// What becomes of two plain answers.
fn kind_of(one: Answer<'_>, two: Answer<'_>) -> Kind {
    let state = |cell: Answer<'_>| match cell {
        Answer::Missing | Answer::Blocked => State::Nothing,
        Answer::Absent(absence) => State::Absent(absence),
        _ => State::Value,
    };
    match (state(one), state(two)) {
        (State::Nothing, State::Nothing) => Kind::BothMissing,
        (State::Value, State::Value) if one == two => Kind::Equal,
        (State::Value, State::Value) => Kind::Values,
        (State::Absent(one), State::Absent(two)) if one == two => Kind::SameAbsence,
        (State::Absent(_), State::Absent(_)) => Kind::Absences,
        (State::Value, State::Absent(_)) | (State::Absent(_), State::Value) => Kind::ValueAbsence,
        (State::Value, State::Nothing) | (State::Nothing, State::Value) => Kind::ValueMissing,
        (State::Absent(_), State::Nothing) | (State::Nothing, State::Absent(_)) => Kind::AbsenceMissing,
    }
}

enum State {
    Nothing,
    Absent(Absence),
    Value,
}
