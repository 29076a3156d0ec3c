//! Edit checks are versioned one by one. The catalogue lists the file of a check with its version; a changed check has a higher one, and the text
//! published before stays, as `superseded/checks/<id>-<version>.toml`, listed and frozen as well.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Catalogue, SchemaError, SchemaFiles};

/// Folder of the checks in force, and of the texts they had before.
const IN_FORCE: &str = "checks/";
const SUPERSEDED: &str = "superseded/checks/";

/// What is said of an edited check besides.
pub(super) const HOW: &str = "; a check that changes gets a higher `version`, and the text published before stays as \
    superseded/checks/<id>-<version>.toml, both listed with version and sha256";

/// A text of a check that was published and has been replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupersededCheck<'a> {
    /// `1.0`.
    pub version: String,
    /// The file as published, TOML.
    pub text: &'a str,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    version: String,
}

/// Major and minor number.
type Number = (u32, u32);

fn number(version: &str) -> Option<Number> {
    let (major, minor) = version.split_once('.')?;
    let part = |text: &str| text.parse().ok().filter(|n: &u32| n.to_string() == text);
    Some((part(major)?, part(minor)?))
}

/// Whether a file below `schema/` is the text of a check, in force or not.
pub(super) fn is_check(path: &str) -> bool {
    let name = path.strip_prefix(IN_FORCE).or(path.strip_prefix(SUPERSEDED));
    name.is_some_and(|name| name.starts_with("E-") || name.starts_with("R-"))
}

/// The version a check's file gives itself; `None` for other files, and for one that gives none.
pub(super) fn version_of(files: &SchemaFiles, path: &str) -> Option<String> {
    let head = is_check(path).then(|| files.toml::<Head>(path).ok()).flatten();
    head.map(|head| head.version)
}

/// Texts a check had before, oldest first.
pub(super) fn superseded<'a>(files: &'a SchemaFiles, id: &str) -> Vec<SupersededCheck<'a>> {
    let prefix = format!("{SUPERSEDED}{id}-");
    let mut found: Vec<(Number, SupersededCheck<'a>)> = files
        .below(SUPERSEDED)
        .filter_map(|path| {
            let version = path.strip_prefix(&prefix)?.strip_suffix(".toml")?;
            let version = version.to_owned();
            let text = files.text(path).ok()?;
            Some((number(&version)?, SupersededCheck { version, text }))
        })
        .collect();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, check)| check).collect()
}

impl Catalogue {
    /// Checks that every listed check has the version it is listed with, and that what was published before it is kept: of 1.2 there are
    /// 1.0 and 1.1.
    pub(super) fn verify_checks(&self, files: &SchemaFiles) -> Result<(), SchemaError> {
        let wrong = |path: &str, why: &str| Err(SchemaError::Catalogue(format!("{path}: {why}{HOW}")));
        let listed: BTreeMap<&str, &Option<String>> = self
            .files
            .iter()
            .map(|file| (file.path.as_str(), &file.version))
            .collect();
        let mut known: BTreeMap<String, BTreeSet<Number>> = BTreeMap::new();
        let mut last: BTreeMap<String, Number> = BTreeMap::new();
        for (path, version) in listed.iter().filter(|(path, _)| is_check(path)) {
            let head: Head = files.toml(path)?;
            // A catalogue from before checks were listed with their versions has none.
            if version.as_ref().is_some_and(|version| *version != head.version) {
                return wrong(path, "the file does not have the version it is listed with");
            }
            let Some(number) = number(&head.version) else {
                return wrong(path, "its version is not of the form 1.0");
            };
            let name = match path.strip_prefix(SUPERSEDED) {
                Some(name) => name == format!("{}-{}.toml", head.id, head.version),
                None => {
                    last.insert(head.id.clone(), number);
                    *path == format!("{IN_FORCE}{}.toml", head.id)
                }
            };
            if !name {
                return wrong(path, "it is not named by its id and version");
            }
            known.entry(head.id).or_default().insert(number);
        }
        if let Some(path) = files.below(SUPERSEDED).find(|path| !listed.contains_key(path)) {
            return wrong(path, "it is not listed");
        }
        for (id, versions) in &known {
            let before = |(major, minor): Number| match (major, minor) {
                (1, 0) => true,
                (_, 0) => versions.iter().any(|(other, _)| other + 1 == major),
                _ => versions.contains(&(major, minor - 1)),
            };
            if !versions.iter().all(|number| before(*number)) {
                return wrong(id, "a version published before is not kept");
            }
            if last.get(id).is_some_and(|last| versions.last() != Some(last)) {
                return wrong(id, "the check in force is not the highest version");
            }
        }
        Ok(())
    }
}
