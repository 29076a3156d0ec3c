use super::{Absence, PartialDate};

/// What one leaf of a case holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Nobody has answered: the key is absent, JSON null, or not of the element's type.
    Missing,
    /// Answered without a value.
    Absent(Absence),
    /// Kept out of the rules by an edit check of severity error.
    Blocked,
    Boolean(bool),
    /// Integer, number, percent or year.
    Number(f64),
    /// A date, or the UTC day of an instant.
    Date(PartialDate),
    /// Code, string or identifier.
    Text(&'a str),
    /// Code set or string set, possibly empty.
    Set(TextSet<'a>),
}

impl<'a> Cell<'a> {
    /// Holds a value.
    pub fn is_value(&self) -> bool {
        !matches!(self, Cell::Missing | Cell::Absent(_) | Cell::Blocked)
    }

    pub fn as_text(&self) -> Option<&'a str> {
        if let Cell::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        if let Cell::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    pub fn as_boolean(&self) -> Option<bool> {
        if let Cell::Boolean(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    pub fn as_date(&self) -> Option<PartialDate> {
        if let Cell::Date(date) = self {
            Some(*date)
        } else {
            None
        }
    }
}

/// The members of a recorded set, in the order they were sent.
#[derive(Clone, Copy)]
pub struct TextSet<'a> {
    text: &'a str,
    members: &'a [Span],
}

impl<'a> TextSet<'a> {
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        self.members.iter().map(move |span| span.of(self.text))
    }

    pub fn contains(self, member: &str) -> bool {
        self.iter().any(|other| other == member)
    }

    pub fn len(self) -> usize {
        self.members.len()
    }

    pub fn is_empty(self) -> bool {
        self.members.is_empty()
    }
}

impl std::fmt::Debug for TextSet<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

impl PartialEq for TextSet<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().all(|member| other.contains(member)) && other.iter().all(|member| self.contains(member))
    }
}

/// Where a cell stands: positions in the [`super::Layout`] and in the entity's array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellRef {
    pub entity: u16,
    pub row: u32,
    pub element: u16,
}

/// A stretch of the text a record keeps its strings in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Whether this stretch of `text` is `other`.
    pub(crate) fn holds(self, text: &str, other: &str) -> bool {
        (self.end - self.start) as usize == other.len()
            && text.as_bytes().get(self.start as usize..self.end as usize) == Some(other.as_bytes())
    }
}

/// A cell as stored: 12 bytes, no pointers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Packed {
    Missing,
    Absent(Absence),
    Blocked,
    Boolean(bool),
    Number(f64),
    Date(PartialDate),
    Text(Span),
    Set(Span),
}

/// Rows of one entity, cell by cell, all rows of the same width.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) width: usize,
    pub(crate) count: usize,
    pub(crate) cells: Vec<Packed>,
}

impl Rows {
    pub(crate) fn packed(&self, row: usize, element: usize) -> Packed {
        if element < self.width && row < self.count {
            self.cells
                .get(row * self.width + element)
                .copied()
                .unwrap_or(Packed::Missing)
        } else {
            Packed::Missing
        }
    }

    /// The cells of one element, row by row.
    pub(crate) fn column(&self, element: usize) -> impl Iterator<Item = Packed> {
        let cells = if element < self.width {
            self.cells.get(element..).unwrap_or_default()
        } else {
            &[]
        };
        cells.iter().step_by(self.width.max(1)).copied()
    }

    pub(crate) fn swap_column(&mut self, element: usize, others: &mut [Packed]) {
        if element < self.width {
            let cells = self.cells.get_mut(element..).unwrap_or_default();
            let column = cells.iter_mut().step_by(self.width);
            column
                .zip(others)
                .for_each(|(cell, other)| std::mem::swap(cell, other));
        }
    }

    pub(crate) fn block(&mut self, row: usize, element: usize) {
        if element < self.width
            && row < self.count
            && let Some(cell) = self.cells.get_mut(row * self.width + element)
        {
            *cell = Packed::Blocked;
        }
    }
}

/// The strings and set members all cells of one source point into.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    pub(crate) text: String,
    pub(crate) members: Vec<Span>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &str) -> Span {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Span {
            start,
            end: self.text.len() as u32,
        }
    }

    pub(crate) fn cell(&self, packed: Packed) -> Cell<'_> {
        match packed {
            Packed::Missing => Cell::Missing,
            Packed::Absent(absence) => Cell::Absent(absence),
            Packed::Blocked => Cell::Blocked,
            Packed::Boolean(value) => Cell::Boolean(value),
            Packed::Number(number) => Cell::Number(number),
            Packed::Date(date) => Cell::Date(date),
            Packed::Text(span) => Cell::Text(span.of(&self.text)),
            Packed::Set(span) => Cell::Set(TextSet {
                text: &self.text,
                members: self
                    .members
                    .get(span.start as usize..span.end as usize)
                    .unwrap_or_default(),
            }),
        }
    }
}
