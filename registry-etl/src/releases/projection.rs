//! What an approved data request opens of a release: its files and elements, the keys that hold them together, and nothing else.

use std::collections::BTreeSet;

use registry_core::dictionary::{Dictionary, Element, ElementKind, Entity, EntityKind, Visibility};
use registry_core::record::Absence;
use serde::{Deserialize, Serialize};

use super::ReleaseError;
use super::columns::{self, ABSENT, of_column};
use super::deidentify::{AGE, Rules, YEARS, age_band, year_band};
use super::described::{Described, Holds};
use super::endpoints::ESTIMATES;
use super::k_anonymity::{self, Cells, KAnonymity};
use super::multiselect::MULTISELECT;
use super::reference_tables::{CODELISTS, DICTIONARY};
use super::table::{FinishedTable, Table};
use crate::cohorts::RecordedDate;

/// An approved request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Id of the request.
    pub request_id: String,
    /// Files by name: an entity's file stands for everything any release holds of it, `multiselect.csv` for every set of codes.
    pub files: BTreeSet<String>,
    /// Elements as `entity.element`.
    pub elements: BTreeSet<String>,
    /// Small groups are reported, not made larger.
    pub contracted: bool,
    /// The metastatic diagnosis in bands of calendar years.
    pub calendar_years: bool,
    /// Centres by their id.
    pub centre_unmasked: bool,
}

/// What the manifest of a request's bundle says beside what a release's does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RequestNotes {
    pub request: String,
    pub contracted: bool,
    pub files: Vec<String>,
    pub elements: Vec<String>,
    pub calendar_years: bool,
    pub centre_unmasked: bool,
    /// Missing where the bundle has no quasi-identifier.
    pub k_anonymity: Option<KAnonymity>,
}

/// Files that explain and load the others: always there.
pub(super) const ALWAYS: [&str; 5] = [DICTIONARY, CODELISTS, "README.md", "load.R", "load.py"];
/// The file of the patients, which holds the quasi-identifiers.
pub(super) const PATIENTS: &str = "patient.csv";
/// Pseudonym of the centre, or its id.
pub(super) const CENTRE: &str = "centre";

impl Approved {
    /// Whether an element is open to the request; decided before the visibility of plain releases is.
    pub(super) fn opens(&self, entity: &Entity, element: &Element) -> bool {
        let named = self
            .elements
            .contains(&format!("{}.{}", entity.name, element.name));
        let set = element.kind == ElementKind::CodeSet && self.files.contains(MULTISELECT);
        let whole = set || self.files.contains(&format!("{}.csv", entity.name));
        let open = matches!(element.visibility, Visibility::Open | Visibility::ShiftedDate);
        named || (whole && open)
    }

    /// Whether the patients' file has calendar years.
    pub(super) fn calendar(approved: Option<&Self>, entity: &Entity) -> bool {
        entity.name == "patient" && approved.is_some_and(|approved| approved.calendar_years)
    }
}

/// What a request asks for and no bundle can hold, by its place in the request: files that the release does not have, elements that are
/// unknown or never leave. `files` are those of the release's manifest, `wanted` the files and elements asked for.
pub fn unanswerable(
    dictionary: &Dictionary,
    files: &[String],
    wanted: (&[String], &[String]),
) -> Vec<(String, &'static str)> {
    let mut wrong = Vec::new();
    for (at, file) in wanted.0.iter().enumerate() {
        let why = if !files.contains(file) {
            Some("no such file in the release")
        } else if file.contains('/') {
            Some("ask for the table by its CSV file; the other forms come with it")
        } else if file == ESTIMATES && !wanted.0.iter().any(|one| is_rows(one)) {
            Some(
                "it holds the estimates of the rows that are asked for with it: name a file survival_*.csv too",
            )
        } else {
            None
        };
        wrong.extend(why.map(|why| (format!("files[{at}]"), why)));
    }
    for (at, name) in wanted.1.iter().enumerate() {
        let found = name.split_once('.').and_then(|(entity, element)| {
            let entity = dictionary.entities.iter().find(|one| one.name == entity)?;
            Some((entity, entity.elements.iter().find(|one| one.name == element)?))
        });
        let why = match found {
            None => Some("no such element; write entity.element"),
            Some((entity, element)) => undeliverable(entity, element),
        };
        wrong.extend(why.map(|why| (format!("elements[{at}]"), why)));
    }
    wrong
}

/// The quasi-identifiers that the bundle of a request has, by column: k-anonymity holds over these, and over no others.
///
/// # Errors
/// [`ReleaseError::Deidentification`].
pub fn quasi_identifiers(
    dictionary: &Dictionary,
    approved: &Approved,
) -> Result<BTreeSet<String>, ReleaseError> {
    let rules = Rules::of_this_program()?;
    let patients = dictionary
        .entities
        .iter()
        .filter(|entity| format!("{}.csv", entity.name) == PATIENTS);
    let of_elements = patients.flat_map(|entity| columns::plan(entity, Some(approved)).0);
    let names = of_elements.map(|column| of_column(&column.name).to_owned());
    let others = patient_columns(Some(approved)).into_iter();
    let mut all: BTreeSet<String> = names
        .chain(others.map(|column| column.name.into_owned()))
        .collect();
    all.retain(|name| rules.quasi_identifiers.columns.contains(name));
    Ok(all)
}

/// Whether a file holds the rows of an endpoint.
fn is_rows(file: &str) -> bool {
    file.starts_with("survival_") && file != ESTIMATES
}

/// Why an element is in no bundle, whatever is approved.
pub(super) fn undeliverable(entity: &Entity, element: &Element) -> Option<&'static str> {
    match entity.kind {
        EntityKind::Case => {}
        EntityKind::Envelope => return Some("set by the service, identifies the record"),
        EntityKind::Reference => return Some("describes centres; ask for unmasked centres"),
    }
    if element.visibility == Visibility::Internal {
        return Some(never(element));
    }
    let beyond = matches!(
        element.visibility,
        Visibility::QuasiIdentifier | Visibility::Restricted
    );
    match element.kind {
        ElementKind::Uuid => Some("identifies the record"),
        ElementKind::DateTime => Some("an exact point in time"),
        ElementKind::String | ElementKind::StringSet if !element.name.ends_with("_id") => Some("free text"),
        ElementKind::String | ElementKind::StringSet if beyond => {
            Some("identifies outside the registry; patient_id takes its place")
        }
        _ => None,
    }
}

/// Why an internal element is in no bundle.
pub(super) fn never(element: &Element) -> &'static str {
    match element.kind {
        ElementKind::Date => {
            "never leaves the service: a day of administration, which could tell the calendar date of metastatic diagnosis"
        }
        _ => "never leaves the service",
    }
}

/// The age at metastatic diagnosis, banded; `None` without a year of birth or a year of diagnosis that is certain.
pub(super) fn age(birth_year: Option<i64>, origin: RecordedDate, rules: &Rules) -> Option<String> {
    let years = year_of(origin)? - i32::try_from(birth_year?).ok()?;
    (0..=120)
        .contains(&years)
        .then(|| age_band(years, rules.age.band, rules.age.top))
}

/// The calendar years of metastatic diagnosis, banded.
pub(super) fn diagnosis_years(origin: RecordedDate, rules: &Rules) -> Option<String> {
    Some(year_band(year_of(origin)?, rules.calendar.band))
}

/// The year of a date that lies in one year for certain.
fn year_of(date: RecordedDate) -> Option<i32> {
    use chrono::Datelike;
    let RecordedDate::Between(first, last) = date else {
        return None;
    };
    let year = |day| registry_core::record::day_of(day).map(|date| date.year());
    year(first).filter(|first| year(last) == Some(*first))
}

/// Cuts the finished files of a run to what is approved and makes groups of patients large enough.
pub(super) fn cut(
    files: Vec<FinishedTable>,
    entities: &BTreeSet<String>,
    approved: &Approved,
    rules: &Rules,
) -> Result<(Vec<FinishedTable>, RequestNotes), ReleaseError> {
    let mut kept = Vec::new();
    let mut told = None;
    for file in files {
        if file.name == PATIENTS {
            let (file, k) = anonymous(file, approved, rules)?;
            told = k;
            kept.push(file);
        } else if entities.contains(&file.name)
            || approved.files.contains(&file.name)
            || ALWAYS.contains(&file.name.as_str())
            // Made of the approved elements alone.
            || file.name == MULTISELECT
        {
            kept.push(file);
        }
    }
    let names: BTreeSet<String> = kept.iter().map(|file| file.name.clone()).collect();
    for file in &mut kept {
        // Of the dictionary the lines of files that are there; of the estimates those whose rows are.
        let of_file = match file.name.as_str() {
            DICTIONARY | ESTIMATES => file.columns.iter().position(|column| column == "file"),
            _ => None,
        };
        if let Some(at) = of_file {
            *file = only(file, at, |name| names.contains(name))?;
        }
    }
    let notes = RequestNotes {
        request: approved.request_id.clone(),
        contracted: approved.contracted,
        files: approved.files.iter().cloned().collect(),
        elements: approved.elements.iter().cloned().collect(),
        calendar_years: approved.calendar_years,
        centre_unmasked: approved.centre_unmasked,
        k_anonymity: told,
    };
    Ok((kept, notes))
}

/// The rows whose field at a place passes.
fn only(file: &FinishedTable, at: usize, keep: impl Fn(&str) -> bool) -> Result<FinishedTable, ReleaseError> {
    let mut table = Table::again(file)?;
    for row in csv::Reader::from_reader(file.reader()).records() {
        let row = row?;
        if row.get(at).is_some_and(&keep) {
            table.add(row.iter())?;
        }
    }
    table.finish()
}

/// How many patients of a whole release share their quasi-identifiers: measured, and nothing changed.
pub(super) fn measured(files: &[FinishedTable], rules: &Rules) -> Result<Option<KAnonymity>, ReleaseError> {
    let Some(patients) = files.iter().find(|file| file.name == PATIENTS) else {
        return Ok(None);
    };
    let (at, columns) = quasi_identifying(patients, rules);
    if at.is_empty() {
        return Ok(None);
    }
    let mut cells = cells_of(patients, &at)?;
    Ok(Some(k_anonymity::apply(&mut cells, &columns, rules, false)))
}

/// Places and names of the columns that are quasi-identifiers, reasons and words among them.
fn quasi_identifying(file: &FinishedTable, rules: &Rules) -> (Vec<usize>, Vec<String>) {
    let quasi = |name: &str| {
        let name = of_column(name);
        rules.quasi_identifiers.columns.iter().any(|one| one == name)
    };
    let columns = file.columns.iter().enumerate();
    columns
        .filter(|(_, name)| quasi(name))
        .map(|(at, name)| (at, name.clone()))
        .unzip()
}

fn cells_of(file: &FinishedTable, at: &[usize]) -> Result<Cells, ReleaseError> {
    let mut cells: Cells = Vec::new();
    for row in csv::Reader::from_reader(file.reader()).records() {
        let row = row?;
        let text = |at: &usize| row.get(*at).unwrap_or_default().to_owned();
        cells.push(Some(at.iter().map(text).collect()));
    }
    Ok(cells)
}

/// The patients with their quasi-identifiers measured and, without a contract, in groups of k.
fn anonymous(
    file: FinishedTable,
    approved: &Approved,
    rules: &Rules,
) -> Result<(FinishedTable, Option<KAnonymity>), ReleaseError> {
    let (at, columns) = quasi_identifying(&file, rules);
    if at.is_empty() {
        return Ok((file, None));
    }
    // Read twice: first what may identify, then the rows as they leave.
    let mut cells = cells_of(&file, &at)?;
    let told = k_anonymity::apply(&mut cells, &columns, rules, !approved.contracted);
    let mut table = Table::again(&file)?;
    for (row, cells) in csv::Reader::from_reader(file.reader()).records().zip(&cells) {
        let row = row?;
        let mut fields: Vec<&str> = row.iter().collect();
        for (n, at) in at.iter().enumerate() {
            let Some(field) = fields.get_mut(*at) else {
                continue;
            };
            *field = match cells {
                Some(cells) => cells.get(n).map_or("", String::as_str),
                None if columns.get(n).is_some_and(|name| name.ends_with(ABSENT)) => {
                    Absence::Withheld.as_str()
                }
                None => "",
            };
        }
        table.add(&fields)?;
    }
    Ok((table.finish()?, Some(told)))
}

/// Columns of the patients' file that no element stands behind, beside the patient.
pub(super) fn patient_columns(approved: Option<&Approved>) -> Vec<Described> {
    let withheld = |meaning: &str| match approved {
        Some(approved) if !approved.contracted => {
            format!(
                "{meaning}; empty where withheld, so that no group of patients is too small (manifest.json: k_anonymity)"
            )
        }
        _ => meaning.to_owned(),
    };
    let meaning = match approved {
        Some(approved) if approved.centre_unmasked => "the centre",
        _ => "pseudonym of the centre in this release",
    };
    let mut columns = vec![Described::made(CENTRE, Holds::Text, withheld(meaning))];
    if approved.is_some_and(|approved| approved.calendar_years) {
        let known = withheld("calendar years of metastatic diagnosis, in bands");
        let meaning = format!("{known}; also empty where the year of the diagnosis is not certain");
        columns.push(Described::made(YEARS, Holds::Text, meaning));
    }
    columns
}

/// The column that stands for a year of birth.
pub(super) const AGE_COLUMN: &str = AGE;
