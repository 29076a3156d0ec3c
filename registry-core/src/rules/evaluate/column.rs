//! The codes of one column, in an order to look them up by: a check that asks for the rows of every section one after the other would go
//! through all rows for each.

use crate::record::{Cell, Record, leading};

/// The column asked last.
#[derive(Default)]
pub(super) struct LastColumn<'a> {
    /// Entity and element.
    of: Option<(u16, u16)>,
    /// Its texts by their keys; made when the column is asked a second time.
    texts: Option<Vec<(u64, &'a str)>>,
}

/// The first eight bytes and the length: what tells most codes apart.
fn key(text: &str) -> u64 {
    leading(text) ^ text.len() as u64
}

impl<'a> LastColumn<'a> {
    /// Whether an element holds this text in some row.
    pub(super) fn holds(&mut self, record: &'a Record, column: (u16, u16), text: &str) -> bool {
        let (entity, element) = column;
        if self.of != Some(column) {
            *self = Self {
                of: Some(column),
                texts: None,
            };
            return record.some_row_holds(entity, element, text);
        }
        let texts = self.texts.get_or_insert_with(|| {
            let cells = record.column(entity, element);
            let mut texts: Vec<_> = cells
                .filter_map(|cell| match cell {
                    Cell::Text(text) => Some((key(text), text)),
                    _ => None,
                })
                .collect();
            texts.sort_unstable_by_key(|(key, _)| *key);
            texts
        });
        let wanted = key(text);
        let first = texts.partition_point(|(key, _)| *key < wanted);
        let same = texts.iter().skip(first).take_while(|(key, _)| *key == wanted);
        same.into_iter().any(|(_, other)| *other == text)
    }
}
