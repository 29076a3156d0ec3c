//! `dictionary.csv`, `codelists.csv` and `measures.csv`: what the columns of a release mean, and what its results rest on.

use super::ReleaseError;
use super::analysis::{ADHERENCE, ADHERENCE_COLUMNS};
use super::cases::CasesTable;
use super::code_lists::{self, KINDS};
use super::columns::Column;
use super::described::{Described, Holds, names};
use super::endpoints::{self, ESTIMATES};
use super::entities::EntityTable;
use super::estimates::ESTIMATE_COLUMNS;
use super::multiselect::{self, MULTISELECT, MULTISELECT_COLUMNS};
use super::projection::{Approved, PATIENTS, patient_columns};
use super::spool::Spool;
use super::table::{FinishedTable, Table};
use crate::cohorts::Definition;
use crate::results::MeasureHead;
use registry_core::dictionary::{Dictionary, Element, Entity};
use registry_core::record::Absence;

/// The file of measures.
const MEASURES: &str = "measures.csv";
/// Its columns.
const MEASURE_COLUMNS: [Described; 7] = [
    Described::key(
        "measure",
        Holds::Text,
        "id of the measure, as in adherence_units.csv",
    ),
    Described::plain("statement", Holds::Text, "number of the consensus statement"),
    Described::plain("title", Holds::Text, "what it is about"),
    Described::plain(
        "level_and_grade",
        Holds::Text,
        "level of evidence and grade of recommendation",
    ),
    Described::coded(
        "kind",
        KINDS,
        "adherence, avoidance, documentation, utilisation, or composite: all or none of several measures",
    ),
    Described::plain("unit", Holds::Text, "what is counted"),
    Described::plain(
        "unratified",
        Holds::Text,
        "parameters its results rest on that neither the source fixes nor the committee has ratified, separated by blanks",
    ),
];

/// Explains the columns; in a request's bundle cut to the files that are there.
pub(super) const DICTIONARY: &str = "dictionary.csv";
/// Its columns.
const DICTIONARY_COLUMNS: [Described; 14] = [
    Described::key("file", Holds::Text, "file of the column"),
    Described::key("column", Holds::Text, "name of the column"),
    Described::plain(
        "key",
        Holds::Boolean,
        "TRUE when it is part of the key of its file",
    ),
    Described::plain("meaning", Holds::Text, "what it says"),
    Described::plain("entity", Holds::Text, "entity of the element behind it"),
    Described::plain(
        "element",
        Holds::Text,
        "element behind it; those a column of cases.csv rests on as entity.element, separated by blanks",
    ),
    Described::plain(
        "type",
        Holds::Text,
        "boolean (TRUE, FALSE), integer, number, code (of code_list), absence (of absence_codes), precision (day, month, year) or text",
    ),
    Described::plain("unit", Holds::Text, "unit of the element"),
    Described::plain(
        "code_list",
        Holds::Text,
        "code list of the element, in codelists.csv",
    ),
    Described::plain(
        "absence_codes",
        Holds::Text,
        "reasons for a missing value, separated by blanks",
    ),
    Described::plain("requirement", Holds::Text, "when the element must be answered"),
    Described::plain("visibility", Holds::Text, "who may see the element"),
    Described::plain(
        "introduced",
        Holds::Text,
        "version of the case schema that introduced it",
    ),
    Described::plain("description", Holds::Text, "the element in words"),
];

/// The file of codes.
pub(super) const CODELISTS: &str = "codelists.csv";
/// Its columns.
const CODELIST_COLUMNS: [Described; 3] = [
    Described::key("code_list", Holds::Text, "name of the list"),
    Described::key("code", Holds::Text, "the code; the order is the list's"),
    Described::plain("label", Holds::Text, "its words"),
];

/// Keys of an entity's file.
pub(super) const PATIENT: Described = Described::key(
    "patient_id",
    Holds::Text,
    "pseudonym of the patient in this release",
);
const ROW: Described = Described::key("row", Holds::Integer, "position in the record, from 1");

/// A line of the dictionary.
pub(super) type Line = [String; 14];

/// One line per column of every file.
pub(super) fn dictionary(
    spool: &Spool,
    tables: &[EntityTable<'_>],
    cases: &CasesTable<'_>,
    definitions: &[Definition],
    approved: Option<&Approved>,
) -> Result<FinishedTable, ReleaseError> {
    let mut table = Table::begin(spool, DICTIONARY, names(&DICTIONARY_COLUMNS))?;
    for EntityTable { entity, columns, .. } in tables {
        let file = format!("{}.csv", entity.name);
        let mut keys = vec![PATIENT];
        if file == PATIENTS {
            keys.extend(patient_columns(approved));
        }
        keys.extend(entity.repeated().then_some(ROW));
        for column in &keys {
            table.add(line(&file, column))?;
        }
        for column in columns {
            let Some(element) = entity.elements.get(column.element) else {
                continue;
            };
            let grouped = approved.is_some() && file == PATIENTS;
            table.add(element_line(&file, entity, element, column, grouped))?;
        }
    }
    for line in cases.lines() {
        table.add(line)?;
    }
    let files: [(&str, &[Described]); 6] = [
        (MULTISELECT, &MULTISELECT_COLUMNS),
        (ADHERENCE, &ADHERENCE_COLUMNS),
        (MEASURES, &MEASURE_COLUMNS),
        (ESTIMATES, &ESTIMATE_COLUMNS),
        (DICTIONARY, &DICTIONARY_COLUMNS),
        (CODELISTS, &CODELIST_COLUMNS),
    ];
    let there = |file: &str| file != MULTISELECT || multiselect::is_there(tables);
    for (file, columns) in files.into_iter().filter(|(file, _)| there(file)) {
        for column in columns {
            table.add(line(file, column))?;
        }
    }
    for definition in definitions {
        let file = endpoints::file(definition);
        for column in endpoints::columns(definition) {
            table.add(line(&file, &column))?;
        }
    }
    table.finish()
}

/// The line of a column that an element stands behind; `grouped` where small groups of a request's patients are withheld.
pub(super) fn element_line(
    file: &str,
    entity: &Entity,
    element: &Element,
    column: &Column,
    grouped: bool,
) -> Line {
    let mut absence: Vec<&str> = element.absence.iter().map(|a| a.as_str()).collect();
    let withheld = Absence::Withheld.as_str();
    if grouped && !absence.is_empty() && !absence.contains(&withheld) {
        absence.push(withheld);
    }
    [
        file,
        &column.name,
        "FALSE",
        &column.meaning(),
        &entity.name,
        &element.name,
        column.holds(element).as_str(),
        element.unit.as_deref().unwrap_or(""),
        element.codes.as_ref().map_or("", |c| c.name.as_str()),
        &absence.join(" "),
        element.requirement.as_str(),
        element.visibility.as_str(),
        &element.introduced,
        &element.description,
    ]
    .map(str::to_owned)
}

/// The line of a column that no element stands behind.
pub(super) fn line<'a>(file: &'a str, column: &'a Described) -> [&'a str; 14] {
    let mut line = [""; 14];
    let key = if column.key { "TRUE" } else { "FALSE" };
    (line[0], line[1], line[2], line[3]) = (file, &column.name, key, &column.meaning);
    line[6] = column.holds.as_str();
    line[8] = &column.codes;
    line
}

/// The measures of the run's guideline and its all-or-none summaries, with the parameters their results rest on unratified.
pub(super) fn measures(spool: &Spool, heads: &[MeasureHead]) -> Result<FinishedTable, ReleaseError> {
    let mut table = Table::begin(spool, MEASURES, names(&MEASURE_COLUMNS))?;
    for head in heads {
        table.add([
            head.id.as_str(),
            &head.statement,
            &head.title,
            &head.grade,
            &head.kind,
            &head.unit,
            &head.unratified.join(" "),
        ])?;
    }
    table.finish()
}

/// Every code of every list that a column uses: those of elements, and those of what no element holds.
pub(super) fn codelists(
    spool: &Spool,
    tables: &[EntityTable<'_>],
    dictionary: &Dictionary,
    definitions: &[Definition],
) -> Result<FinishedTable, ReleaseError> {
    let mut lists = code_lists::all(dictionary, definitions);
    for EntityTable { entity, columns, .. } in tables {
        for element in columns.iter().filter_map(|c| entity.elements.get(c.element)) {
            if let Some(list) = &element.codes {
                let codes = list.codes.iter();
                let codes = codes.map(|one| (one.code.clone(), one.label.clone().unwrap_or_default()));
                lists.insert(list.name.clone(), codes.collect());
            }
        }
    }
    let mut table = Table::begin(spool, CODELISTS, names(&CODELIST_COLUMNS))?;
    for (name, codes) in lists {
        for (code, words) in codes {
            table.add([name.as_str(), &code, &words])?;
        }
    }
    table.finish()
}
