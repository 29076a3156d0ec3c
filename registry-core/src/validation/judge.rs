//! The one place that judges a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::breach::{Breach, child, code, compare_pointers};
use super::place::Place;
use super::{
    Derived, Envelope, Finding, MAX_FINDINGS, SchemaCompileError, SchemaValidator, Severity, Verdict, words,
};
use crate::dictionary::{Dictionary, Requirement};
use crate::intake::canonical;
use crate::record::CentreTable;
use crate::versions::{CaseSchema, SchemaStore, Status};

/// The check that a case schema version is accepted; it needs the running service and so is made here.
const VERSION_CHECK: &str = "E-001";

/// Why a judge cannot be made. Found at start-up.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A version's JSON Schema does not compile.
    #[error(transparent)]
    Schema(#[from] SchemaCompileError),
}

/// Judges cases: compiled once, used for dry runs, submissions, batches and re-runs alike.
#[derive(Debug)]
pub struct Judge {
    store: Arc<SchemaStore>,
    versions: BTreeMap<String, Version>,
    current: String,
}

/// What one version of the case schema is judged with.
#[derive(Debug)]
struct Version {
    validator: SchemaValidator,
    /// Elements the service derives: entity and element name.
    derived: Vec<(String, String)>,
}

impl Judge {
    /// Compiles every version that accepts submissions.
    ///
    /// # Errors
    /// The first version whose schema or rules do not compile.
    pub fn new(store: Arc<SchemaStore>) -> Result<Self, JudgeError> {
        Self::accepting(store, Status::accepts_submissions)
    }

    /// Compiles drafts as well, so that a version can be tried before it is published.
    ///
    /// # Errors
    /// As [`Judge::new`].
    pub fn with_drafts(store: Arc<SchemaStore>) -> Result<Self, JudgeError> {
        Self::accepting(store, |status| status != Status::Retired)
    }

    fn accepting(store: Arc<SchemaStore>, accepted: impl Fn(Status) -> bool) -> Result<Self, JudgeError> {
        let mut versions = BTreeMap::new();
        for case_schema in store.case_schemas() {
            if accepted(case_schema.status) {
                versions.insert(
                    case_schema.version.clone(),
                    Version::compile(case_schema, &store)?,
                );
            }
        }
        Ok(Judge {
            current: store.current().version.clone(),
            store,
            versions,
        })
    }

    /// The schema this judge was made from.
    pub fn store(&self) -> &Arc<SchemaStore> {
        &self.store
    }

    /// Versions of the case schema a body may name.
    pub fn accepted_versions(&self) -> impl Iterator<Item = &str> {
        self.versions.keys().map(String::as_str)
    }

    /// Judges a body. Everything that is wrong is found at once; nothing is stored.
    ///
    /// A body that breaks the schema is not put to the edit checks: they would take what cannot be read for missing.
    pub fn judge(&self, body: &Value, _envelope: &Envelope, _centres: &CentreTable) -> Verdict {
        let schema_version = body.get("schema_version").and_then(Value::as_str);
        let mut verdict = Verdict {
            schema_version: schema_version.map(str::to_owned),
            ..Verdict::default()
        };
        let version = match schema_version {
            None => self.versions.get(&self.current),
            Some(named) => self.versions.get(named),
        };
        let Some(version) = version else {
            verdict.findings.push(self.unsupported_version(body));
            return verdict;
        };
        let mut breaches = version.server_set(body);
        breaches.extend(version.validator.breaches(body));
        if !breaches.is_empty() {
            super::breach::sort(&mut breaches);
            let findings = breaches
                .into_iter()
                .map(|b| schema_finding(b, body, &version.validator.dictionary))
                .collect();
            list(&mut verdict, findings);
            return verdict;
        }
        verdict.withdrawal = is_withdrawal(body);
        verdict.t0 = t0(body);
        verdict.derived = self.derive(body);
        verdict
    }

    /// The derived elements of a body.
    pub fn derive(&self, body: &Value) -> Derived {
        self.store.histology().derive(body.get("primary"))
    }

    fn unsupported_version(&self, body: &Value) -> Finding {
        let accepted = self.accepted_versions().collect::<Vec<_>>().join(", ");
        Finding {
            code: code::UNSUPPORTED_SCHEMA_VERSION.to_owned(),
            severity: Severity::Reject,
            pointer: "/schema_version".to_owned(),
            rule: Some(VERSION_CHECK.to_owned()),
            rule_version: None,
            message: format!("This version of the case schema is not accepted. Accepted: {accepted}."),
            elements: vec!["record.schema_version".to_owned()],
            identity: identity(
                VERSION_CHECK,
                &[(
                    "record.schema_version",
                    body.get("schema_version").unwrap_or(&Value::Null),
                )],
            ),
        }
    }
}

impl Version {
    fn compile(case_schema: &CaseSchema, store: &SchemaStore) -> Result<Self, JudgeError> {
        let derived = case_schema
            .dictionary
            .entities
            .iter()
            .flat_map(|entity| entity.elements.iter().map(move |element| (entity, element)))
            .filter(|(_, element)| element.requirement == Requirement::Derived)
            .map(|(entity, element)| (entity.name.clone(), element.name.clone()))
            .collect();
        Ok(Version {
            validator: SchemaValidator::compile(case_schema, store)?,
            derived,
        })
    }

    /// Derived elements in the body. The schema describes them, for the dictionary; a body may not hold them.
    fn server_set(&self, body: &Value) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for (entity, element) in &self.derived {
            let mut refuse = |row: &Value, at: &dyn Fn() -> String| {
                if row.get(element).is_some() {
                    let path = format!("{entity}.{element}");
                    breaches.push(Breach {
                        code: code::SERVER_SET,
                        pointer: child(&at(), element),
                        message: words::derived(&path),
                        element: Some(path),
                    });
                }
            };
            match body.get(entity) {
                Some(Value::Array(rows)) => {
                    for (i, row) in rows.iter().enumerate() {
                        refuse(row, &|| format!("/{entity}/{i}"));
                    }
                }
                Some(row) => refuse(row, &|| format!("/{entity}")),
                None => {}
            }
        }
        breaches
    }
}

/// Whether a body withdraws: nobody consents (any more).
fn is_withdrawal(body: &Value) -> bool {
    let status = body.pointer("/consent/status").and_then(Value::as_str);
    matches!(status, Some("refused" | "withdrawn"))
}

/// Day, month or year the first presentation was detected, as sent.
fn t0(body: &Value) -> Option<String> {
    body.get("presentation")?
        .as_array()?
        .iter()
        .find(|row| row.get("seq").and_then(Value::as_i64) == Some(1))?
        .get("date_detected")?
        .as_str()
        .map(str::to_owned)
}

fn schema_finding(breach: Breach, body: &Value, dictionary: &Dictionary) -> Finding {
    let subject = breach
        .element
        .clone()
        .or_else(|| Place::of(&breach.pointer, dictionary).name())
        .unwrap_or_else(|| breach.pointer.clone());
    let value = body.pointer(&breach.pointer).unwrap_or(&Value::Null);
    Finding {
        identity: identity(breach.code, &[(subject.as_str(), value)]),
        code: breach.code.to_owned(),
        severity: Severity::Reject,
        pointer: breach.pointer,
        rule: None,
        rule_version: None,
        message: breach.message,
        elements: breach.element.into_iter().collect(),
    }
}

/// SHA-256 over a rule and what it read: stays when rows move, changes when what was read changes.
fn identity(rule: &str, read: &[(&str, &Value)]) -> String {
    let read: Map<String, Value> = read
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).clone()))
        .collect();
    let mut hash = Sha256::new();
    hash.update(rule.as_bytes());
    hash.update(b"\n");
    hash.update(canonical::to_bytes(&Value::Object(read)));
    hex::encode(hash.finalize())
}

/// Puts findings into the verdict: in order, at most the listed number, the rest counted.
fn list(verdict: &mut Verdict, mut findings: Vec<Finding>) {
    findings.sort_by(|a, b| compare_pointers(&a.pointer, &b.pointer).then_with(|| a.code.cmp(&b.code)));
    verdict.further_findings = findings.len().saturating_sub(MAX_FINDINGS);
    findings.truncate(MAX_FINDINGS);
    verdict.findings = findings;
}
