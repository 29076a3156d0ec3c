//! Withdrawal of consent. Erasure destroys the case's key, its findings, its evaluations and its stored answers; what
//! stays is the record id, the keyed hash of the pseudonym (so that the patient is not registered again), and the
//! audit trail, whose hashes were keyed with the key that is gone.

use chrono::{Days, NaiveDate};
use diesel::prelude::*;

use super::etag;
use super::put::{Content, register, sealed_reason, store_version};
use super::rows::{CaseRecord, Packed, load_case};
use super::{CaseStatus, Derived, Withdraw, WithdrawOutcome, Withdrawal, WithdrawalMode};
use crate::access::{Role, Scope};
use crate::storage::connection::on_conn;
use crate::storage::data_requests;
use crate::storage::idempotency::{self, Earlier};
use crate::storage::identifiers::{is_text, is_visible};
use crate::storage::jobs;
use crate::storage::queries::{self, close_for_consent};
use crate::storage::releases;
use crate::storage::store::require;
use crate::storage::tables::{
    case_versions, cases, evaluations, finding_answers, findings, idempotency as answers, transfers,
    verification_cases,
};
use crate::storage::tasks;
use crate::storage::transaction::{Event, Tx};
use crate::storage::{Store, StoreError};

/// Why consent is withdrawn, in codes, and what they mean. A code stays in the trail when everything else of the case is destroyed; other
/// words are sealed with the case's key and go with it.
pub const WITHDRAWAL_REASONS: [(&str, &str); 5] = [
    ("patient_asked", "the patient asked for it"),
    ("representative_asked", "a legal representative asked for it"),
    ("no_valid_consent", "there was no valid consent"),
    ("entered_in_error", "the case was entered in error"),
    ("authority_decided", "a court or an authority decided it"),
];

struct Prepared {
    withdraw: Withdraw,
    packed: Option<Packed>,
}

impl Store {
    /// Withdraws a case. `submitter`, `centre_lead`, `coordinator`. Asking for the same again changes nothing;
    /// `no_further_use` may become `erase`, never the other way round.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an unknown pseudonym (unless the consent document came along),
    /// [`StoreError::Invalid`] for a day after tomorrow (UTC) or later,
    /// [`StoreError::Withdrawn`] for `no_further_use` after `erase`, and those of a submission's precondition.
    pub fn withdraw(&self, scope: &Scope, withdraw: Withdraw) -> Result<WithdrawOutcome, StoreError> {
        require(scope, scope.role().sees_cases(), "withdraw cases")?;
        if !is_visible(&withdraw.pseudonym, 64) {
            return Err(StoreError::Invalid(
                "a pseudonym has 1 to 64 visible ASCII characters",
            ));
        }
        if withdraw
            .reason
            .as_ref()
            .is_some_and(|reason| !is_text(reason, 2000))
        {
            return Err(StoreError::Invalid("a reason has at most 2,000 bytes and no NUL"));
        }
        let packed = withdraw
            .document
            .as_ref()
            .map(|(document, _)| Packed::new(document))
            .transpose()?;
        let erases = withdraw.mode == WithdrawalMode::Erase;
        let prepared = Prepared { withdraw, packed };
        let outcome = self.write(scope, move |tx| withdraw_keeping(tx, &prepared))??;
        if erases {
            match self.write_back() {
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!("somebody reads the log that an erasure empties: it is tried again")
                }
                Err(error) => {
                    tracing::warn!(%error, "the log could not be emptied after an erasure: it is tried again")
                }
            }
        }
        Ok(outcome)
    }
}

/// As for submissions: the note to the coordinating office outlives the refusal.
fn withdraw_keeping(
    tx: &mut Tx<'_>,
    prepared: &Prepared,
) -> Result<Result<WithdrawOutcome, StoreError>, StoreError> {
    match withdraw_in(tx, prepared) {
        Err(StoreError::PseudonymRegistered) => {
            if let (Some((holder, case_id)), Some(centre)) = (
                tx.claim_of(&prepared.withdraw.pseudonym)?,
                tx.scope.centre().map(str::to_owned),
            ) {
                tasks::open_pseudonym_task(tx, &centre, &holder, &case_id)?;
            }
            Ok(Err(StoreError::PseudonymRegistered))
        }
        other => other.map(Ok),
    }
}

fn withdraw_in(tx: &mut Tx<'_>, prepared: &Prepared) -> Result<WithdrawOutcome, StoreError> {
    let asked = &prepared.withdraw;
    if let Some(given) = &asked.idempotency
        && let Some(Earlier { outcome, answer }) = idempotency::earlier::<_, WithdrawOutcome>(tx, given)?
    {
        return Ok(WithdrawOutcome {
            replay: Some(answer),
            ..outcome
        });
    }
    // The sender's day may have begun before the service's.
    if asked.date > tx.now.date() + Days::new(1) {
        return Err(StoreError::Invalid(
            "date: a day that has come; a withdrawal is sent once it is made",
        ));
    }
    let (case, created) = find_or_register(tx, prepared)?;
    let outcome = match case.withdrawal() {
        Some(there) if there.mode == asked.mode => outcome(tx, &case, there, created, true)?,
        Some(there) if there.mode == WithdrawalMode::Erase => {
            return Err(StoreError::Withdrawn { erased: true });
        }
        _ => {
            if !created {
                etag::check(&asked.precondition, Some(&case.etag()))?;
            }
            let case = with_consent_document(tx, prepared, case, created)?;
            let reason = kept(tx, &case, asked.reason.as_deref())?;
            let case = apply(tx, case, asked.mode, asked.date, reason)?;
            let withdrawal = Withdrawal {
                mode: asked.mode,
                date: asked.date,
            };
            outcome(tx, &case, withdrawal, created, false)?
        }
    };
    if let Some(given) = &asked.idempotency {
        idempotency::keep(tx, given, &outcome, Some(&outcome.case_id))?;
    }
    Ok(outcome)
}

/// A reason as the trail keeps it; none in words of a case that has no key, as a ledger registers them in a restored copy.
fn kept(tx: &Tx<'_>, case: &CaseRecord, words: Option<&str>) -> Result<Option<String>, StoreError> {
    let coded = |words: &&str| WITHDRAWAL_REASONS.iter().any(|(code, _)| code == words);
    match words {
        None => Ok(None),
        Some(words) if coded(&words) => Ok(Some(words.to_owned())),
        Some(_) if case.wrapped_key.is_none() => Ok(None),
        Some(words) => sealed_reason(tx, &case.key(tx.keys)?, case, words).map(Some),
    }
}

fn find_or_register(tx: &mut Tx<'_>, prepared: &Prepared) -> Result<(CaseRecord, bool), StoreError> {
    let asked = &prepared.withdraw;
    match tx.claim_of(&asked.pseudonym)? {
        Some((holder, case_id)) => {
            let named = asked.centre.as_ref().is_none_or(|centre| *centre == holder);
            if !tx.scope.covers(&holder) || !named {
                let registers = prepared.packed.is_some() && tx.scope.centre().is_some();
                return Err(if registers {
                    StoreError::PseudonymRegistered
                } else {
                    StoreError::NotFound
                });
            }
            let case = load_case(tx.conn()?, &holder, &case_id)?.ok_or(StoreError::NotFound)?;
            Ok((case, false))
        }
        None => {
            let scope = tx.scope.clone();
            let registers =
                prepared.packed.is_some() && (scope.role().needs_centre() || scope.role() == Role::System);
            let centre = scope.centre().filter(|_| registers).ok_or(StoreError::NotFound)?;
            etag::check(&asked.precondition, None)?;
            tx.require_active(centre)?;
            let (case, _) = register(tx, &asked.pseudonym, centre)?;
            Ok((case, true))
        }
    }
}

/// Stores the consent document of a `PUT` as the last version of the case.
fn with_consent_document(
    tx: &mut Tx<'_>,
    prepared: &Prepared,
    case: CaseRecord,
    created: bool,
) -> Result<CaseRecord, StoreError> {
    let (Some((_, schema_version)), Some(packed)) = (&prepared.withdraw.document, &prepared.packed) else {
        return Ok(case);
    };
    let key = case.key(tx.keys)?;
    let content = Content {
        schema_version,
        status: if created {
            CaseStatus::Submitted
        } else {
            case.status()?
        },
        derived: &Derived::default(),
        findings: &[],
        reason: None,
        packed,
        answered: None,
    };
    let action = if created { "case.create" } else { "case.replace" };
    store_version(tx, case, &key, &content, action)
}

fn outcome(
    tx: &mut Tx<'_>,
    case: &CaseRecord,
    withdrawal: Withdrawal,
    created: bool,
    unchanged: bool,
) -> Result<WithdrawOutcome, StoreError> {
    Ok(WithdrawOutcome {
        case_id: case.case_id.clone(),
        etag: case.etag(),
        version: case.version,
        withdrawal,
        created,
        unchanged,
        releases: releases::with_case(tx.conn()?, &case.centre_id, &case.case_id)?,
        requests: data_requests::holding(tx, &case.case_id)?,
        replay: None,
    })
}

/// Records the withdrawal and, for erasure, destroys what is to be destroyed.
pub(crate) fn apply(
    tx: &mut Tx<'_>,
    mut case: CaseRecord,
    mode: WithdrawalMode,
    date: NaiveDate,
    reason: Option<String>,
) -> Result<CaseRecord, StoreError> {
    case.withdrawal_mode = Some(mode.as_str().to_owned());
    case.withdrawn_on = Some(date);
    case.state += 1;
    case.updated_at = tx.now;
    match mode {
        WithdrawalMode::NoFurtherUse => close_for_consent(tx, &case)?,
        WithdrawalMode::Erase => erase(tx, &mut case)?,
    }
    let place = cases::table.find((&case.centre_id, &case.case_id));
    on_conn!(tx.conn()?, c => diesel::update(place).set(&case).execute(c))?;
    let held = releases::with_case(tx.conn()?, &case.centre_id, &case.case_id)?;
    let delivered = data_requests::holding(tx, &case.case_id)?;
    let mut event = Event::new("case.withdraw")
        .case(&case.centre_id, &case.case_id)
        .versions(Some(case.version), Some(case.version))
        .reason(reason)
        .detail("mode", mode.as_str())
        .detail("date", date.to_string());
    if !held.is_empty() {
        event = event.detail("releases", held);
    }
    if !delivered.is_empty() {
        event = event.detail("data_requests", delivered);
    }
    tx.audit(event);
    Ok(case)
}

fn erase(tx: &mut Tx<'_>, case: &mut CaseRecord) -> Result<(), StoreError> {
    case.wrapped_key = None;
    case.pseudonym = None;
    case.histology_code = None;
    case.eligibility_class = None;
    case.t0 = None;
    case.errors = 0;
    case.warnings = 0;
    let (centre, case_id) = (case.centre_id.as_str(), case.case_id.as_str());
    queries::forget(tx.conn()?, centre, case_id)?;
    let holders = holders(tx, centre, case_id)?;
    let nothing: Option<String> = None;
    on_conn!(tx.conn()?, c => {
        let versions = case_versions::table
            .filter(case_versions::centre_id.eq(centre))
            .filter(case_versions::case_id.eq(case_id));
        diesel::update(versions)
            .set((
                case_versions::document.eq(None::<Vec<u8>>),
                case_versions::histology_code.eq(&nothing),
                case_versions::eligibility_class.eq(&nothing),
                case_versions::t0.eq(&nothing),
                case_versions::reason.eq(&nothing),
                case_versions::errors.eq(0),
                case_versions::warnings.eq(0),
            ))
            .execute(c)?;
        diesel::delete(
            findings::table
                .filter(findings::centre_id.eq(centre))
                .filter(findings::case_id.eq(case_id)),
        )
        .execute(c)?;
        diesel::delete(
            finding_answers::table
                .filter(finding_answers::centre_id.eq(centre))
                .filter(finding_answers::case_id.eq(case_id)),
        )
        .execute(c)?;
        diesel::delete(
            transfers::table
                .filter(transfers::centre_id.eq(centre))
                .filter(transfers::case_id.eq(case_id)),
        )
        .execute(c)?;
        diesel::delete(
            evaluations::table
                .filter(evaluations::centre_id.eq(centre))
                .filter(evaluations::case_id.eq(case_id)),
        )
        .execute(c)?;
        diesel::delete(
            verification_cases::table
                .filter(verification_cases::centre_id.eq(centre))
                .filter(verification_cases::case_id.eq(case_id)),
        )
        .execute(c)?;
    });
    // Answers hold findings and queries, whoever asked. Those of batches name no case: all unexpired ones go, of every centre that held it.
    let case_id = case_id.to_owned();
    tx.as_registry(|tx| {
        let of_batches = answers::centre_id
            .eq_any(&holders)
            .and(answers::case_id.is_null())
            .and(answers::answer.is_not_null());
        let stored = answers::table.filter(answers::case_id.eq(&case_id).or(of_batches));
        on_conn!(tx.conn()?, c => diesel::delete(stored).execute(c))?;
        jobs::forget_reports(tx, &holders)
    })
}

/// The centre of the case and those that held it before.
fn holders(tx: &mut Tx<'_>, centre: &str, case_id: &str) -> Result<Vec<String>, StoreError> {
    let moves = transfers::table
        .filter(transfers::centre_id.eq(centre))
        .filter(transfers::case_id.eq(case_id))
        .select(transfers::from_centre);
    let mut holders = on_conn!(tx.conn()?, c => moves.load::<String>(c))?;
    holders.push(centre.to_owned());
    holders.sort();
    holders.dedup();
    Ok(holders)
}
