//! `dictionary.csv`, `codelists.csv` and `measures.csv`: what the columns of a release mean, and what its results rest on.

use super::ReleaseError;
use super::analysis::{ADHERENCE, ADHERENCE_COLUMNS};
use super::endpoints::{self, ESTIMATES};
use super::entities::EntityTable;
use super::estimates::ESTIMATE_COLUMNS;
use super::projection::{Approved, patient_keys};
use super::spool::{FinishedTable, Table};
use crate::cohorts::Definition;
use crate::results::MeasureHead;
use std::collections::BTreeMap;

/// The file of measures.
const MEASURES: &str = "measures.csv";
/// Its columns: name and meaning.
const MEASURE_COLUMNS: [(&str, &str); 7] = [
    ("measure", "id of the measure, as in adherence_units.csv"),
    ("statement", "number of the consensus statement"),
    ("title", "what it is about"),
    ("level_and_grade", "level of evidence and grade of recommendation"),
    (
        "kind",
        "adherence, avoidance, documentation, utilisation, or composite: all or none of several measures",
    ),
    ("unit", "what is counted"),
    (
        "unratified",
        "parameters its results rest on that neither the source fixes nor the committee has ratified, separated by blanks",
    ),
];

const DICTIONARY_COLUMNS: [&str; 13] = [
    "file",
    "column",
    "meaning",
    "entity",
    "element",
    "type",
    "unit",
    "code_list",
    "absence_codes",
    "requirement",
    "visibility",
    "introduced",
    "description",
];

/// One line per column of every file.
pub(super) fn dictionary(
    tables: &[EntityTable<'_>],
    definitions: &[Definition],
    approved: Option<&Approved>,
) -> Result<FinishedTable, ReleaseError> {
    let mut table = Table::begin("dictionary.csv", DICTIONARY_COLUMNS.map(str::to_owned).to_vec())?;
    for EntityTable { entity, columns, .. } in tables {
        let file = format!("{}.csv", entity.name);
        let mut keys = vec![("patient_id", "pseudonym of the patient in this release")];
        if entity.name == "patient" {
            keys.extend(patient_keys(approved));
        }
        keys.extend(
            entity
                .repeated()
                .then_some(("row", "position in the record, from 1")),
        );
        for (name, meaning) in keys {
            table.add(key_line(&file, name, meaning))?;
        }
        for column in columns {
            let Some(element) = entity.elements.get(column.element) else {
                continue;
            };
            let absence: Vec<&str> = element.absence.iter().map(|a| a.as_str()).collect();
            table.add([
                file.as_str(),
                &column.name,
                &column.meaning(),
                &entity.name,
                &element.name,
                element.kind.as_str(),
                element.unit.as_deref().unwrap_or(""),
                element.codes.as_ref().map_or("", |c| c.name.as_str()),
                &absence.join(" "),
                element.requirement.as_str(),
                element.visibility.as_str(),
                &element.introduced,
                &element.description,
            ])?;
        }
    }
    let files: [(&str, &[(&str, &str)]); 3] = [
        (ADHERENCE, &ADHERENCE_COLUMNS),
        (MEASURES, &MEASURE_COLUMNS),
        (ESTIMATES, &ESTIMATE_COLUMNS),
    ];
    for (file, columns) in files {
        for (name, meaning) in columns {
            table.add(key_line(file, name, meaning))?;
        }
    }
    for definition in definitions {
        let file = endpoints::file(definition);
        for (name, meaning) in endpoints::columns(definition) {
            table.add(key_line(&file, &name, &meaning))?;
        }
    }
    table.finish()
}

fn key_line<'a>(file: &'a str, name: &'a str, meaning: &'a str) -> [&'a str; 13] {
    let mut line = [""; 13];
    (line[0], line[1], line[2]) = (file, name, meaning);
    line
}

/// The measures of the run's guideline and its all-or-none summaries, with the parameters their results rest on unratified.
pub(super) fn measures(heads: &[MeasureHead]) -> Result<FinishedTable, ReleaseError> {
    let names = MEASURE_COLUMNS.map(|(name, _)| name.to_owned()).to_vec();
    let mut table = Table::begin(MEASURES, names)?;
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

/// Every code of every list that a column uses.
pub(super) fn codelists(tables: &[EntityTable<'_>]) -> Result<FinishedTable, ReleaseError> {
    let mut lists = BTreeMap::new();
    for EntityTable { entity, columns, .. } in tables {
        for element in columns.iter().filter_map(|c| entity.elements.get(c.element)) {
            if let Some(list) = &element.codes {
                lists.insert(list.name.as_str(), list);
            }
        }
    }
    let header = ["code_list", "code", "label"].map(str::to_owned).to_vec();
    let mut table = Table::begin("codelists.csv", header)?;
    for (name, list) in lists {
        for code in &list.codes {
            table.add([name, &code.code, code.label.as_deref().unwrap_or("")])?;
        }
    }
    table.finish()
}
