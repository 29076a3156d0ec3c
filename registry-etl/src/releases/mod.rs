//! Releases: a run frozen as tidy CSV files with dictionary, code lists and manifest, in one zip.
//!
//! * One file per entity; `patient_id` and, where an entity repeats, `row` (position in the record, from 1) are its key.
//! * What stands in a file is decided by `schema/visibility.toml` through the dictionary: `open` as recorded, `shifted_date` as days
//!   from metastatic diagnosis (`<name>_day_min`, `<name>_day_max`, `<name>__precision`), everything else withheld and listed in
//!   the manifest with the reason. Free text never leaves; keys within a record are replaced.
//! * `<name>__absent` holds the reason why there is no value; empty value and empty reason: nobody has answered.
//! * `<name>__label` stands beside every code of a case and holds its words; levels, outcomes and reasons of results have theirs in `codelists.csv`.
//! * A set of codes is a column a code (`<name>___<code>`, TRUE or FALSE), and in `multiselect.csv` a row a code that is chosen.
//! * `cases.csv` has one row a case, ready for analysis: the disease, treatment counted, overall survival. It has a column only where every
//!   element the column rests on may leave.
//! * One file per survival endpoint (`survival_s1.csv`, `survival_s4_lung.csv`): the rows its estimate rests on, from the cohort of the
//!   results; `survival_estimates.csv` has the estimates of these rows, `reproduce.R` recomputes them with R's `survival`.
//! * Only cases with `consent.research_reuse = true`, and none withdrawn since the run.
//! * A patient's centre is the one that held the case at the metastatic diagnosis, as the run knows it.
//! * Patients and centres carry pseudonyms of this release: keyed hashes, the same patient under one key, unlinkable between keys.
//! * The bundle of an approved data request holds what was approved and the keys, under pseudonyms of its own, with ages and calendar years in
//!   bands and groups of patients as large as `schema/releases/deidentification.toml` wants them.
//! * `parquet/<name>.parquet` is every table once more, typed as `dictionary.csv` says.
//! * The manifest tells how many cases are left out for which reason and how many changed since the release before; too few are not told.
//! * `datapackage.json` describes the tables to any tool that reads Frictionless Data Packages, from `dictionary.csv` as it is in the bundle;
//!   `CITATION.cff` says how to cite them.
//! * UTF-8 without byte order mark, comma, RFC 4180, rows sorted by key, TRUE and FALSE, no time of making: built again from
//!   the same run with the same key, the bundle is the same byte for byte.

mod accounting;
mod analysis;
mod archive;
mod bundle;
mod case_columns;
mod cases;
mod code_lists;
mod columns;
mod deidentify;
mod described;
mod eligible;
mod endpoints;
mod entities;
mod estimates;
mod excel;
mod fictitious;
mod k_anonymity;
mod manifest;
mod multiselect;
mod offer;
mod package;
mod parquet;
mod projection;
mod pseudonyms;
mod reference_tables;
#[cfg_attr(
    not(feature = "benches"),
    expect(unreachable_pub, reason = "a bench writes rows, too")
)]
mod rows;
mod spool;
mod table;

pub use accounting::{Accounting, Changes, LeftOutCases, Outline};
pub use bundle::{Built, build, freeze};
pub use cases::CASES;
pub use deidentify::check;
pub use excel::Excel;
pub use fictitious::{FICTITIOUS, fictitious};
pub use k_anonymity::KAnonymity;
pub use manifest::{FORMAT, FileEntry, Manifest, ManifestOutline, Withheld, told_cases};
pub use multiselect::MULTISELECT;
pub use offer::{Offer, OfferedElement, OfferedEntity, offer};
pub use projection::{Approved, RequestNotes, quasi_identifiers, unanswerable};
pub use pseudonyms::{ReleaseKey, RequestToken};
#[cfg(feature = "benches")]
pub use table::written;

use crate::cohorts::DefinitionError;
use crate::measures::{EngineError, PayloadError};
use crate::statistics::StatisticsError;
use ::parquet::errors::ParquetError;
use registry_core::storage::StoreError;
use std::io;
use std::path::PathBuf;
use zip::result::ZipError;

/// What to freeze.
#[derive(Debug, Clone)]
pub struct ReleaseOptions {
    /// Stable id, `2026-2`.
    pub release_id: String,
    pub title: String,
    /// Makes the pseudonyms. The same key in two releases keeps patients linkable; another key does not.
    pub key: ReleaseKey,
    /// The data request the bundle is for; a release as a whole is for nobody in particular.
    pub approved: Option<Approved>,
    /// What was counted when the release was frozen. [`freeze`] counts; a bundle built again has what was kept.
    pub accounting: Option<Accounting>,
    /// Synthetic cases, not patients: title, README, manifest and citation say so.
    pub fictitious: bool,
    /// Folder of the temporary file that the tables grow in; it has no name there and is gone with the bundle made, failed or killed.
    pub spool: PathBuf,
}

/// A release cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Endpoints(#[from] DefinitionError),
    #[error("an endpoint cannot be estimated")]
    Statistics(#[from] StatisticsError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error("run {0} has no results yet: only a finished run can be frozen")]
    NotFinished(i64),
    #[error("schema/endpoints has no endpoint {0}, which cases.csv rests on")]
    NoEndpoint(&'static str),
    #[error("a case was transferred while the bundle was built; build it again")]
    Transferred,
    #[error("case schema version {0} is not known to this program")]
    SchemaVersion(String),
    #[error("schema/releases/deidentification.toml: {0}")]
    Deidentification(String),
    #[error("{0}: the dictionary does not explain the column {1}")]
    Unexplained(String, String),
    #[error("{0}: a field of the column {1} is not of the type the dictionary gives it")]
    OtherType(String, String),
    #[error("a table cannot be written as Parquet")]
    Parquet(#[source] ParquetError),
    #[error("the registry of the fictitious release cannot be run: {0}")]
    Fictitious(String),
    #[error("the bundle cannot be written")]
    Write(#[source] io::Error),
    #[error(
        "no space is left for the bundle, or for the temporary file it is made in; nothing of it is kept"
    )]
    Full,
    #[error("a table cannot be written")]
    Csv(#[source] csv::Error),
    #[error("a row of {0} fields cannot be written into a table of {1} columns")]
    Fields(usize, usize),
    #[error("the zip archive cannot be written")]
    Zip(#[source] ZipError),
    #[error("the manifest cannot be written")]
    Manifest(#[from] serde_json::Error),
}

/// Whether a full disk is behind the error.
fn full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl From<io::Error> for ReleaseError {
    fn from(error: io::Error) -> Self {
        match full(&error) {
            true => ReleaseError::Full,
            false => ReleaseError::Write(error),
        }
    }
}

impl From<csv::Error> for ReleaseError {
    fn from(error: csv::Error) -> Self {
        match error.kind() {
            csv::ErrorKind::Io(behind) if full(behind) => ReleaseError::Full,
            _ => ReleaseError::Csv(error),
        }
    }
}

impl From<ZipError> for ReleaseError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(behind) => behind.into(),
            other => ReleaseError::Zip(other),
        }
    }
}

impl From<ParquetError> for ReleaseError {
    fn from(error: ParquetError) -> Self {
        let behind = match &error {
            ParquetError::External(behind) => behind.downcast_ref::<io::Error>(),
            _ => None,
        };
        match behind.is_some_and(full) {
            true => ReleaseError::Full,
            false => ReleaseError::Parquet(error),
        }
    }
}
