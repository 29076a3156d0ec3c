use std::sync::Arc;

use serde_json::Value;

use super::cell::{Packed, Texts};
use super::centres::CarriedRow;
use super::{
    Absence, Cell, CellRef, CentreRows, CentreTable, EntityLayout, Kind, Layout, PartialDate, Rows, Span,
};

/// Where the sections of a case are read from, by the entity's name.
pub trait Sections {
    fn section(&self, name: &str) -> Option<&Value>;
}

impl Sections for Value {
    fn section(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// One case, read once: rows of cells in the order of the [`Layout`]. Reading never fails: what is not of its element's
/// type counts as missing (the JSON Schema has refused it before), names the dictionary does not know are left out.
#[derive(Debug, Clone)]
pub struct Record {
    layout: Arc<Layout>,
    rows: Vec<Rows>,
    texts: Texts,
    centres: Arc<CentreRows>,
}

impl Record {
    /// Reads a document with its envelope (`record`) and derived elements (`primary.histology_code`,
    /// `primary.eligibility_class`) merged in. Entities that are not there have no row; a 1..1 entity that is not there
    /// has one row of missing cells.
    pub fn read(document: &impl Sections, layout: &Arc<Layout>, centres: &CentreTable) -> Record {
        let mut texts = Texts::default();
        let sections = layout.entities().iter();
        let rows = sections.map(|entity| pack_section(entity, document.section(&entity.name), &mut texts));
        Record {
            layout: Arc::clone(layout),
            rows: rows.collect(),
            texts,
            centres: centres.resolve(layout),
        }
    }

    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Reads one entity anew from other rows; what was blocked in it is not any more. A name the dictionary does not know changes nothing.
    pub fn replace(&mut self, entity: &str, section: &Value) {
        let Some(at) = self.layout.entity(entity) else {
            return;
        };
        let known = self.layout.entity_at(at).zip(self.rows.get_mut(usize::from(at)));
        if let Some((entity, rows)) = known {
            *rows = pack_section(entity, Some(section), &mut self.texts);
        }
    }

    /// Number of rows of an entity; a 1..1 entity has one.
    pub fn count(&self, entity: u16) -> usize {
        self.rows.get(usize::from(entity)).map_or(0, |rows| rows.count)
    }

    /// The rows of an entity by name; empty for a name the dictionary does not know.
    pub fn rows(&self, entity: &str) -> impl Iterator<Item = RowView<'_>> {
        let at = self.layout.entity(entity);
        let count = at.map_or(0, |at| self.count(at));
        (0..count as u32).map(move |row| RowView {
            record: self,
            entity: at.unwrap_or(u16::MAX),
            row,
        })
    }

    /// The cell of a 1..1 entity, written `entity.element`; missing for a path the dictionary does not know.
    pub fn single(&self, path: &str) -> Cell<'_> {
        self.layout
            .path(path)
            .map_or(Cell::Missing, |(entity, element)| self.cell(entity, 0, element))
    }

    /// The cell at a position; missing when there is no such row.
    pub fn cell(&self, entity: u16, row: usize, element: u16) -> Cell<'_> {
        match self.rows.get(usize::from(entity)) {
            Some(rows) => self.texts.cell(rows.packed(row, usize::from(element))),
            None => Cell::Missing,
        }
    }

    /// Whether the cell at a position holds this text; `None` when it holds no text.
    pub(crate) fn holds_text(&self, entity: u16, row: usize, element: u16, text: &str) -> Option<bool> {
        match self
            .rows
            .get(usize::from(entity))?
            .packed(row, usize::from(element))
        {
            Packed::Text(span) => Some(span.holds(&self.texts.text, text)),
            _ => None,
        }
    }

    /// Whether an element holds this text in some row.
    pub(crate) fn some_row_holds(&self, entity: u16, element: u16, text: &str) -> bool {
        let of_entity = self.rows.get(usize::from(entity));
        of_entity.is_some_and(|rows| {
            rows.column(usize::from(element))
                .any(|packed| matches!(packed, Packed::Text(span) if span.holds(&self.texts.text, text)))
        })
    }

    /// The cells of one element, row by row.
    pub(crate) fn column(&self, entity: u16, element: u16) -> impl Iterator<Item = Cell<'_>> {
        let rows = self.rows.get(usize::from(entity)).into_iter();
        rows.flat_map(move |rows| rows.column(usize::from(element)))
            .map(|packed| self.texts.cell(packed))
    }

    /// Keeps a cell out of the rules (reason `edit_error`).
    pub fn block(&mut self, at: CellRef) {
        if let Some(rows) = self.rows.get_mut(usize::from(at.entity)) {
            rows.block(at.row as usize, usize::from(at.element));
        }
    }

    /// As many missing cells as an entity has rows.
    pub(crate) fn empty_column(&self, entity: u16) -> Vec<Packed> {
        vec![Packed::Missing; self.count(entity)]
    }

    /// Exchanges the cells of one element with others, row by row.
    pub(crate) fn swap_column(&mut self, entity: u16, element: u16, cells: &mut [Packed]) {
        if let Some(rows) = self.rows.get_mut(usize::from(entity)) {
            rows.swap_column(usize::from(element), cells);
        }
    }

    /// JSON Pointer of a cell in the submitted document.
    pub fn pointer(&self, at: CellRef) -> String {
        let (Some(entity), Some(element)) = (
            self.layout.entity_at(at.entity),
            self.layout.element_at(at.entity, at.element),
        ) else {
            return String::new();
        };
        if entity.single {
            format!("/{}/{}", entity.name, element.name)
        } else {
            format!("/{}/{}/{}", entity.name, at.row, element.name)
        }
    }

    pub(crate) fn centres(&self) -> &CentreRows {
        &self.centres
    }

    pub(crate) fn centre_cell(&self, row: CarriedRow, element: u16) -> Cell<'_> {
        self.centres.cell(row, element)
    }
}

/// One row of a record.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    record: &'a Record,
    entity: u16,
    row: u32,
}

impl<'a> RowView<'a> {
    /// Position in the submitted array.
    pub fn index(&self) -> u32 {
        self.row
    }

    /// The cell of an element by name; missing for a name the dictionary does not know.
    pub fn get(&self, element: &str) -> Cell<'a> {
        let at = self
            .record
            .layout
            .entity_at(self.entity)
            .and_then(|entity| entity.element(element));
        at.map_or(Cell::Missing, |element| {
            self.record.cell(self.entity, self.row as usize, element)
        })
    }
}

/// The rows of one entity.
fn pack_section(entity: &EntityLayout, section: Option<&Value>, texts: &mut Texts) -> Rows {
    let mut packed = Rows {
        width: entity.elements.len(),
        ..Rows::default()
    };
    match section {
        _ if entity.reference => {}
        Some(Value::Array(list)) if !entity.single => {
            packed.cells.reserve(list.len() * packed.width);
            list.iter()
                .for_each(|row| pack_row(entity, row, &mut packed, texts));
        }
        Some(row) if entity.single => pack_row(entity, row, &mut packed, texts),
        None if entity.single => pack_row(entity, &Value::Null, &mut packed, texts),
        _ => {}
    }
    packed
}

/// Appends one row of an entity.
pub(super) fn pack_row(entity: &EntityLayout, row: &Value, rows: &mut Rows, texts: &mut Texts) {
    let first = rows.cells.len();
    rows.cells.resize(first + entity.elements.len(), Packed::Missing);
    rows.count += 1;
    let mut names = entity.names.in_order();
    for (name, value) in row.as_object().into_iter().flatten() {
        if let Some(at) = names.find(name)
            && let Some(element) = entity.elements.get(usize::from(at))
            && let Some(cell) = rows.cells.get_mut(first + usize::from(at))
        {
            *cell = pack(element.kind, value, texts);
        }
    }
}

fn pack(kind: Kind, value: &Value, texts: &mut Texts) -> Packed {
    if let Some(code) = value
        .as_object()
        .and_then(|object| object.get("absent"))
        .and_then(Value::as_str)
    {
        return Absence::from_code(code).map_or(Packed::Missing, Packed::Absent);
    }
    let packed = match kind {
        Kind::Boolean => value.as_bool().map(Packed::Boolean),
        Kind::Number => value
            .as_f64()
            .filter(|number| number.is_finite())
            .map(Packed::Number),
        Kind::Date => value.as_str().and_then(PartialDate::parse).map(Packed::Date),
        Kind::Instant => value
            .as_str()
            .and_then(PartialDate::parse_datetime)
            .map(Packed::Date),
        Kind::Code => value.as_str().map(|text| Packed::Text(texts.push(text))),
        Kind::Set => value.as_array().and_then(|list| pack_set(list, texts)),
    };
    packed.unwrap_or(Packed::Missing)
}

fn pack_set(list: &[Value], texts: &mut Texts) -> Option<Packed> {
    let start = texts.members.len() as u32;
    for member in list {
        let Some(text) = member.as_str() else {
            texts.members.truncate(start as usize);
            return None;
        };
        let span = texts.push(text);
        texts.members.push(span);
    }
    Some(Packed::Set(Span {
        start,
        end: texts.members.len() as u32,
    }))
}
