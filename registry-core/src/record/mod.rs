//! One case as the rules see it: entities, rows, cells. Names are resolved to positions once ([`Layout`]);
//! a cell is a value, an absence code, missing, or blocked by an error edit. Nothing here maps "missing" to "no".

mod absence;
mod cell;
mod centres;
mod date;
mod layout;
mod names;
mod read;

pub use absence::Absence;
pub use cell::{Cell, CellRef, TextSet};
pub(crate) use cell::{Rows, Span};
pub(crate) use centres::{CarriedRow, CentreRows};
pub use centres::{CentreTable, CentreTableError};
pub use date::{PartialDate, day_number, day_of};
pub use layout::{ElementLayout, ElementSpec, EntityLayout, EntitySpec, Kind, Layout, LayoutError};
pub(crate) use names::leading;
pub use read::{Record, RowView, Sections};
