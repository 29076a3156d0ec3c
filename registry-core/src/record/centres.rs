use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::cell::Texts;
use super::read::pack_row;
use super::{Cell, Layout, Rows};

/// Reference rows about centres, one per centre and year; between and after the years given, the last known row is
/// carried forward. Before its first row a centre is unknown.
#[derive(Debug, Clone, Default)]
pub struct CentreTable(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<(String, i32), Value>,
    resolved: OnceLock<(usize, Arc<CentreRows>)>,
}

/// A row of the centre table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CentreTableError {
    #[error("centre row {0} has no text `centre_id`")]
    NoCentre(usize),
    #[error("centre row {0} has no whole number `effective_year`")]
    NoYear(usize),
    #[error("the centre table has two rows for one centre and year (row {0})")]
    Twice(usize),
}

impl CentreTable {
    /// Builds the table from rows shaped as the entity `centre` of the dictionary, in any order.
    ///
    /// # Errors
    /// A row without centre or year, or two rows for one centre and year.
    pub fn from_rows(rows: impl IntoIterator<Item = Value>) -> Result<CentreTable, CentreTableError> {
        let mut table = BTreeMap::new();
        for (at, row) in rows.into_iter().enumerate() {
            let centre = row
                .get("centre_id")
                .and_then(Value::as_str)
                .ok_or(CentreTableError::NoCentre(at))?;
            let year = row
                .get("effective_year")
                .and_then(Value::as_i64)
                .ok_or(CentreTableError::NoYear(at))?;
            let year = i32::try_from(year).map_err(|_| CentreTableError::NoYear(at))?;
            if table.insert((centre.to_owned(), year), row).is_some() {
                return Err(CentreTableError::Twice(at));
            }
        }
        Ok(CentreTable(Arc::new(Inner {
            rows: table,
            resolved: OnceLock::new(),
        })))
    }

    pub fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    /// The known rows, ordered by centre and year.
    pub fn rows(&self) -> impl Iterator<Item = &Value> {
        self.0.rows.values()
    }

    /// The row in force for a centre in a year: the last one not after it.
    pub fn row(&self, centre: &str, year: i32) -> Option<&Value> {
        let through = (centre.to_owned(), year);
        let (key, row) = self.0.rows.range(..=through).next_back()?;
        (key.0 == centre).then_some(row)
    }

    /// SHA-256 (hex) over the rows in order; equal tables have equal digests.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for row in self.0.rows.values() {
            let ordered: BTreeMap<&String, &Value> = row.as_object().into_iter().flatten().collect();
            hash.update(format!("{ordered:?}\n").as_bytes());
        }
        hex::encode(hash.finalize())
    }

    pub(crate) fn resolve(&self, layout: &Arc<Layout>) -> Arc<CentreRows> {
        let identity = Arc::as_ptr(layout) as usize;
        let (known, rows) = self
            .0
            .resolved
            .get_or_init(|| (identity, Arc::new(CentreRows::pack(&self.0.rows, layout))));
        if *known == identity {
            Arc::clone(rows)
        } else {
            Arc::new(CentreRows::pack(&self.0.rows, layout))
        }
    }
}

/// The centre table with its names resolved: known rows, and where each centre's rows stand.
#[derive(Debug, Default)]
pub(crate) struct CentreRows {
    rows: Rows,
    texts: Texts,
    years: Vec<i32>,
    by_centre: BTreeMap<String, std::ops::Range<usize>>,
    year_element: Option<u16>,
}

/// A row of the centre table as carried into one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CarriedRow {
    known: u32,
    year: i32,
}

impl CarriedRow {
    pub(crate) fn to_bits(self) -> u64 {
        (u64::from(self.known) << 32) | u64::from(self.year as u32)
    }

    pub(crate) fn from_bits(bits: u64) -> CarriedRow {
        CarriedRow {
            known: (bits >> 32) as u32,
            year: bits as u32 as i32,
        }
    }
}

impl CentreRows {
    fn pack(table: &BTreeMap<(String, i32), Value>, layout: &Layout) -> CentreRows {
        let Some(entity) = layout.entity("centre").and_then(|at| layout.entity_at(at)) else {
            return CentreRows::default();
        };
        let mut packed = CentreRows {
            year_element: entity.element("effective_year"),
            ..CentreRows::default()
        };
        packed.rows.width = entity.elements.len();
        for ((centre, year), row) in table {
            let at = packed.rows.count;
            pack_row(entity, row, &mut packed.rows, &mut packed.texts);
            packed.years.push(*year);
            packed.by_centre.entry(centre.clone()).or_insert(at..at).end = at + 1;
        }
        packed
    }

    /// Every row of the given centres and years, or of all centres, or of all years each centre is known for.
    /// Years are given as a closed range; without one, each centre's rows run from its first year to `through`.
    pub(crate) fn carried<'a>(
        &'a self,
        centre: Option<&'a str>,
        years: Option<(i32, i32)>,
        through: i32,
    ) -> impl Iterator<Item = CarriedRow> + 'a {
        let wanted = centre.map_or(Bound::Unbounded, Bound::Included);
        let ranges = self.by_centre.range::<str, _>((wanted, wanted));
        ranges.flat_map(move |(_, range)| {
            let known = self.years.get(range.clone()).unwrap_or_default();
            let first = known.first().copied().unwrap_or(i32::MAX);
            let latest = known.last().copied().unwrap_or(i32::MIN);
            let (from, to) = years.unwrap_or((first, through.max(latest)));
            let start = range.start;
            (from.max(first)..=to).map(move |year| {
                let position = known.partition_point(|other| *other <= year).saturating_sub(1);
                CarriedRow {
                    known: (start + position) as u32,
                    year,
                }
            })
        })
    }

    pub(crate) fn cell(&self, row: CarriedRow, element: u16) -> Cell<'_> {
        if Some(element) == self.year_element {
            return Cell::Number(f64::from(row.year));
        }
        self.texts
            .cell(self.rows.packed(row.known as usize, usize::from(element)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table() -> CentreTable {
        CentreTable::from_rows([
            json!({"centre_id": "C1", "effective_year": 2021, "annual_rps_volume": 30}),
            json!({"centre_id": "C1", "effective_year": 2018, "annual_rps_volume": 10}),
            json!({"centre_id": "C2", "effective_year": 2020, "annual_rps_volume": 5}),
        ])
        .unwrap()
    }

    #[test]
    fn the_last_known_row_is_carried_forward_and_nothing_backward() {
        let table = table();
        let volume = |centre, year| {
            table
                .row(centre, year)
                .map(|row| row["annual_rps_volume"].as_i64().unwrap())
        };
        assert_eq!(volume("C1", 2017), None);
        assert_eq!(volume("C1", 2018), Some(10));
        assert_eq!(volume("C1", 2020), Some(10));
        assert_eq!(volume("C1", 2021), Some(30));
        assert_eq!(volume("C1", 2040), Some(30));
        assert_eq!(volume("C2", 2019), None);
        assert_eq!(volume("C3", 2020), None);
    }

    #[test]
    fn a_row_is_refused_by_position_without_repeating_it() {
        let bad = |rows: Vec<Value>| CentreTable::from_rows(rows).unwrap_err();
        assert_eq!(
            bad(vec![json!({"effective_year": 2020})]),
            CentreTableError::NoCentre(0)
        );
        assert_eq!(
            bad(vec![json!({"centre_id": "C1", "effective_year": "2020"})]),
            CentreTableError::NoYear(0)
        );
        let row = json!({"centre_id": "C1", "effective_year": 2020});
        assert_eq!(bad(vec![row.clone(), row]), CentreTableError::Twice(1));
    }

    #[test]
    fn the_digest_depends_on_the_rows_only() {
        let other = CentreTable::from_rows([
            json!({"effective_year": 2020, "centre_id": "C2", "annual_rps_volume": 5}),
            json!({"centre_id": "C1", "effective_year": 2018, "annual_rps_volume": 10}),
            json!({"centre_id": "C1", "effective_year": 2021, "annual_rps_volume": 30}),
        ])
        .unwrap();
        assert_eq!(table().digest(), other.digest());
        assert_ne!(table().digest(), CentreTable::default().digest());
    }
}
