//! What endpoints after the first read of one case: operations, lines, recurrences, imaging.

use super::facts::RecordedDate;
use registry_core::record::{Cell, Record, RowView};
use serde::{Deserialize, Serialize};

/// A metastasectomy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    #[serde(rename = "d")]
    pub date: RecordedDate,
    #[serde(rename = "s")]
    pub site: Option<String>,
    #[serde(rename = "c")]
    pub completeness: Option<String>,
    /// `all_disease_cleared` is true.
    #[serde(rename = "a")]
    pub cleared: bool,
}

/// A systemic line of the metastatic setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    #[serde(rename = "n")]
    pub number: Option<u32>,
    #[serde(rename = "d")]
    pub start: RecordedDate,
}

/// The dates of a case that endpoints count from or to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CourseFacts {
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// `progression.date` of recurrences after clearance.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub recurrences: Vec<RecordedDate>,
    /// `imaging.date`.
    #[serde(rename = "i", default, skip_serializing_if = "Vec::is_empty")]
    pub imaging: Vec<RecordedDate>,
}

impl CourseFacts {
    /// Reads the course of a record whose blocked cells are marked.
    pub fn read(record: &Record) -> Self {
        let is = |row: &RowView<'_>, element: &str, code: &str| row.get(element).as_text() == Some(code);
        let text = |cell: Cell<'_>| cell.as_text().map(str::to_owned);
        let date = |row: RowView<'_>| RecordedDate::of(&row.get("date"));
        Self {
            operations: record
                .rows("local_treatment")
                .filter(|row| is(row, "modality", "metastasectomy"))
                .map(|row| Operation {
                    date: date(row),
                    site: text(row.get("site")),
                    completeness: text(row.get("completeness")),
                    cleared: row.get("all_disease_cleared").as_boolean() == Some(true),
                })
                .collect(),
            lines: record
                .rows("systemic")
                .filter(|row| is(row, "setting", "metastatic"))
                .map(|row| Line {
                    number: row.get("line_number").as_number().map(|n| n as u32),
                    start: RecordedDate::of(&row.get("start_date")),
                })
                .collect(),
            recurrences: record
                .rows("progression")
                .filter(|row| is(row, "type", "recurrence_after_clearance"))
                .map(date)
                .collect(),
            imaging: record.rows("imaging").map(date).collect(),
        }
    }
}
