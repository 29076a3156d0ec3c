//! `catalog.toml`: which versions there are, and what is frozen.

use serde::{Deserialize, Serialize};

use super::{SchemaError, SchemaFiles};

/// Path of the catalogue below `schema/`.
pub(super) const PATH: &str = "catalog.toml";

/// The catalogue.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Versions of the case schema, as listed.
    #[serde(rename = "case_version", default)]
    pub case_versions: Vec<Version>,
    /// Frozen files.
    #[serde(rename = "file", default)]
    pub files: Vec<PublishedFile>,
}

/// One version of the case schema.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Semantic version, `1.0.0`.
    pub version: String,
    /// Where it is in its life.
    pub status: Status,
    /// Day of publication, `2026-11-23`; none for a draft.
    #[serde(default)]
    pub published: Option<String>,
    /// Last day a deprecated version is accepted, `2027-12-31`.
    #[serde(default)]
    pub accepted_through: Option<String>,
    /// Day of retirement.
    #[serde(default)]
    pub retired: Option<String>,
}

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Being written; may change, is not accepted for submissions.
    Draft,
    /// Accepted.
    Active,
    /// Accepted with a warning, about to be retired.
    Deprecated,
    /// No longer accepted; stored documents keep naming it.
    Retired,
}

impl Version {
    /// The days are days, and those of the status are there.
    fn dates(&self) -> Result<(), String> {
        let days = [&self.published, &self.accepted_through, &self.retired];
        if let Some(day) = days
            .into_iter()
            .flatten()
            .find(|day| day.parse::<chrono::NaiveDate>().is_err())
        {
            return Err(format!("version {}: `{day}` is no day", self.version));
        }
        let (deprecated, retired) = (self.status == Status::Deprecated, self.status == Status::Retired);
        if deprecated && self.accepted_through.is_none() {
            return Err(format!(
                "version {}: a deprecated version says through which day it is accepted",
                self.version
            ));
        }
        if self.retired.is_some() != retired {
            return Err(format!(
                "version {}: a retired version, and no other, has a day of retirement",
                self.version
            ));
        }
        Ok(())
    }
}

impl Status {
    /// As written in the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Active => "active",
            Status::Deprecated => "deprecated",
            Status::Retired => "retired",
        }
    }

    /// Whether a submission may name such a version.
    pub fn accepts_submissions(self) -> bool {
        matches!(self, Status::Active | Status::Deprecated)
    }
}

/// A frozen file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedFile {
    /// Path below `schema/`.
    pub path: String,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

impl Catalogue {
    pub(super) fn read(files: &SchemaFiles) -> Result<Self, SchemaError> {
        let catalogue: Catalogue = files.toml(PATH)?;
        for (i, version) in catalogue.case_versions.iter().enumerate() {
            let name = &version.version;
            if number(name).is_none() {
                return Err(SchemaError::Catalogue(format!(
                    "`{name}` is not a version of the form 1.0.0"
                )));
            }
            if catalogue.case_versions[..i].iter().any(|v| v.version == *name) {
                return Err(SchemaError::Catalogue(format!("version {name} is listed twice")));
            }
            if (version.status == Status::Draft) == version.published.is_some() {
                return Err(SchemaError::Catalogue(format!(
                    "version {name}: a draft has no day of publication, every other version has one"
                )));
            }
            version.dates().map_err(SchemaError::Catalogue)?;
        }
        Ok(catalogue)
    }

    /// The active version with the highest number.
    pub(super) fn current(&self) -> Option<&Version> {
        self.case_versions
            .iter()
            .filter(|v| v.status == Status::Active)
            .max_by_key(|v| number(&v.version))
    }

    /// Checks that every frozen file is what was published, and that every file in `frozen` is listed.
    pub(super) fn verify<'a>(
        &self,
        files: &SchemaFiles,
        frozen: impl Iterator<Item = &'a str>,
    ) -> Result<(), SchemaError> {
        for file in &self.files {
            let actual = files
                .sha256(&file.path)
                .ok_or_else(|| SchemaError::NoFile(file.path.clone()))?;
            if actual != file.sha256 {
                return Err(SchemaError::Changed {
                    path: file.path.clone(),
                    listed: file.sha256.clone(),
                    actual,
                });
            }
        }
        for path in frozen {
            if !self.files.iter().any(|f| f.path == path) {
                return Err(SchemaError::Unlisted {
                    path: path.to_owned(),
                    actual: files.sha256(path).unwrap_or_default(),
                });
            }
        }
        Ok(())
    }
}

/// Major, minor, patch.
pub(super) fn number(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.').map(|part| {
        let plain = part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
        plain.then(|| part.parse().ok()).flatten()
    });
    let number = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(number)
}
