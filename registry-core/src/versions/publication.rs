//! Publishing a draft: what must hold before, and what the catalogue says after.

use chrono::NaiveDate;

use super::catalogue::{self, Catalogue, PublishedFile, number};
use super::checks;
use super::diff::{ChangeClass, SchemaDiff};
use super::store::{frozen_files, step};
use super::{CaseSchema, SchemaError, SchemaFiles, SchemaStore, Status};

/// Why a version cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The files of the folder do not fit together, or a published one has changed.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The catalogue does not list it.
    #[error("schema/catalog.toml lists no version {0}; add it with status = \"draft\"")]
    NotListed(String),
    /// It is published.
    #[error("version {0} is published and frozen; put the change into a new version")]
    Published(String),
    /// A later one is published.
    #[error("version {0} comes before {1}, which is published")]
    Behind(String, String),
    /// More than words has changed, and the number says otherwise.
    #[error(
        "{0} to {1} is more than other words ({2} additions, {3} breaking changes): the second number must rise"
    )]
    Number(String, String, usize, usize),
}

/// A version that can be published, or has just been.
#[derive(Debug)]
pub struct Publication {
    /// The schema with the version published.
    pub store: SchemaStore,
    /// What `catalog.toml` says then.
    pub catalogue: String,
    /// What is different from the version before; nothing for a first version.
    pub diff: Option<SchemaDiff>,
}

/// Makes a draft the active version with the highest number: its status, its day, and the digests of everything that is frozen
/// with it. Nothing is written.
///
/// # Errors
/// [`PublicationError`].
pub fn publish(files: &SchemaFiles, version: &str, day: NaiveDate) -> Result<Publication, PublicationError> {
    let store = SchemaStore::new(files.clone())?;
    let draft = store
        .case_schema(version)
        .ok_or_else(|| PublicationError::NotListed(version.to_owned()))?;
    if draft.status != Status::Draft {
        return Err(PublicationError::Published(version.to_owned()));
    }
    let diff = ready(&store, draft)?;
    let mut catalogue = store.catalogue().clone();
    for listed in catalogue
        .case_versions
        .iter_mut()
        .filter(|v| v.version == version)
    {
        listed.status = Status::Active;
        listed.published = Some(day.to_string());
    }
    let mut published: Vec<_> = store.case_schemas();
    published.retain(|schema| schema.status != Status::Draft || schema.version == version);
    for path in frozen_files(files, &published) {
        if catalogue.files.iter().all(|file| file.path != path) {
            let sha256 = files.sha256(&path).unwrap_or_default();
            catalogue.files.push(PublishedFile {
                path,
                version: None,
                sha256,
            });
        }
    }
    let text = catalogue.to_toml();
    let mut files = files.clone();
    files.replace(catalogue::PATH, text.clone().into_bytes());
    Ok(Publication {
        store: SchemaStore::new(files)?,
        catalogue: text,
        diff,
    })
}

/// Whether a draft could be published: what is different from the version before.
///
/// # Errors
/// [`PublicationError`].
pub fn ready(store: &SchemaStore, draft: &CaseSchema) -> Result<Option<SchemaDiff>, PublicationError> {
    let mut published = store.case_schemas();
    published.retain(|schema| schema.status != Status::Draft);
    let Some(before) = published.last() else {
        return Ok(None);
    };
    let (was, is) = (number(&before.version), number(&draft.version));
    if was >= is {
        return Err(PublicationError::Behind(
            draft.version.clone(),
            before.version.clone(),
        ));
    }
    step(before, draft)?;
    let Some(diff) = store.diff(&before.version, &draft.version) else {
        return Ok(None);
    };
    let minor = |number: Option<[u32; 3]>| number.map(|[major, minor, _]| [major, minor]);
    if diff.worst() > Some(ChangeClass::Cosmetic) && minor(was) == minor(is) {
        return Err(PublicationError::Number(
            before.version.clone(),
            draft.version.clone(),
            diff.count(ChangeClass::Addition),
            diff.count(ChangeClass::Breaking),
        ));
    }
    Ok(Some(diff))
}

/// Files of published case schemas and guidelines that are not what `published` says, and checks that are not while they have the version they
/// were published with, by path: edited although frozen.
pub fn edited(store: &SchemaStore, published: &SchemaStore) -> Vec<String> {
    let frozen = published.catalogue().files.iter();
    frozen
        .filter(|file| {
            let frozen = ["case/", "codelists/", "guideline/", "superseded/"];
            let version = checks::version_of(store.files(), &file.path);
            (version.is_some() && version == file.version)
                || frozen.iter().any(|folder| file.path.starts_with(folder))
        })
        .filter(|file| store.files().sha256(&file.path).as_deref() != Some(file.sha256.as_str()))
        .map(|file| file.path.clone())
        .collect()
}

impl Catalogue {
    /// The catalogue as a file: versions as listed, files by path.
    pub(crate) fn to_toml(&self) -> String {
        use std::fmt::Write as _;
        let mut text =
            "# What has been published and is frozen: a test recomputes every digest.\n".to_owned();
        // Writing to a string cannot fail.
        for version in &self.case_versions {
            let _ = writeln!(text, "\n[[case_version]]\nversion = \"{}\"", version.version);
            let _ = writeln!(text, "status = \"{}\"", version.status.as_str());
            for (key, day) in [
                ("published", &version.published),
                ("accepted_through", &version.accepted_through),
                ("retired", &version.retired),
            ] {
                if let Some(day) = day {
                    let _ = writeln!(text, "{key} = \"{day}\"");
                }
            }
        }
        for version in &self.guideline_versions {
            let _ = writeln!(
                text,
                "\n[[guideline_version]]\nguideline = \"{}\"",
                version.guideline
            );
            let _ = writeln!(text, "version = \"{}\"", version.version);
            let _ = writeln!(text, "status = \"{}\"", version.status.as_str());
            let _ = writeln!(text, "published = \"{}\"", version.published);
            if let Some(day) = &version.superseded {
                let _ = writeln!(text, "superseded = \"{day}\"");
            }
        }
        let mut files: Vec<&PublishedFile> = self.files.iter().collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for file in files {
            let _ = writeln!(text, "\n[[file]]\npath = \"{}\"", file.path);
            if let Some(version) = &file.version {
                let _ = writeln!(text, "version = \"{version}\"");
            }
            let _ = writeln!(text, "sha256 = \"{}\"", file.sha256);
        }
        text
    }
}
