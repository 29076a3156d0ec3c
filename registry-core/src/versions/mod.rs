//! Everything under `schema/`, in memory: the catalogue of case schema versions, code lists, value set H, and the files of
//! checks and guidelines as text.
//!
//! A published file is frozen: its SHA-256 stands in `catalog.toml` and loading refuses a file that no longer has it. A check that changes gets
//! a version of its own, and the text it had stays.

mod adjudication;
mod case_schema;
mod catalogue;
mod checks;
mod compare;
mod diff;
mod error;
mod files;
mod histology;
mod limits;
mod publication;
mod store;
mod upgrade;

pub use crate::dictionary::{Code, CodeList};
pub use adjudication::{Adjudication, DECISIONS};
pub use case_schema::CaseSchema;
pub(crate) use catalogue::PATH as CATALOGUE;
pub use catalogue::{Catalogue, GuidelineVersion, PublishedFile, Status, Version, number};
pub use checks::SupersededCheck;
pub use diff::{Change, ChangeClass, SchemaDiff};
pub use error::SchemaError;
pub use files::SchemaFiles;
pub use histology::{Certainty, EligibilityClass, HistologyEntry, HistologyTable, Otherwise, Trigger};
pub use publication::{Publication, PublicationError, edited, publish, ready};
pub use store::SchemaStore;
pub(crate) use store::guideline_files;
pub use upgrade::{Recode, Rename, Split, Upgrade};
