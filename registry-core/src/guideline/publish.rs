//! Putting a draft of a guideline in force: what must hold before, and what the files say after.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Deserialize;
use toml::Spanned;

use super::patients::{PatientsError, TestPatients};
use super::{Guideline, GuidelineStatus};
use crate::record::{Layout, LayoutError};
use crate::rules::RuleErrors;
use crate::versions::{
    CATALOGUE, GuidelineVersion, PublishedFile, SchemaError, SchemaFiles, SchemaStore, guideline_files,
    number,
};

/// Why a version cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// The files of the folder do not fit together, or a published one has changed.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// There is no such folder.
    #[error("there is no version {0} of a guideline")]
    NoVersion(String),
    /// It was published before.
    #[error("version {0} is published and frozen; put the change into a new version")]
    Published(String),
    /// Its own file says something else than its place and its state.
    #[error(
        "guideline/{0}/guideline.toml: it must say version = \"{1}\", the guideline of its folder and status = \"draft\""
    )]
    NotADraft(String, String),
    /// A later one is published.
    #[error("version {0} comes before {1}, which is published")]
    Behind(String, String),
    /// The case schema lacks what rules rest on.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// It does not compile.
    #[error("version {0} does not compile:\n{1}")]
    Rules(String, RuleErrors),
    /// Its test patients cannot be read.
    #[error(transparent)]
    Patients(#[from] PatientsError),
    /// Its test patients are judged otherwise than they expect, or say too little.
    #[error("the test patients of version {0} do not hold (registry rules test):\n{1}")]
    Untested(String, String),
}

/// A version that has just been put in force; nothing is written.
#[derive(Debug)]
pub struct Publication {
    /// The schema with the version in force.
    pub store: SchemaStore,
    /// Paths below `schema/` with their new texts.
    pub edits: [(String, String); 2],
    /// The version that was in force before.
    pub superseded: Option<String>,
}

/// As far as `guideline.toml` is looked at here.
#[derive(Deserialize)]
struct Head {
    id: String,
    version: String,
    status: Spanned<String>,
}

/// Puts the draft of a version in force: it is active from `day` on and frozen with its digests, the version before is superseded.
/// Nothing is written.
///
/// # Errors
/// [`PublicationError`].
pub fn publish(files: &SchemaFiles, version: &str, day: NaiveDate) -> Result<Publication, PublicationError> {
    let store = SchemaStore::new(files.clone())?;
    let nothing = || PublicationError::NoVersion(version.to_owned());
    let folders = Guideline::folders(&store);
    let of_version = |folder: &&String| folder.rsplit_once('/').is_some_and(|(_, of)| of == version);
    let folder = folders.iter().find(of_version).ok_or_else(nothing)?;
    let (id, _) = folder.split_once('/').ok_or_else(nothing)?;
    let mut catalogue = store.catalogue().clone();
    if catalogue.guideline(folder).is_some() {
        return Err(PublicationError::Published(version.to_owned()));
    }
    let path = format!("guideline/{folder}/guideline.toml");
    let head: Head = files.toml(&path)?;
    let draft = head.status.get_ref() == GuidelineStatus::Draft.as_str();
    if !draft || head.id != id || head.version != version {
        return Err(PublicationError::NotADraft(folder.clone(), version.to_owned()));
    }
    let published = catalogue.guideline_versions.iter().filter(|v| v.guideline == id);
    let newest = published.max_by_key(|v| number(&v.version));
    if let Some(newest) = newest.filter(|newest| number(&newest.version) >= number(version)) {
        return Err(PublicationError::Behind(
            version.to_owned(),
            newest.version.clone(),
        ));
    }
    holds(&store, folder, version)?;

    let mut text = files.text(&path)?.to_owned();
    text.replace_range(head.status.span(), "\"active\"");
    let mut files = files.clone();
    files.replace(&path, text.clone().into_bytes());
    let mut superseded = None;
    for before in &mut catalogue.guideline_versions {
        if before.guideline == id && before.status == GuidelineStatus::Active {
            before.status = GuidelineStatus::Superseded;
            before.superseded = Some(day.to_string());
            superseded = Some(before.version.clone());
        }
    }
    catalogue.guideline_versions.push(GuidelineVersion {
        guideline: id.to_owned(),
        version: version.to_owned(),
        status: GuidelineStatus::Active,
        published: day.to_string(),
        superseded: None,
    });
    for path in guideline_files(&files, folder) {
        let sha256 = files.sha256(&path).unwrap_or_default();
        catalogue.files.push(PublishedFile {
            path,
            version: None,
            sha256,
        });
    }
    let listed = catalogue.to_toml();
    files.replace(CATALOGUE, listed.clone().into_bytes());
    Ok(Publication {
        store: SchemaStore::new(files)?,
        edits: [(path, text), (CATALOGUE.to_owned(), listed)],
        superseded,
    })
}

/// It compiles, its test patients are judged as they expect, and they expect every outcome that can occur.
fn holds(store: &SchemaStore, folder: &str, version: &str) -> Result<(), PublicationError> {
    let layout = Arc::new(Layout::of(&store.current().dictionary)?);
    let guideline = Guideline::of(store, folder, &layout);
    let guideline = guideline.map_err(|errors| PublicationError::Rules(version.to_owned(), errors))?;
    let all = TestPatients::of(store, &guideline)?;
    let differ = all.patients.iter().filter_map(|patient| {
        let judged = patient.judged(&guideline, &all.centres);
        let judged_as = |judged: &super::patients::Expected| judged.to_string();
        (judged.as_ref() != Some(&patient.expected)).then(|| {
            format!(
                "{}: expected {}, judged {}",
                patient.id,
                patient.expected,
                judged.as_ref().map_or_else(|| "not at all".to_owned(), judged_as)
            )
        })
    });
    let lacking = all.lacking(&guideline).into_iter();
    let lacking =
        lacking.map(|(measure, outcome)| format!("measure {measure}: no patient is {}", outcome.as_str()));
    let wrong: Vec<String> = differ.chain(lacking).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(PublicationError::Untested(version.to_owned(), wrong.join("\n")))
}
