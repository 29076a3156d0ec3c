//! Submissions.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::foreseen::{self, Step};
use super::rows::{CaseRecord, FindingRecord, Packed, VersionRecord, load_case, load_version};
use super::{CaseStatus, PutCase, PutOutcome, StoredSeverity};
use super::{again, carried, etag, living, reuse};
use crate::access::{Role, Scope};
use crate::crypto::Label;
use crate::storage::connection::on_conn;
use crate::storage::filed::NewCase;
use crate::storage::idempotency::{self, Earlier};
use crate::storage::identifiers::{is_text, is_visible, new_id, utc};
use crate::storage::keyring::CaseKey;
use crate::storage::queries::{Following, raised_by_checks};
use crate::storage::store::require;
use crate::storage::tables::{case_versions, cases, findings};
use crate::storage::tasks;
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

/// Items of a batch that are done in one go before the work of others gets its turn.
const BATCH_STRETCH: usize = 100;

/// A submission with everything done that needs no transaction.
pub(crate) struct Prepared {
    pub(crate) put: PutCase,
    pub(crate) packed: Packed,
    pub(crate) centre: String,
}

impl Prepared {
    pub(crate) fn new(scope: &Scope, put: PutCase) -> Result<Self, StoreError> {
        let writes = scope.role().needs_centre() || scope.role() == Role::System;
        require(scope, writes, "submit cases")?;
        let centre = scope.centre().ok_or(StoreError::Forbidden {
            role: scope.role().as_str(),
            action: "submit cases without a centre",
        })?;
        check(&put)?;
        Ok(Self {
            packed: Packed::new(&put.document)?,
            centre: centre.to_owned(),
            put,
        })
    }
}

fn check(put: &PutCase) -> Result<(), StoreError> {
    if !is_visible(&put.pseudonym, 64) {
        return Err(StoreError::Invalid(
            "a pseudonym has 1 to 64 visible ASCII characters",
        ));
    }
    if !matches!(put.status, CaseStatus::Draft | CaseStatus::Submitted) {
        return Err(StoreError::Invalid("a submission is a draft or submitted"));
    }
    if put.findings.iter().any(|f| f.severity == StoredSeverity::Reject) {
        return Err(StoreError::Invalid("a case that a finding rejects is not stored"));
    }
    let derived = [
        &put.derived.histology_code,
        &put.derived.eligibility_class,
        &put.derived.t0,
    ];
    let texts = derived
        .into_iter()
        .flatten()
        .chain([&put.schema_version])
        .chain(&put.reason);
    if texts.into_iter().any(|text| !is_text(text, 2000)) {
        return Err(StoreError::Invalid("a text has at most 2,000 bytes and no NUL"));
    }
    Ok(())
}

/// What a piece of work answers when its refusal leaves something behind (a task, an event): committed, then refused.
type Kept<T> = Result<T, StoreError>;

impl Store {
    /// Creates or replaces one case. Acknowledged means durable.
    ///
    /// # Errors
    /// [`StoreError::PreconditionRequired`], [`StoreError::PreconditionFailed`], [`StoreError::PseudonymRegistered`],
    /// [`StoreError::Withdrawn`], [`StoreError::ReasonRequired`], [`StoreError::IdempotencyReused`],
    /// [`StoreError::IdempotencyInFlight`], [`StoreError::Invalid`], [`StoreError::Forbidden`].
    pub fn put_case(&self, scope: &Scope, put: PutCase) -> Result<PutOutcome, StoreError> {
        let prepared = Prepared::new(scope, put)?;
        let pseudonym = prepared.put.pseudonym.clone();
        self.write_submissions(scope, [pseudonym.as_str()], move |tx| put_keeping(tx, &prepared))?
    }

    /// Many at once, results in input order. `atomic`: all or nothing; the refused item answers its own error, the
    /// others [`StoreError::BatchRefused`].
    ///
    /// # Errors
    /// The outer error is one of the whole batch (the database does not answer); nothing of the stretch in hand was
    /// stored then. Without `atomic`, earlier stretches of 100 items may have been.
    pub fn put_cases(
        &self,
        scope: &Scope,
        puts: Vec<PutCase>,
        atomic: bool,
    ) -> Result<Vec<Result<PutOutcome, StoreError>>, StoreError> {
        let prepared: Vec<_> = puts.into_iter().map(|put| Prepared::new(scope, put)).collect();
        if atomic {
            self.put_all_or_nothing(scope, prepared)
        } else {
            self.put_each(scope, prepared)
        }
    }

    fn put_each(
        &self,
        scope: &Scope,
        prepared: Vec<Result<Prepared, StoreError>>,
    ) -> Result<Vec<Result<PutOutcome, StoreError>>, StoreError> {
        let mut outcomes = Vec::with_capacity(prepared.len());
        let mut rest = prepared.into_iter().peekable();
        while rest.peek().is_some() {
            let stretch: Vec<_> = rest.by_ref().take(BATCH_STRETCH).collect();
            let pseudonyms = pseudonyms(stretch.iter().flatten());
            outcomes.extend(self.write_submissions(
                scope,
                pseudonyms.iter().map(String::as_str),
                move |tx| {
                    stretch
                        .iter()
                        .map(|item| put_item(tx, item))
                        .collect::<Result<Vec<_>, _>>()
                },
            )?);
        }
        Ok(outcomes)
    }

    fn put_all_or_nothing(
        &self,
        scope: &Scope,
        prepared: Vec<Result<Prepared, StoreError>>,
    ) -> Result<Vec<Result<PutOutcome, StoreError>>, StoreError> {
        let length = prepared.len();
        let refused = |at: usize, error: StoreError| {
            let mut all: Vec<_> = (0..length).map(|_| Err(StoreError::BatchRefused(at))).collect();
            all[at] = Err(error);
            all
        };
        if let Some(at) = prepared.iter().position(Result::is_err) {
            let error = prepared.into_iter().nth(at).and_then(Result::err);
            return Ok(refused(at, error.unwrap_or(StoreError::BatchRefused(at))));
        }
        let items: std::sync::Arc<Vec<Prepared>> =
            std::sync::Arc::new(prepared.into_iter().flatten().collect());
        let failed = std::sync::Arc::new(std::sync::Mutex::new(None));
        let (inside, note) = (items.clone(), failed.clone());
        let pseudonyms = pseudonyms(items.iter());
        let written = self.write_submissions(scope, pseudonyms.iter().map(String::as_str), move |tx| {
            let mut outcomes = Vec::with_capacity(inside.len());
            for (at, item) in inside.iter().enumerate() {
                match put_in(tx, item) {
                    Ok(outcome) => outcomes.push(Ok(outcome)),
                    Err(error) => {
                        if let Ok(mut note) = note.lock() {
                            *note = Some(at);
                        }
                        return Err(error);
                    }
                }
            }
            Ok(outcomes)
        });
        let at = failed.lock().ok().and_then(|note| *note);
        match (written, at) {
            (Err(error), Some(at)) if !error.is_unavailable() => {
                if error == StoreError::PseudonymRegistered {
                    // Everything was undone, the note to the coordinating office too: make it on its own.
                    self.write(scope, move |tx| tell_coordination(tx, &items[at]))?;
                }
                Ok(refused(at, error))
            }
            (written, _) => written,
        }
    }
}

fn pseudonyms<'p>(prepared: impl Iterator<Item = &'p Prepared>) -> Vec<String> {
    prepared.map(|item| item.put.pseudonym.clone()).collect()
}

/// One item in a savepoint of its own: its refusal undoes nothing but itself.
fn put_item(tx: &mut Tx<'_>, item: &Result<Prepared, StoreError>) -> Result<Kept<PutOutcome>, StoreError> {
    let prepared = match item {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Err(error.clone())),
    };
    match tx.nested(|tx| put_keeping(tx, prepared)) {
        Err(StoreError::Unavailable(outage)) => Err(StoreError::Unavailable(outage)),
        Err(error) => Ok(Err(error)),
        kept => kept,
    }
}

/// A pseudonym of another centre is refused, but the task for the coordinating office is kept.
fn put_keeping(tx: &mut Tx<'_>, prepared: &Prepared) -> Result<Kept<PutOutcome>, StoreError> {
    match put_in(tx, prepared) {
        Err(StoreError::PseudonymRegistered) => {
            tell_coordination(tx, prepared)?;
            Ok(Err(StoreError::PseudonymRegistered))
        }
        other => other.map(Ok),
    }
}

fn tell_coordination(tx: &mut Tx<'_>, prepared: &Prepared) -> Result<(), StoreError> {
    let claim = tx.claim_of(&prepared.put.pseudonym)?;
    let Some((holder, case_id)) = claim else {
        return Ok(());
    };
    tasks::open_pseudonym_task(tx, &prepared.centre, &holder, &case_id)
}

/// The submission itself; changes nothing before everything is checked.
fn put_in(tx: &mut Tx<'_>, prepared: &Prepared) -> Result<PutOutcome, StoreError> {
    let Prepared { put, packed, centre } = prepared;
    if let Some(given) = &put.idempotency
        && let Some(Earlier { outcome, answer }) = idempotency::earlier::<_, PutOutcome>(tx, given)?
    {
        return Ok(PutOutcome {
            replay: Some(answer),
            ..outcome
        });
    }
    let outcome = match tx.claim_of(&put.pseudonym)? {
        Some((holder, _)) if holder != *centre => return Err(StoreError::PseudonymRegistered),
        Some((_, case_id)) => {
            let case = load_case(tx.conn()?, centre, &case_id)?.ok_or(StoreError::NotFound)?;
            replace(tx, put, packed, case)?
        }
        None => create(tx, put, packed, centre)?,
    };
    if let Some(given) = &put.idempotency {
        idempotency::keep(tx, given, &outcome, Some(&outcome.case_id))?;
    }
    Ok(outcome)
}

/// The part of a submission that a case row takes over.
pub(crate) struct Content<'a> {
    pub(crate) schema_version: &'a str,
    pub(crate) status: CaseStatus,
    pub(crate) derived: &'a super::Derived,
    pub(crate) findings: &'a [super::StoredFinding],
    pub(crate) reason: Option<&'a str>,
    pub(crate) packed: &'a Packed,
    /// Identities of findings that the centre has answered: they do not count.
    pub(crate) answered: Option<&'a BTreeSet<String>>,
}

impl<'a> Content<'a> {
    fn of(put: &'a PutCase, packed: &'a Packed) -> Self {
        Self {
            schema_version: &put.schema_version,
            status: put.status,
            derived: &put.derived,
            findings: &put.findings,
            reason: put.reason.as_deref().filter(|reason| !reason.trim().is_empty()),
            packed,
            answered: None,
        }
    }

    fn count(&self, severity: StoredSeverity) -> i64 {
        let silenced = |f: &super::StoredFinding| self.answered.is_some_and(|all| all.contains(&f.identity));
        let open = self
            .findings
            .iter()
            .filter(|f| f.severity == severity && !silenced(f));
        i64::try_from(open.count()).unwrap_or(i64::MAX)
    }
}

fn create(tx: &mut Tx<'_>, put: &PutCase, packed: &Packed, centre: &str) -> Result<PutOutcome, StoreError> {
    etag::check(&put.precondition, None)?;
    tx.require_active(centre)?;
    let (case, key) = register(tx, &put.pseudonym, centre)?;
    let case = store_version(tx, case, &key, &Content::of(put, packed), "case.create")?;
    outcome(&case, true, BTreeSet::new())
}

/// The row and the key of a new case, at version 0; filing its first version claims the pseudonym.
pub(crate) fn register(
    tx: &mut Tx<'_>,
    pseudonym: &str,
    centre: &str,
) -> Result<(CaseRecord, CaseKey), StoreError> {
    let case_id = new_id(tx.now, tx.entropy);
    let (key, wrapped) = tx.keys.new_case_key(tx.entropy, centre, &case_id)?;
    let case = CaseRecord {
        centre_id: centre.to_owned(),
        case_id,
        pseudonym: Some(pseudonym.to_owned()),
        status: CaseStatus::Draft.as_str().to_owned(),
        locked_through: None,
        version: 0,
        state: 0,
        schema_version: String::new(),
        histology_code: None,
        eligibility_class: None,
        t0: None,
        errors: 0,
        warnings: 0,
        wrapped_key: Some(wrapped),
        created_at: tx.now,
        updated_at: tx.now,
        withdrawal_mode: None,
        withdrawn_on: None,
        reuse_ended_on: None,
    };
    Ok((case, key))
}

fn replace(
    tx: &mut Tx<'_>,
    put: &PutCase,
    packed: &Packed,
    mut case: CaseRecord,
) -> Result<PutOutcome, StoreError> {
    let key = case.key(tx.keys);
    let step = foreseen::step(tx.conn()?, put, &packed.canonical, &case, key.as_ref().ok())?;
    let key = key?;
    let mut content = Content::of(put, packed);
    content.status = match step {
        Step::Unchanged { submitted_at } => {
            let case = again::judged_again(tx, case, (&put.derived, &put.findings, &put.formerly))?;
            let answered = living::answered(tx.conn()?, &case, &put.findings)?;
            return outcome_at(&case, utc(submitted_at), false, true, answered);
        }
        Step::Next(status) => status,
    };
    carried::carry(tx, &case, &put.formerly, false)?;
    let answered = living::answered(tx.conn()?, &case, &put.findings)?;
    content.answered = Some(&answered);
    let before = case.version;
    let today = tx.now.date();
    let reuse_ended = reuse::follow(&mut case, &put.document, today, |case| {
        load_version(tx.conn()?, case, case.version)?.open(&key)
    })?;
    let case = store_version(tx, case, &key, &content, "case.replace")?;
    let following = Following {
        case: &case,
        before,
        findings: &put.findings,
        answered: &answered,
    };
    following.carry_out(tx)?;
    Ok(PutOutcome {
        reuse_ended,
        ..outcome(&case, false, answered)?
    })
}

/// Stores the next version of a case, with its findings, and brings the current row up to it.
pub(crate) fn store_version(
    tx: &mut Tx<'_>,
    mut case: CaseRecord,
    key: &CaseKey,
    content: &Content<'_>,
    action: &str,
) -> Result<CaseRecord, StoreError> {
    let old = (case.version > 0).then_some(case.version);
    case.version += 1;
    case.status = content.status.as_str().to_owned();
    case.schema_version = content.schema_version.to_owned();
    case.histology_code = content.derived.histology_code.clone();
    case.eligibility_class = content.derived.eligibility_class.clone();
    case.t0 = content.derived.t0.clone();
    case.errors = content.count(StoredSeverity::Error);
    case.warnings = content.count(StoredSeverity::Warning);
    case.updated_at = tx.now;
    let hash = key.content_hash(content.schema_version, &content.packed.canonical);
    let reason = content
        .reason
        .map(|reason| sealed_reason(tx, key, &case, reason))
        .transpose()?;
    let raised = match old {
        None => raised_by_checks(tx, &case, content.status, content.findings),
        Some(_) => Vec::new(),
    };
    let mut event = Event::new(action)
        .case(&case.centre_id, &case.case_id)
        .versions(old, Some(case.version))
        .reason(reason.clone())
        .detail("content_hash", hex::encode(hash))
        .detail("status", case.status.as_str());
    if !raised.is_empty() {
        event = event.detail("queries", raised.len());
    }
    let change_seq = tx.audit(event);
    let version = VersionRecord {
        centre_id: case.centre_id.clone(),
        case_id: case.case_id.clone(),
        version: case.version,
        schema_version: case.schema_version.clone(),
        status: case.status.clone(),
        document: Some(key.seal_document(
            tx.entropy,
            &case.centre_id,
            &case.case_id,
            case.version,
            &content.packed.compressed,
        )?),
        content_hash: hash.to_vec(),
        histology_code: case.histology_code.clone(),
        eligibility_class: case.eligibility_class.clone(),
        t0: case.t0.clone(),
        errors: case.errors,
        warnings: case.warnings,
        submitted_at: tx.now,
        actor: tx.scope.actor().to_owned(),
        reason,
        request_id: tx.scope.request_id().map(str::to_owned),
        change_seq,
        superseded_seq: None,
    };
    let rows: Vec<_> = content
        .findings
        .iter()
        .enumerate()
        .map(|(position, finding)| FindingRecord::of(&case, position, finding))
        .collect();
    let Some(old) = old else {
        tx.file(NewCase {
            case: case.clone(),
            version,
            findings: rows,
            queries: raised,
        })?;
        return Ok(case);
    };
    on_conn!(tx.conn()?, c => {
        let before = case_versions::table.find((&case.centre_id, &case.case_id, old));
        diesel::update(before)
            .set(case_versions::superseded_seq.eq(Some(change_seq)))
            .execute(c)?;
        diesel::update(cases::table.find((&case.centre_id, &case.case_id))).set(&case).execute(c)?;
        diesel::insert_into(case_versions::table).values(&version).execute(c)?;
        if !rows.is_empty() {
            diesel::insert_into(findings::table).values(&rows).execute(c)?;
        }
    });
    Ok(case)
}

pub(crate) fn reason_label(centre: &str, case_id: &str) -> Label {
    Label::new("reason")
        .with(centre.as_bytes())
        .with(case_id.as_bytes())
}

const SEALED: &str = "sealed:";

/// A reason may name the patient's affairs: it is sealed with the case's key, so that erasure takes it along.
pub(crate) fn sealed_reason(
    tx: &Tx<'_>,
    key: &CaseKey,
    case: &CaseRecord,
    reason: &str,
) -> Result<String, StoreError> {
    use base64::Engine;
    let label = reason_label(&case.centre_id, &case.case_id);
    let sealed = key.seal(tx.entropy, &label, &case.case_id, reason.as_bytes())?;
    Ok(format!(
        "{SEALED}{}",
        base64::engine::general_purpose::STANDARD.encode(sealed)
    ))
}

/// The reason in plain words; `None` when it cannot be read (another role, an erased case).
pub(crate) fn open_reason(
    key: Option<&CaseKey>,
    centre: &str,
    case_id: &str,
    stored: &str,
) -> Option<String> {
    use base64::Engine;
    let Some(sealed) = stored.strip_prefix(SEALED) else {
        return Some(stored.to_owned());
    };
    let sealed = base64::engine::general_purpose::STANDARD.decode(sealed).ok()?;
    let plain = key?.open(&reason_label(centre, case_id), case_id, &sealed).ok()?;
    String::from_utf8(plain).ok()
}

fn outcome(case: &CaseRecord, created: bool, answered: BTreeSet<String>) -> Result<PutOutcome, StoreError> {
    outcome_at(case, utc(case.updated_at), created, false, answered)
}

fn outcome_at(
    case: &CaseRecord,
    submitted_at: chrono::DateTime<chrono::Utc>,
    created: bool,
    unchanged: bool,
    answered: BTreeSet<String>,
) -> Result<PutOutcome, StoreError> {
    Ok(PutOutcome {
        case_id: case.case_id.clone(),
        version: case.version,
        etag: case.etag(),
        status: case.status()?,
        submitted_at,
        created,
        unchanged,
        answered,
        reuse_ended: false,
        replay: None,
    })
}
