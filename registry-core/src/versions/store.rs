//! The schema store: all files, read and checked once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::catalogue::{Catalogue, number};
use super::{
    CaseSchema, HistologyTable, SchemaDiff, SchemaError, SchemaFiles, Status, SupersededCheck, Upgrade,
    checks,
};
use crate::dictionary::{CodeList, DictionaryError};

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
    /// By the number of the version a step leads to; the first published version has none.
    upgrades: BTreeMap<[u32; 3], Upgrade>,
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
        let visibility: VisibilityTable = files.toml("visibility.toml")?;
        let mut case_schemas = BTreeMap::new();
        for listed in &catalogue.case_versions {
            let schema = CaseSchema::read(listed, &files, &code_lists, &visibility)?;
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
        let mut frozen = frozen_files(&files, &published);
        for listed in &catalogue.guideline_versions {
            frozen.extend(guideline_files(&files, &listed.folder()));
        }
        catalogue.verify(&files, frozen.iter().map(String::as_str))?;
        catalogue.verify_guidelines(&files)?;
        catalogue.verify_checks(&files)?;
        no_stray_visibility(&visibility, &case_schemas)?;
        let upgrades = steps(&case_schemas)?;
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
            upgrades,
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
        all.sort_by_key(|s| number(&s.version));
        all
    }

    /// The version whose form the rules read when a document names `version`: the current one, or a draft or a version that was
    /// set back by an older one itself. `None` for a version that is not known.
    pub fn form_of(&self, version: &str) -> Option<&str> {
        let known = self.case_schemas.get(version)?;
        let newer = number(&known.version) > number(&self.current.version);
        Some(if newer {
            &known.version
        } else {
            &self.current.version
        })
    }

    /// The steps from a version to a later one, in their order; none when there is nothing to do.
    pub fn upgrades(&self, from: &str, to: &str) -> impl DoubleEndedIterator<Item = &Upgrade> {
        let range = match (number(from), number(to)) {
            (Some(from), Some(to)) if from < to => {
                Some((std::ops::Bound::Excluded(from), std::ops::Bound::Included(to)))
            }
            _ => None,
        };
        range
            .into_iter()
            .flat_map(|range| self.upgrades.range(range))
            .map(|(_, step)| step)
    }

    /// A document in the form the rules read: upgraded one step at a time from the version it was written in.
    pub fn newest<'d>(&self, document: &'d Value, version: &str) -> Cow<'d, Value> {
        let mut document = Cow::Borrowed(document);
        for step in self.upgrades(version, self.form_of(version).unwrap_or(version)) {
            step.apply(document.to_mut());
        }
        document
    }

    /// Where a place of the upgraded document stands in the document as sent. RFC 6901 pointers to a row or a section stay.
    pub fn as_sent(&self, pointer: &str, version: &str) -> String {
        let mut pointer = pointer.to_owned();
        let steps = self.upgrades(version, self.form_of(version).unwrap_or(version));
        for step in steps.rev() {
            let mut tokens: Vec<&str> = pointer.split('/').collect();
            // `/entity/element` or `/entity/row/element`, and on into the value.
            let at = if tokens.get(2).is_some_and(|token| token.parse::<usize>().is_ok()) {
                3
            } else {
                2
            };
            let (Some(entity), Some(element)) = (tokens.get(1), tokens.get(at)) else {
                break;
            };
            let path = format!("{entity}.{element}");
            if let Some((_, before)) = step.before(&path).and_then(|before| before.split_once('.')) {
                if let Some(token) = tokens.get_mut(at) {
                    *token = before;
                }
                pointer = tokens.join("/");
            }
        }
        pointer
    }

    /// What differs between two versions; `None` when one is not known. Drafts are compared with their step as far as it is
    /// written.
    pub fn diff(&self, from: &str, to: &str) -> Option<SchemaDiff> {
        let (before, after) = (self.case_schema(from)?, self.case_schema(to)?);
        let between = number(from)..=number(to);
        let steps: Vec<&Upgrade> = self
            .case_schemas()
            .into_iter()
            .filter(|schema| schema.version != from && between.contains(&number(&schema.version)))
            .filter(|schema| schema.status != Status::Draft || schema.version == to)
            .filter_map(|schema| schema.upgrade.as_ref())
            .collect();
        Some(SchemaDiff::between(before, after, &steps))
    }

    /// What is different from the published version before; `None` for a first one.
    pub fn changes(&self, version: &str) -> Option<SchemaDiff> {
        let at = number(version)?;
        let before = self
            .case_schemas()
            .into_iter()
            .filter(|schema| schema.status != Status::Draft)
            .rfind(|schema| number(&schema.version).is_some_and(|number| number < at))?;
        self.diff(&before.version, version)
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

    /// Texts an edit check had before the one in force, oldest first.
    pub fn superseded_checks(&self, id: &str) -> Vec<SupersededCheck<'_>> {
        checks::superseded(&self.files, id)
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

/// The step to every published version from the one before it; a version without a file of its own only adds. The step to a
/// draft is not looked at: it is being written.
fn steps(
    case_schemas: &BTreeMap<String, Arc<CaseSchema>>,
) -> Result<BTreeMap<[u32; 3], Upgrade>, SchemaError> {
    let mut published: Vec<([u32; 3], &CaseSchema)> = case_schemas
        .values()
        .filter(|schema| schema.status != Status::Draft)
        .filter_map(|schema| Some((number(&schema.version)?, schema.as_ref())))
        .collect();
    published.sort_by_key(|(number, _)| *number);
    let mut steps = BTreeMap::new();
    for pair in published.windows(2) {
        if let [(_, before), (number, after)] = pair {
            steps.insert(*number, step(before, after)?);
        }
    }
    Ok(steps)
}

/// The step between two versions.
///
/// # Errors
/// A step that starts elsewhere or leaves something over.
pub(super) fn step(before: &CaseSchema, after: &CaseSchema) -> Result<Upgrade, SchemaError> {
    let wrong = |why| SchemaError::Upgrade {
        path: format!("case/{}/upgrade.toml", after.version),
        why,
    };
    let step = after
        .upgrade
        .clone()
        .unwrap_or_else(|| Upgrade::nothing(&before.version, &after.version));
    if step.from != before.version {
        return Err(wrong(format!(
            "`from` is {} and the version before is {}",
            step.from, before.version
        )));
    }
    step.bridges(&before.dictionary, &after.dictionary)
        .map_err(wrong)?;
    Ok(step)
}

/// What publication freezes: value set H, the files of published versions, and the code lists they use.
pub(super) fn frozen_files(files: &SchemaFiles, published: &[&Arc<CaseSchema>]) -> Vec<String> {
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

/// What publication of a guideline version freezes: the files that are compiled. Its test patients may be added to.
pub(crate) fn guideline_files(files: &SchemaFiles, folder: &str) -> Vec<String> {
    let folder = format!("guideline/{folder}/");
    let all = files.below(&folder).filter(|path| path.ends_with(".toml"));
    all.map(str::to_owned).collect()
}

/// `visibility.toml`: entity, element, who may see it.
type VisibilityTable = BTreeMap<String, BTreeMap<String, String>>;

/// Every element of every version has a line in the table (its dictionary asks for it), and no line is left over.
fn no_stray_visibility(
    table: &VisibilityTable,
    case_schemas: &BTreeMap<String, Arc<CaseSchema>>,
) -> Result<(), SchemaError> {
    for (entity, elements) in table {
        for element in elements.keys() {
            let path = format!("{entity}.{element}");
            let known = case_schemas
                .values()
                .any(|s| s.dictionary.element(&path).is_some());
            if !known {
                return Err(SchemaError::Dictionary {
                    version: "any".to_owned(),
                    source: DictionaryError::StrayVisibility(path),
                });
            }
        }
    }
    Ok(())
}
