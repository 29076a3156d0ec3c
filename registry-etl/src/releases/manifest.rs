//! `manifest.json`: what a bundle is and holds.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::accounting::{Accounting, Outline};
use super::k_anonymity::KAnonymity;
use super::projection::RequestNotes;
use super::table::FinishedTable;
use crate::disclosure::{Thresholds, told_since};

/// The form of a bundle: what it holds and how. Another form is another name.
pub const FORMAT: &str = "rps-registry-release/6";

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FileEntry {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// SHA-256 (hexadecimal) of the file as it is in the bundle.
    pub sha256: String,
    pub columns: Vec<String>,
}

/// An element that a release does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = WithheldElement)]
pub struct Withheld {
    pub entity: String,
    pub element: String,
    pub visibility: String,
    pub reason: String,
}

/// What a release is and holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Manifest {
    /// Format of the bundle.
    pub format: String,
    pub release: String,
    pub title: String,
    /// True where a generator made the cases: no patient is behind any row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fictitious: bool,
    /// The run it freezes.
    pub run: i64,
    pub cut_off: String,
    /// Number of the last change the run has seen: how busy the registry is, for the coordinating office alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<i64>,
    /// Schema, guideline and engine versions and digests, as the run keeps them.
    pub versions: Value,
    /// Version of the program that wrote the bundle.
    #[serde(default)]
    pub program: String,
    /// Which cases are in it.
    pub filters: Vec<String>,
    pub cases: u64,
    /// Of a whole release: how small the groups are that share their quasi-identifiers. Measured, nothing made larger; that of a request's bundle
    /// stands with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k_anonymity: Option<KAnonymity>,
    /// Cases around the release; counted when it was frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounting: Option<Accounting>,
    pub files: Vec<FileEntry>,
    pub withheld: Vec<Withheld>,
    /// The data request the bundle is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestNotes>,
}

impl Manifest {
    /// What is told before anything is approved: which files and columns there are, what is withheld, what it rests on. Rows, bytes and digests of a
    /// table are not told: between two releases they tell of the patient who came in between.
    /// `cases_about` and `around`: what is told of its cases ([`told_cases`]), and of those around it.
    pub fn outline(&self, cases_about: Option<u64>, around: Option<Outline>) -> ManifestOutline {
        let files = self.files.iter().map(|file| FileOutline {
            name: file.name.clone(),
            columns: file.columns.clone(),
        });
        ManifestOutline {
            format: self.format.clone(),
            release: self.release.clone(),
            title: self.title.clone(),
            run: self.run,
            cut_off: self.cut_off.clone(),
            versions: self.versions.clone(),
            program: self.program.clone(),
            filters: self.filters.clone(),
            cases_about,
            files: files.collect(),
            withheld: self.withheld.clone(),
            accounting: around,
        }
    }
}

/// What is told of a release before anything is approved.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ManifestOutline {
    format: String,
    release: String,
    title: String,
    run: i64,
    cut_off: String,
    versions: Value,
    program: String,
    filters: Vec<String>,
    /// The number of cases in steps, as the releases before it told it until it has moved by many; none: too few to be told.
    cases_about: Option<u64>,
    files: Vec<FileOutline>,
    withheld: Vec<Withheld>,
    /// Cases around the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounting: Option<Outline>,
}

/// A file of a release without what it tells of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
struct FileOutline {
    name: String,
    columns: Vec<String>,
}

/// The numbers of cases of all releases, oldest first, as they are told to those who have none of them: one patient more or less makes no
/// difference ([`told_since`]).
pub fn told_cases(cases: impl IntoIterator<Item = u64>, thresholds: &Thresholds) -> Vec<Option<u64>> {
    let mut last = None;
    let told = cases.into_iter().map(|cases| {
        let told = told_since(cases, last, thresholds);
        last = Some(told);
        told
    });
    told.collect()
}

impl From<&FinishedTable> for FileEntry {
    fn from(file: &FinishedTable) -> Self {
        Self {
            name: file.name.clone(),
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            columns: file.columns.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_patient_less_is_not_told_by_the_number_of_cases() {
        // Threshold 11: 1170 is told as 1170 to 1179, and stays until it is 1159 or 1190.
        let told = told_cases([1170, 1169, 1160, 1159, 1165, 1180], &Thresholds::default());
        assert_eq!(
            told,
            [
                Some(1170),
                Some(1170),
                Some(1170),
                Some(1150),
                Some(1150),
                Some(1180)
            ]
        );
        assert_eq!(told_cases([10, 11], &Thresholds::default()), [None, None]);
    }
}
