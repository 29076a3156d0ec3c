//! The one place that judges a case.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::Value;

use super::attestation::Assessed;
use super::breach::{Breach, child, code, compare_pointers};
use super::fired::Subject;
use super::form::Form;
use super::identity::{identified, identity_of};
use super::place::Place;
use super::pseudonym;
use super::{
    Derived, Document, Envelope, Finding, MAX_FINDINGS, SchemaCompileError, SchemaValidator, Severity,
    Verdict, words,
};
use crate::dictionary::{Dictionary, EntityKind, Requirement};
use crate::form::{FormError, Forms};
use crate::guideline::Guideline;
use crate::record::{CentreTable, Layout, LayoutError, PartialDate, Record, day_number};
use crate::rules::{Check, CheckSet, RuleErrors};
use crate::versions::{CaseSchema, SchemaError, SchemaStore, Status};

/// The check that a record without legal basis holds nothing clinical.
const CONSENT_CHECK: &str = "E-004";
/// The check for partial dates in windows: a property of the literal, which no expression sees.
const PRECISION_CHECK: &str = "E-039";
/// What a withdrawal may carry besides its version: of the patient the pseudonym alone, and the consent.
const PATIENT: &str = "patient";
const PSEUDONYM: &str = "pseudonym_id";
const CONSENT: &str = "consent";

/// Why a judge cannot be made. Found at start-up.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A file the rules rest on cannot be used.
    #[error(transparent)]
    Files(#[from] SchemaError),
    /// A version's JSON Schema does not compile.
    #[error(transparent)]
    Schema(#[from] SchemaCompileError),
    /// The dictionary of a version lacks what the rule language rests on.
    #[error("case schema {version}: {source}")]
    Layout {
        /// Version of the case schema.
        version: String,
        /// What is lacking.
        source: LayoutError,
    },
    /// The entry form, which says how rows are named, cannot be used.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Edit checks or measures do not compile against the dictionary of a version.
    #[error("rules on case schema {version}:\n{source}")]
    Rules {
        /// Version of the case schema.
        version: String,
        /// Every fault, with file, line and column.
        source: RuleErrors,
    },
}

/// Judges cases: compiled once, used for dry runs, submissions, batches and re-runs alike.
pub struct Judge {
    store: Arc<SchemaStore>,
    /// The versions a body may name.
    versions: BTreeMap<String, Version>,
    /// The versions documents are read in: the current one, and drafts.
    forms: BTreeMap<String, Form>,
}

/// What a body that names one version of the case schema is validated with.
struct Version {
    schema: Arc<CaseSchema>,
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
        let mut forms = BTreeMap::new();
        let entry = Forms::of(&store)?;
        for case_schema in store.case_schemas() {
            let name = &case_schema.version;
            if accepted(case_schema.status) {
                versions.insert(name.clone(), Version::compile(case_schema, &store)?);
                if store.form_of(name) == Some(name) {
                    forms.insert(name.clone(), Form::compile(case_schema, &store, &entry)?);
                }
            }
        }
        Ok(Judge {
            store,
            versions,
            forms,
        })
    }

    /// The schema this judge was made from.
    pub fn store(&self) -> &Arc<SchemaStore> {
        &self.store
    }

    /// Versions of the case schema a body may name, each until its last day.
    pub fn accepted_versions(&self) -> impl Iterator<Item = &str> {
        self.versions.keys().map(String::as_str)
    }

    /// Versions of the case schema a body may name on this day.
    pub fn accepted_on(&self, day: NaiveDate) -> impl Iterator<Item = &str> {
        let accepted = self
            .versions
            .iter()
            .filter(move |(_, version)| version.schema.accepted_on(day));
        accepted.map(|(name, _)| name.as_str())
    }

    /// Versions of the case schema that documents are read in: the current one, and drafts where they were compiled.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        self.forms.keys().map(String::as_str)
    }

    /// What documents that name a version are read with, retired versions included.
    pub(super) fn form(&self, version: &str) -> Option<&Form> {
        self.forms.get(self.store.form_of(version)?)
    }

    /// The edit checks documents of a version are put to, those of the service included.
    pub fn checks(&self, version: &str) -> Option<&CheckSet> {
        self.form(version).map(|form| &form.checks)
    }

    /// The guideline versions documents of a version are put to; the active one of a guideline comes first.
    pub fn guidelines(&self, version: &str) -> &[Guideline] {
        self.form(version)
            .map(|form| form.guidelines.as_slice())
            .unwrap_or_default()
    }

    /// Positions of entities and elements in the form documents of a version are read in.
    pub fn layout(&self, version: &str) -> Option<&Arc<Layout>> {
        self.form(version).map(|form| &form.layout)
    }

    /// Judges a body. Everything that is wrong is found at once; nothing is stored.
    ///
    /// A body that breaks the schema is not put to the edit checks: they would take what cannot be read for missing. The checks
    /// and measures read the body in its newest form; every pointer leads into the body as sent.
    pub fn judge(&self, body: &Value, envelope: &Envelope, centres: &CentreTable) -> Verdict {
        let schema_version = body.get("schema_version").and_then(Value::as_str);
        let mut verdict = Verdict {
            schema_version: schema_version.map(str::to_owned),
            ..Verdict::default()
        };
        let withdrawal = is_withdrawal(body);
        let today = envelope.submitted_at.date_naive();
        let current = self.store.current().version.as_str();
        let named = schema_version.unwrap_or(current);
        let accepted = self.versions.get(named);
        let accepted = accepted.filter(|version| withdrawal || version.schema.accepted_on(today));
        // A withdrawal is taken in every version there has been: nobody is kept in the registry because a centre's system is old.
        let set_back = self
            .store
            .case_schema(named)
            .is_some_and(|schema| schema.status == Status::Retired);
        let upgraded = withdrawal && accepted.is_none() && set_back;
        let (version, read) = if upgraded {
            (self.versions.get(current), self.store.newest(body, named))
        } else {
            (accepted, Cow::Borrowed(body))
        };
        let read_with = version.and_then(|version| Some((version, self.form(&version.schema.version)?)));
        let Some((version, form)) = read_with else {
            verdict.findings.push(self.version_refused(body, today));
            return verdict;
        };
        let mut breaches = version.server_set(&read);
        let (found, further) = version.validator.breaches(&read);
        breaches.extend(found);
        breaches.extend(pseudonym::breach(&read));
        if withdrawal {
            breaches.extend(not_yet_withdrawn(&read, today));
        }
        if !breaches.is_empty() {
            super::breach::sort(&mut breaches);
            let further = further + breaches.len().saturating_sub(MAX_FINDINGS);
            breaches.truncate(MAX_FINDINGS);
            let mut findings: Vec<Finding> = breaches
                .into_iter()
                .map(|b| schema_finding(b, &read, &version.validator.dictionary))
                .collect();
            if upgraded {
                for finding in &mut findings {
                    finding.pointer = self.store.as_sent(&finding.pointer, named);
                }
            }
            list(&mut verdict, findings);
            verdict.further_findings = further;
            return verdict;
        }
        verdict.checked = true;
        verdict.withdrawal = withdrawal;
        if withdrawal {
            let check = form.checks.check(CONSENT_CHECK);
            verdict
                .findings
                .extend(check.and_then(|check| version.without_legal_basis(body, check)));
            return verdict;
        }
        self.by_rules(&mut verdict, body, (&version.schema, form), envelope, centres);
        verdict
    }

    /// Judges a stored body again, as of the day it was submitted: by the checks and decisions of today, whatever has become of its version
    /// of the case schema since. `None` for a body of a version that is not known, and for a withdrawal, which no check reads.
    pub fn judge_again(&self, body: &Value, envelope: &Envelope, centres: &CentreTable) -> Option<Verdict> {
        let named = body.get("schema_version").and_then(Value::as_str)?;
        let (schema, form) = (self.store.case_schema(named)?, self.form(named)?);
        if is_withdrawal(body) {
            return None;
        }
        let mut verdict = Verdict {
            schema_version: Some(named.to_owned()),
            checked: true,
            ..Verdict::default()
        };
        self.by_rules(&mut verdict, body, (schema, form), envelope, centres);
        Some(verdict)
    }

    /// What edit checks and measures say of a body that keeps to its schema.
    fn by_rules(
        &self,
        verdict: &mut Verdict,
        body: &Value,
        (schema, form): (&CaseSchema, &Form),
        envelope: &Envelope,
        centres: &CentreTable,
    ) {
        let name = schema.version.as_str();
        let newest = self.store.newest(body, name);
        verdict.t0 = t0(&newest);
        verdict.derived = self.derive(&newest);
        let document = Document::new(Cow::Borrowed(&newest), name, envelope, &verdict.derived);
        let mut record = Record::read(&document, &form.layout, centres);
        let fired = form.checks.run(&record);
        let subject = Subject {
            dictionary: &form.dictionary,
            histology: self.store.histology(),
            checks: &form.checks,
            record: &record,
            document: &document,
        };
        let mut seen = subject.sightings(&fired);
        if let Some(check) = form.checks.check(PRECISION_CHECK) {
            seen.extend(form.window_dates.sightings(&newest, check));
        }
        let (mut findings, formerly) = identified(seen, &form.row_keys);
        verdict.formerly = formerly;
        if let Cow::Owned(_) = newest {
            for finding in &mut findings {
                finding.pointer = self.store.as_sent(&finding.pointer, name);
            }
        }
        findings.extend(self.version_deprecated(schema, body));
        list(verdict, findings);
        if !verdict.rejected() {
            form.checks.block(&mut record, &fired);
            let (assessments, open) = form.assess(&record);
            let assessed = Assessed {
                record: &record,
                form,
                fired: &fired,
                cut_off: envelope.data_cutoff_date,
                assessments: &assessments,
                open: &open,
            };
            verdict.unattested = assessed.unattested(&newest);
            verdict.assessments = assessments;
        }
    }

    /// What a new form of a case would change about rows that a lock through a day has frozen; empty when it keeps them. Both are bodies
    /// as sent, each in its own version of the case schema; pointers lead into `after` as sent.
    pub fn frozen(&self, before: &Value, after: &Value, through: NaiveDate) -> Vec<Finding> {
        let version = |body: &Value| {
            body.get("schema_version")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let (was, is) = (version(before), version(after));
        let (was, is) = (
            was.as_deref().unwrap_or_default(),
            is.as_deref().unwrap_or_default(),
        );
        let Some(form) = self.form(is) else {
            return Vec::new();
        };
        let newest = self.store.newest(after, is);
        let mut found = form.lock.breaches(
            &self.store.newest(before, was),
            &newest,
            through,
            &form.dictionary,
            &form.layout,
        );
        for finding in &mut found {
            finding.pointer = self.store.as_sent(&finding.pointer, is);
        }
        found.sort_by(|a, b| compare_pointers(&a.pointer, &b.pointer));
        found
    }

    /// The guideline version in force, as documents of a version of the case schema are put to it.
    pub fn in_force(&self, version: &str) -> Option<&Guideline> {
        self.guidelines(version)
            .first()
            .filter(|guideline| guideline.is_active())
    }

    /// A body that was not refused, read for the measures, what an error-severity check keeps out kept out; and the document it was
    /// read from, in its newest form with envelope and derived elements in place. `None` for a version that is not known.
    pub fn read<'a>(
        &self,
        body: &'a Value,
        envelope: &Envelope,
        centres: &CentreTable,
    ) -> Option<(Record, Document<'a>)> {
        let version = body.get("schema_version")?.as_str()?;
        let form = self.form(version)?;
        let document = self.document(body, version, envelope);
        let mut record = Record::read(&document, &form.layout, centres);
        let fired = form.checks.run(&record);
        form.checks.block(&mut record, &fired);
        Some((record, document))
    }

    /// The document the rules read: a body of a version of the case schema in its newest form, the envelope as `record`, and the
    /// derived elements.
    pub fn document<'a>(&self, body: &'a Value, version: &str, envelope: &Envelope) -> Document<'a> {
        let newest = self.store.newest(body, version);
        let derived = self.derive(&newest);
        Document::new(newest, version, envelope, &derived)
    }

    /// The derived elements of a body.
    pub fn derive(&self, body: &Value) -> Derived {
        self.store.histology().derive(body.get("primary"))
    }
}

impl Version {
    fn compile(case_schema: &Arc<CaseSchema>, store: &SchemaStore) -> Result<Self, JudgeError> {
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
            schema: Arc::clone(case_schema),
            derived,
        })
    }

    /// E-004 for a withdrawal: it may carry the pseudonym and the consent, and nothing of the case.
    fn without_legal_basis(&self, body: &Value, check: &Check) -> Option<Finding> {
        let carried: Vec<String> = self
            .validator
            .dictionary
            .entities
            .iter()
            .filter(|e| e.kind == EntityKind::Case && e.name != PATIENT && e.name != CONSENT)
            .filter(|e| body.get(&e.name).is_some_and(holds_something))
            .map(|e| e.name.clone())
            .collect();
        let of_patient = body.get(PATIENT).and_then(Value::as_object).into_iter().flatten();
        let of_patient = of_patient.filter(|(name, _)| *name != PSEUDONYM);
        let of_patient = of_patient.map(|(name, _)| format!("{PATIENT}.{name}"));
        let carried: Vec<String> = of_patient.chain(carried).collect();
        (!carried.is_empty()).then(|| Finding {
            code: check.id.clone(),
            severity: Severity::Reject,
            pointer: "/consent/status".to_owned(),
            rule: Some(check.id.clone()),
            rule_version: Some(check.version.clone()),
            message: format!(
                "{}. Send again with schema_version, patient.pseudonym_id and consent only, without: {}.",
                check.message,
                carried.join(", ")
            ),
            identity: identity_of(&check.id, "consent.status", body.pointer("/consent/status")),
            elements: std::iter::once("consent.status".to_owned())
                .chain(carried)
                .collect(),
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

/// A withdrawal dated in the future. Its sender's day may have begun before the service's: tomorrow is taken.
fn not_yet_withdrawn(body: &Value, today: NaiveDate) -> Option<Breach> {
    let pointer = "/consent/withdrawal_date";
    let date = PartialDate::parse(body.pointer(pointer)?.as_str()?)?;
    (date.first() > day_number(today) + 1).then(|| Breach {
        code: code::OUT_OF_RANGE,
        pointer: pointer.to_owned(),
        message: "`consent.withdrawal_date` is a day that has come: a withdrawal is sent once it is made."
            .to_owned(),
        element: Some("consent.withdrawal_date".to_owned()),
    })
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
    Finding {
        identity: identity_of(breach.code, &subject, body.pointer(&breach.pointer)),
        code: breach.code.to_owned(),
        severity: Severity::Reject,
        pointer: breach.pointer,
        rule: None,
        rule_version: None,
        message: breach.message,
        elements: breach.element.into_iter().collect(),
    }
}

/// Whether a section holds anything: a row, or a key.
fn holds_something(section: &Value) -> bool {
    match section {
        Value::Array(rows) => !rows.is_empty(),
        Value::Object(elements) => !elements.is_empty(),
        _ => false,
    }
}

/// Puts findings into the verdict: in order, at most the listed number, the rest counted.
fn list(verdict: &mut Verdict, mut findings: Vec<Finding>) {
    findings.sort_by(|a, b| compare_pointers(&a.pointer, &b.pointer).then_with(|| a.code.cmp(&b.code)));
    verdict.further_findings = findings.len().saturating_sub(MAX_FINDINGS);
    findings.truncate(MAX_FINDINGS);
    verdict.findings = findings;
}
