//! `cases.csv`: one row a case, ready for analysis.
//!
//! A bundle has a column only where everything it rests on may leave. What the row says of the patient (centre, sex, age) is copied from
//! `patient.csv` at the end, as it is in the bundle: a group made larger there is not told apart here.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use registry_core::dictionary::{Dictionary, Element, Entity};
use serde_json::Value;

use super::case_columns::{COMPUTED, Computed, PRESENTATION, Seen, TAKEN, element};
use super::code_lists;
use super::columns::{self, Column, LABEL};
use super::deidentify::YEARS;
use super::described::Holds;
use super::entities::{ReleasedCase, text, words};
use super::projection::{AGE_COLUMN, Approved, CENTRE, PATIENTS, patient_columns};
use super::pseudonyms::ReleaseKey;
use super::reference_tables::{Line, PATIENT, element_line, line};
use super::spool::Spool;
use super::table::{FinishedTable, Table};
use super::{ReleaseError, Withheld};
use crate::cohorts::{CaseSummary, Definition};

/// The file.
pub const CASES: &str = "cases.csv";
/// Columns of `patient.csv` that it has as well, where they are there; with their twins.
const OF_PATIENT: [&str; 4] = [CENTRE, YEARS, AGE_COLUMN, "sex"];
const PATIENT_KEY: &str = "patient_id";

/// Where the fields of a column come from.
enum Source<'a> {
    /// `patient.csv`, at the end.
    Patient,
    /// An element of the primary or of presentation 1.
    Taken(&'a Entity, &'a Element, Column),
    /// The facts of the run.
    Computed(&'static Computed),
    /// The words of the code before.
    Words(&'static Computed, Words<'a>),
}

/// Where the words of a code are.
enum Words<'a> {
    OfElement(&'a Element),
    /// In a list that no element has: its name, and words by code.
    OfList(&'static str, HashMap<String, String>),
}

impl Words<'_> {
    fn list(&self) -> &str {
        match self {
            Words::OfElement(element) => element.codes.as_ref().map_or("", |list| list.name.as_str()),
            Words::OfList(name, _) => name,
        }
    }

    fn of(&self, code: &str) -> String {
        match self {
            Words::OfElement(element) => words(element, code).to_owned(),
            Words::OfList(_, words) => words
                .get(code)
                .filter(|words| !words.is_empty())
                .cloned()
                .unwrap_or_else(|| code.to_owned()),
        }
    }
}

/// A column of the file.
struct CaseColumn<'a> {
    name: String,
    source: Source<'a>,
}

/// The file while it grows.
pub(super) struct CasesTable<'a> {
    columns: Vec<CaseColumn<'a>>,
    /// Columns it could have and has not, with the reason.
    pub(super) withheld: Vec<Withheld>,
    overall: &'a Definition,
    table: Table,
    lines: Vec<Line>,
}

impl<'a> CasesTable<'a> {
    /// Begins the file; `overall` is the endpoint of overall survival.
    pub(super) fn begin(
        spool: &Spool,
        dictionary: &'a Dictionary,
        overall: &'a Definition,
        approved: Option<&Approved>,
    ) -> Result<Self, ReleaseError> {
        let mut lines = vec![line(CASES, &PATIENT).map(str::to_owned)];
        let (mut columns, mut taken) = (Vec::new(), Vec::new());
        for column in patient_columns(approved) {
            lines.push(line(CASES, &column).map(str::to_owned));
            columns.push(CaseColumn {
                name: column.name.into_owned(),
                source: Source::Patient,
            });
        }
        let mut open: BTreeSet<String> = BTreeSet::new();
        for entity in &dictionary.entities {
            for column in columns::plan(entity, approved).0 {
                let Some(element) = entity.elements.get(column.element) else {
                    continue;
                };
                open.insert(path(entity, element));
                if entity.name == "patient" && OF_PATIENT.contains(&columns::of_column(&column.name)) {
                    lines.push(element_line(CASES, entity, element, &column, approved.is_some()));
                    columns.push(CaseColumn {
                        name: column.name,
                        source: Source::Patient,
                    });
                } else if TAKEN.contains(&path(entity, element).as_str()) {
                    taken.push((entity, element, column));
                }
            }
        }
        let mut withheld = Vec::new();
        let missing = |elements: &[&str]| {
            let closed = elements.iter().filter(|one| !open.contains(**one));
            closed.copied().collect::<Vec<_>>().join(", ")
        };
        for wanted in TAKEN {
            let rests: &[&str] = match wanted.starts_with("presentation.") {
                true => &[wanted, PRESENTATION],
                false => &[wanted],
            };
            let missing = missing(rests);
            if !missing.is_empty() {
                let name = wanted.rsplit('.').next().unwrap_or(wanted);
                withheld.push(not_told(name, &missing));
                continue;
            }
            for (entity, element, column) in taken.iter().filter(|one| path(one.0, one.1) == wanted) {
                lines.push(element_line(CASES, entity, element, column, false));
                columns.push(CaseColumn {
                    name: column.name.clone(),
                    source: Source::Taken(entity, element, column.clone()),
                });
            }
        }
        let made = code_lists::all(dictionary, std::slice::from_ref(overall));
        for computed in &COMPUTED {
            let missing = missing(computed.elements);
            if !missing.is_empty() {
                withheld.push(not_told(computed.name, &missing));
                continue;
            }
            let coded = match code_lists::of_case_column(computed.name) {
                _ if computed.holds != Holds::Code => None,
                Some(name) => {
                    let codes = made.get(name).cloned().unwrap_or_default();
                    Some(Words::OfList(name, codes.into_iter().collect()))
                }
                None => {
                    let first = computed.elements.first();
                    let found = first.and_then(|path| element(dictionary, path));
                    found.map(|(_, one)| Words::OfElement(one))
                }
            };
            lines.push(computed_line(computed, coded.as_ref(), false));
            columns.push(CaseColumn {
                name: computed.name.to_owned(),
                source: Source::Computed(computed),
            });
            if let Some(words) = coded {
                lines.push(computed_line(computed, Some(&words), true));
                columns.push(CaseColumn {
                    name: format!("{}{LABEL}", computed.name),
                    source: Source::Words(computed, words),
                });
            }
        }
        let mut header = vec![PATIENT_KEY.to_owned()];
        header.extend(columns.iter().map(|column| column.name.clone()));
        Ok(Self {
            columns,
            withheld,
            overall,
            table: Table::begin(spool, CASES, header)?,
            lines,
        })
    }

    /// Adds some cases. `cut_off` is the run's, a day number.
    pub(super) fn add(
        &mut self,
        cases: &[ReleasedCase<'_>],
        key: &ReleaseKey,
        cut_off: i32,
    ) -> Result<(), ReleaseError> {
        let (columns, overall) = (&self.columns, self.overall);
        self.table.each(cases, |case, rows| {
            let facts = &case.evaluation.facts;
            let seen = Seen {
                facts,
                summary: &CaseSummary::of(overall, facts, cut_off),
                document: &case.document,
            };
            rows.field(case.patient);
            for column in columns {
                rows.field(field(column, case, &seen, key).as_deref().unwrap_or_default());
            }
            rows.end()
        })
    }

    /// The lines of `dictionary.csv` that explain it.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn finish(self) -> Result<FinishedTable, ReleaseError> {
        self.table.finish()
    }
}

/// What stands in a column.
fn field<'c>(
    column: &'c CaseColumn<'_>,
    case: &'c ReleasedCase<'_>,
    seen: &Seen<'_>,
    key: &ReleaseKey,
) -> Option<Cow<'c, str>> {
    match &column.source {
        Source::Patient => None,
        Source::Taken(entity, element, column) => {
            let row = first_row(&case.document, entity);
            let value = row.and_then(|row| row.get(&element.name)).unwrap_or(&Value::Null);
            text(&column.field, element, value, case, key)
        }
        Source::Computed(computed) => (computed.value)(seen).map(Cow::Owned),
        Source::Words(computed, words) => Some(words.of(&(computed.value)(seen)?).into()),
    }
}

/// The row of a single entity, or that of presentation 1.
fn first_row<'a>(document: &'a Value, entity: &Entity) -> Option<&'a Value> {
    match document.get(&entity.name)? {
        Value::Array(rows) => rows
            .iter()
            .find(|row| row.get("seq").and_then(Value::as_i64) == Some(1)),
        row => Some(row),
    }
}

/// Copies what the bundle's `patient.csv` says of the patients into its `cases.csv`.
pub(super) fn with_patients(files: &mut [FinishedTable]) -> Result<(), ReleaseError> {
    let named = |name: &str| files.iter().find(|file| file.name == name);
    let (Some(patients), Some(cases)) = (named(PATIENTS), named(CASES)) else {
        return Ok(());
    };
    let complete = told_of(patients, cases)?;
    for file in files.iter_mut().filter(|file| file.name == CASES) {
        file.clone_from(&complete);
    }
    Ok(())
}

/// Both are in the order of the patients, and a patient has one row at most in either: they are read side by side.
fn told_of(patients: &FinishedTable, cases: &FinishedTable) -> Result<FinishedTable, ReleaseError> {
    let place = |of: &FinishedTable, name: &str| of.columns.iter().position(|column| column == name);
    let shared = patients
        .columns
        .iter()
        .filter(|name| OF_PATIENT.contains(&columns::of_column(name)));
    // From where to where.
    let copied: Vec<(usize, usize)> = shared
        .filter_map(|name| Some((place(patients, name)?, place(cases, name)?)))
        .collect();
    let mut table = Table::again(cases)?;
    let mut reader = csv::Reader::from_reader(patients.reader());
    let mut told = reader.records();
    let mut patient = told.next().transpose()?;
    for row in csv::Reader::from_reader(cases.reader()).records() {
        let row = row?;
        let mut fields: Vec<&str> = row.iter().collect();
        let of_this = patient.take_if(|patient| patient.get(0) == row.get(0));
        if let Some(patient) = &of_this {
            for (from, to) in &copied {
                if let (Some(field), Some(value)) = (fields.get_mut(*to), patient.get(*from)) {
                    *field = value;
                }
            }
        }
        table.add(&fields)?;
        if of_this.is_some() {
            patient = told.next().transpose()?;
        }
    }
    table.finish()
}

fn path(entity: &Entity, element: &Element) -> String {
    format!("{}.{}", entity.name, element.name)
}

fn not_told(column: &str, missing: &str) -> Withheld {
    Withheld {
        entity: "cases".to_owned(),
        element: column.to_owned(),
        visibility: "derived".to_owned(),
        reason: format!("rests on what the bundle does not hold: {missing}"),
    }
}

fn computed_line(computed: &Computed, coded: Option<&Words<'_>>, label: bool) -> Line {
    let mut line = Line::default();
    let suffix = if label { LABEL } else { "" };
    line[0] = CASES.to_owned();
    line[1] = format!("{}{suffix}", computed.name);
    line[2] = "FALSE".to_owned();
    line[3] = match label {
        true => format!("{}, in words", computed.meaning),
        false => computed.meaning.to_owned(),
    };
    line[5] = computed.elements.join(" ");
    line[6] = if label { Holds::Text } else { computed.holds }
        .as_str()
        .to_owned();
    line[8] = coded.map_or_else(String::new, |words| words.list().to_owned());
    line
}
