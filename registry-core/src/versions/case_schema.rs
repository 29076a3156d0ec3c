//! One version of the case schema: its files and its dictionary.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::Value;

use super::catalogue::Version;
use super::{SchemaError, SchemaFiles, Status, Upgrade};
use crate::dictionary::{CodeList, Dictionary, EntityFile};

/// The step from the version before, in the folder of a version.
const UPGRADE: &str = "upgrade.toml";

/// One version of the case schema.
#[derive(Debug)]
pub struct CaseSchema {
    /// Semantic version.
    pub version: String,
    /// Where it is in its life.
    pub status: Status,
    /// Day of publication, as the catalogue gives it.
    pub published: Option<String>,
    /// Last day a deprecated version is accepted.
    pub accepted_through: Option<String>,
    /// Day it was retired.
    pub retired: Option<String>,
    /// The step from the version before, where the version has one.
    pub upgrade: Option<Upgrade>,
    /// Its entities and elements.
    pub dictionary: Arc<Dictionary>,
    /// The root schema, `case.schema.json`.
    pub root: Value,
    /// All schema documents of the version by file name (`imaging.schema.json`), the root and `common` included.
    pub documents: BTreeMap<String, Value>,
}

impl CaseSchema {
    /// Whether a deprecated version's last day has not passed; of every other one that it may be sent.
    pub fn accepted_on(&self, day: NaiveDate) -> bool {
        let last = self
            .accepted_through
            .as_deref()
            .filter(|_| self.status == Status::Deprecated);
        // The catalogue is read only with days that exist.
        last.and_then(|last| last.parse::<NaiveDate>().ok())
            .is_none_or(|last| day <= last)
    }

    /// `$id` of a document of a version: the root has the bare name, every other its own name appended.
    fn identifier(version: &str, file: &str) -> String {
        match file.strip_suffix(".schema.json") {
            Some("case") | None => format!("urn:rps-registry:case:{version}"),
            Some(name) => format!("urn:rps-registry:case:{version}:{name}"),
        }
    }

    pub(super) fn read(
        listed: &Version,
        files: &SchemaFiles,
        code_lists: &BTreeMap<String, Arc<CodeList>>,
        visibility: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Result<Self, SchemaError> {
        let version = &listed.version;
        let folder = format!("case/{version}/");
        let mut documents = BTreeMap::new();
        let mut entities = BTreeMap::new();
        for path in files.below(&folder) {
            let Some(name) = path
                .strip_prefix(&folder)
                .filter(|n| n.ends_with(".schema.json") && !n.contains('/'))
            else {
                continue;
            };
            let document = files.json(path)?;
            let expected = Self::identifier(version, name);
            if document.get("$id").and_then(Value::as_str) != Some(expected.as_str()) {
                return Err(SchemaError::Identifier {
                    path: path.to_owned(),
                    expected,
                });
            }
            if document.get("x-cardinality").is_some() {
                let entity = name.trim_end_matches(".schema.json").to_owned();
                let file = EntityFile::parse(files.text(path)?).map_err(|source| SchemaError::Json {
                    path: path.to_owned(),
                    source,
                })?;
                entities.insert(entity, file);
            }
            documents.insert(name.to_owned(), document);
        }
        let root = documents
            .get("case.schema.json")
            .cloned()
            .ok_or_else(|| SchemaError::NoFile(format!("{folder}case.schema.json")))?;
        let wrong = |source| SchemaError::Dictionary {
            version: version.clone(),
            source,
        };
        let mut dictionary = Dictionary::read(version, &root, &entities, code_lists).map_err(wrong)?;
        dictionary.restrict(visibility).map_err(wrong)?;
        let path = format!("{folder}{UPGRADE}");
        let upgrade = match files.bytes(&path) {
            None => None,
            Some(_) => Some(files.toml::<Upgrade>(&path)?),
        };
        if let Some(upgrade) = upgrade.as_ref().filter(|upgrade| upgrade.to != *version) {
            let why = format!("`to` is {} and the folder {version}", upgrade.to);
            return Err(SchemaError::Upgrade { path, why });
        }
        Ok(CaseSchema {
            version: version.clone(),
            status: listed.status,
            published: listed.published.clone(),
            accepted_through: listed.accepted_through.clone(),
            retired: listed.retired.clone(),
            upgrade,
            dictionary: Arc::new(dictionary),
            root,
            documents,
        })
    }
}
