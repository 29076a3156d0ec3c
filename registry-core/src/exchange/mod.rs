//! A case as flat files and back: the CSV bundle (one tidy file per entity) and REDCap's flat export.
//!
//! Columns follow from the dictionary alone, so an element added to a schema version is exported and imported without a
//! change here. What is written reads back as the same document, byte for byte in its canonical spelling, except that a
//! JSON null is a missing leaf. A leaf that a column cannot hold is an error, never left out.

mod branching;
mod bundle;
mod cells;
mod columns;
mod complaint;
mod mapping;
mod rebuilt;
mod redcap;
mod redcap_dictionary;
mod redcap_table;
mod sheet;

pub use bundle::{BundleReader, BundleWriter, WriteError};
pub use cells::Unrepresentable;
pub use columns::{Column, Layout, Part, Section, Style};
pub use complaint::{Complaint, Place};
pub use mapping::{Mapping, MappingProblems};
pub use rebuilt::Rebuilt;
pub use redcap::{RedcapReader, RedcapWriter};
pub use redcap_dictionary::redcap_dictionary;
pub use redcap_table::{RedcapFormat, RedcapTable};

/// Column of the case's key in every file of a bundle: the pseudonym.
pub const KEY: &str = "patient_id";
/// Column of a row's number within its case and entity, from 1.
pub const ROW: &str = "row";
/// Column that names the sections a case sends as empty lists, separated by blanks.
pub const EMPTY_SECTIONS: &str = "sections__empty";
/// Column that says which version of the case a row was taken from; an import replaces no other.
pub const CASE_VERSION: &str = "case__version";
/// Column that says where the case was in its life; a draft comes back as a draft.
pub const CASE_STATUS: &str = "case__status";
/// The columns of the envelope's file that are no elements, in order.
pub(crate) const ABOUT_THE_CASE: [&str; 3] = [EMPTY_SECTIONS, CASE_VERSION, CASE_STATUS];

/// Where a document keeps its key: the same place the address of a case is checked against.
pub(crate) const KEY_ENTITY: &str = "patient";
pub(crate) const KEY_ELEMENT: &str = "pseudonym_id";
/// The key of a document that is no entity.
pub(crate) const VERSION: &str = "schema_version";

/// A case to be written.
#[derive(Debug, Clone, Copy)]
pub struct FlatCase<'a> {
    /// The body as submitted.
    pub document: &'a serde_json::Value,
    /// What the service keeps around it, by the names of the dictionary's envelope; not read back, but for `version` and `status`, which
    /// are the case's own.
    pub envelope: &'a serde_json::Value,
    /// The centre that holds it, REDCap's data access group.
    pub centre: &'a str,
}
