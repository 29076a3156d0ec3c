//! `catalog.toml`: which versions there are, and what is frozen.

use serde::{Deserialize, Serialize};

use super::{SchemaError, SchemaFiles};
use crate::guideline::GuidelineStatus;

/// Path of the catalogue below `schema/`.
pub(crate) const PATH: &str = "catalog.toml";

/// The catalogue.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Versions of the case schema, as listed.
    #[serde(rename = "case_version", default)]
    pub case_versions: Vec<Version>,
    /// Published versions of guidelines; what is not listed is being written.
    #[serde(rename = "guideline_version", default)]
    pub guideline_versions: Vec<GuidelineVersion>,
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

/// One published version of a guideline. Its status stands here and not in its own files, which are frozen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GuidelineVersion {
    /// Id of the guideline.
    pub guideline: String,
    /// Semantic version, `1.1.0`.
    pub version: String,
    /// Active or superseded.
    pub status: GuidelineStatus,
    /// Day of publication, `2026-11-23`.
    pub published: String,
    /// Day from which another version was in force.
    #[serde(default)]
    pub superseded: Option<String>,
}

impl GuidelineVersion {
    /// Its folder below `guideline/`.
    pub fn folder(&self) -> String {
        format!("{}/{}", self.guideline, self.version)
    }

    fn check(&self) -> Result<(), String> {
        let name = self.folder();
        if number(&self.version).is_none() {
            return Err(format!("`{}` is not a version of the form 1.0.0", self.version));
        }
        if self.status == GuidelineStatus::Draft {
            return Err(format!("guideline {name}: a draft is not listed"));
        }
        if self.superseded.is_some() != (self.status == GuidelineStatus::Superseded) {
            return Err(format!(
                "guideline {name}: a superseded version, and no other, has the day it was superseded"
            ));
        }
        let mut days = [Some(&self.published), self.superseded.as_ref()]
            .into_iter()
            .flatten();
        match days.find(|day| day.parse::<chrono::NaiveDate>().is_err()) {
            Some(day) => Err(format!("guideline {name}: `{day}` is no day")),
            None => Ok(()),
        }
    }
}

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, utoipa::ToSchema)]
#[schema(as = SchemaStatus)]
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
    /// Version of an edit check, `1.0`; other files have none.
    #[serde(default)]
    pub version: Option<String>,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

/// What `guideline.toml` says of its own life.
#[derive(Deserialize)]
struct GuidelineHead {
    status: String,
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
        for (i, version) in catalogue.guideline_versions.iter().enumerate() {
            version.check().map_err(SchemaError::Catalogue)?;
            let active = |v: &GuidelineVersion| v.status == GuidelineStatus::Active;
            let clash = |v: &&GuidelineVersion| {
                v.guideline == version.guideline
                    && (v.version == version.version || (active(v) && active(version)))
            };
            if let Some(other) = catalogue.guideline_versions[..i].iter().find(clash) {
                return Err(SchemaError::Catalogue(format!(
                    "guideline {} and {}: one version is listed twice, or two are active",
                    other.folder(),
                    version.folder()
                )));
            }
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

    /// The published guideline version of a folder below `guideline/`; `None` for one that is being written.
    pub fn guideline(&self, folder: &str) -> Option<&GuidelineVersion> {
        self.guideline_versions.iter().find(|v| v.folder() == folder)
    }

    /// Folder of the guideline version in force; the first in order when several guidelines have one.
    pub fn guideline_in_force(&self) -> Option<String> {
        let active = self.guideline_versions.iter();
        let active = active.filter(|v| v.status == GuidelineStatus::Active);
        active.map(GuidelineVersion::folder).min()
    }

    /// Checks that what the guidelines say of themselves and what is listed agree: a version that calls itself active is listed, a listed one
    /// is there and does not call itself a draft.
    pub(super) fn verify_guidelines(&self, files: &SchemaFiles) -> Result<(), SchemaError> {
        for listed in &self.guideline_versions {
            let path = format!("guideline/{}/guideline.toml", listed.folder());
            if files.bytes(&path).is_none() {
                return Err(SchemaError::NoFile(path));
            }
        }
        for path in files.below("guideline/") {
            let folder = path.strip_prefix("guideline/");
            let Some(folder) = folder.and_then(|path| path.strip_suffix("/guideline.toml")) else {
                continue;
            };
            // One that does not read is refused with line and column when it is compiled.
            let says = files.toml::<GuidelineHead>(path).map(|head| head.status);
            let says = says.unwrap_or_default();
            let wrong = match self.guideline(folder) {
                None if says == GuidelineStatus::Active.as_str() => {
                    "says that it is active and is not listed here: it comes into force by `registry rules publish`"
                }
                Some(_) if says == GuidelineStatus::Draft.as_str() => {
                    "is listed here as published and says that it is a draft"
                }
                _ => continue,
            };
            return Err(SchemaError::Catalogue(format!("guideline {folder} {wrong}")));
        }
        Ok(())
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

/// Major, minor, patch; `None` for what is not written as `1.0.0`.
pub fn number(version: &str) -> Option<[u32; 3]> {
    let mut parts = version.split('.').map(|part| {
        let plain = part.bytes().all(|b| b.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
        plain.then(|| part.parse().ok()).flatten()
    });
    let number = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(number)
}
