//! `multiselect.csv`: the sets of codes once more, a row a code that is chosen.
//!
//! It holds what the TRUE or FALSE columns of the entities' files hold, no element more: a bundle without such a column is without it. Why
//! nothing is chosen stands in the entity's file.

use registry_core::dictionary::{Element, Entity};
use serde_json::Value;

use super::ReleaseError;
use super::columns::Field;
use super::described::{Described, Holds, names};
use super::entities::{EntityTable, ReleasedCase, words};
use super::reference_tables::PATIENT;
use super::rows::Rows;
use super::spool::Spool;
use super::table::{FinishedTable, Table};

/// The file.
pub const MULTISELECT: &str = "multiselect.csv";

/// Its columns.
pub(super) const MULTISELECT_COLUMNS: [Described; 6] = [
    PATIENT,
    Described::key(
        "entity",
        Holds::Text,
        "entity of the set; its file is <entity>.csv",
    ),
    Described::key(
        "row",
        Holds::Integer,
        "row of the entity's file, from 1; empty where the entity has no rows",
    ),
    Described::key("element", Holds::Text, "element that holds the set"),
    Described::key("code", Holds::Text, "a code that is chosen"),
    Described::plain("label", Holds::Text, "its words"),
];

/// A set with the codes it may hold, in the order of its list.
struct Set<'a> {
    element: &'a Element,
    codes: Vec<String>,
}

/// The file while it grows.
pub(super) struct MultiselectTable<'a> {
    sets: Vec<(&'a Entity, Vec<Set<'a>>)>,
    table: Table,
}

impl<'a> MultiselectTable<'a> {
    /// Begins the file for the sets that these files hold; none without one.
    pub(super) fn begin(spool: &Spool, tables: &[EntityTable<'a>]) -> Result<Option<Self>, ReleaseError> {
        let sets: Vec<_> = tables
            .iter()
            .map(|table| (table.entity, sets(table)))
            .filter(|(_, sets)| !sets.is_empty())
            .collect();
        if sets.is_empty() {
            return Ok(None);
        }
        let table = Table::begin(spool, MULTISELECT, names(&MULTISELECT_COLUMNS))?;
        Ok(Some(Self { sets, table }))
    }

    /// Adds some cases.
    pub(super) fn add(&mut self, cases: &[ReleasedCase<'_>]) -> Result<(), ReleaseError> {
        let sets = &self.sets;
        self.table.each(cases, |case, rows| {
            for (entity, sets) in sets {
                write(case, entity, sets, rows)?;
            }
            Ok(())
        })
    }

    pub(super) fn finish(self) -> Result<FinishedTable, ReleaseError> {
        self.table.finish()
    }
}

/// The rows of one entity of a case.
fn write(
    case: &ReleasedCase<'_>,
    entity: &Entity,
    sets: &[Set<'_>],
    into: &mut Rows,
) -> Result<(), ReleaseError> {
    let rows = match case.document.get(&entity.name) {
        Some(Value::Array(rows)) if entity.repeated() => rows.as_slice(),
        Some(row @ Value::Object(_)) if !entity.repeated() => std::slice::from_ref(row),
        _ => return Ok(()),
    };
    for (at, row) in rows.iter().enumerate() {
        let number = match entity.repeated() {
            true => (at + 1).to_string(),
            false => String::new(),
        };
        for set in sets {
            let chosen = row.get(&set.element.name).and_then(Value::as_array);
            let holds = |code: &&String| chosen.is_some_and(|all| all.iter().any(|one| one == code.as_str()));
            for code in set.codes.iter().filter(holds) {
                into.row([
                    case.patient,
                    &entity.name,
                    &number,
                    &set.element.name,
                    code,
                    words(set.element, code),
                ])?;
            }
        }
    }
    Ok(())
}

/// The sets of an entity's file, by its columns.
fn sets<'a>(table: &EntityTable<'a>) -> Vec<Set<'a>> {
    let mut sets: Vec<Set<'a>> = Vec::new();
    for column in &table.columns {
        let (Field::Holds(code), Some(element)) = (&column.field, table.entity.elements.get(column.element))
        else {
            continue;
        };
        match sets.last_mut().filter(|set| set.element.name == element.name) {
            Some(set) => set.codes.push(code.clone()),
            None => sets.push(Set {
                element,
                codes: vec![code.clone()],
            }),
        }
    }
    sets
}

/// Whether the bundle has the file.
pub(super) fn is_there(tables: &[EntityTable<'_>]) -> bool {
    tables.iter().any(|table| !sets(table).is_empty())
}
