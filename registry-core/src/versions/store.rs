//! The schema store: all files, read and checked once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::catalogue::Catalogue;
use super::{CaseSchema, HistologyTable, SchemaError, SchemaFiles, Status};
use crate::dictionary::{CodeList, DictionaryError, Visibility};

/// Path of value set H below `schema/`.
const HISTOLOGY: &str = "codelists/histology.json";
/// Path of the parameters of the edit checks below `schema/`.
const CHECK_PARAMETERS: &str = "checks/parameters.toml";

/// Everything under `schema/`, in memory.
#[derive(Debug)]
pub struct SchemaStore {
    files: SchemaFiles,
    catalogue: Catalogue,
    code_lists: BTreeMap<String, Arc<CodeList>>,
    histology: HistologyTable,
    case_schemas: BTreeMap<String, Arc<CaseSchema>>,
    current: Arc<CaseSchema>,
    digest: String,
}

impl SchemaStore {
    /// The schema compiled into this library.
    ///
    /// # Errors
    /// As [`SchemaStore::new`].
    pub fn embedded() -> Result<Self, SchemaError> {
        Self::new(SchemaFiles::embedded())
    }

    /// The schema of a folder.
    ///
    /// # Errors
    /// As [`SchemaStore::new`], and what cannot be read.
    pub fn from_dir(root: &Path) -> Result<Self, SchemaError> {
        Self::new(SchemaFiles::from_dir(root)?)
    }

    /// Reads and checks schema files.
    ///
    /// # Errors
    /// The first thing wrong: a missing or malformed file, an annotation outside its vocabulary, a published file that has
    /// changed, a catalogue without an active version.
    pub fn new(files: SchemaFiles) -> Result<Self, SchemaError> {
        let catalogue = Catalogue::read(&files)?;
        let mut code_lists = BTreeMap::new();
        for path in files.below("codelists/") {
            let Some(name) = path
                .strip_prefix("codelists/")
                .and_then(|p| p.strip_suffix(".json"))
                .filter(|_| path != HISTOLOGY)
            else {
                continue;
            };
            let document = files.json(path)?;
            let expected = format!("urn:rps-registry:codelist:{name}");
            if document.get("$id").and_then(Value::as_str) != Some(expected.as_str()) {
                return Err(SchemaError::Identifier {
                    path: path.to_owned(),
                    expected,
                });
            }
            let list = CodeList::read(name, &document).map_err(|source| SchemaError::CodeList {
                path: path.to_owned(),
                source,
            })?;
            code_lists.insert(name.to_owned(), Arc::new(list));
        }
        let mut case_schemas = BTreeMap::new();
        for listed in &catalogue.case_versions {
            let schema = CaseSchema::read(listed, &files, &code_lists)?;
            case_schemas.insert(listed.version.clone(), Arc::new(schema));
        }
        let current = catalogue
            .current()
            .and_then(|v| case_schemas.get(&v.version))
            .map(Arc::clone)
            .ok_or_else(|| SchemaError::Catalogue("no version is active".to_owned()))?;
        let published: Vec<&Arc<CaseSchema>> = case_schemas
            .values()
            .filter(|s| s.status != Status::Draft)
            .collect();
        catalogue.verify(
            &files,
            frozen_files(&files, &published).iter().map(String::as_str),
        )?;
        agree_on_visibility(&files, &case_schemas)?;
        let parameters: toml::Table = files.toml(CHECK_PARAMETERS)?;
        let pattern = |name: &str| {
            let parameter = parameters.get(name)?;
            parameter.get("value")?.as_str().map(str::to_owned)
        };
        let histologies = code_lists.get("histology_code").map(Arc::as_ref);
        let decisions = super::adjudication::read(&files, histologies)?;
        Ok(SchemaStore {
            histology: HistologyTable::read(files.json(HISTOLOGY)?, decisions, pattern)?,
            digest: files.digest_below(""),
            files,
            catalogue,
            code_lists,
            case_schemas,
            current,
        })
    }

    /// The active version with the highest number.
    pub fn current(&self) -> &Arc<CaseSchema> {
        &self.current
    }

    /// A version of the case schema, whatever its status.
    pub fn case_schema(&self, version: &str) -> Option<&Arc<CaseSchema>> {
        self.case_schemas.get(version)
    }

    /// All versions of the case schema, in the order of their numbers.
    pub fn case_schemas(&self) -> Vec<&Arc<CaseSchema>> {
        let mut all: Vec<_> = self.case_schemas.values().collect();
        all.sort_by_key(|s| super::catalogue::number(&s.version));
        all
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// A code list by name.
    pub fn codelist(&self, name: &str) -> Option<&Arc<CodeList>> {
        self.code_lists.get(name)
    }

    /// All code lists, by name.
    pub fn codelists(&self) -> impl Iterator<Item = &Arc<CodeList>> {
        self.code_lists.values()
    }

    /// Value set H.
    pub fn histology(&self) -> &HistologyTable {
        &self.histology
    }

    /// The text of a file below `schema/`, `checks/E-005.toml` for example.
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.text(path).ok()
    }

    /// All files.
    pub fn files(&self) -> &SchemaFiles {
        &self.files
    }

    /// SHA-256 (hex) over all files.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// What publication freezes: value set H, the files of published versions, and the code lists they use.
fn frozen_files(files: &SchemaFiles, published: &[&Arc<CaseSchema>]) -> Vec<String> {
    let mut frozen: Vec<String> = vec![HISTOLOGY.to_owned()];
    for schema in published {
        let folder = format!("case/{}/", schema.version);
        frozen.extend(files.below(&folder).map(str::to_owned));
        for element in schema.dictionary.entities.iter().flat_map(|e| &e.elements) {
            if let Some(codes) = &element.codes {
                frozen.push(format!("codelists/{}.json", codes.name));
            }
        }
    }
    frozen.sort_unstable();
    frozen.dedup();
    frozen
}

/// Every element of every version has one line in `visibility.toml` that says what its annotation says, and no line is
/// left over.
fn agree_on_visibility(
    files: &SchemaFiles,
    case_schemas: &BTreeMap<String, Arc<CaseSchema>>,
) -> Result<(), SchemaError> {
    let table: BTreeMap<String, BTreeMap<String, String>> = files.toml("visibility.toml")?;
    let fail = |version: &str, source| SchemaError::Dictionary {
        version: version.to_owned(),
        source,
    };
    for schema in case_schemas.values() {
        for entity in &schema.dictionary.entities {
            for element in &entity.elements {
                let listed = table
                    .get(&entity.name)
                    .and_then(|e| e.get(&element.name))
                    .and_then(|v| Visibility::from_code(v));
                if listed != Some(element.visibility) {
                    let path = format!("{}.{}", entity.name, element.name);
                    return Err(fail(&schema.version, DictionaryError::Visibility(path)));
                }
            }
        }
    }
    for (entity, elements) in &table {
        for element in elements.keys() {
            let path = format!("{entity}.{element}");
            let known = case_schemas
                .values()
                .any(|s| s.dictionary.element(&path).is_some());
            if !known {
                return Err(fail("any", DictionaryError::StrayVisibility(path)));
            }
        }
    }
    Ok(())
}
